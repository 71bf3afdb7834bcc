//! Constant: the same value for every row.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Compiled, Kernel, Operation, parameters::Category, single};
use crate::{
    batch::{Column, Element, Mark, Strings, Type, Values},
    problem::Problems,
};

/// The same scalar for every row, whatever the input holds: a fixed position for all candidates, say. Never null, and
/// always present. The input may be of any type, and only determines whether there is one value for the request or one
/// for each row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Constant {
    /// The value: a number (or "nan", "inf", "-inf"), an integer, a string or a boolean, as `dtype` says.
    pub value: Category,
    /// The type of the value.
    pub dtype: ConstantType,
}

/// Types of constants.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConstantType {
    Float64,
    Int64,
    String,
    Bool,
}

impl ConstantType {
    fn element(self) -> Element {
        match self {
            Self::Float64 => Element::Float64,
            Self::Int64 => Element::Int64,
            Self::String => Element::String,
            Self::Bool => Element::Bool,
        }
    }
}

impl Operation for Constant {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        single(inputs)?;
        let element = self.dtype.element();
        let row = single_row(&self.value, element)
            .ok_or_else(|| Problems::one("value", format!("{} is not {}", self.value, element.name())))?;
        Ok(Compiled::new(Type::scalar(element).with_nullable(false), ConstantKernel { row }))
    }
}

/// One row with the value, where it is of the type.
fn single_row(value: &Category, element: Element) -> Option<Column> {
    let values = match element {
        Element::Float64 => Values::Float64(vec![value.float64()?]),
        Element::Int64 => Values::Int64(vec![value.int64()?]),
        Element::Uint64 => Values::Uint64(vec![value.uint64()?]),
        Element::Bool => Values::Bool(vec![value.bool()?]),
        Element::String => Values::String(Strings::from_values([value.text()?])),
        Element::Time(time) => Values::Int64(vec![value.time(time)?]),
    };
    Some(Column { values, marks: vec![Mark::PRESENT], list: None })
}

#[derive(Debug)]
struct ConstantKernel {
    row: Column,
}

impl Kernel for ConstantKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        out.repeat(&self.row, 1, inputs[0].rows());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::check::{floats, results, run_float};

    #[test]
    fn nulls_do_not_matter() {
        let three = Constant { value: Category::Int64(3), dtype: ConstantType::Float64 };
        let out = run_float(&three, &[None, Some(1.0), Some(f64::NAN)]);
        assert_eq!(results(&out), [Some(3.0); 3]);
        assert_eq!(out.marks, [Mark::PRESENT; 3]);
        assert!(run_float(&three, &[]).marks.is_empty());
    }

    #[test]
    fn a_list_has_one_too() {
        let top = Constant { value: Category::String("top".into()), dtype: ConstantType::String };
        let compiled = top.compile(&[Type::scalar(Element::Float64).listed()]).expect("good");
        assert_eq!(compiled.output, Type::scalar(Element::String).with_nullable(false));
        let mut input = floats(&[Some(1.0), Some(2.0), Some(3.0)]);
        let list = crate::batch::ListRows { offsets: vec![0, 3, 3], marks: vec![Mark::PRESENT, Mark::NULL] };
        input.list = Some(list);
        let mut out = Column::new(compiled.output);
        compiled.kernel.run(&[&input], &mut out);
        assert_eq!(out.strings().iter().collect::<Vec<_>>(), ["top", "top"]);
    }

    #[test]
    fn the_value_is_of_the_type() {
        let wrong = Constant { value: Category::Float64(1.5), dtype: ConstantType::Int64 };
        assert!(wrong.compile(&[Type::vector(3)]).is_err());
    }
}
