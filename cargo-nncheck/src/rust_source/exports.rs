//! By which paths others can name what a library defines: through public modules, and through `pub use`.

use std::collections::BTreeMap;

use super::RustSource;

/// So deep are re-exports followed.
const DEEPEST: usize = 8;
/// So many modules are looked at, however often re-exports lead to them.
const MOST: usize = 10_000;

/// Writes the shortest public path of every function into it.
pub(super) fn name(source: &mut RustSource) {
    let mut public = BTreeMap::new();
    let mut search = Search { source, public: &mut public, around: Vec::new(), looks: 0 };
    search.module(0, &source.crate_name.clone(), 0);
    for function in &mut source.functions {
        if function.of_trait.is_some() {
            continue;
        }
        let name = function.defined.rsplit("::").next().unwrap_or_default();
        function.public = match &function.owner {
            None => public.get(&function.defined).cloned(),
            Some(_) if !function.is_pub => None,
            Some(owner) => {
                let of_type = format!("{}::{owner}", source.modules[function.module].path.join("::"));
                public.get(&of_type).map(|path| format!("{path}::{name}"))
            }
        };
    }
    source.public_types = public;
}

struct Search<'a> {
    source: &'a RustSource,
    /// From the path of a definition to the shortest public path.
    public: &'a mut BTreeMap<String, String>,
    /// The modules that are being looked at: re-exports may go in circles.
    around: Vec<usize>,
    /// How many were looked at.
    looks: usize,
}

impl Search<'_> {
    fn found(&mut self, defined: String, public: String) {
        let length = |path: &str| (path.matches("::").count(), path.len());
        match self.public.get(&defined) {
            Some(known) if length(known) <= length(&public) => {}
            _ => {
                self.public.insert(defined, public);
            }
        }
    }

    /// Everything that a module, which can be named `public`, makes public.
    fn module(&mut self, module: usize, public: &str, depth: usize) {
        self.looks += 1;
        if depth > DEEPEST || self.looks > MOST || self.around.contains(&module) {
            return;
        }
        self.around.push(module);
        self.contents(module, public, depth);
        self.around.pop();
    }

    fn contents(&mut self, module: usize, public: &str, depth: usize) {
        let source = self.source;
        let this = &source.modules[module];
        let at = this.path.join("::");
        for (name, _) in this.types.iter().filter(|(_, is_pub)| **is_pub) {
            self.found(format!("{at}::{name}"), format!("{public}::{name}"));
        }
        let own = source.functions.iter().filter(|f| f.module == module && f.owner.is_none() && f.is_pub);
        for function in own {
            self.found(function.defined.clone(), format!("{public}::{}", function.name()));
        }
        for (index, inner) in source.modules.iter().enumerate() {
            if inner.parent == Some(module) && inner.is_pub {
                let name = inner.path.last().cloned().unwrap_or_default();
                self.module(index, &format!("{public}::{name}"), depth + 1);
            }
        }
        for import in this.uses.iter().filter(|import| import.is_pub) {
            let Some(target) = source.absolute(module, &import.path) else { continue };
            let inner = source.modules.iter().position(|m| m.path == target);
            match (&import.name, inner) {
                (None, Some(inner)) => self.module(inner, public, depth + 1),
                (Some(name), Some(inner)) => self.module(inner, &format!("{public}::{name}"), depth + 1),
                (Some(name), None) => self.found(target.join("::"), format!("{public}::{name}")),
                (None, None) => {}
            }
        }
    }
}

impl RustSource {
    /// The path of something of this crate, from the crate's name on; `None` where it is of another crate.
    pub(super) fn absolute(&self, module: usize, path: &[String]) -> Option<Vec<String>> {
        let this = &self.modules[module];
        let mut at = this.path.clone();
        let mut rest = path;
        match path.first()?.as_str() {
            "crate" => {
                at.truncate(1);
                rest = &path[1..];
            }
            "self" => rest = &path[1..],
            "super" => {
                while let Some((first, more)) = rest.split_first() {
                    if first != "super" {
                        break;
                    }
                    at.pop();
                    rest = more;
                }
            }
            first => {
                let is_here = this.types.contains_key(first)
                    || self
                        .modules
                        .iter()
                        .any(|m| m.parent == Some(module) && m.path.last().is_some_and(|n| n == first))
                    || self.functions.iter().any(|f| f.module == module && f.owner.is_none() && f.name() == first);
                if !is_here {
                    return None;
                }
            }
        }
        at.extend(rest.iter().cloned());
        Some(at)
    }
}
