//! Answers in one buffer: the gRPC prefix, the message's fields, and the tensors computed right where they are sent
//! from.

use std::ops::Range;

use bytes::Bytes;

use crate::{
    proto,
    rpc::{
        pool::{Pool, Pooled},
        wire::{self, Writer},
    },
    serve::{
        answer::{Elements, FeatureCounts, Part, TensorBuffer, TensorShape},
        request::StatusDetail,
    },
    spec::{Output, OutputType},
};

mod collected;

pub use collected::{CollectedAnswer, framed};

/// Bytes before each gRPC message: whether it is compressed, and its length.
pub const PREFIX: usize = 5;

/// Where the first tensor's elements start in memory, so that no store of theirs crosses a cache line.
const ALIGNMENT: usize = 64;

/// Room for counts that most answers do not exceed.
const COUNTS_ROOM: usize = 1024;

/// What an answer says beside its tensors.
#[derive(Debug, Clone, Copy)]
pub struct Head<'a> {
    pub version: u32,
    pub fingerprint: &'a str,
    pub rows: usize,
}

/// An answer whose fields are written and whose tensors are not yet computed.
#[derive(Debug)]
pub struct RawAnswer {
    buffer: Pooled,
    start: usize,
    end: usize,
    places: Vec<Place>,
}

/// Where one tensor's bytes go.
#[derive(Debug)]
struct Place {
    data: Range<usize>,
    status: Range<usize>,
}

impl RawAnswer {
    /// Writes everything around the tensors.
    pub fn begin(pool: &Pool, head: Head<'_>, tensors: &[TensorShape], detail: StatusDetail) -> Self {
        let tensors_size: usize =
            tensors.iter().map(|tensor| wire::field_size(tensor_size(tensor, detail))).sum();
        let size = PREFIX + head_size(head) + tensors_size;
        let mut buffer = pool.take(size + ALIGNMENT + COUNTS_ROOM);
        let start = aligned_start(buffer.bytes(), first_data(head, tensors, detail));
        let mut writer = Writer::new(buffer.bytes(), start + PREFIX);
        writer.varint_field(1, u64::from(head.version));
        writer.text_field(2, head.fingerprint);
        writer.varint_field(3, head.rows as u64);
        let places = tensors.iter().map(|tensor| write_tensor(&mut writer, tensor, detail)).collect();
        let end = writer.position();
        Self { buffer, start, end, places }
    }

    /// The places of the tensors' elements and statuses.
    pub fn tensors(&mut self) -> Vec<TensorBuffer<'_>> {
        let mut rest = self.buffer.bytes();
        let mut position = 0;
        let mut cut = |range: &Range<usize>| {
            let (_, after) = std::mem::take(&mut rest).split_at_mut(range.start - position);
            let (place, after) = after.split_at_mut(range.len());
            (rest, position) = (after, range.end);
            place
        };
        self.places
            .iter()
            .map(|place| TensorBuffer {
                elements: Elements::Dense(cut(&place.data)),
                status: cut(&place.status),
            })
            .collect()
    }

    /// Adds the counts, completes the prefix and gives the framed message.
    pub fn finish(mut self, counts: &[FeatureCounts], outputs: &[Output]) -> Bytes {
        let sizes = counts.iter().map(|counts| wire::field_size(counts_size(counts, outputs)));
        let end = self.end + sizes.sum::<usize>();
        self.buffer.grow(end);
        let mut writer = Writer::new(self.buffer.bytes(), self.end);
        for counts in counts {
            write_counts(&mut writer, counts, outputs);
        }
        write_prefix(&mut self.buffer.bytes()[self.start..], end - self.start - PREFIX);
        self.buffer.share(self.start..end)
    }
}

/// Writes the five bytes before an uncompressed message. Limits keep answers below 4 GiB.
fn write_prefix(bytes: &mut [u8], length: usize) {
    bytes[0] = 0;
    bytes[1..PREFIX].copy_from_slice(&(length as u32).to_be_bytes());
}

fn head_size(head: Head<'_>) -> usize {
    wire::varint_field_size(u64::from(head.version))
        + wire::text_field_size(head.fingerprint)
        + wire::varint_field_size(head.rows as u64)
}

/// Bytes of a tensor before its elements: name, type and shape.
fn tensor_head_size(tensor: &TensorShape) -> usize {
    wire::text_field_size(&tensor.name)
        + wire::varint_field_size(dtype(tensor.dtype) as u64)
        + wire::field_size(shape_size(tensor))
}

