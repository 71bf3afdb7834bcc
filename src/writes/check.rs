//! Holding what a client sent against a table's schema: every problem with its place.

use std::collections::BTreeSet;

use super::sent::{Kind, Sent, SentTimes};
use crate::{
    batch::{
        Column, Element, ListRows, Mark, Type, Values,
        time::{Time, TimeUnit},
    },
    problem::{Problems, listed, quoted},
    serve::{bind, request::RequestColumn},
    spec::ScalarType,
    table::{Change, EventTime, TableSchema, Write, Written, event_time_unit},
};

/// Elements that a list keeps where an append says nothing else.
const CAP: usize = 10_000;

/// Keys are shorter than this.
const KEY_BYTES: u32 = 1 << 24;

/// What rows are written with, besides what was sent.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    pub now: i64,
    /// How far beyond it event times may lie, in nanoseconds.
    pub most_ahead: i64,
}

/// Makes a write of what was sent, or returns everything that is wrong with it.
pub fn check(schema: &TableSchema, sent: Sent, clock: Clock) -> Result<Write, Problems> {
    let mut problems = Problems::of_request();
    let Sent { kind, columns: sent_columns, event_times } = sent;
    let rows = sent_columns.first().map_or(0, |column| rows_of(schema, column));
    let mut keys: Vec<Option<Column>> = schema.key.iter().map(|_| None).collect();
    let mut written = Vec::new();
    let mut seen = BTreeSet::new();
    for (place, column) in sent_columns.into_iter().enumerate() {
        let field = kind.columns_field();
        let mut found = Problems::of_request();
        let Some(target) = Target::find(schema, &column.name) else {
            problems.add(format!("{field}[{place}].name"), unknown(schema, &column.name));
            continue;
        };
        if !seen.insert(column.name.clone()) {
            problems.add(format!("{field}[{place}].name"), format!("{:?} is there twice", column.name));
            continue;
        }
        let values = target.check(schema, kind, column, rows, &mut found);
        problems.add_below(&format!("{field}[{place}]"), found);
        match (target, values) {
            (Target::Key(position), Some(values)) => keys[position] = Some(values),
            (Target::Value(column), Some(values)) => written.push(Written { column, values }),
            (_, None) => {}
        }
    }
    let missing = schema.key.iter().filter(|key| !seen.contains(&key.name));
    for key in missing {
        problems.add(kind.columns_field(), format!("key column {:?} is missing", key.name));
    }
    if matches!(kind, Kind::Append { .. }) && !schema.columns.iter().any(|column| seen.contains(&column.name))
    {
        problems.add("columns", "no list column is there to append to");
    }
    let own = written_times(schema, &written);
    let event_times = times(event_times, own, rows, clock, &mut problems);
    problems.or(())?;
    // What may be left out is no part of the key: all of it is there.
    let keys: Vec<Column> = keys.into_iter().flatten().collect();
    if kind == Kind::Upsert {
        stamp(schema, &mut written, &event_times);
    }
    written.sort_by_key(|written| written.column);
    let change = match kind {
        Kind::Upsert => Change::Upsert(written),
        Kind::Delete => Change::Delete,
        Kind::Append { cap: 0 } => Change::Append { lists: written, cap: CAP },
        Kind::Append { cap } => Change::Append { lists: written, cap: cap as usize },
    };
    Ok(Write { change, keys, event_times })
}

/// A column of the table.
#[derive(Debug, Clone, Copy)]
enum Target {
    Key(usize),
    Value(usize),
}

impl Target {
    fn find(schema: &TableSchema, name: &str) -> Option<Self> {
        let key = schema.key.iter().position(|key| key.name == name).map(Self::Key);
        key.or_else(|| schema.column(name).map(Self::Value))
    }

    fn of(self, schema: &TableSchema) -> Type {
        match self {
            Self::Key(position) => Type::scalar(schema.key[position].element),
            Self::Value(position) => schema.columns[position].of,
        }
    }

