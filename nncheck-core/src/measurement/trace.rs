//! Some steps of training, watched.

use serde::{Deserialize, Serialize};

use super::{Ask, DataFacts};

/// Asks for a training trace. A longer trace begins with the shorter one, bit for bit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceAsk {
    /// What the model is shown.
    pub inputs: Inputs,
    /// How many optimizer steps.
    pub steps: usize,
    /// In how many of the first steps activations, gradients and updates are wanted beside the loss.
    pub watched: usize,
}

impl Ask for TraceAsk {
    fn key(&self) -> String {
        format!("trace-{}-{}-{}", self.inputs.word(), self.steps, self.watched)
    }

    fn words(&self) -> String {
        match self.inputs {
            Inputs::Real => format!("{} training steps", self.steps),
            Inputs::Blank => format!("{} training steps on blank inputs", self.steps),
        }
    }
}

/// What the model is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Inputs {
    /// The data.
    Real,
    /// Zeros in the shape of the data, with the real targets.
    Blank,
}

impl TraceAsk {
    /// The trace that begins with both, if they are of the same inputs.
    #[must_use]
    pub fn both(&self, other: &Self) -> Option<Self> {
        (self.inputs == other.inputs).then(|| Self {
            inputs: self.inputs,
            steps: self.steps.max(other.steps),
            // A trace cannot be watched beyond its end, so it does not ask the longer one to be.
            watched: self.watched.min(self.steps).max(other.watched.min(other.steps)),
        })
    }
}

impl Inputs {
    /// The variant in one word, for keys.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Real => "real",
            Self::Blank => "blank",
        }
    }
}

/// A training run, step by step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    /// Facts of the data.
    pub facts: DataFacts,
    /// The model's parameters, sorted by name.
    pub parameters: Vec<Parameter>,
    /// The operators of the forward pass in order, as first seen.
    pub layers: Vec<LayerSeen>,
    /// Tensors that require a gradient and reach an operator, but that neither the variable store nor the optimizer knows.
    pub unregistered: Vec<Unregistered>,
    /// Names of the loss's terms.
    pub terms: Vec<String>,
    /// One entry a step.
    pub steps: Vec<Step>,
}

impl Trace {
    /// The shorter trace that `ask` is for, bit for bit as if it had been taken alone.
    #[must_use]
    pub fn cut(&self, ask: &TraceAsk) -> Self {
        let steps = self.steps.iter().take(ask.steps).enumerate().map(|(index, step)| Step {
            loss: step.loss,
            terms: step.terms.clone(),
            watched: if index < ask.watched { step.watched.clone() } else { None },
        });
        let mut cut = Self {
            facts: self.facts.clone(),
            parameters: self.parameters.clone(),
            layers: self.layers.clone(),
            unregistered: self.unregistered.clone(),
            terms: self.terms.clone(),
            steps: steps.collect(),
        };
        if ask.watched == 0 {
            cut.forget_the_observer();
        }
        cut
    }

    /// The trace without the layers and parameters whose names do not fit.
    #[must_use]
    pub fn only(&self, fits: impl Fn(&str) -> bool) -> Self {
        let mut only = self.clone();
        let kept: Vec<bool> = self.parameters.iter().map(|parameter| fits(&parameter.name)).collect();
        keep(&mut only.parameters, &kept);
        only.layers.retain(|layer| fits(&layer.name));
        only.unregistered.retain(|stranger| fits(&stranger.layer));
        for watched in only.steps.iter_mut().filter_map(|step| step.watched.as_mut()) {
            keep(&mut watched.gradient_norm, &kept);
            keep(&mut watched.update_ratio, &kept);
            keep(&mut watched.update_norm, &kept);
            watched.activations.retain(|seen| fits(&seen.layer));
        }
        only
    }

    /// What a trace says that nobody watched: no operators, and so of no parameter that it is unused.
    fn forget_the_observer(&mut self) {
        self.layers.clear();
        self.unregistered.clear();
        for parameter in &mut self.parameters {
            parameter.used = true;
        }
    }
}

/// Of what is there once a parameter, that of those which are kept.
fn keep<T>(all: &mut Vec<T>, kept: &[bool]) {
    let mut kept = kept.iter();
    all.retain(|_| kept.next().copied().unwrap_or(false));
}

/// A parameter of the model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter {
    /// `<layer name or index>.<weight|bias|...>`.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Whether it requires a gradient.
    pub trainable: bool,
    /// Whether the spec's `frozen` names it.
    pub frozen: bool,
    /// Whether any operator of the forward pass read it.
    pub used: bool,
}

