//! Copies of parts of columns into reused columns: a range of rows, rows by position, one row many times.

use std::ops::Range;

use super::{Column, ListRows, Mark, SparseVectors, Strings, Values};

/// What states a position among values.
pub trait Position: Copy {
    /// The position, counted from 0.
    fn position(self) -> usize;
}

impl Position for u32 {
    #[inline]
    fn position(self) -> usize {
        self as usize
    }
}

impl Column {
    /// Makes this the rows `range` of `source`, whose values have `lanes` elements each.
    pub fn copy_range(&mut self, source: &Column, lanes: usize, range: Range<usize>) {
        let values = match &source.list {
            Some(list) => {
                let part = self.list.get_or_insert_with(ListRows::default);
                part.copy_range(list, range)
            }
            None => {
                self.list = None;
                range
            }
        };
        self.marks.clear();
        self.marks.extend_from_slice(&source.marks[values.clone()]);
        let elements = values.start * lanes..values.end * lanes;
        match (&mut self.values, &source.values) {
            (Values::Float64(to), Values::Float64(from)) => copy_slice(to, &from[elements]),
            (Values::Int64(to), Values::Int64(from)) => copy_slice(to, &from[elements]),
            (Values::Uint64(to), Values::Uint64(from)) => copy_slice(to, &from[elements]),
            (Values::Bool(to), Values::Bool(from)) => copy_slice(to, &from[elements]),
            (Values::OneHot(to), Values::OneHot(from)) => copy_slice(to, &from[values]),
            (Values::Sparse(to), Values::Sparse(from)) => {
                to.clear();
                to.extend_from(from, values);
            }
            (Values::Float32(to), Values::Float32(from)) => copy_slice(to, &from[elements]),
            (Values::String(to), Values::String(from)) => to.copy_range(from, elements),
            (to, from) => {
                *to = from.emptied();
                self.copy_range_again(source, lanes, values);
            }
        }
    }

    /// The second half of a copy whose target had another type before.
    fn copy_range_again(&mut self, source: &Column, lanes: usize, values: Range<usize>) {
        let flat = Column { values: source.values.clone(), marks: source.marks.clone(), list: None };
        let list = self.list.take();
        self.copy_range(&flat, lanes, values);
        self.list = list;
    }

    /// Makes this all values of `source`, whether they are rows or list elements; how they form lists stays.
    pub fn copy_values(&mut self, source: &Column) {
        match (&mut self.values, &source.values) {
            (Values::Float64(to), Values::Float64(from)) => to.clone_from(from),
            (Values::Int64(to), Values::Int64(from)) => to.clone_from(from),
            (to, from) => *to = from.clone(),
        }
        self.marks.clone_from(&source.marks);
    }

    /// Makes this the rows of `source` at `positions`.
    pub fn gather<P: Position>(&mut self, source: &Column, lanes: usize, positions: &[P]) {
        let Some(list) = &source.list else {
            self.list = None;
            return self.gather_values(source, lanes, positions);
        };
        let elements: Vec<u32> = positions
            .iter()
            .map(|row| row.position())
            .flat_map(|row| list.offsets[row]..list.offsets[row + 1])
            .collect();
        self.gather_values(source, lanes, &elements);
        self.list.get_or_insert_with(ListRows::default).gather(list, positions);
    }

    /// Makes this the values of `source`, whether they are rows or list elements, at `positions`.
    pub fn gather_values<P: Position>(&mut self, source: &Column, lanes: usize, positions: &[P]) {
        gather_slice(&mut self.marks, &source.marks, 1, positions);
        if std::mem::discriminant(&self.values) != std::mem::discriminant(&source.values) {
            self.values = source.values.emptied();
        }
        match (&mut self.values, &source.values) {
            (Values::Float64(to), Values::Float64(from)) => gather_slice(to, from, lanes, positions),
            (Values::Int64(to), Values::Int64(from)) => gather_slice(to, from, lanes, positions),
            (Values::Uint64(to), Values::Uint64(from)) => gather_slice(to, from, lanes, positions),
            (Values::Bool(to), Values::Bool(from)) => gather_slice(to, from, lanes, positions),
            (Values::OneHot(to), Values::OneHot(from)) => gather_slice(to, from, 1, positions),
            (Values::Sparse(to), Values::Sparse(from)) => {
                to.clear();
                positions.iter().for_each(|position| to.push_from(from, position.position()));
            }
            (Values::Float32(to), Values::Float32(from)) => gather_slice(to, from, lanes, positions),
            (Values::String(to), Values::String(from)) => {
                to.gather(from, positions.iter().map(|position| position.position()));
            }
            _ => {}
        }
    }

