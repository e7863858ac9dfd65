//! `data`: what is fed in is what was meant.

use crate::judge::number::count;
use std::num::NonZeroUsize;

use schemars::JsonSchema;
use serde::Deserialize;

use super::evidence::{answer, some_names};
use super::{Cause, CauseInfo, Check, CheckType, Context, Info, Stage};
use crate::judge::number::{number, times};
use crate::judge::{Band, Entry, Judged, Rule, Sample, Scale};
use crate::measurement::data::{Classes, Data as Seen, DataAsk};
use crate::measurement::{Measurement, Request};
use crate::spec::Subject;
use crate::spec::data::DataSource;

const SCALE: &str = "size of the largest feature";
const CONSTANT: &str = "share of constant features";
const MISSING: &str = "classes without examples";
const EVENNESS: &str = "perplexity of the classes";
const IN_BOTH: &str = "share of validation rows that also train";
const APART: &str = "distance of the shares' classes";
const ORDER: &str = "share of batches that come back in the same order";
const CENTRE: &str = "centre of all rows over that of the training rows";
const LABELS: &str = "agreement of neighbours' labels, in deviations";

/// Class shares of fewer rows a class than this say little.
const ROWS_A_CLASS: usize = 20;
/// Of more classes than this, some without an example are no surprise.
const MANY_CLASSES: usize = 100;

/// The data is scaled, varied, in random order, apart between its shares, and its labels belong to its inputs.
///
/// ## What it measures
/// Of the prepared data, as the model sees it: the root mean square of the largest input feature over the training rows; the share of features
/// that never change; classes without a training example, and the perplexity of the class shares, exp(-sum p ln p); the share of
/// validation rows whose inputs also train; half the summed difference of the class shares between training and validation;
/// the share of batches that come back unchanged in the second epoch; where features look standardised, how far all rows together are from zero over how far the training rows are; and whether each row's `neighbours` nearest rows (of the first `rows`
/// that train) have its label, against 50 shufflings of the labels, in standard deviations of these. Of targets that are numbers, the squared difference between neighbours.
/// Numbers that are not finite and labels that are none are refused when data is read.
///
/// ## Why it matters
/// Most models that do not work are fed something else than was meant. Nothing behind the data can show it as plainly.
///
/// ## Usual causes
/// Pixels from 0 to 255, or columns in their own units; labels that were shuffled or shifted against their inputs; examples that were
/// copied before the split; a file sorted by class and split or read in that order; statistics of all rows in the normalisation.
///
/// ## What to try
/// `scale` or `normalize = "standard"` in [data]; `shuffle = true`; split first, then balance and normalise.
///
/// ## Defaults
/// The largest feature from 0.01 to 30, unless the model's first layer is a normalisation (pixels from 0 to 16 in front of a batch norm train well, pixels from 0 to 255 and columns in units do not); at most half of the features constant (a fifth of MNIST's pixels are); at most 5 % of the validation rows in
/// both shares, unless inputs are so few that each comes ten times; class shares at most 0.3 apart; no batch in the
/// same order. Neighbours agree by at least 4 deviations (sound data 9.6 and more, shuffled labels 0.1 to 0.8), every class of up to a hundred
/// has an example, and the perplexity of k classes is at least k to the power `evenness`: these three only warn.
///
/// ## Sources
/// A. Karpathy, A Recipe for Training Neural Networks (2019): "become one with the data".
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Data {
    /// The least root mean square of the largest feature.
    #[serde(deserialize_with = "super::parameter::finite")]
    pub min_size: f64,
    /// The most root mean square of the largest feature.
    #[serde(deserialize_with = "super::parameter::positive")]
    pub max_size: f64,
    /// The largest share of features that never change.
    #[serde(deserialize_with = "super::parameter::share")]
    pub constant: f64,
    /// The largest share of validation rows that also train.
    #[serde(deserialize_with = "super::parameter::share")]
    pub in_both: f64,
    /// The most that class shares may be apart between training and validation.
    #[serde(deserialize_with = "super::parameter::share")]
    pub apart: f64,
    /// k classes have at least a perplexity of k to this power.
    #[serde(deserialize_with = "super::parameter::share")]
    pub evenness: f64,
    /// How many deviations of chance neighbours' labels agree by at least.
    #[serde(deserialize_with = "super::parameter::finite")]
    pub agreement: f64,
    /// How many neighbours of each row are looked at.
    pub neighbours: NonZeroUsize,
    /// Of how many of the first training rows neighbours are looked at.
    pub rows: NonZeroUsize,
}

impl Default for Data {
    fn default() -> Self {
        let count = super::parameter::count;
        Self {
            min_size: 0.01,
            max_size: 30.0,
            constant: 0.5,
            in_both: 0.05,
            apart: 0.3,
            evenness: 0.2,
            agreement: 4.0,
            neighbours: count(5),
            rows: count(1000),
        }
    }
}

