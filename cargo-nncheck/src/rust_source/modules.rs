//! Reading the files of a library, module by module.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::TokenStream;
use syn::{Expr, ImplItem, Item, Lit, Meta, UseTree, Visibility};

use super::{Function, Place, RustSource, depth, shown};

/// The longest file that is read.
const LONGEST: u64 = 4 << 20;
/// So many modules are read; a library that has more has its builders elsewhere.
const MOST: usize = 2_000;

/// A module.
#[derive(Debug, Default)]
pub(super) struct Module {
    /// Its path, from the crate's name on.
    pub(super) path: Vec<String>,
    /// `pub`, or the crate's root.
    pub(super) is_pub: bool,
    /// The module around it.
    pub(super) parent: Option<usize>,
    /// Types that it defines, with whether they are `pub`.
    pub(super) types: BTreeMap<String, bool>,
    /// What it imports.
    pub(super) uses: Vec<Use>,
    /// Constants with a value that can be read.
    pub(super) constants: BTreeMap<String, Expr>,
}

/// One name that a `use` brings in.
#[derive(Debug)]
pub(super) struct Use {
    pub(super) is_pub: bool,
    /// As it is written, before `as`.
    pub(super) path: Vec<String>,
    /// The name that it gets here; `None` for `*`.
    pub(super) name: Option<String>,
}

/// Where a module's text is.
struct File<'a> {
    path: &'a Path,
    text: &'a str,
    /// The folder that files of its inner modules are in.
    folder: PathBuf,
}

struct Walk<'a> {
    source: &'a mut RustSource,
    package: &'a Path,
    /// Files that were read: `#[path]` can make a circle.
    seen: BTreeSet<PathBuf>,
}

pub(super) fn read(source: &mut RustSource, root: &Path, package: &Path) {
    let path = vec![source.crate_name.clone()];
    source.modules.push(Module { path, is_pub: true, ..Module::default() });
    let folder = root.parent().unwrap_or_else(|| Path::new("")).to_owned();
    Walk { source, package, seen: BTreeSet::new() }.file(0, root, folder);
}

