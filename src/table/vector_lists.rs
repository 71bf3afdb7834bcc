//! Lists of vectors of one width, the vectors side by side in one form.

use std::ops::Range;

use super::{
    column::{Marks, list_range, mark_at, push_offsets},
    form::Form,
    row_number::RowNumber,
    widen::Widener,
};
use crate::batch::{Column, ListRows, Mark, Values};

/// The lists of a column. What a null vector holds has no meaning.
#[derive(Debug)]
pub struct VectorLists {
    /// One more than there are rows.
    offsets: Vec<u32>,
    /// The vectors as they are kept.
    data: Vec<u8>,
    marks: Marks,
    form: Form,
    width: usize,
    widener: Widener,
}

impl VectorLists {
    /// No lists yet, with room for `rows` of them and `vectors` in all.
    pub fn new(form: Form, width: usize, rows: usize, vectors: usize) -> Self {
        let mut offsets = Vec::with_capacity(rows + 1);
        offsets.push(0);
        let data = Vec::with_capacity(vectors.saturating_mul(form.row_bytes(width)));
        Self { offsets, data, marks: Marks::default(), form, width, widener: Widener::of(form) }
    }

    fn bytes(&self) -> usize {
        self.form.row_bytes(self.width)
    }

    /// Where lists end, to append those whose vectors are appended next.
    pub fn offsets_mut(&mut self) -> &mut Vec<u32> {
        &mut self.offsets
    }

    /// Appends the vectors of lists, rounded to the form and marked by `marks`; `refuse` receives each vector that can't
    /// be kept, and why.
    pub fn append(&mut self, values: &Values, marks: &[Mark], mut refuse: impl FnMut(usize, String)) {
        let mut wide = Vec::with_capacity(self.width);
        for (position, mark) in marks.iter().enumerate() {
            let start = self.data.len();
            self.data.resize(start + self.bytes(), 0);
            if mark.is_null() {
                continue;
            }
            let lanes = position * self.width..(position + 1) * self.width;
            wide.clear();
            match values {
                Values::Float32(values) => wide.extend(values[lanes].iter().map(|&value| f64::from(value))),
                Values::Float64(values) => wide.extend_from_slice(&values[lanes]),
                _ => continue,
            }
            if let Err(why) = self.form.encode(&wide, &mut self.data[start..]) {
                refuse(position, why);
            }
        }
        self.marks.append(marks);
    }

    /// Appends a list of another column of the form and the width as that keeps it, or an empty one for no row.
    pub fn append_kept(&mut self, from: &Self, row: RowNumber) {
        let vectors = from.range(row);
        let marks: Vec<Mark> = vectors.clone().map(|vector| mark_at(from.marks.get(), vector)).collect();
        self.data.extend_from_slice(&from.data[vectors.start * self.bytes()..vectors.end * self.bytes()]);
        self.marks.append(&marks);
        let end = self.offsets.last().copied().unwrap_or(0);
        self.offsets.push(end.saturating_add(vectors.len() as u32));
    }

    fn range(&self, row: RowNumber) -> Range<usize> {
        list_range(&self.offsets, row)
    }

    /// Makes `out` the lists at `rows`, whose marks as a whole `row_marks` adds.
    pub fn gather(&self, rows: &[RowNumber], row_marks: impl FnOnce(&mut Vec<Mark>), out: &mut Column) {
        let ranges = || rows.iter().map(|&row| self.range(row));
        let mut list = out.list.take().unwrap_or_default();
        let ListRows { offsets, marks } = &mut list;
        offsets.clear();
        marks.clear();
        row_marks(marks);
        push_offsets(offsets, ranges());
        let bytes = self.bytes();
        if self.form == Form::Float64 {
            let (values, out_marks) = out.float64_mut();
            out_marks.extend(ranges().flatten().map(|vector| mark_at(self.marks.get(), vector)));
            for vectors in ranges() {
                let (lanes, _) = self.data[vectors.start * bytes..vectors.end * bytes].as_chunks();
                values.extend(lanes.iter().map(|&lane| f64::from_le_bytes(lane)));
            }
        } else {
            let mut wide = vec![0; self.width * size_of::<f32>()];
            let (values, out_marks) = out.float32_mut();
            out_marks.extend(ranges().flatten().map(|vector| mark_at(self.marks.get(), vector)));
            values.reserve(out_marks.len() * self.width);
            for vector in ranges().flatten() {
                self.widener.widen(&self.data[vector * bytes..(vector + 1) * bytes], &mut wide);
                values.extend(wide.as_chunks().0.iter().map(|&lane| f32::from_le_bytes(lane)));
            }
        }
        out.list = Some(list);
    }

    /// Asks the processor to fetch where the list of row `row` lies; any row is allowed.
    pub fn prefetch(&self, row: usize) {
        super::memory::prefetch(&self.offsets, row);
    }

    /// Gives back room in excess.
    pub fn shrink(&mut self) {
        self.data.shrink_to_fit();
        self.marks.shrink();
    }

    /// Bytes in memory.
    pub fn memory(&self) -> usize {
        size_of_val(&self.offsets[..]) + self.data.len() + self.marks.memory()
    }

    /// Bytes of the vectors alone, and 4 for the length of each list.
    pub fn raw_bytes(&self) -> usize {
        size_of_val(&self.offsets[1..]) + self.data.len()
    }
}
