//! Request time: from row numbers to filled tensors, block by block, with no allocation for a row or a value.

use std::{borrow::Cow, ops::Range};

use super::{
    MAX_OUTPUTS, Plan, Tables,
    evaluate::{Evaluator, over_dictionaries},
    fetch::{Finder, Inputs, Rows},
    fill::{Block, TILE},
    graph::NodeId,
    prepare::Prepared,
    program::{OutputSet, Program},
    segments::{Part, Segments},
    write::Destination,
};
use crate::{
    batch::{Column, Status},
    spec::{OutputType, Scope},
};

/// Rows computed at a time: their values stay in the first caches between kernels and writing.
const BLOCK: usize = 512;

/// Elements of a request's list in all rows of a block, beside each of which it is repeated.
const REPEATED_ELEMENTS: usize = 1 << 20;

/// One tensor to fill.
#[derive(Debug)]
pub struct Target<'a> {
    /// The output's position.
    pub output: usize,
    pub part: Part,
    pub dtype: OutputType,
    /// Row-major elements, little-endian, of the size that the output's width and the rows give.
    pub data: &'a mut [u8],
    /// A status for each row and feature, or empty.
    pub status: &'a mut [u8],
}

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

/// What a run tells.
#[derive(Debug, Default)]
pub struct Ran {
    /// Of the features with a row that is not present, in the order of outputs and features.
    pub counted: Vec<FeatureCounts>,
    /// One for each lookup that was made.
    pub missed: Vec<LookupCounts>,
}

/// The time for an answer is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expired;

/// Buffers that one request leaves for the next.
#[derive(Debug)]
pub struct Scratch {
    rows: Rows,
    /// The nodes' values for the request.
    request: Vec<Column>,
    /// The nodes' values for a block of rows.
    block: Vec<Column>,
    dictionaries: Vec<Option<Column>>,
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
    /// Fills `targets` from a request's inputs. `expired` is asked between blocks of rows.
    pub fn run(
        &self,
        tables: Tables<'_>,
        prepared: &Prepared,
        inputs: &Inputs,
        targets: &mut [Target<'_>],
        expired: &dyn Fn() -> bool,
    ) -> Result<Ran, Expired> {
        let own_types = targets.iter().all(|target| target.dtype == self.outputs[target.output].dtype);
        let (program, prepared) =
            if own_types { (&self.prepared, Some(prepared)) } else { (&self.direct, None) };
        let mut scratch = self.take_scratch();
        let run = Run { plan: self, program, prepared, tables, inputs };
        let ran = run.run(&mut scratch, targets, expired);
        self.leave_scratch(scratch);
        ran
    }
}

/// One request's run.
#[derive(Clone, Copy)]
struct Run<'a> {
    plan: &'a Plan,
    program: &'a Program,
    prepared: Option<&'a Prepared>,
    tables: Tables<'a>,
    inputs: &'a Inputs,
}

/// A target while it is filled.
struct Filling<'a, 'b> {
    target: &'a mut Target<'b>,
    segments: Cow<'a, Segments>,
    /// One row with the request-scope values written.
    shared: Vec<u8>,
    /// For each of the tensor's features the rows by status.
    counts: Vec<[u32; Status::COUNT]>,
}

