//! `optimizer`: the chosen one is not clearly worse than its peers.

use std::num::NonZeroUsize;

use schemars::JsonSchema;
use serde::Deserialize;

use super::entry::seen;
use super::evidence::answer;
use super::{Cause, CauseInfo, Check, CheckType, Context, Info, Stage};
use crate::judge::exhibit::{Exhibit, Row, Table};
use crate::judge::number::number;
use crate::judge::{Band, Entry, Judged, Rule, Sample, Scale};
use crate::measurement::{Measurement, Request, Trial, Trials, TrialsAsk};
use crate::spec::Subject;
use crate::spec::optimizer::{Adam, OptimizerKind, Rmsprop, Sgd};
use crate::spec::property::Level;

/// The chosen optimizer lowers the loss about as far as its peers, each at the best of five rates.
///
/// ## What it measures
/// Short trainings of `steps` steps from the same parameters on the same batches: with the program's own optimizer at 0.1, 0.3, 1, 3 and
/// 10 times its rate, and with SGD, SGD with a momentum of 0.9, Adam and `RMSprop`, each at five rates. Of each the lowest loss counts, of the first `rows` training
/// rows. Judged is how far the own one falls, as a share of the fall of the best of all.
///
/// ## Why it matters
/// Where a peer gets twice as far in as many steps, the choice of the optimizer (or one of its settings) costs more than anything else that
/// could be tuned.
///
/// ## Usual causes
/// An epsilon, a weight decay, a damping or a clipping that takes most of the step away; SGD on badly scaled inputs.
///
/// ## What to try
/// The peer that went farthest, at the rate that is told; its settings at their defaults.
///
/// ## Defaults
/// 100 steps, at least half of the best fall, as a warning. Where nothing falls by a twentieth, the check is skipped: what is wrong is
/// not the optimizer.
///
/// ## Sources
/// R. M. Schmidt, F. Schneider and P. Hennig, Descending through a Crowded Valley (2021): trying two well is worth as much as tuning one.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Optimizer {
    /// How many steps each training takes.
    pub steps: NonZeroUsize,
    /// On how many of the first training rows the loss is read.
    pub rows: NonZeroUsize,
    /// The least that the own optimizer's fall may be of the best one's.
    #[serde(deserialize_with = "super::parameter::positive")]
    pub of_best: f64,
}

impl Default for Optimizer {
    fn default() -> Self {
        let count = super::parameter::count;
        Self { steps: count(100), rows: count(256), of_best: 0.5 }
    }
}

impl CheckType for Optimizer {
    const INFO: Info = Info {
        id: "optimizer",
        stage: Stage::Parameters,
        rule: Rule::Mean,
        takes_band: false,
        narrows: &[],
        trains: true,
        causes: &[CauseInfo {
            id: "outdone",
            what: "a peer lowers the loss much further in as many steps",
            cure: "take the peer, or its settings",
        }],
    };
    const LEVEL: Level = Level::Warn;
}

/// The own optimizer's rates, as factors of its own.
const FACTORS: [f64; 5] = [0.1, 0.3, 1.0, 3.0, 10.0];
/// Least fall, as a share of the loss, of which anything can be said.
const LEAST_FALL: f64 = 0.05;

/// What is tried beside the own one, with its rates.
const PEERS: [(&str, [f64; 5]); 4] = [
    ("sgd", [0.01, 0.03, 0.1, 0.3, 1.0]),
    ("sgd with momentum 0.9", [0.001, 0.003, 0.01, 0.03, 0.1]),
    ("adam", [1e-4, 3e-4, 1e-3, 3e-3, 1e-2]),
    ("rmsprop", [1e-4, 3e-4, 1e-3, 3e-3, 1e-2]),
];

fn peer(which: usize, lr: f64) -> OptimizerKind {
    let momentum = if which == 1 { 0.9 } else { 0.0 };
    match which {
        0 | 1 => OptimizerKind::Sgd(Sgd {
            lr,
            momentum,
            dampening: 0.0,
            nesterov: false,
            weight_decay: 0.0,
            maximize: false,
        }),
        2 => OptimizerKind::Adam(Adam {
            lr,
            betas: [0.9, 0.999],
            eps: 1e-8,
            weight_decay: 0.0,
            amsgrad: false,
            maximize: false,
        }),
        _ => OptimizerKind::Rmsprop(Rmsprop {
            lr,
            alpha: 0.99,
            eps: 1e-8,
            momentum: 0.0,
            weight_decay: 0.0,
            centered: false,
            maximize: false,
        }),
    }
}

/// The best of one optimizer's rates: the rate (of the own one a factor) and the loss.
fn best(rates: &[f64; 5], losses: &[f64]) -> Option<(f64, f64)> {
    let finite = rates.iter().copied().zip(losses.iter().copied()).filter(|(_, loss)| loss.is_finite());
    finite.min_by(|a, b| a.1.total_cmp(&b.1))
}

/// Of one seed: the loss to begin with, the own best, and the peers' bests.
struct Race {
    start: f64,
    own: Option<(f64, f64)>,
    peers: Vec<Option<(f64, f64)>>,
}

