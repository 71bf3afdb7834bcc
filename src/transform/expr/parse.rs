//! An expression's tokens as nodes.
//!
//! The precedences are those of Python. Nodes stand in one list in which operands come before what reads them, so that
//! nothing that works on them needs recursion; the parser's own recursion is limited.

use super::{
    functions::{self, FUNCTIONS, Function},
    tokens::{Kind, Mistake, Token, tokens},
};
use crate::transform::{arithmetic::Function as Arithmetic, compare::Comparison, logic::LogicFunction};

/// Parentheses, signs and the like inside of each other.
const MAX_DEPTH: usize = 64;

/// Numbers, names, operators and calls of one expression.
const MAX_NODES: usize = 1024;

/// The position of a node.
pub type NodeId = usize;

/// A parsed expression.
#[derive(Debug)]
pub struct Expression {
    /// Operands come before what reads them; the last is the whole.
    pub nodes: Vec<Node>,
}

/// One part of an expression, and where it stands in the text.
#[derive(Debug)]
pub struct Node {
    pub column: usize,
    pub part: Part,
}

/// What a node is.
#[derive(Debug)]
pub enum Part {
    Integer(i128),
    Float(f64),
    Text(String),
    Bool(bool),
    Name(String),
    Negate(NodeId),
    Not(NodeId),
    Binary(Operator, NodeId, NodeId),
    /// Condition, the value where it is true, the value where it is false.
    Choose([NodeId; 3]),
    Call(&'static Function, Vec<NodeId>),
}

/// An operator between two operands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Operator {
    Arithmetic(Arithmetic),
    Compare(Comparison),
    Logic(LogicFunction),
}

/// How tightly something binds its operands: a higher one binds first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Binding {
    Or,
    And,
    Not,
    Comparison,
    Sum,
    Product,
    Sign,
    Power,
    /// Operands themselves.
    Tightest,
}

/// Operators with their bindings.
const OPERATORS: [(&str, Operator, Binding); 15] = [
    ("or", Operator::Logic(LogicFunction::Or), Binding::Or),
    ("and", Operator::Logic(LogicFunction::And), Binding::And),
    ("==", Operator::Compare(Comparison::Equal), Binding::Comparison),
    ("!=", Operator::Compare(Comparison::NotEqual), Binding::Comparison),
    ("<", Operator::Compare(Comparison::Less), Binding::Comparison),
    ("<=", Operator::Compare(Comparison::LessEqual), Binding::Comparison),
    (">", Operator::Compare(Comparison::Greater), Binding::Comparison),
    (">=", Operator::Compare(Comparison::GreaterEqual), Binding::Comparison),
    ("+", Operator::Arithmetic(Arithmetic::Add), Binding::Sum),
    ("-", Operator::Arithmetic(Arithmetic::Subtract), Binding::Sum),
    ("*", Operator::Arithmetic(Arithmetic::Multiply), Binding::Product),
    ("/", Operator::Arithmetic(Arithmetic::Divide), Binding::Product),
    ("//", Operator::Arithmetic(Arithmetic::FloorDivide), Binding::Product),
    ("%", Operator::Arithmetic(Arithmetic::Modulo), Binding::Product),
    ("**", Operator::Arithmetic(Arithmetic::Power), Binding::Power),
];

impl Binding {
    /// The next tighter one: what the right operand of an operator binds with, so that equal ones group to the left.
    fn tighter(self) -> Self {
        match self {
            Self::Or => Self::And,
            Self::And => Self::Not,
            Self::Not => Self::Comparison,
            Self::Comparison => Self::Sum,
            Self::Sum => Self::Product,
            Self::Product => Self::Sign,
            Self::Sign => Self::Power,
            Self::Power | Self::Tightest => Self::Tightest,
        }
    }
}

/// Parses a text, or returns the first mistake.
pub fn parse(text: &str) -> Result<Expression, Mistake> {
    let mut parser = Parser { tokens: tokens(text)?, at: 0, depth: 0, nodes: Vec::new() };
    parser.choice()?;
    match parser.peek() {
        Kind::End => Ok(Expression { nodes: parser.nodes }),
        Kind::Symbol(")") => Err(parser.mistake("this parenthesis was not opened".to_owned())),
        other => Err(parser.mistake(format!("an operator or the end is expected, not {}", other.named()))),
    }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    nodes: Vec<Node>,
}

impl Parser {
    fn peek(&self) -> &Kind {
        &self.tokens[self.at].kind
    }

