//! Composite keys with one part that follows from a table's row, such as user x the ad's category: where the other parts
//! are known once for a request, each distinct value of that part is looked up once, not each row.

use std::{collections::HashMap, ops::Range};

use super::graph::Graph;
use crate::{
    batch::{Column, Mark, Values},
    spec::Scope,
};

/// Rows coded at a time; with those before, fewer distinct values than codes can distinguish.
const BLOCK: usize = 4096;

/// With more distinct values than this, rows are looked up one by one: a request has hundreds of them.
const LIMIT: usize = 1024;

/// The part of a lookup's key that follows from a table's row, by codes.
#[derive(Debug)]
pub struct CodedPart {
    /// Its position among the key's parts.
    pub part: usize,
    /// The lookup whose rows it follows from.
    pub parent: usize,
    /// The position of each of the parent's rows among the distinct values.
    pub codes: Vec<u16>,
    pub distinct: Column,
}

/// A value, or why there is none.
type Distinct = Result<Vec<u8>, Mark>;

impl CodedPart {
    /// The position of the part and the lookup whose row determines it, where a lookup's key is of this kind.
    pub fn of_lookup(graph: &Graph, lookup: usize) -> Option<(usize, usize)> {
        let of = &graph.lookups[lookup];
        let is_row = |position: &usize| graph.nodes[of.keys[*position]].scope == Scope::Row;
        let mut rows = (0..of.keys.len()).filter(is_row);
        let (part, None) = (rows.next()?, rows.next()) else { return None };
        let node = &graph.nodes[of.keys[part]];
        let parent = node.anchor.filter(|&parent| !graph.lookups[parent].live)?;
        (of.keys.len() > 1 && !node.of.list).then_some((part, parent))
    }

    /// Codes the part over all rows of its table, `count` of them; none where it has too many distinct values. `values`
    /// gives the part's values for some of the rows.
    pub fn build(
        graph: &Graph,
        lookup: usize,
        count: usize,
        mut values: impl FnMut(Range<usize>) -> Column,
    ) -> Option<Self> {
        let (part, parent) = Self::of_lookup(graph, lookup)?;
        let of = graph.nodes[graph.lookups[lookup].keys[part]].of;
        let (mut distinct, mut new) = (Column::new(of), Column::new(of));
        let mut known: HashMap<Distinct, u16> = HashMap::new();
        let mut codes = Vec::with_capacity(count);
        for start in (0..count).step_by(BLOCK) {
            let of_block = values(start..(start + BLOCK).min(count));
            let mut firsts = Vec::new();
            for position in 0..of_block.marks.len() {
                let next = known.len() as u16;
                let code = *known.entry(value_at(&of_block, position)).or_insert_with(|| {
                    firsts.push(position as u32);
                    next
                });
                codes.push(code);
            }
            if known.len() > LIMIT {
                return None;
            }
            new.gather(&of_block, 1, &firsts);
            distinct.append(&new);
        }
        Some(Self { part, parent, codes, distinct })
    }

    /// Bytes in memory.
    pub fn memory(&self) -> usize {
        size_of_val(&self.codes[..]) + self.distinct.values.memory()
    }
}

fn value_at(column: &Column, position: usize) -> Distinct {
    if column.marks[position].is_null() {
        return Err(column.marks[position]);
    }
    Ok(match &column.values {
        Values::String(strings) => strings.get_bytes(position).to_vec(),
        Values::Uint64(values) => values[position].to_le_bytes().to_vec(),
        _ => column.int64()[position].to_le_bytes().to_vec(),
    })
}