/// An operator of the forward pass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerSeen {
    /// Named after its parameters (`hidden`), or after the layer before it (`hidden.relu`).
    pub name: String,
    /// libtorch's name of the operator.
    pub operator: String,
}

/// A tensor that is trained by nobody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unregistered {
    /// The operator that reads it, by its layer's name.
    pub layer: String,
    /// Its shape.
    pub shape: Vec<usize>,
}

/// One step of training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Data loss of this step's batch before the update, regularisation left out.
    pub loss: f64,
    /// Each term of the loss before weighting, as many as [`Trace::terms`].
    pub terms: Vec<f64>,
    /// What was seen beside the loss, in watched steps.
    pub watched: Option<Watched>,
}

/// What a watched step shows beside its loss.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Watched {
    /// L2 norm of the gradient, one a parameter; `None` where it has none.
    pub gradient_norm: Vec<Option<f64>>,
    /// L2 norm of (parameter after - before) over the L2 norm before, one a parameter; `None` where the parameter was all zero.
    pub update_ratio: Vec<Option<f64>>,
    /// L2 norm of (parameter after - before), one a parameter.
    pub update_norm: Vec<f64>,
    /// The update ratio of all trainable parameters as one vector.
    pub whole_update_ratio: Option<f64>,
    /// Statistics of each operator's output, as many as `Trace::layers` unless the forward pass changed.
    pub activations: Vec<Activation>,
    /// The first place in this step, in the order of computation, that held a NaN or an infinity.
    pub non_finite: Option<NonFinite>,
}

/// Statistics of one operator's output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Activation {
    /// The operator's name, as in [`LayerSeen::name`].
    pub layer: String,
    /// Mean of all entries.
    pub mean: f64,
    /// Standard deviation (n - 1) of all entries.
    pub std: f64,
    /// Share of exact zeros.
    pub zero_fraction: f64,
}

/// Where a NaN or an infinity first appeared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NonFinite {
    /// In the batch that the model was given.
    Input,
    /// In an operator's output.
    Activation {
        /// The layer's name.
        layer: String,
        /// The operator.
        operator: String,
    },
    /// In the loss.
    Loss,
    /// In a parameter's gradient.
    Gradient(String),
    /// In a parameter after the step.
    Parameter(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watched() -> Watched {
        Watched {
            gradient_norm: vec![Some(1.0)],
            update_ratio: vec![None],
            update_norm: vec![0.5],
            whole_update_ratio: None,
            activations: Vec::new(),
            non_finite: None,
        }
    }

    fn trace(losses: &[f64], watch: usize) -> Trace {
        let steps = losses.iter().enumerate();
        Trace {
            facts: DataFacts::default(),
            parameters: vec![Parameter {
                name: "0.weight".into(),
                shape: vec![1],
                trainable: true,
                frozen: false,
                used: watch == 0,
            }],
            layers: if watch == 0 {
                Vec::new()
            } else {
                vec![LayerSeen { name: "0".into(), operator: "linear".into() }]
            },
            unregistered: Vec::new(),
            terms: vec!["loss".into()],
            steps: steps
                .map(|(i, &loss)| Step { loss, terms: vec![loss], watched: (i < watch).then(watched) })
                .collect(),
        }
    }

    #[test]
    fn what_does_not_fit_is_left_out_with_all_its_numbers() {
        let mut two = trace(&[4.0, 3.0], 2);
        two.parameters.push(Parameter { name: "1.weight".into(), ..two.parameters[0].clone() });
        for watched in two.steps.iter_mut().filter_map(|step| step.watched.as_mut()) {
            watched.gradient_norm.push(Some(9.0));
            watched.update_ratio.push(Some(0.1));
            watched.update_norm.push(9.0);
        }
        assert_eq!(two.only(|name| name.starts_with('0')), trace(&[4.0, 3.0], 2));
        let other = two.only(|name| name.starts_with('1'));
        assert_eq!(other.layers, []);
        assert_eq!(other.steps[1].watched.as_ref().unwrap().gradient_norm, [Some(9.0)]);
    }

    #[test]
    fn a_cut_trace_is_what_would_have_been_measured_alone() {
        let long = trace(&[4.0, 3.0, 2.0, 1.0], 3);
        for (steps, watch) in [(4, 3), (2, 2), (3, 1), (2, 9), (1, 0)] {
            let ask = TraceAsk { inputs: Inputs::Real, steps, watched: watch };
            assert_eq!(long.cut(&ask), trace(&[4.0, 3.0, 2.0, 1.0][..steps], watch), "{ask:?}");
        }
    }
}
