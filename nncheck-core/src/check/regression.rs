//! `regression`: the training program against its accepted baseline.

mod diagnosis;
mod numbers;

use std::num::NonZeroUsize;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use super::{Cause, CauseInfo, Check, CheckType, Context, Info, Stage};
use crate::baseline::{Accepted, Held, Quantity, Values};
use crate::judge::exhibit::Exhibit;
use crate::judge::number::count;
use crate::judge::{Band, Effort, Entry, Judged, Rule, Sample, Scale};
use crate::measurement::score::{ScoreAsk, Training};
use crate::measurement::{InitialAsk, Inputs, Measurement, Request, Share, TraceAsk};
use crate::metric::Metric;
use crate::spec::Subject;

/// As other checks ask by default, so that what they measure is measured once.
const ROWS_OF_INITIAL: usize = 1024;
const ROWS_OF_METRIC: usize = 4096;
const TOP: usize = 5;

/// The training program gives the numbers that were accepted of it.
///
/// ## What it measures
/// The program's number of `parameters`, `initial_loss` (over 1,024 rows), `gradient_norm` (L2, of all parameters, in the first step),
/// `final_loss` (mean of the last tenth of `steps`) and `metric` (on the validation share where there is one, else on the training
/// share). Of each, the change from the baseline that `cargo nncheck accept` has written beside the spec
/// (`specs/digits.baseline.json`), as a share of the accepted mean, seed by seed: numbers of one seed are compared with each other.
/// A number fails where the Student-t interval of its mean change lies beyond `at_least` on either side; the error 1 - `confidence`
/// is shared out among all numbers that the spec's file holds against a baseline. Any change of `parameters` is one. Seeds that are all the
/// same as accepted hold at the first look; else all accepted seeds are taken. A seed that is ten accepted spreads from its
/// own number of before fails by itself (`seeds astray`): a mean would hide it.
///
/// ## Why it matters
/// A program can hold every other property and still be another than last month's. This one says that it is, where the change
/// begins, and whether it is for the better.
///
/// ## Usual causes
/// A change of the model, its initialisation, the data or its order; a learning rate, a schedule, an optimizer or a step that
/// was changed; another version of a library that draws other random numbers or has another default.
///
/// ## What to try
/// See which numbers changed: those before training speak of model and data, those after it alone of the training. If the change is meant,
/// `cargo nncheck accept` takes the new numbers, and the file shows in version control what was accepted. To let changes for the better
/// pass: `allow = ["cause:improved"]`.
///
/// ## Defaults
/// All numbers that the program has, 200 steps, changes of a thousandth: another machine moves the last digits. `accept` takes ten seeds at
/// least, and says which changes they can tell: of numbers that spread by 10 % over the seeds those of 18 %, twice as
/// fine with three times as many; finer where the program draws the same random numbers. Without a baseline the check is skipped; where
/// there is one that belongs to no property, so that this one may have been renamed, it is an error.
///
/// ## Sources
/// Student (W. S. Gosset), The Probable Error of a Mean (1908): paired differences; O. J. Dunn, Multiple Comparisons Among
/// Means (1961); X. Bouthillier et al., Accounting for Variance in Machine Learning Benchmarks (2021).
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Regression {
    /// Which numbers: `parameters`, `initial_loss`, `gradient_norm`, `final_loss`, `metric`; all that the program has, where left out.
    #[serde(deserialize_with = "quantities")]
    #[schemars(with = "Option<Vec<Quantity>>")]
    pub quantities: Option<Vec<Quantity>>,
    /// How many training steps.
    pub steps: NonZeroUsize,
    /// Which metric, of those of the check `metric`; what is usual for the task, where left out.
    pub metric: Option<Metric>,
    /// Smaller changes are none, as a share of what was accepted.
    #[serde(deserialize_with = "super::parameter::positive")]
    pub at_least: f64,
    /// What it is held against.
    #[serde(skip)]
    #[schemars(skip)]
    pub(super) held: Option<Held>,
}

