//! Ordinal encoding: a category's position in the fitted vocabulary.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Compiled, Kernel, Operation,
    parameters::{Category, List},
    single,
    vocabulary::Vocabulary,
};
use crate::{
    batch::{Column, Element, Mark, Type},
    problem::Problems,
};

/// The position of a scalar category in the vocabulary, plus an offset, as int64.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ordinal {
    /// The vocabulary in order; of the input's type, each category once.
    pub categories: List<Category>,
    /// The number of the first category.
    pub offset: i64,
    /// What comes of a category that is not in the vocabulary; its status tells it.
    pub unknown: Code,
    /// What comes of null.
    pub null: Code,
}

/// What stands for what has no position.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    Null,
    /// This number.
    Value(i64),
}

impl Operation for Ordinal {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let input = single(inputs)?;
        let mut problems = Problems::none();
        if input.width.is_some() {
            problems.add("", format!("takes a scalar, its input is {input}"));
        }
        let categories = self.categories.0.iter().enumerate();
        let categories = categories.map(|(position, category)| (format!("categories[{position}]"), category));
        let vocabulary = Vocabulary::new(categories, input.element, &mut problems);
        if self.offset.checked_add_unsigned(self.categories.0.len() as u64).is_none() {
            problems.add("offset", "takes the last category's number out of int64");
        }
        problems.or(())?;
        let nullable = self.unknown == Code::Null || (input.nullable && self.null == Code::Null);
        let output = Type { element: Element::Int64, nullable, ..input };
        let Self { offset, unknown, null, .. } = *self;
        Ok(Compiled::new(output, OrdinalKernel { vocabulary, offset, unknown, null }))
    }
}

#[derive(Debug)]
struct OrdinalKernel {
    vocabulary: Vocabulary,
    offset: i64,
    unknown: Code,
    null: Code,
}

impl Kernel for OrdinalKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        let (codes, marks) = out.int64_mut();
        marks.extend_from_slice(&inputs[0].marks);
        codes.resize(marks.len(), 0);
        if let Code::Value(code) = self.null {
            for (of, mark) in codes.iter_mut().zip(&mut *marks).filter(|(_, mark)| mark.is_null()) {
                (*of, *mark) = (code, mark.filled());
            }
        }
        self.vocabulary.each(inputs[0], |index, position| match (position, self.unknown) {
            (Some(position), _) => codes[index] = self.offset + i64::from(position),
            (None, Code::Value(code)) => {
                codes[index] = code;
                marks[index] |= Mark::UNKNOWN_CATEGORY;
            }
            (None, Code::Null) => marks[index] |= Mark::UNKNOWN_CATEGORY.nulled(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{Strings, Values};

    fn run(unknown: Code, null: Code) -> Column {
        let categories = List(vec![Category::String("x".into()), Category::String("y".into())]);
        let ordinal = Ordinal { categories, offset: 2, unknown, null };
        let compiled = ordinal.compile(&[Type::scalar(Element::String)]).expect("good");
        let values = Values::String(Strings::from_values(["y", "z", "x"]));
        let input = Column { values, marks: vec![Mark::PRESENT, Mark::PRESENT, Mark::NULL], list: None };
        let mut out = Column::new(compiled.output);
        compiled.kernel.run(&[&input], &mut out);
        out
    }

    #[test]
    fn positions_count_from_the_offset() {
        let out = run(Code::Value(-1), Code::Value(0));
        assert_eq!(out.int64(), [3, -1, 0]);
        assert_eq!(out.marks, [Mark::PRESENT, Mark::UNKNOWN_CATEGORY, Mark::NULL.filled()]);
    }

    #[test]
    fn what_has_no_code_is_null() {
        let out = run(Code::Null, Code::Null);
        assert_eq!(out.marks, [Mark::PRESENT, Mark::UNKNOWN_CATEGORY.nulled(), Mark::NULL]);
    }
}
