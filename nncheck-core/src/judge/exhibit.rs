//! Evidence beyond one number a name: curves and tables that a check shows with its verdict.

use serde::{Deserialize, Serialize};

/// Something that is shown with a verdict, in reports for people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Exhibit {
    /// A quantity over another.
    Curve(Curve),
    /// Numbers of several kinds, row by row.
    Table(Table),
}

/// A quantity over another, in the order of the latter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    /// What it shows, such as `loss by learning rate`.
    pub title: String,
    /// What the points are taken at: a step, a rate.
    pub x: Vec<f64>,
    /// The quantity there; `None` where it does not exist or is not finite.
    pub y: Vec<Option<f64>>,
    /// Points that are marked, by what they are: an index into the points, and words such as `suggested`.
    pub marks: Vec<(usize, String)>,
}

impl Curve {
    /// A curve over the numbers 1, 2, 3, ... (training steps).
    #[must_use]
    pub fn by_step(title: impl Into<String>, y: &[f64]) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "steps are few")]
        let x = (1..=y.len()).map(|step| step as f64).collect();
        Self {
            title: title.into(),
            x,
            y: y.iter().map(|v| Some(*v).filter(|v| v.is_finite())).collect(),
            marks: Vec::new(),
        }
    }
}

/// Numbers of several kinds, row by row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// What the rows are, such as `layer`, then what each column holds.
    pub head: Vec<String>,
    /// The rows.
    pub rows: Vec<Row>,
}

/// A row of a [`Table`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// What it is of.
    pub name: String,
    /// One number a column; `None` where there is none.
    pub cells: Vec<Option<f64>>,
    /// Whether it is what is wrong.
    pub marked: bool,
}
