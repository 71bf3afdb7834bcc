//! The compiled, immutable form of a spec against the schemas of its tables ([`Plan`]), and with tables ([`bound::Bound`]).
//!
//! A plan is split by *when its inputs become known*: what depends only on one table's rows is computed when the table
//! is loaded ([`prepare`]), what depends only on request-scope inputs once for a request, and the rest row by row
//! ([`run`]). The split never changes a result: all three run the same kernels.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    batch::Column,
    problem::Problems,
    spec::{OutputType, Spec},
    table::{EventTime, Table, TableSchema},
};
use coded::CodedPart;
use graph::Graph;
use job::Scratch;
use layout::Output;
use program::Program;

pub mod bound;
pub mod coded;
pub mod digest;
pub mod evaluate;
pub mod fetch;
pub mod fill;
pub mod filling;
mod freshness;
pub mod graph;
pub mod job;
mod keys;
pub mod layout;
mod load_time;
pub mod prepare;
pub mod program;
pub mod ragged;
pub mod run;
pub mod segments;
pub mod shelf;
pub mod sparse;
pub mod statuses;
pub mod write;
pub mod written;

/// Outputs of one spec: which of them a node serves is kept in one word.
const MAX_OUTPUTS: usize = 64;

/// The compiled form of a spec: the same whatever its tables hold.
pub struct Plan {
    pub spec: Arc<Spec>,
    pub graph: Graph,
    pub outputs: Vec<Output>,
    /// Those that it was compiled against, in the order of [`Graph::tables`].
    schemas: Vec<TableSchema>,
    /// Without load-time results, for element types other than the spec's, which records do not hold.
    pub direct: Program,
    scratches: Mutex<Vec<Scratch>>,
}

/// The tables of a plan, in the order of [`Graph::tables`].
#[derive(Debug, Clone, Copy)]
pub struct Tables<'a>(pub &'a [Arc<Table>]);

impl<'a> Tables<'a> {
    /// The table of a lookup.
    pub fn of(self, graph: &Graph, lookup: usize) -> &'a Table {
        &self.0[graph.lookups[lookup].table]
    }
}

impl Plan {
    /// Compiles a spec against the schemas of its tables by name, or returns every problem with its path.
    pub fn compile(spec: Arc<Spec>, schemas: &BTreeMap<String, TableSchema>) -> Result<Self, Problems> {
        let graph = Graph::build(&spec, schemas)?;
        let outputs = layout::lay_out(&spec, &graph)?;
        if outputs.len() > MAX_OUTPUTS {
            return Err(Problems::one(
                "outputs",
                format!("are {}; at most {MAX_OUTPUTS} are served", outputs.len()),
            ));
        }
        let schemas = graph.tables.iter().filter_map(|name| schemas.get(name)).cloned().collect::<Vec<_>>();
        let direct = Program::build(&graph, &outputs, &schemas, &vec![false; graph.lookups.len()]);
        Ok(Self { spec, graph, outputs, schemas, direct, scratches: Mutex::default() })
    }

    /// The program over `tables` with load-time results. Where these would take more than `cap` bytes, lookups give theirs
    /// up, the largest first, and those features are computed row by row instead.
    pub fn program(&self, tables: Tables<'_>, cap: Option<usize>) -> Program {
        let build = |allowed: &[bool]| Program::build(&self.graph, &self.outputs, &self.schemas, allowed);
        let mut allowed = vec![true; self.graph.lookups.len()];
        let mut program = build(&allowed);
        while let Some(cap) = cap {
            let sizes = self.prepared_bytes(&program, tables);
            let largest =
                (0..sizes.len()).filter(|&lookup| allowed[lookup]).max_by_key(|&lookup| sizes[lookup]);
            let (true, Some(largest)) = (sizes.iter().sum::<usize>() > cap, largest) else { break };
            allowed[largest] = false;
            program = build(&allowed);
        }
        program
    }

    /// Whether tables of these schemas can stand in the place of those that it was compiled against: they differ in their
    /// versions alone, and in the event times of these.
    pub fn fits<'a>(&self, mut schemas: impl ExactSizeIterator<Item = &'a TableSchema>) -> bool {
        schemas.len() == self.schemas.len()
            && self.schemas.iter().all(|own| {
                let fits = |other: &TableSchema| {
                    let event_time = match (own.event_time, other.event_time) {
                        (Some(EventTime::Version(_)), Some(EventTime::Version(_))) => own.event_time,
                        (_, other) => other,
                    };
                    TableSchema { version: own.version, event_time, ..other.clone() } == *own
                };
                schemas.next().is_some_and(fits)
            })
    }

    /// Bytes that each lookup's load-time results will take, without computing them.
    fn prepared_bytes(&self, program: &Program, tables: Tables<'_>) -> Vec<usize> {
        let bytes = |lookup: usize| {
            let resolved = (0..self.graph.lookups.len())
                .filter(|&below| self.graph.lookups[below].parent == Some(lookup))
                .filter(|&below| program.is_resolved(&self.graph, below));
            let coded = (0..self.graph.lookups.len())
                .filter_map(|below| CodedPart::of_lookup(&self.graph, below))
                .filter(|&(_, parent)| program.prepared[lookup] && parent == lookup);
            let numbers = resolved.count() * size_of::<u32>() + coded.count() * size_of::<u16>();
            (self.kept_bytes(program, tables, lookup) + numbers) * tables.of(&self.graph, lookup).places()
        };
        (0..self.graph.lookups.len()).map(bytes).collect()
    }

    /// Bytes that are kept for each row of a lookup's table.
    fn kept_bytes(&self, program: &Program, tables: Tables<'_>, lookup: usize) -> usize {
        let kept = program.kept[lookup].iter();
        let kept = kept.map(|&node| 1 + prepare::bytes_of_row(self, tables, lookup, node));
        program.records[lookup].bytes + kept.sum::<usize>()
    }

    /// An empty column for each node.
    fn columns(&self) -> Vec<Column> {
        self.graph.nodes.iter().map(|node| Column::new(node.of)).collect()
    }

    /// Takes a scratch that an earlier request left, with the buffers as large as that one needed.
    fn take_scratch(&self) -> Scratch {
        let taken = self.scratches.lock().unwrap_or_else(PoisonError::into_inner).pop();
        taken.unwrap_or_else(|| Scratch::new(self))
    }

    fn leave_scratch(&self, scratch: Scratch) {
        self.scratches.lock().unwrap_or_else(PoisonError::into_inner).push(scratch);
    }

    /// Whether a feature of output `output` can be served as `dtype`.
    pub fn can_serve_as(&self, output: usize, dtype: OutputType) -> bool {
        let mut elements =
            self.outputs[output].features.iter().map(|feature| self.graph.nodes[feature.node].of.element);
        dtype != OutputType::Int64 || elements.all(layout::fits_int64)
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan")
            .field("name", &self.spec.name)
            .field("version", &self.spec.version)
            .finish_non_exhaustive()
    }
}
