//! Elements at positions of a list.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Compiled, Kernel, Operation,
    pairs::{list_rows, row_step},
};
use crate::{
    batch::{Column, Element, ListRows, Mark, Type},
    problem::Problems,
};

/// The elements of the first input, a list, at the positions of the second, a list of int64 counted from 0: a list as
/// long as the positions, in their order, an element as often as its position is there. `recent` and `nearest` give
/// positions. An element keeps its null and its status; a null position makes a null element. Null where either list is
/// null.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ElementsAt {
    /// What a position without an element makes: one below 0, or beyond the list's end.
    pub outside: Outside,
}

/// What a position without an element makes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outside {
    /// A null element; its status is out of range.
    Null,
    /// Nothing: the result is shorter.
    Drop,
}

impl Operation for ElementsAt {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let &[values, positions] = inputs else {
            return Err(Problems::one("", format!("takes two inputs, has {}", inputs.len())));
        };
        let of_positions = (positions.element, positions.width, positions.list);
        if !values.list || of_positions != (Element::Int64, None, true) {
            let message =
                format!("takes a list and a list of int64, its inputs are {values} and {positions}");
            return Err(Problems::one("", message));
        }
        let output = Type { nullable: true, ..values };
        let kernel = ElementsAtKernel { lanes: values.lanes(), outside: self.outside };
        Ok(Compiled::new(output, kernel))
    }
}

#[derive(Debug)]
struct ElementsAtKernel {
    lanes: usize,
    outside: Outside,
}

impl Kernel for ElementsAtKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        let [values, positions] = inputs else { return };
        let (Some(of_values), Some(of_positions)) = (&values.list, &positions.list) else { return };
        let (step, positions_step) = (row_step(values), row_step(positions));
        let mut picked = Picked::default();
        let rows = out.list_mut();
        for row in 0..list_rows(inputs) {
            let (own, row) = (row * step, row * positions_step);
            let mark = of_values.marks[own] | of_positions.marks[row];
            if !mark.is_null() {
                self.pick(of_values, own, positions, of_positions.range(row), &mut picked);
            }
            rows.push(picked.elements.len(), mark);
        }
        picked.fill(values, self.lanes, out);
    }

    fn gives_lists(&self) -> bool {
        true
    }

    fn takes_float32(&self) -> bool {
        true
    }

    fn takes_single_list(&self, input: usize) -> bool {
        input == 0
    }
}

/// The elements of the result.
#[derive(Default)]
struct Picked {
    /// Where each lies among the values.
    elements: Vec<u32>,
    /// Marks to join, by place in the result: those of positions that are not present or have no element.
    marks: Vec<(usize, Mark)>,
}

impl ElementsAtKernel {
    fn pick(
        &self,
        of_values: &ListRows,
        row: usize,
        positions: &Column,
        of_row: std::ops::Range<usize>,
        picked: &mut Picked,
    ) {
        let all = of_values.range(row);
        let marks = &positions.marks[of_row.clone()];
        for (&position, &mark) in positions.int64()[of_row].iter().zip(marks) {
            let element = usize::try_from(position).ok().filter(|&position| position < all.len());
            match element {
                _ if mark.is_null() => picked.push(all.start, mark),
                Some(element) => picked.push(all.start + element, mark),
                None if self.outside == Outside::Null => {
                    picked.push(all.start, mark | Mark::OUT_OF_RANGE.nulled());
                }
                None => {}
            }
        }
    }
}

impl Picked {
    fn push(&mut self, element: usize, mark: Mark) {
        if !mark.is_present() {
            self.marks.push((self.elements.len(), mark));
        }
        self.elements.push(element as u32);
    }

