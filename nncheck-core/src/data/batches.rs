//! The order in which rows are trained on.

use super::random::{Purpose, Stream};

/// Row indices for training, step by step, epoch after epoch, without end.
///
/// With `shuffle` each epoch has a new order, which depends on the seed and the epoch alone. An incomplete last batch
/// of an epoch is dropped, unless it is the only one: its gradient is noisier than the others', and a batch of a
/// single row has no variance for batch norm to divide by, so one would see the data's length in the measurements.
#[derive(Clone, Debug)]
pub struct Batches {
    order: Vec<usize>,
    batch: usize,
    shuffle: bool,
    seed: u64,
    epoch: u64,
    next: usize,
}

impl Batches {
    /// Batches of `batch` out of `rows` rows.
    #[must_use]
    pub fn new(rows: usize, batch: usize, shuffle: bool, seed: u64) -> Self {
        let mut this =
            Self { order: (0..rows).collect(), batch: batch.clamp(1, rows.max(1)), shuffle, seed, epoch: 0, next: 0 };
        this.arrange();
        this
    }

    /// Steps in an epoch.
    #[must_use]
    pub fn per_epoch(&self) -> usize {
        self.order.len() / self.batch
    }

    fn arrange(&mut self) {
        if self.shuffle {
            // From the order of the file each time: an epoch does not depend on the ones before it.
            for (index, row) in self.order.iter_mut().enumerate() {
                *row = index;
            }
            Stream::new(Purpose::Batches, self.seed, self.epoch).shuffle(&mut self.order);
        }
        self.next = 0;
    }
}

impl Iterator for Batches {
    type Item = Vec<usize>;

    /// The rows of the next step; `None` only where there are no rows at all.
    fn next(&mut self) -> Option<Vec<usize>> {
        if self.order.is_empty() {
            return None;
        }
        if self.next + self.batch > self.order.len() {
            self.epoch += 1;
            self.arrange();
        }
        let rows = self.order[self.next..self.next + self.batch].to_vec();
        self.next += self.batch;
        Some(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_shuffle_rows_come_in_order_and_the_incomplete_batch_is_dropped() {
        let batches: Vec<_> = Batches::new(5, 2, false, 0).take(3).collect();
        assert_eq!(batches, [vec![0, 1], vec![2, 3], vec![0, 1]]);
    }

    #[test]
    fn the_only_batch_is_never_dropped() {
        let batches: Vec<_> = Batches::new(3, 64, false, 0).take(2).collect();
        assert_eq!(batches, [vec![0, 1, 2], vec![0, 1, 2]]);
    }

    #[test]
    fn an_epoch_holds_each_row_once_and_the_next_one_in_a_new_order() {
        let mut batches = Batches::new(64, 16, true, 7);
        let first: Vec<usize> = batches.by_ref().take(4).flatten().collect();
        let second: Vec<usize> = batches.take(4).flatten().collect();
        for epoch in [&first, &second] {
            let mut sorted = epoch.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, (0..64).collect::<Vec<_>>());
        }
        assert_ne!(first, second);
    }

    #[test]
    fn the_order_depends_on_the_seed_alone() {
        let of = |seed| Batches::new(50, 8, true, seed).take(20).collect::<Vec<_>>();
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
    }

    #[test]
    fn no_rows_are_no_batches() {
        assert_eq!(Batches::new(0, 8, true, 0).next(), None);
        assert_eq!(Batches::new(3, 0, false, 0).next(), Some(vec![0]));
    }
}
