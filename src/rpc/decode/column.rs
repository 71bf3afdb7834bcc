//! One column of a request.

use bytes::Bytes;

use crate::{
    batch::{Span, Strings, Values, time::TimeUnit},
    problem::Problems,
    rpc::{
        decode::read_text,
        wire::{Malformed, NOT_UTF8, Reader, Wire, make_room},
    },
    serve::request::RequestColumn,
    spec::ScalarType,
};

/// What has been read of a column.
#[derive(Debug)]
struct Draft {
    /// The most values.
    most: usize,
    name: String,
    values: Sent,
    offsets: Option<Vec<u32>>,
    nulls: Vec<u32>,
    null_elements: Vec<u32>,
    time_unit: Option<TimeUnit>,
    problems: Problems,
}

/// The values as they were sent, by the member of the oneof.
#[derive(Debug, Default)]
enum Sent {
    #[default]
    Nothing,
    Floats(Vec<f64>),
    Doubles(Vec<f64>),
    Int64s(Vec<i64>),
    Uint64s(Vec<u64>),
    Bools(Vec<bool>),
    Strings(Vec<Span>),
    Dictionary(Vec<Span>, Vec<u32>),
}

/// Reads one column of at most `most` values; strings stay where they lie in `bytes`, the whole request.
pub fn read(bytes: &Bytes, mut reader: Reader, most: usize) -> Result<RequestColumn, Problems> {
    let mut draft = Draft {
        most,
        name: String::new(),
        values: Sent::Nothing,
        offsets: None,
        nulls: Vec::new(),
        null_elements: Vec::new(),
        time_unit: None,
        problems: Problems::of_request(),
    };
    while !reader.is_done() {
        if let Err((path, malformed)) = draft.read_field(&mut reader) {
            draft.problems.add(path, malformed.to_string());
            break;
        }
    }
    draft.finish(bytes)
}

impl Draft {
    fn read_field(&mut self, reader: &mut Reader) -> Result<(), (&'static str, Malformed)> {
        let (field, wire) = reader.key().map_err(|malformed| ("", malformed))?;
        let most = self.most;
        let (path, read) = match field {
            1 => ("name", read_text(reader, wire, &mut self.name, "name", &mut self.problems)),
            2 => ("floats", reader.nested(wire).and_then(|values| self.values.read_floats(values, most))),
            3 => ("doubles", reader.nested(wire).and_then(|values| self.values.read_doubles(values, most))),
            4 => ("int64s", reader.nested(wire).and_then(|values| self.values.read_int64s(values, most))),
            5 => ("uint64s", reader.nested(wire).and_then(|values| self.values.read_uint64s(values, most))),
            6 => ("bools", reader.nested(wire).and_then(|values| self.values.read_bools(values, most))),
            7 => ("strings", reader.nested(wire).and_then(|values| self.values.read_strings(values, most))),
            8 => (
                "dictionary",
                reader.nested(wire).and_then(|values| self.values.read_dictionary(values, most)),
            ),
            9 => ("list", reader.nested(wire).and_then(|list| self.read_offsets(list))),
            10 => ("nulls", read_positions(reader, wire, &mut self.nulls, most)),
            11 => ("null_elements", read_positions(reader, wire, &mut self.null_elements, most)),
            12 => ("time_unit", self.read_time_unit(reader, wire)),
            _ => ("", reader.skip(field, wire)),
        };
        read.map_err(|malformed| (path, malformed))
    }

    fn read_time_unit(&mut self, reader: &mut Reader, wire: Wire) -> Result<(), Malformed> {
        let sent = reader.varint(wire)?;
        self.time_unit = match sent {
            0 => None,
            1 => Some(TimeUnit::Seconds),
            2 => Some(TimeUnit::Milliseconds),
            3 => Some(TimeUnit::Microseconds),
            4 => Some(TimeUnit::Nanoseconds),
            5 => Some(TimeUnit::Days),
            _ => {
                self.problems.add("time_unit", format!("is {sent}, which is no TimeUnit"));
                None
            }
        };
        Ok(())
    }

    fn read_offsets(&mut self, list: Reader) -> Result<(), Malformed> {
        let offsets = self.offsets.get_or_insert_default();
        // One more than there are rows.
        let most = self.most.saturating_add(1);
        each_value(list, |reader, wire| read_positions(reader, wire, offsets, most))
    }

    fn finish(mut self, bytes: &Bytes) -> Result<RequestColumn, Problems> {
        let mut indices = None;
        let values = match self.values {
            Sent::Nothing => {
                if self.problems.is_empty() {
                    self.problems.add("", "no values: one of floats, doubles, int64s, uint64s, bools, strings and dictionary is needed");
                }
                None
            }
            Sent::Floats(values) => Some((ScalarType::Float32, Values::Float64(values))),
            Sent::Doubles(values) => Some((ScalarType::Float64, Values::Float64(values))),
            Sent::Int64s(values) => Some((ScalarType::Int64, Values::Int64(values))),
            Sent::Uint64s(values) => Some((ScalarType::Uint64, Values::Uint64(values))),
            Sent::Bools(values) => Some((ScalarType::Bool, Values::Bool(values))),
            Sent::Strings(spans) => strings(bytes, spans, "strings.values", &mut self.problems),
            Sent::Dictionary(spans, positions) => {
                indices = Some(positions);
                strings(bytes, spans, "dictionary.dictionary", &mut self.problems)
            }
        };
        let Self { name, offsets, nulls, null_elements, time_unit, problems, .. } = self;
        match values {
            Some((scalar, values)) => problems.or(RequestColumn {
                name,
                scalar,
                time_unit,
                values,
                indices,
                offsets,
                nulls,
                null_elements,
            }),
            None => Err(problems),
        }
    }
}

