//! Holds the reader equal to the generated types on valid, merged, unpacked and broken bytes.

use proptest::{collection::vec, option, prelude::*};
use prost::Message;

use super::*;
use crate::{
    batch::{Strings, Values, time::TimeUnit},
    proto::column::Values as Sent,
    spec::ScalarType,
};

/// `FloatValues` and `Int64Values` as a proto2 encoder writes them, with a field that this server doesn't know.
#[derive(Clone, PartialEq, Message)]
struct UnpackedFloats {
    #[prost(float, repeated, packed = "false", tag = "1")]
    values: Vec<f32>,
    #[prost(string, tag = "900")]
    unknown: String,
}

#[derive(Clone, PartialEq, Message)]
struct UnpackedIntegers {
    #[prost(int64, repeated, packed = "false", tag = "1")]
    values: Vec<i64>,
}

#[derive(Clone, PartialEq, Message)]
struct UnpackedColumn {
    #[prost(message, optional, tag = "2")]
    floats: Option<UnpackedFloats>,
    #[prost(message, optional, tag = "4")]
    int64s: Option<UnpackedIntegers>,
    #[prost(uint32, repeated, packed = "false", tag = "10")]
    nulls: Vec<u32>,
}

#[derive(Clone, PartialEq, Message)]
struct UnpackedRequest {
    #[prost(message, repeated, tag = "4")]
    columns: Vec<UnpackedColumn>,
}

/// Writes a decoded request in the generated types again.
fn written_again(decoded: Request) -> proto::GetFeaturesRequest {
    let Request { feature_set, version, rows, columns, outputs, layout, encoding, status, now: _ } = decoded;
    let outputs = outputs.into_iter().map(|OutputWanted { name, dtype, encoding }| proto::OutputSelection {
        name,
        encoding: encoding.map_or(0, encoding_again),
        dtype: dtype.map_or(0, |dtype| match dtype {
            OutputType::Float32 => 1,
            OutputType::Float16 => 2,
            OutputType::Bfloat16 => 3,
            OutputType::Float64 => 4,
            OutputType::Int64 => 5,
        }),
    });
    let options = proto::Options {
        layout: if layout == Layout::Dense { 1 } else { 2 },
        encoding: encoding_again(encoding),
        status: match status {
            StatusDetail::Off => 1,
            StatusDetail::Counts => 2,
            StatusDetail::Rows => 3,
        },
    };
    proto::GetFeaturesRequest {
        feature_set,
        version,
        rows,
        columns: columns.into_iter().map(column_again).collect(),
        outputs: outputs.collect(),
        options: Some(options),
    }
}

fn encoding_again(encoding: Encoding) -> i32 {
    match encoding {
        Encoding::Raw => 1,
        Encoding::Values => 2,
        Encoding::Sparse => 3,
    }
}

fn column_again(column: RequestColumn) -> proto::Column {
    let RequestColumn { name, scalar, time_unit, values, indices, offsets, nulls, null_elements } = column;
    let time_unit = time_unit
        .map_or(0, |unit| 1 + TimeUnit::ALL.iter().position(|known| *known == unit).expect("known") as i32);
    let text = |strings: &Strings| strings.iter().map(str::to_owned).collect();
    let values = match (scalar, values, indices) {
        (ScalarType::Float32, Values::Float64(values), None) => {
            Sent::Floats(proto::FloatValues { values: values.iter().map(|&value| value as f32).collect() })
        }
        (ScalarType::Float64, Values::Float64(values), None) => Sent::Doubles(proto::DoubleValues { values }),
        (ScalarType::Int64, Values::Int64(values), None) => Sent::Int64s(proto::Int64Values { values }),
        (ScalarType::Uint64, Values::Uint64(values), None) => Sent::Uint64s(proto::Uint64Values { values }),
        (ScalarType::Bool, Values::Bool(values), None) => Sent::Bools(proto::BoolValues { values }),
        (ScalarType::String, Values::String(values), None) => {
            Sent::Strings(proto::StringValues { values: text(&values) })
        }
        (ScalarType::String, Values::String(values), Some(indices)) => {
            Sent::Dictionary(proto::DictionaryValues { dictionary: text(&values), indices })
        }
        other => panic!("values of a wrong type: {other:?}"),
    };
    let list = offsets.map(|offsets| proto::ListOffsets { offsets });
    proto::Column { name, values: Some(values), list, nulls, null_elements, time_unit }
}

/// What the generated types say, with the unspecified options named.
fn by_generated_types(bytes: &[u8]) -> Option<proto::GetFeaturesRequest> {
    let mut request = proto::GetFeaturesRequest::decode(bytes).ok()?;
    let options = request.options.get_or_insert_default();
    for option in [&mut options.layout, &mut options.encoding, &mut options.status] {
        *option = (*option).max(1);
    }
    Some(request)
}

fn check_equal(bytes: Vec<u8>) {
    let expect = by_generated_types(&bytes).expect("the bytes are valid");
    let decoded = decode(&Bytes::from(bytes), usize::MAX).expect("the bytes are valid");
    assert_eq!(format!("{:?}", written_again(decoded)), format!("{expect:?}"));
}

fn any_float() -> impl Strategy<Value = f32> {
    prop_oneof![-1e9f32..1e9, Just(f32::NAN), Just(f32::INFINITY), Just(-0.0)]
}

fn any_text() -> impl Strategy<Value = String> {
    "[a-zé€😀]{0,6}"
}

