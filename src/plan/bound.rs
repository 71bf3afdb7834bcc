//! A plan with one version of each of its tables: what requests are answered with.

use std::{fmt, sync::Arc};

use super::{
    Plan, Tables,
    fetch::{Inputs, Rows},
    job::{Fetched, Job, Scratch, Wanted},
    prepare::Prepared,
    program::Program,
    run::{Ran, Stopped, Target},
    shelf::Shelf,
};
use crate::{
    budget::{Budget, OverBudget},
    table::Table,
};

/// A plan, tables for it, and its load-time results over these.
///
/// A request takes two steps: [`Bound::fetch`] finds the rows of all lookups, [`Bound::run`] computes and looks nothing up.
pub struct Bound {
    plan: Arc<Plan>,
    /// In the order of the graph's.
    tables: Vec<Arc<Table>>,
    program: Arc<Program>,
    prepared: Prepared,
    /// What the scratches of requests are part of.
    budget: Budget,
}

impl Bound {
    /// Computes the load-time results that `program`, one of the plan's, keeps; those on the shelf are taken from there. Where
    /// the shelf's budget has no room for them, nothing is computed.
    pub fn bind(
        plan: Arc<Plan>,
        program: Arc<Program>,
        tables: Vec<Arc<Table>>,
        shelf: &Shelf,
    ) -> Result<Self, OverBudget> {
        let prepared = Prepared::build(&plan, &program, Tables(&tables), shelf)?;
        Ok(Self { plan, tables, program, prepared, budget: shelf.budget().clone() })
    }

    /// The same over a table with other written rows, the one at position `position` of [`Self::tables`].
    pub fn with_written(&self, position: usize, table: Arc<Table>) -> Self {
        let (plan, program) = (self.plan.clone(), self.program.clone());
        let mut tables = self.tables.clone();
        tables[position] = table;
        let prepared = self.prepared.with_written(&plan, &program, Tables(&tables), position);
        Self { plan, tables, program, prepared, budget: self.budget.clone() }
    }

    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// How the work is split between load time and requests.
    pub fn program(&self) -> &Arc<Program> {
        &self.program
    }

    /// The tables that are looked up, sorted by name, each once.
    pub fn tables(&self) -> &[Arc<Table>] {
        &self.tables
    }

    /// The table of a lookup.
    pub fn table_of(&self, lookup: usize) -> &Table {
        Tables(&self.tables).of(&self.plan.graph, lookup)
    }

    /// The load-time results.
    pub fn prepared(&self) -> &Prepared {
        &self.prepared
    }

    /// Finds the rows of all lookups that `wanted` needs. `expired` is asked now and then.
    pub fn fetch(
        &self,
        inputs: &Inputs,
        wanted: Wanted,
        expired: &dyn Fn() -> bool,
    ) -> Result<Fetched, Stopped> {
        let mut scratch = self.plan.take_scratch();
        match self.job(inputs, wanted).fetch(&mut scratch, wanted.outputs, expired) {
            Ok(missed) => Ok(Fetched { scratch, missed, wanted }),
            Err(stopped) => {
                self.leave(scratch);
                Err(stopped)
            }
        }
    }

    /// Fills `targets`, those that rows were fetched for, from the same inputs; sparse ones may take `room` bytes in all.
    /// `expired` is asked between blocks of rows.
    pub fn run(
        &self,
        inputs: &Inputs,
        fetched: Fetched,
        targets: &mut [Target<'_>],
        room: usize,
        expired: &dyn Fn() -> bool,
    ) -> Result<Ran, Stopped> {
        let Fetched { mut scratch, missed, wanted } = fetched;
        let counted = self.job(inputs, wanted).run(&mut scratch, wanted.outputs, targets, room, expired);
        self.leave(scratch);
        Ok(Ran { counted: counted?, missed })
    }

    /// The rows of all lookups for a request's inputs, those that are prepared at load time too.
    pub fn find_rows(&self, inputs: &Inputs) -> Rows {
        let mut scratch = self.plan.take_scratch();
        let fetched =
            self.job(inputs, Wanted::EVERYTHING).fetch(&mut scratch, Wanted::EVERYTHING.outputs, &|| false);
        debug_assert!(fetched.is_ok(), "a fetch that never expires ends");
        scratch.rows
    }

    /// Leaves a scratch for the next request, unless it has become larger than the budget allows.
    fn leave(&self, mut scratch: Scratch) {
        if scratch.is_within(&self.budget) {
            self.plan.leave_scratch(scratch);
        }
    }

    /// Records hold the spec's types: for others all is computed in the request.
    fn job<'a>(&'a self, inputs: &'a Inputs, wanted: Wanted) -> Job<'a> {
        let (program, prepared) =
            if wanted.own_types { (&*self.program, Some(&self.prepared)) } else { (&self.plan.direct, None) };
        Job { plan: &self.plan, program, prepared, tables: Tables(&self.tables), inputs }
    }
}

impl fmt::Debug for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bound")
            .field("plan", &self.plan)
            .field("tables", &self.tables)
            .finish_non_exhaustive()
    }
}
