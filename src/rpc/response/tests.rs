//! Holds the hand-written answers equal to what the generated types say.

use proptest::{collection::vec, prelude::*};
use prost::Message;

use super::*;
use crate::{batch::Status, serve::request::Encoding};

const FINGERPRINT: &str = "0123456789abcdef0123456789abcdef";

fn any_shape() -> impl Strategy<Value = TensorShape> {
    let dtypes = [
        OutputType::Float32,
        OutputType::Float16,
        OutputType::Bfloat16,
        OutputType::Float64,
        OutputType::Int64,
    ];
    let parts = [Part::All, Part::Request, Part::Row];
    (0..2usize, 0..5usize, 0..3usize, 0..200usize, 0..40usize, 0..3usize).prop_map(
        move |(output, dtype, part, rows, width, features)| TensorShape {
            output,
            name: format!("output{output}"),
            dtype: dtypes[dtype],
            encoding: Encoding::Raw,
            part: parts[part],
            rows,
            width,
            features,
            ragged: false,
        },
    )
}

fn any_counts() -> impl Strategy<Value = FeatureCounts> {
    let counts = proptest::array::uniform7(prop_oneof![Just(0u32), any::<u32>()]);
    (0..2usize, 0..2usize, counts).prop_map(|(output, feature, by_status)| FeatureCounts {
        output,
        feature,
        by_status,
        by_level: Default::default(),
    })
}

fn outputs() -> Vec<Output> {
    let output = |name: &str| Output {
        name: name.to_owned(),
        dtype: OutputType::Float32,
        features: vec!["bid".to_owned(), "category".to_owned()],
        ragged: false,
    };
    vec![output("output0"), output("output1")]
}

/// Fills each tensor with small integers: bytes 0 and 1 are numbers of every type, and statuses.
fn fill(tensors: &mut [TensorBuffer<'_>]) {
    for (position, tensor) in tensors.iter_mut().enumerate() {
        let Elements::Dense(data) = &mut tensor.elements else { panic!("all elements are there") };
        for (place, byte) in data.iter_mut().chain(tensor.status.iter_mut()).enumerate() {
            *byte = ((place + position) % 2) as u8;
        }
    }
}

fn dense((data, status): &mut (Vec<u8>, Vec<u8>)) -> TensorBuffer<'_> {
    TensorBuffer { elements: Elements::Dense(data), status }
}

fn unframed(bytes: &Bytes) -> proto::GetFeaturesResponse {
    assert_eq!(bytes[0], 0);
    let length = u32::from_be_bytes([bytes[1], bytes[2], bytes[3], bytes[4]]);
    assert_eq!(length as usize, bytes.len() - PREFIX);
    proto::GetFeaturesResponse::decode(&bytes[PREFIX..]).expect("valid protobuf")
}

fn expected(shapes: &[TensorShape], detail: StatusDetail) -> Vec<proto::Tensor> {
    let mut data: Vec<_> = shapes
        .iter()
        .map(|shape| (vec![9; shape.data_bytes()], vec![9; shape.status_bytes(detail)]))
        .collect();
    let mut buffers: Vec<_> = data.iter_mut().map(dense).collect();
    fill(&mut buffers);
    let tensors = shapes.iter().zip(data).map(|(shape, (data, status))| proto::Tensor {
        name: shape.name.clone(),
        dtype: dtype(shape.dtype).into(),
        shape: vec![shape.rows as u32, shape.width as u32],
        data: data.into(),
        status: status.into(),
        part: part(shape.part).into(),
        ..proto::Tensor::default()
    });
    tensors.collect()
}

proptest! {
    #[test]
    fn raw_answers_decode_to_what_was_written(
        shapes in vec(any_shape(), 0..4), counts in vec(any_counts(), 0..90), rows in 0..500usize, with_rows: bool,
    ) {
        let detail = if with_rows { StatusDetail::Rows } else { StatusDetail::Counts };
        let pool = Pool::new(1 << 20);
        pool.take(100).bytes().fill(0xee);
        let head = Head { version: 300, fingerprint: FINGERPRINT, rows };
        let mut answer = RawAnswer::begin(&pool, head, &shapes, detail);
        fill(&mut answer.tensors());
        let bytes = answer.finish(&counts, &outputs());
        let message = unframed(&bytes);
        prop_assert_eq!(message.encoded_len(), bytes.len() - PREFIX);
        prop_assert_eq!((message.version, message.rows as usize), (300, rows));
        prop_assert_eq!(message.fingerprint, FINGERPRINT);
        prop_assert_eq!(message.outputs, expected(&shapes, detail));
        let mut readable = CollectedAnswer::begin(head, &[], StatusDetail::Counts);
        prop_assert!(readable.tensors().is_empty());
        let readable = unframed(&readable.finish(&counts, &outputs()));
        prop_assert_eq!(message.status_counts, readable.status_counts);
    }

    #[test]
    fn the_first_tensor_is_aligned(shapes in vec(any_shape(), 1..3)) {
        let head = Head { version: 1, fingerprint: FINGERPRINT, rows: 3 };
        let mut answer = RawAnswer::begin(&Pool::new(0), head, &shapes, StatusDetail::Off);
        let tensors = answer.tensors();
        let Elements::Dense(data) = &tensors[0].elements else { panic!("all elements are there") };
        prop_assert!(data.is_empty() || data.as_ptr().addr().is_multiple_of(ALIGNMENT));
    }
}

