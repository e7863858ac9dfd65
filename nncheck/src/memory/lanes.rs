//! Sums over plain numbers in memory, in one pass and in double precision.
//!
//! Everything is summed in eight lanes, which are added up in a fixed order at the end, so that every processor gets the
//! same bits: the wide registers of AVX2, where there are any, do what the plain loops do, entry by entry (nothing is
//! contracted into fused operations). The wide loops are written out since the compiler makes no vector instructions of
//! loops with several sums.

/// How many sums go side by side.
const LANES: usize = 8;

/// An entry of a tensor: `f32` or `f64`.
pub(crate) trait Entry: Copy + Into<f64> + 'static {
    #[doc(hidden)]
    fn deviations(entries: &[Self], from: f64) -> Deviations;
    #[doc(hidden)]
    fn squares(entries: &[Self]) -> f64;
    #[doc(hidden)]
    fn movement(copy: &mut [Self], now: &[Self]) -> Movement;
}

/// What one pass over some entries finds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Deviations {
    /// Sum of the deviations.
    pub(crate) sum: f64,
    /// Sum of their squares.
    pub(crate) squares: f64,
    /// How many entries are zero.
    pub(crate) zeros: u64,
    /// Smallest entry; infinity where there is none. Entries that are not numbers do not count.
    pub(crate) min: f64,
    /// Largest entry; minus infinity where there is none. Entries that are not numbers do not count.
    pub(crate) max: f64,
}

/// How far entries are from what they were.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Movement {
    /// Sum of the squared differences.
    pub(crate) moved: f64,
    /// Sum of the squares of what they are now.
    pub(crate) size: f64,
}

/// Of entries from a number that is near their mean.
pub(crate) fn deviations<T: Entry>(entries: &[T], from: f64) -> Deviations {
    T::deviations(entries, from)
}

/// The sum of all squares.
pub(crate) fn squares<T: Entry>(entries: &[T]) -> f64 {
    T::squares(entries)
}

/// From a copy of what was before, which is then a copy of what is `now`. Both are of one length.
pub(crate) fn movement<T: Entry>(copy: &mut [T], now: &[T]) -> Movement {
    T::movement(copy, now)
}

/// Added in pairs: always in this order.
fn total(lanes: [f64; LANES]) -> f64 {
    let [a, b, c, d, e, f, g, h] = lanes;
    ((a + e) + (c + g)) + ((b + f) + (d + h))
}

fn lowest(lanes: [f64; LANES]) -> f64 {
    lanes.into_iter().fold(f64::INFINITY, f64::min)
}

fn highest(lanes: [f64; LANES]) -> f64 {
    lanes.into_iter().fold(f64::NEG_INFINITY, f64::max)
}

/// The sums of [`Deviations`], lane by lane.
#[derive(Clone, Copy)]
struct Sums {
    sum: [f64; LANES],
    squares: [f64; LANES],
    zeros: [u64; LANES],
    min: [f64; LANES],
    max: [f64; LANES],
}

impl Sums {
    const NONE: Self = Self {
        sum: [0.0; LANES],
        squares: [0.0; LANES],
        zeros: [0; LANES],
        min: [f64::INFINITY; LANES],
        max: [f64::NEG_INFINITY; LANES],
    };

    #[inline(always)]
    fn add(&mut self, lane: usize, entry: f64, from: f64) {
        let deviation = entry - from;
        self.sum[lane] += deviation;
        self.squares[lane] += deviation * deviation;
        self.zeros[lane] += u64::from(entry == 0.0);
        self.min[lane] = if entry < self.min[lane] { entry } else { self.min[lane] };
        self.max[lane] = if entry > self.max[lane] { entry } else { self.max[lane] };
    }

    fn add_all<T: Entry>(&mut self, entries: &[T], from: f64) {
        for chunk in entries.chunks(LANES) {
            for (lane, &entry) in chunk.iter().enumerate() {
                self.add(lane, entry.into(), from);
            }
        }
    }

    fn total(self) -> Deviations {
        Deviations {
            sum: total(self.sum),
            squares: total(self.squares),
            zeros: self.zeros.iter().sum(),
            min: lowest(self.min),
            max: highest(self.max),
        }
    }
}

