//! What kind of file a model or a state dict is in, told from its first bytes and the names inside it: libtorch's own
//! messages about a file of another kind help nobody.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use crate::data;
use crate::diagnostic::suggest::nearest;

/// What a file is, whatever its name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModelFile {
    /// Saved by `torch.jit.save` (or by tch's `VarStore::save`, which writes the same format without code of the user's).
    TorchScript,
    /// Saved by `torch.save`: a state dict, a checkpoint, or a whole pickled module.
    Pickle,
    /// Saved by `torch.save` of a PyTorch before 1.6.
    OldPickle,
    /// Saved by `torch.export.save`.
    Export,
    /// Arrays of numpy.
    Npz,
    /// A `.safetensors` file.
    Safetensors,
    /// Something else, or a file that was cut short.
    Other,
}

impl ModelFile {
    /// Looks into a file.
    ///
    /// # Errors
    /// When it cannot be opened or read, or is no file: pipes may never end.
    pub fn of(path: &Path) -> io::Result<Self> {
        if !std::fs::metadata(path)?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is a folder, a pipe or a device, not a file"));
        }
        let mut head = Vec::new();
        File::open(path)?.take(16).read_to_end(&mut head)?;
        if head.starts_with(b"PK\x03\x04") {
            return Ok(names_in(path).map_or(Self::Other, |names| Self::of_names(&names)));
        }
        // First of all: the length that a safetensors file begins with may look like the beginning of a pickle.
        if head.get(8) == Some(&b'{') {
            return Ok(Self::Safetensors);
        }
        // Protocol 2 and on begin with PROTO; the old format begins with a pickled magic number.
        if head.len() > 2 && head[0] == 0x80 && (2..=5).contains(&head[1]) {
            return Ok(Self::OldPickle);
        }
        Ok(Self::Other)
    }

    fn of_names(names: &[String]) -> Self {
        // All but numpy's lie below one folder, named after the file that was saved.
        let inside = |test: &dyn Fn(&str) -> bool| {
            names.iter().any(|name| name.split_once('/').is_some_and(|(_, inner)| test(inner)))
        };
        if inside(&|name| name.starts_with("code/")) {
            Self::TorchScript
        } else if inside(&|name| name == "archive_format" || name.starts_with("models/")) {
            Self::Export
        } else if inside(&|name| name == "data.pkl") {
            Self::Pickle
        } else if !names.is_empty() && names.iter().all(|name| name.ends_with(".npy")) {
            Self::Npz
        } else {
            Self::Other
        }
    }

    /// What it is, as a sentence has it: "it is ...".
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::TorchScript => "a TorchScript model",
            Self::Pickle => "a pickle by `torch.save` (a state dict, a checkpoint or a whole module)",
            Self::OldPickle => "a pickle in the format of `torch.save` before PyTorch 1.6",
            Self::Export => "a program by `torch.export.save`",
            Self::Npz => "an .npz file of numpy",
            Self::Safetensors => "a .safetensors file",
            Self::Other => "of no kind that nncheck knows, or was cut short",
        }
    }
}

/// The names in a zip archive; `None` where it is none, or is damaged.
fn names_in(path: &Path) -> Option<Vec<String>> {
    let archive = zip::ZipArchive::new(BufReader::new(File::open(path).ok()?)).ok()?;
    Some(archive.file_names().filter_map(Result::ok).map(std::borrow::Cow::into_owned).collect())
}

