//! One table over another: what `extends` and the rungs of a ladder do.
//!
//! Tables merge, everything else replaces. Where a table holds a choice (`builder` or `layers`), choosing anew drops the
//! inherited choice together with what belonged to it alone.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A choice between keys of a table.
struct Choice {
    /// The table.
    table: &'static [&'static str],
    /// Exactly one of these is meant to be there.
    between: &'static [&'static str],
    /// What belongs to what was chosen before, and goes with it.
    with_it: &'static [&'static str],
}

/// The choices of the language. A `kind` is one between its values.
const CHOICES: &[Choice] = &[
    Choice {
        table: &["model"],
        between: &["builder", "layers", "torchscript", "subject"],
        with_it: &["weights", "hyper", "frozen"],
    },
    Choice {
        table: &["data"],
        between: &["csv", "npz", "safetensors", "idx", "synthetic", "function"],
        with_it: &["target", "targets", "inputs", "next_token"],
    },
    Choice { table: &["data", "synthetic"], between: &["classes", "targets", "tokens"], with_it: &["length"] },
    Choice {
        table: &["loss"],
        between: &["kind"],
        with_it: &["class_weights", "class_axis", "ignore_index", "label_smoothing", "delta"],
    },
    Choice {
        table: &["optimizer"],
        between: &["kind", "function"],
        with_it: &["momentum", "dampening", "nesterov", "betas", "eps", "alpha", "amsgrad", "centered"],
    },
    Choice { table: &["optimizer", "clip"], between: &["norm", "value"], with_it: &[] },
    // Of a schedule nearly every key belongs to its kind.
    Choice { table: SCHEDULE, between: &["kind"], with_it: &[] },
];

/// The table of a schedule.
const SCHEDULE: &[&str] = &["optimizer", "schedule"];

/// The two ways to state a band. Who states it one way does not mean the rest of the other.
const BANDS: [&[&str]; 2] = [&["expect", "within"], &["min", "max"]];

/// `over` laid over `base`.
pub(crate) fn merge<'i>(base: DeTable<'i>, over: DeTable<'i>) -> DeTable<'i> {
    lay(base, over, &mut Vec::new())
}

fn lay<'i>(mut base: DeTable<'i>, over: DeTable<'i>, path: &mut Vec<String>) -> DeTable<'i> {
    for choice in CHOICES.iter().filter(|choice| choice.table == path.as_slice()) {
        choose(&mut base, &over, choice);
    }
    if let [first, property] = path.as_slice()
        && first == "property"
    {
        let inherited = check(&base).unwrap_or(property).to_owned();
        if check(&over).is_some_and(|new| new != inherited) {
            base = DeTable::new();
        }
        restate(&mut base, &over);
    }
    for (key, value) in over {
        let name = key.get_ref().to_string();
        // The key is taken away first: a map keeps the old key, with the old place, under a new value.
        let old = base.remove(name.as_str()).map(Spanned::into_inner);
        let span = value.span();
        let value = match (old, value.into_inner()) {
            (Some(DeValue::Table(old)), DeValue::Table(new)) => {
                path.push(name);
                let merged = lay(old, new, path);
                path.pop();
                DeValue::Table(merged)
            }
            (_, new) => new,
        };
        base.insert(key, Spanned::new(span, value));
    }
    base
}

/// The check that a property's table names.
fn check<'t>(table: &'t DeTable<'_>) -> Option<&'t str> {
    table.get("check").and_then(|check| check.get_ref().as_str())
}

fn choose(base: &mut DeTable<'_>, over: &DeTable<'_>, choice: &Choice) {
    let Some(new) = choice.between.iter().find(|key| over.contains_key(**key)) else { return };
    let text = |table: &DeTable<'_>| table.get(*new).and_then(|value| value.get_ref().as_str().map(str::to_owned));
    let same = base.contains_key(*new) && (*new != "kind" || text(base) == text(over));
    if same {
        return;
    }
    if choice.table == SCHEDULE || (choice.between.contains(&"kind") && *new == "function") {
        // A schedule of another kind, and a function, bring their own settings.
        *base = DeTable::new();
    }
    for key in choice.between.iter().chain(choice.with_it) {
        base.remove(*key);
    }
}

