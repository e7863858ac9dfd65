//! Mean, spread and oddities of a tensor's entries, in one pass over memory.

use crate::memory::lanes::{Entry, deviations};

/// Entries a block. A block stays in the nearest cache, should it be read a second time; blocks are merged. So memory is
/// passed once, and a large mean costs no digits.
const BLOCK: usize = 2048;

/// How much of a block's squares may come from where they are taken: more costs digits.
const SHARE: f64 = 0.99;

/// What is known of the entries of one tensor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Statistics {
    /// Number of entries.
    pub count: u64,
    /// Mean of all entries; not a number when there are none, or when one of them is not finite.
    pub mean: f64,
    /// Standard deviation with n - 1, as `torch.std`; not a number below two entries, or when one is not finite.
    pub std: f64,
    /// Share of entries that are exactly zero; not a number when there are none.
    pub zero_fraction: f64,
    /// Number of infinite entries and entries that are not numbers.
    pub non_finite: u64,
    /// Smallest entry; entries that are not numbers do not count. Infinity when there is none.
    pub min: f64,
    /// Largest entry; entries that are not numbers do not count. Minus infinity when there is none.
    pub max: f64,
}

impl Statistics {
    /// Of single or double precision entries, computed in double precision.
    pub(crate) fn of<T: Entry>(entries: &[T]) -> Self {
        let mut total = Moments::default();
        let (mut zeros, mut min, mut max) = (0, f64::INFINITY, f64::NEG_INFINITY);
        // A block's deviations are taken from the mean of the block before it, which is near its own.
        let mut near = entries.first().map_or(0.0, |&entry| entry.into());
        for block in entries.chunks(BLOCK) {
            let count = block.len() as f64;
            let mut seen = deviations(block, near);
            let off = seen.sum / count;
            if off * seen.sum > SHARE * seen.squares {
                near += off;
                seen = deviations(block, near);
            }
            let off = seen.sum / count;
            // What is not finite stays so.
            let own = seen.squares - off * seen.sum;
            let squares = if seen.squares.is_finite() { own.max(0.0) } else { seen.squares };
            near = if seen.sum.is_finite() { near + off } else { 0.0 };
            total = total.merged(Moments { count, mean: near, squares });
            zeros += seen.zeros;
            min = min.min(seen.min);
            max = max.max(seen.max);
        }
        // Anything that is not finite has poisoned the squares, so that sound tensors pay nothing to be known sound.
        let non_finite = if total.squares.is_finite() {
            0
        } else {
            entries.iter().filter(|&&entry| !entry.into().is_finite()).count() as u64
        };
        let count = entries.len() as f64;
        let sound = non_finite == 0 && !entries.is_empty();
        Self {
            count: entries.len() as u64,
            mean: if sound { total.mean } else { f64::NAN },
            std: if sound && entries.len() > 1 { (total.squares / (count - 1.0)).sqrt() } else { f64::NAN },
            zero_fraction: zeros as f64 / count,
            non_finite,
            min,
            max,
        }
    }
}

