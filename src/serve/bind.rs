//! Holding a request's columns against the inputs of a spec: names, types, lengths, offsets, nulls; every problem.

use super::request::{Request, RequestColumn};
use crate::{
    batch::{Column, ListRows, Mark, Values, time::TimeUnit},
    plan::{
        fetch::{InputColumn, Inputs},
        graph::nan_is_null,
    },
    problem::{Problems, listed, quoted},
    snapshot::FeatureSet,
    spec::{Input, InputType, Scope, Spec},
};

/// The number of rows that a request states, or else its first row-scope column has; 1 where there is neither.
pub fn row_count(feature_set: &FeatureSet, request: &Request) -> usize {
    let inputs = &feature_set.spec().inputs;
    let is_row = |(place, column): &(usize, &RequestColumn)| {
        let position = position_of(feature_set, &column.name, *place);
        position.is_some_and(|position| inputs[position].scope == Scope::Row)
    };
    match request.rows {
        Some(rows) => rows as usize,
        None => request.columns.iter().enumerate().find(is_row).map_or(1, |(_, column)| rows_of(column)),
    }
}

/// Makes the inputs of a plan from a request's columns, for `rows` rows. Don't use them where there are problems.
pub fn bind(feature_set: &FeatureSet, request: Request, rows: usize, problems: &mut Problems) -> Inputs {
    let spec = feature_set.spec();
    let mut bound: Vec<Option<InputColumn>> = spec.inputs.iter().map(|_| None).collect();
    let mut sent = vec![false; spec.inputs.len()];
    let (now, mut names_told) = (request.now, false);
    for (place, column) in request.columns.into_iter().enumerate() {
        let Some(position) = position_of(feature_set, &column.name, place) else {
            let known =
                if std::mem::replace(&mut names_told, true) { String::new() } else { known_inputs(spec) };
            let message = format!("there is no input {}{known}", quoted(&column.name));
            problems.add(format!("columns[{place}].name"), message);
            continue;
        };
        if std::mem::replace(&mut sent[position], true) {
            problems.add(format!("columns[{place}].name"), format!("{:?} is there twice", column.name));
            continue;
        }
        let input = &spec.inputs[position];
        let mut found = Problems::of_request();
        bound[position] = bind_column(input, column, rows, &mut found);
        if let (Some(bound), true) = (&mut bound[position], nan_is_null(spec, position)) {
            bound.column.null_nans();
        }
        if !found.is_empty() {
            problems.add_below(&format!("columns[{place}]"), found);
        }
    }
    for (input, _) in spec.inputs.iter().zip(&sent).filter(|(input, sent)| input.required && !**sent) {
        let (name, dtype) = (&input.name, input.dtype);
        problems.add("columns", format!("input {name:?} ({dtype}) is required and missing"));
    }
    if !problems.is_empty() {
        // Columns of nulls can be many times as large as the request.
        return Inputs::default();
    }
    let columns = spec.inputs.iter().zip(bound);
    let columns = columns.map(|(input, bound)| bound.unwrap_or_else(|| absent(input, rows))).collect();
    Inputs { columns, rows, now: Some(now) }
}

/// The position of an input; most requests send them in the spec's order, where `place` is it.
fn position_of(feature_set: &FeatureSet, name: &str, place: usize) -> Option<usize> {
    match feature_set.spec().inputs.get(place) {
        Some(input) if input.name == name => Some(place),
        _ => feature_set.input(name),
    }
}

fn known_inputs(spec: &Spec) -> String {
    format!("; the inputs are: {}", listed(spec.inputs.iter().map(|input| input.name.as_str())))
}

/// An input that was not sent: all null.
fn absent(input: &Input, rows: usize) -> InputColumn {
    let rows = if input.scope == Scope::Request { 1 } else { rows };
    let mut column = Column::new(input.column_type());
    column.fill_null(1, rows, Mark::NULL);
    InputColumn { column, indices: None }
}

/// The rows of a column as it was sent.
fn rows_of(column: &RequestColumn) -> usize {
    match &column.offsets {
        Some(offsets) => offsets.len().saturating_sub(1),
        None => elements_of(column),
    }
}

/// The elements of a column as it was sent: one for each row, or all lists' elements.
pub fn elements_of(column: &RequestColumn) -> usize {
    match (&column.indices, &column.values) {
        (Some(indices), _) => indices.len(),
        (None, Values::Float64(values)) => values.len(),
        (None, Values::Int64(values)) => values.len(),
        (None, Values::Uint64(values)) => values.len(),
        (None, Values::Bool(values)) => values.len(),
        (None, Values::String(values)) => values.len(),
        (None, Values::OneHot(slots)) => slots.len(),
        (None, Values::Sparse(vectors)) => vectors.len(),
        (None, Values::Float32(values)) => values.len(),
    }
}

fn bind_column(
    input: &Input,
    column: RequestColumn,
    rows: usize,
    problems: &mut Problems,
) -> Option<InputColumn> {
    check_type(input, &column, problems);
    let expected = if input.scope == Scope::Request { 1 } else { rows };
    let (elements, found) = (elements_of(&column), rows_of(&column));
    if found != expected {
        problems.add("", wrong_length(input, found, expected));
    }
    if let Some(offsets) = &column.offsets {
        check_offsets(offsets, elements, problems);
    }
    check_positions("nulls", &column.nulls, found, problems);
    if column.offsets.is_some() {
        check_positions("null_elements", &column.null_elements, elements, problems);
    } else if !column.null_elements.is_empty() {
        problems.add("null_elements", "is for list columns only");
    }
    check_indices(&column, problems);
    problems.is_empty().then(|| checked_column(column))
}

