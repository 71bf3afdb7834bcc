//! The binding-time split: which nodes are computed when tables are loaded, once for a request, or row by row, and
//! where each feature's values come from when a row of an output is written.

use std::collections::{BTreeSet, HashMap};

use super::{
    graph::{self, Graph, Lookup, NodeId, Source},
    keys::KeyNodes,
    layout::{Feature, Output},
    segments::{Part, Segments},
};
use crate::{
    spec::{OutputType, Scope, Stale},
    table::{Form, TableSchema},
};

/// One-hot vectors at least this wide are kept as slots in records: a slot is 4 bytes, a cache line holds 16 floats.
const COMPACT_FROM: usize = 16;

/// A set of a spec's outputs: bit `i` for the output at position `i`.
pub type OutputSet = u64;

/// How a plan is run: what is prepared at load time, and the nodes and segments that are left for requests.
#[derive(Debug)]
pub struct Program {
    /// For each lookup whether its rows' records and kept nodes are prepared when its table is loaded.
    pub prepared: Vec<bool>,
    /// For each lookup the record that is kept for each row of its table; empty where nothing is.
    pub records: Vec<Record>,
    /// For each lookup the nodes whose values are kept for each row of its table, for use by nodes that are not
    /// determined by that row alone.
    pub kept: Vec<Vec<NodeId>>,
    /// For each lookup the outputs that need its row numbers.
    pub needed_lookups: Vec<OutputSet>,
    /// For each lookup whose key is computed in a request the nodes for it.
    pub keys: Vec<Option<KeyNodes>>,
    /// For each node the outputs that it is computed for in a request.
    pub needed: Vec<OutputSet>,
    /// Nodes computed once for a request, in order.
    pub request_nodes: Vec<NodeId>,
    /// Nodes computed for each block of rows, in order.
    pub row_nodes: Vec<NodeId>,
    /// Request-scope nodes that nodes of `row_nodes` read, repeated for each row of a block.
    pub broadcast: Vec<NodeId>,
    /// Those that are read as a single row, by kernels that take one.
    pub singles: Vec<NodeId>,
    /// For each output its features' sources.
    pub outputs: Vec<Vec<FeatureSource>>,
    /// For each output its dense tensor and its request-scope and row-scope parts, in the spec's type.
    segments: Vec<[Segments; 3]>,
}

/// Where a feature's values come from when a row is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeatureSource {
    /// In the record of a lookup's row; `place` is the feature's position in the record.
    Record { lookup: usize, place: usize },
    /// The vector of a table's row, widened to float32 or as it lies there.
    Vector { lookup: usize, column: usize },
    /// A node that is computed for the request or the block.
    Node(NodeId),
}

/// What is kept, ready for the wire, for each row of a lookup's table: elements of all features, then slots, then one
/// status byte for each feature, then one byte that is not 0 where any status is not 0.
#[derive(Debug, Default, Clone)]
pub struct Record {
    pub places: Vec<Place>,
    /// Where the status bytes begin.
    pub statuses: usize,
    /// Bytes in all; 0 where nothing is kept.
    pub bytes: usize,
}

/// One feature's place in a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub output: usize,
    pub feature: usize,
    /// Byte offset of its elements, or of its slot.
    pub at: usize,
    /// Whether it is kept as a one-hot slot of 4 bytes.
    pub slot: bool,
}

impl Program {
    /// Splits the graph's work; `allowed` states for each lookup whether load-time results may be kept for it.
    pub fn build(graph: &Graph, outputs: &[Output], schemas: &[TableSchema], allowed: &[bool]) -> Self {
        let count = graph.lookups.len();
        let allowed: &[bool] = &served_stale(graph, allowed);
        let mut split = Split {
            graph,
            schemas,
            allowed,
            program: Self {
                prepared: allowed.to_vec(),
                records: vec![Record::default(); count],
                kept: vec![Vec::new(); count],
                needed_lookups: vec![0; count],
                keys: vec![None; count],
                needed: vec![0; graph.nodes.len()],
                request_nodes: Vec::new(),
                row_nodes: Vec::new(),
                broadcast: Vec::new(),
                singles: Vec::new(),
                outputs: Vec::new(),
                segments: Vec::new(),
            },
            is_kept: vec![false; graph.nodes.len()],
            output: 0,
        };
        for (position, output) in outputs.iter().enumerate() {
            split.add_output(position, output.dtype, output);
        }
        let mut program = split.finish();
        for record in &mut program.records {
            record.lay_out(graph, outputs);
        }
        program.segments = all_segments(&program, outputs);
        program
    }

    /// The segments of a tensor in the spec's type.
    pub fn segments(&self, output: usize, part: Part) -> &Segments {
        &self.segments[output][part as usize]
    }

    /// Whether anything is kept for each row of a lookup's table.
    pub fn keeps_rows(&self, lookup: usize) -> bool {
        !self.records[lookup].places.is_empty() || !self.kept[lookup].is_empty()
    }