impl CheckType for Data {
    const INFO: Info = Info {
        id: "data",
        stage: Stage::Control,
        rule: Rule::Each,
        takes_band: false,
        narrows: &[],
        trains: false,
        causes: &[
            CauseInfo {
                id: "labels_do_not_belong",
                what: "near inputs have no nearer labels than chance: the labels do not belong to their inputs",
                cure: "look at how inputs and labels are put together",
            },
            CauseInfo {
                id: "in_both_shares",
                what: "the same examples train and validate",
                cure: "drop copies, and split before balancing or augmenting",
            },
            CauseInfo {
                id: "shares_differ",
                what: "the shares are of different classes: a sorted file was split in its order",
                cure: "shuffle before splitting, or leave `order = \"file\"` out",
            },
            CauseInfo {
                id: "not_normalized",
                what: "inputs are in units of their own",
                cure: "`normalize = \"standard\"` or `scale` in [data]",
            },
            CauseInfo {
                id: "constant_inputs",
                what: "most features never change",
                cure: "look at which columns are read, and at a scale that rounds to zero",
            },
            CauseInfo {
                id: "not_shuffled",
                what: "every epoch has the same batches in the same order",
                cure: "`shuffle = true` in [data]",
            },
            CauseInfo {
                id: "all_rows_normalized",
                what: "the inputs were standardised with statistics of all rows, validation included",
                cure: "take mean and deviation of the training rows alone",
            },
            CauseInfo {
                id: "class_missing",
                what: "a class has no training example",
                cure: "look at the labels (do they begin at 0?) and at `classes`",
            },
            CauseInfo {
                id: "imbalance",
                what: "a few classes have nearly all examples",
                cure: "weigh the classes (`class_weights`), and judge by f1 or auc instead of accuracy",
            },
        ],
    };
}

impl Check for Data {
    fn info(&self) -> &'static Info {
        &Self::INFO
    }

    fn needs(&self, _subject: &Subject) -> Vec<Request> {
        vec![DataAsk { rows: self.rows.get(), neighbours: self.neighbours.get() }.into()]
    }

    fn sample(&self, context: &Context<'_>, taken: &[Measurement]) -> Sample {
        let seen: &Seen = match answer(taken, 0) {
            Ok(seen) => seen,
            Err(why) => return Sample::Unanswerable(why),
        };
        match &seen.cannot {
            Some(why) => Sample::Nothing(why.clone()),
            None => {
                let data = &context.subject.data;
                let made_up = matches!(data.source, DataSource::Synthetic(_));
                Sample::Seen(self.entries(seen, data.batch, made_up))
            }
        }
    }

    fn quantity(&self) -> &'static str {
        "data"
    }

    fn advises(&self, name: &str) -> bool {
        [LABELS, MISSING, EVENNESS].contains(&name)
    }

    fn diagnose(&self, _context: &Context<'_>, judged: &Judged, taken: &[Vec<Measurement>]) -> Vec<Cause> {
        // The data is the same whatever the seed, but for the order of its batches.
        let Some(seen) = taken.iter().find_map(|seed| answer::<Seen>(seed, 0).ok()) else { return Vec::new() };
        let outside = judged.outside.iter().map(String::as_str);
        let mut causes: Vec<Cause> = outside.filter_map(|name| self.cause(name, seen)).collect();
        let rank = |id: &str| Self::INFO.causes.iter().position(|cause| cause.id == id);
        causes.sort_by_key(|cause| rank(cause.id));
        causes
    }

    fn remark(&self, _context: &Context<'_>, _judged: &Judged, taken: &[Vec<Measurement>]) -> Option<String> {
        let seen: &Seen = answer(taken.first()?, 0).ok()?;
        let constant = match &seen.constant[..] {
            [] => String::new(),
            names => format!(", constant: {}", some_names(names)),
        };
        Some(format!("{} training rows, {} to validate{constant}", seen.facts.examples, seen.facts.validation_examples))
    }
}

impl Data {
    /// `made_up`: nncheck made the data, of few different rows where they are sequences.
    fn entries(&self, seen: &Seen, batch: usize, made_up: bool) -> Vec<Entry> {
        let entry = |name: &str, value: Option<f64>, min: Option<f64>, max: Option<f64>| Entry {
            name: Some(name.to_owned()),
            value,
            band: Some(Band { min, max, expect: None }),
            scale: Scale::Linear,
        };
        let validation = seen.facts.validation_examples;
        let rows = seen.facts.examples + validation;
        let of_classes = |f: &dyn Fn(&Classes) -> Option<f64>| seen.classes.as_ref().and_then(f);
        let k = seen.classes.as_ref().map_or(1, |classes| classes.training.len());
        let size = Some(Band { min: Some(self.min_size), max: Some(self.max_size), expect: None });
        // Inputs of which there are so few that each comes ten times are in both shares whatever one does.
        let apart = seen.distinct * 10 > rows && !made_up;
        // Batches of a single row come back by chance, one an epoch.
        let by_chance = if batch == 1 { 5.0 / count(seen.facts.examples.max(1)) } else { 0.0 };
        vec![
            Entry {
                band: size.filter(|_| !seen.normalised_by_model),
                ..entry(SCALE, seen.largest.as_ref().map(|f| f.size), None, None)
            },
            entry(CONSTANT, share(seen.constant.len(), seen.features), None, Some(self.constant)),
            entry(MISSING, of_classes(&missing), None, Some(0.0)),
            entry(EVENNESS, of_classes(&|c| Some(perplexity(&c.training))), Some(count(k).powf(self.evenness)), None),
            entry(IN_BOTH, share(seen.in_both, validation).filter(|_| apart), None, Some(self.in_both)),
            entry(APART, of_classes(&distance), None, Some(self.apart)),
            entry(ORDER, seen.repeated_batches, None, Some(by_chance)),
            entry(CENTRE, seen.centre, Some(0.01), None),
            entry(LABELS, seen.agreement.map(|a| a.z), Some(self.agreement), None),
        ]
    }