/// Whether all of an archive is there and undamaged, by its own sizes and checksums. libtorch and tch make room for
/// whatever a damaged header claims.
///
/// # Errors
/// What is wrong with it, as a sentence has it: "it is damaged: ...".
pub fn intact(path: &Path) -> Result<(), String> {
    let damaged = |why: String| format!("it is damaged: {why}");
    let file = File::open(path).map_err(|why| why.to_string())?;
    let mut archive = zip::ZipArchive::new(BufReader::new(file)).map_err(|why| damaged(why.to_string()))?;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(|why| damaged(why.to_string()))?;
        let (name, claimed) = (entry.name().map(std::borrow::Cow::into_owned).unwrap_or_default(), entry.size());
        // One more than claimed is enough to know.
        let there = io::copy(&mut entry.by_ref().take(claimed.saturating_add(1)), &mut io::sink());
        match there {
            Err(why) => return Err(damaged(format!("`{name}` in it cannot be read ({why})"))),
            Ok(there) if there != claimed => {
                return Err(damaged(format!("`{name}` in it should have {claimed} bytes, and has {there}")));
            }
            Ok(_) => {}
        }
    }
    Ok(())
}

/// Whether a TorchScript model was made by `torch.jit.trace`, which keeps its example inputs in the file.
#[must_use]
pub fn is_traced(path: &Path) -> bool {
    names_in(path).unwrap_or_default().iter().any(|name| name.ends_with("/traced_inputs.pkl"))
}

/// What is wrong with the file of `model.torchscript`, with what to do; nothing if it is a TorchScript model.
///
/// # Errors
/// When it is missing, or of another kind.
pub fn torchscript(path: &Path) -> Result<(), (String, Vec<String>)> {
    let name = file_name(path);
    let script = "in Python: `torch.jit.script(model).save(\"model.pt\")`";
    match ModelFile::of(path) {
        Err(error) => Err(unreadable(path, &error)),
        Ok(ModelFile::TorchScript) => Ok(()),
        Ok(kind @ (ModelFile::Pickle | ModelFile::OldPickle)) => Err((
            format!("`{name}` is no TorchScript model: it is {}", kind.words()),
            vec![
                script.into(),
                "or describe the network with `layers` or `builder` and load the state dict with `weights`".into(),
            ],
        )),
        Ok(kind @ (ModelFile::Npz | ModelFile::Safetensors)) => Err((
            format!("`{name}` is no TorchScript model: it is {}", kind.words()),
            vec!["a file of tensors alone goes beside `layers` or `builder`, as `weights`".into()],
        )),
        Ok(kind) => Err((format!("`{name}` is no TorchScript model: it is {}", kind.words()), vec![script.into()])),
    }
}

/// The names in a file of weights, for what can be held against them before a model is built; `None` where only libtorch
/// can read them.
///
/// # Errors
/// When the file is missing, or holds no weights: what is wrong, and what to do.
pub fn state_dict(path: &Path) -> Result<Option<Vec<String>>, (String, Vec<String>)> {
    match ModelFile::of(path) {
        Err(error) => Err(unreadable(path, &error)),
        Ok(ModelFile::Safetensors) => {
            data::safetensors_names(path).map(Some).map_err(|reason| no_state_dict(path, &reason))
        }
        Ok(ModelFile::Npz) => {
            let names = names_in(path).unwrap_or_default();
            Ok(Some(names.iter().filter_map(|name| name.strip_suffix(".npy")).map(str::to_owned).collect()))
        }
        Ok(ModelFile::TorchScript | ModelFile::Pickle) => Ok(None),
        Ok(kind @ (ModelFile::OldPickle | ModelFile::Export | ModelFile::Other)) => {
            Err(no_state_dict(path, &format!("it is {}", kind.words())))
        }
    }
}

/// That no weights can be read from a file, and how one is written that they can be read from.
#[must_use]
pub fn no_state_dict(path: &Path, reason: &str) -> (String, Vec<String>) {
    let help = vec![
        "in Python: `safetensors.torch.save_file(model.state_dict(), \"init.safetensors\")`".to_owned(),
        "in Rust: `var_store.save(\"init.safetensors\")`".to_owned(),
        format!("read from {}", path.display()),
    ];
    (format!("no state dict can be read from `{}`: {reason}", file_name(path)), help)
}

