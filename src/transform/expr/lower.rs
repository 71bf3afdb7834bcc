//! An expression's nodes as operations: types are checked, numbers cast, constant parts computed.

use std::any::type_name;

use serde::Serialize;

use super::{
    bound::{BoundKernel, Literal},
    functions::{Becomes, Function},
    parse::{Expression, Node, Operator, Part},
};
use crate::{
    batch::{Column, Element, Type},
    problem::Problems,
    transform::{
        Compiled, Derived, Meaning, Operation,
        arithmetic::{Arithmetic, Function as ArithmeticFunction, ZeroDivision},
        cast::{Cast, CastTo},
        choose::Choose,
        clip::Clip,
        coalesce::{Coalesce, NanCoalesce},
        compare::{Compare, Comparison},
        constant::Constant,
        lifted,
        logic::{Logic, LogicFunction},
        missing_indicator::{MissingIndicator, NanIs},
        parameters::{PerLane, Real},
    },
};

/// A part's result: where it is read, and its type.
#[derive(Debug, Clone)]
struct Value {
    source: Source,
    of: Type,
}

#[derive(Debug, Clone)]
enum Source {
    /// An input or a part before, as [`Derived::reads`] counts.
    At(usize),
    Literal(Literal),
}

/// Lowers an expression over inputs with these names and types, or returns every problem with its column.
pub fn lower(
    expression: &Expression,
    names: &[String],
    inputs: &[Type],
    zero_division: ZeroDivision,
) -> Result<Compiled, Problems> {
    let mut lowering =
        Lowering { names, inputs, zero_division, parts: Vec::new(), problems: Problems::none() };
    let mut values: Vec<Option<Value>> = Vec::with_capacity(expression.nodes.len());
    for node in &expression.nodes {
        let value = lowering.node(node, &values);
        values.push(value);
    }
    let whole = values.pop().flatten();
    let whole = whole.and_then(|value| lowering.whole(value));
    let Some(Derived { reads, compiled, .. }) = lowering.problems.or(whole)? else {
        return Err(Problems::one("expression", "has no value"));
    };
    Ok(Compiled { derived: lowering.parts, reads: Some(reads), ..compiled })
}

struct Lowering<'a> {
    names: &'a [String],
    inputs: &'a [Type],
    zero_division: ZeroDivision,
    parts: Vec<Derived>,
    problems: Problems,
}

