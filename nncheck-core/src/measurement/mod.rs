//! What can be measured, and what comes back: pure data, without tensors and without judgement.

pub mod accumulation;
pub mod activation_gradients;
pub mod attribution;
pub mod budget;
pub mod checkpoint;
pub mod contract;
pub mod data;
pub mod determinism;
pub mod dropout;
pub mod facts;
pub mod gradients;
pub mod initial;
pub mod loss_function;
pub mod loss_task;
pub mod lr_range;
pub mod modes;
pub mod noise_scale;
pub mod normalisation;
pub mod optimizer_steps;
pub mod overfit;
pub mod padding;
pub mod parity;
pub mod regularization;
pub mod response;
pub mod rows;
pub mod score;
pub mod sequence;
pub mod term_gradients;
pub mod trace;
pub mod trials;
pub mod units;
pub mod value;
pub mod weights;

use serde::{Deserialize, Serialize};

pub use accumulation::{Accumulation, AccumulationAsk};
pub use activation_gradients::{ActivationGradients, ActivationGradientsAsk};
pub use attribution::{Attribution, AttributionAsk};
pub use checkpoint::{Checkpoint, CheckpointAsk};
pub use contract::{Contract, ContractAsk};
pub use data::DataAsk;
pub use dropout::{DropoutAsk, Dropouts};
pub use facts::DataFacts;
pub use gradients::{Gradients, GradientsAsk};
pub use initial::{Initial, InitialAsk, Share};
pub use loss_function::{LossCase, LossFunction, LossFunctionAsk, Tried, TriedTerm};
pub use loss_task::{LossTask, LossTaskAsk};
pub use lr_range::{LrRange, LrRangeAsk};
pub use modes::{Modes, ModesAsk};
pub use normalisation::{Normalisation, NormalisationAsk};
pub use overfit::{Overfit, OverfitAsk};
pub use padding::{Padding, PaddingAsk};
pub use regularization::{Regularization, RegularizationAsk};
pub use response::{Response, ResponseAsk};
pub use rows::{Rows, RowsAsk};
pub use score::ScoreAsk;
pub use sequence::{Sequence, SequenceAsk};
pub use term_gradients::{TermGradients, TermGradientsAsk};
pub use trace::{Inputs, Trace, TraceAsk};
pub use trials::{Trial, Trials, TrialsAsk};
pub use units::{UnitLayer, Units, UnitsAsk};
pub use value::{Value, ValueAsk};
pub use weights::{Weights, WeightsAsk};

/// What a request says of itself, whatever it is for.
pub trait Ask {
    /// A stable name, equal for equal requests of this kind and for no others; begins with the kind.
    fn key(&self) -> String;

    /// What is measured, as it reads after "the measurement of".
    fn words(&self) -> String;

    /// For what is measured of a program in some state, without changing that state: after how many training steps on
    /// the data. Such requests are answered on the way of one training run, the same as [`Trace`]'s.
    fn after(&self) -> Option<usize> {
        None
    }

    /// Whether it has to be measured in a process that has done nothing else.
    fn fresh_process(&self) -> bool {
        false
    }

    /// Chooses the share of the data, where it is of one that can be chosen.
    fn choose(&mut self, _share: Share) {}
}

/// A kind of answer, to ask a [`Measurement`] for.
pub trait Taken: Sized {
    /// The answer, if it is of this kind.
    fn of(measured: &Measurement) -> Option<&Self>;
}