    /// The column's values for `rows` rows, if nothing is wrong with them.
    fn check(
        self,
        schema: &TableSchema,
        kind: Kind,
        column: RequestColumn,
        rows: usize,
        problems: &mut Problems,
    ) -> Option<Column> {
        let of = self.of(schema);
        match (self, kind) {
            (Self::Value(_), Kind::Delete) => problems.add("name", "is not a column of the key"),
            (Self::Value(_), Kind::Append { .. }) if !of.list => {
                problems.add("", format!("{:?} is {of}; elements are appended to lists", column.name));
            }
            _ => {}
        }
        check_type(of, &column, problems);
        if !problems.is_empty() {
            return None;
        }
        let name = column.name.clone();
        let values = values(of, column, rows, problems)?;
        match self {
            Self::Key(_) => check_keys(&values, problems),
            Self::Value(position) => schema.columns[position].check(&values, &mut |row, why| {
                problems.add("", format!("{name:?}, row {row}: {why}"));
            }),
        }
        problems.is_empty().then_some(values)
    }
}

fn unknown(schema: &TableSchema, name: &str) -> String {
    let names =
        schema.key.iter().map(|key| &key.name).chain(schema.columns.iter().map(|column| &column.name));
    format!(
        "table {:?} has no column {}; its columns are: {}",
        schema.name,
        quoted(name),
        listed(names.map(String::as_str))
    )
}

/// The rows of a column as it was sent.
fn rows_of(schema: &TableSchema, column: &RequestColumn) -> usize {
    let lanes = Target::find(schema, &column.name).map_or(1, |target| target.of(schema).lanes());
    match &column.offsets {
        Some(offsets) => offsets.len().saturating_sub(1),
        None => bind::elements_of(column) / lanes,
    }
}

fn check_type(of: Type, column: &RequestColumn, problems: &mut Problems) {
    let fits = match of.element {
        Element::Float64 => matches!(column.scalar, ScalarType::Float32 | ScalarType::Float64),
        Element::Int64 | Element::Time(_) => column.scalar == ScalarType::Int64,
        Element::Uint64 => column.scalar == ScalarType::Uint64,
        Element::Bool => column.scalar == ScalarType::Bool,
        Element::String => column.scalar == ScalarType::String,
    };
    if !fits || column.offsets.is_some() != of.list {
        let list = if column.offsets.is_some() { "a list of " } else { "" };
        let carried = if matches!(of.element, Element::Time(_)) { ", sent as int64" } else { "" };
        return problems
            .add("", format!("{:?} is {list}{}; the table's is {of}{carried}", column.name, column.scalar));
    }
    let expected = match of.element {
        Element::Time(time) => Some(time.unit()),
        _ => None,
    };
    if column.time_unit != expected {
        let name = |unit: Option<TimeUnit>| unit.map_or("missing", TimeUnit::name);
        let wanted = expected.map_or("none, as it is no time".to_owned(), |unit| unit.name().to_owned());
        problems.add("time_unit", format!("is {}; {:?} takes {wanted}", name(column.time_unit), column.name));
    }
}

/// The values of a column whose type is right.
fn values(of: Type, sent: RequestColumn, rows: usize, problems: &mut Problems) -> Option<Column> {
    let (elements, lanes) = (bind::elements_of(&sent), of.lanes());
    let found = sent.offsets.as_ref().map_or(elements / lanes, |offsets| offsets.len().saturating_sub(1));
    if elements % lanes != 0 {
        let name = &sent.name;
        problems.add("", format!("{name:?} has {elements} numbers; vectors have {lanes} each"));
    } else if found != rows {
        problems.add("", format!("{:?} has {found} rows; the first column has {rows}", sent.name));
    }
    if let Some(offsets) = &sent.offsets {
        bind::check_offsets(offsets, elements / lanes, problems);
        bind::check_positions("null_elements", &sent.null_elements, elements / lanes, problems);
    } else if !sent.null_elements.is_empty() {
        problems.add("null_elements", "is for list columns only");
    }
    bind::check_positions("nulls", &sent.nulls, found, problems);
    bind::check_indices(&sent, problems);
    if !problems.is_empty() {
        return None;
    }
    let marks = |count: usize, nulls: &[u32]| {
        let mut marks = vec![Mark::PRESENT; count];
        nulls.iter().for_each(|&null| marks[null as usize] = Mark::NULL);
        marks
    };
    let list = sent.offsets.map(|offsets| {
        let marks = marks(rows, &sent.nulls);
        ListRows { offsets, marks }
    });
    let nulls = if list.is_some() { &sent.null_elements } else { &sent.nulls };
    let marks = marks(elements / lanes, nulls);
    let values = sent.values.of_dictionary(sent.indices.as_deref());
    Some(Column { values, marks, list })
}

