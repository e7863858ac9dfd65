//! Whole numbers in the sources: literals, constants, variables with a value that can be read, and sums of them.

use std::collections::BTreeMap;

use syn::{BinOp, Expr, Lit, UnOp};

use super::RustSource;

/// So deep are constants of constants followed.
const DEEPEST: usize = 8;

/// What is known of the variables of a function.
pub(super) type Variables = BTreeMap<String, i64>;

impl RustSource {
    /// The value of an expression in a module, where it can be told.
    pub(super) fn value(&self, module: usize, variables: &Variables, expr: &Expr) -> Option<i64> {
        self.evaluate(module, variables, expr, 0)
    }

    fn evaluate(&self, module: usize, variables: &Variables, expr: &Expr, depth: usize) -> Option<i64> {
        if depth > DEEPEST {
            return None;
        }
        let value = |expr: &Expr| self.evaluate(module, variables, expr, depth + 1);
        match expr {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Int(int) => int.base10_parse().ok(),
                _ => None,
            },
            Expr::Paren(inner) => value(&inner.expr),
            Expr::Group(inner) => value(&inner.expr),
            Expr::Cast(cast) => value(&cast.expr),
            Expr::Reference(reference) => value(&reference.expr),
            Expr::Unary(unary) => match unary.op {
                UnOp::Neg(_) => value(&unary.expr)?.checked_neg(),
                UnOp::Deref(_) => value(&unary.expr),
                _ => None,
            },
            Expr::Binary(binary) => {
                let (left, right) = (value(&binary.left)?, value(&binary.right)?);
                match binary.op {
                    BinOp::Add(_) => left.checked_add(right),
                    BinOp::Sub(_) => left.checked_sub(right),
                    BinOp::Mul(_) => left.checked_mul(right),
                    BinOp::Div(_) => left.checked_div(right),
                    _ => None,
                }
            }
            // `hyper.get("hidden", 16)` without a word in the spec.
            Expr::MethodCall(call) if call.method == "get" && call.args.len() == 2 => value(call.args.last()?),
            Expr::Path(path) => {
                if let Some(name) = path.path.get_ident()
                    && let Some(known) = variables.get(&name.to_string())
                {
                    return Some(*known);
                }
                let (module, constant) = self.constant(module, &path.path)?;
                self.evaluate(module, &Variables::new(), constant, depth + 1)
            }
            _ => None,
        }
    }

    /// A constant and the module that it stands in.
    fn constant(&self, module: usize, path: &syn::Path) -> Option<(usize, &Expr)> {
        let names: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
        if let [name] = &names[..]
            && let Some(constant) = self.modules[module].constants.get(name)
        {
            return Some((module, constant));
        }
        // Through an import, or by a path.
        let imported = self.modules[module].uses.iter().find(|u| u.name.as_ref() == names.first());
        let whole = imported.map_or_else(|| names.clone(), |u| [&u.path[..], &names[1..]].concat());
        let target = self.absolute(module, &whole)?;
        let (name, above) = target.split_last()?;
        let module = self.modules.iter().position(|m| m.path == above)?;
        Some((module, self.modules[module].constants.get(name)?))
    }
}