    fn column(&self) -> usize {
        self.tokens[self.at].column
    }

    /// Goes past the current token; the end stays.
    fn advance(&mut self) {
        self.at = (self.at + 1).min(self.tokens.len() - 1);
    }

    /// Goes past the symbol where it stands here.
    fn accept(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek(), Kind::Symbol(here) if *here == symbol);
        if found {
            self.advance();
        }
        found
    }

    fn expect(&mut self, symbol: &str) -> Result<(), Mistake> {
        if self.accept(symbol) {
            return Ok(());
        }
        Err(self.mistake(format!("`{symbol}` is expected, not {}", self.peek().named())))
    }

    fn mistake(&self, message: String) -> Mistake {
        Mistake::at(self.column(), message)
    }

    fn push(&mut self, column: usize, part: Part) -> Result<NodeId, Mistake> {
        if self.nodes.len() == MAX_NODES {
            return Err(Mistake::at(column, format!("the expression has more than {MAX_NODES} parts")));
        }
        self.nodes.push(Node { column, part });
        Ok(self.nodes.len() - 1)
    }

    /// `value if condition else value`, or what binds tighter.
    fn choice(&mut self) -> Result<NodeId, Mistake> {
        let value = self.operation(Binding::Or)?;
        let column = self.column();
        if !self.accept("if") {
            return Ok(value);
        }
        let condition = self.operation(Binding::Or)?;
        self.expect("else")?;
        self.deeper()?;
        let other = self.choice()?;
        self.depth -= 1;
        self.push(column, Part::Choose([condition, value, other]))
    }

    fn deeper(&mut self) -> Result<(), Mistake> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.mistake(format!("is nested more than {MAX_DEPTH} deep")));
        }
        Ok(())
    }

    /// Operators that bind at least as tightly as `least`, with their operands.
    fn operation(&mut self, least: Binding) -> Result<NodeId, Mistake> {
        self.deeper()?;
        let mut left = self.operand(least)?;
        while let Some((operator, binding)) = self.operator().filter(|(_, binding)| *binding >= least) {
            let column = self.column();
            self.advance();
            // Powers group to the right, all else to the left.
            let right =
                self.operation(if binding == Binding::Power { binding } else { binding.tighter() })?;
            left = self.push(column, Part::Binary(operator, left, right))?;
            if binding == Binding::Comparison && self.operator().is_some_and(|(_, next)| next == binding) {
                return Err(self.mistake("comparisons do not chain: join two of them with `and`".to_owned()));
            }
        }
        self.depth -= 1;
        Ok(left)
    }

    fn operator(&self) -> Option<(Operator, Binding)> {
        let Kind::Symbol(symbol) = self.peek() else { return None };
        let found = OPERATORS.iter().find(|(text, ..)| text == symbol);
        found.map(|&(_, operator, binding)| (operator, binding))
    }

    fn operand(&mut self, least: Binding) -> Result<NodeId, Mistake> {
        let column = self.column();
        let kind = self.peek().clone();
        self.advance();
        match kind {
            Kind::Integer(value) => self.push(column, Part::Integer(value)),
            Kind::Float(value) => self.push(column, Part::Float(value)),
            Kind::Text(text) => self.push(column, Part::Text(text)),
            Kind::Symbol(word @ ("true" | "false")) => self.push(column, Part::Bool(word == "true")),
            Kind::Symbol("-") => {
                let operand = self.operation(Binding::Sign)?;
                self.push(column, Part::Negate(operand))
            }
            Kind::Symbol("not") if least <= Binding::Not => {
                let operand = self.operation(Binding::Not)?;
                self.push(column, Part::Not(operand))
            }
            Kind::Symbol("not") => Err(Mistake::at(column, "`not` needs parentheses here")),
            Kind::Symbol("(") => {
                let inside = self.choice()?;
                self.expect(")")?;
                Ok(inside)
            }
            Kind::Name(name) if self.accept("(") => self.call(column, &name),
            Kind::Name(name) => self.push(column, Part::Name(name)),
            other => {
                let message = format!("a value is expected, not {}", other.named());
                Err(Mistake::at(column, message))
            }
        }
    }

    /// The arguments of a call, after its opening parenthesis.
    fn call(&mut self, column: usize, name: &str) -> Result<NodeId, Mistake> {
        let function = functions::find(name).ok_or_else(|| {
            let known: Vec<&str> = FUNCTIONS.iter().map(|function| function.name).collect();
            Mistake::at(column, format!("there is no function `{name}`; there are: {}", known.join(", ")))
        })?;
        let mut arguments = Vec::new();
        if !self.accept(")") {
            arguments.push(self.choice()?);
            while self.accept(",") {
                arguments.push(self.choice()?);
            }
            self.expect(")")?;
        }
        if !function.arguments.contains(&arguments.len()) {
            let message = format!("`{name}` takes {}, has {}", function.takes(), arguments.len());
            return Err(Mistake::at(column, message));
        }
        self.push(column, Part::Call(function, arguments))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The expression with every grouping written out.
    fn grouped(text: &str) -> String {
        let nodes = parse(text).unwrap_or_else(|mistake| panic!("{text}: {mistake:?}")).nodes;
        let mut texts: Vec<String> = Vec::new();
        for Node { part, .. } in &nodes {
            let of = |node: &NodeId| texts[*node].clone();
            texts.push(match part {
                Part::Integer(value) => value.to_string(),
                Part::Float(value) => value.to_string(),
                Part::Text(text) => format!("{text:?}"),
                Part::Bool(value) => value.to_string(),
                Part::Name(name) => name.clone(),
                Part::Negate(node) => format!("(-{})", of(node)),
                Part::Not(node) => format!("(not {})", of(node)),
                Part::Binary(operator, one, other) => {
                    let found = OPERATORS.iter().find(|(_, known, _)| known == operator);
                    format!("({} {} {})", of(one), found.expect("known").0, of(other))
                }
                Part::Choose([condition, one, other]) => {
                    format!("({} if {} else {})", of(one), of(condition), of(other))
                }
                Part::Call(function, arguments) => {
                    format!("{}({})", function.name, arguments.iter().map(of).collect::<Vec<_>>().join(", "))
                }
            });
        }
        texts.pop().expect("a node")
    }

    #[test]
    fn groups_as_python_does() {
        for (text, expected) in [
            ("a - b - c * d", "((a - b) - (c * d))"),
            ("-a ** -b ** 2", "(-(a ** (-(b ** 2))))"),
            ("2 ** -a * b", "((2 ** (-a)) * b)"),
            ("a // b % c / d", "(((a // b) % c) / d)"),
            ("not a == b and c or d", "(((not (a == b)) and c) or d)"),
            ("a if b else c if d else e", "(a if b else (c if d else e))"),
            ("a + 1 if b < 2 or c else d", "((a + 1) if ((b < 2) or c) else d)"),
            ("(a if b else c) * 2", "((a if b else c) * 2)"),
            ("not not a", "(not (not a))"),
            ("log1p(clicks) / max(views, 1)", "(log1p(clicks) / max(views, 1))"),
            ("coalesce(a, 'x', \"y\") == 'z' and true", "((coalesce(a, \"x\", \"y\") == \"z\") and true)"),
        ] {
            assert_eq!(grouped(text), expected, "{text}");
        }
    }

    #[test]
    fn mistakes_tell_their_column() {
        for (text, column, part) in [
            ("", 1, "a value is expected, not the end"),
            ("a +", 4, "a value is expected"),
            ("(a + b", 7, "`)` is expected"),
            ("a + b)", 6, "was not opened"),
            ("a b", 3, "an operator or the end"),
            ("a < b < c", 7, "do not chain"),
            ("1 + not a", 5, "parentheses"),
            ("a if b", 7, "`else` is expected"),
            ("1 + nope(a)", 5, "there is no function `nope`; there are: log1p"),
            ("log1p(a, b)", 1, "takes 1 argument, has 2"),
            ("max(a)", 1, "takes at least 2 arguments, has 1"),
        ] {
            let mistake = parse(text).expect_err(text);
            assert_eq!(mistake.column, column, "{text}: {}", mistake.message);
            assert!(mistake.message.contains(part), "{text}: {}", mistake.message);
        }
    }

    #[test]
    fn hostile_texts_end() {
        for text in ["(".repeat(100_000), "-".repeat(100_000), "not ".repeat(100_000), "2**".repeat(100_000)]
        {
            assert!(parse(&text).expect_err("deep").message.contains("nested"));
        }
        let choices = format!("{}a", "a if a else ".repeat(1_000));
        assert!(parse(&choices).expect_err("deep").message.contains("nested"));
        let long = format!("a{}", "+a".repeat(100_000));
        assert!(parse(&long).expect_err("long").message.contains("1024 parts"));
    }
}
