//! Plans and the plain reference give the same bytes, statuses and counts: random specs, tables and requests.

use std::{collections::BTreeMap, sync::Arc};

use quiver::{
    batch::Status,
    serve::{
        self,
        answer::{Elements, Part, RaggedRows, Report, SparseRows, TensorBuffer, TensorShape},
        outcome::Limits,
        request::{Encoding, Layout, Request, StatusDetail},
    },
    snapshot::{Binder, FeatureSet, Snapshot},
    spec::{
        OutputType,
        read::{Version, spec_from_text},
    },
    table::Table,
};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

use crate::reference::{Cell, Held, Plain, PlainInputs, Reference, rounded};
use data::{NOW, Tables, inputs, requested};
use specs::Draft;

mod data;
mod ragged;
mod specs;
mod writes;

const LIMITS: Limits =
    Limits { rows: 10_000, text_bytes: 16 << 20, list_elements: 1_000_000, answer_bytes: 64 << 20 };

/// Random worlds, each with several requests.
const SEEDS: u64 = 300;

#[test]
fn plans_and_the_reference_agree_bit_for_bit() {
    let only = std::env::var("QUIVER_SEED").ok().and_then(|seed| seed.parse().ok());
    for seed in only.map_or(0..SEEDS, |seed| seed..seed + 1) {
        let outcome = std::panic::catch_unwind(|| check_world(seed));
        assert!(outcome.is_ok(), "QUIVER_SEED={seed} shows it alone");
    }
}

fn check_world(seed: u64) {
    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
    let tables = Tables::draw(rng);
    let document = Draft::draw(rng, tables.aged).finish(&tables.served);
    let cap = [None, Some(0), Some(2000)][rng.random_range(0..3)];
    let (spec, fingerprint) = spec_from_text(&stripped(&document).to_string()).expect("a good spec");
    let version = Version { spec, fingerprint, golden: None };
    let feature_set =
        FeatureSet::build(version.clone(), &tables.served, &Binder::within(cap)).expect("a good spec");
    let snapshot = Snapshot::new([feature_set]);
    let reference = Reference { spec: &document, tables: &tables.plain, now: NOW };
    for _ in 0..4 {
        let rows = [0, 1, 2, 17, 64, 130, 530][rng.random_range(0..7)];
        let inputs = inputs(rng, rows);
        let request = requested(rng, &document, &inputs, rows);
        check_request(&snapshot, &reference, request, &inputs, rows);
    }
    check_per_row(rng, version, &document, &tables);
}

/// Where each row brings every input of its own, the values are those of a spec whose inputs all have scope row.
fn check_per_row(rng: &mut ChaCha8Rng, version: Version, document: &Value, tables: &Tables) {
    let feature_set =
        FeatureSet::build_per_row(version, &tables.served, &Binder::default()).expect("a good spec");
    let snapshot = Snapshot::new([feature_set]);
    let mut flat = document.clone();
    for input in flat["inputs"].as_array_mut().expect("inputs") {
        input["scope"] = Value::from("row");
    }
    let rows = rng.random_range(0..70);
    let mut inputs = inputs(rng, rows);
    for held in inputs.values_mut().filter(|held| held.len() != rows) {
        *held = std::iter::repeat_n(held[0].clone(), rows).collect();
    }
    let request = requested(rng, &flat, &inputs, rows);
    check_request(
        &snapshot,
        &Reference { spec: &flat, tables: &tables.plain, now: NOW },
        request,
        &inputs,
        rows,
    );
}

