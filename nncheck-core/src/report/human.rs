//! The report for people: a line a property as verdicts come in, and everything about those that do not hold at the
//! end, where it is still on the screen when the run is over.

use std::fmt::Write;

pub use super::detail::detail;
use super::detail::place;
use super::event::{Event, Ignored, PropertyEvent, RunStarted, Summary};
use super::paint::{Tone, paint, wrap};
pub use super::style::{Style, Verbosity};
use crate::evaluate::band_text;
use crate::judge::number::number;
use crate::judge::{Band, Rule, Verdict};
use crate::spec::property::Level;

/// Turns events into text, one by one.
#[derive(Clone, Debug)]
pub struct Human {
    style: Style,
    packages: usize,
    /// What is told at the end.
    kept: Vec<PropertyEvent>,
}

impl Human {
    /// A report that has not begun.
    #[must_use]
    pub fn new(style: Style) -> Self {
        Self { style, packages: 0, kept: Vec::new() }
    }

    /// The text that an event adds to the report: lines with their ends, or nothing.
    #[must_use]
    pub fn event(&mut self, event: &Event) -> String {
        match event {
            Event::RunStarted(started) => {
                self.packages += 1;
                if self.style.verbosity == Verbosity::Quiet { String::new() } else { header(started) }
            }
            Event::Progress(_) => String::new(),
            Event::Property(property) => self.property(property),
            Event::Ignored(ignored) => self.ignored(ignored),
            Event::Summary(summary) => self.end(summary),
        }
    }

    fn property(&mut self, event: &PropertyEvent) -> String {
        let holds = matches!(event.verdict, Verdict::Pass | Verdict::Skipped);
        if !holds {
            self.kept.push(event.clone());
        }
        match self.style.verbosity {
            Verbosity::Quiet if holds => String::new(),
            Verbosity::Verbose if holds => format!("{}{}", self.line(event), indented(&detail(event, &self.style))),
            _ => self.line(event),
        }
    }

    /// Why a property does not run.
    fn ignored(&self, ignored: &Ignored) -> String {
        if self.style.verbosity == Verbosity::Quiet {
            return String::new();
        }
        let why = match &ignored.off {
            Some(reason) => format!("off: {reason}"),
            None => "slow: runs with --include-ignored".to_owned(),
        };
        self.aligned(Tone::Unsure, "ignored", &ignored.name, why)
    }

    fn aligned(&self, tone: Tone, word: &str, name: &str, rest: String) -> String {
        let word = paint(self.style.colour, tone, format!("{word:>12}"));
        let rest = paint(self.style.colour, Tone::Quiet, rest);
        format!("{word}  {name:<32}  {rest}\n")
    }

    /// Verdict, name, and the number in its band.
    fn line(&self, event: &PropertyEvent) -> String {
        let (tone, word) = word(event);
        let name = event.test_name();
        let rest = match event.verdict {
            Verdict::Skipped => match &event.blocked_by {
                Some(rung) => format!("blocked by rung `{rung}`"),
                None => event.message.clone(),
            },
            Verdict::Error => "could not be measured, see below".to_owned(),
            Verdict::Pass | Verdict::Fail | Verdict::Inconclusive => numbers(event),
        };
        self.aligned(tone, word, &name, rest)
    }

    fn end(&mut self, summary: &Summary) -> String {
        let kept = std::mem::take(&mut self.kept);
        let mut out = String::new();
        let (errors, judged): (Vec<_>, Vec<_>) = kept.into_iter().partition(|e| e.verdict == Verdict::Error);
        let (warnings, failures): (Vec<_>, Vec<_>) = judged.into_iter().partition(|e| e.level == Level::Warn);
        self.section(&mut out, "warnings", &warnings);
        self.section(&mut out, "failures", &failures);
        self.errors(&mut out, &errors);
        let names: Vec<String> =
            failures.iter().chain(&errors).filter(|e| e.fails_the_run()).map(|e| self.name(e)).collect();
        if names.len() > 1 {
            let _ = write!(out, "\nfailures:\n    {}\n", names.join("\n    "));
        }
        let _ = write!(out, "\n{}\n", self.result(summary));
        out
    }

    fn section(&self, out: &mut String, title: &str, events: &[PropertyEvent]) {
        if events.is_empty() {
            return;
        }
        let _ = writeln!(out, "\n{title}:");
        for event in events {
            let (tone, _) = word(event);
            let name = paint(self.style.colour, tone, self.name(event));
            let _ = write!(out, "\n---- {name} ----\n{}", detail(event, &self.style));
        }
    }

