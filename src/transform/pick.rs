//! Rows picked from several columns of one type.

use crate::batch::{Column, Mark, Strings, Type, Values};

/// Whether all are of one type that rows are picked from: scalars, vectors or lists of either.
pub fn of_one_type(inputs: &[Type]) -> bool {
    let same = |one: &Type, other: &Type| {
        (one.element, one.width, one.list) == (other.element, other.width, other.list)
    };
    inputs.iter().all(|input| same(input, &inputs[0]))
}

/// Picks values, or whole lists, from columns of one type.
#[derive(Debug)]
pub struct Picker {
    pub lanes: usize,
    /// Whether the rows are lists.
    pub lists: bool,
}

impl Picker {
    /// Picks from columns of this type.
    pub fn of(columns: Type) -> Self {
        Self { lanes: columns.lanes(), lists: columns.list }
    }

    /// The mark of a row, of its list as a whole where rows are lists; a single row is every row's.
    pub fn mark(&self, column: &Column, row: usize) -> Mark {
        let marks = self.row_marks(column);
        marks[row * usize::from(marks.len() != 1)]
    }

    /// Fills `out` with a row for each of the `inputs`: that of the column whose position `choice` gives, marked as
    /// `mark` says. Each column has at least one row where there are any, and a list for each row.
    pub fn pick(
        &self,
        inputs: &[&Column],
        columns: &[&Column],
        choice: impl Fn(usize) -> usize,
        mark: impl Fn(usize) -> Mark,
        out: &mut Column,
    ) {
        let rows = self.rows(inputs);
        if self.lists {
            pick_lists(columns, self.lanes, rows, choice, mark, out);
        } else {
            pick_values(columns, self.lanes, rows, choice, &mut out.values);
            out.marks.clear();
            out.marks.extend((0..rows).map(mark));
        }
    }

    /// How many rows inputs have of which single rows are every row's.
    pub fn rows(&self, inputs: &[&Column]) -> usize {
        inputs.iter().map(|input| self.row_marks(input).len()).find(|&rows| rows != 1).unwrap_or(1)
    }

    fn row_marks<'a>(&self, column: &'a Column) -> &'a [Mark] {
        match &column.list {
            Some(list) if self.lists => &list.marks,
            _ => &column.marks,
        }
    }
}

fn pick_values(
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
        Values::Float32(out) => pick_slices(columns, Column::float32, lanes, count, choice, out),
        // These kernels get no compact forms.
        Values::OneHot(_) | Values::Sparse(_) => {}
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

/// A null list has no elements.
fn pick_lists(
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

/// Rows from one row's value to the next one's.
pub fn step(column: &Column) -> usize {
    usize::from(column.marks.len() != 1)
}