macro_rules! measurements {
    ($($(#[$doc:meta])* $name:ident($ask:ty) -> $taken:ty;)*) => {
        /// A measurement that a check asks for, of one subject with one seed.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        pub enum Request {
            $($(#[$doc])* $name($ask),)*
        }

        /// What came back for a [`Request`], variant by variant.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        pub enum Measurement {
            $(#[doc = concat!("For [`Request::", stringify!($name), "`].")] $name($taken),)*
        }

        impl Request {
            fn ask(&self) -> &dyn Ask {
                match self { $(Self::$name(ask) => ask,)* }
            }

            fn ask_mut(&mut self) -> &mut dyn Ask {
                match self { $(Self::$name(ask) => ask,)* }
            }
        }

        $(
            impl From<$ask> for Request {
                fn from(ask: $ask) -> Self {
                    Self::$name(ask)
                }
            }

            impl From<$taken> for Measurement {
                fn from(taken: $taken) -> Self {
                    Self::$name(taken)
                }
            }

            impl Taken for $taken {
                fn of(measured: &Measurement) -> Option<&Self> {
                    if let Measurement::$name(taken) = measured { Some(taken) } else { None }
                }
            }
        )*
    };
}

measurements! {
    /// The loss before any training.
    Initial(InitialAsk) -> Initial;
    /// A loss on outputs whose loss is known.
    LossFunction(LossFunctionAsk) -> LossFunction;
    /// What a loss is given: outputs and targets.
    LossTask(LossTaskAsk) -> LossTask;
    /// The gradients of each term of a loss.
    TermGradients(TermGradientsAsk) -> TermGradients;
    /// What the declared regularisation does.
    Regularization(RegularizationAsk) -> Regularization;
    /// Training on a handful of examples until they are learnt.
    Overfit(OverfitAsk) -> Overfit;
    /// Some steps of training, watched.
    Trace(TraceAsk) -> Trace;
    /// Whether gradients are cleared between steps.
    Accumulation(AccumulationAsk) -> Accumulation;
    /// The loss under a rising learning rate.
    LrRange(LrRangeAsk) -> LrRange;
    /// Several short trainings from one beginning.
    Trials(TrialsAsk) -> Trials;
    /// A metric after training.
    Score(ScoreAsk) -> score::Score;
    /// What can be said of the data without a model.
    Data(DataAsk) -> data::Data;
    /// Outputs beside other rows.
    Rows(RowsAsk) -> Rows;
    /// Outputs under changed positions.
    Sequence(SequenceAsk) -> Sequence;
    /// How outputs answer to inputs.
    Response(ResponseAsk) -> Response;
    /// How much gradients differ from example to example.
    NoiseScale(noise_scale::NoiseScaleAsk) -> noise_scale::NoiseScale;
    /// What the optimizer is asked to do, step by step.
    OptimizerSteps(optimizer_steps::OptimizerStepsAsk) -> optimizer_steps::OptimizerSteps;
    /// What a program costs.
    Budget(budget::BudgetAsk) -> budget::Budget;
    /// Outputs under changed padding.
    Padding(PaddingAsk) -> Padding;
    /// Outputs of several batches.
    Contract(ContractAsk) -> Contract;
    /// Train and eval mode.
    Modes(ModesAsk) -> Modes;
    /// Saving and loading.
    Checkpoint(CheckpointAsk) -> Checkpoint;
    /// A training run in a fresh process.
    Run(determinism::RunAsk) -> determinism::Run;
    /// Outputs in another number format or on another device.
    Parity(parity::ParityAsk) -> parity::Parity;
    /// Autograd's gradients against central differences.
    Gradients(GradientsAsk) -> Gradients;
    /// What the parameters look like.
    Weights(WeightsAsk) -> Weights;
    /// What dropout does.
    Dropout(DropoutAsk) -> Dropouts;
    /// Batch norm's running statistics.
    Normalisation(NormalisationAsk) -> Normalisation;
    /// What each layer's units do.
    Units(UnitsAsk) -> Units;
    /// Saliency and Grad-CAM.
    Attribution(AttributionAsk) -> Attribution;
    /// The gradients of the outputs of layers.
    ActivationGradients(ActivationGradientsAsk) -> ActivationGradients;
    /// A number of the user's own.
    Value(ValueAsk) -> Value;
}

impl Request {
    /// A stable name: equal for equal requests and for no others.
    #[must_use]
    pub fn key(&self) -> String {
        self.ask().key()
    }

    /// What is measured, as it reads after "the measurement of".
    #[must_use]
    pub fn words(&self) -> String {
        self.ask().words()
    }

    /// After how many training steps this is measured, where it is measured of a state and leaves it as it is.
    #[must_use]
    pub fn after(&self) -> Option<usize> {
        self.ask().after()
    }

    /// Whether it has to be measured in a process that has done nothing else.
    #[must_use]
    pub fn fresh_process(&self) -> bool {
        self.ask().fresh_process()
    }

    /// The same of another share of the data, where it is of one that can be chosen.
    #[must_use]
    pub fn on(mut self, share: Share) -> Self {
        self.ask_mut().choose(share);
        self
    }

    /// The training run on whose way this is answered, if any.
    #[must_use]
    pub fn run(&self) -> Option<TraceAsk> {
        match self {
            Self::Trace(ask) => Some(ask.clone()),
            _ => self.after().filter(|&steps| steps > 0).map(|steps| TraceAsk {
                inputs: Inputs::Real,
                steps,
                watched: 0,
            }),
        }
    }

    /// The request that answers both, if there is one; [`Measurement::cut`] takes the answer to a shorter trace out.
    #[must_use]
    pub fn both(&self, other: &Self) -> Option<Self> {
        if self == other {
            return Some(self.clone());
        }
        self.run()?.both(&other.run()?).map(Self::Trace)
    }
}

/// A request's answer was of another kind: a fault of nncheck itself.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("a measurement of another kind came back (this is a fault in nncheck)")]
pub struct OtherKind;

impl Measurement {
    /// The answer to `part` out of the answer to a request that is [for both](Request::both): bit for bit what `part`
    /// alone would have been answered, so that no verdict depends on what else was asked for.
    #[must_use]
    pub fn cut(&self, part: &Request) -> Self {
        match (self, part) {
            (Self::Trace(trace), Request::Trace(ask)) => Self::Trace(trace.cut(ask)),
            _ => self.clone(),
        }
    }

    /// The answer as the kind that was asked for.
    ///
    /// # Errors
    /// When it is of another kind.
    pub fn get<T: Taken>(&self) -> Result<&T, OtherKind> {
        T::of(self).ok_or(OtherKind)
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
    fn a_trace_is_for_both_of_the_same_inputs() {
        let both = |a: &Request, b: &Request| a.both(b);
        let long = trace(Inputs::Real, 100, 10);
        assert_eq!(both(&long, &long), Some(long.clone()));
        assert_eq!(both(&long, &trace(Inputs::Real, 50, 10)), Some(long.clone()));
        let watched = trace(Inputs::Real, 5, 50);
        assert_eq!(both(&long, &watched), Some(long.clone()), "five steps are at most watched five times");
        assert_eq!(both(&long, &trace(Inputs::Real, 101, 0)), Some(trace(Inputs::Real, 101, 10)));
        assert_eq!(both(&long, &trace(Inputs::Real, 50, 11)), Some(trace(Inputs::Real, 100, 11)));
        assert_eq!(both(&long, &trace(Inputs::Blank, 50, 10)), None);
        assert_eq!(both(&long, &overfit(0.1)), None);
    }

    #[test]
    fn other_requests_go_with_equal_ones_only() {
        assert_eq!(overfit(0.1).both(&overfit(0.1)), Some(overfit(0.1)));
        assert_eq!(overfit(0.1).both(&overfit(0.2)), None);
    }
}