impl Lowering<'_> {
    /// A node's value; `None` after a problem, there or in what it reads.
    fn node(&mut self, node: &Node, values: &[Option<Value>]) -> Option<Value> {
        let column = node.column;
        let of = |node: usize| values[node].clone();
        match &node.part {
            Part::Integer(value) => Some(literal(Literal::Integer(*value))),
            Part::Float(value) => Some(literal(Literal::Float(*value))),
            Part::Text(text) => Some(literal(Literal::Text(text.clone()))),
            Part::Bool(value) => Some(literal(Literal::Bool(*value))),
            Part::Name(name) => self.name(column, name),
            Part::Negate(operand) => self.negate(column, of(*operand)?),
            Part::Not(operand) => self.logic(column, LogicFunction::Not, vec![of(*operand)?]),
            Part::Binary(operator, one, other) => {
                let operands = vec![of(*one)?, of(*other)?];
                match *operator {
                    Operator::Arithmetic(function) => self.arithmetic(column, function, operands),
                    Operator::Logic(function) => self.logic(column, function, operands),
                    Operator::Compare(function) => {
                        let operands = self.of_one_type(column, operands)?;
                        self.apply(column, &Compare { function }, operands)
                    }
                }
            }
            Part::Choose([condition, one, other]) => {
                let (condition, choices) = (of(*condition)?, vec![of(*one)?, of(*other)?]);
                let choices = self.of_one_type(column, choices)?;
                self.apply(column, &Choose {}, std::iter::once(condition).chain(choices).collect())
            }
            Part::Call(function, arguments) => {
                let arguments = arguments.iter().map(|&argument| of(argument)).collect::<Option<_>>()?;
                self.call(column, function, arguments)
            }
        }
    }

    fn problem(&mut self, column: usize, message: impl std::fmt::Display) {
        self.problems.add("expression", format!("column {column}: {message}"));
    }

    fn name(&mut self, column: usize, name: &str) -> Option<Value> {
        let Some(position) = self.names.iter().position(|known| known == name) else {
            self.problem(column, format!("there is no name `{name}`; there are: {}", self.names.join(", ")));
            return None;
        };
        Some(Value { source: Source::At(position), of: self.inputs[position] })
    }

    fn negate(&mut self, column: usize, operand: Value) -> Option<Value> {
        match operand.source {
            Source::Literal(Literal::Integer(value)) => Some(literal(Literal::integer(-value))),
            Source::Literal(Literal::Float(value)) => Some(literal(Literal::Float(-value))),
            _ => {
                let operands = vec![operand, literal(Literal::Float(-1.0))];
                self.arithmetic(column, ArithmeticFunction::Multiply, operands)
            }
        }
    }

    fn arithmetic(
        &mut self,
        column: usize,
        function: ArithmeticFunction,
        operands: Vec<Value>,
    ) -> Option<Value> {
        let operands = self.floats(column, operands)?;
        let zero_division = function.divides().then_some(self.zero_division);
        self.apply(column, &Arithmetic { function, zero_division }, operands)
    }

    fn logic(&mut self, column: usize, function: LogicFunction, operands: Vec<Value>) -> Option<Value> {
        self.apply(column, &Logic { function }, operands)
    }

    fn call(&mut self, column: usize, function: &Function, mut arguments: Vec<Value>) -> Option<Value> {
        match function.becomes {
            Becomes::OfFloat(operation) => {
                let arguments = self.floats(column, arguments)?;
                self.apply(column, &operation(), arguments)
            }
            Becomes::Chain(function) => {
                let rest = arguments.split_off(1);
                rest.into_iter().try_fold(arguments.remove(0), |joined, next| {
                    self.arithmetic(column, function, vec![joined, next])
                })
            }
            Becomes::Clip => {
                let bounds = arguments.split_off(1);
                let [min, max] = [0, 1].map(|bound| bounds[bound].number().map(Real).map(PerLane::Single));
                let (Some(min), Some(max)) = (min, max) else {
                    self.problem(column, "the bounds of `clip` are numbers");
                    return None;
                };
                let arguments = self.floats(column, arguments)?;
                self.apply(column, &Clip { min, max }, arguments)
            }
            Becomes::IsNull => {
                let missing = self.apply(column, &MissingIndicator { nan: NanIs::Present }, arguments)?;
                let operands = vec![missing, literal(Literal::Float(1.0))];
                self.apply(column, &Compare { function: Comparison::Equal }, operands)
            }
            Becomes::Coalesce => {
                let arguments = self.of_one_type(column, arguments)?;
                self.apply(column, &Coalesce { nan: NanCoalesce::Keep }, arguments)
            }
        }
    }

    /// The operands as float64: integers are cast, all else but floats is a problem.
    fn floats(&mut self, column: usize, operands: Vec<Value>) -> Option<Vec<Value>> {
        let floats: Vec<Option<Value>> =
            operands.into_iter().map(|operand| self.float(column, operand)).collect();
        floats.into_iter().collect()
    }

    fn float(&mut self, column: usize, operand: Value) -> Option<Value> {
        match (&operand.source, operand.of.element) {
            (_, Element::Float64) => Some(operand),
            (Source::Literal(_), Element::Int64 | Element::Uint64) => {
                operand.number().map(|value| literal(Literal::Float(value)))
            }
            (Source::At(_), Element::Int64 | Element::Uint64) => {
                self.apply(column, &Cast { to: CastTo::Float64 }, vec![operand])
            }
            (_, Element::Bool) => {
                self.problem(column, "takes numbers, not bool: `1 if b else 0` makes a number of one");
                None
            }
            (_, Element::String) => {
                self.problem(column, "takes numbers, not string");
                None
            }
            (_, Element::Time(time)) => {
                let name = time.name();
                self.problem(column, format!("takes numbers, not {name}: the operation `age` makes a number of two times, `cast` of one"));
                None
            }
        }
    }

    /// The operands as one type where they are numbers: the integer type that all have or fit, else float64.
    fn of_one_type(&mut self, column: usize, operands: Vec<Value>) -> Option<Vec<Value>> {
        let is_number = |value: &Value| value.of.element == Element::Float64 || value.of.element.is_integer();
        if !operands.iter().all(is_number) {
            // What is compared or chosen of says what is wrong.
            return Some(operands);
        }
        for element in [Element::Int64, Element::Uint64] {
            let as_element = operands.iter().map(|operand| operand.as_integer(element));
            if let Some(integers) = as_element.collect::<Option<Vec<Value>>>() {
                return Some(integers);
            }
        }
        self.floats(column, operands)
    }

    /// Adds an operation over operands, or computes it where all of them are constant.
    fn apply<O: Operation + Serialize>(
        &mut self,
        column: usize,
        operation: &O,
        operands: Vec<Value>,
    ) -> Option<Value> {
        let types: Vec<Type> = operands.iter().map(|operand| operand.of).collect();
        let compiled = match lifted::compile(operation, &types) {
            Ok(compiled) => compiled,
            Err(found) => {
                found.iter().for_each(|problem| self.problem(column, problem));
                return None;
            }
        };
        let of = compiled.output;
        let mut reads = Vec::new();
        let mut literals = Vec::new();
        for operand in operands {
            match operand.source {
                Source::At(position) => {
                    reads.push(position);
                    literals.push(None);
                }
                Source::Literal(literal) => literals.push(Some((literal, operand.of.element))),
            }
        }
        let same_as = meaning(operation, &literals);
        let columns =
            literals.into_iter().map(|literal| literal.map(|(literal, element)| literal.column(element)));
        let compiled = BoundKernel::bind(compiled, columns.collect());
        if reads.is_empty() {
            return self.computed(column, &compiled);
        }
        self.parts.push(Derived { reads, compiled, same_as });
        Some(Value { source: Source::At(self.inputs.len() + self.parts.len() - 1), of })
    }

    /// The value of an operation that reads nothing.
    fn computed(&mut self, column: usize, compiled: &Compiled) -> Option<Value> {
        let mut out = Column::new(compiled.output);
        compiled.kernel.run(&[], &mut out);
        let computed = Literal::of(&out).map(literal);
        if computed.is_none() {
            self.problem(column, "is null whatever the inputs are");
        }
        computed
    }

    /// The part that gives the whole expression; no part before it reads it.
    fn whole(&mut self, value: Value) -> Option<Derived> {
        match value.source {
            Source::At(position) if position >= self.inputs.len() => self.parts.pop(),
            Source::At(_) => {
                self.apply(1, &Coalesce { nan: NanCoalesce::Keep }, vec![value])?;
                self.parts.pop()
            }
            Source::Literal(literal) => {
                let (value, dtype) = literal.constant();
                let compiled = Constant { value, dtype }.compile(&self.inputs[..1]);
                compiled.ok().map(|compiled| Derived { reads: vec![0], compiled, same_as: None })
            }
        }
    }
}

