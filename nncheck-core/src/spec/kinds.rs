//! Tables whose `kind` decides which other keys they hold.

use toml::de::{DeTable, Error};
use toml::{Spanned, de::DeValue};

use super::read::{Form, Place, Reader, with_suggestion};

/// One value of `kind`: its keys, and how they are read.
pub(crate) struct Variant<T> {
    /// As written in a spec.
    pub(crate) name: &'static str,
    /// Its own keys.
    pub(crate) form: Form,
    /// From its own keys to what they make.
    pub(crate) read: fn(Spanned<DeTable<'_>>) -> Result<T, Error>,
}

/// Reads the keys that belong to the table's `kind`; those of `common` are somebody else's.
pub(crate) fn read<T>(
    reader: &mut Reader<'_>,
    place: Place<'_>,
    table: &DeTable<'_>,
    common: &Form,
    variants: &[Variant<T>],
) -> Option<T> {
    let Some(variant) = variant(reader, place, table, variants) else {
        // What none of them has is said where nobody can know which it is meant to be.
        for (key, _) in table {
            let name = key.get_ref().as_ref();
            if name != "kind" && !common.has(name) && !variants.iter().any(|variant| variant.form.has(name)) {
                let known: Vec<&str> = common.keys().chain(variants.iter().flat_map(|v| v.form.keys())).collect();
                let what = place.what;
                let error =
                    reader.error("unknown-key", key.span(), format!("unknown key `{}` in {what}", name.escape_debug()));
                reader.push(with_suggestion(error, name, &distinct(&known), "a key"));
            }
        }
        return None;
    };
    let kind = variant.name;
    let mut own = table.clone();
    for (key, _) in table {
        let name = key.get_ref().as_ref();
        if name == "kind" || common.has(name) && !variant.form.has(name) {
            own.remove(name);
        } else if !variant.form.has(name)
            && let Some(other) = variants.iter().find(|other| other.form.has(name))
        {
            own.remove(name);
            let keys = variant.form.keys().collect::<Vec<_>>().join(", ");
            let error = reader
                .error("unknown-key", key.span(), format!("`{kind}` has no `{name}`"))
                .label(format!("`{}` has", other.name))
                .help(if keys.is_empty() {
                    format!("`{kind}` has no keys")
                } else {
                    format!("keys of `{kind}` are {keys}")
                });
            reader.push(error);
        }
    }
    let form = variant.form.clone().beside(common.keys());
    reader.table(place, &own, &form, &[], variant.read).value
}

/// The variant that `kind` names, and what is wrong with it if none.
fn variant<'v, T>(
    reader: &mut Reader<'_>,
    place: Place<'_>,
    table: &DeTable<'_>,
    variants: &'v [Variant<T>],
) -> Option<&'v Variant<T>> {
    let what = place.what;
    let names: Vec<&str> = variants.iter().map(|variant| variant.name).collect();
    let Some(value) = table.get("kind") else {
        let error = reader
            .error("missing-key", place.span, format!("missing key `kind` in {what}"))
            .label("needs `kind = ...`")
            .help(format!("kinds are {}", names.iter().map(|n| format!("\"{n}\"")).collect::<Vec<_>>().join(", ")));
        reader.push(error);
        return None;
    };
    let DeValue::String(name) = value.get_ref() else {
        let found = value.get_ref().type_str();
        let error = reader
            .error("wrong-type", value.span(), format!("wrong type of `kind` in {what}"))
            .label(format!("expected a string, found {found}"));
        reader.push(error);
        return None;
    };
    let found = variants.iter().find(|variant| variant.name == name.as_ref());
    if found.is_none() {
        let text = format!("unknown value `{}` of `kind` in {what}", name.escape_debug());
        let error = reader.error("unknown-value", value.span(), text);
        reader.push(with_suggestion(error, name, &names, "a value"));
    }
    found
}

fn distinct<'a>(names: &[&'a str]) -> Vec<&'a str> {
    let mut kept: Vec<&str> = Vec::new();
    for name in names {
        if !kept.contains(name) {
            kept.push(name);
        }
    }
    kept
}
