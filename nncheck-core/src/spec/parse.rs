//! From the text of a file to a [`Spec`].

use std::borrow::Cow;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::data::{Data, DataPlaces, DataSource};
use super::loss::Loss;
use super::model::Model;
use super::optimizer::Optimizer;
use super::property::{PropertyTable, SettingsTable};
use super::read::{Form, Reader, found, with_suggestion};
use super::run::RunSettings;
use super::train::Train;
use super::{Spec, Subject, cross, section};
use crate::diagnostic::suggest;

/// What a spec may hold.
pub(crate) const SECTIONS: [&str; 10] =
    ["version", "extends", "model", "data", "loss", "optimizer", "train", "run", "property", "ladder"];
/// The only version of the language.
const VERSION: &str = "1";

/// What could be made of a file: the properties even where the rest is wrong, so that their errors are seen too.
#[derive(Debug)]
pub(crate) struct Parsed<'i> {
    /// The spec, where nothing that it needs is missing; its properties are here too.
    pub(crate) spec: Option<Spec<'i>>,
    /// The properties, where there is no spec.
    pub(crate) properties: Vec<PropertyTable<'i>>,
    /// The table's `[optimizer]` is there, right or wrong.
    pub(crate) has_optimizer: bool,
}

/// Reads a document; everything that is wrong is in the reader afterwards. `broken`: it could only be read in part.
pub(crate) fn parse<'f>(reader: &mut Reader<'_>, mut document: DeTable<'f>, broken: bool) -> Parsed<'f> {
    let mut meant = Vec::new();
    for (key, value) in &document {
        let name = key.get_ref().as_ref();
        if name == "version" {
            version(reader, value);
        } else if !SECTIONS.contains(&name) {
            let error =
                reader.error("unknown-key", key.span(), format!("unknown table or key `{}`", name.escape_debug()));
            reader.push(with_suggestion(error, name, &SECTIONS, "a table"));
            // What is in it gets its say too, and the table that was meant is not missing as well.
            if let Some(section) = suggest::nearest(name, SECTIONS).filter(|section| !document.contains_key(*section)) {
                meant.push((Spanned::new(key.span(), Cow::Borrowed(section)), value.clone()));
            }
        }
    }
    document.extend(meant);
    let document = document;
    // What a half-read document lacks is no news.
    let model = section::one(reader, &document, "model", !broken);
    // A whole program of the user's own brings its losses and optimizers along.
    let own = document.get("model").is_some_and(|model| model.get_ref().get("subject").is_some());
    let data = section::one(reader, &document, "data", !broken && !own);
    let loss = section::several(reader, &document, "loss", !broken && !own);
    let optimizer = section::several(reader, &document, "optimizer", false);
    let train = section::one(reader, &document, "train", false);
    let run = section::one(reader, &document, "run", false);

    let model = model.and_then(|s| Model::read(reader, s.place(), s.table));
    let data = match data {
        None if own && !document.contains_key("data") => Some((Data::of(DataSource::None), DataPlaces::default())),
        data => data.and_then(|s| Data::read(reader, s.place(), s.table)),
    };
    let loss_span = loss.as_ref().map(section::Tables::span);
    let loss = match loss {
        None if own && !document.contains_key("loss") => Some(Loss::none()),
        loss => loss.and_then(|s| Loss::read(reader, &s)),
    };
    let has_optimizer = own || document.contains_key("optimizer");
    let optimizer = optimizer.map(|s| Optimizer::read(reader, &s));
    let train = train.map_or_else(|| Some(Train::default()), |s| Train::read(reader, s.place(), s.table));
    let run = run.map_or_else(|| Some(RunSettings::default()), |s| RunSettings::read(reader, s.place(), s.table));

    if let (Some(data), Some(loss), Some(loss_span)) = (&data, &loss, loss_span) {
        cross::data_and_loss(reader, data, loss, loss_span);
    }
    if let (Some(model), Some((data, _))) = (&model, &data) {
        cross::model_and_data(reader, model, data);
    }
    let properties = properties(reader, &document, broken);

    let (Some(model), Some((data, _)), Some(loss), Some(train), Some(run), Some(optimizer)) =
        (model, data, loss, train, run, optimizer.map_or(Some(None), |o| o.map(Some)))
    else {
        return Parsed { spec: None, properties, has_optimizer };
    };
    let RunSettings { run, device, dtype, threads, timeout_ms, memory } = run;
    let subject = Subject { model, data, loss, optimizer, train, dtype, device, threads, memory, timeout_ms };
    Parsed { spec: Some(Spec { subject, run, properties }), properties: Vec::new(), has_optimizer }
}

fn version(reader: &mut Reader<'_>, value: &Spanned<DeValue<'_>>) {
    let right = value.get_ref().as_integer().is_some_and(|n| n.to_string() == VERSION);
    if !right {
        let error = reader
            .error("unknown-version", value.span(), "this version of nncheck reads version 1 of the spec language")
            .label(format!("expected {VERSION}"));
        reader.push(error);
    }
}

fn properties<'i>(reader: &mut Reader<'_>, document: &DeTable<'i>, broken: bool) -> Vec<PropertyTable<'i>> {
    let table = match document.get("property").map(|value| (value, value.get_ref())) {
        Some((_, DeValue::Table(table))) => table,
        Some((value, other)) => {
            let error = reader
                .error("wrong-type", value.span(), "wrong type of `property`")
                .label(format!("expected tables [property.NAME], found {}", found(other)));
            reader.push(error);
            return Vec::new();
        }
        None => {
            if !document.is_empty() && !broken {
                let end = reader.file.text.trim_end().len();
                let error = reader
                    .error("no-properties", end..end, "this spec has no properties: nothing would be tested")
                    .label("expected a table [property.NAME]")
                    .help("such as `[property.initial_loss]`; `cargo nncheck explain` lists the checks");
                reader.push(error);
            }
            return Vec::new();
        }
    };
    let form = Form::of::<SettingsTable>();
    let mut properties: Vec<PropertyTable<'i>> =
        table.iter().filter_map(|(key, value)| PropertyTable::read(reader, &form, key, value)).collect();
    properties.sort_by_key(|property| property.name.span.start);
    if table.is_empty() {
        let error = reader.error("no-properties", 0..0, "this spec has no properties: nothing would be tested");
        reader.push(error);
    }
    properties
}
