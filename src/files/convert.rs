//! Arrow arrays as columns.

mod compact;
mod scalars;

use std::ops::Range;

use arrow_array::{Array, cast::AsArray};
use arrow_schema::DataType;

use super::{Misfit, Target};
use crate::batch::{Column, ListRows, Mark, Values};
use scalars::scalars;

/// Takes the row of a value that can't be read without loss, and what is wrong with it.
pub type Report<'a> = &'a mut dyn FnMut(usize, &dyn Fn() -> Misfit);

/// An array of lists of any kind: where each list lies in the elements.
struct Lists<'a> {
    elements: &'a dyn Array,
    ranges: Vec<Range<usize>>,
    marks: Vec<Mark>,
}

/// The array as a column of the target's type. Values that are not exact are reported; they come rounded where the
/// target takes losses, else as nulls. An array of another type than the file's schema promised is an error.
pub fn column(array: &dyn Array, target: &Target, report: Report<'_>) -> Result<Column, String> {
    if *array.data_type() == DataType::Null {
        let mut column = Column::new(target.of);
        column.fill_null(target.of.lanes(), array.len(), Mark::NULL);
        return Ok(column);
    }
    match (target.of.width, target.of.list) {
        (Some(width), true) => vector_lists(&lists(array)?, width, target, report),
        (Some(width), false) => {
            let lists = lists(array)?;
            let compact = target.compact.then(|| compact::vectors(&lists, width)).flatten();
            compact.map_or_else(|| vectors(&lists, width, target, report), Ok)
        }
        (None, true) => list_column(&lists(array)?, target, report),
        (None, false) => scalars(array, target, report),
    }
}

fn list_column(lists: &Lists<'_>, target: &Target, report: Report<'_>) -> Result<Column, String> {
    let elements = lists.span();
    let mut report_row = |position: usize, misfit: &dyn Fn() -> Misfit| {
        // Elements of no list do not matter.
        if let Some(row) = lists.row_of(elements.start + position) {
            report(row, misfit);
        }
    };
    let flat = lists.elements.slice(elements.start, elements.len());
    let flat = scalars(&*flat, target, &mut report_row)?;
    lists.gathered(flat, 1)
}

/// Lists of lists of `width` elements as lists of vectors.
fn vector_lists(
    outer: &Lists<'_>,
    width: usize,
    target: &Target,
    report: Report<'_>,
) -> Result<Column, String> {
    let span = outer.span();
    let inner = outer.elements.slice(span.start, span.len());
    let mut report_row = |position: usize, misfit: &dyn Fn() -> Misfit| {
        if let Some(row) = outer.row_of(span.start + position) {
            report(row, misfit);
        }
    };
    let flat = vectors(&lists(&*inner)?, width, target, &mut report_row)?;
    outer.gathered(flat, width)
}

/// Lists of `width` elements as vectors. An empty list stands for a missing vector, as null does.
fn vectors(lists: &Lists<'_>, width: usize, target: &Target, report: Report<'_>) -> Result<Column, String> {
    let elements = lists.span();
    let flat = lists.elements.slice(elements.start, elements.len());
    let mut inexact: Vec<(usize, Misfit)> = Vec::new();
    let mut report_element = |position: usize, misfit: &dyn Fn() -> Misfit| {
        // One for each vector is enough.
        if let Some(row) = lists.row_of(elements.start + position)
            && inexact.last().is_none_or(|(last, _)| *last != row)
        {
            inexact.push((row, misfit()));
        }
    };
    let given_marks = scalars::marks(&*flat);
    let read = scalars(&*flat, target, &mut report_element)?;
    let values = read.float64();
    let any_null = read.marks.iter().any(|mark| mark.is_null());
    let mut out = vec![0.0; lists.ranges.len() * width];
    let mut marks = lists.marks.clone();
    for (row, range) in lists.ranges.iter().enumerate().filter(|(row, _)| !lists.marks[*row].is_null()) {
        let range = range.start - elements.start..range.end - elements.start;
        if range.is_empty() || range.len() != width {
            marks[row] = Mark::NULL;
            if !range.is_empty() {
                report(row, &|| null_instead(format!("a vector of {}, {width} are wanted", range.len())));
            }
        } else if any_null && read.marks[range.clone()].iter().any(|mark| mark.is_null()) {
            marks[row] = Mark::NULL;
            if given_marks[range].iter().any(|mark| mark.is_null()) {
                report(row, &|| null_instead("null inside a vector".to_owned()));
            }
        } else {
            out[row * width..(row + 1) * width].copy_from_slice(&values[range]);
        }
    }
    inexact.into_iter().for_each(|(row, misfit)| report(row, &|| misfit.clone()));
    Ok(Column { values: Values::Float64(out), marks, list: None })
}

fn null_instead(why: String) -> Misfit {
    Misfit { why, lossy: "makes it null".to_owned() }
}

impl Lists<'_> {
    /// Lists of the values of `flat`, which are those of the span, of `lanes` elements each.
    fn gathered(&self, flat: Column, lanes: usize) -> Result<Column, String> {
        let (mut offsets, start) = (vec![0], self.span().start);
        let mut positions = Vec::with_capacity(flat.marks.len());
        for range in &self.ranges {
            positions.extend(range.clone().map(|position| (position - start) as u32));
            offsets.push(u32::try_from(positions.len()).map_err(|_| "a batch has too many list elements")?);
        }
        let mut column = Column { values: flat.values.emptied(), marks: Vec::new(), list: None };
        column.gather(&flat, lanes, &positions);
        column.list = Some(ListRows { offsets, marks: self.marks.clone() });
        Ok(column)
    }

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
    let marks = scalars::marks(array);
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

fn wrong(array: &dyn Array) -> String {
    format!("a batch is {} where the file's schema says otherwise", array.data_type())
}
