//! Requests from their bytes: read in one pass, strings left where they lie, all problems at once.
//!
//! The generated types read `repeated` values one at a time and copy every string; this reader takes whole slices and
//! shares the request's bytes. A test holds both equal.

use bytes::Bytes;

use crate::{
    batch::time::now,
    problem::Problems,
    proto,
    rpc::wire::{Malformed, NOT_UTF8, Reader, Wire},
    serve::request::{Encoding, Layout, OutputWanted, Request, RequestColumn, StatusDetail},
    spec::OutputType,
};

mod column;
mod head;
mod write;

pub use head::head;
pub use write::{stream_write, write};

/// What has been read of a request.
#[derive(Debug)]
struct Draft {
    /// The most values of one column.
    most_values: usize,
    feature_set: String,
    version: u32,
    rows: Option<u32>,
    columns: Vec<RequestColumn>,
    columns_seen: usize,
    outputs: Vec<OutputWanted>,
    outputs_seen: usize,
    layout: i32,
    encoding: i32,
    status: i32,
    problems: Problems,
}

/// Reads a `GetFeaturesRequest` whose columns have at most `most_values` values each: a value takes a byte of a request
/// and eight once it is read. The request's clock is that of its decoding. The problems' places are field paths: `columns[2].floats`.
pub fn decode(bytes: &Bytes, most_values: usize) -> Result<Request, Problems> {
    if u32::try_from(bytes.len()).is_err() {
        return Err(Problems::one("", "the request is 4 GiB or more"));
    }
    let mut draft = Draft::new(most_values);
    let mut reader = Reader::new(bytes);
    while !reader.is_done() {
        if let Err((path, malformed)) = draft.read_field(bytes, &mut reader) {
            draft.problems.add(path, malformed.to_string());
            break;
        }
    }
    draft.finish()
}

impl Draft {
    fn new(most_values: usize) -> Self {
        Self {
            most_values,
            feature_set: String::new(),
            version: 0,
            rows: None,
            columns: Vec::new(),
            columns_seen: 0,
            outputs: Vec::new(),
            outputs_seen: 0,
            layout: 0,
            encoding: 0,
            status: 0,
            problems: Problems::of_request(),
        }
    }

    fn read_field(&mut self, bytes: &Bytes, reader: &mut Reader) -> Result<(), (&'static str, Malformed)> {
        let (field, wire) = reader.key().map_err(|malformed| ("", malformed))?;
        let (path, read) = match field {
            1 => (
                "feature_set",
                read_text(reader, wire, &mut self.feature_set, "feature_set", &mut self.problems),
            ),
            2 => ("version", reader.varint(wire).map(|version| self.version = version as u32)),
            3 => ("rows", reader.varint(wire).map(|rows| self.rows = Some(rows as u32))),
            4 => ("columns", reader.nested(wire).map(|column| self.read_column(bytes, column))),
            5 => ("outputs", reader.nested(wire).map(|output| self.read_output(output))),
            6 => ("options", reader.nested(wire).and_then(|options| self.read_options(options))),
            _ => ("", reader.skip(field, wire)),
        };
        read.map_err(|malformed| (path, malformed))
    }

    fn read_column(&mut self, bytes: &Bytes, reader: Reader) {
        match column::read(bytes, reader, self.most_values) {
            Ok(column) => self.columns.push(column),
            Err(problems) => self.problems.add_below(&format!("columns[{}]", self.columns_seen), problems),
        }
        self.columns_seen += 1;
    }

    fn read_output(&mut self, reader: Reader) {
        match read_output(reader) {
            Ok(output) => self.outputs.push(output),
            Err(problems) => self.problems.add_below(&format!("outputs[{}]", self.outputs_seen), problems),
        }
        self.outputs_seen += 1;
    }

