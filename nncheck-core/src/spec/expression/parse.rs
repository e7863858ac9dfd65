//! From text to a tree, by precedence climbing.

use std::ops::Range;

use crate::diagnostic::suggest;
use crate::measurement::DataFacts;

/// How deep parentheses, signs and powers may be nested, so that no text overflows the stack.
const DEEPEST: usize = 64;
/// The longest text: a chain of operators is a tree as deep as it is long.
const LONGEST: usize = 1_000;

/// Functions of one value, by name.
const UNARY: [(&str, Unary); 4] = [("ln", f64::ln), ("exp", f64::exp), ("sqrt", f64::sqrt), ("abs", f64::abs)];
/// Functions of two values, by name.
const BINARY: [(&str, Binary); 2] = [("min", f64::min), ("max", f64::max)];
/// Facts of the data by name, some with the one argument that they are written with.
const FACTS: [(&str, Option<&str>, Fact); 5] = [
    ("k", None, Fact::Classes),
    ("n", None, Fact::Examples),
    ("entropy", Some("priors"), Fact::PriorEntropy),
    ("mean", Some("y"), Fact::TargetMean),
    ("var", Some("y"), Fact::TargetVariance),
];

type Unary = fn(f64) -> f64;
type Binary = fn(f64, f64) -> f64;

/// What is wrong with an expression, and where in its text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ExpressionError {
    /// What is wrong.
    pub message: String,
    /// Bytes of the text.
    pub range: Range<usize>,
    /// What to do, where that can be said.
    pub help: Option<String>,
}

/// A fact of the data.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Fact {
    Classes,
    Examples,
    PriorEntropy,
    TargetMean,
    TargetVariance,
}

/// A part of an expression. Functions are kept by their place in the tables above.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Number(f64),
    Fact(Fact),
    Negative(Box<Node>),
    Unary(usize, Box<Node>),
    Binary(usize, Box<[Node; 2]>),
    Operator(char, Box<[Node; 2]>),
}

impl Node {
    pub(super) fn constant(&self) -> bool {
        match self {
            Self::Number(_) => true,
            Self::Fact(_) => false,
            Self::Negative(inner) | Self::Unary(_, inner) => inner.constant(),
            Self::Binary(_, both) | Self::Operator(_, both) => both.iter().all(Self::constant),
        }
    }

    pub(super) fn value(&self, facts: &DataFacts) -> Result<f64, &'static str> {
        Ok(match self {
            Self::Number(value) => *value,
            Self::Fact(fact) => fact.value(facts)?,
            Self::Negative(inner) => -inner.value(facts)?,
            Self::Unary(function, inner) => UNARY[*function].1(inner.value(facts)?),
            Self::Binary(function, both) => BINARY[*function].1(both[0].value(facts)?, both[1].value(facts)?),
            Self::Operator(operator, both) => {
                let (left, right) = (both[0].value(facts)?, both[1].value(facts)?);
                match operator {
                    '+' => left + right,
                    '-' => left - right,
                    '*' => left * right,
                    '/' => left / right,
                    _ => left.powf(right),
                }
            }
        })
    }
}

