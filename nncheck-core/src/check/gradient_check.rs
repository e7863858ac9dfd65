//! `gradient_check`: autograd's gradients are the derivatives of the loss.

use std::num::NonZeroUsize;

use schemars::JsonSchema;
use serde::Deserialize;

use super::entry::{seen, worst_seed};
use super::evidence::{answer, some_names};
use super::{Cause, CauseInfo, Check, CheckType, Context, Info, Stage};
use crate::judge::exhibit::{Exhibit, Row, Table};
use crate::judge::number::number;
use crate::judge::{Band, Entry, Judged, Rule, Sample, Scale};
use crate::measurement::gradients::{Answer, TensorGradient, Wrong};
use crate::measurement::{Gradients, GradientsAsk, Measurement, Request};
use crate::spec::Subject;

/// Up to this share of the entries looked at, wrong ones are single ones.
const FEW: f64 = 0.2;

/// Autograd's gradients are the derivatives of the loss.
///
/// ## What it measures
/// On a copy of the program in double precision, in train mode, on the first `rows` training rows: for each tensor that asks
/// for a gradient, autograd's derivative g.v along random directions v, in which every entry takes part, against the central
/// difference (L(p + h v) - L(p - h v)) / 2h. Dropout draws the same numbers for every evaluation, running statistics are put
/// back after each, and parameters are moved by 1 % from where they start, so that nothing is exactly zero. The step h is
/// chosen from the measured rounding error of the loss, and shortened until the two agree. Where they never do, the direction is
/// halved until the entry is found, and the value is the relative difference there, |autograd - difference| / the larger.
///
/// A tensor whose derivative drowns in rounding errors is excused and not judged: only relative agreement passes, and only
/// where a wrong gradient, planted as a control, does not agree. So are kinks (rectifiers, max-pooling), known by one-sided
/// differences that stay apart as h shrinks, and the one row of an embedding whose gradient is masked (`padding_idx`).
///
/// ## Why it matters
/// A wrong gradient seldom stops training. It makes it slower and worse, and looks like a matter of the learning rate.
///
/// ## Usual causes
/// A `detach`, `no_grad`, or a number read out of a tensor in the middle of the forward pass; a mask or factor that takes part
/// in the values and not in the gradients; a straight-through or reversal layer, which is wrong on purpose.
///
/// ## What to try
/// Follow the named entry from its layer to the loss, and write the layer without the trick. What is meant goes into
/// `allow = ["param:GLOB"]` with a `reason`.
///
/// ## Defaults
/// 16 rows: every row counts in a mean, and kinks grow in number with rows. A relative difference of 1e-4 in any one entry: sound
/// programs differ by 1e-6 or less where the loss is in double precision, and by 1e-3 along whole tensors where it goes through
/// single precision (which tch's own `cross_entropy_for_logits` does): less than that is not seen then, and the report says so.
///
/// ## Sources
/// CS231n, Neural Networks Part 3: gradient checks; J. Moré, S. Wild (2011), Estimating Computational Noise; PyTorch's
/// `torch.autograd.gradcheck`, whose fast mode compares along random directions as well.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GradientCheck {
    /// On how many of the first training rows.
    pub rows: NonZeroUsize,
    /// The relative difference of an entry that still holds.
    #[serde(deserialize_with = "super::parameter::positive")]
    pub tolerance: f64,
}

impl Default for GradientCheck {
    fn default() -> Self {
        Self { rows: super::parameter::count(16), tolerance: 1e-4 }
    }
}

impl CheckType for GradientCheck {
    const INFO: Info = Info {
        id: "gradient_check",
        stage: Stage::Connections,
        rule: Rule::Each,
        takes_band: false,
        narrows: &[crate::spec::property::Narrow::Layers],
        trains: false,
        causes: &[
            CauseInfo {
                id: "not_finite",
                what: "the loss is finite and its gradient is not: the derivative of a value that is taken away again",
                cure: "keep what goes into `sqrt`, `log`, a norm or a division away from zero, before the `where` or mask and not behind it",
            },
            CauseInfo {
                id: "detached",
                what: "autograd knows no way from a parameter to the loss, and there is one",
                cure: "look for `detach`, `no_grad`, or a number read out of a tensor, behind its layer",
            },
            CauseInfo {
                id: "scaled",
                what: "every entry of a gradient is wrong by the same factor",
                cure: "look for a factor or a sign that takes part in the values and not in the gradients",
            },
            CauseInfo {
                id: "cut",
                what: "a part of the way from a parameter to the loss is missing in its gradient, or leads elsewhere",
                cure: "look for a `detach` in one of the terms or branches that read it",
            },
            CauseInfo {
                id: "entries",
                what: "single entries or rows of a gradient are wrong",
                cure: "look at what the layer does with that row or column alone: masks, slices, in-place writes",
            },
        ],
    };
}

