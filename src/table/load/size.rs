//! How much memory a table will take, from its schema and what its files' heads say.

use crate::{
    batch::Element,
    files::Room,
    table::{Form, Stored, TableSchema, index, row_matrix},
};

/// Bytes of a string's place in a column.
const SPAN: u64 = 8;

/// Bytes of a string's entry among keys.
const ENTRY: u64 = 16;

/// Bytes of the index of `rows` rows.
pub fn index(rows: u64) -> u64 {
    index::memory_for(rows)
}

/// The bytes that a table of `rows` rows takes: exact for numbers and vectors without nulls, about right for texts, and
/// the most for lists. `rooms` has one for each column of values.
pub fn estimate(schema: &TableSchema, rows: u64, rooms: &[Room]) -> u64 {
    let keys = schema.key.iter().map(|key| match key.element {
        Element::String => ENTRY,
        _ => Stored::Uint64.bytes() as u64,
    });
    let keys =
        keys.fold(index::memory_for(rows), |sum, bytes| sum.saturating_add(rows.saturating_mul(bytes)));
    schema.columns.iter().zip(rooms).fold(keys, |sum, (column, room)| {
        let element = if column.stored == Stored::String { SPAN } else { column.stored.bytes() as u64 };
        let values = match column.of.width {
            Some(width) if column.of.list => {
                let form = column.form.unwrap_or_else(|| Form::of(column.stored));
                let vectors = room.elements / width.max(1) as u64;
                rows.saturating_mul(4).saturating_add(vectors.saturating_mul(form.row_bytes(width) as u64))
            }
            Some(width) => {
                let form = column.form.unwrap_or_else(|| Form::of(column.stored));
                row_matrix::memory_for(rows, form.row_bytes(width))
            }
            None if column.of.list => {
                rows.saturating_mul(4).saturating_add(room.elements.saturating_mul(element))
            }
            None => rows.saturating_mul(element),
        };
        let texts = if column.stored == Stored::String { room.text_bytes } else { 0 };
        sum.saturating_add(values).saturating_add(texts)
    })
}
