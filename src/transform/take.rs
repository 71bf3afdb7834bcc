//! Take: the first or the last elements of a list, as a list or as a vector of a fixed width.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Compiled, Kernel, Operation, parameters::Real, single};
use crate::{
    batch::{Column, Element, ListRows, Mark, Type, Values},
    problem::Problems,
};

/// The first or the last elements of a list, in its order; all of them where there are fewer. Without padding the
/// result is a list and its elements keep their nulls and statuses. With padding it is a vector of `count` lanes, for
/// lists of float64 and int64: a null element becomes the padding, and the status is the gravest of the elements taken.
/// A null list stays null.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Take {
    /// Which elements are taken.
    pub side: End,
    /// How many elements at most, from 1 to 1048576.
    pub count: usize,
    /// What fills a vector up, or "none" for lists.
    pub pad: Pad,
}

/// An end of a list or a vector.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum End {
    First,
    Last,
}

/// What fills a vector up.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "must be an object with \"value\" and \"at\", or \"none\"")]
pub enum Pad {
    With(Padding),
    Unpadded(Unpadded),
}

/// The result is a list.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unpadded {
    None,
}

/// The padding of a vector.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Padding {
    /// What stands in the place of elements that are not there; for int64 lists an integer within 2^53.
    pub value: Real,
    /// Where it stands.
    pub at: PadAt,
}

/// The place of padding.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PadAt {
    /// After the elements.
    End,
    /// Before the elements.
    Start,
}

/// The most elements that are taken.
const COUNT_LIMIT: usize = 1 << 20;

/// Up to here every integer has a float64 of its own.
const EXACT_LIMIT: f64 = 9_007_199_254_740_992.0;

impl Operation for Take {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let input = single(inputs)?;
        let mut problems = Problems::none();
        if !input.list {
            problems.add("", format!("takes a list, its input is {input}"));
        }
        if self.count == 0 || self.count > COUNT_LIMIT {
            problems.add("count", format!("is {}, must be from 1 to {COUNT_LIMIT}", self.count));
        }
        let Self { side, count, .. } = *self;
        let Pad::With(padding) = self.pad else {
            return problems.or(Compiled::new(input, TakeList { side, count, lanes: input.lanes() }));
        };
        let value = padding.value.0;
        if !matches!(input.element, Element::Float64 | Element::Int64) || input.width.is_some() {
            problems.add("pad", format!("is for lists of float64 and int64 scalars, the input is {input}"));
        } else if input.element == Element::Int64 && !(value.fract() == 0.0 && value.abs() <= EXACT_LIMIT) {
            problems.add("pad.value", format!("is {value}, must be an integer within 2^53"));
        }
        let output = Type { width: Some(count), list: false, ..input };
        problems.or(Compiled::new(output, TakeVector { side, count, padding }))
    }
}

/// The elements of row `row` that are taken.
fn taken(list: &ListRows, row: usize, side: End, count: usize) -> std::ops::Range<usize> {
    let all = list.range(row);
    match side {
        End::First => all.start..all.end.min(all.start + count),
        End::Last => all.start.max(all.end.saturating_sub(count))..all.end,
    }
}

#[derive(Debug)]
struct TakeList {
    side: End,
    count: usize,
    lanes: usize,
}

impl Kernel for TakeList {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        let Some(list) = &inputs[0].list else { return };
        let mut positions = Vec::with_capacity(inputs[0].marks.len());
        let rows = out.list_mut();
        for row in 0..list.marks.len() {
            positions.extend(taken(list, row, self.side, self.count).map(|position| position as u32));
            rows.push(positions.len(), list.marks[row]);
        }
        out.gather_values(inputs[0], self.lanes, &positions);
    }

    fn gives_lists(&self) -> bool {
        true
    }
}

#[derive(Debug)]
struct TakeVector {
    side: End,
    count: usize,
    padding: Padding,
}

impl Kernel for TakeVector {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        match &inputs[0].values {
            Values::Int64(elements) => {
                let (values, marks) = out.int64_mut();
                self.fill(inputs[0], elements, self.padding.value.0 as i64, values, marks);
            }
            _ => {
                let (values, marks) = out.float64_mut();
                self.fill(inputs[0], inputs[0].float64(), self.padding.value.0, values, marks);
            }
        }
    }
}

