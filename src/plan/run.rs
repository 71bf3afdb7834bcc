//! Request time: from row numbers to filled tensors, block by block, with no allocation for a row or a value.

use std::{borrow::Cow, ops::Range};

use super::{
    MAX_OUTPUTS, Plan, Tables,
    evaluate::{Evaluator, over_dictionaries},
    fetch::{Finder, Inputs, Rows},
    fill::{Block, TILE},
    filling::Filling,
    graph::{Graph, NodeId},
    prepare::Prepared,
    program::{OutputSet, Program},
    segments::{Part, Segments},
    sparse::{Full, Room},
};
use crate::{
    batch::{Column, Status},
    table::RowNumber,
};

pub use super::filling::{Elements, Target};

/// Rows computed at a time: their values stay in the first caches between kernels and writing.
const BLOCK: usize = 512;

/// Elements of a request's list in all rows of a block, beside each of which it is repeated, and lanes of vectors.
const REPEATED_ELEMENTS: usize = 1 << 20;

/// How often a feature of an output had each status. A request-scope feature counts once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeatureCounts {
    /// The output's position in the spec.
    pub output: usize,
    /// The position among that output's features.
    pub feature: usize,
    /// Rows by the status's number.
    pub by_status: [u32; Status::COUNT],
}

/// How often a lookup's keys were missing from its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LookupCounts {
    /// The lookup's position in the spec.
    pub lookup: usize,
    pub keys: u32,
    pub missing: u32,
}

/// What a run reports.
#[derive(Debug, Default)]
pub struct Ran {
    /// Of the features with a row that is not present, in the order of outputs and features.
    pub counted: Vec<FeatureCounts>,
    /// One for each lookup that was made.
    pub missed: Vec<LookupCounts>,
}

/// Why a run ended early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// The time for the answer is over.
    Expired,
    /// There was no room for the sparse tensors' elements.
    Full,
}

impl From<Full> for Stopped {
    fn from(Full: Full) -> Self {
        Self::Full
    }
}

/// Buffers that one request leaves for the next.
#[derive(Debug)]
pub struct Scratch {
    pub(super) rows: Rows,
    /// The nodes' values for the request.
    pub(super) request: Vec<Column>,
    /// The nodes' values for a block of rows.
    pub(super) block: Vec<Column>,
    pub(super) dictionaries: Vec<Option<Column>>,
    request_nodes: Vec<NodeId>,
    row_nodes: Vec<NodeId>,
    broadcast: Vec<NodeId>,
    singles: Vec<NodeId>,
}

impl Scratch {
    pub fn new(plan: &Plan) -> Self {
        Self {
            rows: Rows::default(),
            request: plan.columns(),
            block: plan.columns(),
            dictionaries: Vec::new(),
            request_nodes: Vec::new(),
            row_nodes: Vec::new(),
            broadcast: Vec::new(),
            singles: Vec::new(),
        }
    }

    /// Picks the nodes that the outputs wanted need.
    fn pick_nodes(&mut self, program: &Program, wanted: OutputSet) {
        let pick = |from: &[NodeId], to: &mut Vec<NodeId>| {
            to.clear();
            to.extend(from.iter().filter(|&&node| program.needed[node] & wanted != 0));
        };
        pick(&program.request_nodes, &mut self.request_nodes);
        pick(&program.row_nodes, &mut self.row_nodes);
        pick(&program.broadcast, &mut self.broadcast);
        pick(&program.singles, &mut self.singles);
    }
}

impl Plan {
    /// Fills `targets` from a request's inputs; sparse ones may take `room` bytes in all. `expired` is asked between
    /// blocks of rows.
    pub fn run(
        &self,
        tables: Tables<'_>,
        prepared: &Prepared,
        inputs: &Inputs,
        targets: &mut [Target<'_>],
        room: usize,
        expired: &dyn Fn() -> bool,
    ) -> Result<Ran, Stopped> {
        let own_types = targets.iter().all(|target| target.dtype == self.outputs[target.output].dtype);
        let (program, prepared) =
            if own_types { (&self.prepared, Some(prepared)) } else { (&self.direct, None) };
        let mut scratch = self.take_scratch();
        let run = Run { plan: self, program, prepared, tables, inputs };
        let ran = run.run(&mut scratch, targets, Room(room), expired);
        self.leave_scratch(scratch);
        ran
    }
}

impl Plan {
    /// The rows of all lookups for a request's inputs, those that are prepared at load time too.
    pub fn find_rows(&self, tables: Tables<'_>, inputs: &Inputs) -> Rows {
        let mut scratch = Scratch::new(self);
        let run = Run { plan: self, program: &self.direct, prepared: None, tables, inputs };
        let fetched = run.fetch(&mut scratch, OutputSet::MAX, &|| false);
        debug_assert!(fetched.is_ok(), "a fetch that never expires ends");
        scratch.rows
    }
}

/// One request's run.
#[derive(Clone, Copy)]
pub(super) struct Run<'a> {
    pub(super) plan: &'a Plan,
    program: &'a Program,
    pub(super) prepared: Option<&'a Prepared>,
    pub(super) tables: Tables<'a>,
    pub(super) inputs: &'a Inputs,
}

