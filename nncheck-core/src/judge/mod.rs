//! Judging: from the values of the seeds and the bands they had to lie in to a verdict. A verdict is a function of
//! its measurement and its spec alone.

mod band;
pub(crate) mod change;
mod each;
pub mod exhibit;
#[cfg(test)]
mod fixture;
mod mean;
pub mod number;
mod proportion;
mod series;
pub mod sparkline;
pub(crate) mod student;

use serde::{Deserialize, Serialize};

pub(crate) use series::mean;

/// Where a value has to lie; both edges belong to it, an absent edge is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Band {
    /// The least that holds.
    pub min: Option<f64>,
    /// The most that holds.
    pub max: Option<f64>,
    /// The value in the middle of the expectation.
    pub expect: Option<f64>,
}

/// On which scale a quantity's spread is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scale {
    /// As it is.
    Linear,
    /// By its logarithm: ratios and positive losses.
    Log,
}

/// One number of one seed with the band it has to lie in.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The layer or parameter that it belongs to; `None` for a property's single number.
    pub name: Option<String>,
    /// The number; `None` where there is none (then it is listed and not judged).
    pub value: Option<f64>,
    /// Where it has to lie; `None`: listed, not judged.
    pub band: Option<Band>,
    /// On which scale.
    pub scale: Scale,
}

/// What one seed says.
#[derive(Clone, Debug, PartialEq)]
pub enum Sample {
    /// These numbers.
    Seen(Vec<Entry>),
    /// Nothing to look at, with the reason: the property is skipped.
    Nothing(String),
    /// The question makes no sense for this subject: the property is an error.
    Unanswerable(String),
}

/// How the seeds' values make one verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rule {
    /// Every seed holds.
    Each,
    /// Student-t interval of the mean against the band, up to four looks.
    Mean,
    /// Sequential probability ratio test, 0.95 against 0.5, errors 0.01.
    Proportion,
    /// Student-t interval of the mean of a change: it fails where it can be told from chance.
    Change,
}

/// What is said of a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It holds.
    Pass,
    /// It does not hold.
    Fail,
    /// The seeds do not decide.
    Inconclusive,
    /// There was nothing to look at.
    Skipped,
    /// It could not be measured.
    Error,
}

/// A confidence interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower end; `None` where open.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// The confidence it was computed for, of all looks together.
    pub confidence: f64,
}

/// The verdict on a property's seeds, with the numbers behind it.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// The verdict.
    pub verdict: Verdict,
    /// The rule that made it.
    pub rule: Rule,
    /// The judged entry furthest outside its band, else nearest its edge: its value over the seeds.
    pub value: Option<f64>,
    /// That entry's name.
    pub at: Option<String>,
    /// Each named entry's value over the seeds, in the order given.
    pub by: Vec<(String, Option<f64>)>,
    /// The names of all entries that are outside their bands.
    pub outside: Vec<String>,
    /// The band of the judged entry.
    pub band: Band,
    /// The interval of the judged entry's mean.
    pub interval: Option<Interval>,
    /// The judged entry's value, seed by seed, in the order of the samples.
    pub values: Vec<Option<f64>>,
    /// For [`Verdict::Skipped`] and [`Verdict::Error`]: why. For [`Verdict::Fail`]: `unstable` and the like.
    pub reason: Option<String>,
    /// For [`Verdict::Inconclusive`]: how many seeds would settle it, at the spread seen.
    pub seeds_needed: Option<u32>,
}

/// How many seeds, and how sure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Effort {
    /// Seeds to begin with.
    pub seeds: u32,
    /// Seeds at most.
    pub max_seeds: u32,
    /// Confidence between 0 and 1, of all looks together.
    pub confidence: f64,
}

impl Effort {
    /// Whether one seed is all there will be: then its value decides, under every rule.
    #[must_use]
    pub fn single(&self) -> bool {
        self.seeds <= 1 || self.max_seeds <= 1
    }

    /// Seeds at most, and at least those to begin with.
    #[must_use]
    pub fn most(&self) -> u32 {
        self.max_seeds.max(self.seeds).max(1)
    }
}

/// A verdict, or the wish for more seeds.
#[derive(Clone, Debug, PartialEq)]
pub enum Look {
    /// The seeds decide.
    Decided(Box<Judged>),
    /// Look again when there are this many seeds in all.
    More(u32),
}

/// How many seeds a rule wants at first.
#[must_use]
pub fn first_look(rule: Rule, effort: &Effort) -> u32 {
    match rule {
        Rule::Each => effort.seeds.max(1),
        Rule::Mean => mean::first_look(effort),
        Rule::Proportion => proportion::first_look(effort),
        Rule::Change => change::first_look(effort),
    }
}

/// Judges the seeds seen so far, in their order.
#[must_use]
pub fn judge(rule: Rule, samples: &[Sample], effort: &Effort) -> Look {
    match rule {
        Rule::Each => each::judge(samples, effort),
        Rule::Mean => mean::judge(samples, effort),
        Rule::Proportion => proportion::judge(samples, effort),
        Rule::Change => change::judge(samples, effort),
    }
}
