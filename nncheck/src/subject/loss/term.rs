//! One term of a loss. Output and target are checked against each other first: nothing is ever broadcast.

use nncheck_core::reference;
use nncheck_core::spec::loss::{self, ClassAxis, LossKind, Task};
use tch::{Kind, Reduction, Tensor};

use crate::bindings::{Bindings, OwnLoss};
use crate::subject::SubjectError;
use crate::tensors::shape;
use crate::user::{Batch, Losses, Named, Outputs};

/// One term of a loss.
pub(super) struct Term {
    spec: loss::Term,
    function: Option<OwnLoss>,
}

impl std::fmt::Debug for Term {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Term").field("spec", &self.spec).finish_non_exhaustive()
    }
}

impl Term {
    pub(super) fn build(spec: &loss::Term, bindings: &Bindings) -> Result<Self, SubjectError> {
        let function = spec.function.as_ref().map(|path| bindings.loss_at(&path.value)).transpose()?;
        Ok(Self { spec: spec.clone(), function })
    }

    pub(super) fn spec(&self) -> &loss::Term {
        &self.spec
    }

    pub(super) fn kind(&self) -> Option<LossKind> {
        self.spec.kind
    }

    pub(super) fn title(&self) -> &str {
        self.spec.title()
    }

    pub(super) fn ignore_index(&self) -> i64 {
        self.spec.ignore_index
    }

    /// The axis of the classes, as [`class_axis`] has it, where the spec says which, that one.
    pub(super) fn class_axis(&self, output: &Tensor, target: &Tensor) -> Result<i64, SubjectError> {
        class_axis(self.kind().unwrap_or(LossKind::CrossEntropy), output, target, self.spec.class_axis)
    }

    pub(super) fn class_weights(&self) -> Option<&[f64]> {
        self.spec.class_weights.as_ref().map(|weights| weights.value.as_slice())
    }

    pub(super) fn label_smoothing(&self) -> f64 {
        self.spec.label_smoothing
    }

    pub(super) fn output_name(&self) -> Option<&str> {
        self.spec.output.as_ref().map(|name| name.value.as_str())
    }

    /// The output that the term is of.
    pub(super) fn output<'o>(&self, outputs: &'o Outputs) -> Result<&'o Tensor, SubjectError> {
        chosen(outputs.named(), self.output_name(), "output", "model puts out")
    }

    /// The target that the term is of.
    pub(super) fn target<'b>(&self, batch: &'b Batch) -> Result<&'b Tensor, SubjectError> {
        let name = self.spec.target.as_ref().map(|name| name.value.as_str());
        chosen(batch.targets(), name, "target", "data has")
    }

    /// Adds the term to a loss; one that is `alone` and unnamed is called `loss`.
    pub(super) fn add(
        &self,
        losses: Losses,
        outputs: &Outputs,
        batch: &Batch,
        classes: Option<usize>,
        alone: bool,
    ) -> Result<Losses, SubjectError> {
        let title = if alone && self.spec.name.is_none() { "loss" } else { self.title() };
        let Some(function) = &self.function else {
            let value = self.value(outputs, batch, classes)?;
            return Ok(losses.weighted(title, value, self.spec.weight));
        };
        let own = if self.spec.output.is_none() && self.spec.target.is_none() {
            function(outputs, batch)
        } else {
            // What the spec names comes first, where a function of two tensors looks.
            let output =
                Outputs::new().with(self.output_name().unwrap_or("output"), self.output(outputs)?.shallow_clone());
            let target = self.spec.target.as_ref().map_or("y", |name| name.value.as_str());
            let targets: Named = [(target, self.target(batch)?.shallow_clone())].into_iter().collect();
            function(&output, &Batch::of(batch.inputs().clone(), targets))
        };
        let single = own.terms().len() == 1;
        Ok(own.terms().iter().fold(losses, |losses, term| {
            let name = match (single, alone) {
                (true, _) => title.to_owned(),
                (false, true) => term.name.clone(),
                (false, false) => format!("{title}.{}", term.name),
            };
            losses.weighted(name, term.value.shallow_clone(), self.spec.weight * term.weight)
        }))
    }

    fn value(&self, outputs: &Outputs, batch: &Batch, classes: Option<usize>) -> Result<Tensor, SubjectError> {
        let Some(kind) = self.spec.kind else {
            return Err(SubjectError::new("a term of the loss has no kind (this is a fault in nncheck)"));
        };
        let (output, target) = (self.output(outputs)?, self.target(batch)?);
        let reduction = match self.spec.reduction {
            loss::Reduction::Mean => Reduction::Mean,
            loss::Reduction::Sum => Reduction::Sum,
        };
        if kind.task() == Task::Multiclass {
            return self.by_class(kind, output, target, classes, reduction);
        }
        let target = &as_output(kind, output, target)?;
        Ok(match kind {
            LossKind::BceWithLogits => output.binary_cross_entropy_with_logits::<Tensor>(target, None, None, reduction),
            LossKind::Bce => {
                check_probabilities(output)?;
                output.binary_cross_entropy::<Tensor>(target, None, reduction)
            }
            LossKind::L1 => output.l1_loss(target, reduction),
            LossKind::Huber => output.huber_loss(target, reduction, self.spec.delta),
            _ => output.mse_loss(target, reduction),
        })
    }

    fn by_class(
        &self,
        kind: LossKind,
        output: &Tensor,
        target: &Tensor,
        classes: Option<usize>,
        reduction: Reduction,
    ) -> Result<Tensor, SubjectError> {
        let axis = self.class_axis(output, target)?;
        let width = usize::try_from(output.size_at(axis)).unwrap_or(0);
        if let Some(k) = classes.filter(|k| width < *k) {
            return Err(SubjectError::new(format!(
                "the model puts out {width} values for each example, but the data has {k} classes"
            ))
            .help(format!("give the last layer {k} outputs"))
            .help("or check the target column: `classes` in [data] says how many there are meant to be"));
        }
        let weights = match &self.spec.class_weights {
            Some(weights) if weights.value.len() != width => {
                return Err(SubjectError::new(format!(
                    "`class_weights` has {} numbers, but the model puts out {width} classes",
                    weights.value.len()
                ))
                .help("give each class its weight, in the order of their ids"));
            }
            Some(weights) => Some(Tensor::from_slice(&weights.value).to_kind(output.kind()).to_device(output.device())),
            None => None,
        };
        // PyTorch wants the classes on the second axis.
        let output = if axis == 1 { output.shallow_clone() } else { output.movedim_int(axis, 1) };
        let ignore = self.spec.ignore_index;
        Ok(match kind {
            LossKind::Nll => output.nll_loss_nd(target, weights, reduction, ignore),
            _ => output.cross_entropy_loss(target, weights, reduction, ignore, self.spec.label_smoothing),
        })
    }
}