impl Default for Regression {
    fn default() -> Self {
        Self { quantities: None, steps: super::parameter::count(200), metric: None, at_least: 0.001, held: None }
    }
}

/// One number at least, each once.
fn quantities<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Quantity>>, D::Error> {
    let mut chosen = Vec::<Quantity>::deserialize(deserializer)?;
    chosen.sort_unstable();
    chosen.dedup();
    if chosen.is_empty() {
        return Err(serde::de::Error::custom("there is none, expected one at least"));
    }
    Ok(Some(chosen))
}

impl CheckType for Regression {
    const INFO: Info = Info {
        id: "regression",
        stage: Stage::Control,
        rule: Rule::Change,
        takes_band: false,
        narrows: &[],
        trains: true,
        causes: &[
            CauseInfo {
                id: "not_finite",
                what: "a number that was finite is not any more",
                cure: "look at `finite`, which names the place where it begins",
            },
            CauseInfo {
                id: "model_changed",
                what: "the model has another number of parameters",
                cure: "if that is meant, take the new numbers with `cargo nncheck accept`",
            },
            CauseInfo {
                id: "start_changed",
                what: "the program is another before it trains: initialisation, data, inputs or the loss itself",
                cure: "look at what was changed of these; if it is meant, `cargo nncheck accept`",
            },
            CauseInfo {
                id: "training_changed",
                what: "the program begins as before and trains otherwise: optimizer, rate, schedule, batches or step",
                cure: "look at what was changed of these; if it is meant, `cargo nncheck accept`",
            },
            CauseInfo {
                id: "scoring_changed",
                what: "the losses are as before and the metric is not: validation rows, eval mode or the metric itself",
                cure: "look at what was changed of these; if it is meant, `cargo nncheck accept`",
            },
            CauseInfo {
                id: "unstable",
                what: "a few seeds are far from all that was accepted, the others are not",
                cure: "look at those seeds: the training may be about to diverge; lower the rate, or clip gradients",
            },
            CauseInfo {
                id: "improved",
                what: "the program trains to better numbers than were accepted",
                cure: "take them with `cargo nncheck accept`, so that they are held from now on",
            },
        ],
    };
}

