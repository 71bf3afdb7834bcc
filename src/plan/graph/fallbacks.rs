//! Lookups with fall-backs: each column that is read becomes a choice, for each row, of the first row that is there.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    super::digest::{Digest, Digester},
    Builder, Form, Lookup, NodeId, Unresolved,
    keys::KeyPart,
};
use crate::{
    batch::{Column, Element, Mark, Type, Values, json::column_of},
    problem::listed,
    spec::{
        Fallback,
        fallback::{Columns, OtherKey, Pick, Pooled},
    },
    table::TableSchema,
    transform::{
        Operation as _, Transform,
        fallback::{AnyFound, FallbackKernel},
        pick_keys::PickKeys,
        pool::{Empty, Function, NullElements, Pool},
    },
};

/// A fall-back with what its values are read from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Built<'a> {
    /// A row of another lookup.
    Key { lookup: usize, schema: &'a TableSchema, columns: Option<&'a Columns> },
    /// The rows of a lookup by lists, pooled.
    Pool {
        lookup: usize,
        schema: &'a TableSchema,
        columns: Option<&'a Columns>,
        weights: Option<NodeId>,
        function: Function,
    },
    /// Values by column.
    Row(&'a BTreeMap<String, Value>),
}

impl Built<'_> {
    /// The column of the fall-back's own table that stands in for the column `name`, where it gives it.
    fn column(&self, name: &str) -> Option<usize> {
        let (Self::Key { schema, columns, .. } | Self::Pool { schema, columns, .. }) = self else {
            return None;
        };
        match columns {
            Some(columns) => columns.get(name).and_then(|other| schema.column(other)),
            None => {
                schema.column(name).filter(|&column| !self.is_pool() || is_pooled(schema.columns[column].of))
            }
        }
    }

    fn is_pool(&self) -> bool {
        matches!(self, Self::Pool { .. })
    }
}

/// Whether rows' values of this type can be pooled.
fn is_pooled(of: Type) -> bool {
    of.element == Element::Float64 && !of.list
}

impl<'a> Builder<'a> {
    /// Adds the fall-backs of a lookup, in their order.
    pub(super) fn add_fallbacks(&mut self, position: usize, place: &str) {
        let spec = self.spec;
        let lookup = &spec.lookups[position];
        if lookup.fallbacks.is_empty() {
            return;
        }
        let most = Mark::MOST_LEVELS;
        if lookup.fallbacks.len() > most {
            let count = lookup.fallbacks.len();
            self.problems
                .add(format!("{place}.fallbacks"), format!("are {count}; a lookup has at most {most}"));
        }
        if self.graph.lookups[position].list {
            let message = "are for lookups with a single key: this one is a list";
            self.problems.add(format!("{place}.fallbacks"), message);
        }
        let own = self.schemas.get(&lookup.table);
        for (at, fallback) in lookup.fallbacks.iter().enumerate() {
            let (name, place) =
                (format!("{}.fallbacks[{at}]", lookup.name), format!("{place}.fallbacks[{at}]"));
            let built = match fallback {
                Fallback::Key(other) => self.other_key(other, name, &place),
                Fallback::Pool(pooled) => self.pooled(pooled, name, &format!("{place}.pool")),
                Fallback::Row(row) => Some(Built::Row(row)),
            };
            if let (Some(built), Some(own)) = (built, own) {
                self.check_columns(built, own, &place);
            }
            self.fallbacks[position].push(built);
        }
    }

