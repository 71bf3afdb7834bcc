//! Arrow arrays as columns.

use std::ops::Range;

use arrow_array::{
    Array, ArrowPrimitiveType,
    cast::AsArray,
    types::{
        Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type,
        UInt16Type, UInt32Type, UInt64Type,
    },
};
use arrow_schema::DataType;

use super::Target;
use crate::batch::{Column, Element, ListRows, Mark, Strings, Values};

/// Is told the position of a value that can't be read, and why.
type Refuse<'a> = &'a mut dyn FnMut(usize, String);

/// An array of lists of any kind: where each list lies in the elements.
struct Lists<'a> {
    elements: &'a dyn Array,
    ranges: Vec<Range<usize>>,
    marks: Vec<Mark>,
}

/// The array as a column of the target's type. Rows that do not fit are told and come as nulls; an array of another
/// type than the file's schema promised is an error.
pub fn column(array: &dyn Array, target: &Target, refuse: Refuse<'_>) -> Result<Column, String> {
    let element = target.of.element;
    match (target.of.width, target.of.list) {
        (Some(width), _) => vectors(&lists(array)?, width, refuse),
        (None, true) => list_column(&lists(array)?, element, refuse),
        (None, false) => scalars(array, element, refuse),
    }
}

fn scalars(array: &dyn Array, element: Element, refuse: Refuse<'_>) -> Result<Column, String> {
    let marks = marks(array);
    let mut refuse_present = |position: usize, why| {
        if !marks[position].is_null() {
            refuse(position, format!("{why} {}", element.name()));
        }
    };
    let values = match element {
        Element::Float64 => Values::Float64(floats(array)?),
        Element::Int64 => Values::Int64(integers(array, &mut refuse_present)?),
        Element::Uint64 => Values::Uint64(integers(array, &mut refuse_present)?),
        Element::Bool => {
            Values::Bool(array.as_boolean_opt().ok_or_else(|| wrong(array))?.values().iter().collect())
        }
        Element::String => Values::String(strings(array)?),
    };
    Ok(Column { values, marks, list: None })
}

fn list_column(lists: &Lists<'_>, element: Element, refuse: Refuse<'_>) -> Result<Column, String> {
    let elements = lists.span();
    let mut refuse_row = |position: usize, why| {
        // Elements of no list do not matter.
        if let Some(row) = lists.row_of(elements.start + position) {
            refuse(row, why);
        }
    };
    let flat = lists.elements.slice(elements.start, elements.len());
    let flat = scalars(&*flat, element, &mut refuse_row)?;
    let mut offsets = vec![0];
    let mut positions = Vec::with_capacity(elements.len());
    for range in &lists.ranges {
        positions.extend(range.clone().map(|position| (position - elements.start) as u32));
        offsets.push(u32::try_from(positions.len()).map_err(|_| "a batch has too many list elements")?);
    }
    let mut column = Column { values: flat.values.clone(), marks: Vec::new(), list: None };
    column.gather(&flat, 1, &positions);
    column.list = Some(ListRows { offsets, marks: lists.marks.clone() });
    Ok(column)
}

fn vectors(lists: &Lists<'_>, width: usize, refuse: Refuse<'_>) -> Result<Column, String> {
    let elements = lists.span();
    let flat = lists.elements.slice(elements.start, elements.len());
    let (values, element_marks) = (floats(&*flat)?, marks(&*flat));
    let any_null = element_marks.iter().any(|mark| mark.is_null());
    let mut out = vec![0.0; lists.ranges.len() * width];
    let mut marks = lists.marks.clone();
    for (row, range) in lists.ranges.iter().enumerate().filter(|(row, _)| !lists.marks[*row].is_null()) {
        let range = range.start - elements.start..range.end - elements.start;
        if range.len() != width {
            refuse(row, format!("a vector of {}, {width} are wanted", range.len()));
            marks[row] = Mark::NULL;
        } else if any_null && element_marks[range.clone()].iter().any(|mark| mark.is_null()) {
            refuse(row, "null inside a vector".to_owned());
            marks[row] = Mark::NULL;
        } else {
            out[row * width..(row + 1) * width].copy_from_slice(&values[range]);
        }
    }
    Ok(Column { values: Values::Float64(out), marks, list: None })
}

impl Lists<'_> {
    /// The row whose list element `position` is in; lists begin in the order of rows.
    fn row_of(&self, position: usize) -> Option<usize> {
        let row = self.ranges.partition_point(|range| range.start <= position).checked_sub(1)?;
        self.ranges[row].contains(&position).then_some(row)
    }

    /// The elements that lists lie in.
    fn span(&self) -> Range<usize> {
        let kept = || self.ranges.iter().filter(|range| !range.is_empty());
        let start = kept().map(|range| range.start).min().unwrap_or(0);
        start..kept().map(|range| range.end).max().unwrap_or(start)
    }
}

