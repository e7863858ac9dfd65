//! How deep a source may be nested: its parser goes one call deeper for each level, and so does whoever walks through what
//! it read or throws it away; a stack that is used up ends the program without a word.

use proc_macro2::{Delimiter, TokenStream, TokenTree, token_stream};

/// The deepest nesting that is read. No source that somebody wrote comes near it.
pub(crate) const DEEPEST: usize = 4_000;

/// One group of brackets, or the file.
struct Level {
    rest: token_stream::IntoIter,
    /// Tokens since the last separator: no more levels can have been opened without brackets, as by `!!!x`, `a.b().c()`
    /// or `A<A<A>>`.
    run: usize,
    /// Of these, `<` that wait for their `>`, and `|`, whose commas are those of a closure: a comma ends neither.
    angles: usize,
    bars: usize,
    /// The last token was `{ ... }`, which ends a statement or goes on, as the next one says.
    braced: bool,
    /// The last token was the first half of `->` or `=>`, and which one.
    arrow: Option<char>,
}

impl Level {
    fn new(tokens: TokenStream) -> Self {
        Self { rest: tokens.into_iter(), run: 0, angles: 0, bars: 0, braced: false, arrow: None }
    }

    fn end_statement(&mut self) {
        (self.run, self.angles, self.bars) = (0, 0, 0);
    }

    /// Takes note of a token of this level.
    fn count(&mut self, token: &TokenTree) {
        let braced = std::mem::take(&mut self.braced);
        let arrow = self.arrow.take();
        match token {
            TokenTree::Ident(word) if braced && !(word == "else" || word == "as") => self.end_statement(),
            TokenTree::Punct(punct) if braced && punct.as_char() == '#' => self.end_statement(),
            _ => {}
        }
        self.run += 1;
        match token {
            TokenTree::Group(group) => self.braced = group.delimiter() == Delimiter::Brace,
            TokenTree::Punct(punct) => match (punct.as_char(), arrow) {
                (';', _) | ('>', Some('=')) => self.end_statement(),
                (',', _) => self.run = self.angles + self.bars,
                ('>', Some(_)) => {}
                ('<', _) => self.angles += 1,
                ('>', None) => self.angles = self.angles.saturating_sub(1),
                ('|', _) => self.bars += 1,
                (first @ ('-' | '='), _) => self.arrow = Some(first),
                _ => {}
            },
            TokenTree::Ident(_) | TokenTree::Literal(_) => {}
        }
    }
}

/// The line at which tokens are nested deeper than [`DEEPEST`], if there is one. Never too late; too early only where
/// thousands of tokens follow one another without a separator.
pub(super) fn too_deep(tokens: TokenStream) -> Option<usize> {
    let mut levels = vec![Level::new(tokens)];
    // The runs of the levels around the innermost one.
    let mut around = 0;
    while let Some(level) = levels.last_mut() {
        let Some(token) = level.rest.next() else {
            levels.pop();
            around -= levels.last().map_or(0, |level| level.run);
            continue;
        };
        level.count(&token);
        if around + level.run > DEEPEST {
            return Some(token.span().start().line);
        }
        if let TokenTree::Group(group) = token {
            around += level.run;
            levels.push(Level::new(group.stream()));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line_of(text: &str) -> Option<usize> {
        too_deep(text.parse().expect("tokens"))
    }

    #[test]
    fn nesting_of_every_kind_is_seen() {
        for (open, close) in [
            ("(", ")"),
            ("{", "}"),
            ("f(", ")"),
            ("A<", ">"),
            ("A<B, ", ">"),
            ("!", ""),
            ("&", ""),
            ("|a, b| ", ""),
            ("return ", ""),
            ("a = ", ""),
            ("match a { _ => ", "}"),
            ("mod a { fn f() {} ", "}"),
            ("-> A<fn() -> ", ">"),
        ] {
            let text = format!("fn f() {{ x; {}1{} }}", open.repeat(DEEPEST), close.repeat(DEEPEST));
            assert_eq!(line_of(&text), Some(1), "{open}");
            let text = format!("fn f() {{ x; {}1{} }}", open.repeat(40), close.repeat(40));
            assert_eq!(line_of(&text), None, "{open}");
        }
        for part in ["+ 1 ", ".b() ", "[0] ", "as i64 ", "else if a {} ", "+ A {} ", "+ A {} as B "] {
            assert_eq!(line_of(&format!("\nfn f() {{ if a {{}} {} }}", part.repeat(DEEPEST))), Some(2), "{part}");
        }
    }

    #[test]
    fn long_is_not_deep() {
        for part in [
            "fn f(a: A) -> B { a < b; c } ",
            "/// Doc.\nfn f() {} ",
            "const A: [i64; 3] = [1, 2, 3]; ",
            "struct A<B, C>(B); ",
            "mod m { #[test] fn f() { if a { b } else { c } } } ",
            "impl A { fn f(&self) { m(|a, b| a + b); } } ",
        ] {
            assert_eq!(line_of(&part.repeat(DEEPEST)), None, "{part}");
        }
        let list = |item: &str| line_of(&format!("static A: B = [{}];", item.repeat(DEEPEST)));
        for item in ["1, ", "A::<B>::new(1 << 2), ", "(\"a\", -1.5), "] {
            assert_eq!(list(item), None, "{item}");
        }
        assert_eq!(
            line_of(&format!("fn f() {{ match a {{ {} }} }}", "'a' | 'b' => 1, A(_) => { 2 } ".repeat(DEEPEST))),
            None
        );
    }
}
