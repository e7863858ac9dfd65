//! From a property's table to its check with its parameters.

use std::sync::Arc;

use schemars::SchemaGenerator;

use super::Property;
use crate::check::{CATALOGUE, Check, Context, Info};
use crate::diagnostic::Span;
use crate::measurement::Share;
use crate::spec::Subject;
use crate::spec::property::{Allowance, LATER, Narrow, PropertyTable, Settings, SettingsTable};
use crate::spec::read::{Form, Place, Reader, with_suggestion};

/// Binds properties; knows which parameters each check has.
#[derive(Debug)]
pub(super) struct Binder {
    /// In the order of the catalogue.
    forms: Vec<Form>,
}

impl Binder {
    pub(super) fn new() -> Self {
        let common = Form::of::<SettingsTable>();
        let form = |entry: &crate::check::CatalogueEntry| {
            Form::of_schema(&(entry.schema)(&mut SchemaGenerator::default())).beside(common.keys())
        };
        Self { forms: CATALOGUE.iter().map(form).collect() }
    }

    /// Binds the properties of one spec, and makes the subjects that they change; what cannot be bound is reported and
    /// left out.
    pub(super) fn bind(
        &self,
        reader: &mut Reader<'_>,
        tables: Vec<PropertyTable<'_>>,
        has_optimizer: bool,
        subject: Option<&Subject>,
    ) -> (Vec<Property>, Vec<Arc<Subject>>) {
        let mut variants: Vec<Arc<Subject>> = Vec::new();
        let mut wants_optimizer = !has_optimizer;
        let mut properties = Vec::with_capacity(tables.len());
        for mut table in tables {
            self.budget(reader, &mut table);
            let Some(check) = self.check(reader, &table) else { continue };
            let info = check.info();
            settings(reader, &table, info);
            if let Some(subject) = subject {
                narrowing(reader, &table, subject);
                let context = Context { subject, settings: &table.settings };
                if let Some((place, why)) = check.refusal(&context) {
                    let error = reader.error("wrong-value", place.unwrap_or(table.name.span), why);
                    reader.push(error.label("nothing could hold this"));
                }
            }
            if info.trains && wants_optimizer {
                let error = reader
                    .error(
                        "missing-table",
                        table.name.span,
                        format!("`{}` trains, and this spec has no [optimizer]", info.id),
                    )
                    .label("needs an optimizer")
                    .help("add a table `[optimizer]` with a `kind` and an `lr`, such as kind = \"adam\", lr = 1e-3");
                reader.push(error);
                // Once is enough for a spec.
                wants_optimizer = false;
            }
            let PropertyTable { name, settings, .. } = table;
            let changed =
                settings.with.as_ref().zip(subject).map(|(with, s)| with.apply(reader, info.id, info.trains, s));
            let variant = match changed {
                Some(changed) if Some(&changed) != subject => 1 + known(&mut variants, changed),
                _ => 0,
            };
            properties.push(Property { name: name.value, span: name.span, check, settings, variant });
        }
        (properties, variants)
    }

    /// `with.steps` is the check's own parameter of that meaning.
    fn budget(&self, reader: &mut Reader<'_>, table: &mut PropertyTable<'_>) {
        let Some(steps) = table.steps.take() else { return };
        let id = table.check.value.as_str();
        let Some(index) = CATALOGUE.iter().position(|entry| entry.info.id == id) else { return };
        let span: Span = steps.span().into();
        let Some(own) = ["steps", "max_steps"].into_iter().find(|key| self.forms[index].has_own(key)) else {
            let error = reader
                .error(
                    "wrong-value",
                    span,
                    format!("`with.steps` is not for this property: `{id}` has no budget of steps"),
                )
                .label("it would change nothing");
            return reader.push(error);
        };
        if let Some((key, _)) = table.parameters.get_key_value(own) {
            let error = reader
                .error("exclusive-keys", span, format!("`with.steps` and `{own}` say the same"))
                .label("the second one")
                .also(key.span(), "the first one");
            return reader.push(error);
        }
        table.parameters.insert(toml::Spanned::new(steps.span(), own.into()), steps);
    }

