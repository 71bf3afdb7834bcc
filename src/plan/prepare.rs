//! Load time: whatever depends only on one table's rows is computed once for each row and kept in final form.

use std::{ops::Range, sync::Arc};

use super::{
    Plan, Tables,
    coded::CodedPart,
    evaluate::Evaluator,
    fetch::{Finder, Rows},
    graph::{Form, Lookup, NodeId, Source},
    load_time::LoadTime,
    program::{Program, Record},
    shelf::{Held, Shelf},
    write::Destination,
    written::{Kept, OfLevel, Records},
};
use crate::{
    batch::Column,
    budget::OverBudget,
    table::{RowMatrix, RowNumber},
};

/// Rows computed at a time: enough to make the fixed costs small, few enough to stay in the caches.
const BLOCK: usize = 1024;

/// Lanes of one node that are computed at a time, where a row has more than a BLOCK's share of them.
const LANES: usize = 1 << 20;

/// A plan's load-time results over its tables. What other versions need too is shared with them.
#[derive(Debug, Default, Clone)]
pub struct Prepared {
    /// For each lookup the row number for each of its parent's rows, by [`RowNumber::place`].
    resolved: Vec<Option<Arc<Held<Vec<RowNumber>>>>>,
    /// For each lookup the part of its key that follows from another lookup's rows, by codes.
    coded: Vec<Option<Arc<Held<Option<CodedPart>>>>>,
    /// For each lookup what is kept for each row of its table.
    rows: Vec<Option<Arc<Held<PreparedRows>>>>,
    /// For each lookup what is kept for each level of written rows of its table.
    pub(super) levels: Vec<Vec<OfLevel>>,
    /// For each node whose values are kept: the lookup, and the position among its kept ones.
    kept: Vec<Option<(usize, usize)>>,
}

/// The rows of a lookup's table that are computed at load time.
#[derive(Debug, Clone, Copy)]
pub enum Numbers {
    /// All places of the table, of which there are so many.
    Places(usize),
    /// The rows of a level, of which there are so many.
    Level { level: usize, rows: usize },
}

impl Numbers {
    fn count(self) -> usize {
        match self {
            Self::Places(count) => count,
            Self::Level { rows, .. } => rows,
        }
    }

    fn at(self, position: usize) -> RowNumber {
        match self {
            Self::Places(_) => RowNumber::of_place(position),
            Self::Level { level, .. } => RowNumber::written(level, position as u32),
        }
    }
}

/// What is kept for each row of a lookup's table, by [`RowNumber::place`], or for each row of a level.
#[derive(Debug)]
pub struct PreparedRows {
    pub(super) records: Option<RowMatrix>,
    /// The values of the program's kept nodes.
    pub(super) kept: Vec<Column>,
}

impl PreparedRows {
    pub(super) fn memory(&self) -> usize {
        let kept = self.kept.iter().map(|column| column.values.memory() + column.marks.len());
        self.records.as_ref().map_or(0, RowMatrix::memory) + kept.sum::<usize>()
    }
}

