//! Composite keys with one part that a table's column holds, such as user x the ad's category: where the other parts
//! are known once for a request, each distinct value of that column is looked up once, not each row.

use std::collections::HashMap;

use super::{
    Tables,
    graph::{Graph, Source},
};
use crate::{
    batch::{Column, Mark, Values},
    spec::Scope,
};

/// With more distinct values than this, rows are looked up one by one: a request has hundreds of them.
const LIMIT: usize = 1024;

/// The part of a lookup's key that a table's column holds, by codes.
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
    /// The position of the part and its lookup and column, where a lookup's key is of this kind.
    pub fn of_lookup(graph: &Graph, lookup: usize) -> Option<(usize, usize, usize)> {
        let of = &graph.lookups[lookup];
        let is_row = |position: &usize| graph.nodes[of.keys[*position]].scope == Scope::Row;
        let mut rows = (0..of.keys.len()).filter(is_row);
        let (part, None) = (rows.next()?, rows.next()) else { return None };
        match graph.nodes[of.keys[part]].source {
            Source::Column { lookup: parent, column }
                if of.keys.len() > 1 && !graph.nodes[of.keys[part]].of.list =>
            {
                Some((part, parent, column))
            }
            _ => None,
        }
    }

    /// Codes the part over all rows of its table; none where it has too many distinct values.
    pub fn build(graph: &Graph, tables: Tables<'_>, lookup: usize) -> Option<Self> {
        let (part, parent, column) = Self::of_lookup(graph, lookup)?;
        let table = tables.of(graph, parent);
        let of = graph.nodes[graph.lookups[lookup].keys[part]].of;
        let (mut values, mut distinct) = (Column::new(of), Column::new(of));
        let mut known: HashMap<Distinct, u16> = HashMap::new();
        let mut firsts = Vec::new();
        let mut codes = Vec::with_capacity(table.row_numbers());
        let rows: Vec<u32> = (0..table.row_numbers() as u32).collect();
        for block in rows.chunks(4096) {
            table.gather(column, block, &mut values);
            for (position, &row) in block.iter().enumerate() {
                let next = known.len() as u16;
                let code = *known.entry(value_at(&values, position)).or_insert_with(|| {
                    firsts.push(row);
                    next
                });
                codes.push(code);
            }
            if known.len() > LIMIT {
                return None;
            }
        }
        table.gather(column, &firsts, &mut distinct);
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