impl Check for Regression {
    fn info(&self) -> &'static Info {
        &Self::INFO
    }

    fn needs(&self, subject: &Subject) -> Vec<Request> {
        let wanted = self.wanted();
        if self.obstacle(subject).is_some() {
            return Vec::new();
        }
        let mut needs = Vec::new();
        if wanted.contains(&Quantity::InitialLoss) {
            needs.push(InitialAsk { rows: ROWS_OF_INITIAL, share: Share::Training }.into());
        }
        if wanted.iter().any(|q| matches!(q, Quantity::Parameters | Quantity::GradientNorm | Quantity::FinalLoss)) {
            let steps = if wanted.contains(&Quantity::FinalLoss) { self.steps.get() } else { 1 };
            needs.push(TraceAsk { inputs: Inputs::Real, steps, watched: 1 }.into());
        }
        if wanted.contains(&Quantity::Metric) {
            let after = Training::Steps(self.steps.get());
            let metric = self.kind(subject);
            needs.push(ScoreAsk { metric, k: TOP, after, rows: ROWS_OF_METRIC, peer: None }.into());
        }
        needs
    }

    fn moot(&self, _context: &Context<'_>) -> Option<String> {
        let held = self.held.as_ref();
        let nothing =
            held.is_none_or(|held| held.accepted.is_none() && held.accepting.is_none() && held.unclaimed.is_empty());
        nothing.then(|| "no baseline yet: `cargo nncheck accept` takes one".to_owned())
    }

    /// Every seed that was accepted is there to be compared with, whatever other properties may take.
    fn effort(&self, effort: Effort) -> Effort {
        let Some(held) = &self.held else { return effort };
        let confidence = held.of_one();
        if let Some(seeds) = held.accepting {
            return Effort { seeds, max_seeds: seeds, confidence };
        }
        let most = self.paired().max(1);
        Effort { seeds: effort.seeds.clamp(1, most), max_seeds: most, confidence }
    }

    fn sample(&self, context: &Context<'_>, _taken: &[Measurement]) -> Sample {
        let why = self.moot(context).or_else(|| self.obstacle(context.subject));
        Sample::Unanswerable(why.unwrap_or_else(|| "its seed is not known (this is a fault in nncheck)".to_owned()))
    }

    fn sample_of(&self, context: &Context<'_>, seed: u64, taken: &[Measurement]) -> Sample {
        let Some(held) = &self.held else { return self.sample(context, taken) };
        if held.accepting.is_some() {
            return self.sample_to_accept(taken);
        }
        let (Some(accepted), None) = (&held.accepted, self.obstacle(context.subject)) else {
            return self.sample(context, taken);
        };
        let entries = self.judged(accepted).map(|(quantity, values)| {
            let now = self
                .number(quantity, taken)?
                .map_err(|why| format!("`{}` was accepted and does not exist now: {why}; {AGAIN}", quantity.name()))?;
            let before = values.seeds.get(&seed).ok_or_else(|| format!("seed {seed} was not accepted; {AGAIN}"))?;
            let reach = if quantity.is_exact() { 0.0 } else { self.at_least };
            let band = Band { min: Some(-reach), max: Some(reach), expect: None };
            let value = (now - before) / values.unit();
            Ok(Entry {
                name: Some(quantity.name().to_owned()),
                value: Some(value),
                band: Some(band),
                scale: Scale::Linear,
            })
        });
        match entries.collect::<Result<Vec<Entry>, String>>() {
            Ok(mut entries) => {
                let astray =
                    self.judged(accepted).filter(|(quantity, values)| self.is_astray(*quantity, values, seed, taken));
                let astray = count(astray.count());
                if self.judged(accepted).any(|(quantity, _)| !quantity.is_exact()) {
                    // Of no width: one seed is enough.
                    let none = Band { min: Some(0.0), max: Some(0.0), expect: None };
                    entries.push(Entry {
                        name: Some(ASTRAY.to_owned()),
                        value: Some(astray),
                        band: Some(none),
                        scale: Scale::Linear,
                    });
                }
                Sample::Seen(entries)
            }
            Err(why) => Sample::Unanswerable(why),
        }
    }

    fn quantity(&self) -> &'static str {
        match &self.held {
            Some(Held { accepting: Some(_), .. }) => "number to be accepted",
            _ => "change against the baseline",
        }
    }

    fn diagnose(&self, context: &Context<'_>, judged: &Judged, taken: &[Vec<Measurement>]) -> Vec<Cause> {
        self.causes(context, judged, taken)
    }

    fn exhibits(&self, _context: &Context<'_>, judged: &Judged, taken: &[Vec<Measurement>]) -> Vec<Exhibit> {
        self.table(judged, taken).into_iter().collect()
    }

    fn remark(&self, _context: &Context<'_>, judged: &Judged, taken: &[Vec<Measurement>]) -> Option<String> {
        self.told(judged, taken)
    }

    fn held(&self) -> Option<&Held> {
        self.held.as_ref()
    }

    fn searches(&self) -> usize {
        self.wanted().iter().filter(|quantity| !quantity.is_exact()).count()
    }

    fn against(&self, held: Held) -> Option<Arc<dyn Check>> {
        Some(Arc::new(Self { held: Some(held), ..self.clone() }))
    }

    fn accepted(&self, context: &Context<'_>, taken: &[Vec<Measurement>]) -> Option<Accepted> {
        self.take(context, taken)
    }
}

/// Numbers of a seed that are far from what was accepted: a mean over the seeds hides a single one, since it widens its own
/// interval.
const ASTRAY: &str = "seeds astray";

/// How many accepted spreads are far. Two numbers of ten seeds are seven apart once in 10,000 times.
const FAR: f64 = 10.0;

