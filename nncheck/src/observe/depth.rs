//! How many layers of weights stand one behind another on the longest way that a model's inputs take.

use std::collections::HashMap;

use tch::Tensor;

use super::ffi;
use super::naming::Storage;

/// What a tensor's memory holds.
#[derive(Clone, Copy)]
enum Held {
    /// A weight, or what is made of weights alone.
    Weight,
    /// What comes from the inputs, through so many layers of weights.
    Data(usize),
}

/// Follows the inputs through the operators, by the memory that they lie in.
struct Depth {
    held: HashMap<Storage, Held>,
    /// What the current operator will put out.
    next: Option<Held>,
    deepest: usize,
}

impl ffi::Watcher for Depth {
    fn start(&mut self, operator: &str, inputs: &[ffi::Input]) {
        let held: Vec<Held> = inputs.iter().filter_map(|input| self.held.get(&input.storage()).copied()).collect();
        let weights = held.iter().any(|held| matches!(held, Held::Weight));
        let data = held.iter().filter_map(|held| if let Held::Data(depth) = held { Some(*depth) } else { None }).max();
        self.next = match data {
            Some(depth) if weights => Some(Held::Data(depth + layers(operator))),
            Some(depth) => Some(Held::Data(depth)),
            None => weights.then_some(Held::Weight),
        };
    }

    fn end(&mut self, outputs: &[ffi::Output]) {
        // Tensors without memory of their own are not to be told apart.
        for output in outputs.iter().filter(|output| output.storage() != Storage::NONE) {
            // Memory that was given back holds something else now.
            match self.next {
                Some(held) => self.held.insert(output.storage(), held),
                None => self.held.remove(&output.storage()),
            };
        }
        if let Some(Held::Data(depth)) = self.next {
            self.deepest = self.deepest.max(depth);
        }
    }
}

/// How many layers an operator is that reads weights: what scales and shifts, entry by entry, is none, and a recurrence bends
/// what it has made of the step before.
fn layers(operator: &str) -> usize {
    let name = operator.rsplit("::").next().unwrap_or(operator).trim_end_matches('_');
    match name {
        "add" | "sub" | "mul" | "div" | "rsub" | "addcmul" => 0,
        "lstm" | "gru" | "rnn_tanh" | "rnn_relu" => 2,
        _ => 1,
    }
}

/// Runs `forward` on this thread and counts the layers of weights that stand one behind another on the longest way from
/// `inputs`. A weight has two axes or more; what scales and shifts is no layer, and a recurrence counts for two.
///
/// # Errors
/// When libtorch refuses the callbacks, with its words.
pub(crate) fn depth<'t, R>(
    inputs: impl IntoIterator<Item = &'t Tensor>,
    parameters: &[(String, Tensor)],
    forward: impl FnOnce() -> R,
) -> Result<(R, usize), String> {
    let weights = parameters.iter().filter(|(_, parameter)| parameter.dim() > 1);
    let weights = weights.map(|(_, weight)| (ffi::storage(weight), Held::Weight));
    let mut held: HashMap<Storage, Held> =
        weights.chain(inputs.into_iter().map(|input| (ffi::storage(input), Held::Data(0)))).collect();
    held.remove(&Storage::NONE);
    let mut depth = Depth { held, next: None, deepest: 0 };
    let result = ffi::watch(&mut depth, forward)?;
    Ok((result, depth.deepest))
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind};

    use super::*;

    fn ones(shape: &[i64]) -> Tensor {
        Tensor::ones(shape, (Kind::Double, Device::Cpu))
    }

    fn of(forward: impl Fn(&Tensor, &[Tensor]) -> Tensor) -> usize {
        let x = ones(&[2, 4]);
        let weights = [ones(&[4, 4]), ones(&[4, 4]), ones(&[4])];
        let named: Vec<(String, Tensor)> = weights.iter().map(|w| (String::new(), w.shallow_clone())).collect();
        depth([&x], &named, || drop(forward(&x, &weights))).unwrap().1
    }

    #[test]
    fn layers_in_a_row_are_counted_and_those_side_by_side_are_not() {
        assert_eq!(of(|x, w| x.linear(&w[0], None::<&Tensor>).linear(&w[1], Some(&w[2]))), 2);
        let side_by_side = |x: &Tensor, w: &[Tensor]| x.matmul(&w[0].tr()) + x.matmul(&w[1]);
        assert_eq!(of(side_by_side), 1);
        assert_eq!(of(|x, w| Tensor::cat(&[x.matmul(&w[0]), x.matmul(&w[1])], 1)), 1);
    }

    #[test]
    fn what_is_made_of_weights_is_a_weight_and_scaling_is_no_layer() {
        let masked = |x: &Tensor, w: &[Tensor]| x.matmul(&(&w[0] * ones(&[4, 4]))).matmul(&(&w[1] * ones(&[4, 4])));
        assert_eq!(of(masked), 2);
        assert_eq!(of(|x, w| x.matmul(&w[0]) * &w[2]), 1);
        assert_eq!(of(|x, w| x.matmul(&w[0]) + &w[1].narrow(0, 0, 1)), 1, "a bias of two axes");
        assert_eq!(of(|x, _| x.relu()), 0);
    }
}
