//! Keys that lie beside an array: in an array of their own, in a text of one line for each, or the rows' numbers.

use std::{path::Path, sync::Arc};

use arrow_array::{ArrayRef, Int64Array, LargeStringArray};

use super::{Content, NamedArray};
use crate::files::read_text;

/// The column `name` of keys for `rows` rows. `row-number` counts from 0; a `.npy` holds them; any other file is text.
pub fn ids(name: &str, source: &str, rows: u64) -> Result<NamedArray, String> {
    let path = Path::new(source);
    let held = |array: ArrayRef| NamedArray { name: name.to_owned(), content: Content::Held(array) };
    if source == "row-number" {
        let last = i64::try_from(rows).map_err(|_| "too many rows")?;
        return Ok(held(Arc::new(Int64Array::from_iter_values(0..last))));
    }
    if path.extension().is_some_and(|ending| ending == "npy") {
        let mut arrays = super::open(path)?;
        let array = arrays.pop().ok_or("has no array")?;
        return Ok(NamedArray { name: name.to_owned(), ..array });
    }
    let text = read_text(path)?;
    let lines: Vec<&str> = text.lines().collect();
    // Numbers as they are written back: leading zeros make a text.
    let number = |line: &&str| line.parse::<i64>().ok().filter(|number| number.to_string() == **line);
    Ok(held(match lines.iter().map(number).collect::<Option<Vec<i64>>>() {
        Some(numbers) => Arc::new(Int64Array::from(numbers)),
        None => Arc::new(LargeStringArray::from(lines)),
    }))
}
