//! Whether data goes with a network, and in which shape.

use super::aim::Aim;
use crate::rust_source::{Input, Network};

/// How well data goes with a network, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fit {
    /// What goes in and what comes out is known to agree.
    Yes,
    /// Not all is known, and nothing disagrees.
    Perhaps,
    /// What goes in agrees, and the model has another number of outputs.
    OtherOutputs,
    /// What goes in does not fit.
    No,
}

/// How well rows of a shape go with a network, and the shape to bring them into, where it is another.
pub(super) fn fit(given: &[usize], tokens: Option<usize>, aim: Aim, network: &Network) -> (Fit, Option<Vec<usize>>) {
    let (fits, shape) = input(given, tokens, network);
    let outputs = network.output.map(|outputs| outputs == aim.outputs());
    let fit = match (fits, outputs) {
        (Some(false), _) => Fit::No,
        (_, Some(false)) => Fit::OtherOutputs,
        (Some(true), Some(true)) => Fit::Yes,
        _ => Fit::Perhaps,
    };
    (fit, shape.filter(|shape| shape != given))
}

/// Whether the first layer takes such rows, as far as that is known, and in which shape.
fn input(given: &[usize], tokens: Option<usize>, network: &Network) -> (Option<bool>, Option<Vec<usize>>) {
    let product = |sizes: &[usize]| sizes.iter().try_fold(1_usize, |all, &size| all.checked_mul(size));
    let Some(all) = product(given) else { return (Some(false), None) };
    if let Some(viewed) = &network.viewed
        && product(viewed) == Some(all)
    {
        // The network does it itself; what is flat stays flat.
        return (Some(true), None);
    }
    let split = |channels: usize| all.checked_div(channels).filter(|each| each * channels == all);
    match network.input {
        Input::Features(width) if width != all => (Some(false), None),
        Input::Features(width) => (Some(true), (given.len() > 1 && !network.reshapes).then(|| vec![width])),
        Input::Images(channels) => match *given {
            [first, _, _] => (Some(first == channels), None),
            [height, width] if channels == 1 => (Some(true), Some(vec![1, height, width])),
            [_] => match split(channels).and_then(root) {
                Some(side) => (Some(true), Some(vec![channels, side, side])),
                None => (Some(false), None),
            },
            _ => (Some(false), None),
        },
        Input::Signals(channels) => match *given {
            [first, _] => (Some(first == channels), None),
            [_] => (split(channels).map(|_| true), split(channels).map(|each| vec![channels, each])),
            _ => (Some(false), None),
        },
        Input::Steps(width) => match *given {
            [_, last] => (Some(last == width), None),
            [_] => (split(width).map(|_| true), split(width).map(|steps| vec![steps, width])),
            _ => (Some(false), None),
        },
        Input::Tokens(known) => (Some(tokens.is_some_and(|most| most <= known)), None),
        Input::Unknown => (None, None),
    }
}

/// The whole square root.
fn root(square: usize) -> Option<usize> {
    let root = square.isqrt();
    (root * root == square && root > 1).then_some(root)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(input: Input, given: &[usize]) -> (Fit, Option<Vec<usize>>) {
        let network = Network { input, output: Some(10), ..Network::default() };
        fit(given, None, Aim::Classes(10), &network)
    }

    #[test]
    fn rows_are_brought_into_the_shape_that_the_first_layer_takes() {
        assert_eq!(of(Input::Features(64), &[64]), (Fit::Yes, None));
        assert_eq!(of(Input::Features(64), &[8, 8]), (Fit::Yes, Some(vec![64])));
        assert_eq!(of(Input::Images(1), &[64]), (Fit::Yes, Some(vec![1, 8, 8])));
        assert_eq!(of(Input::Images(3), &[48]), (Fit::Yes, Some(vec![3, 4, 4])));
        assert_eq!(of(Input::Images(1), &[28, 28]), (Fit::Yes, Some(vec![1, 28, 28])));
        assert_eq!(of(Input::Steps(1), &[24]), (Fit::Yes, Some(vec![24, 1])));
        assert_eq!(of(Input::Signals(2), &[2, 9]), (Fit::Yes, None));
    }

    #[test]
    fn what_does_not_fit_is_told() {
        assert_eq!(of(Input::Features(64), &[30]).0, Fit::No);
        assert_eq!(of(Input::Images(1), &[30]).0, Fit::No);
        assert_eq!(of(Input::Images(1), &[28, 28, 1]).0, Fit::No);
        assert_eq!(of(Input::Tokens(9), &[30]).0, Fit::No);
        assert_eq!(of(Input::Unknown, &[30]).0, Fit::Perhaps);
        let network = Network { input: Input::Features(4), output: Some(2), ..Network::default() };
        assert_eq!(fit(&[4], None, Aim::Classes(3), &network).0, Fit::OtherOutputs);
    }
}
