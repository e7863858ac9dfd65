//! What a program left: its exit code and what it printed.

use std::process::Command;

use serde_json::Value;

/// What a program left.
#[derive(Debug)]
pub struct Outcome {
    /// The command line, for messages.
    pub command: String,
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Outcome {
    /// Runs a command to its end.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn of(command: &mut Command) -> Self {
        let output = command.output().unwrap_or_else(|e| panic!("{command:?} cannot be started: {e}"));
        let outcome = Self {
            command: std::iter::once(command.get_program())
                .chain(command.get_args())
                .map(|word| word.to_string_lossy().into_owned())
                .collect::<Vec<_>>()
                .join(" "),
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        };
        // Whatever happens, nncheck itself does not panic; a panic of the code under test is told of in other words.
        assert!(!outcome.stderr.contains("panicked at"), "nncheck panicked\n{outcome}");
        outcome
    }

    /// Holds it to an exit code.
    ///
    /// # Panics
    /// When it has another.
    #[must_use]
    pub fn exits_with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "the exit code\n{self}");
        self
    }

    /// Holds it to words on standard error.
    ///
    /// # Panics
    /// When one is missing.
    #[must_use]
    pub fn complains_of(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.stderr.contains(word), "`{word}` is not on standard error\n{self}");
        }
        self
    }

    /// Holds it to words on standard output.
    ///
    /// # Panics
    /// When one is missing.
    #[must_use]
    pub fn says(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.stdout.contains(word), "`{word}` is not on standard output\n{self}");
        }
        self
    }

    /// The JSON events; every line of standard output must be one.
    ///
    /// # Panics
    /// When one is not.
    #[must_use]
    pub fn events(&self) -> Vec<Value> {
        self.stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("`{line}` is no event: {e}\n{self}")))
            .collect()
    }

    /// The property events, in order.
    #[must_use]
    pub fn properties(&self) -> Vec<Value> {
        self.events().into_iter().filter(|e| e["event"] == "property").collect()
    }

    /// The event of one property.
    ///
    /// # Panics
    /// When there is none, or several.
    #[must_use]
    pub fn property(&self, spec: &str, property: &str) -> Value {
        let mut found = self.properties().into_iter().filter(|e| e["spec"] == spec && e["property"] == property);
        match (found.next(), found.next()) {
            (Some(event), None) => event,
            (None, _) => panic!("{spec}::{property} was not judged\n{self}"),
            (Some(_), Some(_)) => panic!("{spec}::{property} was judged twice\n{self}"),
        }
    }

    /// The summary, which is the last event and there once.
    ///
    /// # Panics
    /// When it is not.
    #[must_use]
    pub fn summary(&self) -> Value {
        let mut events = self.events();
        let summaries = events.iter().filter(|e| e["event"] == "summary").count();
        assert_eq!(summaries, 1, "one summary\n{self}");
        match events.pop() {
            Some(last) if last["event"] == "summary" => last,
            _ => panic!("the summary comes last\n{self}"),
        }
    }

    /// The events without what differs from run to run: the durations.
    #[must_use]
    pub fn timeless(&self) -> Vec<Value> {
        let mut events = self.events();
        for event in &mut events {
            if let Some(event) = event.as_object_mut() {
                event.remove("duration_ms");
            }
        }
        events
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { command, code, stdout, stderr } = self;
        write!(
            f,
            "--- {command}\n--- exit code {code:?}\n--- standard output\n{stdout}\n--- standard error\n{stderr}\n---"
        )
    }
}
