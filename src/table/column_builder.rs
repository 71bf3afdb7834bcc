//! One column of a table while its rows come in, batch by batch.

use std::borrow::Cow;

use super::{
    cells::Cells,
    column::{ColumnStore, Content, Elements, Marks},
    form::Form,
    row_number::RowNumber,
    schema::ColumnSchema,
    text::TextBuilder,
    vector_lists::VectorLists,
    vectors::Vectors,
};
use crate::{
    batch::{Column, ListRows, Mark, Values},
    files::{Room, Stored},
};

/// Appends rows, then becomes a [`ColumnStore`].
#[derive(Debug)]
pub struct ColumnBuilder {
    schema: ColumnSchema,
    content: Content<TextBuilder>,
    marks: Marks,
    rows: usize,
}

impl ColumnBuilder {
    /// Makes room for `rows` rows, and for the texts and lists' elements that they are known to have.
    pub fn new(schema: &ColumnSchema, rows: usize, room: Room) -> Self {
        let content = match schema.of.width {
            Some(width) if schema.of.list => {
                let form = schema.form.unwrap_or_else(|| Form::of(schema.stored));
                let vectors = room.elements as usize / width;
                Content::VectorLists(VectorLists::new(form, width, rows, vectors))
            }
            Some(width) => {
                let form = schema.form.unwrap_or_else(|| Form::of(schema.stored));
                Content::Vectors(Vectors::new(form, width, rows))
            }
            None if schema.of.list => {
                let mut offsets = Vec::with_capacity(rows + 1);
                offsets.push(0);
                let elements = Elements::new(schema, room.elements as usize, room);
                Content::Lists { offsets, elements, element_marks: Marks::default() }
            }
            None => Content::Scalars(Elements::new(schema, rows, room)),
        };
        Self { schema: schema.clone(), content, marks: Marks::default(), rows: 0 }
    }

    /// Appends the rows of `column`, which is of the schema's type. Floats are rounded to the stored width; `refuse`
    /// receives each row of `column` that can't be kept, and why.
    pub fn append(&mut self, column: &Column, refuse: &mut dyn FnMut(usize, String)) {
        let marks = marks_of(column, self.schema.of.lanes(), self.schema.nan_is_null);
        let stored = &self.schema.stored.to_string();
        match &mut self.content {
            Content::Scalars(elements) => {
                elements.append(&column.values, &marks, stored, refuse);
                self.marks.append(&marks);
            }
            Content::Vectors(vectors) => {
                match &column.values {
                    Values::Float32(values) => append_float32(vectors, self.rows, values, &marks),
                    _ => append_float64(vectors, self.rows, column.float64(), &marks, refuse),
                }
                self.marks.append(&marks);
            }
            Content::VectorLists(lists) => {
                let Some(list) = &column.list else { return };
                append_offsets(lists.offsets_mut(), list, refuse);
                lists.append(&column.values, &marks, |vector, why| refuse(row_of(list, vector), why));
                self.marks.append(&list.marks);
            }
            Content::Lists { offsets, elements, element_marks } => {
                let Some(list) = &column.list else { return };
                append_offsets(offsets, list, refuse);
                let mut refuse = |element: usize, why| refuse(row_of(list, element), why);
                elements.append(&column.values, &marks, stored, &mut refuse);
                element_marks.append(&marks);
                self.marks.append(&list.marks);
            }
        }
        self.rows += column.rows();
    }

    /// Appends vectors as they are stored, and why there are none. For columns of vectors alone.
    pub fn append_vectors<'a>(&mut self, rows: impl Iterator<Item = Result<&'a [u8], Mark>>) {
        let Content::Vectors(vectors) = &mut self.content else { return };
        for row in rows {
            match row {
                Ok(bytes) => {
                    vectors.set_kept(self.rows, bytes);
                    self.marks.append(&[Mark::PRESENT]);
                }
                Err(mark) => self.marks.append(&[mark]),
            }
            self.rows += 1;
        }
    }

    /// Appends a list of vectors of another column as that keeps it, or null for no row.
    pub fn append_kept_list(&mut self, from: &ColumnStore, row: RowNumber) {
        if let (Content::VectorLists(lists), Content::VectorLists(kept)) = (&mut self.content, &from.content)
        {
            lists.append_kept(kept, row);
            let mark = from.row_mark(row);
            self.marks.append(&[if mark.is_null() { Mark::NULL } else { mark }]);
            self.rows += 1;
        }
    }

    /// Bytes in memory so far.
    pub fn memory(&self) -> usize {
        self.content.memory(Elements::<TextBuilder>::memory) + self.marks.memory()
    }

    /// The finished column.
    pub fn finish(mut self) -> ColumnStore {
        self.marks.shrink();
        let content = match self.content {
            Content::Scalars(elements) => Content::Scalars(elements.finish()),
            Content::Vectors(vectors) => Content::Vectors(vectors),
            Content::VectorLists(mut lists) => {
                lists.shrink();
                Content::VectorLists(lists)
            }
            Content::Lists { offsets, elements, mut element_marks } => {
                element_marks.shrink();
                Content::Lists { offsets, elements: elements.finish(), element_marks }
            }
        };
        ColumnStore { of: self.schema.of, content, marks: self.marks }
    }
}

