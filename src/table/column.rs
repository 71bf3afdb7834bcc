//! One column of a table, finished: scalars, lists or vectors, and their reading by row numbers.

use std::ops::Range;

use super::{
    cells::Cells, memory::prefetch, row_number::RowNumber, text::Text, vector_lists::VectorLists,
    vectors::Vectors,
};
use crate::batch::{Column, ListRows, Mark, Type, Values};

/// A column's values for all rows.
#[derive(Debug)]
pub struct ColumnStore {
    pub of: Type,
    pub content: Content<Text>,
    pub marks: Marks,
}

/// Values by shape; `T` holds strings.
#[derive(Debug)]
pub enum Content<T> {
    Scalars(Elements<T>),
    Lists {
        /// One more than there are rows.
        offsets: Vec<u32>,
        elements: Elements<T>,
        element_marks: Marks,
    },
    Vectors(Vectors),
    VectorLists(VectorLists),
}

/// Scalars in their stored form.
#[derive(Debug)]
pub enum Elements<T> {
    Cells(Cells),
    Text(T),
}

/// Marks of values, kept only from the first one that is not "present" on.
#[derive(Debug, Default)]
pub struct Marks {
    values: usize,
    /// Empty while all values are present.
    marks: Vec<Mark>,
}

impl<T> Content<T> {
    /// Bytes in memory, where `of_elements` are those of elements.
    pub fn memory(&self, of_elements: impl Fn(&Elements<T>) -> usize) -> usize {
        match self {
            Self::Scalars(elements) => of_elements(elements),
            Self::Vectors(vectors) => vectors.memory(),
            Self::VectorLists(lists) => lists.memory(),
            Self::Lists { offsets, elements, element_marks } => {
                size_of_val(&offsets[..]) + of_elements(elements) + element_marks.memory()
            }
        }
    }
}

impl Marks {
    /// Appends the marks of more values.
    pub fn append(&mut self, marks: &[Mark]) {
        let kept = !self.marks.is_empty();
        if kept || marks.iter().any(|mark| !mark.is_present()) {
            self.marks.resize(self.values, Mark::PRESENT);
            self.marks.extend_from_slice(marks);
        }
        self.values += marks.len();
    }

    /// The marks, unless all values are present.
    pub fn get(&self) -> Option<&[Mark]> {
        (!self.marks.is_empty()).then_some(&self.marks)
    }

    /// Gives back room in excess.
    pub fn shrink(&mut self) {
        self.marks.shrink_to_fit();
    }

    /// Bytes in memory.
    pub fn memory(&self) -> usize {
        self.marks.len()
    }
}

impl ColumnStore {
    /// Makes `out` the column's values at `rows`.
    pub fn gather(&self, rows: &[RowNumber], out: &mut Column) {
        if let Content::Vectors(vectors) = &self.content {
            out.list = None;
            let marks = |out: &mut Vec<Mark>| gather_marks(self.marks.get(), rows, out);
            return vectors.gather(rows, marks, out);
        }
        if let Content::VectorLists(lists) = &self.content {
            return lists.gather(rows, |out| gather_marks(self.marks.get(), rows, out), out);
        }
        clear(out, self.of);
        match &self.content {
            Content::Vectors(_) | Content::VectorLists(_) => {}
            Content::Scalars(elements) => {
                gather_marks(self.marks.get(), rows, &mut out.marks);
                elements.gather(rows.iter().map(|row| row.index()), &mut out.values);
            }
            Content::Lists { offsets, elements, element_marks } => {
                let range_of = |row: &RowNumber| list_range(offsets, *row);
                let list = out.list.get_or_insert_default();
                gather_marks(self.marks.get(), rows, &mut list.marks);
                push_offsets(&mut list.offsets, rows.iter().map(range_of));
                let positions = || rows.iter().flat_map(range_of);
                out.marks.extend(positions().map(|position| mark_at(element_marks.get(), position)));
                elements.gather(positions(), &mut out.values);
            }
        }
    }

    /// The bytes of a row's vector as they are stored, or why there is none.
    pub fn stored_vector(&self, row: RowNumber) -> Result<&[u8], Mark> {
        match &self.content {
            Content::Vectors(vectors) if row.is_found() => match mark_at(self.marks.get(), row.index()) {
                mark if mark.is_null() => Err(mark),
                _ => Ok(vectors.row(row.index())),
            },
            _ => Err(Mark::NULL),
        }
    }