impl Fact {
    fn value(self, facts: &DataFacts) -> Result<f64, &'static str> {
        match self {
            Self::Classes => facts.classes.map(|k| k as f64).ok_or("the data has no classes, so there is no `k`"),
            Self::Examples => Ok(facts.examples as f64),
            Self::PriorEntropy => facts.prior_entropy().ok_or("the data has no classes, so there are no priors"),
            Self::TargetMean => {
                facts.target_mean.ok_or("the data has no real-valued targets, so there is no `mean(y)`")
            }
            Self::TargetVariance => {
                facts.target_variance.ok_or("the data has no real-valued targets, so there is no `var(y)`")
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Token<'a> {
    Number(f64),
    Name(&'a str),
    Sign(char),
    End,
}

pub(super) fn parse(text: &str) -> Result<Node, ExpressionError> {
    if text.len() > LONGEST {
        return Err(error(0..text.len(), format!("the expression is too long, at most {LONGEST} characters are read")));
    }
    let mut parser = Parser { text, tokens: tokens(text)?, next: 0, depth: 0 };
    let node = parser.sum()?;
    match parser.peek() {
        Token::End => Ok(node),
        _ => Err(parser.unexpected("an operator")),
    }
}

fn error(range: Range<usize>, message: impl Into<String>) -> ExpressionError {
    ExpressionError { message: message.into(), range, help: None }
}

fn tokens(text: &str) -> Result<Vec<(Token<'_>, Range<usize>)>, ExpressionError> {
    let mut tokens = Vec::new();
    let mut rest = text.char_indices().peekable();
    while let Some((start, c)) = rest.next() {
        let mut end = start + c.len_utf8();
        let token = if c.is_ascii_digit() || c == '.' {
            let mut before = c;
            while let Some(&(at, c)) = rest.peek() {
                let exponent_sign = matches!(c, '+' | '-') && matches!(before, 'e' | 'E');
                if !(c.is_ascii_alphanumeric() || c == '.' || c == '_' || exponent_sign) {
                    break;
                }
                before = c;
                end = at + 1;
                rest.next();
            }
            match text[start..end].parse::<f64>() {
                Ok(value) if value.is_finite() => Token::Number(value),
                Ok(_) => return Err(error(start..end, format!("`{}` is not a finite number", &text[start..end]))),
                Err(_) => return Err(error(start..end, format!("`{}` is not a number", &text[start..end]))),
            }
        } else if c.is_ascii_alphabetic() || c == '_' {
            while let Some(&(at, _)) = rest.peek().filter(|(_, c)| c.is_ascii_alphanumeric() || *c == '_') {
                end = at + 1;
                rest.next();
            }
            Token::Name(&text[start..end])
        } else if "+-*/^(),".contains(c) {
            Token::Sign(c)
        } else if c.is_whitespace() {
            continue;
        } else {
            let share = text[..start].trim().parse::<f64>().ok().filter(|_| c == '%' && text[end..].trim().is_empty());
            let help = share.map(|percent| format!("shares are plain numbers: write {}", percent / 100.0));
            return Err(ExpressionError {
                help,
                ..error(start..end, format!("`{}` means nothing here", c.escape_debug()))
            });
        };
        tokens.push((token, start..end));
    }
    tokens.push((Token::End, text.trim_end().len()..text.trim_end().len()));
    Ok(tokens)
}

struct Parser<'a> {
    text: &'a str,
    /// Ends with [`Token::End`], which is never taken.
    tokens: Vec<(Token<'a>, Range<usize>)>,
    next: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Token<'a> {
        self.tokens[self.next].0
    }

    fn range(&self) -> Range<usize> {
        self.tokens[self.next].1.clone()
    }

    fn take(&mut self) {
        self.next = (self.next + 1).min(self.tokens.len() - 1);
    }

    fn unexpected(&self, wanted: &str) -> ExpressionError {
        let range = self.range();
        let found = match self.peek() {
            Token::End => "the end".to_owned(),
            _ => format!("`{}`", &self.text[range.clone()]),
        };
        error(range, format!("expected {wanted}, found {found}"))
    }

    fn sign(&mut self, sign: char) -> Result<(), ExpressionError> {
        if self.peek() != Token::Sign(sign) {
            return Err(self.unexpected(&format!("`{sign}`")));
        }
        self.take();
        Ok(())
    }

    fn sum(&mut self) -> Result<Node, ExpressionError> {
        let mut left = self.product()?;
        while let Token::Sign(sign @ ('+' | '-')) = self.peek() {
            self.take();
            left = Node::Operator(sign, Box::new([left, self.product()?]));
        }
        Ok(left)
    }

    fn product(&mut self) -> Result<Node, ExpressionError> {
        let mut left = self.signed()?;
        while let Token::Sign(sign @ ('*' | '/')) = self.peek() {
            self.take();
            left = Node::Operator(sign, Box::new([left, self.signed()?]));
        }
        Ok(left)
    }

    fn signed(&mut self) -> Result<Node, ExpressionError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(error(self.range(), format!("nested more than {DEEPEST} deep")));
        }
        let node = match self.peek() {
            Token::Sign('-') => {
                self.take();
                Node::Negative(Box::new(self.signed()?))
            }
            Token::Sign('+') => {
                self.take();
                self.signed()?
            }
            _ => self.power()?,
        };
        self.depth -= 1;
        Ok(node)
    }

