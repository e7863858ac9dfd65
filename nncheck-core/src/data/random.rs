//! Random numbers that are the same on every machine and with every version of every crate: the stream is `ChaCha8`'s,
//! what is made of it is spelt out here.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// What a stream is for: streams of different purposes share no numbers.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose {
    Split = 1,
    Batches = 2,
    Synthetic = 3,
    Audit = 4,
}

/// A stream of random numbers.
#[derive(Clone, Debug)]
pub(super) struct Stream {
    chacha: ChaCha8Rng,
    spare: Option<f64>,
}

impl Stream {
    /// The stream of a purpose, a seed and a number within it, such as an epoch.
    pub(super) fn new(purpose: Purpose, seed: u64, number: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&number.to_le_bytes());
        key[16] = purpose as u8;
        Self { chacha: ChaCha8Rng::from_seed(key), spare: None }
    }

    /// A number in `0..n`, each as likely as the others; 0 for `n = 0`.
    pub(super) fn below(&mut self, n: usize) -> usize {
        let n = n as u64;
        if n == 0 {
            return 0;
        }
        // Lemire 2019: the high half of a product; the few low halves that would favour some numbers are drawn anew.
        let threshold = n.wrapping_neg() % n;
        loop {
            let product = u128::from(self.chacha.next_u64()) * u128::from(n);
            if product as u64 >= threshold {
                return (product >> 64) as usize;
            }
        }
    }

    /// A number in `(0, 1]`.
    fn uniform(&mut self) -> f64 {
        ((self.chacha.next_u64() >> 11) + 1) as f64 * (1.0 / (1_u64 << 53) as f64)
    }

    /// A standard normal number (Box and Muller 1958).
    pub(super) fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        let radius = (-2.0 * self.uniform().ln()).sqrt();
        let (sin, cos) = (std::f64::consts::TAU * self.uniform()).sin_cos();
        self.spare = Some(radius * sin);
        radius * cos
    }

    /// Puts `items` in a random order (Fisher and Yates).
    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.below(last + 1);
            items.swap(last, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_pinned() {
        // A change here changes every split and so every measured number. The order is what a ChaCha8 written from
        // Bernstein's description gives.
        let mut items: Vec<usize> = (0..10).collect();
        Stream::new(Purpose::Split, 0, 0).shuffle(&mut items);
        assert_eq!(items, [2, 7, 3, 0, 5, 1, 4, 9, 8, 6]);
    }

    #[test]
    fn every_order_of_three_is_as_likely() {
        let mut seen = std::collections::BTreeMap::new();
        for seed in 0..6000 {
            let mut items = [0, 1, 2];
            Stream::new(Purpose::Split, seed, 0).shuffle(&mut items);
            *seen.entry(items).or_insert(0) += 1;
        }
        assert_eq!(seen.len(), 6);
        // Five standard deviations of a binomial count (n = 6000, p = 1/6) are 144.
        assert!(seen.values().all(|&n: &i32| (n - 1000).abs() < 144), "{seen:?}");
    }

    #[test]
    fn normal_numbers_have_mean_zero_and_variance_one() {
        let mut stream = Stream::new(Purpose::Synthetic, 0, 0);
        let n = 100_000;
        let numbers: Vec<f64> = (0..n).map(|_| stream.normal()).collect();
        let mean = numbers.iter().sum::<f64>() / f64::from(n);
        let variance = numbers.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / f64::from(n);
        assert!(mean.abs() < 0.016 && (variance - 1.0).abs() < 0.023, "{mean} {variance}");
    }
}