impl Check for GradientCheck {
    fn info(&self) -> &'static Info {
        &Self::INFO
    }

    fn needs(&self, _subject: &Subject) -> Vec<Request> {
        vec![GradientsAsk { rows: self.rows.get() }.into()]
    }

    fn sample(&self, context: &Context<'_>, taken: &[Measurement]) -> Sample {
        let seen = match seen(taken, |seen: &Gradients| seen.cannot.as_ref()) {
            Ok(seen) => seen,
            Err(sample) => return sample,
        };
        // What agrees as well as rounding errors let it agree holds.
        let band = |tensor: &TensorGradient| {
            let blunt = if tensor.answer == Answer::Agrees { tensor.resolution } else { 0.0 };
            Band { min: None, max: Some(self.tolerance.max(blunt)), expect: None }
        };
        let entries: Vec<Entry> = seen
            .tensors
            .iter()
            .map(|tensor| {
                let judged = matches!(tensor.answer, Answer::Agrees | Answer::Differs)
                    && !context.allows_parameter(&tensor.parameter);
                Entry {
                    name: Some(name(tensor)),
                    value: Some(tensor.relative).filter(|relative| relative.is_finite() || judged),
                    band: judged.then(|| band(tensor)),
                    scale: Scale::Linear,
                }
            })
            .collect();
        if entries.iter().all(|entry| entry.band.is_none()) {
            return Sample::Nothing(match seen.tensors.iter().any(|tensor| tensor.answer == Answer::Kink) {
                _ if seen.tensors.is_empty() => "no loss reaches a parameter that asks for a gradient".to_owned(),
                true => "the loss has kinks everywhere: no derivative to compare with".to_owned(),
                false => "every gradient drowns in the rounding errors of the loss, or is allowed".to_owned(),
            });
        }
        Sample::Seen(entries)
    }

    fn quantity(&self) -> &'static str {
        "relative difference of autograd and differences"
    }

    fn diagnose(&self, _context: &Context<'_>, judged: &Judged, taken: &[Vec<Measurement>]) -> Vec<Cause> {
        let mut found: Vec<(&TensorGradient, &Wrong)> = Vec::new();
        for tensor in taken.iter().filter_map(|seed| answer::<Gradients>(seed, 0).ok()).flat_map(|seen| &seen.tensors) {
            // Of each parameter what the first seed shows that shows anything.
            if let Some(wrong) = &tensor.wrong
                && judged.outside.contains(&name(tensor))
                && !found.iter().any(|(known, _)| name(known) == name(tensor))
            {
                found.push((tensor, wrong));
            }
        }
        let mut causes: Vec<Cause> = Vec::new();
        for cause in Self::INFO.causes {
            let of_this: Vec<_> = found.iter().filter(|(_, wrong)| kind(wrong) == cause.id).collect();
            let judged_first = of_this.iter().find(|(tensor, _)| judged.at.as_deref() == Some(&name(tensor)));
            let Some((tensor, wrong)) = judged_first.or_else(|| of_this.first()).copied() else { continue };
            let others: Vec<&str> = of_this
                .iter()
                .map(|(tensor, _)| tensor.parameter.as_str())
                .filter(|p| *p != tensor.parameter)
                .collect();
            causes.push(Cause { id: cause.id, help: help(tensor, wrong, &others) });
        }
        // What the judged entry shows comes first.
        let first = found.iter().find(|(tensor, _)| judged.at.as_deref() == Some(&name(tensor)));
        if let Some((_, wrong)) = first {
            causes.sort_by_key(|cause| cause.id != kind(wrong));
        }
        causes
    }

    fn exhibits(&self, _context: &Context<'_>, judged: &Judged, taken: &[Vec<Measurement>]) -> Vec<Exhibit> {
        let at = worst_seed(judged);
        let Some(seen) = taken.get(at).and_then(|seed| answer::<Gradients>(seed, 0).ok()) else { return Vec::new() };
        let row = |tensor: &TensorGradient| Row {
            name: name(tensor),
            cells: vec![
                Some(tensor.autograd),
                Some(tensor.differences),
                Some(tensor.relative),
                Some(tensor.resolution),
            ],
            marked: tensor.answer == Answer::Differs,
        };
        let head = ["parameter", "autograd, along v", "differences", "relative", "could see"];
        vec![Exhibit::Table(Table {
            head: head.map(str::to_owned).to_vec(),
            rows: seen.tensors.iter().map(row).collect(),
        })]
    }

    fn remark(&self, _context: &Context<'_>, judged: &Judged, taken: &[Vec<Measurement>]) -> Option<String> {
        let seen: Vec<&Gradients> = taken.iter().filter_map(|seed| answer(seed, 0).ok()).collect();
        let tensors = || seen.iter().flat_map(|seen| &seen.tensors);
        let excused = |answer: Answer| -> Vec<String> {
            let mut names: Vec<String> = tensors().filter(|t| t.answer == answer).map(name).collect();
            names.sort();
            names.dedup();
            names
        };
        let mut remarks = Vec::new();
        let blunt = tensors().filter(|t| t.answer == Answer::Agrees).map(|t| t.resolution).fold(0.0, f64::max);
        if judged.value.is_some() && blunt > 1e-4 {
            remarks.push(format!(
                "the loss goes through single precision somewhere (as `cross_entropy_for_logits` does): relative differences below {} are not seen",
                number(blunt)
            ));
        }
        let small = excused(Answer::TooSmall);
        if !small.is_empty() {
            remarks.push(format!("too small to compare: {}", some_names(&small)));
        }
        let kinks = excused(Answer::Kink);
        if !kinks.is_empty() {
            remarks.push(format!("at a kink of the loss: {}", some_names(&kinks)));
        }
        (!remarks.is_empty()).then(|| remarks.join("; "))
    }
}

