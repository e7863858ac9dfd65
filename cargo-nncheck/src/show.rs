//! From the harness's events to what the user sees: text for people or JSON lines, on standard output; progress on
//! standard error, a bar on a terminal and nothing in a pipe.

use std::io::{IsTerminal, Write};

use indicatif::{ProgressBar, ProgressStyle};
use nncheck_core::report::event::{Event, Progress, Summary};
use nncheck_core::report::human::{Human, Style, Verbosity};
use nncheck_core::report::json;
use nncheck_core::suite::{BoundSpec, PropertyId, Setting, Suite};

use crate::cli::{Color, MessageFormat, OutputArgs};

/// The one who shows.
#[derive(Debug)]
pub struct Show {
    format: MessageFormat,
    human: Human,
    verbose: bool,
    bar: Option<ProgressBar>,
    packages: usize,
    total: Summary,
}

impl Show {
    /// As the command line wishes.
    #[must_use]
    pub fn new(format: MessageFormat, output: &OutputArgs) -> Self {
        let terminal = std::io::stdout().is_terminal();
        let colour = match output.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && std::env::var_os("NO_COLOR").is_none(),
        };
        let verbosity = match (output.quiet, output.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, 0) => Verbosity::Normal,
            (false, _) => Verbosity::Verbose,
        };
        let width =
            terminal_size::terminal_size().filter(|_| terminal).map_or(0, |(columns, _)| usize::from(columns.0));
        let wants_bar = std::io::stderr().is_terminal() && !output.quiet;
        Self {
            format,
            human: Human::new(Style { colour, verbosity, width }),
            verbose: verbosity == Verbosity::Verbose,
            bar: wants_bar.then(new_bar),
            packages: 0,
            total: Summary::default(),
        }
    }

    /// Shows one event.
    ///
    /// # Errors
    /// When standard output is closed.
    pub fn event(&mut self, event: &Event) -> std::io::Result<()> {
        match event {
            Event::Progress(progress) => {
                self.progress(progress);
                return Ok(());
            }
            Event::Summary(summary) => {
                self.total.add(summary);
                self.packages += 1;
            }
            Event::RunStarted(_) | Event::Property(_) | Event::Ignored(_) => {}
        }
        let text = match (self.format, event) {
            // One summary for all packages, at the very end; `list` tells what does not run.
            (MessageFormat::Json, Event::Summary(_) | Event::Ignored(_)) => return Ok(()),
            (MessageFormat::Json, event) => json::line(event) + "\n",
            (MessageFormat::Human, event) => self.human.event(event),
        };
        self.write(&text)
    }

    /// Where the values of the specs with something to run were written; only where more is to be printed.
    ///
    /// # Errors
    /// When standard output is closed.
    pub fn values(&mut self, suite: &Suite, running: &[PropertyId]) -> std::io::Result<()> {
        if self.format == MessageFormat::Json || !self.verbose {
            return Ok(());
        }
        let mut text = String::new();
        for (index, spec) in suite.specs.iter().enumerate() {
            if running.iter().any(|id| id.spec == index) {
                let rung = spec.rung.as_ref().map(|rung| format!("::{}", rung.name)).unwrap_or_default();
                text.push_str(&format!("\nvalues of {}{rung}:\n{}", spec.name, values(spec, |_| true)));
            }
        }
        self.write(&text)
    }

    /// The end of all packages' runs: the summary of all, and whether it held.
    ///
    /// # Errors
    /// When standard output is closed.
    pub fn end(mut self) -> std::io::Result<Summary> {
        let text = match self.format {
            MessageFormat::Json => json::line(&Event::Summary(self.total.clone())) + "\n",
            MessageFormat::Human if self.packages > 1 => {
                format!("\nall packages:{}", self.human.event(&Event::Summary(self.total.clone())))
            }
            MessageFormat::Human => String::new(),
        };
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        self.write(&text)?;
        Ok(self.total)
    }

    /// Whether all that was shown so far held.
    #[must_use]
    pub fn held_so_far(&self) -> bool {
        self.total.held()
    }

    fn progress(&self, progress: &Progress) {
        if let Some(bar) = &self.bar {
            bar.set_length(progress.total as u64);
            bar.set_position(progress.done as u64);
            if progress.done >= progress.total {
                bar.reset();
            }
        }
    }

    fn write(&self, text: &str) -> std::io::Result<()> {
        let print = || {
            let mut out = std::io::stdout().lock();
            out.write_all(text.as_bytes())?;
            out.flush()
        };
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }
}

/// What a spec came to, a line a value, each with the place where it was written.
#[must_use]
pub fn values(spec: &BoundSpec, wanted: impl Fn(&Setting) -> bool) -> String {
    let settings: Vec<&Setting> = spec.settled.iter().filter(|setting| wanted(setting)).collect();
    let stated: Vec<String> = settings.iter().map(|s| format!("{} = {}", s.key, s.value)).collect();
    // A list of layers is long, and must not push the places of all others out of sight.
    let width = stated.iter().map(|line| line.chars().count()).filter(|width| *width <= 60).max().unwrap_or(0);
    let lines = stated.iter().zip(&settings).map(|(line, setting)| format!("    {line:<width$}  {}\n", setting.origin));
    lines.collect()
}

fn new_bar() -> ProgressBar {
    let bar = ProgressBar::no_length();
    if let Ok(style) = ProgressStyle::with_template("  measuring [{bar:32}] {pos}/{len}") {
        bar.set_style(style.progress_chars("=> "));
    }
    bar
}
