//! Building lists row by row, and walking them.

use super::{Column, ListRows, Mark};

impl ListRows {
    /// Ends a row's list before element `end`.
    pub fn push(&mut self, end: usize, mark: Mark) {
        self.offsets.push(u32::try_from(end).expect("a column holds less than 2^32 elements"));
        self.marks.push(mark);
    }
}

impl Column {
    /// Makes this a column of lists and gives its emptied rows to fill.
    pub fn list_mut(&mut self) -> &mut ListRows {
        let list = self.list.get_or_insert_with(ListRows::default);
        list.offsets.clear();
        list.offsets.push(0);
        list.marks.clear();
        list
    }

    /// The row of each value: values are rows, or elements of rows' lists.
    pub fn row_of_each(&self) -> impl Iterator<Item = usize> {
        let rows = if self.list.is_some() { 0..0 } else { 0..self.marks.len() };
        let of_lists = self.list.iter().flat_map(|list| {
            let of_row = |row| std::iter::repeat_n(row, list.range(row).len());
            (0..list.marks.len()).flat_map(of_row)
        });
        rows.chain(of_lists)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{Element, Type, Values};

    #[test]
    fn elements_know_their_rows() {
        let mut column = Column::new(Type::scalar(Element::Int64));
        column.values = Values::Int64(vec![7, 8, 9]);
        column.marks = vec![Mark::PRESENT; 3];
        assert_eq!(column.row_of_each().collect::<Vec<_>>(), [0, 1, 2]);
        let list = column.list_mut();
        list.push(2, Mark::PRESENT);
        list.push(2, Mark::NULL);
        list.push(3, Mark::PRESENT);
        assert_eq!(column.row_of_each().collect::<Vec<_>>(), [0, 0, 2]);
        assert_eq!(column.rows(), 3);
    }
}
