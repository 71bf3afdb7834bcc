//! Vectors that are copied as they are, without a detour through float64.

use arrow_array::{Array, cast::AsArray, types::Float32Type};

use super::Lists;
use crate::batch::{Column, Mark, Values};

/// Lists of `width` float32 as vectors of float32; `None` where they are of another type, some list of another length,
/// or a null inside: then each value is looked at.
pub fn vectors(lists: &Lists<'_>, width: usize) -> Option<Column> {
    let elements = lists.elements.as_primitive_opt::<Float32Type>().filter(|of| of.null_count() == 0)?;
    let mut values = Vec::with_capacity(lists.ranges.len() * width);
    let mut marks = lists.marks.clone();
    for (range, mark) in lists.ranges.iter().zip(&mut marks) {
        if range.is_empty() || mark.is_null() {
            *mark = Mark::NULL;
            values.resize(values.len() + width, 0.0);
        } else if range.len() == width {
            values.extend_from_slice(&elements.values()[range.clone()]);
        } else {
            return None;
        }
    }
    Some(Column { values: Values::Float32(values), marks, list: None })
}
