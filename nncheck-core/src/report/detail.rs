//! Everything about one property that does not hold: where, which numbers, and what to do.

use serde_json::Value;

use super::event::PropertyEvent;
use super::exhibits::exhibits;
use super::paint::{Tone, paint, wrap};
use super::style::Style;
use crate::judge::number::number;

/// No table has more rows.
const ROWS: usize = 12;
/// No list of seeds is longer.
const SEEDS: usize = 10;

/// The report on one property, of several lines, each with its end.
#[must_use]
pub fn detail(event: &PropertyEvent, style: &Style) -> String {
    let mut out = String::new();
    let mut line = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    line(wrap(&event.message, "", style.width));
    place(event, style).into_iter().for_each(&mut line);
    table(event, style).into_iter().for_each(&mut line);
    exhibits(&event.evidence.exhibits, style).into_iter().for_each(&mut line);
    seeds(event).into_iter().for_each(&mut line);
    if let Some(reason) = &event.reason {
        line(wrap(reason, "  reason: ", style.width));
    }
    for help in &event.help {
        let text = wrap(help, "  help: ", style.width);
        line(text.replacen("help:", &paint(style.colour, Tone::Good, "help:"), 1));
    }
    out
}

/// The line of the spec, as rustc would show it.
pub(super) fn place(event: &PropertyEvent, style: &Style) -> Vec<String> {
    let gutter = |text: String| paint(style.colour, Tone::Place, text);
    let number = event.span.line.to_string();
    let room = " ".repeat(number.len());
    let mut lines = vec![format!("{room}{} {}:{number}", gutter("-->".into()), event.span.file)];
    if let Some(line) = &event.evidence.line {
        lines.push(format!("{} {line}", gutter(format!("{number} |"))));
    }
    lines
}

/// The named numbers, those outside their bands first and marked.
fn table(event: &PropertyEvent, style: &Style) -> Vec<String> {
    if event.by.len() < 2 {
        return Vec::new();
    }
    let is = |list: &[String], name: &String| list.contains(name);
    let (outside, inside): (Vec<_>, Vec<_>) = event.by.iter().partition(|(name, _)| is(&event.evidence.outside, name));
    let (unjudged, inside): (Vec<_>, Vec<_>) =
        inside.into_iter().partition(|(name, _)| is(&event.evidence.unjudged, name));
    let mut worst = outside;
    // The one that the message speaks of stands on top.
    worst.sort_by_key(|(name, _)| event.at.as_ref() != Some(*name));
    let rows: Vec<_> = worst.into_iter().chain(inside).chain(unjudged).collect();
    let shown = &rows[..rows.len().min(ROWS)];
    let names = shown.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let numbers = shown.iter().map(|(_, value)| cell(value).chars().count()).max().unwrap_or(0);
    let mut lines: Vec<String> = shown
        .iter()
        .map(|(name, value)| {
            let row = format!("{name:<names$}  {:<numbers$}", cell(value));
            if is(&event.evidence.outside, name) {
                format!("  {}", paint(style.colour, Tone::Bad, format!("> {row}  outside")))
            } else if is(&event.evidence.unjudged, name) {
                format!("  {}", paint(style.colour, Tone::Quiet, format!("  {row}  not judged")))
            } else {
                format!("    {}", row.trim_end())
            }
        })
        .collect();
    if rows.len() > shown.len() {
        lines.push(format!("    ... and {} more", rows.len() - shown.len()));
    }
    lines
}

fn cell(value: &Value) -> String {
    value.as_f64().map_or_else(|| "none".to_owned(), number)
}

/// The interval, and the number seed by seed.
fn seeds(event: &PropertyEvent) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(interval) = &event.interval {
        let end = |end: Option<f64>| end.map_or_else(|| "open".to_owned(), number);
        let percent = number(interval.confidence * 100.0);
        lines.push(format!("  {percent} % interval: {} to {}", end(interval.low), end(interval.high)));
    }
    let [first, .., last] = event.seeds.as_slice() else { return lines };
    let values: Vec<String> =
        event.seeds.iter().take(SEEDS).map(|s| s.value.map_or_else(|| "none".to_owned(), number)).collect();
    let more = if event.seeds.len() > SEEDS { ", ..." } else { "" };
    lines.push(format!("  seeds {} to {}: {}{more}", first.seed, last.seed, values.join(", ")));
    lines
}