impl<'a> Run<'a> {
    fn run(
        &self,
        scratch: &mut Scratch,
        targets: &mut [Target<'_>],
        mut room: Room,
        expired: &dyn Fn() -> bool,
    ) -> Result<Ran, Stopped> {
        let wanted = targets.iter().fold(0, |set, target| set | (1 << (target.output % MAX_OUTPUTS)));
        let missed = self.fetch(scratch, wanted, expired)?;
        scratch.pick_nodes(self.program, wanted);
        let graph = &self.plan.graph;
        let (row_nodes, dictionaries) = (&mut scratch.row_nodes, &mut scratch.dictionaries);
        over_dictionaries(graph, self.inputs, &graph.features, row_nodes, dictionaries);
        let Scratch { rows, request, block, dictionaries, request_nodes, row_nodes, broadcast, singles } =
            scratch;
        let evaluator = Evaluator {
            graph: &self.plan.graph,
            tables: self.tables,
            rows,
            inputs: Some(self.inputs),
            prepared: self.prepared,
            dictionaries,
            in_place: false,
        };
        evaluator.run(request_nodes, 0..1, request);
        let size = block_rows(&self.plan.graph, broadcast, request, row_nodes);
        let evaluator = Evaluator { in_place: self.inputs.rows <= size, ..evaluator };
        let once = Block { evaluator: &evaluator, columns: request, range: 0..1 };
        let fillings = targets.iter_mut().map(|target| {
            let layout = &self.plan.outputs[target.output];
            Filling::begin(target, self.segments(target), layout, &once, &mut room)
        });
        let mut fillings = fillings.collect::<Result<Vec<_>, _>>()?;
        self.repeat(singles, request, 1, block);
        let next = |start: usize| start.min(self.inputs.rows)..(start + size).min(self.inputs.rows);
        self.prefetch(&fillings, &evaluator, row_nodes, next(0));
        for start in (0..self.inputs.rows).step_by(size) {
            if expired() {
                return Err(Stopped::Expired);
            }
            self.prefetch(&fillings, &evaluator, row_nodes, next(start + size));
            let range = next(start);
            if start == 0 || range.len() < size {
                self.repeat(broadcast, request, range.len(), block);
            }
            evaluator.run(row_nodes, range.clone(), block);
            let rows = Block { evaluator: &evaluator, columns: block, range };
            fillings.iter_mut().try_for_each(|filling| filling.fill_rows(&rows, &mut room))?;
        }
        let mut counted: Vec<FeatureCounts> =
            fillings.iter().flat_map(|filling| filling.counted(self.inputs.rows)).collect();
        counted.sort_by_key(|counted| (counted.output, counted.feature));
        Ok(Ran { counted, missed })
    }

    /// Finds the row numbers of all lookups that the outputs wanted need.
    fn fetch(
        &self,
        scratch: &mut Scratch,
        wanted: OutputSet,
        expired: &dyn Fn() -> bool,
    ) -> Result<Vec<LookupCounts>, Stopped> {
        let graph = &self.plan.graph;
        scratch.rows.reset(graph.lookups.len());
        let mut missed = Vec::with_capacity(graph.lookups.len());
        for &lookup in &graph.lookup_order {
            if self.program.needed_lookups[lookup] & wanted == 0 {
                continue;
            }
            self.find(lookup, scratch, expired)?;
            missed.push(missed_keys(lookup, &scratch.rows.numbers[lookup]));
        }
        Ok(missed)
    }

    fn find(&self, lookup: usize, scratch: &mut Scratch, expired: &dyn Fn() -> bool) -> Result<(), Stopped> {
        let resolved = self.prepared.and_then(|prepared| prepared.resolved(lookup));
        let coded = self.prepared.and_then(|prepared| prepared.coded(lookup));
        let keys = self.program.keys[lookup].as_ref();
        match (resolved, self.plan.graph.lookups[lookup].parent, coded, keys) {
            (Some(resolved), Some(parent), ..) => scratch.rows.derive(lookup, parent, resolved),
            (_, _, Some(coded), keys) => {
                if let Some(keys) = keys {
                    self.compute_request_keys(keys, scratch);
                }
                let Scratch { rows, request, .. } = scratch;
                self.finder(request).find_coded(lookup, coded, rows);
            }
            (_, _, None, Some(keys)) => self.find_computed(lookup, keys, scratch, expired)?,
            (_, _, None, None) => self.finder(&[]).find(lookup, &mut scratch.rows),
        }
        Ok(())
    }

    fn finder<'b>(&self, computed: &'b [Column]) -> Finder<'b>
    where
        'a: 'b,
    {
        Finder { graph: &self.plan.graph, tables: self.tables, inputs: Some(self.inputs), computed }
    }

