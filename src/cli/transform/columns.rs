//! Tensors as columns of a file: one for each of their columns, or one for each tensor.

use std::collections::HashMap;

use half::bf16;

use super::Arrangement;
use crate::{
    files::{Cells, WrittenColumn, WrittenType},
    plan::{
        Plan,
        layout::{Feature, Output},
    },
    problem::Problems,
    serve::answer::TensorShape,
    spec::OutputType,
};

/// A filled tensor.
#[derive(Debug, Clone, Copy)]
pub struct Tensor<'a> {
    pub shape: &'a TensorShape,
    pub data: &'a [u8],
    pub status: &'a [u8],
}

/// The columns of the file.
#[derive(Debug)]
pub struct Columns(Vec<NamedColumn>);

#[derive(Debug)]
struct NamedColumn {
    written: WrittenColumn,
    output: usize,
    source: Source,
}

/// What of an output's tensor a column holds.
#[derive(Debug, Clone, Copy)]
enum Source {
    Lane(usize),
    Whole,
    /// The statuses of one feature.
    Status(usize),
    Statuses,
}

impl Columns {
    /// The columns of all outputs of a plan; a name that would be there twice, and a ragged output, is a problem.
    pub fn of(plan: &Plan, arrangement: Arrangement, status: bool) -> Result<Self, Problems> {
        let mut problems = Problems::none();
        for output in plan.outputs.iter().filter(|output| output.ragged) {
            let message = "is ragged: a file has one value in a row and column, not any number of them";
            problems.add(format!("outputs.{}", output.name), message);
        }
        problems.or(())?;
        let mut columns = Vec::new();
        for (position, output) in plan.outputs.iter().enumerate() {
            match arrangement {
                Arrangement::Each => add_each(plan, position, status, &mut columns),
                Arrangement::Outputs => add_whole(output, position, status, &mut columns),
            }
        }
        tell_apart(plan, &mut columns);
        let mut problems = Problems::none();
        let counts = counts(&columns);
        for (name, count) in counts.iter().filter(|(_, count)| **count > 1) {
            problems.add("", format!("{count} columns would be named {name:?}"));
        }
        problems.or(Self(columns))
    }

    /// Bytes of one row of all columns.
    pub fn row_bytes(&self) -> usize {
        self.0.iter().map(|column| column.written.of.bytes() * column.written.width.unwrap_or(1)).sum()
    }

    /// The names of an output's columns, in the order of its tensor.
    pub fn names_of(&self, output: usize) -> impl Iterator<Item = &str> {
        let of_output = self.0.iter().filter(move |column| column.output == output);
        of_output.map(|column| column.written.name.as_str())
    }

    pub fn written(&self) -> Vec<WrittenColumn> {
        self.0.iter().map(|column| column.written.clone()).collect()
    }

    /// The elements of every column; `tensors` are those of all outputs, in order.
    pub fn cells(&self, tensors: &[Tensor<'_>]) -> Vec<Cells> {
        self.0.iter().map(|column| column.cells(tensors[column.output])).collect()
    }
}

fn add_each(plan: &Plan, position: usize, status: bool, columns: &mut Vec<NamedColumn>) {
    let output = &plan.outputs[position];
    let of = written_type(output.dtype);
    let mut add = |name: String, of: WrittenType, source: Source| {
        let written = WrittenColumn { name, of, width: None };
        columns.push(NamedColumn { written, output: position, source });
    };
    for (at, feature) in output.features.iter().enumerate() {
        let lane_names = &plan.graph.nodes[feature.node].lane_names;
        for lane in 0..feature.width {
            add(lane_name(feature, lane_names, lane), of, Source::Lane(feature.offset + lane));
        }
        if status {
            add(format!("{}.status", feature.name), WrittenType::Uint8, Source::Status(at));
        }
    }
}

/// The full name that the spec gives; else `bid`, `ad_category[food]`, `ad_vector[17]`.
fn lane_name(feature: &Feature, lane_names: &[String], lane: usize) -> String {
    if let Some(name) = feature.column_names.get(lane) {
        return name.clone();
    }
    match lane_names.get(lane) {
        _ if feature.width == 1 => feature.name.clone(),
        Some(name) => format!("{}[{name}]", feature.name),
        None => format!("{}[{lane}]", feature.name),
    }
}

fn add_whole(output: &Output, position: usize, status: bool, columns: &mut Vec<NamedColumn>) {
    let mut add = |name: String, of: WrittenType, width: usize, source: Source| {
        let written = WrittenColumn { name, of, width: Some(width) };
        columns.push(NamedColumn { written, output: position, source });
    };
    add(output.name.clone(), written_type(output.dtype), output.width, Source::Whole);
    if status {
        add(format!("{}.status", output.name), WrittenType::Uint8, output.features.len(), Source::Statuses);
    }
}

/// Puts the output's name before columns that two outputs have.
fn tell_apart(plan: &Plan, columns: &mut [NamedColumn]) {
    let counts = counts(columns);
    for column in columns.iter_mut().filter(|column| counts[&column.written.name] > 1) {
        column.written.name = format!("{}.{}", plan.outputs[column.output].name, column.written.name);
    }
}

fn counts(columns: &[NamedColumn]) -> HashMap<String, usize> {
    let mut counts = HashMap::new();
    columns.iter().for_each(|column| *counts.entry(column.written.name.clone()).or_default() += 1);
    counts
}

/// Arrow has no bfloat16; float32 holds each of its values.
fn written_type(dtype: OutputType) -> WrittenType {
    match dtype {
        OutputType::Float16 => WrittenType::Float16,
        OutputType::Float32 | OutputType::Bfloat16 => WrittenType::Float32,
        OutputType::Float64 => WrittenType::Float64,
        OutputType::Int64 => WrittenType::Int64,
    }
}

impl NamedColumn {
    fn cells(&self, tensor: Tensor<'_>) -> Cells {
        let TensorShape { dtype, width, features, .. } = *tensor.shape;
        let size = dtype.size();
        match self.source {
            Source::Whole => elements(dtype, tensor.data.chunks_exact(size)),
            Source::Lane(lane) => {
                let rows = tensor.data.chunks_exact((width * size).max(1));
                elements(dtype, rows.map(|row| &row[lane * size..(lane + 1) * size]))
            }
            Source::Statuses => Cells::Uint8(tensor.status.to_vec()),
            Source::Status(feature) => {
                Cells::Uint8(tensor.status.chunks_exact(features.max(1)).map(|row| row[feature]).collect())
            }
        }
    }
}

fn elements<'a>(dtype: OutputType, elements: impl Iterator<Item = &'a [u8]>) -> Cells {
    match dtype {
        OutputType::Float16 => {
            Cells::Float16(elements.map(|bytes| half::f16::from_le_bytes(sized(bytes))).collect())
        }
        OutputType::Bfloat16 => {
            Cells::Float32(elements.map(|bytes| bf16::from_le_bytes(sized(bytes)).to_f32()).collect())
        }
        OutputType::Float32 => {
            Cells::Float32(elements.map(|bytes| f32::from_le_bytes(sized(bytes))).collect())
        }
        OutputType::Float64 => {
            Cells::Float64(elements.map(|bytes| f64::from_le_bytes(sized(bytes))).collect())
        }
        OutputType::Int64 => Cells::Int64(elements.map(|bytes| i64::from_le_bytes(sized(bytes))).collect()),
    }
}