fn tensor_size(tensor: &TensorShape, detail: StatusDetail) -> usize {
    tensor_head_size(tensor)
        + bytes_field_size(tensor.data_bytes())
        + bytes_field_size(tensor.status_bytes(detail))
        + wire::varint_field_size(part(tensor.part) as u64)
}

fn shape_size(tensor: &TensorShape) -> usize {
    wire::varint_size(tensor.rows as u64) + wire::varint_size(tensor.width as u64)
}

fn bytes_field_size(length: usize) -> usize {
    if length == 0 { 0 } else { wire::field_size(length) }
}

/// Bytes of a framed answer before its first tensor's elements.
fn first_data(head: Head<'_>, tensors: &[TensorShape], detail: StatusDetail) -> usize {
    let before = |tensor: &TensorShape| {
        let key_and_length = |length| wire::field_size(length) - length;
        key_and_length(tensor_size(tensor, detail))
            + tensor_head_size(tensor)
            + key_and_length(tensor.data_bytes())
    };
    PREFIX + head_size(head) + tensors.first().map_or(0, before)
}

/// Where to start so that the byte `offset` further on is aligned.
fn aligned_start(bytes: &[u8], offset: usize) -> usize {
    let address = bytes.as_ptr() as usize + offset;
    address.next_multiple_of(ALIGNMENT) - address
}

fn write_tensor(writer: &mut Writer<'_>, tensor: &TensorShape, detail: StatusDetail) -> Place {
    writer.begin(4, tensor_size(tensor, detail));
    writer.text_field(1, &tensor.name);
    writer.varint_field(2, dtype(tensor.dtype) as u64);
    writer.begin(3, shape_size(tensor));
    writer.varint(tensor.rows as u64);
    writer.varint(tensor.width as u64);
    let data = pass_bytes(writer, 4, tensor.data_bytes());
    let status = pass_bytes(writer, 7, tensor.status_bytes(detail));
    writer.varint_field(9, part(tensor.part) as u64);
    Place { data, status }
}

/// Leaves room for a bytes field's value and gives its place; an empty one is left out.
fn pass_bytes(writer: &mut Writer<'_>, field: u8, length: usize) -> Range<usize> {
    if length > 0 {
        writer.begin(field, length);
    }
    let start = writer.position();
    writer.pass(length);
    start..start + length
}

/// The output's and the feature's name.
fn names<'a>(counts: &FeatureCounts, outputs: &'a [Output]) -> (&'a str, &'a str) {
    let output = &outputs[counts.output];
    (&output.name, &output.features[counts.feature])
}

/// The counts that are reported, with their field numbers: all but the present rows.
fn reported(counts: &FeatureCounts) -> impl Iterator<Item = (u8, u64)> {
    (3..).zip(counts.by_status[1..].iter().map(|&count| u64::from(count)))
}

fn counts_size(counts: &FeatureCounts, outputs: &[Output]) -> usize {
    let (output, feature) = names(counts, outputs);
    let numbers: usize = reported(counts).map(|(_, count)| wire::varint_field_size(count)).sum();
    wire::text_field_size(output) + wire::text_field_size(feature) + numbers
}

fn write_counts(writer: &mut Writer<'_>, counts: &FeatureCounts, outputs: &[Output]) {
    let (output, feature) = names(counts, outputs);
    writer.begin(5, counts_size(counts, outputs));
    writer.text_field(1, output);
    writer.text_field(2, feature);
    for (field, count) in reported(counts) {
        writer.varint_field(field, count);
    }
}

/// The wire's name of an element type.
pub fn dtype(dtype: OutputType) -> proto::DataType {
    match dtype {
        OutputType::Float32 => proto::DataType::Float32,
        OutputType::Float16 => proto::DataType::Float16,
        OutputType::Bfloat16 => proto::DataType::Bfloat16,
        OutputType::Float64 => proto::DataType::Float64,
        OutputType::Int64 => proto::DataType::Int64,
    }
}

fn part(part: Part) -> proto::TensorPart {
    match part {
        Part::All => proto::TensorPart::All,
        Part::Request => proto::TensorPart::Request,
        Part::Row => proto::TensorPart::Row,
    }
}

#[cfg(test)]
mod tests;