    /// Makes `out` the elements; its lists are there already.
    fn fill(self, values: &Column, lanes: usize, out: &mut Column) {
        if values.marks.is_empty() {
            // There is nothing to copy from: all that can be here are nulls.
            out.gather_values::<u32>(values, lanes, &[]);
            let list = out.list.take();
            out.fill_null(lanes, self.elements.len(), Mark::NULL);
            out.list = list;
        } else {
            // A null may stand where the last row's empty list ends, behind all values.
            let last = values.marks.len() as u32 - 1;
            let elements: Vec<u32> = self.elements.iter().map(|&element| element.min(last)).collect();
            out.gather_values(values, lanes, &elements);
        }
        for (place, mark) in self.marks {
            out.marks[place] = if mark.is_null() { mark } else { out.marks[place] | mark };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        batch::{Strings, Values},
        transform::check::{integers, results, vectors},
    };

    fn listed(column: Column, offsets: &[u32], marks: &[Mark]) -> Column {
        Column { list: Some(ListRows { offsets: offsets.to_vec(), marks: marks.to_vec() }), ..column }
    }

    fn run(outside: Outside, of: Type, values: &Column, positions: &Column) -> Column {
        let compiled = ElementsAt { outside }
            .compile(&[of.listed(), Type::scalar(Element::Int64).listed()])
            .expect("good");
        let mut out = Column::new(compiled.output);
        compiled.kernel.run(&[values, positions], &mut out);
        out
    }

    /// Positions 1, -1, null, 0 and 2.
    fn positions() -> Column {
        integers(&[Some(1), Some(-1), None, Some(0), Some(2)])
    }

    #[test]
    fn elements_come_in_the_order_of_positions() {
        let texts = Values::String(Strings::from_values(["a", "b"]));
        let texts = Column { values: texts, marks: vec![Mark::PRESENT, Mark::KEY_NOT_FOUND], list: None };
        let texts = listed(texts, &[0, 2], &[Mark::PRESENT]);
        let positions = listed(positions(), &[0, 5, 5], &[Mark::PRESENT, Mark::NULL]);
        let out = run(Outside::Null, Type::scalar(Element::String), &texts, &positions);
        let outside = Mark::OUT_OF_RANGE.nulled();
        assert_eq!(out.marks, [Mark::KEY_NOT_FOUND, outside, Mark::NULL, Mark::PRESENT, outside]);
        assert_eq!((out.strings().get(0), out.strings().get(3)), ("b", "a"));
        assert_eq!(out.list.as_ref().expect("a list").offsets, [0, 5, 5]);
        let out = run(Outside::Drop, Type::scalar(Element::String), &texts, &positions);
        assert_eq!(out.marks, [Mark::KEY_NOT_FOUND, Mark::NULL, Mark::PRESENT]);
        assert_eq!(out.list.expect("a list").marks, [Mark::PRESENT, Mark::NULL]);
    }

    #[test]
    fn vectors_stay_whole_and_single_lists_go_with_all() {
        let values = listed(vectors(2, &[1.0, 2.0, 3.0, 4.0]), &[0, 0, 2, 2], &[Mark::PRESENT; 3]);
        let single = listed(integers(&[Some(1)]), &[0, 1], &[Mark::PRESENT]);
        let out = run(Outside::Null, Type::vector(2), &values, &single);
        assert_eq!(results(&out)[2..4], [Some(3.0), Some(4.0)]);
        assert_eq!(out.list.as_ref().expect("lists").offsets, [0, 1, 2, 3]);
        assert_eq!(out.marks[2], Mark::OUT_OF_RANGE.nulled());
        let nothing = listed(vectors(2, &[]), &[0, 0], &[Mark::PRESENT]);
        let out = run(Outside::Null, Type::vector(2), &nothing, &single);
        assert_eq!((out.marks.as_slice(), out.float64().len()), (&[Mark::OUT_OF_RANGE.nulled()][..], 2));
    }

    #[test]
    fn float32_stays_float32() {
        let values = Values::Float32(vec![0.5, 1.5]);
        let values = Column { values, marks: vec![Mark::PRESENT], list: None };
        let values = listed(values, &[0, 1], &[Mark::PRESENT]);
        let single = listed(integers(&[Some(0)]), &[0, 1], &[Mark::PRESENT]);
        let out = run(Outside::Drop, Type::vector(2), &values, &single);
        assert!(matches!(out.values, Values::Float32(values) if values == [0.5, 1.5]));
    }

    #[test]
    fn takes_a_list_and_positions() {
        let integer = Type::scalar(Element::Int64);
        let of = ElementsAt { outside: Outside::Null };
        assert!(of.compile(&[integer, integer.listed()]).is_err());
        assert!(of.compile(&[integer.listed(), integer]).is_err());
        assert!(of.compile(&[integer.listed(), Type::scalar(Element::Uint64).listed()]).is_err());
    }
}