/// The document without the notes that only the reference reads.
fn stripped(document: &Value) -> Value {
    match document {
        Value::Object(fields) => {
            let kept = fields.iter().filter(|(name, _)| !name.starts_with('_'));
            Value::Object(kept.map(|(name, value)| (name.clone(), stripped(value))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(stripped).collect()),
        value => value.clone(),
    }
}

/// One feature of a tensor as the reference sees it, for each row.
struct Expected {
    bytes: Vec<Vec<u8>>,
    statuses: Vec<u8>,
}

fn check_request(
    snapshot: &Snapshot,
    reference: &Reference<'_>,
    request: Request,
    inputs: &PlainInputs,
    rows: usize,
) {
    let sparse = Request { encoding: Encoding::Sparse, ..request.clone() };
    let call = serve::prepare(snapshot, request, &LIMITS).expect("a good request");
    let tensors = call.tensors().to_vec();
    let mut data: Vec<Vec<u8>> = tensors.iter().map(|tensor| vec![0xa5; tensor.data_bytes()]).collect();
    let mut statuses: Vec<Vec<u8>> =
        tensors.iter().map(|tensor| vec![0xa5; tensor.status_bytes(StatusDetail::Rows)]).collect();
    let mut ragged = vec![RaggedRows::default(); tensors.len()];
    let places = data.iter_mut().zip(&mut statuses).zip(&mut ragged).zip(&tensors);
    let mut buffers: Vec<TensorBuffer<'_>> = places
        .map(|(((data, status), ragged), tensor)| TensorBuffer {
            elements: if tensor.ragged { Elements::Ragged(ragged) } else { Elements::Dense(data) },
            status,
        })
        .collect();
    let report = call.fetch(&|| false).expect("rows").run(&mut buffers, &|| false).expect("a run");
    drop(buffers);
    check_sparse(snapshot, sparse, (&data, &ragged), &statuses, &report);
    let mut counts: BTreeMap<(usize, usize), [u32; Status::COUNT]> = BTreeMap::new();
    for (position, tensor) in tensors.iter().enumerate() {
        let statuses = &statuses[position];
        if tensor.ragged {
            let of_output = ragged::Expected { reference, inputs, tensor, rows };
            of_output.check(&ragged[position], statuses, &mut counts);
        } else {
            check_tensor(reference, inputs, rows, tensor, &data[position], statuses, &mut counts);
        }
    }
    counts.retain(|_, counts| counts[1..].iter().any(|&count| count > 0));
    let reported = report.counts.iter().map(|counts| ((counts.output, counts.feature), counts.by_status));
    assert_eq!(reported.collect::<BTreeMap<_, _>>(), counts, "counts");
}

/// The same request's sparse answer: the elements of the dense one that are not zero, and the same statuses.
fn check_sparse(
    snapshot: &Snapshot,
    request: Request,
    (data, of_lists): (&[Vec<u8>], &[RaggedRows]),
    statuses: &[Vec<u8>],
    of_dense: &Report,
) {
    let call = serve::prepare(snapshot, request, &LIMITS).expect("a good request");
    let tensors = call.tensors().to_vec();
    let mut rows = vec![SparseRows::default(); tensors.len()];
    let mut status: Vec<Vec<u8>> = statuses.iter().map(|status| vec![0xa5; status.len()]).collect();
    let mut ragged = vec![RaggedRows::default(); tensors.len()];
    let buffers = rows.iter_mut().zip(&mut status).zip(&mut ragged).zip(&tensors);
    let mut buffers: Vec<_> = buffers
        .map(|(((rows, status), ragged), tensor)| TensorBuffer {
            elements: if tensor.ragged { Elements::Ragged(ragged) } else { Elements::Sparse(rows) },
            status,
        })
        .collect();
    let report = call.fetch(&|| false).expect("rows").run(&mut buffers, &|| false).expect("a run");
    assert_eq!((&report.counts, &report.lookups), (&of_dense.counts, &of_dense.lookups));
    assert_eq!(status, statuses);
    assert_eq!(ragged, of_lists);
    for ((tensor, rows), dense) in
        tensors.iter().zip(&rows).zip(data).filter(|((tensor, _), _)| !tensor.ragged)
    {
        assert_eq!(rows.ends.len(), tensor.rows);
        let size = tensor.dtype.size();
        for (row, dense) in dense.chunks_exact((tensor.width * size).max(1)).enumerate() {
            let there =
                dense.chunks_exact(size).enumerate().filter(|(_, element)| !is_zero(element, tensor.dtype));
            assert!(rows.row(row, size).eq(there), "row {row} of {tensor:?}");
        }
    }
}

fn is_zero(element: &[u8], dtype: OutputType) -> bool {
    let (last, rest) = element.split_last().expect("an element");
    let sign = if dtype == OutputType::Int64 { 0 } else { 0x80 };
    rest.iter().all(|&byte| byte == 0) && last & !sign == 0
}

fn check_tensor(
    reference: &Reference<'_>,
    inputs: &PlainInputs,
    rows: usize,
    tensor: &TensorShape,
    data: &[u8],
    statuses: &[u8],
    counts: &mut BTreeMap<(usize, usize), [u32; Status::COUNT]>,
) {
    let output = &reference.spec["outputs"][tensor.output];
    let names = crate::reference::texts(&output["features"]);
    let in_part = |name: &&String| match tensor.part {
        Part::All => true,
        Part::Request => !reference.is_row_scope(name),
        Part::Row => reference.is_row_scope(name),
    };
    let served: Vec<&String> = names.iter().filter(in_part).collect();
    assert_eq!(served.len(), tensor.features);
    let rows_here = if tensor.part == Part::Request { 1 } else { rows };
    let stride = tensor.width * tensor.dtype.size();
    let mut at = 0;
    for (place, name) in served.iter().enumerate() {
        let expected = expected(reference, inputs, name, tensor.dtype, rows_here);
        let width = expected.bytes.first().map_or(0, Vec::len);
        for row in 0..rows_here {
            let got = &data[row * stride + at..row * stride + at + width];
            let context = || format!("feature {name} of row {row}: {:#}", reference.spec);
            assert!(
                same(got, &expected.bytes[row], tensor.dtype),
                "{got:?} {:?} {}",
                expected.bytes[row],
                context()
            );
            assert_eq!(statuses[row * tensor.features + place], expected.statuses[row], "{}", context());
        }
        at += width;
        let feature = names.iter().position(|other| other == *name).expect("a feature");
        let row_scope = reference.is_row_scope(name);
        let counted = counts.entry((tensor.output, feature)).or_default();
        let once = if row_scope { rows_here } else { 1 };
        let statuses = if row_scope || rows_here > 0 {
            expected.statuses
        } else {
            self::expected(reference, inputs, name, tensor.dtype, 1).statuses
        };
        statuses[..once].iter().for_each(|&status| counted[usize::from(status & 15)] += 1);
    }
}

fn expected(
    reference: &Reference<'_>,
    inputs: &PlainInputs,
    name: &str,
    dtype: OutputType,
    rows: usize,
) -> Expected {
    let features = reference.spec["features"].as_array().expect("features");
    let feature = features.iter().find(|feature| feature["name"] == name).expect("a feature");
    let (mut bytes, mut statuses) = (Vec::new(), Vec::new());
    for row in 0..rows {
        let Held::One(Cell { value, status }) = reference.feature(name, inputs, row) else {
            panic!("a list is served")
        };
        bytes.push(value_bytes(feature, reference.spec, value, dtype));
        statuses.push(status);
    }
    Expected { bytes, statuses }
}

/// The bytes of a feature's value, of its default for a null.
fn value_bytes(feature: &Value, spec: &Value, value: Option<Plain>, dtype: OutputType) -> Vec<u8> {
    match value {
        Some(Plain::Vector(lanes)) => lanes.iter().flat_map(|&lane| float_bytes(lane, dtype)).collect(),
        Some(Plain::Ints(lanes)) => {
            lanes.iter().flat_map(|&lane| integer_bytes(lane.into(), dtype)).collect()
        }
        Some(Plain::Float(value)) => float_bytes(value, dtype),
        Some(Plain::Int(value)) => integer_bytes(value.into(), dtype),
        Some(Plain::Uint(value)) => integer_bytes(value.into(), dtype),
        Some(Plain::Bool(value)) => integer_bytes(value.into(), dtype),
        Some(Plain::Text(_)) => panic!("a text is served"),
        None => {
            let width = feature["_width"].as_u64().expect("a width") as usize;
            let default =
                feature["default"].as_f64().unwrap_or_else(|| panic!("{feature} has no default: {spec:#}"));
            (0..width).flat_map(|_| float_bytes(default, dtype)).collect()
        }
    }
}

fn float_bytes(value: f64, dtype: OutputType) -> Vec<u8> {
    match dtype {
        OutputType::Int64 => (value as i64).to_le_bytes().to_vec(),
        dtype => rounded(value, dtype.name()),
    }
}

fn integer_bytes(value: i128, dtype: OutputType) -> Vec<u8> {
    match dtype {
        OutputType::Int64 => (value as i64).to_le_bytes().to_vec(),
        dtype => rounded(value as f64, dtype.name()),
    }
}

/// The same bits lane by lane; any NaN is any other.
fn same(got: &[u8], expected: &[u8], dtype: OutputType) -> bool {
    let is_nan = |bytes: &[u8]| match dtype {
        OutputType::Float32 => f32::from_le_bytes(bytes.try_into().expect("4 bytes")).is_nan(),
        OutputType::Float64 => f64::from_le_bytes(bytes.try_into().expect("8 bytes")).is_nan(),
        OutputType::Float16 => u16::from_le_bytes([bytes[0], bytes[1]]) & 0x7fff > 0x7c00,
        OutputType::Bfloat16 => u16::from_le_bytes([bytes[0], bytes[1]]) & 0x7fff > 0x7f80,
        OutputType::Int64 => false,
    };
    let lanes = got.chunks_exact(dtype.size()).zip(expected.chunks_exact(dtype.size()));
    got.len() == expected.len() && lanes.into_iter().all(|(a, b)| a == b || (is_nan(a) && is_nan(b)))
}

/// Layouts in turn.
fn layout(rng: &mut ChaCha8Rng) -> Layout {
    if rng.random_bool(0.5) { Layout::Dense } else { Layout::Factored }
}

/// The tables as the server has them.
type Served = BTreeMap<String, Arc<Table>>;
