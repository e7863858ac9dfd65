//! Paths of specs that name nothing of the user's, or something else: the words for them, with what the sources have
//! instead.

use cargo_metadata::diagnostic::Diagnostic as CompilerDiagnostic;
use nncheck_core::diagnostic::Diagnostic;
use nncheck_core::spec::rust_path::Role;
use nncheck_core::suite::Suite;

use crate::packages::Package;
use crate::rust_source::RustSource;

/// The sources of a package's library.
#[must_use]
pub fn sources(package: &Package) -> RustSource {
    package.library.as_ref().map_or_else(RustSource::default, |library| {
        RustSource::read(&library.crate_name, &library.source, &package.root)
    })
}

/// What a compiler's error says for sure: the path does not exist, or not for others.
const MISSING: [&str; 6] = ["E0412", "E0425", "E0433", "E0432", "E0423", "E0603"];

/// A compiler error about a path, at every spec that names it.
#[must_use]
pub fn at_specs(
    role: Role,
    path: &str,
    message: &CompilerDiagnostic,
    sources: &RustSource,
    suite: &Suite,
) -> Vec<Diagnostic> {
    let code = message.code.as_ref().map(|c| c.code.as_str()).unwrap_or_default();
    // An associated function that is not there, or is private.
    let missing = MISSING.contains(&code)
        || (matches!(code, "E0599" | "E0624") && sources.at(path).is_none_or(|f| f.public.is_none()));
    let kind = if role.is_type() { "type" } else { "function" };
    let (words, label) = if missing {
        (format!("the library has no {kind} `{path}` that a spec can name"), "named here".to_owned())
    } else if role.is_type() {
        (format!("`{path}` {}", role.cannot()), format!("used as {} here", role.noun()))
    } else {
        (format!("`{path}` {}: its signature is another", role.cannot()), format!("used as {} here", role.noun()))
    };
    let code = if missing { "no-such-path" } else { "wrong-signature" };
    let helps = if missing { instead_of(role, path, sources) } else { other_signature(role, path, sources) };
    let of_path = |spec: &nncheck_core::suite::BoundSpec| {
        let named = spec.paths().into_iter().filter(|(of, named)| *of == role && named.value == path);
        named.map(|(_, named)| Diagnostic::error(code, words.clone()).at(&spec.file, named.span)).collect::<Vec<_>>()
    };
    let with_words = |error: Diagnostic| {
        let error = helps.iter().fold(error.label(label.clone()), |error, help| error.help(help.clone()));
        error.help(format!("the compiler says:\n  {}", compilers_words(message)))
    };
    suite.specs.iter().flat_map(of_path).map(with_words).collect()
}

/// What the sources have instead of a path that does not exist.
fn instead_of(role: Role, path: &str, sources: &RustSource) -> Vec<String> {
    let kind = if role.is_type() { "type" } else { "function" };
    let write = format!("write the path as `crate::module::{kind}`, and make the {kind} `pub`");
    if role.is_type() {
        return vec![write];
    }
    let mut helps = Vec::new();
    let hidden = sources.at(path).filter(|f| f.public.is_none());
    if let Some(hidden) = hidden {
        helps.push(if hidden.is_pub {
            format!(
                "`{}` ({}) is `pub`, but it lies in a module that is not: make the module `pub`, or add \
                 `pub use` for the function in src/lib.rs",
                hidden.signature, hidden.place
            )
        } else {
            format!("`{}` ({}) is not `pub`: write `pub {}`", hidden.signature, hidden.place, hidden.signature)
        });
    }
    if let Some((near, public)) = sources.nearest(path, role).and_then(|f| Some((f, f.public.as_ref()?)))
        && hidden.is_none()
    {
        helps.push(format!("did you mean `{public}`? ({}: `{}`)", near.place, near.signature));
        if near.role != Some(role) {
            helps.push(role.sentence());
        }
    } else if hidden.is_none() {
        let known: Vec<&str> = sources.of_role(role).filter_map(|f| f.public.as_deref()).collect();
        match nncheck_core::diagnostic::suggest::list(&known) {
            known if known.is_empty() => helps.push(format!(
                "the sources have no public function that can be {}: {}",
                role.noun(),
                role.sentence()
            )),
            known => helps.push(format!("the library has {known}")),
        }
        helps.push(write);
    }
    helps
}

/// Both signatures: the one that is there, and the one that is wanted.
fn other_signature(role: Role, path: &str, sources: &RustSource) -> Vec<String> {
    let there = sources.at(path).map(|f| format!("it is `{}` ({})", f.signature, f.place));
    there.into_iter().chain([role.sentence()]).collect()
}

/// The errors of specs that name functions where there is no library that has any.
#[must_use]
pub fn without_library(package: &Package, is_folder: bool, suite: &Suite) -> Vec<Diagnostic> {
    if package.library.is_some() {
        return Vec::new();
    }
    let mut errors: Vec<Diagnostic> = Vec::new();
    for spec in &suite.specs {
        for (role, path) in spec.paths() {
            let kind = if role.is_type() { "type" } else { "function" };
            let error = if is_folder {
                Diagnostic::error(
                    "no-library",
                    format!("`{}` is a {kind} of a Rust library, and there is none", path.value),
                )
                .at(&spec.file, path.span)
                .label(format!("{} of Rust, named here", role.noun()))
                .help(format!(
                    "with --specs there is no Rust package: run `cargo nncheck` in the package that has the {kind}, \
                         or pass --manifest-path PACKAGE/Cargo.toml instead of --specs"
                ))
            } else {
                let name = &package.name;
                Diagnostic::error(
                    "no-library",
                    format!("`{}` is a {kind} of a library, and package `{name}` has none", path.value),
                )
                .at(&spec.file, path.span)
                .label(format!("{}, named here", role.noun()))
                .help("move the model into src/lib.rs, where the specs (and the program) can reach it")
            };
            errors.push(match role {
                Role::Builder => error.help(
                    "or declare the network in the spec itself: `layers = [...]`, or `torchscript = \"model.pt\"`",
                ),
                _ => error,
            });
        }
    }
    // The rungs of a ladder share their file.
    errors.dedup();
    errors
}

/// The compiler's own rendering, indented.
fn compilers_words(message: &CompilerDiagnostic) -> String {
    let rendered = message.rendered.as_deref().unwrap_or(&message.message);
    // Where the compiler keeps a long name is of no use to somebody who did not write the generated program.
    let of_use =
        |line: &&str| !line.contains("the full name for the type") && !line.contains("consider using `--verbose`");
    rendered.trim_end().lines().filter(of_use).collect::<Vec<_>>().join("\n  ")
}
