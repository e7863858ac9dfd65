//! What `accept` tells of the numbers that it took.

use nncheck_core::baseline::{Accepted, Quantity, Values};
use nncheck_core::judge::number::{number, percent};
use nncheck_core::report::event::PropertyEvent;

/// A property's numbers, what they can tell, and how they stand towards those that were accepted before.
#[must_use]
pub fn table(name: &str, accepted: &Accepted, before: Option<&Accepted>) -> String {
    let seeds: Vec<u64> =
        accepted.quantities.values().next().into_iter().flat_map(|v| v.seeds.keys().copied()).collect();
    let (first, last) = (seeds.first().copied().unwrap_or_default(), seeds.last().copied().unwrap_or_default());
    let head = ["", "mean", "spread", "can tell", "before"].map(str::to_owned);
    let mut rows = vec![head];
    for (quantity, values) in &accepted.quantities {
        let told = if quantity.is_exact() { "any change".to_owned() } else { percent(values.told) };
        let before = before.map_or_else(String::new, |before| towards(*quantity, accepted, before, values));
        rows.push([quantity.name().to_owned(), number(values.mean), number(values.spread), told, before]);
    }
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..5).map(width).collect();
    let mut text = format!("{name}, seeds {first} to {last}\n");
    for row in &rows {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        text.push_str(&format!("    {}\n", cells.join("  ").trim_end()));
    }
    let coarsest = accepted.quantities.iter().filter(|(quantity, _)| !quantity.is_exact());
    let coarsest = coarsest.max_by(|a, b| a.1.told.total_cmp(&b.1.told));
    if let Some((quantity, values)) = coarsest.filter(|(_, values)| values.spread > 0.0 && values.told > 0.05) {
        text.push_str(&format!(
            "    changes of `{}` below {} drown in chance where other random numbers are drawn: `--seeds {}` halves that\n",
            quantity.name(),
            percent(values.told),
            4 * seeds.len()
        ));
    }
    text
}

/// How a quantity stands towards what was accepted before.
fn towards(quantity: Quantity, accepted: &Accepted, before: &Accepted, now: &Values) -> String {
    let Some(then) = before.quantities.get(&quantity) else { return "not accepted".to_owned() };
    if before.measured.steps != accepted.measured.steps {
        return format!("{} after {} steps", number(then.mean), before.measured.steps);
    }
    if quantity == Quantity::Metric && before.measured.metric != accepted.measured.metric {
        return format!("{} of {}", number(then.mean), before.measured.metric.as_deref().unwrap_or("none"));
    }
    if then.seeds == now.seeds {
        return "the same".to_owned();
    }
    let change = now.mean - then.mean;
    let way = if change > 0.0 { "up" } else { "down" };
    match (change == 0.0, then.mean == 0.0 || quantity.is_exact()) {
        (true, _) => format!("{}, other seeds", number(then.mean)),
        (false, true) => format!("{}, {way}", number(then.mean)),
        (false, false) => format!("{}, {way} {}", number(then.mean), percent((change / then.mean).abs())),
    }
}

/// Why a property's numbers cannot be accepted.
#[must_use]
pub fn refusal(event: &PropertyEvent) -> String {
    let mut text = format!("error: {}: {}\n", event.test_name(), event.message);
    for help in &event.help {
        text.push_str(&format!("  help: {help}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use nncheck_core::baseline::Measured;

    use super::*;

    fn accepted(losses: &[f64], steps: usize) -> Accepted {
        let values = |numbers: &[f64]| {
            let seeds: BTreeMap<u64, f64> = (0..).zip(numbers.iter().copied()).collect();
            Values::of(seeds, |values| values.can_tell(0.99)).unwrap_or_else(|| panic!("{numbers:?}"))
        };
        let parameters = vec![650.0; losses.len()];
        Accepted {
            nncheck: "0.1.0".into(),
            tch: None,
            libtorch: None,
            measured: Measured { steps, metric: None },
            quantities: [(Quantity::Parameters, values(&parameters)), (Quantity::FinalLoss, values(losses))].into(),
        }
    }

    #[test]
    fn numbers_stand_beside_what_they_can_tell_and_what_was_before() {
        let now = accepted(&[0.2, 0.3, 0.4], 200);
        let first = table("a::regression", &now, None);
        assert!(first.starts_with("a::regression, seeds 0 to 2\n"), "{first}");
        assert!(first.contains("parameters  650   0       any change") && first.contains("--seeds 12"), "{first}");
        assert!(!first.contains("the same"), "{first}");
        assert_eq!(table("a", &now, Some(&now)).matches("the same").count(), 2);
        assert!(table("a", &now, Some(&accepted(&[0.1, 0.2, 0.3], 200))).contains("0.2, up 50 %"));
        assert!(table("a", &now, Some(&accepted(&[0.1, 0.2, 0.3], 100))).contains("0.2 after 100 steps"));
    }
}
