//! The choice of what to run, as `cargo test` makes it.

use serde::{Deserialize, Serialize};

use super::{PropertyId, Suite};
use crate::check::Stage;

/// Which properties are wanted. The default wants all that are neither slow nor off.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    /// Parts of test names, any of which will do; empty: all tests.
    pub filters: Vec<String>,
    /// Filters are whole names instead of parts.
    pub exact: bool,
    /// Parts of the names of tests that are not wanted; whole names under `exact`.
    pub skip: Vec<String>,
    /// Slow properties run too.
    pub include_ignored: bool,
    /// Slow properties run, and no others.
    pub only_ignored: bool,
    /// Stages of the checklist, any of which will do; empty: all.
    pub stage: Vec<Stage>,
    /// Specs by name or path, any of which will do; empty: all.
    pub spec: Vec<String>,
}

/// Whether a property that is selected runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing<'s> {
    /// It runs.
    Runs,
    /// It is slow, and slow properties were not asked for.
    Ignored,
    /// The spec says not to run it, and why.
    Off(&'s str),
}

impl Filter {
    /// Whether a property is wanted; whether it then runs says [`Filter::standing`].
    ///
    /// # Panics
    /// When the address is of another suite.
    #[must_use]
    pub fn selects(&self, suite: &Suite, id: PropertyId) -> bool {
        let (spec, property) = suite.get(id);
        let name = suite.test_name(id);
        let matches = |filter: &String| if self.exact { name == *filter } else { name.contains(filter.as_str()) };
        (self.filters.is_empty() || self.filters.iter().any(matches))
            && !self.skip.iter().any(matches)
            && (self.stage.is_empty() || self.stage.contains(&property.check.info().stage))
            && (self.spec.is_empty() || self.spec.iter().any(|s| *s == spec.name || *s == spec.file.shown))
            && (!self.only_ignored || property.settings.slow)
    }

    /// Whether a property that is wanted runs.
    ///
    /// # Panics
    /// When the address is of another suite.
    #[must_use]
    pub fn standing<'s>(&self, suite: &'s Suite, id: PropertyId) -> Standing<'s> {
        let settings = &suite.get(id).1.settings;
        match &settings.off {
            Some(reason) => Standing::Off(reason),
            None if settings.slow && !self.include_ignored && !self.only_ignored => Standing::Ignored,
            None => Standing::Runs,
        }
    }

    /// The properties that are wanted and run, in order.
    #[must_use]
    pub fn running(&self, suite: &Suite) -> Vec<PropertyId> {
        suite.ids().filter(|&id| self.selects(suite, id) && self.standing(suite, id) == Standing::Runs).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::load::{Overrides, from_texts};

    const SPEC: &str = r#"
        [model]
        layers = [{ linear = { out = 2 } }]
        [data]
        synthetic = { inputs = [3], classes = 2 }
        [loss]
        kind = "cross_entropy"
        [optimizer]
        kind = "sgd"
        lr = 0.1
        [property.initial_loss]
        [property.overfit]
        slow = true
        [property.finite]
        off = "it is known"
    "#;

    fn names(filter: &Filter) -> Vec<String> {
        let suite = from_texts(&[("a", SPEC), ("b", SPEC)], &Overrides::default()).unwrap();
        suite.ids().filter(|&id| filter.selects(&suite, id)).map(|id| suite.test_name(id)).collect()
    }

    fn filter(filters: &[&str]) -> Filter {
        Filter { filters: filters.iter().map(|&f| f.to_owned()).collect(), ..Filter::default() }
    }

    #[test]
    fn no_filter_selects_all_and_any_filter_will_do() {
        assert_eq!(names(&Filter::default()).len(), 6);
        assert_eq!(names(&filter(&["a::init", "fini"])), ["a::initial_loss", "a::finite", "b::finite"]);
        assert!(names(&filter(&["nothing"])).is_empty());
    }

    #[test]
    fn exact_wants_whole_names() {
        assert!(names(&Filter { exact: true, ..filter(&["overfit"]) }).is_empty());
        assert_eq!(names(&Filter { exact: true, ..filter(&["a::overfit"]) }), ["a::overfit"]);
    }

    #[test]
    fn skip_stage_and_spec_narrow_the_choice() {
        let skip = Filter { skip: vec!["overfit".into(), "finite".into()], ..Filter::default() };
        assert_eq!(names(&skip), ["a::initial_loss", "b::initial_loss"]);
        let stage = Filter { stage: vec![Stage::Loss], spec: vec!["b".into()], ..Filter::default() };
        assert_eq!(names(&stage), ["b::initial_loss"]);
        assert_eq!(names(&Filter { spec: vec!["specs/a.toml".into()], ..Filter::default() }).len(), 3);
    }

    #[test]
    fn slow_and_off_properties_are_selected_and_do_not_run() {
        let suite = from_texts(&[("a", SPEC)], &Overrides::default()).unwrap();
        let standing = |filter: &Filter| suite.ids().map(|id| filter.standing(&suite, id)).collect::<Vec<_>>();
        let off = Standing::Off("it is known");
        assert_eq!(standing(&Filter::default()), [Standing::Runs, Standing::Ignored, off]);
        let all = Filter { include_ignored: true, ..Filter::default() };
        assert_eq!(standing(&all), [Standing::Runs, Standing::Runs, off]);
        let slow = Filter { only_ignored: true, ..Filter::default() };
        assert_eq!(slow.running(&suite).len(), 1);
        assert_eq!(names(&slow), ["a::overfit", "b::overfit"]);
    }
}