/// Null lists come as empty ones, whatever lies under them.
fn lists(array: &dyn Array) -> Result<Lists<'_>, String> {
    let marks = marks(array);
    let range =
        |row: usize, start: usize, end: usize| if marks[row].is_null() { start..start } else { start..end };
    let (elements, ranges): (_, Vec<_>) = if let Some(list) = array.as_list_opt::<i32>() {
        let pairs = list.value_offsets().windows(2).enumerate();
        (list.values(), pairs.map(|(row, pair)| range(row, pair[0] as usize, pair[1] as usize)).collect())
    } else if let Some(list) = array.as_list_opt::<i64>() {
        let pairs = list.value_offsets().windows(2).enumerate();
        (list.values(), pairs.map(|(row, pair)| range(row, pair[0] as usize, pair[1] as usize)).collect())
    } else if let Some(list) = array.as_fixed_size_list_opt() {
        let size = list.value_length() as usize;
        (list.values(), (0..list.len()).map(|row| range(row, row * size, (row + 1) * size)).collect())
    } else {
        return Err(wrong(array));
    };
    Ok(Lists { elements: &**elements, ranges, marks })
}

fn marks(array: &dyn Array) -> Vec<Mark> {
    match array.logical_nulls() {
        None => vec![Mark::PRESENT; array.len()],
        Some(nulls) => nulls.iter().map(|present| if present { Mark::PRESENT } else { Mark::NULL }).collect(),
    }
}

fn floats(array: &dyn Array) -> Result<Vec<f64>, String> {
    Ok(match array.data_type() {
        DataType::Float16 => mapped::<Float16Type, _>(array, f64::from),
        DataType::Float32 => mapped::<Float32Type, _>(array, f64::from),
        DataType::Float64 => mapped::<Float64Type, _>(array, f64::from),
        DataType::Int8 => mapped::<Int8Type, _>(array, f64::from),
        DataType::Int16 => mapped::<Int16Type, _>(array, f64::from),
        DataType::Int32 => mapped::<Int32Type, _>(array, f64::from),
        DataType::UInt8 => mapped::<UInt8Type, _>(array, f64::from),
        DataType::UInt16 => mapped::<UInt16Type, _>(array, f64::from),
        DataType::UInt32 => mapped::<UInt32Type, _>(array, f64::from),
        _ => return Err(wrong(array)),
    })
}

fn mapped<T: ArrowPrimitiveType, U>(array: &dyn Array, map: impl Fn(T::Native) -> U) -> Vec<U> {
    array.as_primitive::<T>().values().iter().map(|&value| map(value)).collect()
}

fn integers<T: TryFrom<i128> + Default>(array: &dyn Array, refuse: Refuse<'_>) -> Result<Vec<T>, String> {
    Ok(match array.data_type() {
        DataType::Int8 => narrowed::<Int8Type, _>(array, refuse),
        DataType::Int16 => narrowed::<Int16Type, _>(array, refuse),
        DataType::Int32 => narrowed::<Int32Type, _>(array, refuse),
        DataType::Int64 => narrowed::<Int64Type, _>(array, refuse),
        DataType::UInt8 => narrowed::<UInt8Type, _>(array, refuse),
        DataType::UInt16 => narrowed::<UInt16Type, _>(array, refuse),
        DataType::UInt32 => narrowed::<UInt32Type, _>(array, refuse),
        DataType::UInt64 => narrowed::<UInt64Type, _>(array, refuse),
        _ => return Err(wrong(array)),
    })
}

fn narrowed<T: ArrowPrimitiveType<Native: Into<i128>>, U: TryFrom<i128> + Default>(
    array: &dyn Array,
    refuse: Refuse<'_>,
) -> Vec<U> {
    let values = array.as_primitive::<T>().values().iter().enumerate();
    let narrow = |(position, &value): (usize, &T::Native)| {
        let wide: i128 = value.into();
        U::try_from(wide).unwrap_or_else(|_| {
            refuse(position, format!("{wide} does not fit into"));
            U::default()
        })
    };
    values.map(narrow).collect()
}

fn strings(array: &dyn Array) -> Result<Strings, String> {
    if let Some(dictionary) = array.as_any_dictionary_opt() {
        return dictionary_strings(dictionary);
    }
    match array.data_type() {
        DataType::Utf8 => packed(array.as_string::<i32>().iter()),
        DataType::LargeUtf8 => packed(array.as_string::<i64>().iter()),
        DataType::Utf8View => packed(array.as_string_view().iter()),
        _ => Err(wrong(array)),
    }
}

fn dictionary_strings(dictionary: &dyn arrow_array::array::AnyDictionaryArray) -> Result<Strings, String> {
    let mut out = Strings::from_values(std::iter::once(""));
    if dictionary.values().is_empty() {
        out.gather(&out.clone(), (0..dictionary.len()).map(|_| 0));
        return Ok(out);
    }
    let distinct = strings(dictionary.values())?;
    out.gather(&distinct, dictionary.normalized_keys().into_iter());
    Ok(out)
}

fn packed<'a>(values: impl Iterator<Item = Option<&'a str>> + Clone) -> Result<Strings, String> {
    let values = values.map(Option::unwrap_or_default);
    let bytes: usize = values.clone().map(str::len).sum();
    if u32::try_from(bytes).is_err() {
        return Err("more than 4 GiB of text in one batch".to_owned());
    }
    Ok(Strings::from_values(values))
}

fn wrong(array: &dyn Array) -> String {
    format!("a batch is {} where the file's schema says otherwise", array.data_type())
}
