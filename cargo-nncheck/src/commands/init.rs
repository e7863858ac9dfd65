//! `cargo nncheck init`: a first spec for a package or for a folder of specs, from what is found there.

use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::Metadata;
use nncheck_core::data;
use nncheck_core::diagnostic::Diagnostic;
use nncheck_core::spec::data::DataSource;
use nncheck_core::spec::rust_path::Role;
use nncheck_core::suite::{self, Overrides, Sources, schema::json_schema};

use super::test_target;
use crate::cli::{InitArgs, ProjectArgs};
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::first_spec::{Builder, Draft, Model, NoBuilder, Parts, Source, candidates, files, text};
use crate::new_file::{cannot_write, write_new};
use crate::packages::{self, Package};
use crate::rust_source::RustSource;
use crate::surroundings::Surroundings;
use crate::wrong_paths;

/// Data larger than this is not read to see whether it can be: the first run will tell.
const LARGE: u64 = 64 << 20;

/// Where the spec goes.
struct Place {
    /// What its files are shown relative to.
    root: PathBuf,
    /// The folder of the specs.
    specs: PathBuf,
    /// How that folder is shown.
    shown: String,
    /// Where data is looked for.
    data: Vec<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// When there is no package, it has a spec of this name already, or a file cannot be written.
pub fn run(args: &InitArgs) -> Result<ExitCode, CommandError> {
    let surroundings = Surroundings::current().map_err(CommandError::Directory)?;
    if let Some(folder) = &args.specs_folder {
        if args.test_target {
            return Err(CommandError::Usage(
                "a folder of specs has no Rust to test: --test-target goes with a package".to_owned(),
            ));
        }
        let place = Place::of_folder(&surroundings.directory().join(folder), folder);
        let draft = write_spec(&place, &RustSource::default(), NoBuilder::Folder)?;
        next(&draft, &format!("cargo nncheck --specs {}", folder.display()));
        return Ok(ExitCode::Held);
    }
    let (package, metadata) = package(args, &surroundings)?;
    let place = Place::of_package(&package);
    let source = wrong_paths::sources(&package);
    for place in source.too_deep() {
        eprintln!("warning: passed over {}: line {} is nested too deeply to be read", place.file, place.line);
    }
    // A package that has specs already may still want the test target.
    let has_specs = fs::read_dir(&place.specs).is_ok_and(|mut files| files.next().is_some());
    let no_builder = if package.library.is_some() { NoBuilder::NoneInLibrary } else { NoBuilder::NoLibrary };
    let draft = if args.test_target && has_specs { None } else { Some(write_spec(&place, &source, no_builder)?) };
    if args.test_target {
        test_target::write(&package, &place.shown, metadata.as_ref(), &source)?;
    }
    if let Some(draft) = &draft {
        if package.library.is_none() {
            eprintln!("note: {}", no_library(&package));
        }
        next(draft, "cargo nncheck");
    }
    Ok(ExitCode::Held)
}

fn next(draft: &Draft, command: &str) {
    if draft.sure {
        eprintln!("next: `{command}` runs it; `cargo nncheck explain initial_loss` says what a check is about");
    } else {
        eprintln!("next: look at what is marked TODO or guessed, then `{command}` runs it");
    }
}

fn package(args: &InitArgs, surroundings: &Surroundings) -> Result<(Package, Option<Metadata>), CommandError> {
    let mut project = ProjectArgs { manifest: args.manifest.clone(), ..Default::default() };
    project.workspace.package.extend(args.package.clone());
    let chosen = packages::choose(&project, &[], false, surroundings)?;
    match <[Package; 1]>::try_from(chosen.packages) {
        Ok([package]) => Ok((package, chosen.metadata)),
        Err(packages) => {
            let names: Vec<&str> = packages.iter().map(|p| p.name.as_str()).collect();
            Err(CommandError::Usage(format!("say for which package, with -p: {}", names.join(", "))))
        }
    }
}

impl Place {
    fn of_package(package: &Package) -> Self {
        let root = &package.root;
        let first = package.sources.sources.first();
        let specs = first.map_or_else(|| root.join("specs"), |s| s.path.clone());
        let shown = first.map_or_else(|| "specs".to_owned(), |s| s.shown.clone());
        let data = ["data", "", "datasets", "assets", "resources", "tests/data", "../data"].map(|name| root.join(name));
        let data = data.into_iter().chain([specs.clone(), specs.join("data")]).map(|f| files::normal(&f)).collect();
        Self { root: root.clone(), specs: files::normal(&specs), shown, data }
    }

