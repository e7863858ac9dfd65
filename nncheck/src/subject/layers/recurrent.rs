//! Recurrent networks.

use nncheck_core::spec::layer;
use tch::Tensor;
use tch::nn::{Module, ModuleT};

use super::parameters::Parameters;
use super::{inferred, size};

/// What happens at a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    Lstm,
    Gru,
}

/// An LSTM or a GRU over `[n, steps, features]`, from a hidden state of zeros; gives the hidden state at each step.
#[derive(Debug)]
pub(super) struct Recurrent {
    cell: Cell,
    /// For each layer and direction: `weight_ih`, `weight_hh`, `bias_ih`, `bias_hh`.
    parameters: Vec<Tensor>,
    bias: bool,
    hidden: i64,
    layers: i64,
    dropout: f64,
    bidirectional: bool,
}

impl Recurrent {
    pub(super) fn new(parameters: &Parameters<'_>, cell: Cell, spec: &layer::Recurrent) -> Self {
        let hidden = size(spec.hidden);
        let gates = match cell {
            Cell::Lstm => 4 * hidden,
            Cell::Gru => 3 * hidden,
        };
        let directions: &[&str] = if spec.bidirectional { &["", "_reverse"] } else { &[""] };
        let bound = 1.0 / (hidden as f64).sqrt();
        let mut all = Vec::new();
        for layer in 0..spec.num_layers {
            let inputs = if layer == 0 { inferred(spec.inputs) } else { hidden * size(directions.len()) };
            for direction in directions {
                let mut make = |name: &str, shape: &[i64]| {
                    all.push(parameters.uniform(&format!("{name}_l{layer}{direction}"), shape, bound));
                };
                make("weight_ih", &[gates, inputs]);
                make("weight_hh", &[gates, hidden]);
                if spec.bias {
                    make("bias_ih", &[gates]);
                    make("bias_hh", &[gates]);
                }
            }
        }
        Self {
            cell,
            parameters: all,
            bias: spec.bias,
            hidden,
            layers: size(spec.num_layers),
            dropout: spec.dropout,
            bidirectional: spec.bidirectional,
        }
    }
}

impl ModuleT for Recurrent {
    fn forward_t(&self, xs: &Tensor, train: bool) -> Tensor {
        let states = self.layers * if self.bidirectional { 2 } else { 1 };
        let examples = xs.size().first().copied().unwrap_or(0);
        let zeros = || Tensor::zeros([states, examples, self.hidden], (xs.kind(), xs.device()));
        let Self { parameters, bias, layers, dropout, bidirectional, .. } = self;
        match self.cell {
            Cell::Lstm => {
                xs.lstm(&[zeros(), zeros()], parameters, *bias, *layers, *dropout, train, *bidirectional, true).0
            }
            Cell::Gru => xs.gru(&zeros(), parameters, *bias, *layers, *dropout, train, *bidirectional, true).0,
        }
    }
}

/// The last step of `[n, steps, features]`.
#[derive(Clone, Copy, Debug)]
pub(super) struct LastStep;

impl Module for LastStep {
    fn forward(&self, xs: &Tensor) -> Tensor {
        xs.select(1, -1)
    }
}