    /// Adds the values of `source` (not a list, of the same type) behind those that are here.
    pub fn append(&mut self, source: &Column) {
        self.marks.extend_from_slice(&source.marks);
        if std::mem::discriminant(&self.values) != std::mem::discriminant(&source.values) {
            self.values = source.values.emptied();
        }
        match (&mut self.values, &source.values) {
            (Values::Float64(to), Values::Float64(from)) => to.extend_from_slice(from),
            (Values::Int64(to), Values::Int64(from)) => to.extend_from_slice(from),
            (Values::Uint64(to), Values::Uint64(from)) => to.extend_from_slice(from),
            (Values::Bool(to), Values::Bool(from)) => to.extend_from_slice(from),
            (Values::OneHot(to), Values::OneHot(from)) => to.extend_from_slice(from),
            (Values::Sparse(to), Values::Sparse(from)) => to.extend_from(from, 0..from.len()),
            (Values::Float32(to), Values::Float32(from)) => to.extend_from_slice(from),
            (Values::String(to), Values::String(from)) => to.append(from),
            _ => {}
        }
    }

    /// Adds the rows of `source`, of the same type, behind those that are here.
    pub fn append_rows(&mut self, source: &Column) {
        if let (Some(list), Some(of)) = (&mut self.list, &source.list) {
            let base = list.offsets.last().copied().unwrap_or_default();
            list.offsets.extend(of.offsets.iter().skip(1).map(|offset| base + offset));
            list.marks.extend_from_slice(&of.marks);
        }
        self.append(source);
    }

    /// A column of the same type without rows.
    pub fn clone_empty(&self) -> Self {
        let list = self.list.as_ref().map(|_| ListRows { offsets: vec![0], marks: Vec::new() });
        Self { values: self.values.emptied(), marks: Vec::new(), list }
    }

    /// Bytes in memory.
    pub fn memory(&self) -> usize {
        let list = self.list.as_ref();
        let list = list.map_or(0, |list| size_of_val(&list.offsets[..]) + list.marks.len());
        self.values.memory() + self.marks.len() + list
    }

    /// Makes this the single row of `source`, `rows` times.
    pub fn repeat(&mut self, source: &Column, lanes: usize, rows: usize) {
        if source.list.is_none() {
            self.copy_range(source, lanes, 0..1);
            return self.repeat_first(lanes, rows);
        }
        self.gather(source, lanes, &vec![0_u32; rows]);
    }

    fn repeat_first(&mut self, lanes: usize, rows: usize) {
        let mark = self.marks[0];
        self.marks.clear();
        self.marks.resize(rows, mark);
        match &mut self.values {
            Values::Float64(values) => repeat_slice(values, lanes, rows),
            Values::Int64(values) => repeat_slice(values, lanes, rows),
            Values::Uint64(values) => repeat_slice(values, lanes, rows),
            Values::Bool(values) => repeat_slice(values, lanes, rows),
            Values::OneHot(slots) => repeat_slice(slots, 1, rows),
            Values::Sparse(vectors) => vectors.repeat_first(rows),
            Values::Float32(values) => repeat_slice(values, lanes, rows),
            Values::String(strings) => {
                let single = strings.clone();
                strings.gather(&single, (0..rows).map(|_| 0));
            }
        }
    }