fn add_squares<T: Entry>(lanes: &mut [f64; LANES], entries: &[T]) {
    for chunk in entries.chunks(LANES) {
        for (lane, &entry) in lanes.iter_mut().zip(chunk) {
            let entry: f64 = entry.into();
            *lane += entry * entry;
        }
    }
}

fn add_movement<T: Entry>(moved: &mut [f64; LANES], size: &mut [f64; LANES], copy: &mut [T], now: &[T]) {
    for (copy, now) in copy.chunks_mut(LANES).zip(now.chunks(LANES)) {
        for (lane, (copy, &now)) in copy.iter_mut().zip(now).enumerate() {
            let (entry, before): (f64, f64) = (now.into(), (*copy).into());
            moved[lane] += (entry - before) * (entry - before);
            size[lane] += entry * entry;
            *copy = now;
        }
    }
}

mod plain {
    use super::{Deviations, Entry, LANES, Movement, Sums, add_movement, add_squares, total};

    pub(super) fn deviations<T: Entry>(entries: &[T], from: f64) -> Deviations {
        let mut sums = Sums::NONE;
        sums.add_all(entries, from);
        sums.total()
    }

    pub(super) fn squares<T: Entry>(entries: &[T]) -> f64 {
        let mut lanes = [0.0; LANES];
        add_squares(&mut lanes, entries);
        total(lanes)
    }

    pub(super) fn movement<T: Entry>(copy: &mut [T], now: &[T]) -> Movement {
        let (mut moved, mut size) = ([0.0; LANES], [0.0; LANES]);
        add_movement(&mut moved, &mut size, copy, now);
        Movement { moved: total(moved), size: total(size) }
    }
}

#[cfg(target_arch = "x86_64")]
mod wide {
    use std::arch::x86_64::{
        __m256d, __m256i, _CMP_EQ_OQ, _mm_loadu_ps, _mm256_add_pd, _mm256_castpd_si256, _mm256_cmp_pd, _mm256_cvtps_pd,
        _mm256_loadu_pd, _mm256_max_pd, _mm256_min_pd, _mm256_mul_pd, _mm256_set1_pd, _mm256_setzero_pd,
        _mm256_setzero_si256, _mm256_storeu_pd, _mm256_storeu_si256, _mm256_sub_epi64, _mm256_sub_pd,
    };

    use super::{Deviations, LANES, Movement, Sums, add_movement, add_squares, total};

    /// Eight entries as doubles.
    #[target_feature(enable = "avx2")]
    fn load_f32(chunk: &[f32; LANES]) -> [__m256d; 2] {
        let (low, high) = (&chunk[..4], &chunk[4..]);
        // SAFETY: each half has the four entries that are read, and no alignment is asked for.
        let (low, high) = unsafe { (_mm_loadu_ps(low.as_ptr()), _mm_loadu_ps(high.as_ptr())) };
        [_mm256_cvtps_pd(low), _mm256_cvtps_pd(high)]
    }

    #[target_feature(enable = "avx2")]
    fn load_f64(chunk: &[f64; LANES]) -> [__m256d; 2] {
        let (low, high) = (&chunk[..4], &chunk[4..]);
        // SAFETY: each half has the four entries that are read, and no alignment is asked for.
        unsafe { [_mm256_loadu_pd(low.as_ptr()), _mm256_loadu_pd(high.as_ptr())] }
    }

    #[target_feature(enable = "avx2")]
    fn lanes(halves: [__m256d; 2]) -> [f64; LANES] {
        let mut lanes = [0.0; LANES];
        let (low, high) = lanes.split_at_mut(4);
        // SAFETY: each half has room for the four entries that are written.
        unsafe {
            _mm256_storeu_pd(low.as_mut_ptr(), halves[0]);
            _mm256_storeu_pd(high.as_mut_ptr(), halves[1]);
        }
        lanes
    }

    #[target_feature(enable = "avx2")]
    fn counts(halves: [__m256i; 2]) -> [u64; LANES] {
        let mut counts = [0; LANES];
        let (low, high) = counts.split_at_mut(4);
        // SAFETY: each half has room for the four entries that are written.
        unsafe {
            _mm256_storeu_si256(low.as_mut_ptr().cast(), halves[0]);
            _mm256_storeu_si256(high.as_mut_ptr().cast(), halves[1]);
        }
        counts
    }

