//! The columns of a header: which are targets, which are inputs.

use globset::GlobBuilder;

use super::error::{DataError, Place};
use crate::diagnostic::suggest::{list, nearest};
use crate::diagnostic::{Located, Span};
use crate::spec::loss::Task;

/// Indices of the columns that are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Columns {
    pub(super) inputs: Vec<usize>,
    pub(super) targets: Vec<usize>,
}

/// A header row: the names, and where each stands.
pub(super) struct Header<'a> {
    pub(super) names: &'a [String],
    pub(super) place: &'a dyn Fn(usize) -> Place,
    /// Where the spec names the file.
    pub(super) span: Span,
}

impl Header<'_> {
    /// Chooses the columns. Inputs come in the order of the spec's list, columns of one glob in the file's.
    pub(super) fn choose(
        &self,
        target: &Located<Vec<String>>,
        inputs: Option<&Located<Vec<String>>>,
        task: Task,
    ) -> Result<Columns, DataError> {
        self.check_names(target)?;
        let targets = self.targets(target, task)?;
        let inputs = match inputs {
            None => (0..self.names.len()).filter(|index| !targets.contains(index)).collect(),
            Some(patterns) => self.inputs(patterns, &targets)?,
        };
        if inputs.is_empty() {
            return Err(DataError::new("data-inputs", "there is no input column beside the target")
                .about(self.span)
                .at(Some((self.place)(0))));
        }
        if let Some(&unnamed) = inputs.iter().find(|&&index| self.names[index].is_empty()) {
            return Err(DataError::new("data-header", format!("column {} has no name", unnamed + 1))
                .about(self.span)
                .at(Some((self.place)(unnamed)))
                .help("pandas writes its index so: use `to_csv(..., index=False)`")
                .help("or list the columns that are inputs: `inputs = [...]` in [data]"));
        }
        Ok(Columns { inputs, targets })
    }

    fn check_names(&self, target: &Located<Vec<String>>) -> Result<(), DataError> {
        let twice =
            (1..self.names.len()).find(|&i| !self.names[i].is_empty() && self.names[..i].contains(&self.names[i]));
        let known = target.value.iter().all(|t| self.names.contains(t));
        if (twice.is_some() || !known) && self.names.iter().all(|name| name.parse::<f64>().is_ok()) {
            return Err(DataError::new("data-header", "the first line holds numbers only: there is no header row")
                .about(self.span)
                .at(Some((self.place)(0)))
                .help("put the names of the columns on the first line"));
        }
        let Some(twice) = twice else { return Ok(()) };
        Err(DataError::new("data-header", format!("two columns are named `{}`", self.names[twice]))
            .about(self.span)
            .at(Some((self.place)(twice)))
            .help("give each column a name of its own"))
    }

    fn targets(&self, target: &Located<Vec<String>>, task: Task) -> Result<Vec<usize>, DataError> {
        let mut found = Vec::new();
        for name in &target.value {
            let Some(index) = self.names.iter().position(|n| n == name) else {
                return Err(self.unknown("target", name, target.span));
            };
            if found.contains(&index) {
                return Err(DataError::new("data-target", format!("the target column `{name}` is listed twice"))
                    .about(target.span));
            }
            found.push(index);
        }
        match (found.len(), task) {
            (0, _) => Err(DataError::new("data-target", "no target column is named").about(target.span)),
            (1, _) | (_, Task::Regression) => Ok(found),
            (n, _) => Err(DataError::new(
                "data-target",
                format!("{n} target columns, but the loss of a classifier wants one, with the class of each row"),
            )
            .about(target.span)
            .help(
                "name the one column that holds the class; for several real-valued targets use a loss such as `mse`",
            )),
        }
    }

    fn inputs(&self, patterns: &Located<Vec<String>>, targets: &[usize]) -> Result<Vec<usize>, DataError> {
        let mut found: Vec<usize> = Vec::new();
        for pattern in &patterns.value {
            // A name first, for names may have brackets in them.
            let hits: Vec<usize> = match self.names.iter().position(|n| n == pattern) {
                Some(index) if targets.contains(&index) => {
                    return Err(DataError::new("data-inputs", format!("`{pattern}` is both an input and the target"))
                        .about(patterns.span)
                        .help("a model that sees its target learns nothing else"));
                }
                Some(index) => vec![index],
                None => self.matching(pattern, patterns.span)?,
            };
            if hits.is_empty() {
                return Err(self.unknown("input", pattern, patterns.span));
            }
            for index in hits {
                if !targets.contains(&index) && !found.contains(&index) {
                    found.push(index);
                }
            }
        }
        Ok(found)
    }

    fn matching(&self, pattern: &str, span: Span) -> Result<Vec<usize>, DataError> {
        let glob = GlobBuilder::new(pattern).literal_separator(false).backslash_escape(true).build().map_err(|e| {
            DataError::new("data-inputs", format!("`{pattern}` is not a glob: {}", e.kind()))
                .about(span)
                .help("a glob may hold `*`, `?`, `[a-z]` and `{one,other}`")
        })?;
        let matcher = glob.compile_matcher();
        Ok((0..self.names.len()).filter(|&index| matcher.is_match(&self.names[index])).collect())
    }

    fn unknown(&self, what: &str, name: &str, span: Span) -> DataError {
        let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        let error = if what == "input" && name.contains(['*', '?', '[', '{']) {
            DataError::new("data-inputs", format!("no column matches `{name}`"))
        } else {
            DataError::new(
                if what == "input" { "data-inputs" } else { "data-target" },
                format!("there is no {what} column `{name}`"),
            )
        };
        let error = error.about(span).at(Some((self.place)(0)));
        if let [only] = names[..]
            && let Some(separator) = [';', '\t', '|'].into_iter().find(|&c| only.contains(c))
        {
            return error.help(format!("the columns seem to be separated by {separator:?}: nncheck reads commas"));
        }
        match nearest(name, names.iter().copied()) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => error.help(format!("the file has the columns {}", list(&names))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(names: &[&str], target: &[&str], inputs: Option<&[&str]>, task: Task) -> Result<Columns, DataError> {
        let names: Vec<String> = names.iter().map(|&n| n.to_owned()).collect();
        let owned = |words: &[&str]| Located::new(words.iter().map(|&w| w.to_owned()).collect::<Vec<_>>(), 0..1);
        let place = |index| Place {
            shown: "a.csv".into(),
            line: 1,
            column: index + 1,
            text: String::new(),
            indent: 0,
            width: 1,
        };
        let header = Header { names: &names, place: &place, span: Span::default() };
        header.choose(&owned(target), inputs.map(owned).as_ref(), task)
    }

    #[test]
    fn inputs_are_all_other_columns_unless_named() {
        let columns = choose(&["a", "y", "b"], &["y"], None, Task::Multiclass).unwrap();
        assert_eq!(columns, Columns { inputs: vec![0, 2], targets: vec![1] });
    }

    #[test]
    fn named_inputs_keep_the_order_of_the_list_and_globs_that_of_the_file() {
        let names = ["p1", "q", "p0", "y", "x[0]"];
        let columns = choose(&names, &["y"], Some(&["q", "p*", "x[0]", "*"]), Task::Regression).unwrap();
        assert_eq!(columns.inputs, [1, 0, 2, 4]);
    }

    #[test]
    fn a_glob_that_matches_nothing_is_refused() {
        let e = choose(&["a", "y"], &["y"], Some(&["p*"]), Task::Regression).unwrap_err();
        assert_eq!(e.message, "no column matches `p*`");
        let e = choose(&["a", "y"], &["y"], Some(&["p["]), Task::Regression).unwrap_err();
        assert!(e.message.starts_with("`p[` is not a glob"), "{e}");
    }

    #[test]
    fn the_target_is_no_input() {
        let e = choose(&["a", "y"], &["y"], Some(&["a", "y"]), Task::Regression).unwrap_err();
        assert_eq!(e.message, "`y` is both an input and the target");
        let e = choose(&["y"], &["y"], None, Task::Regression).unwrap_err();
        assert_eq!(e.message, "there is no input column beside the target");
    }

    #[test]
    fn a_target_that_is_not_there_is_met_with_the_nearest_name() {
        let e = choose(&["a", "label"], &["lable"], None, Task::Multiclass).unwrap_err();
        assert_eq!(e.message, "there is no target column `lable`");
        assert_eq!(e.help, ["did you mean `label`?"]);
    }

    #[test]
    fn other_separators_are_told() {
        let e = choose(&["a;b;y"], &["y"], None, Task::Multiclass).unwrap_err();
        assert_eq!(e.help, ["the columns seem to be separated by ';': nncheck reads commas"]);
    }

    #[test]
    fn equal_names_are_refused() {
        let e = choose(&["a", "b", "a", "y"], &["y"], None, Task::Multiclass).unwrap_err();
        assert_eq!((e.message.as_str(), e.at.unwrap().column), ("two columns are named `a`", 3));
    }

    #[test]
    fn a_first_line_of_numbers_is_no_header_unless_it_names_the_target() {
        let e = choose(&["1.5", "2", "0"], &["label"], None, Task::Multiclass).unwrap_err();
        assert!(e.message.contains("no header row"), "{e}");
        assert!(choose(&["0", "1", "2"], &["2"], None, Task::Multiclass).is_ok());
    }

    #[test]
    fn a_column_without_a_name_is_refused_as_an_input_only() {
        let e = choose(&["", "a", "y"], &["y"], None, Task::Multiclass).unwrap_err();
        assert_eq!(e.message, "column 1 has no name");
        assert!(choose(&["", "a", "y"], &["y"], Some(&["a"]), Task::Multiclass).is_ok());
    }

    #[test]
    fn classifiers_have_one_target_column_and_regression_any_number() {
        assert!(choose(&["a", "y", "z"], &["y", "z"], None, Task::Multiclass).is_err());
        assert_eq!(choose(&["a", "y", "z"], &["z", "y"], None, Task::Regression).unwrap().targets, [2, 1]);
        assert!(choose(&["a", "y"], &[], None, Task::Regression).is_err());
        assert!(choose(&["a", "y"], &["y", "y"], None, Task::Regression).is_err());
    }
}
