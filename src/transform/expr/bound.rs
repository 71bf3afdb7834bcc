//! Constants among what a kernel reads.

use crate::{
    batch::{Column, Element, Mark, Strings, Type, Values},
    transform::{Compiled, Kernel, constant::ConstantType, parameters::Category},
};

/// A constant of an expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// An int64 or a uint64.
    Integer(i128),
    Float(f64),
    Text(String),
    Bool(bool),
}

impl Literal {
    /// An integer where one of the types holds it, else the nearest float.
    pub fn integer(value: i128) -> Self {
        let fits = i64::try_from(value).is_ok() || u64::try_from(value).is_ok();
        if fits { Self::Integer(value) } else { Self::Float(value as f64) }
    }

    /// The type that it has by itself.
    pub fn natural_type(&self) -> Type {
        let element = match self {
            Self::Integer(value) if i64::try_from(*value).is_ok() => Element::Int64,
            Self::Integer(_) => Element::Uint64,
            Self::Float(_) => Element::Float64,
            Self::Text(_) => Element::String,
            Self::Bool(_) => Element::Bool,
        };
        Type::scalar(element).with_nullable(false)
    }

    /// Its kind and its exact value.
    pub fn described(&self) -> String {
        match self {
            Self::Integer(value) => format!("integer {value}"),
            Self::Float(value) => format!("float {:016x}", value.to_bits()),
            Self::Text(text) => format!("text {} {text}", text.len()),
            Self::Bool(value) => format!("bool {value}"),
        }
    }

    /// One row with the value, integers as the type given, into which they fit.
    pub fn column(&self, element: Element) -> Column {
        let values = match self {
            Self::Integer(value) if element == Element::Uint64 => Values::Uint64(vec![*value as u64]),
            Self::Integer(value) => Values::Int64(vec![*value as i64]),
            Self::Float(value) => Values::Float64(vec![*value]),
            Self::Text(text) => Values::String(Strings::from_values([text])),
            Self::Bool(value) => Values::Bool(vec![*value]),
        };
        Column { values, marks: vec![Mark::PRESENT], list: None }
    }

    /// The scalar of one row; `None` for a null.
    pub fn of(row: &Column) -> Option<Self> {
        if row.marks.first().is_none_or(|mark| mark.is_null()) {
            return None;
        }
        Some(match &row.values {
            Values::Float64(values) => Self::Float(*values.first()?),
            Values::Int64(values) => Self::Integer((*values.first()?).into()),
            Values::Uint64(values) => Self::Integer((*values.first()?).into()),
            Values::Bool(values) => Self::Bool(*values.first()?),
            Values::String(strings) => Self::Text(strings.get(0).to_owned()),
            Values::OneHot(_) | Values::Sparse(_) | Values::Float32(_) => return None,
        })
    }

    /// As the operation `constant` has it; integers that are no int64 are floats there.
    pub fn constant(&self) -> (Category, ConstantType) {
        match self {
            Self::Integer(value) => match i64::try_from(*value) {
                Ok(value) => (Category::Int64(value), ConstantType::Int64),
                Err(_) => (Category::Float64(*value as f64), ConstantType::Float64),
            },
            Self::Float(value) => (Category::Float64(*value), ConstantType::Float64),
            Self::Text(text) => (Category::String(text.clone()), ConstantType::String),
            Self::Bool(value) => (Category::Bool(*value), ConstantType::Bool),
        }
    }
}

/// A kernel some of whose inputs are constants. It takes those as single rows.
#[derive(Debug)]
pub struct BoundKernel {
    kernel: Box<dyn Kernel>,
    /// For each input of the kernel its constant, or none where it is read.
    constants: Vec<Option<Column>>,
}

impl BoundKernel {
    /// The same operation over what it reads besides constants.
    pub fn bind(compiled: Compiled, constants: Vec<Option<Column>>) -> Compiled {
        if constants.iter().all(Option::is_none) {
            return compiled;
        }
        let kernel = Box::new(Self { kernel: compiled.kernel, constants });
        Compiled { kernel, ..compiled }
    }
}

impl Kernel for BoundKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        let mut read = inputs.iter().copied();
        let all: Vec<&Column> =
            self.constants.iter().filter_map(|constant| constant.as_ref().or_else(|| read.next())).collect();
        self.kernel.run(&all, out);
    }

    fn gives_lists(&self) -> bool {
        self.kernel.gives_lists()
    }

    fn takes_single_rows(&self) -> bool {
        self.kernel.takes_single_rows()
    }
}