impl<'a> Run<'a> {
    fn run(
        &self,
        scratch: &mut Scratch,
        targets: &mut [Target<'_>],
        expired: &dyn Fn() -> bool,
    ) -> Result<Ran, Expired> {
        let wanted = targets.iter().fold(0, |set, target| set | (1 << (target.output % MAX_OUTPUTS)));
        let missed = self.fetch(&mut scratch.rows, wanted);
        scratch.pick_nodes(self.program, wanted);
        over_dictionaries(&self.plan.graph, self.inputs, &mut scratch.row_nodes, &mut scratch.dictionaries);
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
        let size = block_rows(broadcast, request);
        let evaluator = Evaluator { in_place: self.inputs.rows <= size, ..evaluator };
        let once = Block { evaluator: &evaluator, columns: request, range: 0..1 };
        let mut fillings: Vec<_> = targets.iter_mut().map(|target| self.begin(target, &once)).collect();
        self.repeat(singles, request, 1, block);
        let next = |start: usize| start.min(self.inputs.rows)..(start + size).min(self.inputs.rows);
        self.prefetch(&fillings, &evaluator, row_nodes, next(0));
        for start in (0..self.inputs.rows).step_by(size) {
            if expired() {
                return Err(Expired);
            }
            self.prefetch(&fillings, &evaluator, row_nodes, next(start + size));
            let range = next(start);
            if start == 0 || range.len() < size {
                self.repeat(broadcast, request, range.len(), block);
            }
            evaluator.run(row_nodes, range.clone(), block);
            let rows = Block { evaluator: &evaluator, columns: block, range };
            fillings.iter_mut().for_each(|filling| filling.fill_rows(self.plan, &rows));
        }
        let mut counted: Vec<FeatureCounts> =
            fillings.iter().flat_map(|filling| filling.counted(self.plan, self.inputs.rows)).collect();
        counted.sort_by_key(|counted| (counted.output, counted.feature));
        Ok(Ran { counted, missed })
    }

    /// Finds the row numbers of all lookups that the outputs wanted need.
    fn fetch(&self, rows: &mut Rows, wanted: OutputSet) -> Vec<LookupCounts> {
        let graph = &self.plan.graph;
        rows.reset(graph.lookups.len());
        let finder = Finder { graph, tables: self.tables, inputs: Some(self.inputs) };
        let mut missed = Vec::with_capacity(graph.lookups.len());
        for &lookup in &graph.lookup_order {
            if self.program.needed_lookups[lookup] & wanted == 0 {
                continue;
            }
            let resolved = self.prepared.and_then(|prepared| prepared.resolved(lookup));
            let coded = self.prepared.and_then(|prepared| prepared.coded(lookup));
            match (resolved, graph.lookups[lookup].parent, coded) {
                (Some(resolved), Some(parent), _) => rows.derive(lookup, parent, resolved),
                (_, _, Some(coded)) => finder.find_coded(lookup, coded, rows),
                _ => finder.find(lookup, rows),
            }
            missed.push(missed_keys(
                lookup,
                &rows.numbers[lookup],
                self.tables.of(graph, lookup).missing_row(),
            ));
        }
        missed
    }

    fn begin<'t, 'b>(&self, target: &'t mut Target<'b>, once: &Block<'_>) -> Filling<'t, 'b>
    where
        'a: 't,
    {
        let output = &self.plan.outputs[target.output];
        let segments = if self.prepared.is_some() {
            Cow::Borrowed(self.plan.segments(target.output, target.part))
        } else {
            Cow::Owned(Segments::build(self.program, target.output, output, target.part, target.dtype))
        };
        let mut shared = vec![0; segments.stride];
        let to = Destination { bytes: &mut shared, stride: segments.stride, dtype: target.dtype };
        once.fill_shared(&segments, output, to);
        let counts = vec![[0; Status::COUNT]; segments.features.len()];
        let mut filling = Filling { target, segments, shared, counts };
        filling.fill_shared(once);
        filling
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
        for filling in fillings.iter().filter(|filling| filling.target.part != Part::Request) {
            block.prefetch(&filling.segments.fetched, 0..TILE.min(block.range.len()));
        }
    }

    /// Repeats request-scope values for the kernels that read them beside row-scope ones.
    fn repeat(&self, nodes: &[NodeId], request: &[Column], rows: usize, block: &mut [Column]) {
        for &node in nodes {
            block[node].repeat(&request[node], self.plan.graph.nodes[node].of.lanes(), rows);
        }
    }
}

impl Filling<'_, '_> {
    /// Notes the statuses of request-scope features, on every row, and writes the row of a request part.
    fn fill_shared(&mut self, once: &Block<'_>) {
        let mut statuses = vec![0; self.counts.len()];
        let counts = &mut self.counts;
        self.segments.shared_statuses.each(once, |_, feature, status| {
            statuses[feature] = status as u8;
            counts[feature][status as usize] += 1;
        });
        for row in self.target.status.chunks_exact_mut(statuses.len().max(1)) {
            row.copy_from_slice(&statuses);
        }
        if self.target.part == Part::Request {
            self.target.data.copy_from_slice(&self.shared);
        }
    }

    fn fill_rows(&mut self, plan: &Plan, block: &Block<'_>) {
        if self.target.part == Part::Request {
            return;
        }
        let (stride, features) = (self.segments.stride, self.counts.len());
        let data = &mut self.target.data[block.range.start * stride..block.range.end * stride];
        let to = Destination { bytes: data, stride, dtype: self.target.dtype };
        block.fill_rows(&self.segments, &plan.outputs[self.target.output], &self.shared, to);
        let (counts, status) = (&mut self.counts, &mut *self.target.status);
        if status.is_empty() {
            return self.segments.row_statuses.count(block, counts);
        }
        self.segments.row_statuses.each(block, |row, feature, found| {
            counts[feature][found as usize] += 1;
            if let Some(place) = status.get_mut((block.range.start + row) * features + feature) {
                *place = found as u8;
            }
        });
    }

    /// The features that were not always present; a request-scope one counts once.
    fn counted(&self, plan: &Plan, rows: usize) -> impl Iterator<Item = FeatureCounts> {
        let output = &plan.outputs[self.target.output];
        let features = self.segments.features.iter().zip(&self.counts);
        features.filter(|(_, counts)| counts.iter().any(|&count| count > 0)).map(move |(&feature, counts)| {
            let all = if output.features[feature].scope == Scope::Request { 1 } else { rows as u32 };
            let mut by_status = *counts;
            by_status[Status::Present as usize] = all.saturating_sub(counts.iter().sum());
            FeatureCounts { output: self.target.output, feature, by_status }
        })
    }
}

/// How many rows are computed at a time: fewer where a long list of the request is repeated for each of them.
fn block_rows(broadcast: &[NodeId], request: &[Column]) -> usize {
    let longest = broadcast.iter().map(|&node| request[node].marks.len()).max().unwrap_or(0);
    (REPEATED_ELEMENTS / longest.max(1)).clamp(1, BLOCK)
}

fn missed_keys(lookup: usize, numbers: &[u32], missing_row: u32) -> LookupCounts {
    let missing = numbers.iter().filter(|&&number| number == missing_row).count();
    LookupCounts { lookup, keys: numbers.len() as u32, missing: missing as u32 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        batch::{Element, Mark, Type},
        transform::check::floats,
    };

    #[test]
    fn blocks_are_smaller_beside_long_lists() {
        let of = |elements: usize| {
            let mut column = Column::new(Type::scalar(Element::Float64).listed());
            column.marks.resize(elements, Mark::PRESENT);
            column
        };
        let request = [floats(&[Some(1.0)]), of(1 << 14), of(5 << 20)];
        let sizes = [&[0][..], &[0, 1], &[1, 2], &[]].map(|broadcast| block_rows(broadcast, &request));
        assert_eq!(sizes, [BLOCK, 64, 1, BLOCK]);
    }
}