impl Race {
    /// The own one's trainings, then each peer's; or why there is no race.
    fn of(taken: &[Measurement]) -> Result<Self, Sample> {
        let own = seen(taken, |seen: &Trials| seen.cannot.as_ref())?;
        let peers = PEERS.iter().enumerate().map(|(which, (_, rates))| {
            let seen: &Trials = answer(taken, 1 + which).map_err(Sample::Unanswerable)?;
            Ok(best(rates, &seen.losses))
        });
        Ok(Self { start: own.start, own: best(&FACTORS, &own.losses), peers: peers.collect::<Result<_, Sample>>()? })
    }

    /// The lowest loss of all.
    fn lowest(&self) -> Option<f64> {
        self.peers.iter().chain([&self.own]).flatten().map(|(_, loss)| *loss).reduce(f64::min)
    }

    /// The own fall over the best one; `None` where nothing falls.
    fn share(&self) -> Option<f64> {
        let fall = self.start - self.lowest()?;
        let own = self.own.map_or(0.0, |(_, loss)| self.start - loss);
        (fall > LEAST_FALL * self.start.abs()).then(|| own / fall)
    }
}

impl Check for Optimizer {
    fn info(&self) -> &'static Info {
        &Self::INFO
    }

    /// One measurement an optimizer: each has its own time, and several workers share them.
    fn needs(&self, _subject: &Subject) -> Vec<Request> {
        let own = FACTORS.map(Trial::Own).to_vec();
        let peers = PEERS.iter().enumerate();
        let peers = peers.map(|(which, (_, rates))| rates.map(|lr| Trial::Other(peer(which, lr))).to_vec());
        let ask = |trials| TrialsAsk { trials, steps: self.steps.get(), rows: self.rows.get() }.into();
        [own].into_iter().chain(peers).map(ask).collect()
    }

    fn sample(&self, _context: &Context<'_>, taken: &[Measurement]) -> Sample {
        let race = match Race::of(taken) {
            Ok(race) => race,
            Err(sample) => return sample,
        };
        let Some(value) = race.share() else {
            return Sample::Nothing(format!(
                "the loss of {} falls with no optimizer: something else is wrong, see `learns` and `overfit`",
                number(race.start)
            ));
        };
        Sample::Seen(vec![Entry {
            name: None,
            value: Some(value),
            band: Some(Band { min: Some(self.of_best), max: None, expect: None }),
            scale: Scale::Linear,
        }])
    }

    fn quantity(&self) -> &'static str {
        "fall of the loss over that of the best optimizer"
    }

    fn diagnose(&self, context: &Context<'_>, _judged: &Judged, taken: &[Vec<Measurement>]) -> Vec<Cause> {
        let Some(race) = taken.iter().find_map(|seed| Race::of(seed).ok()) else { return Vec::new() };
        let peers = PEERS.iter().zip(&race.peers).filter_map(|((name, _), best)| Some((*name, (*best)?)));
        let Some((name, (lr, loss))) = peers.min_by(|a, b| a.1.1.total_cmp(&b.1.1)) else { return Vec::new() };
        let own = context.subject.optimizer.as_ref().map_or("the own one", |optimizer| optimizer.name());
        let reached = race.own.map_or_else(|| "diverges".to_owned(), |(_, loss)| format!("reaches {}", number(loss)));
        vec![Cause {
            id: "outdone",
            help: format!(
                "in {} steps {name} at {} takes the loss from {} to {}, and {own} {reached} at the best of five rates: try {name}, or look at what shortens the own steps (epsilon, weight decay, clipping)",
                self.steps,
                number(lr),
                number(race.start),
                number(loss)
            ),
        }]
    }

    fn exhibits(&self, context: &Context<'_>, _judged: &Judged, taken: &[Vec<Measurement>]) -> Vec<Exhibit> {
        let Some(race) = taken.iter().find_map(|seed| Race::of(seed).ok()) else { return Vec::new() };
        let optimizer = context.subject.optimizer.as_ref();
        let lr = optimizer.and_then(crate::spec::optimizer::Optimizer::lr);
        let row = |name: &str, best: Option<(f64, f64)>, rate: &dyn Fn(f64) -> Option<f64>, marked| Row {
            name: name.to_owned(),
            cells: vec![best.and_then(|(at, _)| rate(at)), best.map(|(_, loss)| loss)],
            marked,
        };
        let own = format!("{} (own)", optimizer.map_or("optimizer", |optimizer| optimizer.name()));
        let marked = race.share().is_some_and(|share| share < self.of_best);
        let mut rows = vec![row(&own, race.own, &|factor| lr.map(|lr| lr * factor), marked)];
        rows.extend(PEERS.iter().zip(&race.peers).map(|((name, _), best)| row(name, *best, &|lr| Some(lr), false)));
        let head = ["optimizer", "best rate", "loss"].map(str::to_owned).to_vec();
        vec![Exhibit::Table(Table { head, rows })]
    }
}

#[cfg(test)]
#[path = "tests/optimizer.rs"]
mod tests;
