//! The functions that expressions can call, and the operations that they become.

use std::ops::RangeInclusive;

use crate::transform::{
    Transform,
    arithmetic::Function as Arithmetic,
    log1p::{Log1p, Undefined},
    math::{self, Function as Math},
};

/// A function.
#[derive(Debug)]
pub struct Function {
    pub name: &'static str,
    /// How many arguments it takes.
    pub arguments: RangeInclusive<usize>,
    pub becomes: Becomes,
}

/// What a call is lowered to.
#[derive(Debug, Clone, Copy)]
pub enum Becomes {
    /// An operation of one float64.
    OfFloat(fn() -> Transform),
    /// Arithmetic of the first two arguments, of the result and the third, and so on.
    Chain(Arithmetic),
    /// `clip`; its bounds are numbers.
    Clip,
    /// Whether the argument is null.
    IsNull,
    /// `coalesce`, where NaN is a value.
    Coalesce,
}

/// To add a function, add its line, and its name to the documentation of `expr`.
pub const FUNCTIONS: &[Function] = &[
    one("log1p", || Transform::Log1p(Log1p { undefined: Undefined::Ieee })),
    one("abs", || math(Math::Abs)),
    one("sign", || math(Math::Sign)),
    one("square", || math(Math::Square)),
    one("sqrt", || math(Math::Sqrt)),
    one("cbrt", || math(Math::Cbrt)),
    one("reciprocal", || math(Math::Reciprocal)),
    one("exp", || math(Math::Exp)),
    one("exp2", || math(Math::Exp2)),
    one("expm1", || math(Math::Expm1)),
    one("log", || math(Math::Log)),
    one("log2", || math(Math::Log2)),
    one("log10", || math(Math::Log10)),
    one("sigmoid", || math(Math::Sigmoid)),
    one("logit", || math(Math::Logit)),
    one("sin", || math(Math::Sin)),
    one("cos", || math(Math::Cos)),
    one("tan", || math(Math::Tan)),
    one("asin", || math(Math::Asin)),
    one("acos", || math(Math::Acos)),
    one("atan", || math(Math::Atan)),
    one("sinh", || math(Math::Sinh)),
    one("cosh", || math(Math::Cosh)),
    one("tanh", || math(Math::Tanh)),
    one("asinh", || math(Math::Asinh)),
    one("acosh", || math(Math::Acosh)),
    one("atanh", || math(Math::Atanh)),
    one("floor", || math(Math::Floor)),
    one("ceil", || math(Math::Ceil)),
    one("trunc", || math(Math::Trunc)),
    one("round_half_even", || math(Math::RoundHalfEven)),
    one("round_half_away", || math(Math::RoundHalfAway)),
    one("degrees", || math(Math::Degrees)),
    one("radians", || math(Math::Radians)),
    several("min", Becomes::Chain(Arithmetic::Minimum)),
    several("max", Becomes::Chain(Arithmetic::Maximum)),
    Function { name: "clip", arguments: 3..=3, becomes: Becomes::Clip },
    Function { name: "is_null", arguments: 1..=1, becomes: Becomes::IsNull },
    several("coalesce", Becomes::Coalesce),
];

fn math(function: Math) -> Transform {
    Transform::Math(math::Math { function, undefined: math::Undefined::Ieee })
}

const fn one(name: &'static str, operation: fn() -> Transform) -> Function {
    Function { name, arguments: 1..=1, becomes: Becomes::OfFloat(operation) }
}

const fn several(name: &'static str, becomes: Becomes) -> Function {
    Function { name, arguments: 2..=usize::MAX, becomes }
}

/// The function of this name.
pub fn find(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name == name)
}

impl Function {
    /// How many arguments it takes, for people.
    pub fn takes(&self) -> String {
        let (least, most) = (*self.arguments.start(), *self.arguments.end());
        let noun = if most == 1 { "argument" } else { "arguments" };
        if least == most { format!("{least} {noun}") } else { format!("at least {least} {noun}") }
    }
}
