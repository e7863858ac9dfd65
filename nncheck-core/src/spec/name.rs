//! Names of properties and layers, and Rust paths.

use toml::Spanned;

use super::read::Reader;
use crate::diagnostic::{Located, Span};

/// What a name looks like.
pub(crate) const NAME_PATTERN: &str = "^[A-Za-z0-9_-]+$";

/// Whether a name is one, and says so if not.
pub(crate) fn check(reader: &mut Reader<'_>, what: &str, name: &str, span: Span) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !name.is_empty() && name.chars().all(good) {
        return true;
    }
    let error = reader
        .error("bad-name", span, format!("`{}` cannot be the name of a {what}", name.escape_debug()))
        .label("expected letters, digits, `_` and `-`");
    reader.push(error);
    false
}

/// What is wrong with a Rust path such as `digits::mlp`, if anything.
pub(crate) fn rust_path(path: &str) -> Result<(), String> {
    for segment in path.split("::") {
        let mut letters = segment.strip_prefix("r#").unwrap_or(segment).chars();
        let starts = letters.next().is_some_and(|c| c.is_alphabetic() || c == '_');
        if !starts || !letters.all(|c| c.is_alphanumeric() || c == '_') || segment == "_" {
            let segment = segment.escape_debug();
            return Err(match segment.to_string().as_str() {
                "" => "expected a name on both sides of `::`".to_owned(),
                s if s.contains(':') => format!("expected `::` between names, found `{s}`"),
                s => format!("expected the path of a function such as `digits::mlp`, found `{s}`"),
            });
        }
    }
    Ok(())
}

/// Reads the path of the user's own Rust; says what is wrong with it.
pub(crate) fn read_path(reader: &mut Reader<'_>, path: &Spanned<String>) -> Option<Located<String>> {
    match rust_path(path.get_ref()) {
        Ok(()) => Some(Located::new(path.get_ref().clone(), path.span())),
        Err(why) => {
            let error = reader
                .error("bad-path", path.span(), format!("`{}` is no Rust path", path.get_ref().escape_debug()))
                .label(why);
            reader.push(error);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::rust_path;

    #[test]
    fn rust_paths_are_told_from_other_text() {
        assert_eq!(rust_path("digits::mlp"), Ok(()));
        assert_eq!(rust_path("mlp"), Ok(()));
        assert_eq!(rust_path("digits::r#type::new_2"), Ok(()));
        for bad in
            ["", "digits::", "::mlp", "digits:mlp", "digits.mlp", "digits::2d", "digits::mlp()", "a b", "digits::_"]
        {
            assert!(rust_path(bad).is_err(), "{bad}");
        }
    }
}
