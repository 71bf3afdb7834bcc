//! Fall-backs: the first of several rows that was found. Specs write them with lookups, not as operations.

use super::{
    Kernel,
    pick::{Picker, step},
};
use crate::batch::{Column, Mark, Type, Values};

/// Picks for each row the value of the first lookup that has a row for it, or of a row that is always there.
///
/// Its inputs come in pairs, the lookup's own first: booleans, whether there is a row, and the values of that row. Where
/// none is found, and no row stands behind them, the result is what the lookup itself gives: a null with its status.
#[derive(Debug)]
pub struct FallbackKernel {
    picker: Picker,
    /// The level of each pair, the lookup's own 0.
    levels: Vec<usize>,
    /// The row that is always there, with its level.
    last: Option<(Column, usize)>,
    /// Whether all vectors come in 32 bits.
    float32: bool,
}

impl FallbackKernel {
    /// Picks values of type `of` from a pair for each of the `levels`.
    pub fn new(of: Type, levels: Vec<usize>, last: Option<(Column, usize)>, float32: bool) -> Self {
        let last = last.map(|(column, level)| (if float32 { narrowed(column) } else { column }, level));
        Self { picker: Picker::of(of), levels, last, float32 }
    }
}

/// A column of vectors in 32 bits.
fn narrowed(mut column: Column) -> Column {
    if let Values::Float64(values) = &column.values {
        column.values = Values::Float32(values.iter().map(|&value| value as f32).collect());
    }
    column
}

impl Kernel for FallbackKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        let found: Vec<(&[bool], usize)> =
            inputs.iter().step_by(2).map(|found| (found.bool(), step(found))).collect();
        let mut columns: Vec<&Column> = inputs.iter().skip(1).step_by(2).copied().collect();
        let mut levels = self.levels.clone();
        let mut repeated = Column { values: Values::Bool(Vec::new()), marks: Vec::new(), list: None };
        let mut otherwise = 0;
        if let Some((last, level)) = &self.last {
            otherwise = columns.len();
            levels.push(*level);
            // Lists have no single rows.
            columns.push(if self.picker.lists {
                repeated.values = last.values.emptied();
                repeated.list = last.list.clone();
                repeated.repeat(last, self.picker.lanes, self.picker.rows(inputs));
                &repeated
            } else {
                last
            });
        }
        let choice =
            |row: usize| found.iter().position(|&(found, step)| found[row * step]).unwrap_or(otherwise);
        let mark = |row: usize| {
            let chosen = choice(row);
            let mark = self.picker.mark(columns[chosen], row);
            if levels[chosen] == 0 { mark } else { mark | Mark::fallback(levels[chosen]) }
        };
        self.picker.pick(inputs, &columns, choice, mark, out);
    }

    fn gives_lists(&self) -> bool {
        self.picker.lists
    }

    fn takes_float32(&self) -> bool {
        self.float32
    }

    fn takes_single_rows(&self) -> bool {
        true
    }
}

/// Whether any of the keys in each list has a row: lists of booleans to booleans, which are never null.
#[derive(Debug)]
pub struct AnyFound;

impl Kernel for AnyFound {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        let found = inputs[0].bool();
        let (values, marks) = out.bool_mut();
        let Some(list) = &inputs[0].list else { return };
        for row in 0..list.marks.len() {
            values.push(found[list.range(row)].iter().any(|&found| found));
            marks.push(Mark::PRESENT);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        batch::{Element, ListRows, Status, Strings},
        transform::check::{floats, results},
    };

    fn booleans(values: &[bool]) -> Column {
        let marks = vec![Mark::PRESENT; values.len()];
        Column { values: Values::Bool(values.to_vec()), marks, list: None }
    }

    fn run(kernel: &FallbackKernel, of: Type, inputs: &[&Column]) -> Column {
        let mut out = Column::new(of);
        kernel.run(inputs, &mut out);
        out
    }

    #[test]
    fn the_first_row_that_is_there_answers_with_its_level() {
        let of = Type::scalar(Element::Float64);
        let mut own = floats(&[Some(1.0), None, None, None]);
        own.marks[2..].fill(Mark::KEY_NOT_FOUND);
        let other = floats(&[Some(5.0), Some(6.0), None, Some(8.0)]);
        let inputs =
            [&booleans(&[true, true, false, false]), &own, &booleans(&[true, true, true, false]), &other];
        let none = run(&FallbackKernel::new(of, vec![0, 2], None, false), of, &inputs);
        assert_eq!(results(&none), [Some(1.0), None, None, None]);
        // A null in the row that was found stays one; so does a null of the fall-back's row.
        assert_eq!(none.marks[1], Mark::NULL);
        assert_eq!(none.marks[2], Mark::fallback(2).nulled());
        assert_eq!(none.marks[3], Mark::KEY_NOT_FOUND);
        let last = Some((floats(&[Some(-1.0)]), 3));
        let all = run(&FallbackKernel::new(of, vec![0, 2], last, false), of, &inputs);
        assert_eq!(results(&all), [Some(1.0), None, None, Some(-1.0)]);
        assert_eq!(all.marks[3], Mark::fallback(3));
    }

    #[test]
    fn lists_fall_back_whole() {
        let of = Type::scalar(Element::String).listed();
        let texts = |texts: &[&str], offsets: Vec<u32>, marks: Vec<Mark>| Column {
            values: Values::String(Strings::from_values(texts.iter().map(|&text| text.to_owned()))),
            marks: vec![Mark::PRESENT; texts.len()],
            list: Some(ListRows { offsets, marks }),
        };
        let own = texts(&["a"], vec![0, 1, 1], vec![Mark::PRESENT, Mark::KEY_NOT_FOUND]);
        let last = texts(&["x", "y"], vec![0, 2], vec![Mark::PRESENT]);
        let kernel = FallbackKernel::new(of, vec![0], Some((last, 1)), false);
        let out = run(&kernel, of, &[&booleans(&[true, false]), &own]);
        assert_eq!(out.strings().iter().collect::<Vec<_>>(), ["a", "x", "y"]);
        let list = out.list.expect("lists");
        assert_eq!(list.offsets, [0, 1, 3]);
        assert_eq!(list.marks[1].status(), Status::Fallback);
    }

    #[test]
    fn one_found_neighbour_is_enough() {
        let list =
            ListRows { offsets: vec![0, 2, 2, 3], marks: vec![Mark::PRESENT, Mark::NULL, Mark::PRESENT] };
        let found = Column { list: Some(list), ..booleans(&[false, true, false]) };
        let mut out = Column::new(Type::scalar(Element::Bool));
        AnyFound.run(&[&found], &mut out);
        assert_eq!(out.bool(), [true, false, false]);
    }
}
