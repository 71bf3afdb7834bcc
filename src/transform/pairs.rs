//! Two columns side by side: keys with values, values with weights, elements with their row's value.

use crate::batch::{Column, Element, Mark, Type};

/// Whether a list of keys (scalars) and a list of float64 values stand side by side.
pub fn are_keys_and_values(keys: Type, values: Type) -> bool {
    keys.list && keys.width.is_none() && are_floats(values)
}

/// Whether this is a list of float64 scalars.
pub fn are_floats(of: Type) -> bool {
    of.list && of.width.is_none() && of.element == Element::Float64
}

/// The joint mark of two lists as a whole.
pub fn lists_mark(one: &Column, other: &Column, row: usize) -> Mark {
    list_mark(one, row) | list_mark(other, row)
}

/// The mark of a list as a whole.
pub fn list_mark(column: &Column, row: usize) -> Mark {
    column.list.as_ref().map_or(Mark::NULL, |list| list.marks[row])
}

/// The elements of a row by position: none for a null one, and where the other list is longer. With their joint mark.
pub fn side_by_side<'a>(
    one: &'a Column,
    other: &'a Column,
    row: usize,
) -> impl Iterator<Item = (Option<usize>, Option<usize>, Mark)> + Clone + 'a {
    let range = |column: &Column| column.list.as_ref().map_or(0..0, |list| list.range(row));
    let (of_one, of_other) = (range(one), range(other));
    (0..of_one.len().max(of_other.len())).map(move |position| {
        let (first, mark) = element(one, of_one.start + position, of_one.end);
        let (second, of_second) = element(other, of_other.start + position, of_other.end);
        (first, second, mark | of_second)
    })
}

fn element(column: &Column, at: usize, end: usize) -> (Option<usize>, Mark) {
    let mark = if at < end { column.marks[at] } else { Mark::NULL };
    ((!mark.is_null()).then_some(at), mark)
}

/// How many rows inputs have, rows being lists or single values, of which single rows go with each row of the others.
pub fn list_rows(inputs: &[&Column]) -> usize {
    inputs.iter().map(|input| input.rows()).find(|&rows| rows != 1).unwrap_or(1)
}

/// How far it is from one row to the next: a single row, a list or a value, is every row's.
pub fn row_step(input: &Column) -> usize {
    usize::from(input.rows() != 1)
}

/// The positions of the values of `one`, rows or list elements, each with the position of its row in `other`, which has
/// no lists. A single row goes with all rows of the other column.
pub fn each_with_row<'a>(one: &'a Column, other: &Column) -> impl Iterator<Item = (usize, usize)> + 'a {
    let rows = one.rows().max(other.rows());
    let step = |column: &Column| usize::from(column.rows() == rows);
    let (of_one, of_other) = (step(one), step(other));
    let scalars = if one.list.is_some() { 0..0 } else { 0..rows };
    let elements = one.list.iter().flat_map(|_| one.row_of_each().enumerate());
    let pairs = scalars.map(move |row| (row * of_one, row * of_other));
    pairs.chain(elements.map(move |(element, row)| (element, row * of_other)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{batch::ListRows, transform::check::floats};

    #[test]
    fn what_has_no_partner_is_beside_a_null() {
        let list = |offsets| Some(ListRows { offsets, marks: vec![Mark::PRESENT; 2] });
        let one = Column { list: list(vec![0, 1, 3]), ..floats(&[Some(1.0), Some(2.0), None]) };
        let other = Column { list: list(vec![0, 2, 3]), ..floats(&[Some(1.0), Some(2.0), Some(3.0)]) };
        let first: Vec<_> = side_by_side(&one, &other, 0).collect();
        assert_eq!(first, [(Some(0), Some(0), Mark::PRESENT), (None, Some(1), Mark::NULL)]);
        let second: Vec<_> = side_by_side(&one, &other, 1).collect();
        assert_eq!(second, [(Some(1), Some(2), Mark::PRESENT), (None, None, Mark::NULL)]);
    }

    #[test]
    fn a_single_row_goes_with_all() {
        let (one, many) = (floats(&[Some(1.0)]), floats(&[Some(1.0), Some(2.0)]));
        assert_eq!(each_with_row(&one, &many).collect::<Vec<_>>(), [(0, 0), (0, 1)]);
        assert_eq!(each_with_row(&many, &one).collect::<Vec<_>>(), [(0, 0), (1, 0)]);
        let list = Some(ListRows { offsets: vec![0, 0, 2], marks: vec![Mark::PRESENT; 2] });
        let lists = Column { list, ..many.clone() };
        assert_eq!(each_with_row(&lists, &many).collect::<Vec<_>>(), [(0, 1), (1, 1)]);
        assert_eq!(each_with_row(&lists, &one).collect::<Vec<_>>(), [(0, 0), (1, 0)]);
    }
}