fn check_keys(keys: &Column, problems: &mut Problems) {
    for (row, _) in keys.marks.iter().enumerate().filter(|(_, mark)| mark.is_null()) {
        problems.add("nulls", format!("row {row} has no key"));
    }
    if let Values::String(strings) = &keys.values {
        for (row, _) in strings.spans().iter().enumerate().filter(|(_, span)| span.length >= KEY_BYTES) {
            problems.add("", format!("row {row}: a key's string must be shorter than 16 MiB"));
        }
    }
}

/// Event times that rows bring in the table's own column for them.
fn written_times(schema: &TableSchema, written: &[Written]) -> Option<Vec<Option<i64>>> {
    let Some(EventTime::Column(position)) = schema.event_time else { return None };
    let unit = event_time_unit(schema.columns[position].of)?.nanoseconds();
    let Written { values, .. } = written.iter().find(|written| written.column == position)?;
    let Values::Int64(times) = &values.values else { return None };
    let time = |(time, mark): (&i64, &Mark)| (!mark.is_null()).then(|| time.saturating_mul(unit));
    Some(times.iter().zip(&values.marks).map(time).collect())
}

/// One event time for each row: as sent, or as the rows bring them, or now.
fn times(
    sent: Option<SentTimes>,
    own: Option<Vec<Option<i64>>>,
    rows: usize,
    clock: Clock,
    problems: &mut Problems,
) -> Vec<i64> {
    let times = match (sent, own) {
        (Some(sent), _) => sent_times(sent, rows, problems),
        (None, Some(own)) => own.into_iter().map(|time| time.unwrap_or(clock.now)).collect(),
        (None, None) => return vec![clock.now; rows],
    };
    let latest = clock.now.saturating_add(clock.most_ahead);
    for (row, &time) in times.iter().enumerate().filter(|(_, time)| **time > latest) {
        let text = |time: i64| Time::Timestamp(TimeUnit::Nanoseconds).text(time);
        let message =
            format!("is {}, in the future: the server's clock says {}", text(time), text(clock.now));
        problems.add(format!("event_times.values[{row}]"), message);
    }
    if let ([single], true) = (&times[..], rows != 1) { vec![*single; rows] } else { times }
}

fn sent_times(sent: SentTimes, rows: usize, problems: &mut Problems) -> Vec<i64> {
    let count = sent.values.len();
    if count != 1 && count != rows {
        problems
            .add("event_times.values", format!("are {count}; must be one, or one for each of {rows} rows"));
    }
    let unit = match sent.unit {
        Some(unit) if unit != TimeUnit::Days => unit.nanoseconds(),
        _ => {
            problems.add("event_times.unit", "must be seconds, milliseconds, microseconds or nanoseconds");
            return Vec::new();
        }
    };
    let mut time = |(row, &value): (usize, &i64)| {
        value.checked_mul(unit).unwrap_or_else(|| {
            problems.add(format!("event_times.values[{row}]"), format!("{value} is beyond the year 2262"));
            0
        })
    };
    sent.values.iter().enumerate().map(&mut time).collect()
}

/// Writes the event times into the table's own column for them, unless it was sent.
fn stamp(schema: &TableSchema, written: &mut Vec<Written>, event_times: &[i64]) {
    let Some(EventTime::Column(column)) = schema.event_time else { return };
    let Some(unit) = event_time_unit(schema.columns[column].of) else { return };
    if written.iter().all(|written| written.column != column) {
        let times = event_times.iter().map(|time| time.div_euclid(unit.nanoseconds())).collect();
        let values = Values::Int64(times);
        let values = Column { values, marks: vec![Mark::PRESENT; event_times.len()], list: None };
        written.push(Written { column, values });
    }
}

#[cfg(test)]
mod tests;
