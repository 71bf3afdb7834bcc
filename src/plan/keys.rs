//! Keys that are computed in a request: their nodes, and the row numbers that they lead to.

use std::ops::Range;

use super::{
    evaluate::over_dictionaries,
    graph::{Graph, NodeId},
    job::{Job, Scratch},
    program::repeated,
    run::{Stopped, block_rows},
};
use crate::{
    batch::{Column, ListRows},
    spec::Scope,
    table::RowNumber,
};

/// The nodes that a lookup's key is computed of, itself among them.
#[derive(Debug, Clone)]
pub struct KeyNodes {
    /// Computed once for a request, in order.
    request: Vec<NodeId>,
    /// Computed for each block of rows, in order.
    rows: Vec<NodeId>,
    /// Those of the request that are repeated for each row of a block.
    broadcast: Vec<NodeId>,
    /// Those of the request that are read as a single row.
    singles: Vec<NodeId>,
}

impl KeyNodes {
    /// Splits nodes, given in order, by when they are computed.
    pub fn of(graph: &Graph, nodes: impl Iterator<Item = NodeId>) -> Self {
        let (rows, request): (Vec<_>, Vec<_>) =
            nodes.partition(|&node| graph.nodes[node].scope == Scope::Row);
        let (broadcast, singles) = repeated(graph, &request, &rows);
        Self { request, rows, broadcast, singles }
    }
}

/// Row numbers, and for a list key which of them belong to which row.
struct Found {
    numbers: Vec<RowNumber>,
    list: Option<ListRows>,
}

impl Job<'_> {
    /// Computes the parts of a key that are known once for a request.
    pub(super) fn compute_request_keys(&self, keys: &KeyNodes, scratch: &mut Scratch) {
        let Scratch { rows, request, .. } = scratch;
        self.evaluator(rows, &[]).run(&keys.request, 0..1, request);
    }

    /// Finds the row numbers of a lookup whose key is computed, block by block.
    pub(super) fn find_computed(
        &self,
        lookup: usize,
        keys: &KeyNodes,
        scratch: &mut Scratch,
        expired: &dyn Fn() -> bool,
    ) -> Result<(), Stopped> {
        self.compute_request_keys(keys, scratch);
        let of = &self.plan.graph.lookups[lookup];
        let mut numbers = std::mem::take(&mut scratch.rows.numbers[lookup]);
        numbers.clear();
        let list = of.list.then(|| ListRows { offsets: vec![0], marks: Vec::new() });
        let mut found = Found { numbers, list };
        if of.scope == Scope::Request {
            let columns: Vec<&Column> = of.keys.iter().map(|&key| &scratch.request[key]).collect();
            self.add_found(lookup, &columns, &mut found);
        } else {
            self.find_by_rows(lookup, keys, scratch, &mut found, expired)?;
        }
        scratch.rows.numbers[lookup] = found.numbers;
        scratch.rows.lists[lookup] = found.list;
        Ok(())
    }

    fn find_by_rows(
        &self,
        lookup: usize,
        keys: &KeyNodes,
        scratch: &mut Scratch,
        found: &mut Found,
        expired: &dyn Fn() -> bool,
    ) -> Result<(), Stopped> {
        let graph = &self.plan.graph;
        let parts = &graph.lookups[lookup].keys;
        let Scratch { rows, request, block, dictionaries, .. } = scratch;
        let mut row_nodes = keys.rows.clone();
        over_dictionaries(graph, self.inputs, parts, &mut row_nodes, dictionaries);
        let evaluator = self.evaluator(rows, dictionaries);
        self.repeat(&keys.singles, request, 1, block);
        let (count, size) = (self.inputs.rows, block_rows(graph, &keys.broadcast, request, &keys.rows));
        for start in (0..count).step_by(size) {
            if expired() {
                return Err(Stopped::Expired);
            }
            let range: Range<usize> = start..(start + size).min(count);
            if start == 0 || range.len() < size {
                self.repeat(&keys.broadcast, request, range.len(), block);
            }
            evaluator.run(&row_nodes, range, block);
            let columns: Vec<&Column> = parts
                .iter()
                .map(|&key| if graph.nodes[key].scope == Scope::Row { &block[key] } else { &request[key] })
                .collect();
            self.add_found(lookup, &columns, found);
        }
        Ok(())
    }

    /// Adds the row numbers of keys, and the rows of their lists.
    fn add_found(&self, lookup: usize, keys: &[&Column], found: &mut Found) {
        self.tables.of(&self.plan.graph, lookup).find(keys, &mut found.numbers);
        if let (Some(list), Some(of_block)) =
            (&mut found.list, keys.first().and_then(|key| key.list.as_ref()))
        {
            let before = *list.offsets.last().unwrap_or(&0) as usize;
            for (&end, &mark) in of_block.offsets[1..].iter().zip(&of_block.marks) {
                list.push(before + end as usize, mark);
            }
        }
    }
}
