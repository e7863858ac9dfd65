//! Loading a state dict, strictly: every tensor of the model comes from the file, and every tensor of the file goes
//! into the model. All that does not fit is told at once.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use globset::{Glob, GlobMatcher};
use nncheck_core::diagnostic::suggest::nearest;
use nncheck_core::model_file::{self, ModelFile};
use tch::Tensor;
use tch::nn::VarStore;

use super::error::first_lines;
use super::{SubjectError, torchscript};

/// PyTorch's counter of batch norm's steps; nothing depends on it while `momentum` is a number.
const COUNTER: &str = "num_batches_tracked";
/// How many names of one kind are listed.
const MOST: usize = 20;

/// Loads a state dict (.safetensors, tch's .ot, .npz, or a .pt of `torch.save`) into all variables of `store`, each in the number format that it has there. What
/// matches a glob of `ignore`, and PyTorch's `num_batches_tracked`, may be in the file without being in the model.
///
/// # Errors
/// When the file cannot be read, or does not hold exactly the model's tensors, in their shapes; nothing is loaded then.
pub fn load(store: &VarStore, file: &Path, ignore: &[String]) -> Result<(), SubjectError> {
    let name = model_file::file_name(file);
    let ignore = ignore.iter().map(|pattern| glob(pattern)).collect::<Result<Vec<_>, _>>()?;
    let stored: BTreeMap<String, Tensor> = read(file)?
        .into_iter()
        .filter(|(tensor, _)| !is_counter(tensor) && !ignore.iter().any(|glob| glob.is_match(tensor)))
        .collect();
    let wanted: BTreeMap<String, Tensor> =
        store.variables().into_iter().filter(|(tensor, _)| !is_counter(tensor)).collect();
    Differences::between(&wanted, &stored).into_result(&name)?;
    tch::no_grad(|| {
        for (name, mut variable) in wanted {
            if let Some(tensor) = stored.get(&name) {
                variable.f_copy_(tensor)?;
            }
        }
        Ok(())
    })
}

/// A glob over names of parameters; `*` goes over dots.
///
/// # Errors
/// When the pattern is no glob.
pub fn glob(pattern: &str) -> Result<GlobMatcher, SubjectError> {
    Glob::new(pattern).map(|glob| glob.compile_matcher()).map_err(|e| {
        SubjectError::new(format!("`{pattern}` is not a glob: {}", e.kind()))
            .help("a glob may hold `*`, `?`, `[a-z]` and `{one,other}`")
    })
}

fn is_counter(name: &str) -> bool {
    name.rsplit('.').next() == Some(COUNTER)
}

fn read(file: &Path) -> Result<Vec<(String, Tensor)>, SubjectError> {
    let kind = ModelFile::of(file).map_err(|e| {
        let (cause, help) = model_file::unreadable(file, &e);
        SubjectError { cause, help }
    })?;
    let archive = matches!(kind, ModelFile::TorchScript | ModelFile::Npz | ModelFile::Pickle);
    // By what is inside, not by the name: checkpoints are called .pt, .pth, .bin and .ckpt.
    let whole = if archive { model_file::intact(file) } else { Ok(()) };
    let tensors = whole.and_then(|()| match kind {
        ModelFile::Safetensors => Tensor::read_safetensors(file).map_err(|e| match e {
            // The reader's own words repeat the path and wrap the reason twice.
            tch::TchError::SafeTensorError { err, .. } => err.to_string(),
            e => first_lines(&e.to_string()),
        }),
        ModelFile::TorchScript => torchscript::read_tensors(file),
        // These two readers of tch's unwrap in a few places, which a file that was cut short can reach.
        ModelFile::Npz => unpanicked(|| Tensor::read_npz(file)),
        ModelFile::Pickle => unpanicked(|| Tensor::loadz_multi(file)).map_err(|_| {
            "libtorch reads a `torch.save` of nothing but a plain dictionary of tensors, as in \
             `torch.save(dict(model.state_dict()), \"init.pt\")`"
                .to_owned()
        }),
        ModelFile::OldPickle | ModelFile::Export | ModelFile::Other => Err(format!("it is {}", kind.words())),
    });
    tensors.map_err(|reason| {
        let (cause, help) = model_file::no_state_dict(file, &reason);
        SubjectError { cause, help }
    })
}

