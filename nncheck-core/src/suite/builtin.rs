//! The built-in specs of the `specs` folder: what must hold of a first model, by the kind of its target.

use crate::spec::loss::Task;

/// The loss, the optimizer and the properties of a first spec for a task; model and data go in front.
#[must_use]
pub fn first_spec(task: Task) -> &'static str {
    match task {
        Task::Multiclass => include_str!("../../specs/classification.toml"),
        Task::Binary => include_str!("../../specs/binary.toml"),
        Task::Regression => include_str!("../../specs/regression.toml"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::{Overrides, from_texts};

    #[test]
    fn each_built_in_spec_can_be_read_and_is_of_its_task() {
        for task in [Task::Multiclass, Task::Binary, Task::Regression] {
            let text =
                format!("[model]\nbuilder = \"a::b\"\n[data]\ncsv = \"d.csv\"\ntarget = \"y\"\n{}", first_spec(task));
            let suite = from_texts(&[("first", &text)], &Overrides::default()).unwrap();
            assert_eq!(suite.specs[0].subject.loss.kind.task(), task);
            assert_eq!(suite.specs[0].properties.len(), 6);
        }
    }
}