    macro_rules! wide {
        ($entry:ty, $load:ident, $deviations:ident, $squares:ident, $movement:ident) => {
            #[target_feature(enable = "avx2")]
            pub(super) fn $deviations(entries: &[$entry], from: f64) -> Deviations {
                let (chunks, rest) = entries.as_chunks::<LANES>();
                let (pivot, zero) = (_mm256_set1_pd(from), _mm256_setzero_pd());
                let (mut sum, mut squares) = ([zero; 2], [zero; 2]);
                let mut zeros = [_mm256_setzero_si256(); 2];
                let (mut min, mut max) = ([_mm256_set1_pd(f64::INFINITY); 2], [_mm256_set1_pd(f64::NEG_INFINITY); 2]);
                for chunk in chunks {
                    let entries = $load(chunk);
                    for half in 0..2 {
                        let entry = entries[half];
                        let deviation = _mm256_sub_pd(entry, pivot);
                        sum[half] = _mm256_add_pd(sum[half], deviation);
                        squares[half] = _mm256_add_pd(squares[half], _mm256_mul_pd(deviation, deviation));
                        // All bits where an entry is zero, which is minus one.
                        let is_zero = _mm256_castpd_si256(_mm256_cmp_pd::<_CMP_EQ_OQ>(entry, zero));
                        zeros[half] = _mm256_sub_epi64(zeros[half], is_zero);
                        // Of an entry that is no number the second operand is taken.
                        min[half] = _mm256_min_pd(entry, min[half]);
                        max[half] = _mm256_max_pd(entry, max[half]);
                    }
                }
                let mut sums = Sums {
                    sum: lanes(sum),
                    squares: lanes(squares),
                    zeros: counts(zeros),
                    min: lanes(min),
                    max: lanes(max),
                };
                sums.add_all(rest, from);
                sums.total()
            }

            #[target_feature(enable = "avx2")]
            pub(super) fn $squares(entries: &[$entry]) -> f64 {
                let (chunks, rest) = entries.as_chunks::<LANES>();
                let mut sums = [_mm256_setzero_pd(); 2];
                for chunk in chunks {
                    let entries = $load(chunk);
                    for half in 0..2 {
                        sums[half] = _mm256_add_pd(sums[half], _mm256_mul_pd(entries[half], entries[half]));
                    }
                }
                let mut sums = lanes(sums);
                add_squares(&mut sums, rest);
                total(sums)
            }

            #[target_feature(enable = "avx2")]
            pub(super) fn $movement(copy: &mut [$entry], now: &[$entry]) -> Movement {
                let (copies, copy_rest) = copy.as_chunks_mut::<LANES>();
                let (chunks, rest) = now.as_chunks::<LANES>();
                let (mut moved, mut size) = ([_mm256_setzero_pd(); 2], [_mm256_setzero_pd(); 2]);
                for (copy, chunk) in copies.iter_mut().zip(chunks) {
                    let (before, entries) = ($load(copy), $load(chunk));
                    for half in 0..2 {
                        let difference = _mm256_sub_pd(entries[half], before[half]);
                        moved[half] = _mm256_add_pd(moved[half], _mm256_mul_pd(difference, difference));
                        size[half] = _mm256_add_pd(size[half], _mm256_mul_pd(entries[half], entries[half]));
                    }
                    *copy = *chunk;
                }
                let (mut moved, mut size) = (lanes(moved), lanes(size));
                add_movement(&mut moved, &mut size, copy_rest, rest);
                Movement { moved: total(moved), size: total(size) }
            }
        };
    }

    wide!(f32, load_f32, deviations_f32, squares_f32, movement_f32);
    wide!(f64, load_f64, deviations_f64, squares_f64, movement_f64);
}

