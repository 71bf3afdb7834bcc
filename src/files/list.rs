//! One column of a file as JSON values: the long lists that lie beside a spec.

use std::path::Path;

use serde_json::Value;

use super::{DataFile, Target, accept, rows_at_once};
use crate::{
    batch::{Column, Type, Values},
    problem::Problems,
};

/// The largest magnitude up to which every integer is exact as a JSON number for all readers.
const EXACT: u64 = 1 << 53;

/// Reads the column of scalars `column` of a Parquet or Arrow IPC file: numbers, strings, booleans and nulls. Integers
/// beyond 2^53 come as strings, floats that are no numbers as "nan", "inf" and "-inf", as specs write them.
pub fn read_list(file: &Path, column: &str) -> Result<Vec<Value>, Problems> {
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    read(file, column).map_err(|why| Problems::one("", format!("{name}: {why}")))
}

fn read(file: &Path, column: &str) -> Result<Vec<Value>, String> {
    let data = DataFile::open(file)?;
    let stored = match data.column_type(column) {
        Some(of) => accept::natural(of).ok_or_else(|| format!("column {column} is {of}, not of scalars"))?,
        None => return Err(format!("has no column {column:?}")),
    };
    let target = Target::new(column, Type::scalar(stored.element()), stored);
    data.check(&target).map_err(|why| format!("column {column} {why}"))?;
    let mut list = Vec::new();
    let rows = rows_at_once(std::slice::from_ref(&target));
    for batch in data.batches(vec![target], rows)? {
        batch?.columns.iter().for_each(|column| append(column, &mut list));
    }
    Ok(list)
}

fn append(column: &Column, list: &mut Vec<Value>) {
    let value = |position: usize| match &column.values {
        Values::Float64(values) => float(values[position]),
        Values::Int64(values) => integer(values[position], values[position].unsigned_abs()),
        Values::Uint64(values) => integer(values[position], values[position]),
        Values::Bool(values) => Value::from(values[position]),
        Values::String(values) => Value::from(values.get(position)),
        Values::OneHot(_) | Values::Sparse(_) | Values::Float32(_) => Value::Null,
    };
    let marks = column.marks.iter().enumerate();
    list.extend(marks.map(|(position, mark)| if mark.is_null() { Value::Null } else { value(position) }));
}

fn float(value: f64) -> Value {
    if value.is_nan() {
        Value::from("nan")
    } else if value.is_infinite() {
        Value::from(if value > 0.0 { "inf" } else { "-inf" })
    } else {
        Value::from(value)
    }
}

fn integer<T: Into<Value> + ToString>(value: T, magnitude: u64) -> Value {
    if magnitude > EXACT { Value::from(value.to_string()) } else { value.into() }
}

#[cfg(test)]
mod tests;