impl Prepared {
    /// Computes all that `program` keeps and that is not on the shelf, where the shelf's budget has room for it.
    pub fn build(
        plan: &Plan,
        program: &Program,
        tables: Tables<'_>,
        shelf: &Shelf,
    ) -> Result<Self, OverBudget> {
        let (graph, count) = (&plan.graph, plan.graph.lookups.len());
        let parts = LoadTime::new(plan, tables);
        let table_of = |lookup: usize| tables.of(graph, lookup);
        let reserve = |lookup: usize, for_row: usize| {
            let table = table_of(lookup);
            shelf.reserve(&table.schema().name, for_row * table.places())
        };
        let mut prepared = Self { resolved: vec![None; count], ..Self::default() };
        for &lookup in &graph.lookup_order {
            let Some(parent) = graph.lookups[lookup].parent else { continue };
            if program.is_resolved(graph, lookup) {
                let reserve = || reserve(parent, size_of::<RowNumber>());
                let make = || prepared.resolve(plan, tables, lookup, parent);
                let digest = parts.of_resolved(lookup, parent);
                let memory = |rows: &Vec<RowNumber>| size_of_val(rows.as_slice());
                prepared.resolved[lookup] = Some(shelf.resolved.get(digest, reserve, make, memory)?);
            }
        }
        let coded = |lookup: usize| {
            let (part, parent) = CodedPart::of_lookup(graph, lookup)?;
            let digest = || parts.of_coded(graph.lookups[lookup].keys[part], part, parent);
            let reserve = || reserve(parent, size_of::<u16>());
            let make = || prepared.code(plan, tables, lookup, parent);
            let memory = |coded: &Option<CodedPart>| coded.as_ref().map_or(0, CodedPart::memory);
            program.prepared[parent].then(|| shelf.coded.get(digest(), reserve, make, memory))
        };
        prepared.coded = (0..count).map(|lookup| coded(lookup).transpose()).collect::<Result<_, _>>()?;
        let rows = |lookup: usize| {
            let reserve = || reserve(lookup, plan.kept_bytes(program, tables, lookup));
            let numbers = Numbers::Places(table_of(lookup).places());
            let make = || prepared.prepare_rows(plan, program, tables, lookup, numbers);
            let keeps = program.keeps_rows(lookup);
            keeps.then(|| shelf.rows.get(parts.of_rows(program, lookup), reserve, make, PreparedRows::memory))
        };
        prepared.rows = (0..count).map(|lookup| rows(lookup).transpose()).collect::<Result<_, _>>()?;
        prepared.levels =
            (0..count).map(|lookup| prepared.levels_of(plan, program, tables, lookup)).collect();
        prepared.kept = vec![None; graph.nodes.len()];
        for (lookup, kept) in program.kept.iter().enumerate() {
            kept.iter().enumerate().for_each(|(at, &node)| prepared.kept[node] = Some((lookup, at)));
        }
        Ok(prepared)
    }

