//! Fetching rows: from keys to row numbers, the step of a request between preparing and running.
//!
//! Nothing that runs afterwards finds a row by itself. Memory is the only source of rows; another would stand here.

use std::{borrow::Cow, ops::Range};

use super::{
    Tables,
    coded::CodedPart,
    graph::{Graph, Lookup, NodeId, Source},
    job::{Job, Scratch},
    program::OutputSet,
    run::{LookupCounts, Stopped},
};
use crate::{
    batch::{Column, ListRows, Values},
    table::RowNumber,
};

/// The inputs of one request, each of its spec's type and length; one for each input of the spec.
#[derive(Debug, Default)]
pub struct Inputs {
    pub columns: Vec<InputColumn>,
    /// The number of rows N.
    pub rows: usize,
    /// The request's clock, in nanoseconds since 1970-01-01T00:00:00Z; without one no row is too old.
    pub now: Option<i64>,
}

/// One input's values.
#[derive(Debug)]
pub struct InputColumn {
    /// The values: one for the request, or one for each row; for a dictionary its distinct values and, where
    /// a row is null, a null after them.
    pub column: Column,
    /// For a dictionary: the position of each row's value in `column`. Never with a list.
    pub indices: Option<Vec<u32>>,
}

impl InputColumn {
    /// How many values there are: one for each row, or all lists' elements.
    pub fn elements(&self) -> usize {
        self.indices.as_ref().map_or(self.column.marks.len(), Vec::len)
    }

    /// Bytes of the texts of all rows, or elements of lists, where they are more than `limit`.
    pub fn text_beyond(&self, limit: usize) -> Option<usize> {
        let Values::String(strings) = &self.column.values else { return None };
        let lengths = strings.spans().iter().map(|span| span.length as usize);
        let bytes: usize = match &self.indices {
            // Hardly ever is one text so long that its length times the rows is beyond.
            Some(indices) if lengths.clone().max().unwrap_or(0).saturating_mul(indices.len()) <= limit => 0,
            Some(indices) => {
                indices.iter().map(|&index| strings.spans()[index as usize].length as usize).sum()
            }
            None => lengths.sum(),
        };
        (bytes > limit).then_some(bytes)
    }
}

/// The row numbers of all lookups: one for the request or one for each row, or one for each element of list keys.
#[derive(Debug, Default)]
pub struct Rows {
    pub numbers: Vec<Vec<RowNumber>>,
    /// For a list key, which elements belong to which row.
    pub lists: Vec<Option<ListRows>>,
    /// For each row number whether its row is served although it is too old; empty where none is.
    pub stale: Vec<Vec<bool>>,
}

impl Rows {
    /// No row yet for any of `lookups`.
    pub fn reset(&mut self, lookups: usize) {
        self.numbers.resize_with(lookups, Vec::new);
        self.numbers.iter_mut().for_each(Vec::clear);
        self.lists.clear();
        self.lists.resize(lookups, None);
        self.stale.resize_with(lookups, Vec::new);
        self.stale.iter_mut().for_each(Vec::clear);
    }

    /// Takes over the rows of `lookup` from its parent's rows by the numbers resolved at load time.
    pub fn derive(&mut self, lookup: usize, parent: usize, resolved: &[RowNumber]) {
        let mut numbers = std::mem::take(&mut self.numbers[lookup]);
        numbers.clear();
        numbers.extend(self.numbers[parent].iter().map(|&row| resolved[row.place()]));
        self.numbers[lookup] = numbers;
    }

    /// The numbers that belong to the rows `range`: the elements of their lists where the key is a list.
    pub fn part(&self, lookup: usize, range: Range<usize>) -> &[RowNumber] {
        &self.numbers[lookup][self.positions(lookup, range)]
    }

    /// Where the numbers are that belong to the rows `range`.
    pub fn positions(&self, lookup: usize, range: Range<usize>) -> Range<usize> {
        match &self.lists[lookup] {
            Some(list) => list.offsets[range.start] as usize..list.offsets[range.end] as usize,
            None => range,
        }
    }
}

/// Finds rows by keys.
#[derive(Debug, Clone, Copy)]
pub struct Finder<'a> {
    pub graph: &'a Graph,
    pub tables: Tables<'a>,
    /// The request's inputs; none at load time.
    pub inputs: Option<&'a Inputs>,
    /// The values of computed keys, by node.
    pub computed: &'a [Column],
}

impl<'a> Finder<'a> {
    /// Finds the rows of one lookup; those of lookups whose columns are its key are there already, and what is computed
    /// of its key too.
    pub fn find(&self, lookup: usize, found: &mut Rows) {
        let of = &self.graph.lookups[lookup];
        let table = self.tables.of(self.graph, lookup);
        let mut numbers = std::mem::take(&mut found.numbers[lookup]);
        numbers.clear();
        if let Some((distinct, indices)) = self.dictionary_key(of) {
            let mut of_distinct = Vec::new();
            table.find(&[distinct], &mut of_distinct);
            numbers.extend(indices.iter().map(|&index| of_distinct[index as usize]));
        } else {
            let keys: Vec<Cow<'_, Column>> = of.keys.iter().map(|&key| self.key(key, found)).collect();
            let columns: Vec<&Column> = keys.iter().map(|key| &**key).collect();
            table.find(&columns, &mut numbers);
            found.lists[lookup] = keys.first().and_then(|key| key.list.clone());
        }
        found.numbers[lookup] = numbers;
    }

