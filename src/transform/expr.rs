//! Expressions: a small typed language that becomes other operations when a spec is compiled.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Compiled, Operation, arithmetic::ZeroDivision};
use crate::{batch::Type, problem::Problems};

mod bound;
mod functions;
mod lower;
mod parse;
mod tokens;

/// A formula over the inputs, in the syntax of Python: `log1p(clicks) / max(views, 1)`,
/// `"new" if is_null(age) or age < 7 else "old"`.
///
/// It has numbers, strings in either quotes, `true` and `false`, names, `+ - * / // % **`, comparisons (which do not
/// chain), `and`, `or`, `not`, `a if condition else b`, parentheses, the functions of the operation
/// `math` by their names (`sqrt(x)`, `exp(x)`, ...), `log1p(x)`, `min(a, b, ...)`, `max(a, b, ...)`, `clip(x, low, high)` with numbers as bounds, `is_null(x)` and `coalesce(a, b, ...)`. Each is
/// the operation of that name (`arithmetic`, `compare`, `logic`, `choose`, ...), with its treatment of null, NaN and
/// infinities: a result is null where an operand is null (of `and` and `or` too), but for `is_null`, `coalesce` and
/// the value that a choice does not take; in `coalesce` NaN is a value. Arithmetic is that of float64, and scalars go
/// with every lane of vectors. int64 and uint64 become float64 in arithmetic and functions, where integers beyond 2^53
/// are rounded. Comparisons are exact where both sides are int64, both are uint64, or one of them is and the other is
/// written as a whole number that the type holds (`id == 9007199254740993`); all other numbers are compared as float64:
/// int64 with uint64 or float64, and whatever is the result of arithmetic. The same goes for the branches of a choice
/// and for `coalesce`. Booleans, strings and times never become numbers; times are compared with times of their own
/// type. Over lists it is computed for each
/// element, as these operations are: `max(price - bid, 0)`, where `price` is a list. Every part is computed as early as
/// what it reads is known: what reads one table alone when the table is loaded, say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expr {
    /// The text.
    pub expression: String,
    /// A name for each input, by which the text refers to it: letters, digits and underscores, no digit first, and
    /// none of `and or not if else true false`.
    pub names: Vec<String>,
    /// The result of `/`, `//` and `%` where the right operand is 0.
    pub zero_division: ExprZeroDivision,
}

/// The result of a division by zero.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExprZeroDivision {
    /// An infinity, or NaN for 0 / 0; NaN for `%`.
    Ieee,
    /// Null. A vector is null where any lane is.
    Null,
}

impl Operation for Expr {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let mut problems = Problems::none();
        if inputs.is_empty() {
            problems.add("", "takes at least one input");
        }
        if self.names.len() != inputs.len() {
            let message = format!("has {} names for {} inputs", self.names.len(), inputs.len());
            problems.add("names", message);
        }
        for (position, name) in self.names.iter().enumerate() {
            if !tokens::is_name(name) {
                problems
                    .add(format!("names[{position}]"), format!("{name:?} can't be a name in an expression"));
            } else if self.names[..position].contains(name) {
                problems.add(format!("names[{position}]"), format!("{name:?} is there twice"));
            }
        }
        let parsed = parse::parse(&self.expression).map_err(|mistake| {
            problems.add("expression", format!("column {}: {}", mistake.column, mistake.message));
        });
        match parsed {
            Ok(parsed) if problems.is_empty() => {
                let zero_division = match self.zero_division {
                    ExprZeroDivision::Ieee => ZeroDivision::Ieee,
                    ExprZeroDivision::Null => ZeroDivision::Null,
                };
                lower::lower(&parsed, &self.names, inputs, zero_division)
            }
            _ => Err(problems),
        }
    }
}

#[cfg(test)]
mod tests;