/// What to do where a baseline does not fit.
const AGAIN: &str = "`cargo nncheck accept` takes the numbers anew";

impl Regression {
    fn kind(&self, subject: &Subject) -> Metric {
        self.metric.unwrap_or_else(|| Metric::usual(subject.task()))
    }

    /// The quantities that are asked for.
    fn wanted(&self) -> Vec<Quantity> {
        self.quantities.clone().unwrap_or_else(|| Quantity::ALL.to_vec())
    }

    /// The accepted quantities that are judged.
    fn judged<'a>(&'a self, accepted: &'a Accepted) -> impl Iterator<Item = (Quantity, &'a Values)> {
        let wanted = self.wanted();
        let all = accepted.quantities.iter().map(|(quantity, values)| (*quantity, values));
        all.filter(move |(quantity, _)| wanted.contains(quantity))
    }

    /// Whether a seed's number is further from its own of before than chance takes it.
    fn is_astray(&self, quantity: Quantity, values: &Values, seed: u64, taken: &[Measurement]) -> bool {
        let Some(before) = values.seeds.get(&seed) else { return false };
        let Ok(Ok(now)) = self.number(quantity, taken) else { return false };
        let usual = values.spread.max(self.at_least * values.unit());
        !quantity.is_exact() && (now - before).abs() > FAR * usual
    }

    /// How many seeds from the run's first on were accepted.
    fn paired(&self) -> u32 {
        let Some(held) = &self.held else { return 0 };
        let Some(values) = held.accepted.as_ref().and_then(|a| a.quantities.values().next()) else { return 0 };
        let seed = |n: usize| held.first_seed.checked_add(n as u64);
        let there = |n: &usize| seed(*n).is_some_and(|seed| values.seeds.contains_key(&seed));
        u32::try_from((0..values.seeds.len()).take_while(there).count()).unwrap_or(u32::MAX)
    }

    /// Why the program cannot be held against what was accepted.
    fn obstacle(&self, subject: &Subject) -> Option<String> {
        let held = self.held.as_ref().filter(|held| held.accepting.is_none())?;
        if let (None, [_, ..]) = (&held.accepted, &held.unclaimed[..]) {
            return Some(format!(
                "nothing was accepted under this name, and what was accepted as {} belongs to no property any more: if this one or its spec was renamed, rename that too; {AGAIN}",
                held.unclaimed.join(", ")
            ));
        }
        let accepted = held.accepted.as_ref()?;
        let (then, now) = (accepted.measured.steps, self.steps.get());
        if then != now {
            return Some(format!("the baseline is of {then} steps, the property of {now}; {AGAIN}"));
        }
        if let Some(then) = &accepted.measured.metric
            && self.wanted().contains(&Quantity::Metric)
            && then != self.kind(subject).name()
        {
            return Some(format!(
                "the baseline is of the metric `{}`, the property of `{}`; {AGAIN}",
                then.escape_debug(),
                self.kind(subject).name()
            ));
        }
        let missing = self.quantities.iter().flatten().find(|quantity| !accepted.quantities.contains_key(quantity));
        if let Some(quantity) = missing {
            return Some(format!("the baseline has no `{}`; {AGAIN}", quantity.name()));
        }
        if self.judged(accepted).next().is_none() {
            return Some(format!("the baseline has none of the property's quantities; {AGAIN}"));
        }
        let seeds = &accepted.quantities.values().next()?.seeds;
        let (first, last) = (seeds.keys().next()?, seeds.keys().next_back()?);
        (self.paired() < 2).then(|| {
            format!(
                "numbers of one seed are compared with each other: the baseline has seeds {first} to {last}, and the run begins with {}, where two at least have to follow; run with `--seed {first}`, or take the numbers anew with `cargo nncheck accept --seed {}`",
                held.first_seed, held.first_seed
            )
        })
    }
}

#[cfg(test)]
#[path = "tests/regression.rs"]
mod tests;
