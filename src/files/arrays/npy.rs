//! NumPy's `.npy`: a header in Python's notation, then the elements.

use std::{
    io::{BufReader, Read},
    path::Path,
};

use super::raw::{RawArray, RawElement};
use crate::files::regular;

const MAGIC: &[u8; 6] = b"\x93NUMPY";

/// The longest header that is read.
const HEADER_LIMIT: usize = 1 << 20;

/// Where the elements of a file lie, or why they can't be read.
pub fn open(path: &Path) -> Result<RawArray, String> {
    let file = regular::open(path).map_err(|error| format!("can't be read: {error}"))?;
    let (header, offset) = header(&mut BufReader::new(file)).ok_or("is not a .npy file, or truncated")?;
    let description = text_of(&header, "descr").ok_or_else(unreadable)?;
    let fortran = value_of(&header, "fortran_order").ok_or_else(unreadable)?.starts_with("True");
    let shape = shape_of(&header).ok_or_else(unreadable)?;
    if fortran && shape.len() > 1 {
        return Err("is stored by columns; save numpy.ascontiguousarray(array)".to_owned());
    }
    let (order, kind) = description.split_at_checked(1).ok_or_else(unreadable)?;
    let element = element(kind).ok_or_else(|| {
        format!(
            "has elements of {description:?}; those of numbers, bool, str and bytes are read, so save \
             array.astype(...) of one"
        )
    })?;
    RawArray::new(path.to_owned(), offset, element, order == ">", &shape)
}

fn unreadable() -> String {
    "has a header that is not NumPy's".to_owned()
}

/// The header's text, and where it ends.
fn header(file: &mut impl Read) -> Option<(String, u64)> {
    let mut start = [0; 8];
    file.read_exact(&mut start).ok()?;
    if &start[..6] != MAGIC {
        return None;
    }
    let (length, before) = if start[6] == 1 {
        let mut length = [0; 2];
        file.read_exact(&mut length).ok()?;
        (usize::from(u16::from_le_bytes(length)), 10)
    } else {
        let mut length = [0; 4];
        file.read_exact(&mut length).ok()?;
        (u32::from_le_bytes(length) as usize, 12)
    };
    let mut header = vec![0; (length <= HEADER_LIMIT).then_some(length)?];
    file.read_exact(&mut header).ok()?;
    Some((String::from_utf8(header).ok()?, (before + length) as u64))
}

/// What stands behind a key of the header.
fn value_of<'a>(header: &'a str, key: &str) -> Option<&'a str> {
    let (_, rest) = header.split_once(&format!("'{key}':"))?;
    Some(rest.trim_start())
}

fn text_of<'a>(header: &'a str, key: &str) -> Option<&'a str> {
    value_of(header, key)?.strip_prefix('\'')?.split('\'').next()
}

fn shape_of(header: &str) -> Option<Vec<u64>> {
    let (inside, _) = value_of(header, "shape")?.strip_prefix('(')?.split_once(')')?;
    let sizes = inside.split(',').map(str::trim).filter(|size| !size.is_empty());
    sizes.map(|size| size.parse().ok()).collect()
}

fn element(kind: &str) -> Option<RawElement> {
    Some(match kind {
        "f2" => RawElement::Float16,
        "f4" => RawElement::Float32,
        "f8" => RawElement::Float64,
        "i1" => RawElement::Int8,
        "i2" => RawElement::Int16,
        "i4" => RawElement::Int32,
        "i8" => RawElement::Int64,
        "u1" => RawElement::Uint8,
        "u2" => RawElement::Uint16,
        "u4" => RawElement::Uint32,
        "u8" => RawElement::Uint64,
        "b1" => RawElement::Bool,
        _ => {
            let (kind, length) = kind.split_at_checked(1)?;
            let length = length.parse().ok().filter(|length| (1..=1 << 20).contains(length))?;
            match kind {
                "S" => RawElement::Bytes(length),
                "U" => RawElement::Characters(length),
                _ => return None,
            }
        }
    })
}
