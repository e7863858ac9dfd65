//! How one parameter moves: PyTorch's formulas, in PyTorch's order of operations.

use nncheck_core::spec::optimizer::{Adam, OptimizerKind, Rmsprop, Sgd};
use tch::Tensor;

/// The settings of one parameter's optimizer, and what it remembers of the steps before.
#[derive(Debug)]
pub(super) enum Rule {
    Sgd {
        settings: Sgd,
        momentum: Option<Tensor>,
    },
    /// Decoupled weight decay or not.
    Adam {
        settings: Adam,
        decoupled: bool,
        state: Option<Moments>,
    },
    Rmsprop {
        settings: Rmsprop,
        state: Option<Squares>,
    },
}

/// What Adam remembers.
#[derive(Debug)]
pub(super) struct Moments {
    step: i32,
    first: Tensor,
    second: Tensor,
    largest: Option<Tensor>,
}

/// What `RMSprop` remembers.
#[derive(Debug)]
pub(super) struct Squares {
    square: Tensor,
    mean: Option<Tensor>,
    momentum: Option<Tensor>,
}

impl Rule {
    pub(super) fn new(kind: &OptimizerKind) -> Self {
        match kind {
            OptimizerKind::Sgd(settings) => Self::Sgd { settings: settings.clone(), momentum: None },
            OptimizerKind::Adam(settings) => Self::Adam { settings: settings.clone(), decoupled: false, state: None },
            OptimizerKind::Adamw(o) => {
                let settings = Adam {
                    lr: o.lr,
                    betas: o.betas,
                    eps: o.eps,
                    weight_decay: o.weight_decay,
                    amsgrad: o.amsgrad,
                    maximize: o.maximize,
                };
                Self::Adam { settings, decoupled: true, state: None }
            }
            OptimizerKind::Rmsprop(settings) => Self::Rmsprop { settings: settings.clone(), state: None },
        }
    }

    /// Moves the parameter; `momentum` (of Adam, the first beta) in place of the settings' where a schedule has one.
    pub(super) fn step(&mut self, parameter: &mut Tensor, gradient: &Tensor, lr: f64, momentum: Option<f64>) {
        match self {
            Self::Sgd { settings, momentum: buffer } => {
                let gradient = prepared(parameter, gradient, settings.maximize, settings.weight_decay);
                sgd(settings, buffer, parameter, gradient, lr, momentum.unwrap_or(settings.momentum));
            }
            Self::Adam { settings, decoupled, state } => {
                if *decoupled {
                    let _ = parameter.g_mul_scalar_(1.0 - lr * settings.weight_decay);
                }
                let decay = if *decoupled { 0.0 } else { settings.weight_decay };
                let gradient = prepared(parameter, gradient, settings.maximize, decay);
                adam(settings, state, parameter, &gradient, lr, momentum.unwrap_or(settings.betas[0]));
            }
            Self::Rmsprop { settings, state } => {
                let gradient = prepared(parameter, gradient, settings.maximize, settings.weight_decay);
                rmsprop(settings, state, parameter, &gradient, lr, momentum.unwrap_or(settings.momentum));
            }
        }
    }
}

/// The gradient with its sign and the L2 penalty.
fn prepared(parameter: &Tensor, gradient: &Tensor, maximize: bool, weight_decay: f64) -> Tensor {
    let gradient = if maximize { gradient.neg() } else { gradient.shallow_clone() };
    if weight_decay == 0.0 { gradient } else { gradient + parameter.detach() * weight_decay }
}

fn sgd(settings: &Sgd, buffer: &mut Option<Tensor>, parameter: &mut Tensor, gradient: Tensor, lr: f64, momentum: f64) {
    let mut step = gradient;
    if momentum != 0.0 {
        let buffer = match buffer {
            Some(buffer) => {
                let _ = buffer.g_mul_scalar_(momentum);
                let _ = buffer.g_add_(&(&step * (1.0 - settings.dampening)));
                buffer
            }
            None => buffer.insert(step.copy()),
        };
        step = if settings.nesterov { step + &*buffer * momentum } else { buffer.shallow_clone() };
    }
    let _ = parameter.g_sub_(&(step * lr));
}

fn adam(settings: &Adam, state: &mut Option<Moments>, parameter: &mut Tensor, gradient: &Tensor, lr: f64, beta1: f64) {
    let beta2 = settings.betas[1];
    let state = state.get_or_insert_with(|| Moments {
        step: 0,
        first: gradient.zeros_like(),
        second: gradient.zeros_like(),
        largest: settings.amsgrad.then(|| gradient.zeros_like()),
    });
    state.step += 1;
    let _ = state.first.lerp_(gradient, 1.0 - beta1);
    let _ = state.second.g_mul_scalar_(beta2);
    let _ = state.second.g_add_(&(gradient.square() * (1.0 - beta2)));
    let (correction1, correction2) = (1.0 - beta1.powi(state.step), 1.0 - beta2.powi(state.step));
    let second = match &mut state.largest {
        Some(largest) => {
            *largest = largest.maximum(&state.second);
            &*largest
        }
        None => &state.second,
    };
    let denominator = second.sqrt() / correction2.sqrt() + settings.eps;
    let _ = parameter.g_sub_(&(&state.first / denominator * (lr / correction1)));
}

fn rmsprop(
    settings: &Rmsprop,
    state: &mut Option<Squares>,
    parameter: &mut Tensor,
    gradient: &Tensor,
    lr: f64,
    momentum: f64,
) {
    let state = state.get_or_insert_with(|| Squares {
        square: gradient.zeros_like(),
        mean: settings.centered.then(|| gradient.zeros_like()),
        momentum: None,
    });
    let _ = state.square.g_mul_scalar_(settings.alpha);
    let _ = state.square.g_add_(&(gradient.square() * (1.0 - settings.alpha)));
    let average = match &mut state.mean {
        Some(mean) => {
            let _ = mean.lerp_(gradient, 1.0 - settings.alpha);
            (&state.square - mean.square()).sqrt()
        }
        None => state.square.sqrt(),
    } + settings.eps;
    let mut step = gradient / average;
    if momentum > 0.0 {
        let buffer = state.momentum.get_or_insert_with(|| gradient.zeros_like());
        let _ = buffer.g_mul_scalar_(momentum);
        let _ = buffer.g_add_(&step);
        step = buffer.shallow_clone();
    }
    let _ = parameter.g_sub_(&(step * lr));
}
