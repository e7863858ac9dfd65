//! A curve in one line of text.

const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The curve in at most `width` characters, lowest to highest finite value; `×` where a value is not finite.
///
/// A longer curve is cut into equal runs, each shown by its mean; a run that holds a non-finite value shows that.
#[must_use]
pub fn sparkline(curve: &[f64], width: usize) -> String {
    let cells = width.min(curve.len());
    let runs: Vec<f64> = (0..cells)
        .map(|i| {
            let run = &curve[i * curve.len() / cells..(i + 1) * curve.len() / cells];
            #[expect(clippy::cast_precision_loss, reason = "a curve has few points")]
            let n = run.len() as f64;
            run.iter().map(|v| v / n).sum()
        })
        .collect();
    let (low, high) = runs
        .iter()
        .filter(|v| v.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &v| (low.min(v), high.max(v)));
    runs.into_iter().map(|v| if v.is_finite() { bar(v, low, high) } else { '×' }).collect()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 7")]
fn bar(value: f64, low: f64, high: f64) -> char {
    // Halved, so that the range of huge values does not overflow.
    let share = (value / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0);
    // A level curve has no range: draw it low.
    let index = if share.is_finite() { (share * 8.0).floor().clamp(0.0, 7.0) as usize } else { 0 };
    BARS[index]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rising_line_uses_every_height() {
        assert_eq!(sparkline(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], 20), "▁▂▃▄▅▆▇█");
    }

    #[test]
    fn a_long_curve_is_cut_to_the_width() {
        let curve: Vec<f64> = (0..100).map(|i| f64::from(100 - i)).collect();
        assert_eq!(sparkline(&curve, 4), "█▆▃▁");
    }

    #[test]
    fn non_finite_values_are_marked() {
        assert_eq!(sparkline(&[1.0, f64::NAN, 2.0, f64::INFINITY], 9), "▁×█×");
    }

    #[test]
    fn empty_and_level_curves_are_drawn_without_panic() {
        assert_eq!(sparkline(&[], 9), "");
        assert_eq!(sparkline(&[3.0, 3.0], 9), "▁▁");
        assert_eq!(sparkline(&[f64::MAX, -f64::MAX], 9), "█▁");
        assert_eq!(sparkline(&[1.0], 0), "");
    }
}