    fn of_folder(specs: &Path, shown: &Path) -> Self {
        let specs = files::normal(specs);
        let data = ["", "data", "..", "../data"].map(|name| files::normal(&specs.join(name))).to_vec();
        let shown = shown.to_string_lossy().replace('\\', "/").trim_end_matches('/').to_owned();
        Self { root: specs.clone(), specs, shown, data }
    }
}

/// What to do where there is no library: the model is to move there, out of the program that has it.
fn no_library(package: &Package) -> String {
    let words = format!("package `{}` has no library, and specs can name functions of a library only", package.name);
    let crate_name = package.name.replace('-', "_");
    let programs: Vec<RustSource> =
        package.programs.iter().map(|file| RustSource::read(&crate_name, file, &package.root)).collect();
    match programs.iter().flat_map(|source| source.all_of_role(Role::Builder)).next() {
        Some(found) => {
            let public = if found.is_pub { "" } else { "pub " };
            format!(
                "{words}: move `{}` ({}) into src/lib.rs as `{public}{}`; a spec then names it with \
                 `builder = \"{}\"`, and the program goes on using it through the library",
                found.name(),
                found.place,
                found.signature,
                found.defined
            )
        }
        None => format!(
            "{words}: put the model into src/lib.rs, as `pub fn model(path: &nn::Path) -> impl nn::ModuleT`, where \
             specs and programs can use it"
        ),
    }
}

/// Writes the best draft that can be read.
fn write_spec(place: &Place, source: &RustSource, no_builder: NoBuilder) -> Result<Draft, CommandError> {
    let builders: Vec<Builder> = source
        .of_role(Role::Builder)
        .filter_map(|function| {
            Some(Builder {
                path: function.public.clone()?,
                place: function.place.to_string(),
                hyper: function.hyper,
                network: source.network(function),
            })
        })
        .collect();
    let of = |role| source.of_role(role).filter_map(|f| f.public.clone()).collect();
    let parts = Parts {
        data: of(Role::Data),
        losses: of(Role::Loss),
        optimizers: of(Role::Optimizer),
        steps: of(Role::Step),
        subjects: source.subjects().collect(),
    };
    let found = files::find(&place.data);
    let torchscript = if builders.is_empty() { files::torchscript(&place.data) } else { None };
    let (drafts, mut passed) = candidates(&builders, &parts, torchscript.as_deref(), &found, &place.specs, no_builder);
    let mut chosen = None;
    for draft in drafts {
        let path = place.specs.join(format!("{}.toml", draft.name));
        if path.exists() {
            let shown = format!("{}/{}.toml", place.shown, draft.name);
            return Err(CommandError::Usage(format!("`{shown}` is there already; nothing was written")));
        }
        fs::create_dir_all(&place.specs).map_err(|e| cannot_write(&place.specs, &e))?;
        let spec = text(&draft);
        let errors = prove(&path, &spec)?;
        let last = matches!(draft.source, Source::Synthetic(_));
        if errors.is_empty() || last {
            write_new(&path, &spec, &format!("{}/{}.toml", place.shown, draft.name))?;
            chosen = Some(draft);
            break;
        }
        if let (Source::File(file), Some(error)) = (&draft.source, errors.first()) {
            let why = format!("{}: {}", files::relative(&place.specs, file.path()), error.message);
            if !passed.contains(&why) {
                passed.push(why);
            }
        }
    }
    let schema = place.specs.join("nncheck.schema.json");
    if !schema.exists() {
        write_new(&schema, &format!("{}\n", json_schema()), &format!("{}/nncheck.schema.json", place.shown))?;
    }
    for why in passed {
        eprintln!("note: passed over {why}");
    }
    // The last draft is always written.
    let draft = chosen.ok_or_else(|| CommandError::Usage("nothing was found to write a spec about".to_owned()))?;
    tell(&draft, place);
    Ok(draft)
}

/// Says what the spec is about.
fn tell(draft: &Draft, place: &Place) {
    let model = match &draft.model {
        Model::Builder(builders) => builders.first().map(|b| format!("`{}` ({})", b.path, b.place)).unwrap_or_default(),
        Model::TorchScript(path) => format!("`{path}`"),
        Model::Layers(NoBuilder::NoneInLibrary) => "layers, for no public function takes `&nn::Path`".to_owned(),
        Model::Layers(NoBuilder::NoLibrary) => "layers, for the package has no library".to_owned(),
        Model::Layers(NoBuilder::Folder) => "layers".to_owned(),
    };
    let data = match &draft.source {
        Source::File(file) => format!("`{}`", files::relative(&place.root, file.path())),
        Source::Function(path) => format!("`{path}`"),
        Source::Synthetic(why) => format!("made up, for {why}"),
    };
    eprintln!("model: {model}; data: {data}");
}

/// What is wrong with a spec before it has its name: it is read from its folder, for its paths to hold, and its data too.
fn prove(path: &Path, spec: &str) -> Result<Vec<Diagnostic>, CommandError> {
    // No spec by its name, should this be stopped half way.
    let trial = path.with_extension("").with_file_name(format!(
        "{}-trial-{}",
        path.file_stem().unwrap_or_default().to_string_lossy(),
        std::process::id()
    ));
    fs::write(&trial, spec).map_err(|e| cannot_write(&trial, &e))?;
    let errors = match suite::load(&Sources::one(&trial, "the spec"), &Overrides::default()) {
        Err(errors) => errors,
        Ok(suite) => {
            let mut errors = suite::precheck(&suite);
            for spec in suite.specs.iter().filter(|_| errors.is_empty()) {
                let subject = &spec.subject;
                if !is_large(&subject.data.source)
                    && !matches!(subject.data.source, DataSource::Function(_))
                    && let Err(error) = data::load(&subject.data, subject.task(), subject.dtype)
                {
                    errors.push(error.into_diagnostic(&spec.file));
                    break;
                }
            }
            errors
        }
    };
    fs::remove_file(&trial).map_err(|e| cannot_write(&trial, &e))?;
    Ok(errors)
}

fn is_large(source: &DataSource) -> bool {
    let path = match source {
        DataSource::Csv { path, .. } => path,
        DataSource::Npz(arrays) | DataSource::Safetensors(arrays) => &arrays.path,
        DataSource::Idx { images, .. } => images,
        _ => return false,
    };
    fs::metadata(&path.value).is_ok_and(|metadata| metadata.len() > LARGE)
}