/// The parameter, and the loss where there are several.
fn name(tensor: &TensorGradient) -> String {
    match &tensor.term {
        Some(term) => format!("{} (of {term})", tensor.parameter),
        None => tensor.parameter.clone(),
    }
}

/// The cause that a wrong gradient shows.
fn kind(wrong: &Wrong) -> &'static str {
    #[expect(clippy::cast_precision_loss, reason = "some dozens of entries")]
    let share = wrong.wrong as f64 / wrong.compared.max(1) as f64;
    if !wrong.autograd.is_finite() {
        "not_finite"
    } else if wrong.without {
        "detached"
    } else if share <= FEW || (wrong.ratio == Some(0.0) && share < 0.9) {
        "entries"
    } else if wrong.ratio.is_some() && share > 0.9 {
        "scaled"
    } else {
        "cut"
    }
}

fn help(tensor: &TensorGradient, wrong: &Wrong, others: &[&str]) -> String {
    let index: Vec<String> = wrong.index.iter().map(ToString::to_string).collect();
    let place = match (wrong.entries, index.is_empty()) {
        (_, true) => tensor.parameter.clone(),
        (1, _) => format!("{}[{}]", tensor.parameter, index.join(", ")),
        (n, _) => format!("{n} entries of {} from [{}] on", tensor.parameter, index.join(", ")),
    };
    let of = tensor.term.as_ref().map(|term| format!(" of `{term}`")).unwrap_or_default();
    let (autograd, differences) = (number(wrong.autograd), number(wrong.differences));
    let seen =
        format!("autograd's derivative{of} by {place} is {autograd}, differences of the loss show {differences}");
    let what = match kind(wrong) {
        "not_finite" => "the loss is finite and its gradient is not: look for `sqrt`, `log`, a norm or a division at zero, whose value a `where` or a mask takes away, but not its derivative".to_owned(),
        "detached" => "autograd knows no way from it to the loss: look for `detach`, `no_grad`, or a number read out of a tensor behind its layer".to_owned(),
        "scaled" => {
            let ratio = wrong.ratio.unwrap_or(f64::NAN);
            format!("it is {} times what it should be in all {} entries looked at: a factor or a sign takes part in the values and not in the gradients, or the other way round", number(ratio), wrong.compared)
        }
        "entries" => format!("{} of {} entries looked at are wrong: look at what the layer does with these alone (a mask, a slice, an in-place write)", wrong.wrong.max(1), wrong.compared.max(1)),
        _ => "a part of its way to the loss is cut off, or leads elsewhere: look for a `detach` in one of the terms or branches that read it".to_owned(),
    };
    let also = if others.is_empty() { String::new() } else { format!(" (so is {})", some_names(others)) };
    format!("{seen}{also}: {what}")
}

#[cfg(test)]
#[path = "tests/gradient_check.rs"]
mod tests;
