//! The top tables of a spec: `[loss]`, and `[[loss]]` where there may be several.

use toml::de::{DeTable, DeValue};

use super::read::{Place, Reader, found};
use crate::diagnostic::Span;

/// What a top table is called in messages.
pub(super) fn header(name: &str) -> &'static str {
    match name {
        "model" => "[model]",
        "data" => "[data]",
        "loss" => "[loss]",
        "optimizer" => "[optimizer]",
        "train" => "[train]",
        _ => "[run]",
    }
}

/// One top table.
pub(super) struct Section<'t, 'i> {
    name: &'static str,
    span: Span,
    pub(super) table: &'t DeTable<'i>,
}

impl Section<'_, '_> {
    pub(super) fn place(&self) -> Place<'_> {
        Place { what: self.name, span: self.span }
    }
}

/// One or more top tables of a name.
pub(crate) struct Tables<'t, 'i> {
    sections: Vec<Section<'t, 'i>>,
    /// Whether they are written `[[name]]`.
    pub(super) array: bool,
}

impl<'t, 'i> Tables<'t, 'i> {
    /// Each table with its place.
    pub(super) fn each(&self) -> impl Iterator<Item = (Place<'_>, &'t DeTable<'i>)> {
        self.sections.iter().map(|section| (section.place(), section.table))
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.sections.len()
    }

    /// Where the first one stands.
    pub(super) fn span(&self) -> Span {
        self.sections.first().map(|section| section.span).unwrap_or_default()
    }
}

/// The only table of a name.
pub(super) fn one<'t, 'i>(
    reader: &mut Reader<'_>,
    document: &'t DeTable<'i>,
    name: &'static str,
    required: bool,
) -> Option<Section<'t, 'i>> {
    let tables = several(reader, document, name, required)?;
    if tables.array {
        let what = header(name);
        let error = reader
            .error("wrong-type", tables.span(), format!("a spec has one {what}"))
            .label(format!("expected a table {what}, found [{what}]"));
        reader.push(error);
        return None;
    }
    tables.sections.into_iter().next()
}

/// All tables of a name: `[name]`, or `[[name]]` one after another.
pub(super) fn several<'t, 'i>(
    reader: &mut Reader<'_>,
    document: &'t DeTable<'i>,
    name: &'static str,
    required: bool,
) -> Option<Tables<'t, 'i>> {
    let what = header(name);
    let Some(value) = document.get(name) else {
        if required && !document.is_empty() {
            missing(reader, name);
        }
        return None;
    };
    let wrong = |reader: &mut Reader<'_>| {
        let error = reader
            .error("wrong-type", value.span(), format!("wrong type of `{name}`"))
            .label(format!("expected a table {what}, found {}", found(value.get_ref())));
        reader.push(error);
        None
    };
    match value.get_ref() {
        DeValue::Table(table) => {
            Some(Tables { sections: vec![Section { name: what, span: value.span().into(), table }], array: false })
        }
        DeValue::Array(items) if !items.is_empty() => {
            let mut sections = Vec::new();
            for item in items {
                let DeValue::Table(table) = item.get_ref() else { return wrong(reader) };
                sections.push(Section { name: what, span: item.span().into(), table });
            }
            Some(Tables { sections, array: true })
        }
        _ => wrong(reader),
    }
}

fn missing(reader: &mut Reader<'_>, name: &str) {
    let what = header(name);
    let end = reader.file.text.trim_end().len();
    let error = reader
        .error("missing-table", end..end, format!("this spec has no {what}"))
        .label(format!("expected a table {what}"))
        .help(match name {
            "model" => "such as `[model]` with `builder = \"my_crate::my_model\"`",
            "data" => "such as `[data]` with `csv = \"data.csv\"` and `target = \"label\"`",
            _ => "such as `[loss]` with `kind = \"cross_entropy\"`",
        });
    reader.push(error);
}
