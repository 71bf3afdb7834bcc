//! Writes from their bytes: the same for upserts, deletes and appends, whose fields have the same numbers.

use bytes::Bytes;

use super::{column, read_text};
use crate::{
    batch::time::TimeUnit,
    problem::Problems,
    rpc::wire::{Malformed, Reader, Wire},
    writes::sent::{Kind, Sent, SentTimes},
};

/// Reads an `UpsertRequest`, a `DeleteRequest` or an `AppendRequest`: the table's name and the rows, whose columns have at
/// most `most` values each.
pub fn write(bytes: &Bytes, kind: Kind, most: usize) -> Result<(String, Sent), Problems> {
    read(bytes, Reader::new(bytes), kind, most)
}

/// Reads a `WriteRequest`; of several writes in it the last counts.
pub fn stream_write(bytes: &Bytes, most: usize) -> Result<(String, Sent), Problems> {
    let mut reader = Reader::new(bytes);
    let mut last = None;
    while !reader.is_done() {
        let field = reader.key().and_then(|(field, wire)| match field {
            1..=3 => reader.nested(wire).map(|message| Some((field, message))),
            _ => reader.skip(field, wire).map(|()| None),
        });
        match field {
            Ok(message) => last = message.or(last),
            Err(malformed) => return Err(Problems::one("", malformed.to_string())),
        }
    }
    let (kind, name, message) = match last {
        Some((1, message)) => (Kind::Upsert, "upsert", message),
        Some((2, message)) => (Kind::Delete, "delete", message),
        Some((_, message)) => (Kind::Append { cap: 0 }, "append", message),
        None => return Err(Problems::one("", "one of upsert, delete and append is needed")),
    };
    read(bytes, message, kind, most).map_err(|found| {
        let mut problems = Problems::of_request();
        problems.add_below(name, found);
        problems
    })
}

/// What has been read of a write.
struct Draft {
    table: String,
    sent: Sent,
    columns_seen: usize,
    most: usize,
    problems: Problems,
}

fn read(bytes: &Bytes, mut reader: Reader, kind: Kind, most: usize) -> Result<(String, Sent), Problems> {
    if u32::try_from(bytes.len()).is_err() {
        return Err(Problems::one("", "the request is 4 GiB or more"));
    }
    let mut draft = Draft {
        table: String::new(),
        sent: Sent { kind, columns: Vec::new(), event_times: None },
        columns_seen: 0,
        most,
        problems: Problems::of_request(),
    };
    while !reader.is_done() {
        if let Err((path, malformed)) = draft.read_field(bytes, &mut reader) {
            draft.problems.add(path, malformed.to_string());
            break;
        }
    }
    let Draft { table, sent, problems, .. } = draft;
    problems.or((table, sent))
}

impl Draft {
    fn read_field(&mut self, bytes: &Bytes, reader: &mut Reader) -> Result<(), (&'static str, Malformed)> {
        let (field, wire) = reader.key().map_err(|malformed| ("", malformed))?;
        let (path, read) = match (field, self.sent.kind) {
            (1, _) => ("table", read_text(reader, wire, &mut self.table, "table", &mut self.problems)),
            (2, kind) => {
                let field = kind.columns_field();
                (field, reader.nested(wire).map(|column| self.read_column(bytes, column, field)))
            }
            (3, _) => ("event_times", reader.nested(wire).and_then(|times| self.read_times(times))),
            (4, Kind::Append { .. }) => ("cap", self.read_cap(reader, wire)),
            _ => ("", reader.skip(field, wire)),
        };
        read.map_err(|malformed| (path, malformed))
    }

    fn read_column(&mut self, bytes: &Bytes, reader: Reader, field: &str) {
        match column::read(bytes, reader, self.most) {
            Ok(column) => self.sent.columns.push(column),
            Err(problems) => self.problems.add_below(&format!("{field}[{}]", self.columns_seen), problems),
        }
        self.columns_seen += 1;
    }

    fn read_cap(&mut self, reader: &mut Reader, wire: Wire) -> Result<(), Malformed> {
        self.sent.kind = Kind::Append { cap: reader.varint(wire)? as u32 };
        Ok(())
    }

    /// Reads event times over those read before: messages that come several times are merged.
    fn read_times(&mut self, mut reader: Reader) -> Result<(), Malformed> {
        let times = self.sent.event_times.get_or_insert(SentTimes { unit: None, values: Vec::new() });
        while !reader.is_done() {
            let (field, wire) = reader.key()?;
            match field {
                1 => {
                    times.unit = match reader.varint(wire)? {
                        1 => Some(TimeUnit::Seconds),
                        2 => Some(TimeUnit::Milliseconds),
                        3 => Some(TimeUnit::Microseconds),
                        4 => Some(TimeUnit::Nanoseconds),
                        5 => Some(TimeUnit::Days),
                        _ => None,
                    }
                }
                2 => reader.varints(wire, &mut times.values, self.most, |value| value as i64)?,
                _ => reader.skip(field, wire)?,
            }
        }
        Ok(())
    }
}