    /// One cause often hits many properties: it is told once.
    fn errors(&self, out: &mut String, events: &[PropertyEvent]) {
        let mut causes: Vec<Vec<&PropertyEvent>> = Vec::new();
        for event in events {
            match causes.iter_mut().find(|c| (cause_of(c[0]), &c[0].help) == (cause_of(event), &event.help)) {
                Some(cause) => cause.push(event),
                None => causes.push(vec![event]),
            }
        }
        if !causes.is_empty() {
            out.push_str("\nerrors:\n");
        }
        for cause in causes {
            let first = cause[0];
            let error = paint(self.style.colour, Tone::Bad, "error:");
            let message = wrap(cause_of(first), "error: ", self.style.width).replacen("error:", &error, 1);
            let _ = writeln!(out, "\n{message}");
            for help in &first.help {
                let _ = writeln!(out, "{}", wrap(help, "  ", self.style.width));
            }
            out.push_str(match cause.len() {
                1 => "  this property could not be measured:\n",
                _ => "  these properties could not be measured:\n",
            });
            for event in cause {
                let level = if event.level == Level::Warn { " (warning)" } else { "" };
                let place = place(event, &Style { colour: false, ..self.style }).remove(0);
                let place = place.trim_start().trim_start_matches("--> ").to_owned();
                let what = event.evidence.measuring.as_ref().map(|what| format!("  ({what})")).unwrap_or_default();
                let rest = paint(self.style.colour, Tone::Quiet, format!("{place}{what}"));
                let _ = writeln!(out, "    {}{level}  {rest}", self.name(event));
            }
        }
    }

    fn result(&self, summary: &Summary) -> String {
        let (tone, word) = if summary.held() { (Tone::Good, "ok") } else { (Tone::Bad, "FAILED") };
        let mut text = format!("test result: {}.", paint(self.style.colour, tone, word));
        let _ = write!(text, " {} passed; {} failed", summary.passed, summary.failed);
        let rest = [
            (summary.inconclusive, "inconclusive"),
            (summary.errors, if summary.errors == 1 { "error" } else { "errors" }),
            (summary.warned, "warned"),
            (summary.skipped, "skipped"),
            (summary.blocked, "blocked"),
            (summary.ignored, "ignored"),
        ];
        for (count, what) in rest {
            if count > 0 {
                let _ = write!(text, "; {count} {what}");
            }
        }
        let _ = write!(text, "; finished in {:.2}s", summary.duration_ms / 1000.0);
        if summary.judged() == 0 {
            text.push_str("\nnothing was judged, so nothing is known to hold");
        }
        text
    }

    fn name(&self, event: &PropertyEvent) -> String {
        if self.packages > 1 { format!("{} {}", event.package, event.test_name()) } else { event.test_name() }
    }
}

fn header(started: &RunStarted) -> String {
    let mut with = vec![format!("nncheck {}", started.nncheck)];
    with.extend(started.tch.as_ref().map(|v| format!("tch {v}")));
    with.extend(started.libtorch.as_ref().map(|v| format!("libtorch {v}")));
    with.push(started.device.clone());
    let properties = if started.properties == 1 { "property" } else { "properties" };
    format!("\nrunning {} {properties} of {} ({})\n", started.properties, started.package, with.join(", "))
}

/// The verdict in one word.
fn word(event: &PropertyEvent) -> (Tone, &'static str) {
    match (event.verdict, event.level) {
        (Verdict::Pass, _) => (Tone::Good, "ok"),
        (Verdict::Skipped, _) => (Tone::Unsure, if event.blocked_by.is_some() { "blocked" } else { "skipped" }),
        (_, Level::Warn) => (Tone::Unsure, "warning"),
        (Verdict::Fail, Level::Deny) => (Tone::Bad, "FAILED"),
        (Verdict::Inconclusive, Level::Deny) => (Tone::Bad, "INCONCLUSIVE"),
        (Verdict::Error, Level::Deny) => (Tone::Bad, "ERROR"),
    }
}

/// `0.31 (body.0.weight), within 5e-5 to 0.1, 5 seeds`.
fn numbers(event: &PropertyEvent) -> String {
    let mut text = event.value.map_or_else(|| "not finite".to_owned(), number);
    if let Some(at) = &event.at {
        // Some names are in brackets of their own.
        let _ = if at.starts_with('(') { write!(text, " {at}") } else { write!(text, " ({at})") };
    }
    let out = event.value.is_some_and(|v| !event.band.contains(v));
    // Of a change, what passes for no cause's being allowed cannot be told from chance.
    let chance = (event.rule, event.verdict) == (Some(Rule::Change), Verdict::Pass) && event.causes.is_empty();
    if out && chance {
        text.push_str(", not told from chance");
    } else if event.band != Band::default() {
        let allowed = if out && event.verdict == Verdict::Pass { "allowed, " } else { "" };
        let _ = write!(text, ", {allowed}{}{}", if out { "not " } else { "" }, band_text(&event.band));
    }
    let seeds = event.seeds.len();
    let of = if matches!(event.rule, Some(Rule::Mean | Rule::Change)) { "mean of " } else { "" };
    match seeds {
        0 => {}
        1 => text.push_str(", 1 seed"),
        _ => {
            let _ = write!(text, ", {of}{seeds} seeds");
        }
    }
    if let Some(suggestion) = &event.evidence.suggestion {
        let _ = write!(text, "; suggests {suggestion}");
    }
    text
}

fn indented(text: &str) -> String {
    text.lines().fold(String::new(), |mut out, line| {
        let _ = writeln!(out, "              {line}");
        out
    })
}

/// Why a property could not be measured.
fn cause_of(event: &PropertyEvent) -> &str {
    event.evidence.cause.as_deref().unwrap_or(&event.message)
}

#[cfg(test)]
#[path = "human_tests.rs"]
mod tests;
