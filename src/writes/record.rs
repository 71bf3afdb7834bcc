//! Writes as entries of a journal: columns by name and type, so that they can be read for another version of the table.

use crate::{
    batch::{Column, Element, ListRows, Mark, Strings, Type, Values},
    table::{Change, TableSchema, Write, Written},
};

mod bytes;

use bytes::{Reader, Short, Writer};

const UPSERT: u8 = 0;
const DELETE: u8 = 1;
const APPEND: u8 = 2;

/// What an entry holds.
#[derive(Debug)]
pub struct Read {
    pub write: Write,
    /// Columns that the table does not have any more, or has of another type: their values are lost.
    pub lost: Vec<String>,
}

/// Why an entry can't be read for a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable {
    /// It ends too early, or says what no entry says.
    Malformed,
    /// Its key is not the table's.
    OtherKey,
}

impl From<Short> for Unreadable {
    fn from(Short: Short) -> Self {
        Self::Malformed
    }
}

/// The entry of a write to a table of this schema.
pub fn encode(schema: &TableSchema, write: &Write) -> Vec<u8> {
    let mut to = Writer::with_capacity(write.memory());
    let (kind, cap, written): (u8, usize, &[Written]) = match &write.change {
        Change::Upsert(written) => (UPSERT, 0, written),
        Change::Delete => (DELETE, 0, &[]),
        Change::Append { lists, cap } => (APPEND, *cap, lists),
    };
    to.byte(kind);
    to.number(cap as u64);
    to.number(write.rows() as u64);
    match write.event_times.split_first() {
        Some((first, rest)) if rest.iter().all(|time| time == first) => {
            to.byte(1);
            to.number(first.cast_unsigned());
        }
        _ => {
            to.byte(0);
            write.event_times.iter().for_each(|time| to.number(time.cast_unsigned()));
        }
    }
    to.number((write.keys.len() + written.len()) as u64);
    for (key, values) in schema.key.iter().zip(&write.keys) {
        column(&mut to, &key.name, Type::scalar(key.element), values);
    }
    for Written { column: position, values } in written {
        let of = &schema.columns[*position];
        column(&mut to, &of.name, of.of, values);
    }
    to.finish()
}

/// Reads an entry for a table of this schema.
pub fn decode(schema: &TableSchema, entry: &[u8]) -> Result<Read, Unreadable> {
    let mut from = Reader::new(entry);
    let (kind, cap, rows) = (from.byte()?, from.number()? as usize, from.count()?);
    let event_times = match from.byte()? {
        1 => vec![from.number()?.cast_signed(); rows],
        _ => (0..rows).map(|_| Ok(from.number()?.cast_signed())).collect::<Result<_, Short>>()?,
    };
    let mut keys: Vec<Option<Column>> = schema.key.iter().map(|_| None).collect();
    let (mut written, mut lost) = (Vec::new(), Vec::new());
    for _ in 0..from.count()? {
        let (name, of) = (from.text()?, from.text()?);
        let key =
            schema.key.iter().position(|key| key.name == name && of == Type::scalar(key.element).to_string());
        let value = schema.column(&name).filter(|&column| schema.columns[column].of.to_string() == of);
        let values = read_column(&mut from, rows)?;
        match (key, value) {
            (Some(key), _) => keys[key] = Some(values),
            (None, Some(column)) => written.push(Written { column, values }),
            (None, None) => lost.push(name),
        }
    }
    let keys: Option<Vec<Column>> = keys.into_iter().collect();
    let keys = keys.ok_or(Unreadable::OtherKey)?;
    let change = match kind {
        UPSERT => Change::Upsert(written),
        DELETE => Change::Delete,
        APPEND => Change::Append { lists: written, cap },
        _ => return Err(Unreadable::Malformed),
    };
    Ok(Read { write: Write { change, keys, event_times }, lost })
}

fn column(to: &mut Writer, name: &str, of: Type, column: &Column) {
    to.text(name);
    to.text(&of.to_string());
    to.number(column.marks.len() as u64);
    to.positions(nulls(&column.marks));
    match &column.list {
        None => to.byte(0),
        Some(list) => {
            to.byte(1);
            list.offsets.iter().for_each(|&offset| to.short(offset));
            to.positions(nulls(&list.marks));
        }
    }
    match (of.element, &column.values) {
        (_, Values::Float64(values)) => to.floats(values),
        (_, Values::Float32(values)) => {
            to.floats(&values.iter().map(|&value| f64::from(value)).collect::<Vec<_>>())
        }
        (_, Values::Uint64(values)) => to.numbers(b'u', values.iter().copied()),
        (_, Values::Bool(values)) => to.flags(values),
        (_, Values::String(strings)) => to.strings(strings.iter()),
        (Element::Int64 | Element::Time(_), Values::Int64(values)) => {
            to.numbers(b'i', values.iter().map(|value| value.cast_unsigned()));
        }
        // No table has others.
        _ => to.byte(0),
    }
}