/// Count, mean and sum of squared deviations from it.
#[derive(Default)]
struct Moments {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    /// Of both together (Chan, Golub and `LeVeque`, 1979).
    fn merged(self, other: Self) -> Self {
        if self.count == 0.0 {
            return other;
        }
        let count = self.count + other.count;
        let delta = other.mean - self.mean;
        Self {
            count,
            mean: self.mean + delta * (other.count / count),
            squares: self.squares + other.squares + delta * delta * (self.count * other.count / count),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_pass(entries: &[f64]) -> (f64, f64) {
        let count = entries.len() as f64;
        let mean = entries.iter().sum::<f64>() / count;
        let squares: f64 = entries.iter().map(|entry| (entry - mean) * (entry - mean)).sum();
        (mean, (squares / (count - 1.0)).sqrt())
    }

    /// Numbers that look random and repeat exactly.
    fn scattered(count: usize) -> Vec<f64> {
        (0..count).map(|index| (index as f64 * 12.9898).sin() * 2.0).collect()
    }

    #[track_caller]
    fn close(left: f64, right: f64, relative: f64) {
        assert!((left - right).abs() <= relative * right.abs() + 1e-12, "{left} is not {right}");
    }

    #[test]
    fn agrees_with_two_passes_for_every_length_around_lanes_and_blocks() {
        for count in [2, 3, 15, 16, 17, 31, 33, 4095, 4096, 4097, 12_288, 20_001] {
            let entries = scattered(count);
            let (mean, std) = two_pass(&entries);
            let seen = Statistics::of(&entries);
            close(seen.mean, mean, 1e-12);
            close(seen.std, std, 1e-12);
            assert_eq!(seen.count, count as u64);
            assert_eq!(seen.min, entries.iter().copied().fold(f64::INFINITY, f64::min));
            assert_eq!(seen.max, entries.iter().copied().fold(f64::NEG_INFINITY, f64::max));
        }
    }

    #[test]
    fn a_mean_a_billion_times_the_spread_costs_no_digits() {
        let spread = scattered(20_000);
        let entries: Vec<f64> = spread.iter().map(|entry| (entry * 1024.0).round() / 1024.0 + 1e9).collect();
        let (mean, std) = two_pass(&entries);
        let seen = Statistics::of(&entries);
        close(seen.mean, mean, 1e-14);
        close(seen.std, std, 1e-9);
    }

    #[test]
    fn a_first_entry_or_block_far_from_the_rest_costs_no_digits() {
        for zeros in [1, BLOCK] {
            let mut entries = vec![0.0; zeros];
            entries.extend(scattered(40_000).iter().map(|entry| entry + 1e6));
            let (mean, std) = two_pass(&entries);
            let seen = Statistics::of(&entries);
            close(seen.mean, mean, 1e-12);
            close(seen.std, std, 1e-9);
            close(seen.zero_fraction, zeros as f64 / entries.len() as f64, 1e-15);
        }
    }

    #[test]
    fn single_precision_is_summed_in_double() {
        let entries: Vec<f32> = scattered(30_000).iter().map(|&entry| entry as f32 + 1000.0).collect();
        let (mean, std) = two_pass(&entries.iter().map(|&entry| f64::from(entry)).collect::<Vec<_>>());
        let seen = Statistics::of(&entries);
        close(seen.mean, mean, 1e-13);
        close(seen.std, std, 1e-9);
    }

    #[test]
    fn entries_that_are_not_finite_are_counted_wherever_they_are() {
        for at in [0, 17, 9_999] {
            for odd in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                let mut entries = scattered(10_000);
                entries[at] = odd;
                entries[5_000] = f64::NAN;
                let seen = Statistics::of(&entries);
                assert_eq!(seen.non_finite, 2, "{odd} at {at}");
                assert!(seen.mean.is_nan() && seen.std.is_nan());
            }
        }
    }

    #[test]
    fn squares_that_overflow_are_not_taken_for_odd_entries() {
        let seen = Statistics::of(&[1e200, -1e200]);
        assert_eq!((seen.non_finite, seen.mean, seen.std), (0, 0.0, f64::INFINITY));
    }

    #[test]
    fn a_constant_has_no_spread_and_negative_zero_is_zero() {
        assert!(Statistics::of(&[0.1; 10_000]).std < 1e-15);
        assert_eq!(Statistics::of(&[1e9; 10_000]).std, 0.0);
        assert_eq!(Statistics::of(&[0.0, -0.0, 1.0, 2.0]).zero_fraction, 0.5);
    }

    #[test]
    fn too_few_entries_have_no_spread_or_no_mean() {
        let one = Statistics::of(&[3.0]);
        assert!(one.mean == 3.0 && one.std.is_nan());
        let none = Statistics::of::<f64>(&[]);
        assert!(none.mean.is_nan() && none.std.is_nan() && none.zero_fraction.is_nan() && none.non_finite == 0);
    }
}