    fn check(&self, reader: &mut Reader<'_>, table: &PropertyTable<'_>) -> Option<Arc<dyn Check>> {
        let id = table.check.value.as_str();
        let Some(index) = CATALOGUE.iter().position(|entry| entry.info.id == id) else {
            unknown(reader, table);
            return None;
        };
        let what = format!("[property.{}]", table.name.value.escape_debug());
        let place = Place { what: &what, span: table.span };
        reader.table(place, &table.parameters, &self.forms[index], LATER, CATALOGUE[index].deserialize).value
    }
}

/// The place of a subject among those that are known; a new one is put behind them.
fn known(variants: &mut Vec<Arc<Subject>>, subject: Subject) -> usize {
    variants.iter().position(|known| **known == subject).unwrap_or_else(|| {
        variants.push(Arc::new(subject));
        variants.len() - 1
    })
}

fn unknown(reader: &mut Reader<'_>, table: &PropertyTable<'_>) {
    let id = table.check.value.as_str();
    let known: Vec<&str> = CATALOGUE.iter().map(|entry| entry.info.id).collect();
    let error = reader.error("unknown-check", table.check.span, format!("unknown check `{}`", id.escape_debug()));
    let mut error = with_suggestion(error, id, &known, "a check");
    if table.check.span == table.name.span {
        error = error.help("a property is of the check that it is named after, unless it says `check = \"...\"`");
    }
    reader.push(error);
}

/// What is narrowed to a term that the loss has not, or to a share that the data has not.
fn narrowing(reader: &mut Reader<'_>, table: &PropertyTable<'_>, subject: &Subject) {
    let Settings { term, split, .. } = &table.settings;
    if let (Some(term), Some(known)) = (term, subject.loss.term_names())
        && !known.contains(&term.value.as_str())
    {
        let words = format!("the loss has no term `{}`", term.value.escape_debug());
        let error = with_suggestion(reader.error("unknown-value", term.span, words), &term.value, &known, "a term");
        reader.push(error.help("a term of `[[loss]]` is called by its `name`, else by its `kind`"));
    }
    if let Some(split) = split
        && split.value == Share::Validation
        && subject.data.split.at >= 1.0
    {
        let error = reader
            .error("wrong-value", split.span, "there is no validation share: all rows train")
            .label("nothing would be judged")
            .help("set `[data] split` below 1.0");
        reader.push(error);
    }
}

/// What the common keys may not say about this check.
fn settings(reader: &mut Reader<'_>, table: &PropertyTable<'_>, info: &Info) {
    if let (Some(key), false) = (&table.band_key, info.takes_band) {
        let error = reader
            .error("unknown-key", key.span, format!("the check `{}` takes no `{}`", info.id, key.value))
            .label("it holds or it does not: there is no band")
            .help(format!("`cargo nncheck explain {}` shows what it takes", info.id));
        reader.push(error);
    }
    for key in table.narrow_keys.iter().filter(|key| !info.narrows.contains(&key.value)) {
        let name = Narrow::ALL.iter().find(|(_, narrow)| *narrow == key.value).map_or("", |(name, _)| *name);
        let error = reader
            .error("unknown-key", key.span, format!("the check `{}` takes no `{name}`", info.id))
            .label(key.value.refusal());
        reader.push(error);
    }
    for allowance in &table.settings.allow {
        if let Allowance::Cause(id) = &allowance.value
            && !info.causes.iter().any(|cause| cause.id == id)
        {
            let known: Vec<&str> = info.causes.iter().map(|cause| cause.id).collect();
            let error = reader.error(
                "unknown-value",
                allowance.span,
                format!("the check `{}` knows no cause `{}`", info.id, id.escape_debug()),
            );
            reader.push(with_suggestion(error, id, &known, "a cause"));
        }
    }
}