    /// A column of `rows` nulls like `self`'s type, every value marked `mark`.
    pub fn fill_null(&mut self, lanes: usize, rows: usize, mark: Mark) {
        if let Some(list) = &mut self.list {
            list.offsets.clear();
            list.offsets.resize(rows + 1, 0);
            list.marks.clear();
            list.marks.resize(rows, mark);
            self.marks.clear();
            self.values = self.values.emptied();
            return;
        }
        self.marks.clear();
        self.marks.resize(rows, mark);
        match &mut self.values {
            Values::Float64(values) => fill(values, lanes * rows),
            Values::Int64(values) => fill(values, lanes * rows),
            Values::Uint64(values) => fill(values, lanes * rows),
            Values::Bool(values) => fill(values, lanes * rows),
            Values::OneHot(slots) => fill(slots, rows),
            Values::Sparse(vectors) => vectors.fill_zeros(rows),
            Values::Float32(values) => fill(values, lanes * rows),
            Values::String(strings) => *strings = Strings::from_values(std::iter::repeat_n("", rows)),
        }
    }

    /// Makes this float64 vectors of `lanes` elements from their compact form.
    pub fn expand(&mut self, source: &Column, lanes: usize) {
        self.list.clone_from(&source.list);
        let slots = match &source.values {
            Values::OneHot(slots) => slots,
            Values::Float32(narrow) => {
                let (values, marks) = self.float64_mut();
                marks.extend_from_slice(&source.marks);
                return values.extend(narrow.iter().map(|&value| f64::from(value)));
            }
            Values::Sparse(vectors) => {
                let (values, marks) = self.float64_mut();
                marks.extend_from_slice(&source.marks);
                values.resize(vectors.len() * lanes, 0.0);
                for (vector, position) in values.chunks_exact_mut(lanes.max(1)).zip(0..) {
                    vectors.entries(position).for_each(|(lane, value)| vector[lane as usize] = value);
                }
                return;
            }
            _ => return self.clone_from(source),
        };
        let (values, marks) = self.float64_mut();
        marks.extend_from_slice(&source.marks);
        values.resize(slots.len() * lanes, 0.0);
        for (vector, &slot) in values.chunks_exact_mut(lanes.max(1)).zip(slots) {
            if let Some(one) = vector.get_mut(slot as usize) {
                *one = 1.0;
            }
        }
    }
}

impl Values {
    /// The values that a dictionary's indices stand for, where these are strings that came as a dictionary.
    pub fn of_dictionary(self, indices: Option<&[u32]>) -> Values {
        match (indices, self) {
            (Some(indices), Self::String(distinct)) => {
                let mut strings = Strings::default();
                strings.gather(&distinct, indices.iter().map(|&index| index as usize));
                Self::String(strings)
            }
            (_, values) => values,
        }
    }

    /// No elements of the same type.
    pub fn emptied(&self) -> Values {
        match self {
            Self::Float64(_) => Self::Float64(Vec::new()),
            Self::Int64(_) => Self::Int64(Vec::new()),
            Self::Uint64(_) => Self::Uint64(Vec::new()),
            Self::Bool(_) => Self::Bool(Vec::new()),
            Self::String(_) => Self::String(Strings::default()),
            Self::OneHot(_) => Self::OneHot(Vec::new()),
            Self::Sparse(_) => Self::Sparse(SparseVectors::default()),
            Self::Float32(_) => Self::Float32(Vec::new()),
        }
    }

    /// Bytes in memory.
    pub fn memory(&self) -> usize {
        match self {
            Self::Float64(values) => size_of_val(values.as_slice()),
            Self::Int64(values) => size_of_val(values.as_slice()),
            Self::Uint64(values) => size_of_val(values.as_slice()),
            Self::Bool(values) => values.len(),
            Self::OneHot(slots) => size_of_val(slots.as_slice()),
            Self::Sparse(vectors) => vectors.memory(),
            Self::Float32(values) => size_of_val(values.as_slice()),
            Self::String(strings) => strings.memory(),
        }
    }
}

