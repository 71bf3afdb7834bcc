//! The compiled, immutable form of a spec against the schemas of its tables.
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
    table::{Table, TableSchema},
};
use coded::CodedPart;
use graph::Graph;
use layout::Output;
use prepare::Prepared;
use program::Program;
use run::Scratch;
use segments::{Part, Segments};

pub mod coded;
pub mod evaluate;
pub mod fetch;
pub mod fill;
pub mod filling;
pub mod graph;
mod keys;
pub mod layout;
pub mod prepare;
pub mod program;
pub mod run;
pub mod segments;
pub mod sparse;
pub mod statuses;
pub mod write;

/// Outputs of one spec: which of them a node serves is kept in one word.
const MAX_OUTPUTS: usize = 64;

/// The compiled form of a spec.
pub struct Plan {
    pub spec: Arc<Spec>,
    pub graph: Graph,
    pub outputs: Vec<Output>,
    /// With load-time results.
    pub prepared: Program,
    /// Without them, for element types other than the spec's, which records do not hold.
    pub direct: Program,
    /// For each output its dense tensor and its row-scope and request-scope parts, in the spec's type.
    segments: Vec<[Segments; 3]>,
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
        let of_tables: Vec<&TableSchema> = graph.tables.iter().filter_map(|name| schemas.get(name)).collect();
        let build = |allowed: bool| {
            let allowed = vec![allowed; graph.lookups.len()];
            Program::build(&graph, &outputs, &of_tables, &allowed)
        };
        let (prepared, direct) = (build(true), build(false));
        Ok(Self {
            segments: all_segments(&prepared, &outputs),
            spec,
            graph,
            outputs,
            prepared,
            direct,
            scratches: Mutex::default(),
        })
    }

    /// Computes the load-time results over `tables`. Where they take more than `cap` bytes, lookups give theirs up, the
    /// largest first, and those features are computed row by row instead.
    pub fn prepare(&mut self, tables: Tables<'_>, cap: Option<usize>) -> Prepared {
        let schemas: Vec<&TableSchema> = tables.0.iter().map(|table| table.schema()).collect();
        let mut allowed = vec![true; self.graph.lookups.len()];
        while let Some(cap) = cap {
            let sizes = self.prepared_bytes(tables);
            let largest =
                (0..sizes.len()).filter(|&lookup| allowed[lookup]).max_by_key(|&lookup| sizes[lookup]);
            let (true, Some(largest)) = (sizes.iter().sum::<usize>() > cap, largest) else { break };
            allowed[largest] = false;
            self.prepared = Program::build(&self.graph, &self.outputs, &schemas, &allowed);
        }
        self.segments = all_segments(&self.prepared, &self.outputs);
        Prepared::build(self, &self.prepared, tables)
    }

    /// Bytes that each lookup's load-time results will take, without computing them.
    fn prepared_bytes(&self, tables: Tables<'_>) -> Vec<usize> {
        let bytes = |lookup: usize| {
            let kept = self.prepared.kept[lookup].iter();
            let kept = kept.map(|&node| 1 + prepare::bytes_of_row(self, tables, lookup, node));
            let for_row = self.prepared.records[lookup].bytes + kept.sum::<usize>();
            let resolved = (0..self.graph.lookups.len())
                .filter(|&below| self.graph.lookups[below].parent == Some(lookup))
                .filter(|&below| self.prepared.is_resolved(&self.graph, below));
            let coded = (0..self.graph.lookups.len())
                .filter_map(|below| CodedPart::of_lookup(&self.graph, below))
                .filter(|&(_, parent)| self.prepared.prepared[lookup] && parent == lookup);
            let numbers = resolved.count() * size_of::<u32>() + coded.count() * size_of::<u16>();
            (for_row + numbers) * tables.of(&self.graph, lookup).places()
        };
        (0..self.graph.lookups.len()).map(bytes).collect()
    }

    /// The segments of a tensor in the spec's type.
    fn segments(&self, output: usize, part: Part) -> &Segments {
        &self.segments[output][part as usize]
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

fn all_segments(program: &Program, outputs: &[Output]) -> Vec<[Segments; 3]> {
    let of_output = |(position, output): (usize, &Output)| {
        [Part::All, Part::Request, Part::Row]
            .map(|part| Segments::build(program, position, output, part, output.dtype))
    };
    outputs.iter().enumerate().map(of_output).collect()
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan")
            .field("name", &self.spec.name)
            .field("version", &self.spec.version)
            .finish_non_exhaustive()
    }
}