    fn other_key(&mut self, other: &'a OtherKey, name: String, place: &str) -> Option<Built<'a>> {
        let keyed = self.keyed(name, &other.table, &other.key, place)?;
        if keyed.list {
            self.problems.add(format!("{place}.key"), "is a list: \"pool\" takes the rows of several keys");
            return None;
        }
        let schema = self.schemas.get(&other.table)?;
        Some(Built::Key {
            lookup: self.add_lookup_of_fallback(keyed),
            schema,
            columns: other.columns.as_ref(),
        })
    }

    fn pooled(&mut self, pooled: &'a Pooled, name: String, place: &str) -> Option<Built<'a>> {
        if pooled.cap == 0 {
            self.problems.add(format!("{place}.cap"), "must be 1 or more");
        }
        let schema = self.schema(&pooled.table, place)?;
        let keys = self.resolve(&pooled.keys, &format!("{place}.keys"));
        let weights =
            pooled.weights.as_ref().map(|weights| self.resolve(weights, &format!("{place}.weights")));
        let (keys, weights) = (keys.ok()?, weights.transpose().ok()?);
        self.check_pooled_keys(pooled, keys, schema, place);
        if let Some(weights) = weights {
            self.check_weights(pooled, weights, place);
        }
        let seed = match pooled.pick {
            Pick::First => None,
            Pick::Sample { seed } => Some(seed),
        };
        let kernel = || Box::new(PickKeys { cap: pooled.cap, seed });
        let of = self.graph.nodes[keys].of;
        let value = Digester::new("picked keys").value(&(pooled.cap, seed)).finish();
        let picked = self.add_step(kernel(), value, &[keys], of);
        let weights = weights
            .map(|weights| self.add_step(kernel(), value, &[keys, weights], self.graph.nodes[weights].of));
        let keyed = self.by_keys(name, &pooled.table, vec![picked]);
        let (lookup, function) = (self.add_lookup_of_fallback(keyed), pooled.function);
        Some(Built::Pool { lookup, schema, columns: pooled.columns.as_ref(), weights, function })
    }

    fn check_pooled_keys(&mut self, pooled: &'a Pooled, keys: NodeId, schema: &'a TableSchema, place: &str) {
        let place = format!("{place}.keys");
        let [column] = schema.key.as_slice() else {
            let message =
                format!("table {:?} has {} key columns; a pool needs one", schema.name, schema.key.len());
            return self.problems.add(place, message);
        };
        let of = self.graph.nodes[keys].of;
        if !of.list {
            return self.problems.add(place, format!("is {of}, must be a list of keys"));
        }
        self.check_key(&KeyPart { column, reference: &pooled.keys, place }, keys, 1, schema);
    }

    fn check_weights(&mut self, pooled: &Pooled, weights: NodeId, place: &str) {
        let of = self.graph.nodes[weights].of;
        if !of.list || of.element != Element::Float64 || of.width.is_some() {
            self.problems.add(format!("{place}.weights"), format!("is {of}, must be list<float64>"));
        }
        if matches!(pooled.function, Function::Max | Function::Min) {
            let message = "takes no weights: the greatest and the least have none";
            self.problems.add(format!("{place}.function"), message);
        }
    }

    fn add_lookup_of_fallback(&mut self, lookup: Lookup) -> usize {
        let position = self.graph.lookups.len();
        self.graph.lookups.push(lookup);
        self.graph.lookup_order.push(position);
        position
    }

    /// Checks the columns that a fall-back gives against those of the lookup's own table.
    fn check_columns(&mut self, built: Built<'a>, own: &TableSchema, place: &str) {
        match built {
            Built::Row(row) => {
                for (name, value) in row {
                    let place = format!("{place}.row.{name}");
                    let Some(of) = self.own_column(own, name, &place) else { continue };
                    if let Err(found) = column_of(of, std::slice::from_ref(value)) {
                        for problem in found.iter() {
                            let message = problem.message.clone();
                            self.problems.add(place.as_str(), message);
                        }
                    }
                }
            }
            Built::Key { schema, columns: Some(columns), .. } => {
                self.check_named(columns, own, schema, place)
            }
            Built::Pool { schema, columns: Some(columns), .. } => {
                self.check_named(columns, own, schema, &format!("{place}.pool"));
                self.check_types(built, own, &format!("{place}.pool"));
                return;
            }
            Built::Key { .. } | Built::Pool { .. } => {}
        }
        self.check_types(built, own, place);
    }

    fn own_column(&mut self, own: &TableSchema, name: &str, place: &str) -> Option<Type> {
        let column = own.column(name).map(|column| own.columns[column].of);
        if column.is_none() {
            let message =
                format!("table {:?} has no column {name:?}; available columns: {}", own.name, names(own));
            self.problems.add(place, message);
        }
        column
    }

    fn check_named(&mut self, columns: &Columns, own: &TableSchema, other: &TableSchema, place: &str) {
        for (name, theirs) in columns {
            let place = format!("{place}.columns.{name}");
            self.own_column(own, name, &place);
            self.own_column(other, theirs, &place);
        }
    }

    fn check_types(&mut self, built: Built<'_>, own: &TableSchema, place: &str) {
        let (Built::Key { schema, .. } | Built::Pool { schema, .. }) = built else { return };
        for column in &own.columns {
            let Some(other) = built.column(&column.name) else { continue };
            let other = &schema.columns[other];
            let (of, theirs) = (column.of.with_nullable(true), other.of.with_nullable(true));
            let message = if of != theirs {
                format!("is {theirs} in table {:?}, and {of} in table {:?}", schema.name, own.name)
            } else if built.is_pool() && !is_pooled(of) {
                format!("is {of}; rows are pooled of float64 scalars and vectors")
            } else {
                continue;
            };
            let hint = "; \"columns\" names those that the fall-back gives";
            self.problems.add(format!("{place}.columns.{}", column.name), message + hint);
        }
    }

    /// A column of a lookup, or of the first of its fall-backs that gives it and has a row.
    pub(super) fn with_fallbacks(
        &mut self,
        lookup: usize,
        column: usize,
        stored: NodeId,
    ) -> Result<NodeId, Unresolved> {
        let schemas = self.schemas;
        let own = &schemas[&self.spec.lookups[lookup].table].columns[column];
        let mut inputs = vec![self.found(lookup), stored];
        let (mut levels, mut last) = (vec![0], None);
        let mut digester = Digester::new("fallback");
        for (at, built) in self.fallbacks[lookup].clone().into_iter().enumerate() {
            // What a fall-back lacks was noted.
            let built = built.ok_or(Unresolved)?;
            let level = at + 1;
            if let Built::Row(row) = built {
                let Some(value) = row.get(&own.name) else { continue };
                let column = column_of(own.of, std::slice::from_ref(value)).map_err(|_| Unresolved)?;
                digester = digester.value(&(value, level));
                last = Some((column, level));
                break;
            }
            if let Some(read) = self.fallback_values(built, &own.name)? {
                inputs.extend(read);
                levels.push(level);
            }
        }
        if levels.len() == 1 && last.is_none() {
            return Ok(stored);
        }
        let value = digester.value(&levels).finish();
        Ok(self.add_choice(own.of, value, inputs, levels, last))
    }

    /// Whether a fall-back has a row, and its values of a column, where it gives the column.
    fn fallback_values(&mut self, built: Built<'_>, name: &str) -> Result<Option<[NodeId; 2]>, Unresolved> {
        let (Some(column), Built::Key { lookup, schema, .. } | Built::Pool { lookup, schema, .. }) =
            (built.column(name), built)
        else {
            return Ok(None);
        };
        let values = self.stored_column(lookup, column, schema, "")?;
        let found = self.found(lookup);
        let Built::Pool { weights, function, .. } = built else { return Ok(Some([found, values])) };
        let value = Digester::new("any found").finish();
        let any = self.add_step(Box::new(AnyFound), value, &[found], Type::scalar(Element::Bool));
        let pool = Pool { function, null_elements: NullElements::Skip, empty: Empty::Null };
        let read: Vec<NodeId> = [values].into_iter().chain(weights).collect();
        let types: Vec<Type> = read.iter().map(|&node| self.graph.nodes[node].of).collect();
        // What can't be pooled was noted with the fall-back.
        let compiled = pool.compile(&types).map_err(|_| Unresolved)?;
        let value = Digester::new("step").value(&Transform::Pool(pool)).finish();
        Ok(Some([any, self.add_step(compiled.kernel, value, &read, compiled.output)]))
    }

    fn add_choice(
        &mut self,
        of: Type,
        value: Digest,
        inputs: Vec<NodeId>,
        levels: Vec<usize>,
        last: Option<(Column, usize)>,
    ) -> NodeId {
        let mut values = inputs.iter().skip(1).step_by(2);
        // A row's values that have no room in 32 bits widen the others.
        let narrow = last.as_ref().is_none_or(|(column, _)| is_exact_in_float32(column));
        let float32 = narrow && values.all(|&node| self.graph.nodes[node].form == Form::Float32);
        let of = of.with_nullable(true);
        let most = last.as_ref().map(|(_, level)| *level).or(levels.last().copied()).unwrap_or_default();
        let kernel = FallbackKernel::new(of, levels, last, float32);
        let node = self.add_step(Box::new(kernel), value, &inputs, of);
        self.graph.levels.insert(node, most);
        node
    }
}

fn is_exact_in_float32(column: &Column) -> bool {
    let is_exact = |&value: &f64| f64::from(value as f32).to_bits() == value.to_bits();
    matches!(&column.values, Values::Float64(values) if values.iter().all(is_exact))
}

fn names(schema: &TableSchema) -> String {
    let names: BTreeSet<&str> = schema.columns.iter().map(|column| column.name.as_str()).collect();
    listed(names)
}
