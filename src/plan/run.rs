//! Request time: from row numbers to filled tensors, block by block, with no allocation for a row or a value.

use std::{borrow::Cow, ops::Range};

use super::{
    evaluate::{Evaluator, over_dictionaries},
    fill::{Block, TILE},
    filling::Filling,
    graph::{Graph, NodeId},
    job::{Job, Scratch},
    program::OutputSet,
    segments::{Part, Segments},
    sparse::{Full, Room},
};
use crate::batch::{Column, Mark, Status};

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
    /// Rows by the level of the fall-back that answered, the first level first.
    pub by_level: [u32; Mark::MOST_LEVELS],
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

impl<'a> Job<'a> {
    /// Fills `targets` from the rows that were fetched; how often features were not present.
    pub(super) fn run(
        &self,
        scratch: &mut Scratch,
        wanted: OutputSet,
        targets: &mut [Target<'_>],
        room: usize,
        expired: &dyn Fn() -> bool,
    ) -> Result<Vec<FeatureCounts>, Stopped> {
        let mut room = Room(room);
        scratch.pick_nodes(self.program, wanted);
        let graph = &self.plan.graph;
        let (row_nodes, dictionaries) = (&mut scratch.row_nodes, &mut scratch.dictionaries);
        over_dictionaries(graph, self.inputs, &graph.features, row_nodes, dictionaries);
        let Scratch {
            rows, request, block, dictionaries, request_nodes, row_nodes, broadcast, singles, ..
        } = scratch;
        let evaluator = self.evaluator(rows, dictionaries);
        evaluator.run(request_nodes, 0..1, request);
        let size = block_rows(graph, broadcast, request, row_nodes);
        let evaluator = Evaluator { in_place: self.inputs.rows <= size, ..evaluator };
        let once = Block { evaluator: &evaluator, columns: request, range: 0..1 };
        let fillings = targets.iter_mut().map(|target| {
            let layout = &self.plan.outputs[target.output];
            Filling::begin(target, self.segments(target), layout, &once, &mut room)
        });
        let mut fillings = fillings.collect::<Result<Vec<_>, _>>()?;
        self.repeat(singles, request, 1, block);
        let next = |start: usize| start.min(self.inputs.rows)..(start + size).min(self.inputs.rows);
        prefetch(&fillings, &evaluator, row_nodes, next(0));
        for start in (0..self.inputs.rows).step_by(size) {
            if expired() {
                return Err(Stopped::Expired);
            }
            prefetch(&fillings, &evaluator, row_nodes, next(start + size));
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
        Ok(counted)
    }

    /// The segments of a target: the program's where it is wanted in the spec's type.
    fn segments(&self, target: &Target<'_>) -> Cow<'a, Segments> {
        let output = &self.plan.outputs[target.output];
        if target.dtype == output.dtype {
            return Cow::Borrowed(self.program.segments(target.output, target.part));
        }
        Cow::Owned(Segments::build(self.program, target.output, output, target.part, target.dtype))
    }
}

/// Asks the processor to fetch what filling and computing the rows `range` will read.
fn prefetch(
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