    /// The records of a lookup's rows.
    pub fn records(&self, lookup: usize) -> Option<Records<'_>> {
        let own = self.rows.get(lookup)?.as_ref()?.records.as_ref()?;
        Some(Records { own, levels: &self.levels[lookup] })
    }

    /// The row numbers of `lookup` for each of its parent's rows.
    pub fn resolved(&self, lookup: usize) -> Option<&[RowNumber]> {
        Some(self.resolved.get(lookup)?.as_ref()?)
    }

    /// The part of a lookup's key that is coded.
    pub fn coded(&self, lookup: usize) -> Option<&CodedPart> {
        (**self.coded.get(lookup)?.as_ref()?).as_ref()
    }

    /// The values of a kept node for each row of a lookup's table.
    pub fn kept(&self, node: NodeId) -> Option<Kept<'_>> {
        let (lookup, at) = (*self.kept.get(node)?)?;
        let own = &self.rows[lookup].as_ref()?.kept[at];
        Some(Kept { lookup, at, own, levels: &self.levels[lookup] })
    }

    /// Bytes in memory, those that are shared with other versions too.
    pub fn memory(&self) -> usize {
        let resolved = self.resolved.iter().flatten().map(|rows| size_of_val(rows.as_slice()));
        let coded = self.coded.iter().flatten().filter_map(|coded| coded.as_ref().as_ref());
        let rows = self.rows.iter().flatten().map(|rows| rows.memory());
        let levels = self.levels.iter().flatten().map(OfLevel::memory);
        resolved.chain(coded.map(CodedPart::memory)).chain(rows).chain(levels).sum()
    }

    /// The row numbers of `lookup` for each row of its parent's table.
    fn resolve(&self, plan: &Plan, tables: Tables<'_>, lookup: usize, parent: usize) -> Vec<RowNumber> {
        let count = tables.of(&plan.graph, parent).places();
        let work = Work::of(plan, plan.graph.lookups[lookup].keys.iter().copied());
        let mut resolved = Vec::with_capacity(count);
        let mut rows = Rows::default();
        for start in (0..count).step_by(BLOCK) {
            let range = start..(start + BLOCK).min(count);
            self.rows_below(plan, tables, parent, (Numbers::Places(count), range), &work, &mut rows);
            find_below(plan, tables, lookup, &work.nodes, &mut rows);
            resolved.extend_from_slice(&rows.numbers[lookup]);
        }
        resolved
    }

    /// The part of a lookup's key that follows from `parent`'s rows, by codes.
    fn code(&self, plan: &Plan, tables: Tables<'_>, lookup: usize, parent: usize) -> Option<CodedPart> {
        let count = tables.of(&plan.graph, parent).places();
        let mut columns = plan.columns();
        let (part, _) = CodedPart::of_lookup(&plan.graph, lookup)?;
        let node = plan.graph.lookups[lookup].keys[part];
        let work = Work::of(plan, std::iter::once(node));
        CodedPart::build(&plan.graph, lookup, count, |range| {
            self.evaluate(plan, tables, parent, (Numbers::Places(count), range), &work, &mut columns);
            std::mem::replace(&mut columns[node], Column::new(plan.graph.nodes[node].of))
        })
    }

    /// The rows of the lookups that `work` reads and that follow from the rows `range` of `anchor`'s table.
    fn rows_below(
        &self,
        plan: &Plan,
        tables: Tables<'_>,
        anchor: usize,
        (numbers, range): (Numbers, Range<usize>),
        work: &Work,
        rows: &mut Rows,
    ) {
        let graph = &plan.graph;
        rows.reset(graph.lookups.len());
        rows.numbers[anchor].extend(range.map(|position| numbers.at(position)));
        for &(lookup, ref keys) in &work.lookups {
            let Some(parent) = graph.lookups[lookup].parent else { continue };
            let below = lookup != anchor && graph.parents(parent).any(|above| above == anchor);
            match self.resolved(lookup) {
                Some(resolved) if below => rows.derive(lookup, parent, resolved),
                // A list of keys, or a parent whose load-time results were given up for the cap.
                None if below => find_below(plan, tables, lookup, keys, rows),
                _ => {}
            }
        }
    }

    /// Computes nodes for the rows `range` of a lookup's table.
    fn evaluate(
        &self,
        plan: &Plan,
        tables: Tables<'_>,
        lookup: usize,
        (numbers, range): (Numbers, Range<usize>),
        work: &Work,
        columns: &mut [Column],
    ) {
        let (count, mut rows) = (range.len(), Rows::default());
        self.rows_below(plan, tables, lookup, (numbers, range), work, &mut rows);
        at_load(plan, tables, &rows).run(&work.nodes, 0..count, columns);
    }

    /// What `program` keeps for rows of a lookup's table.
    pub(super) fn prepare_rows(
        &self,
        plan: &Plan,
        program: &Program,
        tables: Tables<'_>,
        lookup: usize,
        numbers: Numbers,
    ) -> PreparedRows {
        let (record, nodes) = (&program.records[lookup], &program.kept[lookup]);
        let targets =
            record.places.iter().map(|place| plan.outputs[place.output].features[place.feature].node);
        let work = Work::of(plan, targets.chain(nodes.iter().copied()));
        let count = numbers.count();
        let mut matrix = RowMatrix::new(count, record.bytes);
        let mut kept: Vec<Column> =
            nodes.iter().map(|&node| Column::new(plan.graph.nodes[node].of)).collect();
        let mut columns = plan.columns();
        let block = block_rows(plan, &work.nodes);
        for start in (0..count).step_by(block) {
            let range = start..(start + block).min(count);
            self.evaluate(plan, tables, lookup, (numbers, range.clone()), &work, &mut columns);
            nodes.iter().zip(&mut kept).for_each(|(&node, kept)| kept.append(&columns[node]));
            write_records(plan, record, &columns, range.start, range.len(), &mut matrix);
        }
        PreparedRows { records: (record.bytes > 0).then_some(matrix), kept }
    }
}

/// Rows computed at a time, fewer where vectors are wide.
fn block_rows(plan: &Plan, nodes: &[NodeId]) -> usize {
    let widest = nodes.iter().map(|&node| plan.graph.nodes[node].held_lanes()).max();
    (LANES / widest.unwrap_or(1).max(1)).clamp(1, BLOCK)
}

/// Bytes that a kept node's values take for each row of a lookup's table; for sparse vectors those of the first rows.
pub fn bytes_of_row(plan: &Plan, tables: Tables<'_>, lookup: usize, node: NodeId) -> usize {
    let of = &plan.graph.nodes[node];
    match of.form {
        Form::Plain => of.of.lanes() * size_of::<f64>(),
        Form::Float32 => of.of.lanes() * size_of::<f32>(),
        Form::OneHot => size_of::<u32>(),
        Form::Sparse => {
            let work = Work::of(plan, std::iter::once(node));
            let count = tables.of(&plan.graph, lookup).places().min(block_rows(plan, &work.nodes));
            let mut columns = plan.columns();
            let numbers = Numbers::Places(count);
            Prepared::default().evaluate(plan, tables, lookup, (numbers, 0..count), &work, &mut columns);
            columns[node].values.memory().div_ceil(count.max(1))
        }
    }
}

