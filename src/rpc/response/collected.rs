//! Answers whose tensors are computed aside: readable numbers for people, and sparse and ragged rows, whose size is
//! known only then. The generated types write them out.

use bytes::{BufMut, Bytes, BytesMut};
use half::{bf16, f16};
use prost::Message;

use super::{Head, PREFIX, dtype, names, part, write_prefix};
use crate::{
    batch::Status,
    proto,
    serve::{
        answer::{Elements, FeatureCounts, RaggedRows, SparseRows, TensorBuffer, TensorShape},
        request::{Encoding, StatusDetail},
    },
    spec::{Output, OutputType},
};

/// An answer whose tensors are computed aside.
#[derive(Debug)]
pub struct CollectedAnswer {
    message: proto::GetFeaturesResponse,
    tensors: Vec<Computed>,
}

#[derive(Debug)]
struct Computed {
    dtype: OutputType,
    encoding: Encoding,
    elements: Collected,
    status: Vec<u8>,
}

#[derive(Debug)]
enum Collected {
    Dense(Vec<u8>),
    Sparse(SparseRows),
    Ragged(RaggedRows),
}

impl CollectedAnswer {
    /// Makes room for the tensors.
    pub fn begin(head: Head<'_>, tensors: &[TensorShape], detail: StatusDetail) -> Self {
        let message = proto::GetFeaturesResponse {
            version: head.version,
            fingerprint: head.fingerprint.to_owned(),
            rows: head.rows as u32,
            outputs: tensors.iter().map(described).collect(),
            status_counts: Vec::new(),
        };
        let tensors = tensors.iter().map(|tensor| Computed {
            dtype: tensor.dtype,
            encoding: tensor.encoding,
            elements: match tensor.encoding {
                _ if tensor.ragged => Collected::Ragged(RaggedRows::default()),
                Encoding::Sparse => Collected::Sparse(SparseRows::default()),
                Encoding::Raw | Encoding::Values => Collected::Dense(vec![0; tensor.data_bytes()]),
            },
            status: vec![0; tensor.status_bytes(detail)],
        });
        Self { message, tensors: tensors.collect() }
    }

    /// The places of the tensors' elements and statuses.
    pub fn tensors(&mut self) -> Vec<TensorBuffer<'_>> {
        self.tensors.iter_mut().map(Computed::buffer).collect()
    }

    /// Writes the tensors out and gives the framed message.
    pub fn finish(mut self, counts: &[FeatureCounts], outputs: &[Output]) -> Bytes {
        for (tensor, computed) in self.message.outputs.iter_mut().zip(self.tensors) {
            computed.write(tensor);
        }
        self.message.status_counts = counts.iter().map(|counts| status_counts(counts, outputs)).collect();
        framed(&self.message)
    }
}

impl Computed {
    fn buffer(&mut self) -> TensorBuffer<'_> {
        let elements = match &mut self.elements {
            Collected::Dense(data) => Elements::Dense(data),
            Collected::Sparse(rows) => Elements::Sparse(rows),
            Collected::Ragged(rows) => Elements::Ragged(rows),
        };
        TensorBuffer { elements, status: &mut self.status }
    }

    fn write(self, tensor: &mut proto::Tensor) {
        if self.encoding == Encoding::Values {
            tensor.status_values = self.status.iter().map(|&status| Status::of_wire(status) as i32).collect();
        } else {
            tensor.status = self.status.into();
        }
        let data = match self.elements {
            Collected::Dense(data) => data,
            Collected::Ragged(rows) => {
                tensor.shape[0] = rows.elements() as u32;
                write_offsets(&rows.ends, self.encoding, tensor);
                rows.data
            }
            Collected::Sparse(rows) => {
                tensor.indices = rows.columns.iter().flat_map(|column| column.to_le_bytes()).collect();
                write_offsets(&rows.ends, self.encoding, tensor);
                rows.data
            }
        };
        match (self.encoding, self.dtype) {
            (Encoding::Values, OutputType::Int64) => tensor.int64_values = integers(&data),
            (Encoding::Values, dtype) => tensor.values = floats(&data, dtype),
            (Encoding::Raw | Encoding::Sparse, _) => tensor.data = data.into(),
        }
    }
}

/// Where each row begins, and the number of elements.
fn write_offsets(ends: &[u64], encoding: Encoding, tensor: &mut proto::Tensor) {
    let offsets = std::iter::once(&0).chain(ends);
    if encoding == Encoding::Values {
        tensor.row_offset_values = offsets.copied().collect();
    } else {
        tensor.row_offsets = offsets.flat_map(|offset| offset.to_le_bytes()).collect();
    }
}

/// Writes a message behind its gRPC prefix.
pub fn framed(message: &impl Message) -> Bytes {
    let length = message.encoded_len();
    let mut bytes = BytesMut::with_capacity(PREFIX + length);
    bytes.put_bytes(0, PREFIX);
    write_prefix(&mut bytes, length);
    message.encode_raw(&mut bytes);
    bytes.freeze()
}

fn described(tensor: &TensorShape) -> proto::Tensor {
    proto::Tensor {
        name: tensor.name.clone(),
        dtype: dtype(tensor.dtype).into(),
        shape: vec![tensor.rows as u32, tensor.width as u32],
        part: part(tensor.part).into(),
        ragged: tensor.ragged,
        ..proto::Tensor::default()
    }
}

fn integers(data: &[u8]) -> Vec<i64> {
    data.as_chunks().0.iter().map(|&bytes| i64::from_le_bytes(bytes)).collect()
}

fn floats(data: &[u8], dtype: OutputType) -> Vec<f64> {
    match dtype {
        OutputType::Float32 => widened(data, |bytes| f32::from_le_bytes(bytes).into()),
        OutputType::Float16 => widened(data, |bytes| f16::from_le_bytes(bytes).into()),
        OutputType::Bfloat16 => widened(data, |bytes| bf16::from_le_bytes(bytes).into()),
        OutputType::Float64 => widened(data, f64::from_le_bytes),
        OutputType::Int64 => Vec::new(),
    }
}

fn widened<const SIZE: usize>(data: &[u8], widen: impl Fn([u8; SIZE]) -> f64) -> Vec<f64> {
    data.as_chunks::<SIZE>().0.iter().map(|&bytes| widen(bytes)).collect()
}

fn status_counts(counts: &FeatureCounts, outputs: &[Output]) -> proto::StatusCounts {
    let (output, feature) = names(counts, outputs);
    let count = |status: Status| counts.by_status[status as usize];
    proto::StatusCounts {
        output: output.to_owned(),
        feature: feature.to_owned(),
        stale: count(Status::Stale),
        out_of_range: count(Status::OutOfRange),
        unknown_category: count(Status::UnknownCategory),
        null: count(Status::Null),
        key_not_found: count(Status::KeyNotFound),
        fallback: count(Status::Fallback),
    }
}
