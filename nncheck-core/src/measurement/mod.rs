//! What can be measured, and what comes back: pure data, without tensors and without judgement.

pub mod accumulation;
pub mod facts;
pub mod initial;
pub mod loss_function;
pub mod overfit;
pub mod trace;
pub mod value;

use serde::{Deserialize, Serialize};

pub use accumulation::{Accumulation, AccumulationAsk};
pub use facts::DataFacts;
pub use initial::{Initial, InitialAsk, Share};
pub use loss_function::{LossCase, LossFunction, LossFunctionAsk};
pub use overfit::{Overfit, OverfitAsk};
pub use trace::{Inputs, Trace, TraceAsk};
pub use value::ValueAsk;

/// A measurement that a check asks for, of one subject with one seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Request {
    /// The loss before any training.
    Initial(InitialAsk),
    /// A loss on outputs whose loss is known.
    LossFunction(LossFunctionAsk),
    /// Training on a handful of examples until they are learnt.
    Overfit(OverfitAsk),
    /// Some steps of training, watched.
    Trace(TraceAsk),
    /// Whether gradients are cleared between steps.
    Accumulation(AccumulationAsk),
    /// A number of the user's own.
    Value(ValueAsk),
}

impl Request {
    /// A stable name: equal for equal requests and for no others.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::Initial(InitialAsk { rows, share: Share::Training }) => format!("initial-{rows}"),
            Self::Initial(InitialAsk { rows, share: Share::Validation }) => format!("initial-{rows}-validation"),
            Self::LossFunction(ask) => format!("loss_function-{}", ask.rows),
            // `{:?}` writes as many digits as tell the number from all others.
            Self::Overfit(ask) => format!("overfit-{}-{:?}-{}", ask.points, ask.loss, ask.max_steps),
            Self::Trace(ask) => format!("trace-{}-{}-{}", ask.inputs.word(), ask.steps, ask.watched),
            Self::Accumulation(AccumulationAsk) => "accumulation".to_owned(),
            Self::Value(ask) => format!("value-{}", ask.function),
        }
    }

    /// What is measured, as it reads after "the measurement of".
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Initial(InitialAsk { share: Share::Training, .. }) => "the loss at initialisation".to_owned(),
            Self::Initial(InitialAsk { share: Share::Validation, .. }) => {
                "the loss at initialisation on the validation share".to_owned()
            }
            Self::LossFunction(_) => "the loss of outputs whose loss is known".to_owned(),
            Self::Overfit(ask) => format!("learning {} examples by heart", ask.points),
            Self::Trace(ask) => match ask.inputs {
                Inputs::Real => format!("{} training steps", ask.steps),
                Inputs::Blank => format!("{} training steps on blank inputs", ask.steps),
            },
            Self::Accumulation(AccumulationAsk) => "two equal training steps".to_owned(),
            Self::Value(ask) => format!("the number of `{}`", ask.function),
        }
    }

    /// The same of another share of the data, where it is of one that can be chosen.
    #[must_use]
    pub fn on(mut self, share: Share) -> Self {
        if let Self::Initial(ask) = &mut self {
            ask.share = share;
        }
        self
    }

    /// Whether the answer to this one holds the answer to `other`: [`Measurement::cut`] takes it out.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Trace(long), Self::Trace(short)) => long.covers(short),
            _ => self == other,
        }
    }
}

/// What came back for a [`Request`], variant by variant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Measurement {
    /// For [`Request::Initial`].
    Initial(Initial),
    /// For [`Request::LossFunction`].
    LossFunction(LossFunction),
    /// For [`Request::Overfit`].
    Overfit(Overfit),
    /// For [`Request::Trace`].
    Trace(Trace),
    /// For [`Request::Accumulation`].
    Accumulation(Accumulation),
    /// For [`Request::Value`]: the number, and the facts of the data.
    Value(f64, DataFacts),
}

/// A request's answer was of another kind: a fault of nncheck itself.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("a measurement of another kind came back (this is a fault in nncheck)")]
pub struct OtherKind;

impl Measurement {
    /// The answer to `part` out of the answer to a request that [covers](Request::covers) it: bit for bit what `part`
    /// alone would have been answered, so that no verdict depends on what else was asked for.
    #[must_use]
    pub fn cut(&self, part: &Request) -> Self {
        match (self, part) {
            (Self::Trace(trace), Request::Trace(ask)) => Self::Trace(trace.cut(ask)),
            _ => self.clone(),
        }
    }

    /// The answer to a [`Request::Initial`].
    ///
    /// # Errors
    /// When it is of another kind.
    pub fn initial(&self) -> Result<&Initial, OtherKind> {
        if let Self::Initial(m) = self { Ok(m) } else { Err(OtherKind) }
    }

    /// The answer to a [`Request::Overfit`].
    ///
    /// # Errors
    /// When it is of another kind.
    pub fn overfit(&self) -> Result<&Overfit, OtherKind> {
        if let Self::Overfit(m) = self { Ok(m) } else { Err(OtherKind) }
    }

    /// The answer to a [`Request::Trace`].
    ///
    /// # Errors
    /// When it is of another kind.
    pub fn trace(&self) -> Result<&Trace, OtherKind> {
        if let Self::Trace(m) = self { Ok(m) } else { Err(OtherKind) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace(inputs: Inputs, steps: usize, watched: usize) -> Request {
        Request::Trace(TraceAsk { inputs, steps, watched })
    }

    fn initial(rows: usize) -> Request {
        Request::Initial(InitialAsk { rows, share: Share::Training })
    }

    fn overfit(loss: f64) -> Request {
        Request::Overfit(OverfitAsk { points: 2, loss, max_steps: 100 })
    }

    #[test]
    fn different_requests_have_different_keys() {
        let requests = [
            initial(64),
            initial(64).on(Share::Validation),
            initial(65),
            overfit(0.01),
            overfit(0.010_000_000_000_000_002),
            trace(Inputs::Real, 10, 5),
            trace(Inputs::Real, 105, 5),
            trace(Inputs::Real, 10, 55),
            trace(Inputs::Blank, 10, 5),
        ];
        let mut keys: Vec<String> = requests.iter().map(Request::key).collect();
        assert_eq!(keys[5], "trace-real-10-5");
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), requests.len());
    }

    #[test]
    fn a_trace_covers_what_is_no_longer_and_watches_no_more() {
        let long = trace(Inputs::Real, 100, 10);
        assert!(long.covers(&long));
        assert!(long.covers(&trace(Inputs::Real, 50, 10)));
        assert!(long.covers(&trace(Inputs::Real, 5, 50)), "five steps are at most watched five times");
        assert!(!long.covers(&trace(Inputs::Real, 101, 0)));
        assert!(!long.covers(&trace(Inputs::Real, 50, 11)));
        assert!(!long.covers(&trace(Inputs::Blank, 50, 10)));
        assert!(!long.covers(&overfit(0.1)));
    }

    #[test]
    fn other_requests_cover_equal_ones_only() {
        assert!(overfit(0.1).covers(&overfit(0.1)));
        assert!(!overfit(0.1).covers(&overfit(0.2)));
    }
}