    /// The segments of a target.
    fn segments(&self, target: &Target<'_>) -> Cow<'a, Segments> {
        if self.prepared.is_some() {
            return Cow::Borrowed(self.plan.segments(target.output, target.part));
        }
        let output = &self.plan.outputs[target.output];
        Cow::Owned(Segments::build(self.program, target.output, output, target.part, target.dtype))
    }

    /// Asks the processor to fetch what filling and computing the rows `range` will read.
    fn prefetch(
        &self,
        fillings: &[Filling<'_, '_>],
        evaluator: &Evaluator<'_>,
        row_nodes: &[NodeId],
        range: Range<usize>,
    ) {
        evaluator.prefetch(row_nodes, range.clone());
        let block = Block { evaluator, columns: &[], range };
        for filling in fillings.iter().filter(|filling| filling.part != Part::Request) {
            block.prefetch(&filling.segments.fetched, 0..TILE.min(block.range.len()));
        }
    }

    /// Repeats request-scope values for the kernels that read them beside row-scope ones.
    pub(super) fn repeat(&self, nodes: &[NodeId], request: &[Column], rows: usize, block: &mut [Column]) {
        for &node in nodes {
            block[node].repeat(&request[node], self.plan.graph.nodes[node].of.lanes(), rows);
        }
    }
}

/// How many rows are computed at a time: fewer where a long list of the request is repeated for each of them, or where
/// vectors are wide.
pub(super) fn block_rows(
    graph: &Graph,
    broadcast: &[NodeId],
    request: &[Column],
    row_nodes: &[NodeId],
) -> usize {
    let longest = broadcast.iter().map(|&node| request[node].marks.len()).max().unwrap_or(0);
    let widest = row_nodes.iter().map(|&node| graph.nodes[node].held_lanes()).max().unwrap_or(0);
    (REPEATED_ELEMENTS / longest.max(widest).max(1)).clamp(1, BLOCK)
}

fn missed_keys(lookup: usize, numbers: &[RowNumber]) -> LookupCounts {
    let missing = numbers.iter().filter(|&&number| number == RowNumber::NOT_FOUND).count();
    LookupCounts { lookup, keys: numbers.len() as u32, missing: missing as u32 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::graph::{Form, Node, Source};
    use crate::{
        batch::{Element, Mark, Type},
        spec::Scope,
        transform::check::floats,
    };

    fn node(form: Form, width: usize) -> Node {
        let (source, of, lane_names) = (Source::Input(0), Type::vector(width), Vec::new());
        Node { source, of, form, lane_names, scope: Scope::Row, anchor: None }
    }

    #[test]
    fn blocks_are_smaller_beside_long_lists_and_wide_vectors() {
        let of = |elements: usize| {
            let mut column = Column::new(Type::scalar(Element::Float64).listed());
            column.marks.resize(elements, Mark::PRESENT);
            column
        };
        let request = [floats(&[Some(1.0)]), of(1 << 14), of(5 << 20)];
        let nodes = [(Form::Plain, 1 << 14), (Form::Sparse, 1 << 20), (Form::Plain, 1 << 21)];
        let nodes = nodes.map(|(form, width)| node(form, width)).into();
        let graph = Graph { nodes, ..Graph::default() };
        let sizes = [&[0][..], &[0, 1], &[1, 2], &[]];
        let sizes = sizes.map(|broadcast| block_rows(&graph, broadcast, &request, &[]));
        assert_eq!(sizes, [BLOCK, 64, 1, BLOCK]);
        let sizes = [&[0][..], &[1], &[1, 2]].map(|nodes| block_rows(&graph, &[], &request, nodes));
        assert_eq!(sizes, [64, BLOCK, 1]);
    }
}
