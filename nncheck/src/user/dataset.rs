//! Data that the user's own function reads.

use tch::Tensor;
use tch::vision::dataset::Dataset as VisionDataset;

use super::{Batch, Named};

/// Data that the user's own function reads: rows that train and, if there are, rows that validate. Without the latter,
/// nncheck splits as the spec says.
#[derive(Debug)]
pub struct Dataset {
    pub(crate) train: Batch,
    pub(crate) validation: Option<Batch>,
    pub(crate) classes: Option<usize>,
}

impl Dataset {
    /// One input `x`, `[n, ...]`, and one target `y`: class ids `[n]` (int64), or numbers `[n]` or `[n, t]`.
    #[must_use]
    pub fn new(x: Tensor, y: Tensor) -> Self {
        Self::of(Batch::new(x, y))
    }

    /// Several inputs and targets, all with as many rows.
    #[must_use]
    pub fn named(inputs: Named, targets: Named) -> Self {
        Self::of(Batch::of(inputs, targets))
    }

    fn of(train: Batch) -> Self {
        Self { train, validation: None, classes: None }
    }

    /// Rows to validate on, of the same names.
    #[must_use]
    pub fn validation(mut self, batch: Batch) -> Self {
        self.validation = Some(batch);
        self
    }

    /// The number of classes, where it is not the number of distinct labels.
    #[must_use]
    pub fn classes(mut self, classes: usize) -> Self {
        self.classes = Some(classes);
        self
    }
}

impl From<VisionDataset> for Dataset {
    fn from(data: VisionDataset) -> Self {
        let classes = usize::try_from(data.labels).ok();
        Self {
            train: Batch::new(data.train_images, data.train_labels),
            validation: Some(Batch::new(data.test_images, data.test_labels)),
            classes,
        }
    }
}
