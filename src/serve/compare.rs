//! Computes a request with two versions and compares their features.

use std::sync::Arc;

use half::{bf16, f16};

use super::{
    Call,
    answer::{Elements, Part, TensorBuffer, TensorShape},
    outcome::{Limits, Refusal},
    prepare_with,
    request::{Encoding, Layout, OutputWanted, Request, StatusDetail},
};
use crate::{
    plan::layout::{Feature, Output},
    policy::findings::{Comparison, Difference, FeatureDifference},
    snapshot::FeatureSet,
    spec::OutputType,
};

/// Why two versions could not be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incomparable {
    /// The shadow rejects the request.
    Shadow(Refusal),
    /// The version that answered would not answer again: the request ran out of its deadline or a limit.
    Served(Refusal),
}

/// Computes `request` with both versions and compares the features that both have, by the names of output and feature.
pub fn compare(
    served: &Arc<FeatureSet>,
    shadow: &Arc<FeatureSet>,
    request: Request,
    limits: &Limits,
) -> Result<Comparison, Incomparable> {
    let outputs = common_outputs(served, shadow, &request);
    if outputs.is_empty() {
        return Ok(Comparison::default());
    }
    let (layout, encoding, status) = (Layout::Dense, Encoding::Raw, StatusDetail::Off);
    let request = Request { outputs, layout, encoding, status, ..request };
    let before = Computed::of(served, request.clone(), limits).map_err(Incomparable::Served)?;
    let after = Computed::of(shadow, request, limits).map_err(Incomparable::Shadow)?;
    let tensors = before.tensors.iter().zip(&after.tensors);
    let features = tensors.flat_map(|(before, after)| {
        let (served_output, shadow_output) =
            (&served.plan().outputs[before.0.output], &shadow.plan().outputs[after.0.output]);
        let pairs = pairs(served_output, shadow_output);
        pairs.filter_map(|pair| differences(served, pair, before, after)).collect::<Vec<_>>()
    });
    Ok(Comparison { rows: before.rows as u64, features: features.collect() })
}

/// The outputs that the request asks for and both versions have; ragged ones are not compared.
fn common_outputs(served: &FeatureSet, shadow: &FeatureSet, request: &Request) -> Vec<OutputWanted> {
    let has = |name: &str| shadow.plan().outputs.iter().any(|output| output.name == name && !output.ragged);
    let asked = |name: &str| request.outputs.is_empty() || request.outputs.iter().any(|of| of.name == name);
    let dense = served.plan().outputs.iter().filter(|output| !output.ragged);
    let common = dense.map(|output| output.name.as_str()).filter(|name| has(name) && asked(name));
    common.map(|name| OutputWanted { name: name.to_owned(), dtype: None, encoding: None }).collect()
}

/// The tensors of one version with their elements.
struct Computed {
    rows: usize,
    tensors: Vec<(TensorShape, Vec<u8>)>,
}

impl Computed {
    fn of(feature_set: &Arc<FeatureSet>, request: Request, limits: &Limits) -> Result<Self, Refusal> {
        let call: Call = prepare_with(feature_set, request, limits)?;
        let call = call.fetch(&|| false)?;
        let rows = call.call().rows();
        let shapes = call.call().tensors().iter().filter(|shape| shape.part == Part::All).cloned();
        let mut tensors: Vec<_> = shapes.map(|shape| (shape.clone(), vec![0; shape.data_bytes()])).collect();
        let mut buffers: Vec<TensorBuffer<'_>> = Vec::new();
        for (_, data) in &mut tensors {
            buffers.push(TensorBuffer { elements: Elements::Dense(data), status: &mut [] });
        }
        call.run_uncounted(&mut buffers, &|| false)?;
        drop(buffers);
        Ok(Self { rows, tensors })
    }
}

/// The features of the same name and width.
fn pairs<'a>(served: &'a Output, shadow: &'a Output) -> impl Iterator<Item = (&'a Feature, &'a Feature)> {
    served.features.iter().filter_map(|before| {
        let after = shadow.features.iter().find(|after| after.name == before.name)?;
        (after.width == before.width).then_some((before, after))
    })
}

/// How one feature differs, if it does.
fn differences(
    served: &FeatureSet,
    (before, after): (&Feature, &Feature),
    (before_shape, before_data): &(TensorShape, Vec<u8>),
    (after_shape, after_data): &(TensorShape, Vec<u8>),
) -> Option<FeatureDifference> {
    let mut rows = 0;
    let mut first = None;
    for row in 0..before_shape.rows {
        let different = (0..before.width).find_map(|column| {
            let one = element(before_shape, before_data, row, before.offset + column);
            let other = element(after_shape, after_data, row, after.offset + column);
            (!one.equals(other)).then_some((column, one, other))
        });
        let Some((column, one, other)) = different else { continue };
        rows += 1;
        first.get_or_insert_with(|| Difference {
            output: before_shape.name.clone(),
            feature: before.name.clone(),
            row: row as u32,
            column: column as u32,
            served_version: served.version(),
            served: one.as_f64(),
            shadow: other.as_f64(),
        });
    }
    first.map(|first| FeatureDifference { rows, first })
}

/// One element of a tensor.
#[derive(Debug, Clone, Copy)]
enum Element {
    /// Every float type is exact in 64 bits.
    Float(f64),
    Int64(i64),
}

impl Element {
    /// The same bits, or NaN both.
    fn equals(self, other: Self) -> bool {
        match (self, other) {
            (Self::Int64(one), Self::Int64(other)) => one == other,
            (one, other) => {
                let (one, other) = (one.as_f64(), other.as_f64());
                one.to_bits() == other.to_bits() || (one.is_nan() && other.is_nan())
            }
        }
    }

    fn as_f64(self) -> f64 {
        match self {
            Self::Float(value) => value,
            Self::Int64(value) => value as f64,
        }
    }
}

fn element(shape: &TensorShape, data: &[u8], row: usize, column: usize) -> Element {
    let start = (row * shape.width + column) * shape.dtype.size();
    let bytes = &data[start..start + shape.dtype.size()];
    match (shape.dtype, bytes) {
        (OutputType::Int64, bytes) => Element::Int64(i64::from_le_bytes(array(bytes))),
        (OutputType::Float64, bytes) => Element::Float(f64::from_le_bytes(array(bytes))),
        (OutputType::Float32, bytes) => Element::Float(f32::from_le_bytes(array(bytes)).into()),
        (OutputType::Float16, bytes) => Element::Float(f16::from_le_bytes(array(bytes)).into()),
        (OutputType::Bfloat16, bytes) => Element::Float(bf16::from_le_bytes(array(bytes)).into()),
    }
}

/// The bytes of one element, of which there are as many as its type has.
fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(bytes);
    array
}
