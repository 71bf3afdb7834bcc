//! One request on its way through a bound plan: what its steps have in common.

use super::{
    MAX_OUTPUTS, Plan, Tables,
    evaluate::Evaluator,
    fetch::{Finder, Inputs, Rows},
    graph::NodeId,
    prepare::Prepared,
    program::{OutputSet, Program},
    run::LookupCounts,
};
use crate::{
    batch::Column,
    budget::{Budget, Kind, Reserved},
    spec::OutputType,
};

/// Which outputs a request wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    pub outputs: OutputSet,
    /// Whether each is wanted in the spec's type.
    pub own_types: bool,
}

impl Wanted {
    /// All outputs, without load-time results.
    pub const EVERYTHING: Self = Self { outputs: OutputSet::MAX, own_types: false };

    /// These outputs, each in the type beside it.
    pub fn of(plan: &Plan, outputs: impl Iterator<Item = (usize, OutputType)>) -> Self {
        let none = Self { outputs: 0, own_types: true };
        outputs.fold(none, |all, (output, dtype)| Self {
            outputs: all.outputs | (1 << (output % MAX_OUTPUTS)),
            own_types: all.own_types && dtype == plan.outputs[output].dtype,
        })
    }
}

/// The rows that were found for a request.
#[derive(Debug)]
pub struct Fetched {
    pub(super) scratch: Scratch,
    /// One for each lookup that was made.
    pub(super) missed: Vec<LookupCounts>,
    pub(super) wanted: Wanted,
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
    pub(super) request_nodes: Vec<NodeId>,
    pub(super) row_nodes: Vec<NodeId>,
    pub(super) broadcast: Vec<NodeId>,
    pub(super) singles: Vec<NodeId>,
    /// Its memory as it was last measured.
    reserved: Option<Reserved>,
    uses: u32,
}

/// A scratch's memory is measured at every so many uses: a look at each column costs about as much as a small request's
/// lookups.
const MEASURED: u32 = 64;

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
            reserved: None,
            uses: 0,
        }
    }

    /// Whether the budget has room for what a request left.
    pub(super) fn is_within(&mut self, budget: &Budget) -> bool {
        self.uses = self.uses.wrapping_add(1);
        if self.uses % MEASURED != 1 {
            return true;
        }
        let bytes = self.memory() as u64;
        match &mut self.reserved {
            Some(reserved) => reserved.resize(bytes).is_ok(),
            None => {
                self.reserved = budget.reserve(Kind::Scratches, "what requests compute in", bytes).ok();
                self.reserved.is_some()
            }
        }
    }

    /// Bytes of the values that the last request left.
    fn memory(&self) -> usize {
        let columns = self.request.iter().chain(&self.block).chain(self.dictionaries.iter().flatten());
        let values = columns.map(|column| column.values.memory() + column.marks.len());
        let numbers = self.rows.numbers.iter().map(|numbers| size_of_val(numbers.as_slice()));
        values.chain(numbers).sum()
    }

    /// Picks the nodes that the outputs wanted need.
    pub(super) fn pick_nodes(&mut self, program: &Program, wanted: OutputSet) {
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

/// What a request is computed with.
#[derive(Clone, Copy)]
pub(super) struct Job<'a> {
    pub plan: &'a Plan,
    pub program: &'a Program,
    pub prepared: Option<&'a Prepared>,
    pub tables: Tables<'a>,
    pub inputs: &'a Inputs,
}

impl<'a> Job<'a> {
    /// Computes nodes over `rows`, with results over the distinct values of dictionaries.
    pub fn evaluator<'b>(&self, rows: &'b Rows, dictionaries: &'b [Option<Column>]) -> Evaluator<'b>
    where
        'a: 'b,
    {
        Evaluator {
            graph: &self.plan.graph,
            tables: self.tables,
            rows,
            inputs: Some(self.inputs),
            prepared: self.prepared,
            dictionaries,
            in_place: false,
        }
    }

    /// Finds rows by keys, of which `computed` has those that are computed.
    pub fn finder<'b>(&self, computed: &'b [Column]) -> Finder<'b>
    where
        'a: 'b,
    {
        Finder { graph: &self.plan.graph, tables: self.tables, inputs: Some(self.inputs), computed }
    }

    /// Repeats request-scope values for the kernels that read them beside row-scope ones.
    pub fn repeat(&self, nodes: &[NodeId], request: &[Column], rows: usize, block: &mut [Column]) {
        for &node in nodes {
            block[node].repeat(&request[node], self.plan.graph.nodes[node].of.lanes(), rows);
        }
    }
}
