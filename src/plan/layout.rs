//! Where each feature lies in the tensors.

use std::collections::{HashMap, HashSet};

use super::graph::{Graph, NodeId};
use crate::{
    batch::Element,
    problem::Problems,
    spec::{self, OutputType, Scope, Spec, golden::Golden},
    transform::parameters::PerLane,
};

/// One output's tensor.
#[derive(Debug)]
pub struct Output {
    pub name: String,
    pub dtype: OutputType,
    /// Columns of the dense tensor.
    pub width: usize,
    /// Columns of the factored layout's request-scope part; the row-scope part has the others.
    pub request_width: usize,
    /// In the tensor's order.
    pub features: Vec<Feature>,
    /// Whether its features are lists, of which the tensor has the elements.
    pub ragged: bool,
}

/// One feature's place in an output.
#[derive(Debug)]
pub struct Feature {
    pub name: String,
    pub node: NodeId,
    /// First column in the dense tensor.
    pub offset: usize,
    /// First column in its part of the factored layout.
    pub part_offset: usize,
    pub width: usize,
    pub scope: Scope,
    /// What is written for a null, one value for each column; none where the result is never null.
    pub default: Vec<f64>,
    /// The full names of its columns, where the spec gives them.
    pub column_names: Vec<String>,
}

/// Lays out all outputs and checks what they need of their features.
pub fn lay_out(spec: &Spec, graph: &Graph) -> Result<Vec<Output>, Problems> {
    let mut problems = Problems::none();
    if spec.outputs.is_empty() {
        problems.add("outputs", "must not be empty");
    }
    let positions =
        spec.features.iter().enumerate().map(|(position, feature)| (feature.name.as_str(), position));
    let positions: HashMap<&str, usize> = positions.collect();
    let outputs = 0..spec.outputs.len();
    let outputs = outputs.map(|at| output(spec, graph, at, &positions, &mut problems)).collect();
    let all_served: HashSet<&String> = spec.outputs.iter().flat_map(|output| &output.features).collect();
    for (position, feature) in spec.features.iter().enumerate() {
        let served = all_served.contains(&feature.name);
        if feature.default.is_some() && !served {
            let message = "is for features in an output only: features that read this one see its null";
            problems.add(format!("features[{position}].default"), message);
        }
        if feature.columns.is_some() && !served {
            problems.add(format!("features[{position}].columns"), "are for features in an output only");
        }
    }
    problems.or(outputs)
}

fn output(
    spec: &Spec,
    graph: &Graph,
    position: usize,
    positions: &HashMap<&str, usize>,
    problems: &mut Problems,
) -> Output {
    let written = &spec.outputs[position];
    let mut output = Output {
        name: written.name.clone(),
        dtype: written.dtype,
        width: 0,
        request_width: 0,
        features: Vec::new(),
        ragged: written.ragged,
    };
    if written.features.is_empty() {
        problems.add(format!("outputs[{position}].features"), "must not be empty");
    }
    let mut row_width = 0;
    let (mut seen, mut column_names) = (HashSet::new(), HashSet::new());
    for (place, name) in written.features.iter().enumerate() {
        let path = format!("outputs[{position}].features[{place}]");
        let Some(&at) = positions.get(name.as_str()) else {
            problems.add(path, format!("there is no feature {name:?}"));
            continue;
        };
        if !seen.insert(name) {
            problems.add(path.clone(), format!("{name:?} is there twice"));
        }
        let node = graph.features[at];
        let of = &graph.nodes[node];
        check_type(&path, name, graph, node, written, problems);
        let default = default(spec, at, graph, node, problems);
        let width = of.of.lanes();
        let columns = spec.features[at].columns.as_deref().unwrap_or_default();
        check_columns(spec, at, width, &mut column_names, problems);
        let part = if of.scope == Scope::Request { &mut output.request_width } else { &mut row_width };
        let part_offset = *part;
        *part += width;
        let feature = Feature {
            name: name.clone(),
            node,
            offset: output.width,
            part_offset,
            width,
            scope: of.scope,
            default,
            column_names: columns.to_vec(),
        };
        output.width += width;
        output.features.push(feature);
    }
    output
}