impl TakeVector {
    fn fill<T: Copy>(
        &self,
        input: &Column,
        elements: &[T],
        pad: T,
        values: &mut Vec<T>,
        marks: &mut Vec<Mark>,
    ) {
        let Some(list) = &input.list else { return };
        for row in 0..list.marks.len() {
            let taken = taken(list, row, self.side, self.count);
            let missing = self.count - taken.len();
            let mut mark = list.marks[row];
            if self.padding.at == PadAt::Start {
                values.extend(std::iter::repeat_n(pad, missing));
            }
            for (&element, &of_element) in elements[taken.clone()].iter().zip(&input.marks[taken]) {
                values.push(if of_element.is_null() { pad } else { element });
                mark |= of_element.filled();
            }
            if self.padding.at == PadAt::End {
                values.extend(std::iter::repeat_n(pad, missing));
            }
            marks.push(mark);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::Strings;

    fn padded(value: f64, at: PadAt) -> Pad {
        Pad::With(Padding { value: Real(value), at })
    }

    /// The lists [1, 2, null], [] and a null list.
    fn run(take: Take) -> Column {
        let compiled = take.compile(&[Type::scalar(Element::Int64).listed()]).expect("good");
        let list =
            ListRows { offsets: vec![0, 3, 3, 3], marks: vec![Mark::PRESENT, Mark::PRESENT, Mark::NULL] };
        let marks = vec![Mark::PRESENT, Mark::PRESENT, Mark::NULL];
        let input = Column { values: Values::Int64(vec![1, 2, 3]), marks, list: Some(list) };
        let mut out = Column::new(compiled.output);
        compiled.kernel.run(&[&input], &mut out);
        out
    }

    #[test]
    fn vectors_are_filled_up() {
        let out = run(Take { side: End::First, count: 2, pad: padded(-1.0, PadAt::End) });
        assert_eq!(out.int64()[..4], [1, 2, -1, -1]);
        assert_eq!(out.marks, [Mark::PRESENT, Mark::PRESENT, Mark::NULL]);
        let out = run(Take { side: End::Last, count: 4, pad: padded(0.0, PadAt::Start) });
        assert_eq!(out.int64()[..4], [0, 1, 2, 0]);
        assert_eq!(out.marks, [Mark::NULL.filled(), Mark::PRESENT, Mark::NULL]);
    }

    #[test]
    fn lists_keep_their_elements() {
        let unpadded = Pad::Unpadded(Unpadded::None);
        let out = run(Take { side: End::Last, count: 2, pad: unpadded });
        let list = out.list.as_ref().expect("a list");
        assert_eq!(list.offsets, [0, 2, 2, 2]);
        assert_eq!(list.marks, [Mark::PRESENT, Mark::PRESENT, Mark::NULL]);
        assert_eq!((out.int64()[0], out.marks[1]), (2, Mark::NULL));
        let take = Take { side: End::First, count: 1, pad: unpadded };
        let compiled = take.compile(&[Type::scalar(Element::String).listed()]).expect("good");
        let list = ListRows { offsets: vec![0, 2], marks: vec![Mark::PRESENT] };
        let values = Values::String(Strings::from_values(["b", "a"]));
        let input = Column { values, marks: vec![Mark::PRESENT; 2], list: Some(list) };
        let mut out = Column::new(compiled.output);
        compiled.kernel.run(&[&input], &mut out);
        assert_eq!(out.strings().iter().collect::<Vec<_>>(), ["b"]);
    }

    #[test]
    fn padding_is_of_the_elements_type() {
        let take = |pad, element| {
            Take { side: End::First, count: 1 << 21, pad }.compile(&[Type::scalar(element).listed()])
        };
        assert_eq!(take(padded(0.5, PadAt::End), Element::Int64).expect_err("two").len(), 2);
        assert_eq!(take(padded(f64::INFINITY, PadAt::End), Element::Int64).expect_err("two").len(), 2);
        assert_eq!(take(padded(0.0, PadAt::End), Element::String).expect_err("two").len(), 2);
        assert_eq!(take(padded(0.5, PadAt::End), Element::Float64).expect_err("the count").len(), 1);
    }
}