impl ListRows {
    /// Makes this the rows `range` of `source`, offsets counted from 0; gives the range of their elements.
    pub fn copy_range(&mut self, source: &ListRows, range: Range<usize>) -> Range<usize> {
        let first = source.offsets[range.start];
        let last = source.offsets[range.end];
        self.offsets.clear();
        self.offsets.extend(source.offsets[range.start..=range.end].iter().map(|offset| offset - first));
        self.marks.clear();
        self.marks.extend_from_slice(&source.marks[range]);
        first as usize..last as usize
    }

    /// Makes this the rows of `source` at `positions`, their elements one after the other.
    fn gather(&mut self, source: &ListRows, positions: &[impl Position]) {
        self.offsets.clear();
        self.offsets.push(0);
        self.marks.clear();
        let mut end = 0;
        for row in positions.iter().map(|row| row.position()) {
            end += source.range(row).len() as u32;
            self.offsets.push(end);
            self.marks.push(source.marks[row]);
        }
    }
}

fn copy_slice<T: Copy>(to: &mut Vec<T>, from: &[T]) {
    to.clear();
    to.extend_from_slice(from);
}

fn gather_slice<T: Copy>(to: &mut Vec<T>, from: &[T], lanes: usize, positions: &[impl Position]) {
    to.clear();
    if lanes == 1 {
        to.extend(positions.iter().map(|position| from[position.position()]));
    } else {
        for position in positions {
            let start = position.position() * lanes;
            to.extend_from_slice(&from[start..start + lanes]);
        }
    }
}

/// Repeats the first `lanes` elements until there are `rows` times as many.
fn repeat_slice<T: Copy>(values: &mut Vec<T>, lanes: usize, rows: usize) {
    values.truncate(lanes);
    if rows == 0 {
        values.clear();
    }
    for _ in 1..rows {
        values.extend_from_within(..lanes);
    }
}

fn fill<T: Copy + Default>(values: &mut Vec<T>, count: usize) {
    values.clear();
    values.resize(count, T::default());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{Element, NO_SLOT, Type};

    fn vectors(values: &[f64], lanes: usize) -> Column {
        let marks = vec![Mark::PRESENT; values.len() / lanes];
        Column { values: Values::Float64(values.to_vec()), marks, list: None }
    }

    #[test]
    fn ranges_positions_and_repeats_keep_vectors_whole() {
        let source = vectors(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0], 2);
        let mut out = Column::new(Type::vector(2));
        out.copy_range(&source, 2, 1..3);
        assert_eq!(out.float64(), [2.0, 3.0, 4.0, 5.0]);
        out.gather(&source, 2, &[2_u32, 0]);
        assert_eq!(out.float64(), [4.0, 5.0, 0.0, 1.0]);
        out.repeat(&vectors(&[7.0, 8.0], 2), 2, 3);
        assert_eq!(out.float64(), [7.0, 8.0, 7.0, 8.0, 7.0, 8.0]);
        assert_eq!(out.rows(), 3);
    }

    #[test]
    fn lists_are_cut_and_repeated_by_row() {
        let list =
            ListRows { offsets: vec![0, 2, 2, 3], marks: vec![Mark::PRESENT, Mark::NULL, Mark::PRESENT] };
        let source =
            Column { values: Values::Int64(vec![1, 2, 3]), marks: vec![Mark::PRESENT; 3], list: Some(list) };
        let mut out = Column::new(Type::scalar(Element::String));
        out.copy_range(&source, 1, 1..3);
        assert_eq!(out.int64(), [3]);
        assert_eq!(out.list.as_ref().map(|list| list.offsets.clone()), Some(vec![0, 0, 1]));
        let mut single = Column::new(Type::scalar(Element::Int64));
        single.copy_range(&source, 1, 0..1);
        out.repeat(&single, 1, 2);
        assert_eq!(out.int64(), [1, 2, 1, 2]);
        assert_eq!(out.rows(), 2);
    }

    #[test]
    fn slots_expand_to_zeros_and_ones() {
        let source =
            Column { values: Values::OneHot(vec![1, NO_SLOT]), marks: vec![Mark::PRESENT; 2], list: None };
        let mut out = Column::new(Type::vector(3));
        out.expand(&source, 3);
        assert_eq!(out.float64(), [0.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
    }
}