#[test]
fn readable_answers_hold_the_numbers() {
    let shape = |dtype, output| TensorShape {
        output,
        name: format!("output{output}"),
        dtype,
        encoding: Encoding::Values,
        part: Part::All,
        rows: 1,
        width: 2,
        features: 2,
        ragged: false,
    };
    let types = [OutputType::Float32, OutputType::Float16, OutputType::Bfloat16, OutputType::Float64];
    let mut shapes: Vec<_> = types.into_iter().map(|dtype| shape(dtype, 0)).collect();
    shapes.push(shape(OutputType::Int64, 1));
    let head = Head { version: 1, fingerprint: FINGERPRINT, rows: 1 };
    let mut answer = CollectedAnswer::begin(head, &shapes, StatusDetail::Rows);
    let elements: [Vec<u8>; 5] = [
        [1.5f32, -2.0].map(f32::to_le_bytes).concat(),
        [1.5, -2.0].map(|value| half::f16::from_f64(value).to_le_bytes()).concat(),
        [1.5, -2.0].map(|value| half::bf16::from_f64(value).to_le_bytes()).concat(),
        [1.5f64, -2.0].map(f64::to_le_bytes).concat(),
        [7i64, -8].map(i64::to_le_bytes).concat(),
    ];
    for (tensor, elements) in answer.tensors().iter_mut().zip(&elements) {
        let Elements::Dense(data) = &mut tensor.elements else { panic!("all elements are there") };
        data.copy_from_slice(elements);
        tensor.status[1] = Status::Null as u8;
    }
    let message = unframed(&answer.finish(&[], &outputs()));
    for tensor in &message.outputs[..4] {
        assert_eq!(tensor.values, [1.5, -2.0]);
        assert_eq!(tensor.status_values, [0, 4]);
        assert!(tensor.data.is_empty() && tensor.status.is_empty());
    }
    assert_eq!(message.outputs[4].int64_values, [7, -8]);
}

#[test]
fn sparse_answers_hold_rows_of_their_elements() {
    let shape = |encoding, output| TensorShape {
        output,
        name: format!("output{output}"),
        dtype: OutputType::Float32,
        encoding,
        part: Part::All,
        rows: 2,
        width: 9,
        features: 1,
        ragged: false,
    };
    let shapes = [shape(Encoding::Sparse, 0), shape(Encoding::Raw, 1)];
    let head = Head { version: 1, fingerprint: FINGERPRINT, rows: 2 };
    let mut answer = CollectedAnswer::begin(head, &shapes, StatusDetail::Rows);
    let mut tensors = answer.tensors();
    let Elements::Sparse(rows) = &mut tensors[0].elements else { panic!("it is sparse") };
    rows.columns.push(7);
    rows.data.extend(1.5f32.to_le_bytes());
    rows.ends.extend([1, 1]);
    tensors[0].status[1] = Status::Null as u8;
    let message = unframed(&answer.finish(&[], &outputs()));
    let sparse = &message.outputs[0];
    assert_eq!((&sparse.shape[..], &sparse.data[..]), (&[2, 9][..], &1.5f32.to_le_bytes()[..]));
    assert_eq!(sparse.indices, 7u32.to_le_bytes()[..]);
    assert_eq!(sparse.row_offsets, [0u64, 1, 1].map(u64::to_le_bytes).concat());
    assert_eq!(sparse.status, [0, 4][..]);
    assert_eq!(message.outputs[1].data.len(), 2 * 9 * 4);
}

#[test]
fn ragged_answers_hold_elements_and_where_rows_begin() {
    let shape = |encoding, output| TensorShape {
        output,
        name: format!("output{output}"),
        dtype: OutputType::Int64,
        encoding,
        part: Part::All,
        rows: 2,
        width: 1,
        features: 1,
        ragged: true,
    };
    let shapes = [shape(Encoding::Raw, 0), shape(Encoding::Values, 1)];
    let head = Head { version: 1, fingerprint: FINGERPRINT, rows: 2 };
    let mut answer = CollectedAnswer::begin(head, &shapes, StatusDetail::Rows);
    for tensor in &mut answer.tensors() {
        let Elements::Ragged(rows) = &mut tensor.elements else { panic!("it is ragged") };
        rows.data.extend([7i64, -8, 9].map(i64::to_le_bytes).concat());
        rows.ends.extend([3, 3]);
        tensor.status[1] = Status::Null as u8;
    }
    let message = unframed(&answer.finish(&[], &outputs()));
    let [raw, readable] = &message.outputs[..] else { panic!("two tensors") };
    assert!(raw.ragged && readable.ragged);
    assert_eq!((&raw.shape[..], &readable.shape[..]), (&[3, 1][..], &[3, 1][..]));
    assert_eq!(raw.row_offsets, [0u64, 3, 3].map(u64::to_le_bytes).concat());
    assert_eq!((raw.data.len(), &raw.status[..]), (24, &[0, 4][..]));
    assert_eq!(
        (&readable.int64_values[..], &readable.row_offset_values[..]),
        (&[7, -8, 9][..], &[0, 3, 3][..])
    );
    assert!(readable.data.is_empty() && readable.row_offsets.is_empty());
}