/// Computes nodes when tables are loaded.
fn at_load<'a>(plan: &'a Plan, tables: Tables<'a>, rows: &'a Rows) -> Evaluator<'a> {
    let graph = &plan.graph;
    Evaluator { graph, tables, rows, inputs: None, prepared: None, dictionaries: &[], in_place: false }
}

/// Nodes to compute for rows of a table, with the lookups that they read.
struct Work {
    /// In order.
    nodes: Vec<NodeId>,
    /// In order, those below the table's lookup among them, each with the nodes that its key is computed of.
    lookups: Vec<(usize, Vec<NodeId>)>,
}

impl Work {
    /// What `targets` need.
    fn of(plan: &Plan, targets: impl Iterator<Item = NodeId>) -> Self {
        let graph = &plan.graph;
        let nodes = nodes_for(plan, targets);
        let mut read = vec![false; graph.lookups.len()];
        note_read(plan, &nodes, &mut read);
        let mut lookups = Vec::new();
        for &lookup in graph.lookup_order.iter().rev() {
            if read[lookup] {
                let Lookup { keys, parent, .. } = &graph.lookups[lookup];
                let of_key = nodes_for(plan, keys.iter().copied());
                note_read(plan, &of_key, &mut read);
                parent.iter().for_each(|&parent| read[parent] = true);
                lookups.push((lookup, of_key));
            }
        }
        lookups.reverse();
        Self { nodes, lookups }
    }
}

/// Notes the lookups whose columns are among `nodes`.
fn note_read(plan: &Plan, nodes: &[NodeId], read: &mut [bool]) {
    for &node in nodes {
        if let Some(lookup) = plan.graph.nodes[node].source.lookup() {
            read[lookup] = true;
        }
    }
}

/// Finds the rows of a lookup by the rows of those that its key reads; `nodes` are those that it is computed of.
fn find_below(plan: &Plan, tables: Tables<'_>, lookup: usize, nodes: &[NodeId], rows: &mut Rows) {
    let graph = &plan.graph;
    let mut computed = Vec::new();
    if let (true, Some(parent)) = (graph.has_computed_key(lookup), graph.lookups[lookup].parent) {
        computed = plan.columns();
        at_load(plan, tables, rows).run(nodes, 0..rows.numbers[parent].len(), &mut computed);
    }
    Finder { graph, tables, inputs: None, computed: &computed }.find(lookup, rows);
}

/// All nodes that `targets` read, in order.
fn nodes_for(plan: &Plan, targets: impl Iterator<Item = NodeId>) -> Vec<NodeId> {
    let mut open: Vec<NodeId> = targets.collect();
    let mut needed = vec![false; plan.graph.nodes.len()];
    while let Some(node) = open.pop() {
        if std::mem::replace(&mut needed[node], true) {
            continue;
        }
        match &plan.graph.nodes[node].source {
            Source::Step { inputs, .. } => open.extend(inputs),
            Source::Dense(inner) => open.push(*inner),
            Source::Input(_) | Source::Column { .. } | Source::Found(_) => {}
        }
    }
    (0..needed.len()).filter(|&node| needed[node]).collect()
}

fn write_records(
    plan: &Plan,
    record: &Record,
    columns: &[Column],
    first: usize,
    count: usize,
    matrix: &mut RowMatrix,
) {
    let mut row_buffer = vec![0_u8; record.bytes * count];
    for (position, place) in record.places.iter().enumerate() {
        let output = &plan.outputs[place.output];
        let feature = &output.features[place.feature];
        let column = &columns[feature.node];
        let mut to = Destination { bytes: &mut row_buffer, stride: record.bytes, dtype: output.dtype };
        if place.slot {
            to.write_slot(column, place.at);
        } else {
            to.write_feature(column, feature, place.at);
        }
        for (row, mark) in column.marks.iter().enumerate() {
            let status = mark.code();
            row_buffer[row * record.bytes + record.statuses + position] = status;
            row_buffer[(row + 1) * record.bytes - 1] |= status;
        }
    }
    for (row, bytes) in row_buffer.chunks_exact(record.bytes.max(1)).enumerate().take(count) {
        matrix.row_mut(first + row)[..record.bytes].copy_from_slice(bytes);
    }
}
