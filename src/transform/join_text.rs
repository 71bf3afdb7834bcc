//! Join text: several texts as one, with a separator between them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Compiled, Kernel, Operation, row_count};
use crate::{
    batch::{Column, Element, Mark, Type, Values},
    problem::Problems,
};

/// Several strings as one, in the order of the inputs: keys and categories of several columns, such as `17|food`. A
/// result of more than 1024 bytes is null and out of range.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JoinText {
    /// What stands between two texts; may be empty.
    pub separator: String,
    /// What a null part does.
    pub null: NullText,
}

/// The effect of a part that is null.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NullText {
    /// The whole text is null.
    Null,
    /// It is left out, with its separator. Where all are null, the text is empty.
    Skip,
    /// This text stands in its place.
    Value(String),
}

/// The longest result in bytes: a request's single text may go with each of many rows.
const LONGEST: usize = 1024;

impl Operation for JoinText {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let mut problems = Problems::none();
        if inputs.is_empty() {
            problems.add("", "takes at least one input");
        }
        for (position, input) in inputs.iter().enumerate() {
            if input.element != Element::String || input.list {
                let message = format!(
                    "takes strings, its input {position} is {input}; \"format\" makes text of numbers and booleans"
                );
                problems.add("", message);
            }
        }
        problems.or(())?;
        Ok(Compiled::new(Type::scalar(Element::String), JoinTextKernel { of: self.clone() }))
    }

    fn takes_elements(&self, _inputs: &[Type]) -> bool {
        true
    }
}

#[derive(Debug)]
struct JoinTextKernel {
    of: JoinText,
}

impl Kernel for JoinTextKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        let count = row_count(inputs);
        let mut builder = out.take_strings();
        for row in 0..count {
            let start = builder.written();
            let mut mark = Mark::PRESENT;
            let mut length = 0;
            let mut first = true;
            for (text, of_part) in inputs.iter().map(|input| part(input, row, count)) {
                let text = match (&self.of.null, of_part.is_null()) {
                    (_, false) => text,
                    (NullText::Value(text), true) => text.as_str(),
                    (NullText::Null | NullText::Skip, true) => {
                        mark |= if self.of.null == NullText::Null { of_part } else { of_part.filled() };
                        continue;
                    }
                };
                mark |= of_part.filled();
                let separator = if first { "" } else { self.of.separator.as_str() };
                first = false;
                length += separator.len() + text.len();
                if length <= LONGEST {
                    builder.write(separator);
                    builder.write(text);
                }
            }
            if length > LONGEST {
                mark |= Mark::OUT_OF_RANGE.nulled();
            }
            builder.push_from(start);
            out.marks.push(mark);
        }
        out.values = Values::String(builder.finish());
    }

    fn takes_single_rows(&self) -> bool {
        true
    }
}

/// A part's text and mark in a row; a single row is every row's.
fn part(input: &Column, row: usize, count: usize) -> (&str, Mark) {
    let row = if input.marks.len() == count { row } else { 0 };
    (input.strings().get(row), input.marks[row])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{batch::Strings, transform::check::texts};

    const TEXT: Type = Type { element: Element::String, width: None, list: false, nullable: true };

    fn column(values: &[Option<&str>]) -> Column {
        let marks = values.iter().map(|value| if value.is_some() { Mark::PRESENT } else { Mark::NULL });
        let texts = Strings::from_values(values.iter().map(|value| value.unwrap_or("under a null")));
        Column { values: Values::String(texts), marks: marks.collect(), list: None }
    }

    fn run(null: NullText, inputs: &[&Column]) -> Column {
        let compiled = JoinText { separator: "|".to_owned(), null }.compile(&vec![TEXT; inputs.len()]);
        let compiled = compiled.expect("good");
        let mut out = Column::new(compiled.output);
        compiled.kernel.run(inputs, &mut out);
        out
    }

    #[test]
    fn texts_stand_side_by_side() {
        let (one, other) = (column(&[Some("a"), Some(""), None]), column(&[Some("é"), Some("b"), Some("c")]));
        let single = column(&[Some("x")]);
        let out = run(NullText::Null, &[&one, &single, &other]);
        assert_eq!(texts(&out)[..2], ["a|x|é", "|x|b"]);
        assert_eq!(out.marks, [Mark::PRESENT, Mark::PRESENT, Mark::NULL]);
        assert_eq!(texts(&run(NullText::Null, &[&single])), ["x"]);
    }

    #[test]
    fn nulls_are_left_out_or_filled_in_where_that_is_wanted() {
        let (one, other) = (column(&[None, None]), column(&[Some("b"), None]));
        let out = run(NullText::Skip, &[&one, &other]);
        assert_eq!(texts(&out), ["b", ""]);
        assert_eq!(out.marks, [Mark::NULL.filled(); 2]);
        let out = run(NullText::Value("none".to_owned()), &[&one, &other]);
        assert_eq!(texts(&out), ["none|b", "none|none"]);
        assert_eq!(out.marks, [Mark::NULL.filled(); 2]);
    }

    #[test]
    fn a_long_result_is_null_and_out_of_range() {
        let long = "x".repeat(LONGEST - 1);
        let (one, other) = (column(&[Some(&long), Some(&long)]), column(&[Some(""), Some("y")]));
        let out = run(NullText::Null, &[&one, &other]);
        assert_eq!(out.strings().get(0).len(), LONGEST);
        assert_eq!(out.marks, [Mark::PRESENT, Mark::OUT_OF_RANGE.nulled()]);
    }

    #[test]
    fn other_types_are_rejected() {
        let join = JoinText { separator: String::new(), null: NullText::Skip };
        let reported = join.compile(&[TEXT, Type::scalar(Element::Int64)]).expect_err("a number").to_string();
        assert!(reported.contains("its input 1 is int64; \"format\" makes text"), "{reported}");
        assert!(join.compile(&[]).is_err());
    }
}