fn any_values() -> impl Strategy<Value = Sent> {
    prop_oneof![
        vec(any_float(), 0..40).prop_map(|values| Sent::Floats(proto::FloatValues { values })),
        vec(-1e300..1e300, 0..40).prop_map(|values| Sent::Doubles(proto::DoubleValues { values })),
        vec(any::<i64>(), 0..40).prop_map(|values| Sent::Int64s(proto::Int64Values { values })),
        vec(any::<u64>(), 0..40).prop_map(|values| Sent::Uint64s(proto::Uint64Values { values })),
        vec(any::<bool>(), 0..40).prop_map(|values| Sent::Bools(proto::BoolValues { values })),
        vec(any_text(), 0..20).prop_map(|values| Sent::Strings(proto::StringValues { values })),
        (vec(any_text(), 0..9), vec(any::<u32>(), 0..20)).prop_map(|(dictionary, indices)| Sent::Dictionary(
            proto::DictionaryValues { dictionary, indices }
        )),
    ]
}

prop_compose! {
    fn any_column()(
        name in any_text(),
        values in any_values(),
        list in option::of(vec(any::<u32>(), 0..9)),
        nulls in vec(any::<u32>(), 0..9),
        null_elements in vec(any::<u32>(), 0..9),
        time_unit in 0..6i32,
    ) -> proto::Column {
        let list = list.map(|offsets| proto::ListOffsets { offsets });
        proto::Column { name, values: Some(values), list, nulls, null_elements, time_unit }
    }
}

prop_compose! {
    fn any_request()(
        feature_set in any_text(),
        version in any::<u32>(),
        rows in option::of(any::<u32>()),
        columns in vec(any_column(), 0..6),
        outputs in vec((any_text(), 0..6i32, 0..4i32), 0..4),
        options in option::of((0..3i32, 0..4i32, 0..4i32)),
    ) -> proto::GetFeaturesRequest {
        let outputs = outputs.into_iter();
        let outputs = outputs
            .map(|(name, dtype, encoding)| proto::OutputSelection { name, dtype, encoding })
            .collect();
        let options = options.map(|(layout, encoding, status)| proto::Options { layout, encoding, status });
        proto::GetFeaturesRequest { feature_set, version, rows, columns, outputs, options }
    }
}

proptest! {
    #[test]
    fn valid_requests_decode_as_by_the_generated_types(request in any_request()) {
        check_equal(request.encode_to_vec());
    }

    #[test]
    fn requests_one_after_the_other_are_merged(first in any_request(), second in any_request()) {
        let mut bytes = first.encode_to_vec();
        bytes.extend(second.encode_to_vec());
        check_equal(bytes);
    }

    #[test]
    fn the_parts_of_a_column_are_merged(first in any_column(), second in any_column()) {
        let mut column = first.encode_to_vec();
        column.extend(second.encode_to_vec());
        let mut bytes = vec![4 << 3 | 2];
        prost::encode_length_delimiter(column.len(), &mut bytes).expect("a vector grows");
        bytes.extend(column);
        check_equal(bytes);
    }

    #[test]
    fn unpacked_values_are_read(
        floats in vec(any_float(), 0..9), integers in vec(any::<i64>(), 0..9), nulls in vec(any::<u32>(), 0..9),
    ) {
        let floats = Some(UnpackedFloats { values: floats, unknown: "later".to_owned() });
        let int64s = Some(UnpackedIntegers { values: integers });
        let columns = vec![
            UnpackedColumn { floats, int64s: None, nulls },
            UnpackedColumn { floats: None, int64s, nulls: Vec::new() },
        ];
        check_equal(UnpackedRequest { columns }.encode_to_vec());
    }

    #[test]
    fn broken_bytes_are_rejected_without_a_panic(
        request in any_request(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>(),
    ) {
        let mut bytes = request.encode_to_vec();
        if !bytes.is_empty() {
            let at = at.index(bytes.len());
            if cut { bytes.truncate(at) } else { bytes[at] = byte }
        }
        check_same_or_refused(bytes);
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in vec(any::<u8>(), 0..64)) {
        check_same_or_refused(bytes);
    }
}

fn check_same_or_refused(bytes: Vec<u8>) {
    let expect = by_generated_types(&bytes);
    match (decode(&Bytes::from(bytes), usize::MAX), expect) {
        (Ok(decoded), Some(expect)) => {
            assert_eq!(format!("{:?}", written_again(decoded)), format!("{expect:?}"));
        }
        (Ok(_), None) | (Err(_), _) => {}
    }
}

#[test]
fn every_problem_is_told_with_its_field() {
    let options = proto::Options { layout: 7, encoding: 8, status: 0 };
    let outputs = vec![proto::OutputSelection { name: "dense".to_owned(), dtype: 77, encoding: 9 }];
    let request =
        proto::GetFeaturesRequest { outputs, options: Some(options), ..proto::GetFeaturesRequest::default() };
    let mut bytes = request.encode_to_vec();
    bytes.extend([0x0a, 1, 0xff]); // feature_set
    bytes.extend([0x22, 3, 0x0a, 1, b'a']); // a column without values
    bytes.extend([0x22, 5, 0x12, 3, 0x0a, 1, 0]); // floats of one byte
    bytes.extend([0x22, 7, 0x3a, 5, 0x0a, 0, 0x0a, 1, 0xc3]); // half a character
    let problems = decode(&bytes.into(), usize::MAX).expect_err("much is wrong");
    let expect = [
        "outputs[0].dtype: 77 is not a value of DataType",
        "outputs[0].encoding: 9 is not a value of Encoding",
        "feature_set: not valid UTF-8",
        "columns[0]: no values: one of floats, doubles, int64s, uint64s, bools, strings and dictionary is needed",
        "columns[1].floats: malformed protobuf: packed values end within a value",
        "columns[2].strings.values[1]: not valid UTF-8",
        "options.layout: 7 is not a value of Layout",
        "options.encoding: 8 is not a value of Encoding",
    ];
    let reported: Vec<_> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(reported, expect);
}