fn check_type(input: &Input, column: &RequestColumn, problems: &mut Problems) {
    let (name, dtype) = (&input.name, input.dtype);
    let carrier = dtype.scalar.carrier();
    let sent = InputType { scalar: column.scalar, list: column.offsets.is_some() };
    if sent != (InputType { scalar: carrier, ..dtype }) {
        let carried = if carrier == dtype.scalar { "" } else { ", sent as int64" };
        return problems.add("", format!("is {sent}; input {name:?} is {dtype}{carried}"));
    }
    match (column.time_unit, dtype.scalar.time_unit()) {
        (sent, expected) if sent == expected => {}
        (Some(sent), None) => {
            let message = format!("is {}; input {name:?} is {dtype}, which is not a time", sent.name());
            problems.add("time_unit", message);
        }
        (Some(sent), Some(expected)) => {
            let (sent, expected) = (sent.name(), expected.name());
            problems
                .add("time_unit", format!("is {sent}; input {name:?} is {dtype}, which counts {expected}"));
        }
        (None, expected) => {
            let expected = expected.map_or("", TimeUnit::name);
            let message = format!("is missing; input {name:?} is {dtype}, which counts {expected}");
            problems.add("time_unit", message);
        }
    }
}

fn wrong_length(input: &Input, found: usize, expected: usize) -> String {
    let name = &input.name;
    match input.scope {
        Scope::Request => format!("input {name:?} has {found} values; it is request-scope and has one"),
        Scope::Row => format!("input {name:?} has {found} rows; the request has {expected}"),
    }
}

/// Notes offsets that do not begin with 0, fall, or do not end with the number of elements.
pub fn check_offsets(offsets: &[u32], elements: usize, problems: &mut Problems) {
    let field = "list.offsets";
    let Some(&last) = offsets.last() else {
        return problems.add(field, "is empty; it has one entry more than there are rows, the first 0");
    };
    if offsets[0] != 0 {
        problems.add(format!("{field}[0]"), format!("is {}, must be 0", offsets[0]));
    }
    if let Some(fall) = offsets.windows(2).position(|pair| pair[0] > pair[1]) {
        let (before, after) = (offsets[fall], offsets[fall + 1]);
        problems
            .add(format!("{field}[{}]", fall + 1), format!("is {after}, after {before}: offsets never fall"));
    }
    if last as usize != elements {
        let place = format!("{field}[{}]", offsets.len() - 1);
        problems.add(place, format!("is {last}, must be the number of elements, {elements}"));
    }
}

/// Notes positions of nulls that do not increase, or lie outside of the column.
pub fn check_positions(field: &str, positions: &[u32], count: usize, problems: &mut Problems) {
    if let Some(fall) = positions.windows(2).position(|pair| pair[0] >= pair[1]) {
        let message = format!("is {}, after {}: positions increase", positions[fall + 1], positions[fall]);
        problems.add(format!("{field}[{}]", fall + 1), message);
    }
    if let Some(outside) = positions.iter().position(|&position| position as usize >= count) {
        let message = format!("is {}; the column has {count}", positions[outside]);
        problems.add(format!("{field}[{outside}]"), message);
    }
}

/// Notes the first index that is outside of its dictionary.
pub fn check_indices(column: &RequestColumn, problems: &mut Problems) {
    let Some(indices) = &column.indices else { return };
    let size = match &column.values {
        Values::String(values) => values.len(),
        _ => 0,
    };
    if indices.iter().max().is_none_or(|&greatest| (greatest as usize) < size) {
        return;
    }
    if let Some(outside) = indices.iter().position(|&index| index as usize >= size) {
        let message = format!("is {}; the dictionary has {size} values", indices[outside]);
        problems.add(format!("dictionary.indices[{outside}]"), message);
    }
}

/// The column of a plan's input from one that was checked.
fn checked_column(sent: RequestColumn) -> InputColumn {
    let elements = elements_of(&sent);
    let mut marks = vec![Mark::PRESENT; elements];
    let Some(offsets) = sent.offsets else {
        mark_nulls(&mut marks, &sent.nulls);
        return match sent.indices {
            Some(indices) => dictionary(sent.values, indices, &sent.nulls),
            None => InputColumn { column: Column { values: sent.values, marks, list: None }, indices: None },
        };
    };
    mark_nulls(&mut marks, &sent.null_elements);
    let mut row_marks = vec![Mark::PRESENT; offsets.len() - 1];
    mark_nulls(&mut row_marks, &sent.nulls);
    let values = sent.values.of_dictionary(sent.indices.as_deref());
    let list = ListRows { offsets, marks: row_marks };
    InputColumn { column: Column { values, marks, list: Some(list) }, indices: None }
}

fn mark_nulls(marks: &mut [Mark], nulls: &[u32]) {
    for &null in nulls {
        marks[null as usize] = Mark::NULL;
    }
}

/// The distinct values with a null after them, which null rows point to.
fn dictionary(values: Values, mut indices: Vec<u32>, nulls: &[u32]) -> InputColumn {
    let Values::String(strings) = values else {
        return InputColumn { column: Column { values, marks: Vec::new(), list: None }, indices: None };
    };
    let count = strings.len();
    let mut marks = vec![Mark::PRESENT; count];
    let strings = if nulls.is_empty() { strings } else { strings.with_empty() };
    marks.resize(strings.len(), Mark::NULL);
    for &null in nulls {
        indices[null as usize] = count as u32;
    }
    InputColumn {
        column: Column { values: Values::String(strings), marks, list: None },
        indices: Some(indices),
    }
}