trait SizeAt {
    fn size_at(&self, axis: i64) -> i64;
}

impl SizeAt for Tensor {
    fn size_at(&self, axis: i64) -> i64 {
        usize::try_from(axis).ok().and_then(|axis| self.size().get(axis).copied()).unwrap_or(0)
    }
}

/// The axis of the classes: the stated one; else the second, as PyTorch has it; for `[N, T, V]` against ids `[N, T]`, as
/// language models put it out, the last. Where two could be meant (`T` = `V`), neither is guessed.
pub(super) fn class_axis(
    kind: LossKind,
    output: &Tensor,
    target: &Tensor,
    stated: Option<ClassAxis>,
) -> Result<i64, SubjectError> {
    let (o, t) = (output.size(), target.size());
    let name = kind.name();
    if target.kind() != Kind::Int64 {
        return Err(SubjectError::new(format!("`{name}` wants class ids, and the targets are {:?}", target.kind()))
            .help("use a loss for numbers such as \"mse\", or make the target whole numbers (int64)"));
    }
    let rows = t.first().copied().unwrap_or(0);
    let (outputs, ids) = (shape(output), shape(target));
    let of =
        |axis| reference::class_axis(&outputs, &ids, Some(axis)).filter(|_| stated.is_none_or(|stated| stated == axis));
    match (of(ClassAxis::Second), of(ClassAxis::Last)) {
        (Some(second), Some(last)) if second != last => {
            return Err(SubjectError::new(format!(
                "the model puts out {o:?} for targets {t:?}: either of two axes could be the classes"
            ))
            .help("say which: `class_axis = -1` in [loss] is the last, `class_axis = 1` the second"));
        }
        (Some(axis), _) | (None, Some(axis)) => return Ok(i64::try_from(axis).unwrap_or(1)),
        (None, None) => {}
    }
    let error = if t.len() == 1 {
        SubjectError::new(format!(
            "the model puts out {o:?} for a batch of {rows} rows, but `{name}` wants [{rows}, classes]"
        ))
    } else {
        let places: Vec<String> = t.iter().skip(1).map(ToString::to_string).collect();
        SubjectError::new(format!(
            "the model puts out {o:?} for targets {t:?}, but `{name}` wants [{rows}, classes, {}]",
            places.join(", ")
        ))
    };
    let error = match stated {
        Some(ClassAxis::Last) => {
            error.help("the spec says that the classes lie on the last axis (`class_axis = -1` in [loss])")
        }
        _ => error,
    };
    Err(error.help(if t.len() == 1 && o.len() > 2 {
        "put `flatten` before the last layer, or pool the axes behind the classes away"
    } else {
        "let the model keep the batch axis first and put the classes on the second"
    }))
}

/// The target in the output's shape: `[n]` for `[n, 1]` and the other way round, and nothing else.
fn as_output(kind: LossKind, output: &Tensor, target: &Tensor) -> Result<Tensor, SubjectError> {
    let (o, t) = (output.size(), target.size());
    if o.first() == t.first() && output.numel() == target.numel() {
        return Ok(target.reshape_as(output).to_kind(output.kind()));
    }
    Err(SubjectError::new(format!(
        "the model puts out {o:?}, but the targets are {t:?}: `{}` wants as many outputs as targets",
        kind.name()
    ))
    .help(format!("give the last layer {} output(s)", t.get(1).copied().unwrap_or(1))))
}

/// libtorch aborts the whole computation with a terse assertion where `bce` is given logits.
fn check_probabilities(output: &Tensor) -> Result<(), SubjectError> {
    let outside = output.lt(0.0).logical_or(&output.gt(1.0)).any().int64_value(&[]) != 0;
    if outside {
        return Err(SubjectError::new("`bce` wants probabilities, but the model puts out values outside [0, 1]")
            .help("use `bce_with_logits`, or put a sigmoid on the last layer"));
    }
    Ok(())
}

/// The tensor that the spec names, or the first.
fn chosen<'t>(named: &'t Named, name: Option<&str>, key: &str, who: &str) -> Result<&'t Tensor, SubjectError> {
    let found = match name {
        Some(name) => named.get(name),
        None => named.first(),
    };
    found.ok_or_else(|| {
        let names: Vec<&str> = named.names().collect();
        let what = name.map_or_else(|| format!("no {key}"), |name| format!("no {key} `{name}`"));
        SubjectError::new(format!("the {who} {what}, which the loss is of")).help(match &names[..] {
            [] => "there are none".to_owned(),
            names => format!("there are {}", names.join(", ")),
        })
    })
}