fn nulls(marks: &[Mark]) -> impl Iterator<Item = u32> {
    marks.iter().enumerate().filter(|(_, mark)| mark.is_null()).map(|(position, _)| position as u32)
}

fn read_column(from: &mut Reader<'_>, rows: usize) -> Result<Column, Unreadable> {
    let count = from.count()?;
    let marks = read_marks(from, count)?;
    let list = match from.byte()? {
        0 => None,
        _ => {
            let offsets: Vec<u32> = (0..=rows).map(|_| from.short()).collect::<Result<_, _>>()?;
            let good =
                offsets.is_sorted() && offsets.first() == Some(&0) && offsets.last() == Some(&(count as u32));
            let marks = read_marks(from, rows)?;
            if !good {
                return Err(Unreadable::Malformed);
            }
            Some(ListRows { offsets, marks })
        }
    };
    let values = match from.byte()? {
        b'd' => Values::Float64(from.items(|from| Ok(f64::from_bits(from.number()?)))?),
        b'f' => Values::Float64(from.items(|from| Ok(f64::from(f32::from_bits(from.short()?))))?),
        b'u' => Values::Uint64(from.items(Reader::number)?),
        b'i' => Values::Int64(from.items(|from| Ok(from.number()?.cast_signed()))?),
        b'b' => Values::Bool(from.items(|from| Ok(from.byte()? != 0))?),
        b's' => Values::String(Strings::from_values(from.items(Reader::text)?)),
        _ => return Err(Unreadable::Malformed),
    };
    Ok(Column { values, marks, list })
}

fn read_marks(from: &mut Reader<'_>, count: usize) -> Result<Vec<Mark>, Unreadable> {
    let mut marks = vec![Mark::PRESENT; count];
    for null in from.items(Reader::short)? {
        *marks.get_mut(null as usize).ok_or(Unreadable::Malformed)? = Mark::NULL;
    }
    Ok(marks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{ColumnSchema, KeyColumn, Stored};

    fn schema(columns: Vec<ColumnSchema>) -> TableSchema {
        let key = vec![KeyColumn { name: "id".to_owned(), element: Element::Int64 }];
        TableSchema { name: "t".to_owned(), version: 1, key, columns, event_time: None, live: true }
    }

    fn column(values: Values, marks: &[Mark]) -> Column {
        Column { values, marks: marks.to_vec(), list: None }
    }

    #[test]
    fn writes_come_back() {
        let of = schema(vec![
            ColumnSchema::vector("v", Stored::Float32, 2),
            ColumnSchema::scalar("x", Stored::Float64),
            ColumnSchema::list("words", Stored::String),
        ]);
        let two = [Mark::PRESENT, Mark::NULL];
        let words = Values::String(Strings::from_values(["a", "", "ü"]));
        let list = ListRows { offsets: vec![0, 0, 3], marks: two.to_vec() };
        let words = Column { list: Some(list), ..column(words, &[Mark::PRESENT, Mark::NULL, Mark::PRESENT]) };
        let written = vec![
            Written {
                column: 0,
                values: column(Values::Float64(vec![0.5, f64::NAN, -0.0, 1e30_f32.into()]), &two),
            },
            Written { column: 1, values: column(Values::Float64(vec![0.1, f64::INFINITY]), &two) },
            Written { column: 2, values: words },
        ];
        let keys = vec![column(Values::Int64(vec![i64::MIN, 7]), &[Mark::PRESENT; 2])];
        let write = Write { change: Change::Upsert(written), keys, event_times: vec![-5, 9] };
        let entry = encode(&of, &write);
        let read = decode(&of, &entry).expect("reads");
        assert!(read.lost.is_empty());
        assert_eq!(format!("{:?}", read.write), format!("{write:?}"));
        for length in 0..entry.len() {
            decode(&of, &entry[..length]).expect_err("it ends too early");
        }
        let other = schema(vec![
            ColumnSchema::scalar("x", Stored::Float64),
            ColumnSchema::scalar("v", Stored::Float64),
        ]);
        let read = decode(&other, &entry).expect("reads");
        assert_eq!(read.lost, ["v", "words"]);
        let Change::Upsert(written) = &read.write.change else { panic!("an upsert") };
        assert_eq!(written.iter().map(|written| written.column).collect::<Vec<_>>(), [0]);
    }

    #[test]
    fn floats_take_four_bytes_where_these_hold_them() {
        let of = schema(vec![ColumnSchema::vector("v", Stored::Float32, 64)]);
        let bytes = |value: f64| {
            let values = column(Values::Float64(vec![value; 64]), &[Mark::PRESENT]);
            let keys = vec![column(Values::Int64(vec![1]), &[Mark::PRESENT])];
            let change = Change::Upsert(vec![Written { column: 0, values }]);
            encode(&of, &Write { change, keys, event_times: vec![1] }).len()
        };
        assert_eq!(bytes(0.1) - bytes(0.5), 64 * 4);
    }
}
