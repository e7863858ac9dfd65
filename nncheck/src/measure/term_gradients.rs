//! The gradients of the terms of a loss, each by itself.

use nncheck_core::measurement::term_gradients::{TermGradient, TermGradients, TermGradientsAsk};
use tch::Tensor;

use crate::subject::{Program, SubjectError};
use crate::tensors::norm;

/// Differentiates each term by itself, on the first batches.
pub(super) fn measure(program: &Program<'_>, ask: &TermGradientsAsk) -> Result<TermGradients, SubjectError> {
    let (names, parameters): (Vec<String>, Vec<Tensor>) = program
        .parameters()
        .iter()
        .filter(|(_, parameter)| parameter.requires_grad())
        .map(|(name, parameter)| (name.clone(), parameter.shallow_clone()))
        .unzip();
    let size = program.spec.data.batch;
    // As in training, rows that fill no batch are left out: batch norm takes no single one.
    let batches = ask.batches.min(program.data.train_rows() / size.max(1)).max(1);
    let mut terms: Vec<(String, f64)> = Vec::new();
    // Squares of the norms, one a term and parameter.
    let mut squares: Vec<Vec<f64>> = Vec::new();
    for index in 0..batches {
        let losses = program.losses(&program.data.narrow(index * size, size), true)?;
        if index == 0 {
            terms = losses.terms().iter().map(|term| (term.name.clone(), term.weight)).collect();
            squares = vec![vec![0.0; parameters.len()]; terms.len()];
        }
        for (term, squares) in losses.terms().iter().zip(&mut squares) {
            if !term.value.requires_grad() || parameters.is_empty() {
                continue;
            }
            let weighted = &term.value * term.weight;
            let gradients = Tensor::f_run_backward(&[weighted], &parameters, true, false)?;
            for (gradient, square) in gradients.iter().zip(squares) {
                if gradient.defined() {
                    *square += norm(gradient).powi(2) / batches as f64;
                }
            }
        }
    }
    let reached = |parameter: usize| squares.iter().filter(|squares| squares[parameter] != 0.0).count();
    let shared: Vec<usize> = (0..parameters.len()).filter(|&parameter| reached(parameter) > 1).collect();
    let terms = terms.into_iter().zip(&squares).map(|((name, weight), squares)| TermGradient {
        name,
        weight,
        reaches: squares.iter().any(|square| *square != 0.0),
        norm: shared.iter().map(|&parameter| squares[parameter]).sum::<f64>().sqrt(),
    });
    Ok(TermGradients {
        facts: program.facts().clone(),
        terms: terms.collect(),
        shared: shared.into_iter().map(|parameter| names[parameter].clone()).collect(),
    })
}
