//! Rows picked from several columns of one type.

use crate::batch::{Column, Mark, Strings, Type, Values};

/// Whether all are of one type that rows are picked from: scalars, vectors or lists of either.
pub fn of_one_type(inputs: &[Type]) -> bool {
    let same = |one: &Type, other: &Type| {
        (one.element, one.width, one.list) == (other.element, other.width, other.list)
    };
    inputs.iter().all(|input| same(input, &inputs[0]))
}

/// Fills `out` with `count` values, each of the column whose position `choice` gives for its row; a single row is every
/// row's. Each column has at least one row where `count` is not 0.
pub fn pick(
    columns: &[&Column],
    lanes: usize,
    count: usize,
    choice: impl Fn(usize) -> usize,
    out: &mut Values,
) {
    if std::mem::discriminant(out) != std::mem::discriminant(&columns[0].values) {
        *out = columns[0].values.emptied();
    }
    match out {
        Values::Float64(out) => pick_slices(columns, Column::float64, lanes, count, choice, out),
        Values::Int64(out) => pick_slices(columns, Column::int64, lanes, count, choice, out),
        Values::Uint64(out) => pick_slices(columns, Column::uint64, lanes, count, choice, out),
        Values::Bool(out) => pick_slices(columns, Column::bool, lanes, count, choice, out),
        Values::String(out) => {
            let picked = (0..count).map(|row| {
                let column = columns[choice(row)];
                column.strings().get(row * step(column))
            });
            *out = Strings::copied(picked);
        }
        // These kernels get no compact forms.
        Values::OneHot(_) | Values::Float32(_) => {}
    }
}

fn pick_slices<T: Copy>(
    columns: &[&Column],
    slice: impl Fn(&Column) -> &[T],
    lanes: usize,
    count: usize,
    choice: impl Fn(usize) -> usize,
    out: &mut Vec<T>,
) {
    out.clear();
    let slices: Vec<(&[T], usize)> =
        columns.iter().map(|column| (slice(column), step(column) * lanes)).collect();
    for row in 0..count {
        let (values, step) = slices[choice(row)];
        out.extend_from_slice(&values[row * step..row * step + lanes]);
    }
}

/// Fills `out` with `count` whole lists: each row's of the column whose position `choice` gives, and marked as `mark`
/// says; a null one has no elements. Each column has a list for each row.
pub fn pick_lists(
    columns: &[&Column],
    lanes: usize,
    count: usize,
    choice: impl Fn(usize) -> usize,
    mark: impl Fn(usize) -> Mark,
    out: &mut Column,
) {
    let mut all = Column { values: columns[0].values.emptied(), marks: Vec::new(), list: None };
    let mut lists = Vec::with_capacity(columns.len());
    for column in columns {
        lists.push((column.list.as_ref(), all.marks.len()));
        all.append(column);
    }
    let mut positions: Vec<u32> = Vec::new();
    let rows = out.list_mut();
    for row in 0..count {
        let mark = mark(row);
        if let (Some(list), start) = lists[choice(row)]
            && !mark.is_null()
        {
            positions.extend(list.range(row).map(|at| (start + at) as u32));
        }
        rows.push(positions.len(), mark);
    }
    out.gather_values(&all, lanes, &positions);
}

/// The marks of rows: of lists as a whole where rows are lists.
pub fn row_marks(column: &Column, are_lists: bool) -> &[Mark] {
    match &column.list {
        Some(list) if are_lists => &list.marks,
        _ => &column.marks,
    }
}

/// Rows from one row's value to the next one's.
pub fn step(column: &Column) -> usize {
    usize::from(column.marks.len() != 1)
}
