//! What the sources of a library say without being compiled: its functions, what they could be to a spec, and by which
//! public path a spec can name them.
//!
//! Sources are read as far as they can be read: a file that is no Rust, or that is not there, is left out, for whoever
//! asks wants a proposal, and the compiler has the last word.

mod depth;
mod evaluate;
mod exports;
mod layers;
mod modules;
mod types;

use std::path::{Path, PathBuf};

use nncheck_core::diagnostic::suggest;
use nncheck_core::spec::rust_path::Role;

pub(crate) use depth::DEEPEST;
pub use layers::{Activation, Input, Network};
use modules::Module;

/// The sources of a library.
#[derive(Debug, Default)]
pub struct RustSource {
    /// The name by which Rust knows the library.
    crate_name: String,
    modules: Vec<Module>,
    functions: Vec<Function>,
    /// Files that were left out for being nested too deeply to be read, and where.
    too_deep: Vec<Place>,
    /// The public path of each type and function that has one, by the path of its definition.
    public_types: std::collections::BTreeMap<String, String>,
}

/// A function of a library.
#[derive(Clone, Debug)]
pub struct Function {
    /// The path by which others can name it; `None` where they cannot.
    pub public: Option<String>,
    /// The path at which it is defined.
    pub defined: String,
    /// Its signature, as it is written.
    pub signature: String,
    /// What it can be to a spec, by its signature.
    pub role: Option<Role>,
    /// Whether it takes the hyperparameters of a spec.
    pub hyper: bool,
    /// Whether it is `pub` itself, be it in a module that is not.
    pub is_pub: bool,
    /// Its file and line.
    pub place: Place,
    /// Its module, an index into the source's modules.
    module: usize,
    /// The type that it belongs to.
    owner: Option<String>,
    /// The trait that it implements.
    of_trait: Option<String>,
    /// The type that it belongs to has type parameters.
    of_generic: bool,
    sig: syn::Signature,
    block: syn::Block,
}

/// Where something is defined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file, relative to the package, with forward slashes.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

impl Function {
    /// Its own name, without modules.
    #[must_use]
    pub fn name(&self) -> &str {
        last(&self.defined)
    }
}

impl RustSource {
    /// Reads a library, from its root file on; `package` is the folder that places are shown relative to.
    #[must_use]
    pub fn read(crate_name: &str, root: &Path, package: &Path) -> Self {
        let mut source = Self { crate_name: crate_name.to_owned(), ..Self::default() };
        modules::read(&mut source, root, package);
        types::classify(&mut source);
        exports::name(&mut source);
        source
    }

    /// The functions that a spec can name in this role, in the order of the sources.
    pub fn of_role(&self, role: Role) -> impl Iterator<Item = &Function> {
        self.functions.iter().filter(move |f| f.role == Some(role) && f.public.is_some())
    }

    /// Where files are nested too deeply to be read; they were left out.
    #[must_use]
    pub fn too_deep(&self) -> &[Place] {
        &self.too_deep
    }

    /// All functions of this role, be they where no spec can name them.
    pub fn all_of_role(&self, role: Role) -> impl Iterator<Item = &Function> {
        self.functions.iter().filter(move |f| f.role == Some(role))
    }

    /// The public paths of types that implement a whole training program.
    pub fn subjects(&self) -> impl Iterator<Item = String> {
        let programs = self
            .functions
            .iter()
            .filter(|f| f.of_trait.as_deref() == Some("Subject") && f.name() == "build" && !f.of_generic);
        programs.filter_map(|f| {
            let at = self.modules[f.module].path.join("::");
            self.public_types.get(&format!("{at}::{}", f.owner.as_ref()?)).cloned()
        })
    }

    /// The function at a path, public or not.
    #[must_use]
    pub fn at(&self, path: &str) -> Option<&Function> {
        let free = || self.functions.iter().filter(|f| f.of_trait.is_none());
        free().find(|f| f.public.as_deref() == Some(path)).or_else(|| free().find(|f| f.defined == path))
    }

    /// The public function that a path most likely stands for: first those of the role, then all others; by the whole
    /// path or by its last name.
    #[must_use]
    pub fn nearest(&self, path: &str, role: Role) -> Option<&Function> {
        let public = |of_role: bool| {
            self.functions
                .iter()
                .filter(move |f| f.public.is_some() && f.of_trait.is_none() && (f.role == Some(role)) == of_role)
        };
        let find = |of_role: bool| {
            let by_path = || {
                let near = suggest::nearest(path, public(of_role).filter_map(|f| f.public.as_deref()))?.to_owned();
                public(of_role).find(|f| f.public.as_deref() == Some(near.as_str()))
            };
            let by_name = || {
                let near = suggest::nearest(last(path), public(of_role).map(Function::name))?.to_owned();
                public(of_role).find(|f| f.name() == near)
            };
            // The right name in another module is nearer than another name in this one.
            public(of_role).find(|f| f.name() == last(path)).or_else(by_path).or_else(by_name)
        };
        find(true).or_else(|| find(false))
    }

    /// What the sources tell of the network that a builder makes.
    #[must_use]
    pub fn network(&self, builder: &Function) -> Network {
        layers::network(self, builder)
    }
}

/// The last name of a path.
fn last(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or(path)
}

/// A path as it is shown.
fn shown(path: &Path, package: &Path) -> String {
    let path: PathBuf = path.strip_prefix(package).map_or_else(|_| path.to_owned(), Path::to_owned);
    path.to_string_lossy().replace('\\', "/")
}

#[cfg(test)]
mod tests;