/// Why a file cannot be read, and what may be meant where it is not there.
#[must_use]
pub fn unreadable(path: &Path, error: &io::Error) -> (String, Vec<String>) {
    if error.kind() != io::ErrorKind::NotFound {
        return (format!("cannot read `{}`: {error}", path.display()), Vec::new());
    }
    let name = file_name(path);
    let mut neighbours: Vec<String> = path
        .parent()
        .and_then(|folder| std::fs::read_dir(folder).ok())
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    neighbours.sort();
    let mut help = Vec::new();
    if let Some(near) = nearest(&name, neighbours.iter().map(String::as_str)) {
        help.push(format!("did you mean `{near}`, which is in the same folder?"));
    }
    help.push(format!("looked for {}", path.display()));
    (format!("there is no file `{name}`"), help)
}

/// A file's name without its folder, for messages.
#[must_use]
pub fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(|| path.to_string_lossy(), |name| name.to_string_lossy()).into_owned()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn zip_of(names: &[&str]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
        for name in names {
            writer
                .start_file(
                    *name,
                    zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored),
                )
                .unwrap();
            writer.write_all(b"x").unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn kind(bytes: &[u8]) -> ModelFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        ModelFile::of(file.path()).unwrap()
    }

    #[test]
    fn kinds_are_told_by_what_is_inside() {
        let scripted = zip_of(&["model/data.pkl", "model/code/__torch__.py", "model/data/0"]);
        assert_eq!(kind(&scripted), ModelFile::TorchScript);
        assert_eq!(kind(&zip_of(&["model/data.pkl", "model/data/0", "model/version"])), ModelFile::Pickle);
        assert_eq!(kind(&zip_of(&["m/archive_format", "m/models/model.json", "m/data/0"])), ModelFile::Export);
        assert_eq!(kind(&zip_of(&["x.npy", "a/y.npy"])), ModelFile::Npz);
        assert_eq!(kind(b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."), ModelFile::OldPickle);
        assert_eq!(kind(b"\x40\0\0\0\0\0\0\0{\"__metadata__\""), ModelFile::Safetensors);
        assert_eq!(kind(b""), ModelFile::Other);
        assert_eq!(kind(&scripted[..scripted.len() / 2]), ModelFile::Other, "cut short");
    }

    #[test]
    fn what_is_no_file_is_told_and_not_waited_for() {
        for path in ["/dev/zero", "."] {
            let (cause, _) = torchscript(Path::new(path)).unwrap_err();
            assert!(cause.ends_with("not a file"), "{cause}");
        }
    }

    #[test]
    fn what_is_no_torchscript_model_is_told_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.pt");
        std::fs::write(&path, zip_of(&["model/data.pkl", "model/data/0"])).unwrap();
        let (cause, help) = torchscript(&path).unwrap_err();
        assert!(cause.contains("a pickle by `torch.save`"), "{cause}");
        assert!(help[0].contains("torch.jit.script(model).save"), "{help:?}");
        let (cause, help) = torchscript(&folder.path().join("modle.pt")).unwrap_err();
        assert_eq!(cause, "there is no file `modle.pt`");
        assert_eq!(help[0], "did you mean `model.pt`, which is in the same folder?");
    }

    #[test]
    fn no_damage_of_an_archive_goes_unseen_where_it_matters() {
        let sound = zip_of(&["model/data.pkl", "model/data/0"]);
        let told = |bytes: &[u8]| {
            let mut file = tempfile::NamedTempFile::new().unwrap();
            file.write_all(bytes).unwrap();
            intact(file.path())
        };
        assert_eq!(told(&sound), Ok(()));
        assert!(told(&sound[..sound.len() - 30]).unwrap_err().starts_with("it is damaged: "));
        // The size that the directory at the end claims for the first file, which a reader makes room for.
        let directory = sound.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
        let mut claims = sound.clone();
        claims[directory + 27] = 0x40;
        assert!(told(&claims).is_err());
        // And its contents, told by their checksum.
        let mut content = sound;
        let at = content.windows(14).position(|w| w == b"model/data.pkl").unwrap() + 14;
        content[at] ^= 1;
        assert!(told(&content).unwrap_err().contains("data.pkl"));
    }
}