    /// Finds the rows of a lookup whose key is coded: each distinct key once.
    pub fn find_coded(&self, lookup: usize, coded: &CodedPart, found: &mut Rows) {
        let keys = self.graph.lookups[lookup].keys.iter().enumerate();
        let keys: Vec<Cow<'_, Column>> = keys
            .map(
                |(part, &key)| {
                    if part == coded.part { Cow::Borrowed(&coded.distinct) } else { self.key(key, found) }
                },
            )
            .collect();
        let columns: Vec<&Column> = keys.iter().map(|key| &**key).collect();
        let mut of_distinct = Vec::with_capacity(coded.distinct.rows());
        self.tables.of(self.graph, lookup).find(&columns, &mut of_distinct);
        let mut numbers = std::mem::take(&mut found.numbers[lookup]);
        numbers.clear();
        let rows = found.numbers[coded.parent].iter();
        numbers.extend(rows.map(|&row| of_distinct[usize::from(coded.codes[row.place()])]));
        found.numbers[lookup] = numbers;
    }

    /// A single key that came as a dictionary: each distinct value is looked up once.
    fn dictionary_key(&self, lookup: &Lookup) -> Option<(&'a Column, &'a [u32])> {
        let ([key], Some(inputs)) = (lookup.keys.as_slice(), self.inputs) else { return None };
        let Source::Input(input) = self.graph.nodes[*key].source else { return None };
        let InputColumn { column, indices } = &inputs.columns[input];
        indices.as_deref().map(|indices| (column, indices))
    }

    fn key(&self, key: NodeId, found: &Rows) -> Cow<'a, Column> {
        let node = &self.graph.nodes[key];
        match (&node.source, self.inputs) {
            (Source::Input(input), Some(inputs)) => match &inputs.columns[*input] {
                InputColumn { column, indices: None } => Cow::Borrowed(column),
                InputColumn { column, indices: Some(indices) } => {
                    let mut values = Column::new(node.of);
                    values.gather(column, 1, indices);
                    Cow::Owned(values)
                }
            },
            (Source::Column { lookup, column }, _) => {
                let mut values = Column::new(node.of);
                let numbers = &found.numbers[*lookup];
                self.tables.of(self.graph, *lookup).gather(*column, numbers, &mut values);
                found.mark_stale(*lookup, None, &mut values);
                if let Some(list) = &found.lists[*lookup] {
                    values.list = Some(list.clone());
                }
                Cow::Owned(values)
            }
            // A boolean is no key.
            (Source::Input(_), None) | (Source::Found(_), _) => Cow::Owned(Column::new(node.of)),
            (Source::Step { .. } | Source::Dense(_), _) => Cow::Borrowed(&self.computed[key]),
        }
    }
}

impl Job<'_> {
    /// Finds the row numbers of all lookups that the outputs wanted need; how many keys each lookup missed.
    pub(super) fn fetch(
        &self,
        scratch: &mut Scratch,
        wanted: OutputSet,
        expired: &dyn Fn() -> bool,
    ) -> Result<Vec<LookupCounts>, Stopped> {
        let graph = &self.plan.graph;
        scratch.rows.reset(graph.lookups.len());
        let mut missed = Vec::with_capacity(graph.lookups.len());
        for &lookup in &graph.lookup_order {
            if self.program.needed_lookups[lookup] & wanted != 0 {
                self.find(lookup, scratch, expired)?;
                scratch.rows.age(lookup, graph, self.tables, self.inputs.now);
                missed.push(missed_keys(lookup, &scratch.rows.numbers[lookup]));
            }
        }
        Ok(missed)
    }

    fn find(&self, lookup: usize, scratch: &mut Scratch, expired: &dyn Fn() -> bool) -> Result<(), Stopped> {
        let resolved = self.prepared.and_then(|prepared| prepared.resolved(lookup));
        let coded = self.prepared.and_then(|prepared| prepared.coded(lookup));
        let keys = self.program.keys[lookup].as_ref();
        match (resolved, self.plan.graph.lookups[lookup].parent, coded, keys) {
            (Some(resolved), Some(parent), ..) => scratch.rows.derive(lookup, parent, resolved),
            (_, _, Some(coded), keys) => {
                if let Some(keys) = keys {
                    self.compute_request_keys(keys, scratch);
                }
                let Scratch { rows, request, .. } = scratch;
                self.finder(request).find_coded(lookup, coded, rows);
            }
            (_, _, None, Some(keys)) => self.find_computed(lookup, keys, scratch, expired)?,
            (_, _, None, None) => self.finder(&[]).find(lookup, &mut scratch.rows),
        }
        Ok(())
    }
}

fn missed_keys(lookup: usize, numbers: &[RowNumber]) -> LookupCounts {
    let missing = numbers.iter().filter(|&&number| number == RowNumber::NOT_FOUND).count();
    LookupCounts { lookup, keys: numbers.len() as u32, missing: missing as u32 }
}