/// Gives the values of a member of the oneof: those read before where it was the same one, else none.
macro_rules! member {
    ($sent:expr, $member:ident) => {{
        if !matches!($sent, Sent::$member(..)) {
            *$sent = Sent::$member(Default::default());
        }
        match $sent {
            Sent::$member(values) => values,
            _ => return Ok(()),
        }
    }};
}

impl Sent {
    fn read_floats(&mut self, values: Reader, most: usize) -> Result<(), Malformed> {
        let floats = member!(self, Floats);
        each_value(values, |reader, wire| {
            let bytes = reader.fixed32s(wire)?;
            make_room(floats, bytes.len() / 4, most)?;
            floats.extend(bytes.as_chunks::<4>().0.iter().map(|&bytes| f64::from(f32::from_le_bytes(bytes))));
            Ok(())
        })
    }

    fn read_doubles(&mut self, values: Reader, most: usize) -> Result<(), Malformed> {
        let doubles = member!(self, Doubles);
        each_value(values, |reader, wire| {
            let bytes = reader.fixed64s(wire)?;
            make_room(doubles, bytes.len() / 8, most)?;
            doubles.extend(bytes.as_chunks::<8>().0.iter().map(|&bytes| f64::from_le_bytes(bytes)));
            Ok(())
        })
    }

    fn read_int64s(&mut self, values: Reader, most: usize) -> Result<(), Malformed> {
        let integers = member!(self, Int64s);
        each_value(values, |reader, wire| reader.varints(wire, integers, most, |value| value as i64))
    }

    fn read_uint64s(&mut self, values: Reader, most: usize) -> Result<(), Malformed> {
        let integers = member!(self, Uint64s);
        each_value(values, |reader, wire| reader.varints(wire, integers, most, |value| value))
    }

    fn read_bools(&mut self, values: Reader, most: usize) -> Result<(), Malformed> {
        let bools = member!(self, Bools);
        each_value(values, |reader, wire| reader.varints(wire, bools, most, |value| value != 0))
    }

    fn read_strings(&mut self, mut values: Reader, most: usize) -> Result<(), Malformed> {
        let spans = member!(self, Strings);
        check_strings(&values, spans.len(), most)?;
        spans.reserve(values.rest().len() / 8);
        // Short strings without anything between them, by far the most: one field of this number, one byte of length.
        while let Some((start, length)) = values.short_field(1) {
            spans.push(Span { start: start as u32, length: length as u32 });
        }
        each_value(values, |reader, wire| {
            spans.push(span(reader.nested(wire)?));
            Ok(())
        })
    }

    fn read_dictionary(&mut self, mut values: Reader, most: usize) -> Result<(), Malformed> {
        if !matches!(self, Self::Dictionary(..)) {
            *self = Self::Dictionary(Vec::new(), Vec::new());
        }
        let Self::Dictionary(spans, indices) = self else { return Ok(()) };
        while !values.is_done() {
            match values.key()? {
                (1, wire) => {
                    make_room(spans, 1, most)?;
                    spans.push(span(values.nested(wire)?));
                }
                (2, wire) => read_positions(&mut values, wire, indices, most)?,
                (field, wire) => values.skip(field, wire)?,
            }
        }
        Ok(())
    }
}

/// Rejects more than `most` strings, with the `before` that are there. A string takes two bytes or more, so that they
/// are counted only where they could be too many.
fn check_strings(values: &Reader, before: usize, most: usize) -> Result<(), Malformed> {
    let room = most.saturating_sub(before);
    if values.rest().len() / 2 <= room {
        return Ok(());
    }
    let mut count = 0;
    each_value(values.clone(), |reader, wire| {
        count += 1;
        if count > room { Err(Malformed::TooMany(most)) } else { reader.nested(wire).map(|_| ()) }
    })
}

/// Reads field 1 of a message of one repeated field as often as it comes.
fn each_value<'a>(
    mut message: Reader<'a>,
    mut read: impl FnMut(&mut Reader<'a>, Wire) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    while !message.is_done() {
        match message.key()? {
            (1, wire) => read(&mut message, wire)?,
            (field, wire) => message.skip(field, wire)?,
        }
    }
    Ok(())
}

fn read_positions(
    reader: &mut Reader,
    wire: Wire,
    positions: &mut Vec<u32>,
    most: usize,
) -> Result<(), Malformed> {
    reader.varints(wire, positions, most, |value| value as u32)
}

/// Where a string lies in the whole request, which is below 4 GiB.
fn span(text: Reader) -> Span {
    Span { start: text.position() as u32, length: text.rest().len() as u32 }
}

fn strings(
    bytes: &Bytes,
    spans: Vec<Span>,
    path: &str,
    problems: &mut Problems,
) -> Option<(ScalarType, Values)> {
    match Strings::from_spans(bytes.clone(), spans) {
        Ok(strings) => Some((ScalarType::String, Values::String(strings))),
        Err(position) => {
            problems.add(format!("{path}[{position}]"), NOT_UTF8);
            None
        }
    }
}
