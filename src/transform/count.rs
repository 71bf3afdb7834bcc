//! Count: how many elements a list has.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Compiled, Kernel, Operation, keys::Keys, single};
use crate::{
    batch::{Column, Element, ListRows, Type},
    problem::Problems,
};

/// How many elements a list has, as int64. A null list stays null, an empty one has 0. The status is the gravest of all
/// elements.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Count {
    /// Which elements count.
    pub what: Counted,
}

/// What counts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Counted {
    /// Every element, null or not.
    Elements,
    /// Those that are not null. NaN is a value.
    Present,
    /// Those that are not null, equal ones once: -0 equals 0, and NaN equals NaN. For lists of scalars.
    Distinct,
}

impl Operation for Count {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let input = single(inputs)?;
        if !input.list {
            return Err(Problems::one("", format!("takes a list, its input is {input}")));
        }
        if self.what == Counted::Distinct && input.width.is_some() {
            return Err(Problems::one("what", format!("distinct is for scalars, the input is {input}")));
        }
        let output = Type::scalar(Element::Int64).with_nullable(input.nullable);
        Ok(Compiled::new(output, CountKernel { what: self.what }))
    }
}

#[derive(Debug)]
struct CountKernel {
    what: Counted,
}

impl Kernel for CountKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        let input = inputs[0];
        let Some(list) = &input.list else { return };
        let (counts, marks) = out.int64_mut();
        for row in 0..list.marks.len() {
            let elements = input.marks[list.range(row)].iter();
            marks.push(elements.fold(list.marks[row], |mark, element| mark | element.filled()));
        }
        let rows = 0..list.marks.len();
        match self.what {
            Counted::Elements => counts.extend(rows.map(|row| list.range(row).len() as i64)),
            Counted::Present => counts.extend(rows.map(|row| {
                input.marks[list.range(row)].iter().filter(|mark| !mark.is_null()).count() as i64
            })),
            Counted::Distinct => match Keys::of(input) {
                Keys::Words(words) => count_distinct(input, list, &words, counts),
                Keys::Texts(texts) => count_distinct(input, list, &texts, counts),
            },
        }
    }
}

fn count_distinct<K: Ord + Copy>(input: &Column, list: &ListRows, keys: &[K], counts: &mut Vec<i64>) {
    let mut present = Vec::new();
    for row in 0..list.marks.len() {
        present.clear();
        let elements = list.range(row).filter(|&element| !input.marks[element].is_null());
        present.extend(elements.map(|element| keys[element]));
        present.sort_unstable();
        present.dedup();
        counts.push(present.len() as i64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{batch::Mark, transform::check::floats};

    /// Counts [1, null, -0, 0, 1, NaN, NaN], [] and a null list.
    fn run(what: Counted) -> Column {
        let compiled = Count { what }.compile(&[Type::scalar(Element::Float64).listed()]).expect("good");
        let list =
            ListRows { offsets: vec![0, 7, 7, 7], marks: vec![Mark::PRESENT, Mark::PRESENT, Mark::NULL] };
        let nan = Some(f64::NAN);
        let elements = floats(&[Some(1.0), None, Some(-0.0), Some(0.0), Some(1.0), nan, nan]);
        let mut out = Column::new(compiled.output);
        compiled.kernel.run(&[&Column { list: Some(list), ..elements }], &mut out);
        out
    }

    #[test]
    fn counts_what_is_told() {
        assert_eq!(run(Counted::Elements).int64()[..2], [7, 0]);
        assert_eq!(run(Counted::Present).int64()[..2], [6, 0]);
        let distinct = run(Counted::Distinct);
        assert_eq!(distinct.int64()[..2], [3, 0]);
        assert_eq!(distinct.marks, [Mark::NULL.filled(), Mark::PRESENT, Mark::NULL]);
    }

    #[test]
    fn takes_lists() {
        assert!(Count { what: Counted::Elements }.compile(&[Type::vector(2)]).is_err());
        assert!(Count { what: Counted::Elements }.compile(&[Type::vector(2).listed()]).is_ok());
        assert!(Count { what: Counted::Distinct }.compile(&[Type::vector(2).listed()]).is_err());
    }
}