    /// The mark of row `row`, null for rows outside.
    pub fn row_mark(&self, row: RowNumber) -> Mark {
        let mut mark = Vec::with_capacity(1);
        gather_marks(self.marks.get(), &[row], &mut mark);
        mark.first().copied().unwrap_or(Mark::NULL)
    }

    /// Asks the processor to fetch the value of row `row`; any row is allowed.
    pub fn prefetch(&self, row: RowNumber) {
        let row = row.index();
        match &self.content {
            Content::Scalars(Elements::Cells(cells)) => cells.prefetch(row),
            Content::Scalars(Elements::Text(text)) => prefetch(text.strings.spans(), row),
            Content::Lists { offsets, .. } => prefetch(offsets, row),
            Content::Vectors(vectors) => vectors.prefetch(row),
            Content::VectorLists(lists) => lists.prefetch(row),
        }
        if let Some(marks) = self.marks.get() {
            prefetch(marks, row);
        }
    }

    /// Bytes in memory.
    pub fn memory(&self) -> usize {
        self.content.memory(Elements::<Text>::memory) + self.marks.memory()
    }

    /// Bytes of the values alone, at their stored widths: a string's bytes and 4 for its length, a list's elements and
    /// 4 for its length.
    pub fn raw_bytes(&self) -> usize {
        match &self.content {
            Content::Scalars(elements) => elements.raw_bytes(),
            Content::Vectors(vectors) => vectors.raw_bytes(),
            Content::VectorLists(lists) => lists.raw_bytes(),
            Content::Lists { offsets, elements, .. } => size_of_val(&offsets[1..]) + elements.raw_bytes(),
        }
    }
}

impl Elements<Text> {
    fn gather(&self, positions: impl Iterator<Item = usize>, out: &mut Values) {
        match (self, out) {
            (Self::Cells(cells), out) => cells.gather(positions, out),
            (Self::Text(text), Values::String(out)) => {
                // The last one is empty, for rows that are none.
                let last = text.strings.len() - 1;
                out.gather(&text.strings, positions.map(|position| position.min(last)));
            }
            (Self::Text(_), _) => {}
        }
    }

    fn memory(&self) -> usize {
        match self {
            Self::Cells(cells) => cells.memory(),
            Self::Text(text) => text.memory(),
        }
    }

    fn raw_bytes(&self) -> usize {
        match self {
            Self::Cells(cells) => cells.memory(),
            Self::Text(text) => text.raw_bytes,
        }
    }
}

/// Empties `out` and makes it a column of type `of`.
fn clear(out: &mut Column, of: Type) {
    out.marks.clear();
    match (&mut out.list, of.list) {
        (Some(list), true) => {
            list.offsets.clear();
            list.marks.clear();
        }
        (list, wanted) => *list = wanted.then(ListRows::default),
    }
    match (&mut out.values, Column::new(of).values) {
        (Values::Float64(values), Values::Float64(_)) => values.clear(),
        (Values::Int64(values), Values::Int64(_)) => values.clear(),
        (Values::Uint64(values), Values::Uint64(_)) => values.clear(),
        (Values::Bool(values), Values::Bool(_)) => values.clear(),
        (Values::String(_), Values::String(_)) => {}
        (values, empty) => *values = empty,
    }
}

/// Marks of rows: those of the column, and what lies behind the rows that are none.
fn gather_marks(marks: Option<&[Mark]>, rows: &[RowNumber], out: &mut Vec<Mark>) {
    match marks {
        None => {
            out.extend(rows.iter().map(|&row| row.none().unwrap_or(Mark::PRESENT)));
        }
        Some(marks) => {
            out.extend(rows.iter().map(|&row| row.none().unwrap_or_else(|| marks[row.index()])));
        }
    }
}

/// The mark of a value.
pub fn mark_at(marks: Option<&[Mark]>, position: usize) -> Mark {
    marks.map_or(Mark::PRESENT, |marks| marks[position])
}

/// Elements of row `row`, none for rows outside.
pub fn list_range(offsets: &[u32], row: RowNumber) -> Range<usize> {
    let row = row.index().min(offsets.len() - 1);
    let end = offsets.get(row + 1).unwrap_or(&offsets[row]);
    offsets[row] as usize..*end as usize
}

/// Fills offsets with the ends of lists that lie one after the other.
pub fn push_offsets(offsets: &mut Vec<u32>, ranges: impl Iterator<Item = Range<usize>>) {
    offsets.push(0);
    let mut end = 0;
    offsets.extend(ranges.map(|range| {
        end += range.len() as u32;
        end
    }));
}