    /// Reads options over those read before: messages that come several times are merged.
    fn read_options(&mut self, mut reader: Reader) -> Result<(), Malformed> {
        while !reader.is_done() {
            let (field, wire) = reader.key()?;
            match field {
                1 => self.layout = reader.varint(wire)? as i32,
                2 => self.encoding = reader.varint(wire)? as i32,
                3 => self.status = reader.varint(wire)? as i32,
                _ => reader.skip(field, wire)?,
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Request, Problems> {
        let layout = named(self.layout, "options.layout", "Layout", layout, &mut self.problems);
        let encoding = named(self.encoding, "options.encoding", "Encoding", encoding, &mut self.problems);
        let encoding = encoding.map(|encoding| encoding.unwrap_or(Encoding::Raw));
        let status = named(self.status, "options.status", "StatusDetail", status, &mut self.problems);
        let Self { feature_set, version, rows, columns, outputs, problems, .. } = self;
        let (Some(layout), Some(encoding), Some(status)) = (layout, encoding, status) else {
            return Err(problems);
        };
        let now = now();
        let request = Request { feature_set, version, rows, columns, outputs, layout, encoding, status, now };
        problems.or(request)
    }
}

/// Reads a text; one that is not UTF-8 is a problem at `path`, and what comes after it is read all the same.
fn read_text(
    reader: &mut Reader,
    wire: Wire,
    text: &mut String,
    path: &str,
    problems: &mut Problems,
) -> Result<(), Malformed> {
    match reader.text(wire) {
        Ok(read) => read.clone_into(text),
        Err(Malformed::NotUtf8) => problems.add(path, NOT_UTF8),
        Err(malformed) => return Err(malformed),
    }
    Ok(())
}

fn read_output(mut reader: Reader) -> Result<OutputWanted, Problems> {
    let mut problems = Problems::of_request();
    let mut draft = OutputDraft::default();
    while !reader.is_done() {
        if let Err(malformed) = draft.read_field(&mut reader, &mut problems) {
            problems.add("", malformed.to_string());
            break;
        }
    }
    let dtype = named(draft.dtype, "dtype", "DataType", dtype, &mut problems);
    let encoding = named(draft.encoding, "encoding", "Encoding", encoding, &mut problems);
    problems.or(OutputWanted { name: draft.name, dtype: dtype.flatten(), encoding: encoding.flatten() })
}

/// What has been read of a wanted output.
#[derive(Debug, Default)]
struct OutputDraft {
    name: String,
    dtype: i32,
    encoding: i32,
}

impl OutputDraft {
    fn read_field(&mut self, reader: &mut Reader, problems: &mut Problems) -> Result<(), Malformed> {
        let (field, wire) = reader.key()?;
        match field {
            1 => read_text(reader, wire, &mut self.name, "name", problems)?,
            2 => self.dtype = reader.varint(wire)? as i32,
            3 => self.encoding = reader.varint(wire)? as i32,
            _ => reader.skip(field, wire)?,
        }
        Ok(())
    }
}

/// An enum's value from its number, or a problem.
fn named<E: TryFrom<i32>, T>(
    number: i32,
    path: &str,
    kind: &str,
    convert: impl Fn(E) -> T,
    problems: &mut Problems,
) -> Option<T> {
    let value = E::try_from(number).ok().map(convert);
    if value.is_none() {
        problems.add(path, format!("{number} is not a value of {kind}"));
    }
    value
}

fn layout(layout: proto::Layout) -> Layout {
    match layout {
        proto::Layout::Unspecified | proto::Layout::Dense => Layout::Dense,
        proto::Layout::Factored => Layout::Factored,
    }
}

fn encoding(encoding: proto::Encoding) -> Option<Encoding> {
    match encoding {
        proto::Encoding::Unspecified => None,
        proto::Encoding::Raw => Some(Encoding::Raw),
        proto::Encoding::Values => Some(Encoding::Values),
        proto::Encoding::Sparse => Some(Encoding::Sparse),
    }
}

fn status(status: proto::StatusDetail) -> StatusDetail {
    match status {
        proto::StatusDetail::Unspecified | proto::StatusDetail::Off => StatusDetail::Off,
        proto::StatusDetail::Counts => StatusDetail::Counts,
        proto::StatusDetail::Rows => StatusDetail::Rows,
    }
}

fn dtype(dtype: proto::DataType) -> Option<OutputType> {
    match dtype {
        proto::DataType::Unspecified => None,
        proto::DataType::Float32 => Some(OutputType::Float32),
        proto::DataType::Float16 => Some(OutputType::Float16),
        proto::DataType::Bfloat16 => Some(OutputType::Bfloat16),
        proto::DataType::Float64 => Some(OutputType::Float64),
        proto::DataType::Int64 => Some(OutputType::Int64),
    }
}

#[cfg(test)]
mod tests;
