//! `[[ladder]]`: simple start. One spec, several subjects, from the simplest up.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::merge::merge;
use super::name;
use super::read::{Form, Place, Reader};
use crate::diagnostic::Span;

/// A step of a ladder: what the spec says of its subject, with some of it said differently.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rung {
    /// Its name, part of the names of its tests.
    pub name: String,
    /// What is new about it, for reports.
    pub title: Option<String>,
}

/// A step of a ladder; beside these keys, it holds the tables that differ.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "rung")]
pub(crate) struct RungTable {
    /// Its name, part of the names of its tests.
    #[schemars(with = "String")]
    name: Spanned<String>,
    /// What is new about it, for reports.
    title: Option<String>,
}

/// The tables that a rung can say differently.
pub(crate) const TABLES: [&str; 6] = ["model", "data", "loss", "optimizer", "train", "run"];

/// The documents of a spec: one a rung, or the only one, where there is no ladder.
pub(crate) fn rungs<'i>(reader: &mut Reader<'_>, mut document: DeTable<'i>) -> Vec<(Option<Rung>, DeTable<'i>)> {
    let Some(ladder) = document.remove("ladder") else { return vec![(None, document)] };
    let span: Span = ladder.span().into();
    let DeValue::Array(items) = ladder.into_inner() else {
        let error = reader
            .error("wrong-type", span, "wrong type of `ladder`")
            .label("expected [[ladder]], one a rung")
            .help("such as `[[ladder]]` with `name = \"linear\"` and `model = { layers = [...] }`");
        reader.push(error);
        return vec![(None, document)];
    };
    let mut rungs: Vec<(Option<Rung>, DeTable<'i>)> = Vec::new();
    let mut names: Vec<(String, Span)> = Vec::new();
    for item in items {
        let span: Span = item.span().into();
        let DeValue::Table(mut table) = item.into_inner() else {
            let error = reader.error("wrong-type", span, "wrong type of a rung").label("expected a table [[ladder]]");
            reader.push(error);
            continue;
        };
        let mut over = DeTable::new();
        for name in TABLES {
            if let Some((key, value)) = table.get_key_value(name).map(|(k, v)| (k.clone(), v.clone())) {
                over.insert(key, value);
                table.remove(name);
            }
        }
        let place = Place { what: "[[ladder]]", span };
        let form = Form::of::<RungTable>().beside(TABLES);
        let read = reader.table(place, &table, &form, &[], |t| RungTable::deserialize(toml::de::Deserializer::from(t)));
        let Some(RungTable { name, title }) = read.value else { continue };
        let (at, name): (Span, String) = (name.span().into(), name.into_inner());
        name::check(reader, "rung", &name, at);
        if let Some((_, first)) = names.iter().find(|(other, _)| *other == name) {
            let error = reader
                .error("duplicate-name", at, format!("two rungs are called `{}`", name.escape_debug()))
                .label("the second one")
                .also(*first, "the first one");
            reader.push(error);
        }
        names.push((name.clone(), at));
        rungs.push((Some(Rung { name, title }), merge(document.clone(), over)));
    }
    if rungs.is_empty() && reader.is_clean() {
        let error = reader.error("wrong-value", span, "a ladder without rungs").label("expected one rung or more");
        reader.push(error);
    }
    if rungs.is_empty() { vec![(None, document)] } else { rungs }
}
