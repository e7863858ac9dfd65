//! Globs, checked while they are read.

use toml::Spanned;

use super::read::Reader;
use crate::diagnostic::{Located, Span};

/// Whether a text is a glob, and says so if not.
pub(crate) fn check(reader: &mut Reader<'_>, text: &str, span: Span) -> bool {
    match globset::Glob::new(text) {
        Ok(_) if !text.is_empty() => true,
        Ok(_) => {
            let error =
                reader.error("bad-glob", span, "an empty glob matches nothing").label("expected a name or a glob");
            reader.push(error);
            false
        }
        Err(why) => {
            let error = reader
                .error("bad-glob", span, format!("`{}` is no glob", text.escape_debug()))
                .label(why.kind().to_string());
            reader.push(error);
            false
        }
    }
}

/// Globs of a list; `None` where one is wrong.
pub(crate) fn read_all(reader: &mut Reader<'_>, globs: Vec<Spanned<String>>) -> Option<Vec<Located<String>>> {
    let good: Vec<bool> = globs.iter().map(|glob| check(reader, glob.get_ref(), glob.span().into())).collect();
    good.iter()
        .all(|&good| good)
        .then(|| globs.into_iter().map(|glob| Located::new(glob.get_ref().clone(), glob.span())).collect())
}
