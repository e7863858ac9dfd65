//! Models exported by `torch.jit`, trained as they are.
//!
//! Their parameters are put into the variable store under their names in Python, so that loading, freezing, optimizers
//! and observers know them as they know those of any other model. Their initial values are the file's: a seed decides
//! the order of the batches and the masks of dropout, and no more.

mod ffi;

use std::collections::HashSet;
use std::path::Path;

use nncheck_core::model_file;
use tch::nn::VarStore;
use tch::{Device, Kind, Tensor};

use self::ffi::{Module, Role};
use super::SubjectError;
use super::error::first_lines;
use crate::user::{Batch, Model, Outputs};

/// A TorchScript model.
#[derive(Debug)]
pub struct TorchScript {
    module: Module,
}

impl TorchScript {
    /// Loads a model onto the store's device, its floating-point tensors in `kind`, and puts its parameters and buffers
    /// into the store.
    ///
    /// # Errors
    /// When the file is no TorchScript model, or one that cannot be trained: frozen, or traced in evaluation mode.
    pub fn load(store: &VarStore, file: &Path, kind: Kind) -> Result<Self, SubjectError> {
        model_file::torchscript(file).map_err(|(cause, help)| SubjectError { cause, help })?;
        let name = model_file::file_name(file);
        let told = |error: String| SubjectError::new(format!("`{name}` cannot be loaded: {}", few_words(&error)));
        model_file::intact(file).map_err(|why| {
            SubjectError::new(format!("`{name}` cannot be loaded: {why}")).help("save it once more, and copy it whole")
        })?;
        let module = Module::load(file, &device_name(store.device())).map_err(told)?;
        let (eval, train) = module.fixed_modes().map_err(told)?;
        // A script may well mean what it fixes; a trace writes down the mode that the model happened to be in.
        if eval > 0 && train == 0 && model_file::is_traced(file) {
            return Err(SubjectError::new(format!(
                "`{name}` was traced in evaluation mode: its dropout and batch norm are fixed in it, so it cannot be trained"
            ))
            .help("export it with `torch.jit.script(model)`, which keeps the mode open")
            .help("`torch.jit.trace` writes down the mode that the model happens to be in"));
        }
        let mut trained = 0;
        // PyTorch lists a parameter that is tied to another once, under its first name.
        let mut seen = HashSet::new();
        for mut slot in module.tensors().map_err(told)? {
            if slot.tensor.is_floating_point() && slot.tensor.kind() != kind {
                slot.tensor.set_data(&slot.tensor.to_kind(kind));
            }
            let address = (slot.tensor.data_ptr().addr(), slot.tensor.size());
            if slot.role == Role::Attribute || (slot.tensor.numel() > 0 && !seen.insert(address)) {
                continue;
            }
            put(store, &slot.name, slot.tensor, slot.role == Role::Parameter);
            trained += usize::from(slot.role == Role::Parameter);
        }
        if trained == 0 {
            return Err(SubjectError::new(format!("`{name}` has no parameters that could be trained"))
                .help("`torch.jit.freeze` and `torch.jit.optimize_for_inference` turn parameters into constants")
                .help("save the model before that: `torch.jit.script(model).save(\"model.pt\")`"));
        }
        Ok(Self { module })
    }
}

impl Model for TorchScript {
    fn outputs(&self, batch: &Batch, train: bool) -> Outputs {
        // As a model of tch's does, it panics where it cannot go on; the panic is told as the property's error.
        let outputs = match self.module.forward(batch, train) {
            Ok(outputs) => outputs,
            Err(error) => panic!("the TorchScript model failed: {}", few_words(&error)),
        };
        assert!(
            !outputs.is_empty(),
            "the TorchScript model returns no tensors: its `forward` must return a tensor, a tuple of tensors, or a \
             dictionary of tensors"
        );
        outputs.into_iter().fold(Outputs::new(), |outputs, (name, tensor)| outputs.with(name, tensor))
    }
}

/// All parameters and buffers of a TorchScript file, as tch's `VarStore::save` writes them, too.
pub(super) fn read_tensors(file: &Path) -> Result<Vec<(String, Tensor)>, String> {
    let slots = Module::load(file, "cpu").and_then(|module| module.tensors()).map_err(|e| few_words(&e))?;
    // In a file of tch's, a dot in a name is a bar.
    Ok(slots
        .into_iter()
        .filter(|slot| slot.role != Role::Attribute)
        .map(|slot| (slot.name.replace('|', "."), slot.tensor.detach()))
        .collect())
}

/// Puts a tensor into the store under its name in Python, with the gradients that it was saved with.
fn put(store: &VarStore, name: &str, tensor: Tensor, parameter: bool) {
    let (layers, own) = name.rsplit_once('.').map_or(("", name), |(layers, own)| (layers, own));
    let path = layers.split('.').filter(|part| !part.is_empty()).fold(store.root(), |path, part| path.sub(part));
    let frozen = !tensor.requires_grad();
    let put = path.add(own, tensor, parameter);
    if parameter && frozen {
        let _frozen = put.set_requires_grad(false);
    }
}

fn device_name(device: Device) -> String {
    match device {
        Device::Cpu => "cpu".to_owned(),
        Device::Cuda(index) => format!("cuda:{index}"),
        Device::Mps => "mps".to_owned(),
        Device::Vulkan => "vulkan".to_owned(),
    }
}

