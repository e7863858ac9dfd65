//! Places of one text as places in the space of offsets that it shares with others.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The table with all places moved.
pub(super) fn table(table: DeTable<'_>, by: usize) -> DeTable<'_> {
    if by == 0 {
        return table;
    }
    table.into_iter().map(|(key, v)| (moved(key, by, |key| key), value(v, by))).collect()
}

fn value(of: Spanned<DeValue<'_>>, by: usize) -> Spanned<DeValue<'_>> {
    moved(of, by, |inner| match inner {
        DeValue::Table(inner) => DeValue::Table(table(inner, by)),
        DeValue::Array(items) => DeValue::Array(items.into_iter().map(|item| value(item, by)).collect()),
        plain => plain,
    })
}

fn moved<T>(of: Spanned<T>, by: usize, inside: impl FnOnce(T) -> T) -> Spanned<T> {
    let span = of.span();
    Spanned::new(span.start + by..span.end + by, inside(of.into_inner()))
}