/// Checks a feature's names of columns; `seen` are those of the features before it in the same output.
fn check_columns<'a>(
    spec: &'a Spec,
    position: usize,
    width: usize,
    seen: &mut HashSet<&'a str>,
    problems: &mut Problems,
) {
    let Some(columns) = &spec.features[position].columns else { return };
    let path = format!("features[{position}].columns");
    if columns.len() != width {
        let message = format!("are {}; the feature has {width}", columns.len());
        problems.add(path.as_str(), message);
    }
    for (lane, name) in columns.iter().enumerate() {
        if !seen.insert(name) {
            problems.add(format!("{path}[{lane}]"), format!("{name:?} is there twice in one output"));
        }
    }
}

fn check_type(
    path: &str,
    name: &str,
    graph: &Graph,
    node: NodeId,
    &spec::Output { dtype, ragged, .. }: &spec::Output,
    problems: &mut Problems,
) {
    let of = graph.nodes[node].of;
    if of.element == Element::String {
        problems.add(path, format!("feature {name:?} is {of}: an output holds numbers of a fixed width"));
    } else if of.list && !ragged {
        let message = format!(
            "feature {name:?} is {of}: an output holds numbers of a fixed width, or with \"ragged\" lists of them"
        );
        problems.add(path, message);
    } else if ragged && !of.list {
        problems.add(path, format!("feature {name:?} is {of}: a ragged output holds lists"));
    } else if of.element.time().is_some() && dtype != OutputType::Int64 {
        let message = format!(
            "feature {name:?} is {of}: an int64 output holds its count; a \"cast\" step, \"age\" or \"time_parts\" makes a number of it"
        );
        problems.add(path, message);
    } else if dtype == OutputType::Int64 && !fits_int64(of.element) {
        problems.add(path, format!("feature {name:?} is {of}: an int64 output holds int64, bool and times"));
    }
}

/// Whether an int64 output can hold a feature of this type.
pub fn fits_int64(element: Element) -> bool {
    matches!(element, Element::Int64 | Element::Bool | Element::Time(_))
}

fn default(spec: &Spec, position: usize, graph: &Graph, node: NodeId, problems: &mut Problems) -> Vec<f64> {
    let of = graph.nodes[node].of;
    let path = format!("features[{position}].default");
    // Of lists that differ in length, the shorter ends in defaults.
    match (&spec.features[position].default, of.nullable || of.list) {
        (None, true) => {
            problems.add(path, "is missing: the result can be null, and an output needs a value then");
            Vec::new()
        }
        (Some(_), false) => {
            problems.add(path, "is never served: the result can't be null");
            Vec::new()
        }
        (None, false) => Vec::new(),
        (Some(default), true) => checked_default(default, &path, of.lanes(), of.element, problems),
    }
}

fn checked_default(
    default: &PerLane,
    path: &str,
    lanes: usize,
    element: Element,
    problems: &mut Problems,
) -> Vec<f64> {
    let before = problems.len();
    let integer = element != Element::Float64;
    let (expected, good): (_, fn(f64) -> bool) = if integer {
        // Beyond 2^53 float64 can't distinguish one integer from the next.
        ("must be an integer within 2^53", |value| {
            value.fract() == 0.0 && value.abs() <= 9_007_199_254_740_992.0
        })
    } else {
        ("", |_| true)
    };
    default.check(path, lanes, expected, good, problems);
    if problems.len() > before { Vec::new() } else { (0..lanes).map(|lane| default.get(lane)).collect() }
}

/// Whether golden rows name outputs and inputs that exist; their shapes are checked where they run.
pub fn check_golden_names(golden: &Golden, spec: &Spec) -> Result<(), Problems> {
    let mut problems = Problems::none();
    let inputs: HashSet<&String> = spec.inputs.iter().map(|input| &input.name).collect();
    for (position, case) in golden.cases.iter().enumerate() {
        for name in case.inputs.keys().filter(|name| !inputs.contains(name)) {
            problems.add(format!("cases[{position}].inputs"), format!("there is no input {name:?}"));
        }
        for name in case.outputs.keys().filter(|name| spec.outputs.iter().all(|output| &output.name != *name))
        {
            problems.add(format!("cases[{position}].outputs"), format!("there is no output {name:?}"));
        }
    }
    problems.or(())
}