    /// Whether the rows of `lookup` follow from its parent's rows by numbers resolved at load time.
    pub fn is_resolved(&self, graph: &Graph, lookup: usize) -> bool {
        let Some(parent) = graph.lookups[lookup].parent else { return false };
        self.prepared[parent] && !graph.lookups[lookup].list
    }
}

fn all_segments(program: &Program, outputs: &[Output]) -> Vec<[Segments; 3]> {
    let of_output = |(position, output): (usize, &Output)| {
        [Part::All, Part::Request, Part::Row]
            .map(|part| Segments::build(program, position, output, part, output.dtype))
    };
    outputs.iter().enumerate().map(of_output).collect()
}

/// Without the lookups that serve rows which are too old: what is kept of a row has the statuses of a fresh one.
fn served_stale(graph: &Graph, allowed: &[bool]) -> Vec<bool> {
    let serves = |lookup: &Lookup| lookup.age.is_some_and(|age| age.stale == Stale::Serve);
    graph.lookups.iter().zip(allowed).map(|(lookup, &allowed)| allowed && !serves(lookup)).collect()
}

struct Split<'a> {
    graph: &'a Graph,
    schemas: &'a [TableSchema],
    allowed: &'a [bool],
    program: Program,
    /// For each node whether it is among the kept ones.
    is_kept: Vec<bool>,
    /// The output whose needs are being noted, as a set of one.
    output: OutputSet,
}

impl Split<'_> {
    fn add_output(&mut self, output: usize, dtype: OutputType, layout: &Output) {
        self.output = 1 << output;
        let sources = layout.features.iter().enumerate();
        let sources = sources.map(|(feature, of)| self.add_feature(output, feature, of, dtype)).collect();
        self.program.outputs.push(sources);
    }

    fn add_feature(
        &mut self,
        output: usize,
        feature: usize,
        of: &Feature,
        dtype: OutputType,
    ) -> FeatureSource {
        let of_node = &self.graph.nodes[of.node];
        match self.anchor(of.node) {
            // A record has no room for vectors or lists of different lengths.
            Some(_) if of_node.of.list || of_node.form == graph::Form::Sparse => {
                self.need_or_keep(of.node);
                FeatureSource::Node(of.node)
            }
            Some(anchor) => match self.stored_vector(of.node, dtype) {
                Some((lookup, column)) => {
                    self.need_lookup(lookup);
                    FeatureSource::Vector { lookup, column }
                }
                None => {
                    self.need_lookup(anchor);
                    self.add_to_record(anchor, output, feature)
                }
            },
            None => {
                self.need(of.node);
                FeatureSource::Node(of.node)
            }
        }
    }

    fn anchor(&self, node: NodeId) -> Option<usize> {
        self.graph.nodes[node].anchor.filter(|&lookup| self.allowed[lookup])
    }

    /// A feature that is a table's vector as it is: copied from there or widened, and never kept twice.
    fn stored_vector(&self, node: NodeId, dtype: OutputType) -> Option<(usize, usize)> {
        let Source::Column { lookup, column } = self.graph.nodes[node].source else { return None };
        let schema = &self.schemas[self.graph.lookups[lookup].table].columns[column];
        let is_final = is_final(schema.form?, dtype) && !self.graph.lookups[lookup].list;
        is_final.then_some((lookup, column))
    }

    fn add_to_record(&mut self, lookup: usize, output: usize, feature: usize) -> FeatureSource {
        let places = &mut self.program.records[lookup].places;
        places.push(Place { output, feature, at: 0, slot: false });
        FeatureSource::Record { lookup, place: places.len() - 1 }
    }

    fn need_lookup(&mut self, lookup: usize) {
        if !add_to(&mut self.program.needed_lookups[lookup], self.output) {
            return;
        }
        match self.graph.lookups[lookup].parent {
            Some(parent) if self.program.is_resolved(self.graph, lookup) => self.need_lookup(parent),
            _ => self.need_keys(lookup),
        }
    }

    /// Notes what a request needs for the keys of a lookup. They are there before any feature is computed: inputs,
    /// columns of lookups before this one, and what is computed of them.
    fn need_keys(&mut self, lookup: usize) {
        let graph = self.graph;
        let mut open = graph.lookups[lookup].keys.clone();
        let mut found = BTreeSet::new();
        while let Some(node) = open.pop() {
            if !found.insert(node) {
                continue;
            }
            match (&graph.nodes[node].source, self.keeper(node)) {
                (_, Some(anchor)) => self.keep(anchor, node),
                (Source::Input(_), _) => {}
                (Source::Column { lookup, .. } | Source::Found(lookup), _) => self.need_lookup(*lookup),
                (Source::Dense(inner), _) => open.push(*inner),
                (Source::Step { inputs, .. }, _) => open.extend(inputs),
            }
        }
        if graph.has_computed_key(lookup) && self.program.keys[lookup].is_none() {
            self.program.keys[lookup] = Some(KeyNodes::of(graph, found.into_iter()));
        }
    }

    /// Notes that a request computes `node`, after what it reads.
    fn need(&mut self, node: NodeId) {
        self.need_all(vec![node]);
    }

    /// Notes that a request computes `node`, or that its values are kept for each row of a table.
    fn need_or_keep(&mut self, node: NodeId) {
        let open = self.kept_or_open(node).into_iter().collect();
        self.need_all(open);
    }

    /// One node after the other: chains of features may be as long as a spec.
    fn need_all(&mut self, mut open: Vec<NodeId>) {
        let graph = self.graph;
        while let Some(node) = open.pop() {
            if !add_to(&mut self.program.needed[node], self.output) {
                continue;
            }
            match &graph.nodes[node].source {
                Source::Column { lookup, .. } | Source::Found(lookup) => self.need_lookup(*lookup),
                source => open.extend(source.read().iter().filter_map(|&read| self.kept_or_open(read))),
            }
        }
    }

    /// Keeps the values of a node for each row of a table, or gives the node back.
    fn kept_or_open(&mut self, node: NodeId) -> Option<NodeId> {
        let Some(anchor) = self.keeper(node) else { return Some(node) };
        add_to(&mut self.program.needed[node], self.output);
        self.keep(anchor, node);
        None
    }

    /// The lookup with whose table's rows a node's values are kept.
    fn keeper(&self, node: NodeId) -> Option<usize> {
        let of = &self.graph.nodes[node];
        // What a dense vector is made of takes less room than the vector.
        let computed = matches!(of.source, Source::Step { .. });
        self.anchor(node).filter(|_| computed && !of.of.list)
    }

    fn keep(&mut self, anchor: usize, node: NodeId) {
        self.need_lookup(anchor);
        if !std::mem::replace(&mut self.is_kept[node], true) {
            self.program.kept[anchor].push(node);
        }
    }

    fn finish(mut self) -> Program {
        let nodes = &self.graph.nodes;
        let needed = (0..nodes.len()).filter(|&node| self.program.needed[node] != 0);
        let (rows, request) = needed.partition(|&node| nodes[node].scope == Scope::Row);
        (self.program.row_nodes, self.program.request_nodes) = (rows, request);
        let repeated = repeated(self.graph, &self.program.request_nodes, &self.program.row_nodes);
        (self.program.broadcast, self.program.singles) = repeated;
        self.program
    }
}