    fn power(&mut self) -> Result<Node, ExpressionError> {
        let base = self.atom()?;
        if self.peek() == Token::Sign('^') {
            self.take();
            return Ok(Node::Operator('^', Box::new([base, self.signed()?])));
        }
        Ok(base)
    }

    fn atom(&mut self) -> Result<Node, ExpressionError> {
        match self.peek() {
            Token::Number(value) => {
                self.take();
                Ok(Node::Number(value))
            }
            Token::Sign('(') => {
                self.take();
                let inner = self.sum()?;
                self.sign(')')?;
                Ok(inner)
            }
            Token::Name(name) => self.name(name),
            _ => Err(self.unexpected("a number, a name or `(`")),
        }
    }

    fn name(&mut self, name: &'a str) -> Result<Node, ExpressionError> {
        let range = self.range();
        self.take();
        if let Some((_, argument, fact)) = FACTS.iter().find(|(known, ..)| *known == name) {
            if let Some(argument) = argument {
                let wanted = format!("`{name}` takes `{argument}`: `{name}({argument})`");
                if self.peek() != Token::Sign('(') {
                    return Err(error(range, wanted));
                }
                self.take();
                if self.peek() != Token::Name(argument) {
                    return Err(error(self.range(), wanted));
                }
                self.take();
                self.sign(')')?;
            }
            return Ok(Node::Fact(*fact));
        }
        if let Some(function) = UNARY.iter().position(|(known, _)| *known == name) {
            let [inner] = self.arguments(name, "one value", &range)?;
            return Ok(Node::Unary(function, Box::new(inner)));
        }
        if let Some(function) = BINARY.iter().position(|(known, _)| *known == name) {
            return Ok(Node::Binary(function, Box::new(self.arguments(name, "two values", &range)?)));
        }
        Err(unknown(name, range))
    }

    fn arguments<const N: usize>(
        &mut self,
        name: &str,
        wanted: &str,
        range: &Range<usize>,
    ) -> Result<[Node; N], ExpressionError> {
        if self.peek() != Token::Sign('(') {
            return Err(error(range.clone(), format!("`{name}` takes {wanted} in parentheses")));
        }
        self.take();
        let mut nodes = vec![self.sum()?];
        while self.peek() == Token::Sign(',') {
            self.take();
            nodes.push(self.sum()?);
        }
        let end = self.range().end;
        self.sign(')')?;
        let found = nodes.len();
        nodes.try_into().map_err(|_| error(range.start..end, format!("`{name}` takes {wanted}, found {found}")))
    }
}

fn unknown(name: &str, range: Range<usize>) -> ExpressionError {
    let names: Vec<&str> =
        UNARY.iter().map(|f| f.0).chain(BINARY.iter().map(|f| f.0)).chain(FACTS.iter().map(|f| f.0)).collect();
    let help = match name {
        "log" => "the natural logarithm is `ln`".to_owned(),
        _ => match suggest::nearest(name, names) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "known are ln, exp, sqrt, abs, min, max; k classes, n examples, entropy(priors), mean(y), var(y)"
                .to_owned(),
        },
    };
    ExpressionError { message: format!("unknown name `{name}`"), range, help: Some(help) }
}
