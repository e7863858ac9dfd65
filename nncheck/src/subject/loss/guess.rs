//! Outputs of models that have seen no input: such as know nothing at all, and such as know how the targets are distributed.

use nncheck_core::spec::loss::LossKind;
use tch::{Kind, Tensor};

use super::LossFunction;
use super::term::Term;
use crate::user::{Batch, Outputs};

/// Shares are kept this far from 0 and 1, where logarithms end.
const LEAST_SHARE: f64 = 1e-6;

impl LossFunction {
    /// Outputs that know nothing, in the shape of `outputs`: zeros (as logits, for a classifier).
    #[must_use]
    pub fn know_nothing(&self, outputs: &Outputs, batch: &Batch) -> Outputs {
        self.guess(outputs, |term, output| nothing(term, output, batch))
    }

    /// Outputs that know how `all` targets are distributed and nothing of the inputs, in the shape of `outputs`: what a last
    /// bias can be set to before training.
    #[must_use]
    pub fn know_the_targets(&self, outputs: &Outputs, batch: &Batch, all: &Batch) -> Outputs {
        self.guess(outputs, |term, output| {
            term.and_then(|term| prior(term, output, batch, all)).unwrap_or_else(|| nothing(term, output, batch))
        })
    }

    /// Each output in turn, with the first term that reads it.
    fn guess(&self, outputs: &Outputs, guess: impl Fn(Option<&Term>, &Tensor) -> Tensor) -> Outputs {
        let main = outputs.named().names().next();
        outputs.named().iter().fold(Outputs::new(), |guessed, (name, output)| {
            let reads = |term: &&Term| term.output_name().or(main) == Some(name);
            guessed.with(name, guess(self.terms.iter().find(reads), output))
        })
    }
}

fn nothing(term: Option<&Term>, output: &Tensor, batch: &Batch) -> Tensor {
    match term.and_then(Term::kind) {
        // Probabilities and log-probabilities have no zero logits of their own: the uniform distribution.
        Some(LossKind::Bce) => output.full_like(0.5),
        Some(LossKind::Nll) => {
            let axis = term.and_then(|term| term.class_axis(output, term.target(batch).ok()?).ok());
            output.zeros_like().log_softmax(axis.unwrap_or(1), output.kind())
        }
        _ => output.zeros_like(),
    }
}

/// The best constant output; `None` where nobody can tell.
fn prior(term: &Term, output: &Tensor, batch: &Batch, all: &Batch) -> Option<Tensor> {
    let (kind, targets) = (term.kind()?, term.target(all).ok()?);
    if let LossKind::CrossEntropy | LossKind::Nll = kind {
        let axis = term.class_axis(output, term.target(batch).ok()?).ok()?;
        return shares(term, output, axis, targets);
    }
    // One number a place of a row: [n] is for [n, 1] too.
    let targets = targets.to_kind(output.kind());
    let best = match kind {
        LossKind::L1 => targets.median_dim(0, false).0,
        _ => targets.mean_dim(0_i64, false, output.kind()),
    };
    let best = match kind {
        LossKind::BceWithLogits => best.clamp(LEAST_SHARE, 1.0 - LEAST_SHARE).logit(None::<f64>),
        _ => best,
    };
    let mut row = output.size();
    *row.first_mut()? = 1;
    (i64::try_from(best.numel()).ok()? == row.iter().product::<i64>())
        .then(|| best.reshape(&row[..]).expand_as(output).contiguous())
}

/// Logarithms of the shares that the classes have, as the options of the loss count them.
fn shares(term: &Term, output: &Tensor, axis: i64, targets: &Tensor) -> Option<Tensor> {
    let width = *output.size().get(usize::try_from(axis).ok()?)?;
    let ids = targets.masked_select(&targets.ne(term.ignore_index()));
    let ids = ids.masked_select(&ids.ge(0).logical_and(&ids.lt(width)));
    let mut counts = ids.bincount::<Tensor>(None, width).to_kind(Kind::Double);
    if let Some(weights) = term.class_weights().filter(|weights| i64::try_from(weights.len()) == Ok(width)) {
        counts *= Tensor::from_slice(weights).to_device(counts.device());
    }
    let total = counts.sum(Kind::Double).double_value(&[]);
    if total <= 0.0 {
        return None;
    }
    let smoothing = term.label_smoothing();
    let even = counts.ones_like() / width;
    let shares = counts / total * (1.0 - smoothing) + even * smoothing;
    let mut place = vec![1; output.dim()];
    *place.get_mut(usize::try_from(axis).ok()?)? = width;
    let logs = shares.clamp_min(LEAST_SHARE).log().to_kind(output.kind()).reshape(&place[..]);
    Some(logs.expand_as(output).contiguous())
}