fn unpanicked<T>(read: impl FnOnce() -> Result<T, tch::TchError>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(read) => read.map_err(|e| first_lines(&e.to_string())),
        Err(_) => Err("the file is damaged".to_owned()),
    }
}

/// What keeps a file from fitting a model.
#[derive(Debug, Default, PartialEq, Eq)]
struct Differences {
    /// In the model only, with the name in the file that may be meant.
    missing: Vec<String>,
    /// In the file only.
    unexpected: Vec<String>,
    /// In both, of different shapes or of numbers that are no fractions.
    misshapen: Vec<String>,
    /// A prefix that all names of the file have and those of the model lack.
    prefix: Option<String>,
}

impl Differences {
    fn between(wanted: &BTreeMap<String, Tensor>, stored: &BTreeMap<String, Tensor>) -> Self {
        let spare: BTreeSet<&str> = stored.keys().map(String::as_str).filter(|n| !wanted.contains_key(*n)).collect();
        let lacking: BTreeSet<&str> = wanted.keys().map(String::as_str).filter(|n| !stored.contains_key(*n)).collect();
        let near = |name: &str, among: &BTreeSet<&str>| {
            nearest(name, among.iter().copied()).map(|n| format!(", perhaps `{n}`")).unwrap_or_default()
        };
        let missing = lacking.iter().map(|n| format!("`{n}` {:?}{}", wanted[*n].size(), near(n, &spare)));
        let unexpected = spare.iter().map(|n| format!("`{n}` {:?}", stored[*n].size()));
        let misshapen = wanted.iter().filter_map(|(name, variable)| {
            let tensor = stored.get(name)?;
            let (ours, theirs) = (variable.size(), tensor.size());
            if ours != theirs {
                return Some(format!("`{name}` is {ours:?} in the model and {theirs:?} in the file"));
            }
            (variable.is_floating_point() != tensor.is_floating_point())
                .then(|| format!("`{name}` is {:?} in the model and {:?} in the file", variable.kind(), tensor.kind()))
        });
        Self {
            missing: missing.collect(),
            unexpected: unexpected.collect(),
            misshapen: misshapen.collect(),
            prefix: common_prefix(wanted, stored),
        }
    }

    fn into_result(self, file: &str) -> Result<(), SubjectError> {
        if self.missing.is_empty() && self.unexpected.is_empty() && self.misshapen.is_empty() {
            return Ok(());
        }
        let mut cause = format!("the weights in `{file}` do not fit the model");
        for (what, names) in [
            ("missing in the file", &self.missing),
            ("of another shape", &self.misshapen),
            ("in the file but not in the model", &self.unexpected),
        ] {
            if names.is_empty() {
                continue;
            }
            cause.push_str(&format!("\n  {what}:"));
            for name in names.iter().take(MOST) {
                cause.push_str(&format!("\n    {name}"));
            }
            if names.len() > MOST {
                cause.push_str(&format!("\n    and {} more", names.len() - MOST));
            }
        }
        let mut error = SubjectError::new(cause);
        if let Some(prefix) = &self.prefix {
            error = error.help(format!("all names of the file begin with `{prefix}`: take it off before saving"));
        } else if !self.missing.is_empty() {
            error = error
                .help("tensors are named `<layer name or index>.<weight|bias|...>`, as PyTorch's `state_dict` does");
        }
        if !self.unexpected.is_empty() {
            error =
                error.help("what is no parameter may be named in `weights = { file = \"...\", ignore = [\"...\"] }`");
        }
        Err(error)
    }
}

/// The first part of all names in the file (`module.` of `DataParallel`), if what remains is what the model calls them.
fn common_prefix(wanted: &BTreeMap<String, Tensor>, stored: &BTreeMap<String, Tensor>) -> Option<String> {
    let (first, _) = stored.keys().next()?.split_once('.')?;
    let prefix = format!("{first}.");
    let bare = |name: &String| name.strip_prefix(&prefix).is_some_and(|rest| wanted.contains_key(rest));
    stored.keys().all(bare).then_some(prefix)
}

#[cfg(test)]
mod tests {
    use tch::nn::Init;
    use tch::{Device, Kind};

    use super::*;