impl Walk<'_> {
    fn file(&mut self, module: usize, path: &Path, folder: PathBuf) {
        if self.seen.len() >= MOST || !self.seen.insert(path.to_owned()) {
            return;
        }
        let short = fs::metadata(path).is_ok_and(|m| m.is_file() && m.len() <= LONGEST);
        let Some(text) = short.then(|| fs::read_to_string(path).ok()).flatten() else { return };
        // Where in the text an item stands is counted without the mark.
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let text = without_shebang(text);
        let Ok(tokens) = text.parse::<TokenStream>() else { return };
        if let Some(line) = depth::too_deep(tokens.clone()) {
            self.source.too_deep.push(Place { file: shown(path, self.package), line });
            return;
        }
        let Ok(parsed) = syn::parse2::<syn::File>(tokens) else { return };
        self.items(module, &parsed.items, &File { path, text, folder });
    }

    fn items(&mut self, module: usize, items: &[Item], file: &File<'_>) {
        for item in items {
            match item {
                Item::Fn(item) if !is_of_tests(&item.attrs) => {
                    self.function(module, file, None, None, &item.vis, &item.sig, &item.block);
                }
                Item::Impl(item) if !is_of_tests(&item.attrs) => {
                    let syn::Type::Path(owner) = &*item.self_ty else { continue };
                    let Some(owner) = owner.path.segments.last().map(|s| s.ident.to_string()) else { continue };
                    let of_trait = item.trait_.as_ref().and_then(|(path, _)| path.segments.last());
                    let of_trait = of_trait.map(|s| s.ident.to_string());
                    for inner in &item.items {
                        if let ImplItem::Fn(inner) = inner {
                            let owned = Some((owner.as_str(), &item.generics));
                            self.function(
                                module,
                                file,
                                owned,
                                of_trait.as_deref(),
                                &inner.vis,
                                &inner.sig,
                                &inner.block,
                            );
                        }
                    }
                }
                Item::Mod(item) if !is_of_tests(&item.attrs) => self.module(module, item, file),
                Item::Use(item) => {
                    let start = if item.leading_colon.is_some() { vec!["".to_owned()] } else { Vec::new() };
                    flatten(&item.tree, &start, is_pub(&item.vis), &mut self.source.modules[module].uses);
                }
                Item::Const(item) => {
                    self.source.modules[module].constants.insert(item.ident.to_string(), (*item.expr).clone());
                }
                Item::Struct(item) => self.a_type(module, &item.ident, &item.vis),
                Item::Enum(item) => self.a_type(module, &item.ident, &item.vis),
                Item::Type(item) => self.a_type(module, &item.ident, &item.vis),
                _ => {}
            }
        }
    }

    fn a_type(&mut self, module: usize, ident: &syn::Ident, vis: &Visibility) {
        self.source.modules[module].types.insert(ident.to_string(), is_pub(vis));
    }

    fn module(&mut self, parent: usize, item: &syn::ItemMod, file: &File<'_>) {
        let name = item.ident.to_string();
        let path = [&self.source.modules[parent].path[..], std::slice::from_ref(&name)].concat();
        let module = self.source.modules.len();
        self.source.modules.push(Module { path, is_pub: is_pub(&item.vis), parent: Some(parent), ..Module::default() });
        let plain = name.strip_prefix("r#").unwrap_or(&name);
        let stated = item.attrs.iter().find_map(path_attribute);
        if let Some((_, items)) = &item.content {
            let folder = file.folder.join(stated.as_deref().unwrap_or(plain));
            return self.items(module, items, &File { folder, ..*file });
        }
        if let Some(stated) = stated {
            let path = file.path.parent().unwrap_or_else(|| Path::new("")).join(stated);
            // A file that an attribute names counts as a `mod.rs`.
            let folder = path.parent().unwrap_or_else(|| Path::new("")).to_owned();
            return self.file(module, &path, folder);
        }
        let (beside, inside) = (file.folder.join(format!("{plain}.rs")), file.folder.join(plain).join("mod.rs"));
        let path = if beside.is_file() { beside } else { inside };
        self.file(module, &path, file.folder.join(plain));
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of a function, free or of a type")]
    fn function(
        &mut self,
        module: usize,
        file: &File<'_>,
        owner: Option<(&str, &syn::Generics)>,
        of_trait: Option<&str>,
        vis: &Visibility,
        sig: &syn::Signature,
        block: &syn::Block,
    ) {
        // Of a type with parameters nobody knows which one is meant.
        if owner.is_some_and(|(_, generics)| generics.type_params().next().is_some()) && of_trait.is_none() {
            return;
        }
        let mut path = self.source.modules[module].path.clone();
        path.extend(owner.map(|(name, _)| name.to_owned()));
        path.push(sig.ident.to_string());
        let start = sig.fn_token.span.byte_range().start;
        let end = block.brace_token.span.open().byte_range().start;
        let signature = file.text.get(start..end).unwrap_or_default();
        self.source.functions.push(Function {
            public: None,
            defined: path.join("::"),
            signature: signature.split_whitespace().collect::<Vec<_>>().join(" "),
            role: None,
            hyper: false,
            is_pub: is_pub(vis),
            place: Place { file: shown(file.path, self.package), line: sig.fn_token.span.start().line },
            module,
            owner: owner.map(|(name, _)| name.to_owned()),
            of_trait: of_trait.map(str::to_owned),
            of_generic: owner.is_some_and(|(_, generics)| generics.type_params().next().is_some()),
            sig: sig.clone(),
            block: block.clone(),
        });
    }
}

/// The text after a line `#!...`, which is no Rust; `#![...]` is.
fn without_shebang(text: &str) -> &str {
    match text.strip_prefix("#!") {
        Some(rest) if !rest.trim_start().starts_with('[') => &text[text.find('\n').unwrap_or(text.len())..],
        _ => text,
    }
}

fn is_pub(vis: &Visibility) -> bool {
    matches!(vis, Visibility::Public(_))
}

/// Whether something is there in the library's own tests only.
fn is_of_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("test")
            || (attribute.path().is_ident("cfg")
                && attribute.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test")))
    })
}

/// The file of `#[path = "..."]`.
fn path_attribute(attribute: &syn::Attribute) -> Option<String> {
    let Meta::NameValue(pair) = &attribute.meta else { return None };
    let Expr::Lit(value) = &pair.value else { return None };
    match &value.lit {
        Lit::Str(path) if pair.path.is_ident("path") => Some(path.value()),
        _ => None,
    }
}

fn flatten(tree: &UseTree, above: &[String], is_pub: bool, uses: &mut Vec<Use>) {
    let joined = |name: &syn::Ident| [above, &[name.to_string()]].concat();
    let mut keep = |path, name| uses.push(Use { is_pub, path, name });
    match tree {
        UseTree::Path(tree) => flatten(&tree.tree, &joined(&tree.ident), is_pub, uses),
        UseTree::Name(name) if name.ident == "self" => keep(above.to_vec(), above.last().cloned()),
        UseTree::Name(name) => keep(joined(&name.ident), Some(name.ident.to_string())),
        UseTree::Rename(name) if name.ident == "self" => keep(above.to_vec(), Some(name.rename.to_string())),
        UseTree::Rename(name) => keep(joined(&name.ident), Some(name.rename.to_string())),
        UseTree::Glob(_) => keep(above.to_vec(), None),
        UseTree::Group(group) => group.items.iter().for_each(|tree| flatten(tree, above, is_pub, uses)),
    }
}