#[cfg(test)]
mod tests {
    use nncheck_core::diagnostic::Located;
    use nncheck_core::spec::loss::{Loss, Term as Spec};

    use super::*;
    use crate::bindings::Bindings;

    /// The losses of both guesses, in the shape of `output`.
    fn guesses(terms: Vec<Spec>, output: &Tensor, target: &Tensor) -> [f64; 2] {
        let loss = LossFunction::build(&Loss { terms, l2: 0.0 }, &Bindings::default()).unwrap();
        let batch = Batch::new(output.shallow_clone(), target.shallow_clone());
        let outputs = Outputs::new().with("output", output.shallow_clone());
        [loss.know_nothing(&outputs, &batch), loss.know_the_targets(&outputs, &batch, &batch)]
            .map(|guess| loss.losses(&guess, &batch, None).unwrap().total().double_value(&[]))
    }

    fn near(seen: [f64; 2], expected: [f64; 2]) {
        assert!(seen.iter().zip(expected).all(|(s, e)| (s - e).abs() < 1e-6), "{seen:?} for {expected:?}");
    }

    fn random(shape: &[i64]) -> Tensor {
        Tensor::rand(shape, (Kind::Double, tch::Device::Cpu))
    }

    const LN_2: f64 = std::f64::consts::LN_2;
    /// One in five.
    const ENTROPY: f64 = 0.500_402_423_538_188;

    #[test]
    fn guesses_of_classes_have_ln_k_and_the_entropy_of_the_labels() {
        let ids = Tensor::from_slice(&[0_i64, 1, 1, 1, 1]);
        let of = |kind| Spec::of(Some(kind));
        near(guesses(vec![of(LossKind::CrossEntropy)], &random(&[5, 2]), &ids), [LN_2, ENTROPY]);
        near(guesses(vec![of(LossKind::Nll)], &random(&[5, 2]), &ids), [LN_2, ENTROPY]);
        // Weighted to even shares, the labels tell nothing.
        let class_weights = Some(Located::new(vec![4.0, 1.0], 0..0));
        let weighted = Spec { class_weights, ..of(LossKind::CrossEntropy) };
        near(guesses(vec![weighted], &random(&[5, 2]), &ids), [LN_2, LN_2]);
    }

    #[test]
    fn guesses_of_one_output_have_ln_2_and_the_entropy_of_the_labels() {
        let y = Tensor::from_slice(&[0.0, 1.0, 1.0, 1.0, 1.0]);
        for kind in [LossKind::BceWithLogits, LossKind::Bce] {
            near(guesses(vec![Spec::of(Some(kind))], &random(&[5, 1]), &y), [LN_2, ENTROPY]);
        }
    }

    #[test]
    fn guesses_of_numbers_have_the_mean_square_and_the_variance() {
        let y = Tensor::from_slice(&[1.0, 3.0, 1.0, 3.0]);
        near(guesses(vec![Spec::of(Some(LossKind::Mse))], &random(&[4]), &y), [5.0, 1.0]);
        near(guesses(vec![Spec::of(Some(LossKind::L1))], &random(&[4, 1]), &y), [2.0, 1.0]);
    }

    #[test]
    fn class_ids_that_do_not_count_are_no_share() {
        let ids = Tensor::from_slice(&[0_i64, 1, 1, 1, 1, -100, -100]);
        near(guesses(vec![Spec::of(Some(LossKind::CrossEntropy))], &random(&[7, 2]), &ids), [LN_2, ENTROPY]);
    }
}