    fn store() -> VarStore {
        let store = VarStore::new(Device::Cpu);
        let root = store.root();
        let _weight = root.sub("hidden").var("weight", &[3, 2], Init::Const(0.0));
        let _bias = root.sub("hidden").var("bias", &[3], Init::Const(0.0));
        let _mean = root.sub("bn").zeros_no_train("running_mean", &[3]);
        store
    }

    fn file(tensors: &[(&str, Tensor)]) -> tempfile::TempPath {
        let path = tempfile::Builder::new().suffix(".safetensors").tempfile().unwrap().into_temp_path();
        Tensor::write_safetensors(tensors, &path).unwrap();
        path
    }

    fn fitting() -> Vec<(&'static str, Tensor)> {
        vec![
            ("hidden.weight", Tensor::arange(6, (Kind::Double, Device::Cpu)).reshape([3, 2]) + 1e-12),
            ("hidden.bias", Tensor::from_slice(&[1.0_f32, 2.0, 3.0])),
            ("bn.running_mean", Tensor::from_slice(&[7.0, 8.0, 9.0])),
            ("bn.num_batches_tracked", Tensor::from(4_i64)),
        ]
    }

    #[test]
    fn tensors_go_into_variables_in_the_models_number_format() {
        let mut store = store();
        store.double();
        load(&store, &file(&fitting()), &[]).unwrap();
        let variables = store.variables();
        assert_eq!(variables["hidden.weight"].double_value(&[2, 1]), 5.0 + 1e-12);
        assert_eq!(variables["hidden.bias"].kind(), Kind::Double);
        assert_eq!(variables["bn.running_mean"].double_value(&[2]), 9.0);
        assert!(variables["hidden.weight"].requires_grad() && !variables["bn.running_mean"].requires_grad());

        let single = self::store();
        load(&single, &file(&fitting()), &[]).unwrap();
        assert_eq!(single.variables()["hidden.weight"].kind(), Kind::Float);
    }

    #[test]
    fn all_that_does_not_fit_is_told_at_once_and_nothing_is_loaded() {
        let store = store();
        let tensors = [
            ("hiden.weight", Tensor::ones([3, 2], (Kind::Float, Device::Cpu))),
            ("hidden.bias", Tensor::ones([4], (Kind::Float, Device::Cpu))),
            ("bn.running_mean", Tensor::from_slice(&[1_i64, 2, 3])),
            ("x", Tensor::ones([64, 2], (Kind::Float, Device::Cpu))),
        ];
        let error = load(&store, &file(&tensors), &[]).unwrap_err();
        for line in [
            "`hidden.weight` [3, 2], perhaps `hiden.weight`",
            "`hidden.bias` is [3] in the model and [4] in the file",
            "`bn.running_mean` is Float in the model and Int64 in the file",
            "`x` [64, 2]",
        ] {
            assert!(error.cause.contains(line), "{line} in {}", error.cause);
        }
        assert!(store.variables().values().all(|v| v.abs().max().double_value(&[]) == 0.0));
    }

    #[test]
    fn ignored_names_may_be_in_the_file() {
        let mut tensors = fitting();
        tensors.push(("x", Tensor::ones([2], (Kind::Float, Device::Cpu))));
        tensors.push(("extra.a", Tensor::ones([2], (Kind::Float, Device::Cpu))));
        let path = file(&tensors);
        load(&store(), &path, &["x".into(), "extra.*".into()]).unwrap();
        let error = load(&store(), &path, &["x".into()]).unwrap_err();
        assert!(error.cause.contains("`extra.a`") && !error.cause.contains("`x`"), "{}", error.cause);
        assert!(load(&store(), &path, &["x[".into()]).unwrap_err().cause.contains("not a glob"));
    }

    #[test]
    fn a_prefix_of_all_names_is_told() {
        let tensors: Vec<(String, Tensor)> = fitting().into_iter().map(|(n, t)| (format!("module.{n}"), t)).collect();
        let named: Vec<(&str, Tensor)> = tensors.iter().map(|(n, t)| (n.as_str(), t.shallow_clone())).collect();
        let error = load(&store(), &file(&named), &[]).unwrap_err();
        assert!(error.help[0].contains("`module.`"), "{:?}", error.help);
    }

    fn variables(store: &VarStore) -> BTreeMap<String, Tensor> {
        store.variables().into_iter().collect()
    }