/// The request-scope nodes that row-scope ones read: those to repeat for each row of a block, and those to read as a
/// single row.
pub fn repeated(graph: &Graph, request: &[NodeId], rows: &[NodeId]) -> (Vec<NodeId>, Vec<NodeId>) {
    // For each node that row-scope ones read, whether all of these take it as a single row.
    let mut single: HashMap<NodeId, bool> = HashMap::new();
    for &row in rows {
        for &read in graph.nodes[row].source.read() {
            *single.entry(read).or_insert(true) &= takes_single(graph, row, read);
        }
    }
    let read = request.iter().copied().filter(|node| single.contains_key(node));
    let (singles, broadcast) = read.partition(|node| single[node]);
    (broadcast, singles)
}

/// Whether a node takes one that it reads as a single row, a value or a list, beside others with more rows.
fn takes_single(graph: &Graph, node: NodeId, read: NodeId) -> bool {
    let Source::Step { kernel, inputs, .. } = &graph.nodes[node].source else { return false };
    // One input must determine the number of rows.
    let any_row = inputs.iter().any(|&input| graph.nodes[input].scope == Scope::Row);
    let mut read_at = (0..inputs.len()).filter(|&position| inputs[position] == read);
    let list = graph.nodes[read].of.list;
    any_row && if list { read_at.all(|at| kernel.takes_single_list(at)) } else { kernel.takes_single_rows() }
}

/// Whether vectors of a form are written into outputs of a type without being computed with.
fn is_final(form: Form, dtype: OutputType) -> bool {
    match dtype {
        OutputType::Float32 => form != Form::Float64,
        OutputType::Float64 => form == Form::Float64,
        OutputType::Float16 => form == Form::Float16,
        OutputType::Bfloat16 => form == Form::Bfloat16,
        OutputType::Int64 => false,
    }
}

/// Adds outputs to a set; whether any was new.
fn add_to(set: &mut OutputSet, outputs: OutputSet) -> bool {
    let before = std::mem::replace(set, *set | outputs);
    before != *set
}

impl Record {
    /// Lays the places out: elements first, in the outputs' order, then slots, statuses and the flag.
    fn lay_out(&mut self, graph: &Graph, outputs: &[Output]) {
        if self.places.is_empty() {
            return;
        }
        let mut at = 0;
        for place in &mut self.places {
            let feature = &outputs[place.output].features[place.feature];
            place.slot =
                graph.nodes[feature.node].form == graph::Form::OneHot && feature.width >= COMPACT_FROM;
            if !place.slot {
                place.at = at;
                at += feature.width * outputs[place.output].dtype.size();
            }
        }
        for place in self.places.iter_mut().filter(|place| place.slot) {
            place.at = at;
            at += size_of::<u32>();
        }
        self.statuses = at;
        self.bytes = at + self.places.len() + 1;
    }
}