/// What an operation over literals at some of its places computes.
fn meaning<O: Operation + Serialize>(
    operation: &O,
    literals: &[Option<(Literal, Element)>],
) -> Option<Meaning> {
    let parameters = serde_json::to_string(operation).ok()?;
    let mut text = format!("{} {parameters}", type_name::<O>());
    for literal in literals {
        match literal {
            None => text.push_str(" _"),
            Some((literal, element)) => {
                text.push_str(&format!(" {} as {}", literal.described(), element.name()))
            }
        }
    }
    Some(Meaning::Named(text))
}

fn literal(literal: Literal) -> Value {
    Value { of: literal.natural_type(), source: Source::Literal(literal) }
}

impl Value {
    /// The number of a literal.
    fn number(&self) -> Option<f64> {
        match self.source {
            Source::Literal(Literal::Integer(value)) => Some(value as f64),
            Source::Literal(Literal::Float(value)) => Some(value),
            _ => None,
        }
    }

    /// The same value as an integer of this type, where it is one or is written as one that fits.
    fn as_integer(&self, element: Element) -> Option<Self> {
        let Source::Literal(Literal::Integer(value)) = self.source else {
            return (self.of.element == element).then(|| self.clone());
        };
        let fits = if element == Element::Int64 {
            i64::try_from(value).is_ok()
        } else {
            u64::try_from(value).is_ok()
        };
        fits.then_some(Self {
            of: Type { element, ..self.of },
            source: Source::Literal(Literal::Integer(value)),
        })
    }
}
