//! Curves and tables in text.

use super::paint::{Tone, paint};
use super::style::Style;
use crate::judge::exhibit::{Curve, Exhibit, Table};
use crate::judge::number::number;
use crate::judge::sparkline::sparkline;

/// No curve is wider.
const WIDTH: usize = 50;
/// No table has more rows.
const ROWS: usize = 16;

/// The lines of what a check shows, indented.
pub(super) fn exhibits(all: &[Exhibit], style: &Style) -> Vec<String> {
    let lines = all.iter().flat_map(|exhibit| match exhibit {
        Exhibit::Curve(curve) => self::curve(curve, style),
        Exhibit::Table(table) => self::table(table, style),
    });
    lines.collect()
}

/// The title with the range, the curve between its ends, and a line for each mark, under its point.
fn curve(curve: &Curve, style: &Style) -> Vec<String> {
    let (Some(first), Some(last)) = (curve.x.first(), curve.x.last()) else { return Vec::new() };
    let y: Vec<f64> = curve.y.iter().map(|y| y.unwrap_or(f64::NAN)).collect();
    let finite = || y.iter().copied().filter(|y| y.is_finite());
    let low = finite().reduce(f64::min);
    let high = finite().reduce(f64::max);
    let range = low.zip(high).map_or_else(String::new, |(low, high)| format!(": {} to {}", number(low), number(high)));
    let cells = y.len().min(WIDTH);
    let start = format!("    {} ", number(*first));
    let mut lines =
        vec![format!("  {}{range}", curve.title), format!("{start}{} {}", sparkline(&y, WIDTH), number(*last))];
    for (point, what) in &curve.marks {
        let Some(x) = curve.x.get(*point) else { continue };
        let cell = if y.len() > cells { point * cells / y.len() } else { *point };
        let room = " ".repeat(start.chars().count() + cell);
        lines.push(paint(style.colour, Tone::Good, format!("{room}^ {} {what}", number(*x))));
    }
    lines
}

/// A head, and aligned rows, those that are marked pointed at.
fn table(table: &Table, style: &Style) -> Vec<String> {
    let shown = &table.rows[..table.rows.len().min(ROWS)];
    let cells: Vec<Vec<String>> = shown
        .iter()
        .map(|row| {
            let numbers = row.cells.iter().map(|cell| cell.map_or_else(|| "-".to_owned(), number));
            std::iter::once(row.name.clone()).chain(numbers).collect()
        })
        .collect();
    let width = |column: usize| {
        let of = |cells: &Vec<String>| cells.get(column).map_or(0, |cell| cell.chars().count());
        cells.iter().chain([&table.head]).map(of).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..table.head.len()).map(width).collect();
    let line = |cells: &[String]| {
        let padded = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let mut lines = vec![paint(style.colour, Tone::Quiet, format!("    {}", line(&table.head)))];
    for (row, cells) in shown.iter().zip(&cells) {
        let text = line(cells);
        lines.push(if row.marked {
            format!("  {}", paint(style.colour, Tone::Bad, format!("> {text}")))
        } else {
            format!("    {text}")
        });
    }
    if table.rows.len() > shown.len() {
        lines.push(format!("    ... and {} more", table.rows.len() - shown.len()));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::exhibit::Row;

    fn shown(exhibit: Exhibit) -> Vec<String> {
        exhibits(&[exhibit], &Style::default())
    }

    #[test]
    fn a_mark_stands_under_its_point() {
        let curve = Curve {
            title: "loss by learning rate".into(),
            x: vec![1e-4, 1e-3, 1e-2, 0.1, 1.0],
            y: vec![Some(2.0), Some(1.75), Some(0.25), Some(1.0), None],
            marks: vec![(2, "suggested".into())],
        };
        let expected = ["  loss by learning rate: 0.25 to 2", "    1e-4 █▇▁▄× 1", "           ^ 0.01 suggested"];
        assert_eq!(shown(Exhibit::Curve(curve)), expected);
    }

    #[test]
    fn a_long_curve_is_drawn_in_its_width_and_marked_within_it() {
        let mut curve = Curve::by_step("loss", &(0..1000).map(f64::from).collect::<Vec<_>>());
        curve.marks.push((999, "last".into()));
        let lines = shown(Exhibit::Curve(curve));
        assert_eq!(lines[1].chars().filter(|c| "▁▂▃▄▅▆▇█".contains(*c)).count(), WIDTH);
        assert_eq!(lines[2].find('^'), Some("    1 ".len() + WIDTH - 1));
    }

    #[test]
    fn columns_are_aligned_and_the_marked_row_is_pointed_at() {
        let row = |name: &str, cells: [Option<f64>; 2], marked| Row { name: name.into(), cells: cells.into(), marked };
        let table = Table {
            head: vec!["layer".into(), "std".into(), "zero".into()],
            rows: vec![row("hidden", [Some(0.5), Some(0.25)], false), row("a.relu", [None, Some(1.0)], true)],
        };
        let expected = ["    layer   std  zero", "    hidden  0.5  0.25", "  > a.relu  -    1"];
        assert_eq!(shown(Exhibit::Table(table)), expected);
    }

    #[test]
    fn an_empty_curve_shows_nothing() {
        assert!(shown(Exhibit::Curve(Curve::by_step("loss", &[]))).is_empty());
    }
}
