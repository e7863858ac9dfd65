//! The user's own Rust, bound to the paths by which specs name it.

use std::collections::BTreeMap;
use std::fmt;

use tch::nn::{ModuleT, Path};

use crate::hyper::Hyper;

/// A function that builds a model: `fn(&nn::Path) -> M` or `fn(&nn::Path, &Hyper) -> M`, `M` a [`ModuleT`].
///
/// The marker tells the two signatures apart. Both references are `'static` (what they point at is leaked, a few
/// bytes a measurement), because in edition 2024 `impl ModuleT` captures the lifetimes of the arguments, and no bound
/// over all lifetimes accepts such a function.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot build a model",
    label = "not a builder",
    note = "a builder is `fn(&nn::Path) -> M` or `fn(&nn::Path, &nncheck::Hyper) -> M`, where `M` is a `tch::nn::ModuleT`"
)]
pub trait Builder<Marker>: Send + Sync + 'static {
    /// Builds the model below `path`.
    fn build(&self, path: &'static Path<'static>, hyper: &'static Hyper) -> Box<dyn ModuleT>;
}

impl<F, M> Builder<fn(&'static Path<'static>) -> M> for F
where
    F: Fn(&'static Path<'static>) -> M + Send + Sync + 'static,
    M: ModuleT + 'static,
{
    fn build(&self, path: &'static Path<'static>, _hyper: &'static Hyper) -> Box<dyn ModuleT> {
        Box::new(self(path))
    }
}

impl<F, M> Builder<fn(&'static Path<'static>, &'static Hyper) -> M> for F
where
    F: Fn(&'static Path<'static>, &'static Hyper) -> M + Send + Sync + 'static,
    M: ModuleT + 'static,
{
    fn build(&self, path: &'static Path<'static>, hyper: &'static Hyper) -> Box<dyn ModuleT> {
        Box::new(self(path, hyper))
    }
}

type BoxedBuilder = Box<dyn Fn(&'static Path<'static>, &'static Hyper) -> Box<dyn ModuleT> + Send + Sync>;

/// Everything that a harness binds, by path.
#[derive(Default)]
pub struct Bindings {
    builders: BTreeMap<String, BoxedBuilder>,
}

impl fmt::Debug for Bindings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bindings").field("builders", &self.builders.keys()).finish()
    }
}

impl Bindings {
    /// Nothing bound yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Binds a model builder to the path that specs use.
    #[must_use]
    pub fn builder<Marker>(mut self, path: &str, builder: impl Builder<Marker>) -> Self {
        self.builders.insert(normalise(path), Box::new(move |path, hyper| builder.build(path, hyper)));
        self
    }

    /// The builder of a path.
    #[must_use]
    pub(crate) fn find_builder(&self, path: &str) -> Option<&BoxedBuilder> {
        self.builders.get(&normalise(path))
    }

    /// The paths of all builders.
    pub(crate) fn builder_paths(&self) -> impl Iterator<Item = &str> {
        self.builders.keys().map(String::as_str)
    }
}

/// `stringify!` may put spaces around `::`; specs do not.
fn normalise(path: &str) -> String {
    path.chars().filter(|c| !c.is_whitespace()).collect()
}