fn restate(base: &mut DeTable<'_>, over: &DeTable<'_>) {
    let states = |way: &[&str]| way.iter().any(|key| over.contains_key(*key));
    for (way, other) in [(BANDS[0], BANDS[1]), (BANDS[1], BANDS[0])] {
        if states(way) {
            for key in other {
                base.remove(*key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn merged(base: &str, over: &str) -> toml::Table {
        let of = |text| DeTable::parse(text).unwrap().into_inner();
        let merged = merge(of(base), of(over));
        serde::Deserialize::deserialize(toml::de::Deserializer::from(Spanned::new(0..0, merged))).unwrap()
    }

    #[track_caller]
    fn gives(base: &str, over: &str, result: &str) {
        assert_eq!(merged(base, over), result.parse::<toml::Table>().unwrap());
    }

    #[test]
    fn tables_merge_and_arrays_replace() {
        gives("a = { b = 1, c = [1, 2] }\nd = 1", "a = { c = [3] }\ne = 2", "a = { b = 1, c = [3] }\nd = 1\ne = 2");
        gives("[loss]\nkind = \"mse\"", "[[loss]]\nkind = \"l1\"", "[[loss]]\nkind = \"l1\"");
    }

    #[test]
    fn choosing_anew_drops_the_inherited_choice_and_what_belongs_to_it() {
        gives(
            "model = { builder = \"a::b\", hyper = { n = 1 }, weights = \"w.ot\" }",
            "model = { layers = [\"relu\"] }",
            "model = { layers = [\"relu\"] }",
        );
        gives(
            "data = { csv = \"a.csv\", target = \"y\", batch = 4 }",
            "data = { synthetic = { inputs = [2], classes = 2 } }",
            "data = { synthetic = { inputs = [2], classes = 2 }, batch = 4 }",
        );
        gives(
            "optimizer = { kind = \"adam\", lr = 0.1, betas = [0.9, 0.9] }",
            "optimizer = { kind = \"sgd\" }",
            "optimizer = { kind = \"sgd\", lr = 0.1 }",
        );
        gives(
            "optimizer = { kind = \"adam\", lr = 0.1 }",
            "optimizer = { function = \"a::b\" }",
            "optimizer = { function = \"a::b\" }",
        );
    }

    #[test]
    fn a_schedule_of_another_kind_begins_anew() {
        gives(
            "optimizer = { kind = \"sgd\", lr = 0.1, schedule = { kind = \"cosine\", steps = 9 } }",
            "optimizer = { schedule = { kind = \"exponential\", gamma = 0.9 } }",
            "optimizer = { kind = \"sgd\", lr = 0.1, schedule = { kind = \"exponential\", gamma = 0.9 } }",
        );
    }

    #[test]
    fn what_only_some_optimizers_have_goes_with_their_kind() {
        let optimizer = CHOICES.iter().find(|choice| choice.table == ["optimizer"]).unwrap();
        let known: BTreeSet<&str> = optimizer.with_it.iter().copied().collect();
        let own = crate::spec::optimizer::keys_of_some_kinds();
        assert_eq!(own.iter().map(String::as_str).collect::<BTreeSet<_>>(), known);
    }

    #[test]
    fn choosing_the_same_keeps_what_belongs_to_it() {
        gives(
            "model = { builder = \"a::b\", hyper = { n = 1 } }\ndata = { csv = \"a.csv\", target = \"y\" }",
            "model = { builder = \"a::c\" }\ndata = { csv = \"b.csv\" }",
            "model = { builder = \"a::c\", hyper = { n = 1 } }\ndata = { csv = \"b.csv\", target = \"y\" }",
        );
    }

    #[test]
    fn a_band_that_is_stated_the_other_way_is_stated_anew() {
        gives(
            "property.a = { expect = 1, within = 2 }",
            "property.a = { within = 3 }",
            "property.a = { expect = 1, within = 3 }",
        );
        gives("property.a = { expect = 1, within = 2 }", "property.a = { max = 3 }", "property.a = { max = 3 }");
        gives("property.a = { min = 1, max = 2 }", "property.a = { expect = 3 }", "property.a = { expect = 3 }");
    }

    #[test]
    fn a_property_of_another_check_begins_anew() {
        gives(
            "property.a = { check = \"overfit\", points = 2 }",
            "property.a = { check = \"finite\" }",
            "property.a = { check = \"finite\" }",
        );
        gives(
            "property.overfit = { points = 2 }",
            "property.overfit = { slow = true }",
            "property.overfit = { points = 2, slow = true }",
        );
        gives(
            "property.a = { check = \"overfit\" }",
            "property.a = { slow = true }",
            "property.a = { check = \"overfit\", slow = true }",
        );
    }
}