/// TorchScript's errors show two tracebacks, of the code in the file and of the code that it was made from. What is left
/// here is the reason, and the last line of the user's own code.
fn few_words(error: &str) -> String {
    let error = first_lines(error);
    let mut reason = None;
    for line in error.lines() {
        if let Some((kind, words)) = line.split_once(": ")
            && (kind.ends_with("Error") || kind.ends_with("Exception"))
            && !kind.contains(' ')
        {
            reason = Some(words.to_owned());
        }
    }
    let Some(reason) = reason else { return error };
    let lines: Vec<&str> = error.lines().collect();
    let here = lines.iter().rposition(|line| line.contains("<--- HERE"));
    match here.and_then(|index| lines[..index].last()) {
        Some(code) => format!("{reason}\nin `{}`", code.trim()),
        None => reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn golden(name: &str) -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden").join(name)
    }

    fn loaded(name: &str, kind: Kind) -> Result<(VarStore, TorchScript), SubjectError> {
        let store = VarStore::new(Device::Cpu);
        let model = TorchScript::load(&store, &golden(name), kind)?;
        Ok((store, model))
    }

    fn batch(kind: Kind) -> Batch {
        let x = Tensor::from_slice(&[1.0, -2.0, 0.5, 4.0, 3.0, 1.0]).reshape([3, 2]).to_kind(kind);
        Batch::new(x, Tensor::from_slice(&[0_i64, 1, 0]))
    }

    #[test]
    fn parameters_keep_their_names_and_buffers_their_numbers() {
        for kind in [Kind::Float, Kind::Double] {
            let (store, _model) = loaded("small.pt", kind).unwrap();
            let variables = store.variables();
            let mut names: Vec<&str> = variables.keys().map(String::as_str).collect();
            names.sort_unstable();
            assert_eq!(
                names,
                [
                    "bn.bias",
                    "bn.num_batches_tracked",
                    "bn.running_mean",
                    "bn.running_var",
                    "bn.weight",
                    "hidden.bias",
                    "hidden.weight"
                ]
            );
            assert_eq!(variables["bn.running_mean"].kind(), kind);
            assert_eq!(variables["bn.num_batches_tracked"].kind(), Kind::Int64);
            assert_eq!(variables["bn.running_mean"].double_value(&[2]), 0.5);
            assert!(!variables["bn.bias"].requires_grad(), "it was saved as frozen");
            assert!(variables["hidden.weight"].requires_grad());
            assert_eq!(store.trainable_variables().len(), 4);
        }
    }

    #[test]
    fn every_forward_pass_can_be_trained_and_seen_and_the_mode_is_heeded() {
        let (store, model) = loaded("small.pt", Kind::Double).unwrap();
        let named: Vec<(String, Tensor)> = store.variables().into_iter().collect();
        let mut observer = crate::observe::Observer::new(&named);
        let before = store.variables()["bn.running_mean"].copy();
        let still = model.outputs(&batch(Kind::Double), false).main().copy();
        assert_eq!(store.variables()["bn.running_mean"], before, "evaluation moves no running mean");
        for pass in 0..4 {
            let (outputs, seen) = observer.watch(|| model.outputs(&batch(Kind::Double), true)).unwrap();
            let layers: Vec<(&str, &str)> = seen.iter().map(|a| (a.layer.as_str(), a.operator.as_str())).collect();
            assert_eq!(layers, [("hidden", "linear"), ("hidden.relu", "relu"), ("bn", "batch_norm")], "pass {pass}");
            outputs.main().square().sum(Kind::Double).backward();
            assert!(store.variables()["hidden.weight"].grad().defined(), "pass {pass}");
        }
        assert_ne!(store.variables()["bn.running_mean"], before, "training moves it");
        assert_ne!(model.outputs(&batch(Kind::Double), true).main(), &still);
    }

    #[test]
    fn what_cannot_be_trained_is_told_with_what_to_do() {
        let error = loaded("traced_eval.pt", Kind::Float).unwrap_err();
        assert!(error.cause.contains("was traced in evaluation mode"), "{}", error.cause);
        let error = loaded("frozen.pt", Kind::Float).unwrap_err();
        assert!(error.cause.contains("has no parameters"), "{}", error.cause);
        let error = loaded("state_dict.pt", Kind::Float).unwrap_err();
        assert!(error.cause.contains("a pickle by `torch.save`"), "{}", error.cause);
    }

    #[test]
    fn an_error_of_the_interpreter_is_its_reason_and_the_line_of_the_model() {
        let error = "The following operation failed in the TorchScript interpreter.\n\
            Traceback of TorchScript, serialized code (most recent call last):\n  \
            File \"code/__torch__.py\", line 10, in forward\n    head = self.head\n    \
            return (head).forward(x)\n            ~~~~~~~~~~~~ <--- HERE\n\n\
            Traceback of TorchScript, original code (most recent call last):\n  \
            File \"export.py\", line 8, in forward\n    def forward(self, x):\n        \
            return self.head(x)\n               ~~~~~~~~~ <--- HERE\n\
            RuntimeError: mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)\n";
        assert_eq!(
            few_words(error),
            "mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)\nin `return self.head(x)`"
        );
        assert_eq!(few_words("something else\nException raised from x"), "something else");
    }
}
