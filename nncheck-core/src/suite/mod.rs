//! A suite: the specs of a package, read and bound to their checks, and the choice of what to run.

mod baseline;
mod bind;
pub mod builtin;
mod extend;
mod filter;
mod load;
pub mod options;
mod parameters;
mod precheck;
pub mod schema;
mod settled;
mod text_file;

use std::sync::Arc;

use crate::check::{self, Check, Context};
use crate::diagnostic::{Located, SourceFile, Span};
use crate::measurement::Request;
use crate::spec::Subject;
use crate::spec::ladder::Rung;
use crate::spec::property::{Level, Settings};
use crate::spec::run::Run;
use crate::spec::rust_path::Role;

pub use filter::{Filter, Standing};
pub use load::{Manifest, ManifestKind, Overrides, Source, Sources, from_texts, load};
pub use precheck::precheck;
pub use settled::Setting;

/// The specs of a package.
#[derive(Clone, Debug, Default)]
pub struct Suite {
    /// Sorted by name.
    pub specs: Vec<BoundSpec>,
}

/// One spec, ready to run.
#[derive(Clone, Debug)]
pub struct BoundSpec {
    /// The file.
    pub file: Arc<SourceFile>,
    /// Its name.
    pub name: String,
    /// The rung of its ladder, where it has one; the rungs of a spec stand one after another.
    pub rung: Option<Rung>,
    /// The training program under test.
    pub subject: Arc<Subject>,
    /// The training program as single properties change it; each once, however many share it.
    pub variants: Vec<Arc<Subject>>,
    /// How properties are run.
    pub run: Run,
    /// The properties, in the order of the file.
    pub properties: Vec<Property>,
    /// What its tables came to, and where that was written.
    pub settled: Vec<Setting>,
}

/// One property, ready to run: one libtest test.
#[derive(Clone, Debug)]
pub struct Property {
    /// Its name.
    pub name: String,
    /// Where its table's name stands.
    pub span: Span,
    /// The check with its parameters.
    pub check: Arc<dyn Check>,
    /// The keys that every property has.
    pub settings: Settings,
    /// The subject that it is measured on: 0 is the spec's own, n the n-th of [`BoundSpec::variants`].
    pub variant: usize,
}

impl Property {
    /// Why there is nothing to look at, where the spec alone tells.
    #[must_use]
    pub fn moot(&self, spec: &BoundSpec) -> Option<String> {
        self.check.moot(&Context { subject: spec.subject(self.variant), settings: &self.settings })
    }

    /// How much a failure weighs: as the property says, else as its check has it.
    #[must_use]
    pub fn level(&self) -> Level {
        let usual = || check::find(self.check.info().id).map_or(Level::Deny, |entry| entry.level);
        self.settings.level.unwrap_or_else(usual)
    }

    /// What is measured for it: what its check needs, of the share of the data that it names; nothing where it is
    /// [moot](Self::moot).
    #[must_use]
    pub fn requests(&self, spec: &BoundSpec) -> Vec<Request> {
        if self.moot(spec).is_some() {
            return Vec::new();
        }
        let share = self.settings.split.as_ref().map(|split| split.value).unwrap_or_default();
        self.check.needs(spec.subject(self.variant)).into_iter().map(|request| request.on(share)).collect()
    }
}

impl BoundSpec {
    /// One of its subjects: 0 is its own, n the n-th of [`BoundSpec::variants`].
    #[must_use]
    pub fn subject(&self, variant: usize) -> &Arc<Subject> {
        variant.checked_sub(1).and_then(|n| self.variants.get(n)).unwrap_or(&self.subject)
    }
}

/// The address of a property in a suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PropertyId {
    /// Index into [`Suite::specs`].
    pub spec: usize,
    /// Index into [`BoundSpec::properties`].
    pub property: usize,
}

impl BoundSpec {
    /// The paths of the user's own Rust that this spec names.
    #[must_use]
    pub fn paths(&self) -> Vec<(Role, &Located<String>)> {
        let properties = self.properties.iter().flat_map(|property| property.check.paths());
        self.subject.paths().into_iter().chain(properties).collect()
    }
}

impl Suite {
    /// All properties, in order.
    pub fn ids(&self) -> impl Iterator<Item = PropertyId> + '_ {
        self.specs
            .iter()
            .enumerate()
            .flat_map(|(spec, s)| (0..s.properties.len()).map(move |property| PropertyId { spec, property }))
    }

    /// The spec and the property at an address.
    ///
    /// # Panics
    /// When the address is of another suite.
    #[must_use]
    pub fn get(&self, id: PropertyId) -> (&BoundSpec, &Property) {
        let spec = &self.specs[id.spec];
        (spec, &spec.properties[id.property])
    }

    /// The test's name: `<spec>::<property>`, on a ladder `<spec>::<rung>::<property>`.
    #[must_use]
    pub fn test_name(&self, id: PropertyId) -> String {
        let (spec, property) = self.get(id);
        match &spec.rung {
            Some(rung) => format!("{}::{}::{}", spec.name, rung.name, property.name),
            None => format!("{}::{}", spec.name, property.name),
        }
    }
}
