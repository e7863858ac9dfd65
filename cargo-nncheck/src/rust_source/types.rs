//! What a function can be to a spec, by its signature: types are told by where their names come from.

use nncheck_core::spec::rust_path::Role;
use syn::{FnArg, GenericArgument, GenericParam, PathArguments, ReturnType, Type};

use super::RustSource;

/// Writes its role into every function.
pub(super) fn classify(source: &mut RustSource) {
    let roles: Vec<_> = source.functions.iter().map(|f| source.role(f.module, &f.sig)).collect();
    for (function, (role, hyper)) in source.functions.iter_mut().zip(roles) {
        function.role = role.filter(|_| function.of_trait.is_none());
        function.hyper = hyper;
    }
}

impl RustSource {
    fn role(&self, module: usize, sig: &syn::Signature) -> (Option<Role>, bool) {
        let lifetimes_only = sig.generics.params.iter().all(|p| matches!(p, GenericParam::Lifetime(_)));
        if !lifetimes_only || sig.asyncness.is_some() || sig.variadic.is_some() {
            return (None, false);
        }
        let mut inputs = Vec::new();
        for input in &sig.inputs {
            let FnArg::Typed(input) = input else { return (None, false) };
            inputs.push(self.known(module, &input.ty));
        }
        let output = match &sig.output {
            ReturnType::Default => String::new(),
            ReturnType::Type(_, ty) => self.output(module, ty),
        };
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        let role = match (&inputs[..], output.as_str()) {
            (_, "") => None,
            (["&tch::nn::Path"] | ["&tch::nn::Path", "&nncheck::Hyper"], _) => Some(Role::Builder),
            (["&tch::nn::VarStore"], _) => Some(Role::Optimizer),
            (["&tch::Tensor", "&tch::Tensor"], "tch::Tensor" | "nncheck::Losses") => Some(Role::Loss),
            (["&nncheck::Outputs", "&nncheck::Batch"], "nncheck::Losses") => Some(Role::Loss),
            (["&nncheck::Model", "&mut nncheck::Optimize", "&nncheck::Batch"], _) => Some(Role::Step),
            ([], "nncheck::Dataset") => Some(Role::Data),
            (["&mut nncheck::Program"], "f64") => Some(Role::Value),
            _ => None,
        };
        (role, role == Some(Role::Builder) && inputs.len() == 2)
    }

    /// What a function returns; of a `Result` the good end.
    fn output(&self, module: usize, ty: &Type) -> String {
        if let Type::Path(path) = ty
            && let Some(last) = path.path.segments.last()
            && last.ident == "Result"
            && let PathArguments::AngleBracketed(arguments) = &last.arguments
            && let Some(GenericArgument::Type(good)) = arguments.args.first()
        {
            return self.known(module, good);
        }
        if matches!(ty, Type::Tuple(tuple) if tuple.elems.is_empty()) || matches!(ty, Type::Never(_)) {
            return String::new();
        }
        self.known(module, ty)
    }

    /// A type by its full name; `_` for what has none.
    fn known(&self, module: usize, ty: &Type) -> String {
        match ty {
            Type::Reference(reference) => {
                let mutable = if reference.mutability.is_some() { "mut " } else { "" };
                format!("&{mutable}{}", self.known(module, &reference.elem))
            }
            Type::Paren(inner) => self.known(module, &inner.elem),
            Type::Group(inner) => self.known(module, &inner.elem),
            Type::TraitObject(object) => match object.bounds.first() {
                Some(syn::TypeParamBound::Trait(bound)) => self.full_name(module, &bound.path),
                _ => "_".to_owned(),
            },
            Type::Path(path) if path.qself.is_none() => self.full_name(module, &path.path),
            _ => "_".to_owned(),
        }
    }

    /// The full name of a path, as far as the imports of its module tell.
    pub(super) fn full_name(&self, module: usize, path: &syn::Path) -> String {
        let names: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
        let joined = self.full(module, &names, 0).join("::");
        // Types of tch and nncheck may come through a crate's own prelude, which says nothing more here.
        match joined.as_str() {
            "nn::Path" | "nn::VarStore" => format!("tch::{joined}"),
            "Path" if self.glob(module) => "tch::nn::Path".to_owned(),
            "VarStore" => "tch::nn::VarStore".to_owned(),
            "Tensor" => "tch::Tensor".to_owned(),
            "Hyper" | "Dataset" | "Losses" | "Outputs" | "Batch" | "Model" | "Optimize" | "Program" => {
                format!("nncheck::{joined}")
            }
            _ => joined,
        }
    }

    fn full(&self, module: usize, names: &[String], depth: usize) -> Vec<String> {
        let Some((first, rest)) = names.split_first() else { return Vec::new() };
        let this = &self.modules[module];
        let named = this.uses.iter().find(|u| u.name.as_ref() == Some(first));
        if let Some(import) = named
            && depth < 4
            && import.path != names
        {
            let path = import.path.iter().filter(|n| !n.is_empty()).chain(rest).cloned().collect::<Vec<_>>();
            // What another module of this crate imports has its name there.
            return match self.absolute(module, &import.path) {
                Some(target) => self.full_in_crate(&target, rest, depth + 1).unwrap_or(path),
                None => path,
            };
        }
        // `use tch::*` brings `nn`, `use tch::nn::*` brings `Path`.
        let glob_of = |path: &[&str]| this.uses.iter().any(|u| u.name.is_none() && u.path == path);
        let with = |above: &[&str]| above.iter().map(|&n| n.to_owned()).chain(names.iter().cloned()).collect();
        if matches!(first.as_str(), "nn" | "Tensor") && glob_of(&["tch"]) {
            return with(&["tch"]);
        }
        if matches!(first.as_str(), "Path" | "VarStore") && (glob_of(&["tch", "nn"]) || glob_of(&["nn"])) {
            return with(&["tch", "nn"]);
        }
        // Names of the crate's own hide those that this module knows.
        match self.absolute(module, names) {
            Some(own) if this.types.contains_key(first) => own,
            _ => names.to_vec(),
        }
    }

    fn full_in_crate(&self, target: &[String], rest: &[String], depth: usize) -> Option<Vec<String>> {
        let (name, above) = target.split_last()?;
        let module = self.modules.iter().position(|m| m.path == above)?;
        let names: Vec<String> = std::iter::once(name).chain(rest).cloned().collect();
        let imported = self.modules[module].uses.iter().any(|u| u.name.as_ref() == Some(name));
        imported.then(|| self.full(module, &names, depth))
    }

    /// Whether a module takes everything from somewhere that is not the standard library.
    fn glob(&self, module: usize) -> bool {
        self.modules[module].uses.iter().any(|u| u.name.is_none() && u.path.first().is_none_or(|n| n != "std"))
    }
}