    fn cause(&self, name: &str, seen: &Seen) -> Option<Cause> {
        let (id, help) = match name {
            SCALE => {
                let largest = seen.largest.as_ref()?;
                let size = number(largest.size);
                let cure = if largest.size > self.max_size {
                    format!("{} times what is usual: `normalize = \"standard\"` or `scale` in [data]", times(largest.size))
                } else {
                    "far less than the usual 1: look at `scale`, and at which columns are read".to_owned()
                };
                ("not_normalized", format!("the largest feature, {}, is of size {size}, {cure}", largest.name))
            }
            CONSTANT => (
                "constant_inputs",
                format!(
                    "{} of {} features never change, such as {}: look at which columns are read, and at a scale that rounds to zero",
                    seen.constant.len(),
                    seen.features,
                    some_names(&seen.constant)
                ),
            ),
            MISSING => {
                let classes = seen.classes.as_ref()?;
                let none: Vec<String> =
                    classes.training.iter().enumerate().filter(|(_, n)| **n == 0).map(|(k, _)| k.to_string()).collect();
                let help = format!(
                    "of {} classes {} have no training example: do labels begin at 0? is `classes` right?",
                    classes.training.len(),
                    some_names(&none)
                );
                ("class_missing", help)
            }
            EVENNESS => {
                let classes = seen.classes.as_ref()?;
                let most = classes.training.iter().max().copied().unwrap_or(0);
                let help = format!(
                    "{} of {} examples are of one class: weigh the classes (`class_weights`), and judge by f1 or auc instead of accuracy",
                    most,
                    classes.training.iter().sum::<usize>()
                );
                ("imbalance", help)
            }
            IN_BOTH => (
                "in_both_shares",
                format!(
                    "{} of {} validation rows have inputs that also train: drop copies, and split before balancing or augmenting",
                    seen.in_both, seen.facts.validation_examples
                ),
            ),
            APART => (
                "shares_differ",
                format!(
                    "the classes' shares are {} apart between training and validation: the file is sorted; shuffle before splitting",
                    seen.classes.as_ref().and_then(distance).map_or_else(String::new, number)
                ),
            ),
            ORDER => (
                "not_shuffled",
                "the second epoch has the first one's batches in the same order: `shuffle = true` in [data]".to_owned(),
            ),
            CENTRE => (
                "all_rows_normalized",
                "all rows together have mean 0 and deviation 1, and the training rows have not: take the statistics of the training rows alone".to_owned(),
            ),
            LABELS => {
                let agreement = seen.agreement?;
                let help = format!(
                    "labels of neighbours agree by {} and those of shuffled labels by {}: look at how inputs and labels are put together",
                    number(agreement.seen),
                    number(agreement.chance)
                );
                ("labels_do_not_belong", help)
            }
            _ => return None,
        };
        Some(Cause { id, help })
    }
}

fn share(part: usize, of: usize) -> Option<f64> {
    (of > 0).then(|| count(part) / count(of))
}

fn missing(classes: &Classes) -> Option<f64> {
    let none = classes.training.iter().filter(|n| **n == 0).count();
    (classes.training.len() <= MANY_CLASSES).then(|| count(none))
}

/// Exponential of the entropy of the class shares.
fn perplexity(counts: &[usize]) -> f64 {
    let all = count(counts.iter().sum());
    let shares = counts.iter().filter(|n| **n > 0).map(|&n| count(n) / all);
    (-shares.map(|p| p * p.ln()).sum::<f64>()).exp()
}

/// Half the summed difference of the class shares; `None` where there are too few rows to tell.
fn distance(classes: &Classes) -> Option<f64> {
    let Classes { training, validation } = classes;
    let all = |counts: &[usize]| counts.iter().sum::<usize>();
    if training.len() != validation.len() || all(validation) < ROWS_A_CLASS * training.len() {
        return None;
    }
    let shares = training
        .iter()
        .zip(validation)
        .map(|(t, v)| count(*t) / count(all(training)) - count(*v) / count(all(validation)));
    Some(shares.map(f64::abs).sum::<f64>() / 2.0)
}

#[cfg(test)]
#[path = "tests/data.rs"]
mod tests;