    #[test]
    fn tchs_own_files_and_numpys_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let full = store();
        load(&full, &file(&fitting()), &[]).unwrap();
        let ot = folder.path().join("a.ot");
        full.save(&ot).unwrap();
        let npz = folder.path().join("a.npz");
        let named: Vec<(String, Tensor)> = full.variables().into_iter().collect();
        let named: Vec<(&str, Tensor)> = named.iter().map(|(n, t)| (n.as_str(), t.detach())).collect();
        Tensor::write_npz(&named, &npz).unwrap();
        for path in [ot, npz] {
            let fresh = store();
            load(&fresh, &path, &[]).unwrap();
            for (name, tensor) in variables(&fresh) {
                assert_eq!(tensor, full.variables()[&name], "{name} of {}", path.display());
            }
        }
    }

    #[test]
    fn files_of_pytorch_are_read() {
        // A state dict by `torch.save`, and a scripted model, of Linear(2, 3) called `hidden` and BatchNorm1d(3) called `bn`.
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden");
        let ignore = ["bn.weight".to_owned(), "bn.bias".to_owned(), "bn.running_var".to_owned()];
        for name in ["state_dict.pt", "small.pt"] {
            let fresh = store();
            load(&fresh, &golden.join(name), &ignore).unwrap();
            let bias = &variables(&fresh)["hidden.bias"];
            assert_eq!(Vec::<f64>::try_from(bias.to_kind(Kind::Double)).unwrap(), [1.0, 2.0, 3.0], "{name}");
            assert_eq!(variables(&fresh)["bn.running_mean"].double_value(&[2]), 0.5, "{name}");
        }
    }

    #[test]
    fn a_pickle_that_libtorch_cannot_read_is_told_with_one_that_it_can() {
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/ordered_dict.pt");
        let error = load(&store(), &golden, &[]).unwrap_err();
        assert!(error.cause.contains("torch.save(dict(model.state_dict())"), "{}", error.cause);
    }

    #[test]
    fn a_file_that_was_cut_short_is_an_error_at_every_length() {
        let folder = tempfile::tempdir().unwrap();
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden");
        let full = store();
        for name in ["a.ot", "a.npz"] {
            let named: Vec<(String, Tensor)> = full.variables().into_iter().collect();
            let named: Vec<(&str, Tensor)> = named.iter().map(|(n, t)| (n.as_str(), t.detach())).collect();
            match name {
                "a.ot" => full.save(folder.path().join(name)).unwrap(),
                _ => Tensor::write_npz(&named, folder.path().join(name)).unwrap(),
            }
        }
        std::fs::copy(file(&fitting()), folder.path().join("a.safetensors")).unwrap();
        for name in ["state_dict.pt", "small.pt"] {
            std::fs::copy(golden.join(name), folder.path().join(name)).unwrap();
        }
        for name in ["a.ot", "a.npz", "a.safetensors", "state_dict.pt", "small.pt"] {
            let bytes = std::fs::read(folder.path().join(name)).unwrap();
            let cut = folder.path().join("cut").with_extension(name.rsplit('.').next().unwrap());
            for length in (0..bytes.len() - 1).step_by(bytes.len() / 40 + 1) {
                std::fs::write(&cut, &bytes[..length]).unwrap();
                assert!(load(&store(), &cut, &[]).is_err(), "{name} cut to {length} of {} bytes", bytes.len());
                // Damaged in the middle: whatever comes of it, nothing crashes, and no room is made for what a header claims.
                let mut damaged = bytes.clone();
                for byte in damaged.iter_mut().skip(length).take(16) {
                    *byte ^= 0x5a;
                }
                std::fs::write(&cut, &damaged).unwrap();
                drop(load(&store(), &cut, &[]));
            }
        }
    }

    #[test]
    fn missing_and_broken_files_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("init.safetensors"), b"\x08\0\0\0\0\0\0\0not json").unwrap();
        let error = load(&store(), &at("init.safetensors"), &[]).unwrap_err();
        assert!(error.cause.starts_with("no state dict can be read from `init.safetensors`: "), "{}", error.cause);
        let error = load(&store(), &at("inti.safetensors"), &[]).unwrap_err();
        assert_eq!(error.cause, "there is no file `inti.safetensors`");
        assert_eq!(error.help[0], "did you mean `init.safetensors`, which is in the same folder?");
    }
}