impl ColumnSchema {
    /// Holds values of the column's type against the form that they are stored in; `refuse` receives each row that can't be
    /// kept, and why.
    pub fn check(&self, values: &Column, refuse: &mut dyn FnMut(usize, String)) {
        let is_wide =
            matches!(self.stored, Stored::Float32 | Stored::Float64 | Stored::Int64 | Stored::Uint64);
        if self.form.is_some() || !(is_wide || matches!(self.stored, Stored::Bool | Stored::String)) {
            ColumnBuilder::new(self, values.rows(), Room::default()).append(values, refuse);
        }
    }
}

impl Elements<TextBuilder> {
    fn new(schema: &ColumnSchema, elements: usize, room: Room) -> Self {
        match Cells::new(schema.stored, elements) {
            Some(cells) => Self::Cells(cells),
            None => Self::Text(TextBuilder::new(elements, room.text_bytes as usize)),
        }
    }

    fn memory(&self) -> usize {
        match self {
            Self::Cells(cells) => cells.memory(),
            Self::Text(text) => text.memory(),
        }
    }

    fn append(
        &mut self,
        values: &Values,
        marks: &[Mark],
        stored: &str,
        refuse: &mut dyn FnMut(usize, String),
    ) {
        match (self, values) {
            (Self::Text(text), Values::String(strings)) => {
                if let Err(position) = text.append(strings) {
                    refuse(position, "more than 4 GiB of text in one column".to_owned());
                }
            }
            (Self::Cells(cells), values) => cells.append(values, |position| {
                if !marks[position].is_null() {
                    refuse(position, format!("{} does not fit into {stored}", integer_at(values, position)));
                }
            }),
            (Self::Text(_), _) => {}
        }
    }

    fn finish(self) -> Elements<super::text::Text> {
        match self {
            Self::Cells(mut cells) => {
                cells.shrink();
                Elements::Cells(cells)
            }
            Self::Text(text) => Elements::Text(text.finish()),
        }
    }
}

fn append_float32(vectors: &mut Vectors, first: usize, values: &[f32], marks: &[Mark]) {
    let rows = values.chunks_exact(vectors.width()).zip(marks).enumerate();
    for (row, (elements, _)) in rows.filter(|(_, (_, mark))| !mark.is_null()) {
        vectors.set_float32(first + row, elements);
    }
}

fn append_float64(
    vectors: &mut Vectors,
    first: usize,
    values: &[f64],
    marks: &[Mark],
    refuse: &mut dyn FnMut(usize, String),
) {
    for (row, (elements, mark)) in values.chunks_exact(vectors.width()).zip(marks).enumerate() {
        if !mark.is_null()
            && let Err(why) = vectors.set(first + row, elements)
        {
            refuse(row, why);
        }
    }
}

/// Marks of the column's values, NaN counted as null where it stands for that.
fn marks_of(column: &Column, lanes: usize, nan_is_null: bool) -> Cow<'_, [Mark]> {
    match &column.values {
        Values::Float64(values) if nan_is_null => null_nans(values, lanes, &column.marks, f64::is_nan),
        Values::Float32(values) if nan_is_null => null_nans(values, lanes, &column.marks, f32::is_nan),
        _ => Cow::Borrowed(&column.marks),
    }
}

fn null_nans<'a, T: Copy>(
    values: &[T],
    lanes: usize,
    marks: &'a [Mark],
    is_nan: impl Fn(T) -> bool,
) -> Cow<'a, [Mark]> {
    // Without an early end, the loop takes several values at a time.
    let any_nan = |values: &[T]| values.iter().fold(false, |any, &value| any | is_nan(value));
    if !any_nan(values) {
        return Cow::Borrowed(marks);
    }
    let marks = values.chunks_exact(lanes).zip(marks);
    marks.map(|(value, &mark)| if any_nan(value) { mark | Mark::NULL } else { mark }).collect()
}

fn append_offsets(offsets: &mut Vec<u32>, list: &ListRows, refuse: &mut dyn FnMut(usize, String)) {
    let base = offsets.last().copied().unwrap_or(0);
    let first = list.offsets.first().copied().unwrap_or(0);
    for (row, &end) in list.offsets.iter().skip(1).enumerate() {
        let end = base.checked_add(end - first).unwrap_or_else(|| {
            refuse(row, "more than 4,294,967,295 list elements in one column".to_owned());
            base
        });
        offsets.push(end);
    }
}

/// The row whose list element `element` is in.
fn row_of(list: &ListRows, element: usize) -> usize {
    list.offsets.partition_point(|&offset| offset as usize <= element).saturating_sub(1)
}

fn integer_at(values: &Values, position: usize) -> String {
    match values {
        Values::Int64(values) => values[position].to_string(),
        Values::Uint64(values) => values[position].to_string(),
        _ => "the value".to_owned(),
    }
}