/// The wide loops where the processor has the registers, else the plain ones.
macro_rules! entry {
    ($entry:ty, $deviations:ident, $squares:ident, $movement:ident) => {
        impl Entry for $entry {
            fn deviations(entries: &[Self], from: f64) -> Deviations {
                #[cfg(target_arch = "x86_64")]
                if is_x86_feature_detected!("avx2") {
                    // SAFETY: the processor has the one feature that it was compiled for.
                    return unsafe { wide::$deviations(entries, from) };
                }
                plain::deviations(entries, from)
            }

            fn squares(entries: &[Self]) -> f64 {
                #[cfg(target_arch = "x86_64")]
                if is_x86_feature_detected!("avx2") {
                    // SAFETY: as above.
                    return unsafe { wide::$squares(entries) };
                }
                plain::squares(entries)
            }

            fn movement(copy: &mut [Self], now: &[Self]) -> Movement {
                #[cfg(target_arch = "x86_64")]
                if is_x86_feature_detected!("avx2") {
                    // SAFETY: as above.
                    return unsafe { wide::$movement(copy, now) };
                }
                plain::movement(copy, now)
            }
        }
    };
}

entry!(f32, deviations_f32, squares_f32, movement_f32);
entry!(f64, deviations_f64, squares_f64, movement_f64);

#[cfg(test)]
mod tests {
    use super::*;

    fn scattered(count: usize) -> Vec<f64> {
        let entry = |index: usize| if index % 7 == 3 { 0.0 } else { (index as f64 * 12.9898).sin() * 2.0 };
        (0..count).map(entry).collect()
    }

    const COUNTS: [usize; 9] = [0, 1, 7, 8, 9, 15, 16, 100, 5001];

    fn bits(found: Deviations) -> [u64; 5] {
        [found.sum.to_bits(), found.squares.to_bits(), found.zeros, found.min.to_bits(), found.max.to_bits()]
    }

    #[test]
    fn wide_and_plain_registers_give_the_same_bits() {
        for count in COUNTS {
            let entries = scattered(count);
            let short: Vec<f32> = entries.iter().map(|&entry| entry as f32).collect();
            assert_eq!(bits(deviations(&entries, 0.1)), bits(plain::deviations(&entries, 0.1)));
            assert_eq!(bits(deviations(&short, 0.1)), bits(plain::deviations(&short, 0.1)));
            assert_eq!(squares(&entries).to_bits(), plain::squares(&entries).to_bits());
            assert_eq!(squares(&short).to_bits(), plain::squares(&short).to_bits());
            let (mut one, mut other) = (vec![0.5; count], vec![0.5; count]);
            assert_eq!(movement(&mut one, &entries), plain::movement(&mut other, &entries));
            let (mut one, mut other) = (vec![0.5; count], vec![0.5; count]);
            assert_eq!(movement(&mut one, &short), plain::movement(&mut other, &short));
        }
    }

    #[test]
    fn sums_are_those_of_a_plain_loop() {
        for count in COUNTS {
            let entries = scattered(count);
            let found = deviations(&entries, 0.25);
            let sum: f64 = entries.iter().map(|entry| entry - 0.25).sum();
            let squared: f64 = entries.iter().map(|entry| (entry - 0.25) * (entry - 0.25)).sum();
            assert!((found.sum - sum).abs() <= 1e-12 * count as f64);
            assert!((found.squares - squared).abs() <= 1e-12 * count as f64);
            assert_eq!(found.zeros, entries.iter().filter(|entry| **entry == 0.0).count() as u64);
            assert_eq!(found.min, entries.iter().copied().fold(f64::INFINITY, f64::min));
            assert_eq!(found.max, entries.iter().copied().fold(f64::NEG_INFINITY, f64::max));
        }
    }

    #[test]
    fn a_movement_leaves_a_copy_of_what_is_now() {
        for count in COUNTS {
            let now = scattered(count);
            let mut copy: Vec<f64> = now.iter().map(|entry| entry + 0.5).collect();
            let found = movement(&mut copy, &now);
            assert_eq!(copy, now);
            assert!((found.moved - 0.25 * count as f64).abs() <= 1e-12 * count as f64);
            assert_eq!(found.size, squares(&now));
            assert_eq!(movement(&mut copy, &now).moved, 0.0);
        }
    }

    #[test]
    fn what_is_not_finite_shows_in_every_sum_and_only_numbers_are_extremes() {
        for at in [0, 9, 20] {
            let mut entries = scattered(21);
            entries[at] = f64::NAN;
            let found = deviations(&entries, 0.0);
            assert!(found.sum.is_nan() && found.squares.is_nan() && found.min.is_finite() && found.max.is_finite());
            assert!(squares(&entries).is_nan());
            assert!(movement(&mut scattered(21), &entries).moved.is_nan());
        }
    }
}
