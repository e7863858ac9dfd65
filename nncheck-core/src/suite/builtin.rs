//! The built-in specs of the `specs` folder, for `extends = ["nncheck:NAME"]` and `init`.

use crate::spec::loss::Task;

/// All of them: name and text.
pub const ALL: &[(&str, &str)] = &[
    ("classification", include_str!("../../specs/classification.toml")),
    ("binary", include_str!("../../specs/binary.toml")),
    ("regression", include_str!("../../specs/regression.toml")),
    ("language_model", include_str!("../../specs/language_model.toml")),
    ("checklist", include_str!("../../specs/checklist.toml")),
];

/// The text of a built-in spec.
#[must_use]
pub fn find(name: &str) -> Option<&'static str> {
    ALL.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// The name of the built-in spec of a task.
#[must_use]
pub fn name_of(task: Task) -> &'static str {
    match task {
        Task::Multiclass => "classification",
        Task::Binary => "binary",
        Task::Regression => "regression",
    }
}

/// The loss, the optimizer and the properties of a first spec for a task; model and data go in front.
#[must_use]
pub fn first_spec(task: Task) -> &'static str {
    find(name_of(task)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::CATALOGUE;
    use crate::suite::{Overrides, from_texts};

    fn spec(extends: &str, rest: &str) -> String {
        format!("extends = [\"nncheck:{extends}\"]\n[model]\nlayers = [{{ linear = {{ out = 2 }} }}]\n{rest}")
    }

    #[test]
    fn each_built_in_spec_can_be_extended_and_is_of_its_task() {
        for task in [Task::Multiclass, Task::Binary, Task::Regression] {
            let text = spec(name_of(task), "[data]\ncsv = \"d.csv\"\ntarget = \"y\"");
            let suite = from_texts(&[("first", &text)], &Overrides::default()).unwrap();
            assert_eq!(suite.specs[0].subject.task(), task);
            assert_eq!(suite.specs[0].properties.len(), 6);
        }
    }

    #[test]
    fn a_copy_of_a_built_in_spec_is_a_spec() {
        for task in [Task::Multiclass, Task::Binary, Task::Regression] {
            let text =
                format!("[model]\nbuilder = \"a::b\"\n[data]\ncsv = \"d.csv\"\ntarget = \"y\"\n{}", first_spec(task));
            assert!(from_texts(&[("first", &text)], &Overrides::default()).is_ok());
        }
    }

    #[test]
    fn the_checklist_holds_its_stages_in_order_and_every_check() {
        let text =
            spec("checklist", "[data]\nsynthetic = { inputs = [3], classes = 2 }\n[loss]\nkind = \"cross_entropy\"");
        let suite = from_texts(&[("first", &text)], &Overrides::default()).unwrap();
        let checks: Vec<_> = suite.specs[0].properties.iter().map(|p| p.check.info()).collect();
        assert!(checks.is_sorted_by_key(|info| info.stage), "{checks:?}");
        // What `value` measures is the user's own, and so are the bands of `metric` and `budget`.
        for entry in CATALOGUE.iter().filter(|entry| !["value", "metric", "budget"].contains(&entry.info.id)) {
            assert!(checks.iter().any(|info| info.id == entry.info.id), "{} is not on the list", entry.info.id);
        }
    }
}
