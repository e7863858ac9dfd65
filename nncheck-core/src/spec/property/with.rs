//! `with`: the training program changed for one property.

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use crate::diagnostic::{Diagnostic, Located};
use crate::spec::Subject;
use crate::spec::layer::set_dropout;
use crate::spec::model::ModelSource;
use crate::spec::read::Reader;

/// The training program changed for one property.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct With {
    /// Learning rate.
    pub lr: Option<Located<f64>>,
    /// Weight decay of the optimizer.
    pub weight_decay: Option<Located<f64>>,
    /// Rows in a batch.
    pub batch: Option<Located<usize>>,
    /// Weight of the regularisation term of the loss.
    pub l2: Option<Located<f64>>,
    /// `p` of every dropout layer.
    pub dropout: Option<Located<f64>>,
    /// The check's own budget of steps.
    pub steps: Option<Located<usize>>,
}

/// The training program changed for this property only.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "with")]
#[serde(deny_unknown_fields)]
pub(crate) struct WithTable {
    /// Learning rate.
    #[schemars(with = "Option<f64>")]
    lr: Option<Spanned<f64>>,
    /// Weight decay of the optimizer.
    #[schemars(with = "Option<f64>")]
    weight_decay: Option<Spanned<f64>>,
    /// Rows in a batch.
    #[schemars(with = "Option<std::num::NonZeroUsize>")]
    batch: Option<Spanned<usize>>,
    /// Weight of the regularisation term of the loss.
    #[schemars(with = "Option<f64>")]
    l2: Option<Spanned<f64>>,
    /// `p` of every dropout layer of a model of `layers`.
    #[schemars(with = "Option<f64>")]
    dropout: Option<Spanned<f64>>,
    /// The check's own budget of steps.
    #[schemars(with = "Option<std::num::NonZeroUsize>")]
    steps: Option<Spanned<usize>>,
}

impl With {
    pub(super) fn read(reader: &mut Reader<'_>, what: &str, raw: WithTable) -> Self {
        let mut held = |key: &str, written: Option<Spanned<f64>>, holds: fn(f64) -> bool, wanted: &str| {
            let written = written?;
            let value = *written.get_ref();
            if holds(value) {
                return Some(Located::new(value, written.span()));
            }
            let message = format!("wrong value of `with.{key}` in {what}");
            let error = reader.error("wrong-value", written.span(), message);
            reader.push(error.label(format!("expected {wanted}, found {value}")));
            None
        };
        let not_negative: fn(f64) -> bool = |v| v.is_finite() && v >= 0.0;
        let lr = held("lr", raw.lr, |v| v.is_finite() && v > 0.0, "a number above 0");
        let weight_decay = held("weight_decay", raw.weight_decay, not_negative, "a number of 0 or more");
        let l2 = held("l2", raw.l2, not_negative, "a number of 0 or more");
        let dropout = held("dropout", raw.dropout, |v| (0.0..1.0).contains(&v), "a share from 0 to below 1");
        let mut counted = |key: &str, written: Option<Spanned<usize>>| {
            let written = written?;
            if *written.get_ref() > 0 {
                return Some(Located::new(*written.get_ref(), written.span()));
            }
            let message = format!("wrong value of `with.{key}` in {what}");
            let error = reader.error("wrong-value", written.span(), message);
            reader.push(error.label("expected a whole number of 1 or more, found 0"));
            None
        };
        let batch = counted("batch", raw.batch);
        let steps = counted("steps", raw.steps);
        Self { lr, weight_decay, batch, l2, dropout, steps }
    }

    /// The training program with the changes; what cannot be changed is reported. `trains`: the check trains.
    pub(crate) fn apply(&self, reader: &mut Reader<'_>, check: &str, trains: bool, subject: &Subject) -> Subject {
        let mut subject = subject.clone();
        let mut refused: Vec<Diagnostic> = Vec::new();
        let mut refuse = |error: Diagnostic| refused.push(error.label("it would change nothing"));
        let refusal = |key: &str, place: &Located<f64>, why: &str| {
            reader.error("wrong-value", place.span, format!("`with.{key}` is not for this property: {why}"))
        };
        let untrained = format!("`{check}` does not train");
        for (key, value) in [("lr", &self.lr), ("weight_decay", &self.weight_decay)] {
            let Some(value) = value else { continue };
            match &mut subject.optimizer {
                _ if !trains => refuse(refusal(key, value, &untrained)),
                None => {}
                Some(optimizer) => {
                    let value_set = match key {
                        "lr" => optimizer.set_lr(value.value),
                        _ => optimizer.set_weight_decay(value.value),
                    };
                    if !value_set {
                        refuse(refusal(key, value, "a function of your own makes the optimizer"));
                    }
                }
            }
        }
        if let Some(batch) = &self.batch {
            subject.data.batch = batch.value;
        }
        if let Some(l2) = &self.l2 {
            subject.loss.l2 = l2.value;
        }
        if let Some(p) = &self.dropout {
            match &mut subject.model.source {
                ModelSource::Layers(layers) => {
                    if set_dropout(layers, p.value) == 0 {
                        refuse(refusal("dropout", p, "the model has no dropout layer"));
                    }
                }
                _ => refuse(
                    refusal(
                        "dropout",
                        p,
                        "nncheck cannot see the dropout of a model that it did not build from `layers`",
                    )
                    .help("hand it to the builder with `hyper`, in a spec or on a rung of its own"),
                ),
            }
        }
        refused.into_iter().for_each(|error| reader.push(error));
        subject
    }
}
