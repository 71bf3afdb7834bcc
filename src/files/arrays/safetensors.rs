//! Safetensors: a header in JSON that names the tensors, then their elements. Read by rows, so that a file larger than
//! the memory can be.

use std::{
    collections::BTreeMap,
    io::{BufReader, Read},
    path::Path,
};

use serde::Deserialize;

use super::raw::{RawArray, RawElement};
use crate::files::regular;

/// The longest header that the format allows.
const HEADER_LIMIT: u64 = 100_000_000;

/// What the header states about one tensor.
#[derive(Deserialize)]
struct Tensor {
    dtype: String,
    shape: Vec<u64>,
    data_offsets: (u64, u64),
}

/// The tensors by name, each with its place, or what is wrong with the file.
pub fn open(path: &Path) -> Result<Vec<(String, RawArray)>, String> {
    let file = regular::open(path).map_err(|error| format!("can't be read: {error}"))?;
    let mut reader = BufReader::new(file);
    let mut length = [0; 8];
    reader.read_exact(&mut length).map_err(|_| "is not safetensors, or truncated")?;
    let length = u64::from_le_bytes(length);
    let mut header = Vec::new();
    reader.take(length.min(HEADER_LIMIT)).read_to_end(&mut header).map_err(|error| error.to_string())?;
    if header.len() as u64 != length {
        return Err("is not safetensors, or truncated".to_owned());
    }
    let mut header: BTreeMap<String, serde_json::Value> = serde_json::from_slice(&header)
        .map_err(|error| format!("has a header that is not safetensors': {error}"))?;
    header.remove("__metadata__");
    header.into_iter().map(|(name, tensor)| place(path, 8 + length, name, tensor)).collect()
}

fn place(
    path: &Path,
    start: u64,
    name: String,
    tensor: serde_json::Value,
) -> Result<(String, RawArray), String> {
    let of_tensor = |why: String| format!("tensor {name:?} {why}");
    let Tensor { dtype, shape, data_offsets: (from, to) } =
        serde_json::from_value(tensor).map_err(|error| of_tensor(format!("has no place: {error}")))?;
    let element = element(&dtype).ok_or_else(|| {
        of_tensor(format!("has elements of {dtype}, which no column can have; save it as F32, say"))
    })?;
    let offset = start.checked_add(from).ok_or_else(|| of_tensor("lies outside of the file".to_owned()))?;
    let array = RawArray::new(path.to_owned(), offset, element, false, &shape).map_err(of_tensor)?;
    if array.rows * array.row_bytes() != to.saturating_sub(from) {
        return Err(of_tensor(format!("has the shape {shape:?} but {} bytes", to.saturating_sub(from))));
    }
    Ok((name, array))
}

fn element(dtype: &str) -> Option<RawElement> {
    Some(match dtype {
        "F16" => RawElement::Float16,
        "BF16" => RawElement::BFloat16,
        "F32" => RawElement::Float32,
        "F64" => RawElement::Float64,
        "I8" => RawElement::Int8,
        "I16" => RawElement::Int16,
        "I32" => RawElement::Int32,
        "I64" => RawElement::Int64,
        "U8" => RawElement::Uint8,
        "U16" => RawElement::Uint16,
        "U32" => RawElement::Uint32,
        "U64" => RawElement::Uint64,
        "BOOL" => RawElement::Bool,
        _ => return None,
    })
}