/// The bytes of one element, of the size that its type has.
fn sized<const SIZE: usize>(bytes: &[u8]) -> [u8; SIZE] {
    let mut element = [0; SIZE];
    element.copy_from_slice(bytes);
    element
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, sync::Arc};

    use super::*;
    use crate::serve::request::Encoding;
    use crate::{plan::segments::Part, spec::read::spec_from_text};

    fn plan(outputs: &str) -> Plan {
        plan_with("", outputs)
    }

    /// A plan whose one-hot feature has more fields.
    fn plan_with(fields: &str, outputs: &str) -> Plan {
        let text = format!(
            r#"{{"format": "quiver.spec/1", "name": "s", "version": 1, "inputs": [
            {{"name": "a", "dtype": "float64", "scope": "row", "required": false, "nan": "null"}},
            {{"name": "k", "dtype": "string", "scope": "row", "required": false}}],
            "features": [{{"name": "a", "input": "a", "default": 0}}, {{"name": "k", "input": "k", {fields} "steps": [
                {{"op": "one_hot", "categories": ["x", "y"], "infrequent": [], "drop": "none", "unknown": "zeros",
                  "null": "zeros"}}]}}],
            "outputs": {outputs}}}"#
        );
        let (spec, _) = spec_from_text(&text).unwrap_or_else(|problems| panic!("{problems}"));
        Plan::compile(Arc::new(spec), &BTreeMap::new()).unwrap_or_else(|problems| panic!("{problems}"))
    }

    fn names(plan: &Plan, arrangement: Arrangement, status: bool) -> Vec<String> {
        let columns = Columns::of(plan, arrangement, status).expect("names differ");
        columns.written().into_iter().map(|column| column.name).collect()
    }

    const ONE: &str = r#"[{"name": "dense", "dtype": "float32", "features": ["a", "k"]}]"#;
    const TWO: &str = r#"[{"name": "dense", "dtype": "float32", "features": ["a", "k"]},
        {"name": "more", "dtype": "float16", "features": ["a"]}]"#;

    #[test]
    fn columns_are_named_by_features_and_lanes() {
        assert_eq!(names(&plan(ONE), Arrangement::Each, false), ["a", "k[x]", "k[y]"]);
        assert_eq!(
            names(&plan(TWO), Arrangement::Each, true),
            ["dense.a", "dense.a.status", "k[x]", "k[y]", "k.status", "more.a", "more.a.status"]
        );
        assert_eq!(
            names(&plan(TWO), Arrangement::Outputs, true),
            ["dense", "dense.status", "more", "more.status"]
        );
        let named = plan_with(r#""columns": ["cat__k.x", "cat__k_y"],"#, ONE);
        assert_eq!(names(&named, Arrangement::Each, false), ["a", "cat__k.x", "cat__k_y"]);
    }

    #[test]
    fn cells_are_the_tensors_elements() {
        let (plan, floats) = (plan(ONE), [0.5_f32, 1.0, -0.0, 7.5, 0.0, 1.0]);
        let data: Vec<u8> = floats.iter().flat_map(|value| value.to_le_bytes()).collect();
        let shape = TensorShape {
            output: 0,
            name: "dense".to_owned(),
            dtype: OutputType::Float32,
            encoding: Encoding::Raw,
            part: Part::All,
            rows: 2,
            width: 3,
            features: 2,
            ragged: false,
        };
        let tensors = [Tensor { shape: &shape, data: &data, status: &[0, 4, 5, 0] }];
        let cells = |arrangement| Columns::of(&plan, arrangement, true).expect("good").cells(&tensors);
        let each = cells(Arrangement::Each);
        assert_eq!(each[0], Cells::Float32(vec![0.5, 7.5]));
        assert_eq!(each[1], Cells::Uint8(vec![0, 5]));
        assert_eq!(each[3], Cells::Float32(vec![-0.0, 1.0]));
        let whole = cells(Arrangement::Outputs);
        assert_eq!(whole, [Cells::Float32(floats.to_vec()), Cells::Uint8(vec![0, 4, 5, 0])]);
    }
}
