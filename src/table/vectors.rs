//! Vectors of equal width, row by row in one form.

use super::{form::Form, row_matrix::RowMatrix, row_number::RowNumber, widen::Widener};
use crate::batch::{Column, Mark};

/// The vectors of a column. What a null row holds has no meaning.
#[derive(Debug)]
pub struct Vectors {
    matrix: RowMatrix,
    form: Form,
    width: usize,
    widener: Widener,
}

impl Vectors {
    /// Makes room for `rows` vectors.
    pub fn new(form: Form, width: usize, rows: usize) -> Self {
        let matrix = RowMatrix::new(rows, form.row_bytes(width));
        Self { matrix, form, width, widener: Widener::of(form) }
    }

    /// Keeps vector `row`, rounded to the form, or says why it can't be kept.
    pub fn set(&mut self, row: usize, elements: &[f64]) -> Result<(), String> {
        self.form.encode(elements, self.matrix.row_mut(row))
    }

    /// Keeps vector `row` of a column in the form float32.
    pub fn set_float32(&mut self, row: usize, elements: &[f32]) {
        let (places, _) = self.matrix.row_mut(row).as_chunks_mut();
        places.iter_mut().zip(elements).for_each(|(place, element)| *place = element.to_le_bytes());
    }

    /// Keeps vector `row` as bytes that were kept in the same form.
    pub fn set_kept(&mut self, row: usize, bytes: &[u8]) {
        self.matrix.row_mut(row).copy_from_slice(bytes);
    }

    /// How each vector is kept.
    pub fn form(&self) -> Form {
        self.form
    }

    /// Elements of a vector.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Vector `row` as it is kept.
    #[inline]
    pub fn row(&self, row: usize) -> &[u8] {
        self.matrix.row(row)
    }

    /// Writes vector `row` as little-endian float32, or else as it is kept; one of float64 only as it is kept.
    #[inline]
    pub fn write(&self, row: usize, float32: bool, to: &mut [u8]) {
        if float32 {
            self.widener.widen(self.matrix.row(row), to);
        } else {
            to.copy_from_slice(self.matrix.row(row));
        }
    }

    /// Asks the processor to fetch vector `row`; any row is allowed.
    #[inline]
    pub fn prefetch(&self, row: usize) {
        self.matrix.prefetch(row);
    }

    /// Bytes in memory.
    pub fn memory(&self) -> usize {
        self.matrix.memory()
    }

    /// Bytes of the vectors alone.
    pub fn raw_bytes(&self) -> usize {
        self.matrix.rows() * self.matrix.row_bytes()
    }

    /// Makes `out` the vectors at `rows`, with `marks` beside them; those that are null are zeros.
    pub fn gather(&self, rows: &[RowNumber], marks: impl FnOnce(&mut Vec<Mark>), out: &mut Column) {
        if self.form == Form::Float64 {
            let (values, out_marks) = out.float64_mut();
            marks(out_marks);
            return self.read(rows, out_marks, values, |row, values| {
                let (elements, _) = self.matrix.row(row).as_chunks();
                values.extend(elements.iter().map(|&bytes| f64::from_le_bytes(bytes)));
            });
        }
        let mut wide = vec![0; self.width * size_of::<f32>()];
        let (values, out_marks) = out.float32_mut();
        marks(out_marks);
        self.read(rows, out_marks, values, |row, values| {
            self.write(row, true, &mut wide);
            values.extend(wide.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)));
        });
    }

    fn read<T: Copy + Default>(
        &self,
        rows: &[RowNumber],
        marks: &[Mark],
        out: &mut Vec<T>,
        mut append: impl FnMut(usize, &mut Vec<T>),
    ) {
        out.reserve(rows.len() * self.width);
        for (&row, mark) in rows.iter().zip(marks) {
            if mark.is_null() {
                out.resize(out.len() + self.width, T::default());
            } else {
                append(row.index(), out);
            }
        }
    }
}
