//! What a new version of a table changes for the specs that read the one before it.

use std::{fs, path::Path};

use crate::table::{ColumnSchema, ColumnType, TableSchema, import::Found};

/// Reports each column of the newest version that has another type now, or is missing: specs of that version may not
/// load with this one.
pub fn changes(table: &Path, found: &Found) -> Vec<String> {
    let Some(before) = newest(table) else { return Vec::new() };
    let number = before.version;
    let change = |(name, was): (&str, ColumnType)| {
        let Some(column) = found.columns.iter().find(|column| column.name == name) else {
            return Some(format!("column {name} of version {number} is missing"));
        };
        let of = column.of.filter(|of| *of != was)?;
        Some(format!("column {name} is {of}, in version {number} {was}: --column '{name}:{was}' keeps that"))
    };
    columns(&before).filter_map(change).collect()
}

/// The key's columns and the others.
fn columns(schema: &TableSchema) -> impl Iterator<Item = (&str, ColumnType)> {
    let of = ColumnType::of_column;
    let key = schema.key.iter().map(move |key| {
        let name = key.name.as_str();
        (name, of(&ColumnSchema::scalar(name, key.stored())))
    });
    key.chain(schema.columns.iter().map(move |column| (column.name.as_str(), of(column))))
}

/// The schema of the newest version; none where there is no version, or one that can't be read.
fn newest(table: &Path) -> Option<TableSchema> {
    let version = super::versions(table).into_iter().max()?;
    let text = fs::read_to_string(table.join(version.to_string()).join("table.json")).ok()?;
    TableSchema::from_json(&text).ok()
}
