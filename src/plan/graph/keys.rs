//! Lookups with what holds their keys.

use std::collections::{BTreeMap, BTreeSet};

use super::{Builder, Lookup, NodeId, Part, Progress, Unloaded, Unresolved};
use crate::{
    problem::listed,
    spec::{Key, Reference, Scope},
    table::{KeyColumn, TableSchema},
};

impl<'a> Builder<'a> {
    /// Adds the lookups, each after what its key reads.
    pub(super) fn add_lookups(&mut self) {
        let lookups = self.spec.lookups.iter();
        self.graph.lookups = lookups.clone().map(|lookup| Lookup::without_key(lookup.name.clone())).collect();
        self.fallbacks = lookups.map(|_| Vec::new()).collect();
        for position in 0..self.spec.lookups.len() {
            // What could not be resolved was noted.
            let _ = self.lookup(position);
        }
    }

    /// Builds a lookup once. One whose key has a problem is there for those that read its columns.
    pub(super) fn lookup(&mut self, position: usize) -> Result<(), Unresolved> {
        match self.built_lookups[position] {
            Progress::Done(built) => return built,
            Progress::Open => return Err(self.depends_on_itself(Part::Lookup(position))),
            Progress::NotBegun => {}
        }
        if let Err(unresolved) = self.begin(Part::Lookup(position)) {
            self.built_lookups[position] = Progress::Done(Err(unresolved));
            return Err(unresolved);
        }
        self.built_lookups[position] = Progress::Open;
        self.add_lookup(position);
        self.open.pop();
        self.built_lookups[position] = Progress::Done(Ok(()));
        Ok(())
    }

    fn add_lookup(&mut self, position: usize) {
        let spec = self.spec;
        let lookup = &spec.lookups[position];
        let place = format!("lookups[{position}]");
        if let Some(keyed) = self.keyed(lookup.name.clone(), &lookup.table, &lookup.key, &place) {
            self.graph.lookups[position] = keyed;
        }
        self.add_age(position, &place);
        self.graph.lookup_order.push(position);
        self.add_fallbacks(position, &place);
    }

    /// A lookup of a table by a key; none where either has a problem, which is noted below `place`.
    pub(super) fn keyed(&mut self, name: String, table: &str, key: &'a Key, place: &str) -> Option<Lookup> {
        let schema = self.schema(table, place)?;
        let parts = self.key_parts(key, schema, &format!("{place}.key"))?;
        let keys: Vec<_> = parts.iter().map(|part| self.resolve(part.reference, &part.place)).collect();
        let keys = keys.into_iter().collect::<Result<Vec<_>, _>>().ok()?;
        for (part, &key) in parts.iter().zip(&keys) {
            self.check_key(part, key, parts.len(), schema);
        }
        Some(self.by_keys(name, table, keys))
    }

    /// A lookup of a table by keys of the right types.
    pub(super) fn by_keys(&self, name: String, table: &str, keys: Vec<NodeId>) -> Lookup {
        let table = self.graph.tables.binary_search_by(|other| (**other).cmp(table)).unwrap_or_default();
        let list = keys.len() == 1 && self.graph.nodes[keys[0]].of.list;
        let scope = self.joined_scope(&keys);
        let parent = self.graph.common_anchor(keys.iter().map(|&key| self.graph.nodes[key].anchor));
        let live = self.schemas.get(&self.graph.tables[table]).is_some_and(|schema| schema.live);
        let parent = parent.filter(|&parent| !live && !self.graph.lookups[parent].live);
        Lookup { name, table, keys, list, scope, live, parent, age: None }
    }

    /// The schema of a table; where there is none, a problem of `place` unless the table itself could not be loaded.
    pub(super) fn schema(&mut self, table: &str, place: &str) -> Option<&'a TableSchema> {
        let schema = self.schemas.get(table);
        if schema.is_none() && !self.unloaded.failed.contains(table) {
            let message = format!("there is no table {table:?}; the tables are: {}", self.tables());
            self.problems.add(format!("{place}.table"), message);
        }
        schema
    }

    /// The available tables.
    fn tables(&self) -> String {
        let Unloaded { failed, unread } = self.unloaded;
        let names: BTreeSet<&String> = self.schemas.keys().chain(failed).chain(unread).collect();
        listed(names.into_iter().map(String::as_str))
    }

    /// What holds each of the table's key columns, in the table's order.
    fn key_parts(&mut self, key: &'a Key, schema: &'a TableSchema, place: &str) -> Option<Vec<KeyPart<'a>>> {
        match (key, schema.key.as_slice()) {
            (Key::Single(reference), columns) if is_mistakable(reference, columns) => {
                let message = format!(
                    "{reference} is ambiguous, as the key columns of table {:?} have these names: write an object for what \
                     holds each, such as {}",
                    schema.name,
                    shown(
                        columns,
                        reference.fields().into_iter().map(|(_, name)| Reference::Input(name.to_owned()))
                    )
                );
                self.problems.add(place, message);
                None
            }
            (Key::Single(reference), [column]) => {
                Some(vec![KeyPart { column, reference, place: place.to_owned() }])
            }
            (Key::Single(reference), columns) => {
                let message = format!(
                    "is a single reference; table {:?} has {} key columns: write {}",
                    schema.name,
                    columns.len(),
                    shown(columns, [reference.clone()])
                );
                self.problems.add(place, message);
                None
            }
            (Key::Listed(parts), columns) => {
                let message = format!(
                    "is a list; key columns are matched by name: write {}",
                    shown(columns, parts.clone())
                );
                self.problems.add(place, message);
                None
            }
            (Key::Named(parts), columns) => self.named_parts(parts, columns, schema, place),
        }
    }

    fn named_parts(
        &mut self,
        parts: &'a BTreeMap<String, Reference>,
        columns: &'a [KeyColumn],
        schema: &TableSchema,
        place: &str,
    ) -> Option<Vec<KeyPart<'a>>> {
        let before = self.problems.len();
        let names = || listed(columns.iter().map(|column| column.name.as_str()));
        for name in parts.keys().filter(|name| columns.iter().all(|column| column.name != **name)) {
            let message =
                format!("table {:?} has no key column {name:?}; its key columns: {}", schema.name, names());
            self.problems.add(place, message);
        }
        let mut found = Vec::with_capacity(columns.len());
        for column in columns {
            match parts.get(&column.name) {
                Some(reference) => {
                    found.push(KeyPart { column, reference, place: format!("{place}.{}", column.name) });
                }
                None => {
                    let message = format!("lacks key column {:?} of table {:?}", column.name, schema.name);
                    self.problems.add(place, message);
                }
            }
        }
        (self.problems.len() == before).then_some(found)
    }

    pub(super) fn check_key(&mut self, part: &KeyPart<'_>, key: NodeId, parts: usize, schema: &TableSchema) {
        let of = self.graph.nodes[key].of;
        let KeyPart { column, place, .. } = part;
        if of.element != column.element || of.width.is_some() {
            let message = format!(
                "is {of}; the key column {:?} of table {:?} is {}",
                column.name,
                schema.name,
                column.element.name()
            );
            self.problems.add(place.as_str(), message);
        } else if of.list && parts > 1 {
            self.problems.add(place.as_str(), "a composite key can't have a list among its parts");
        }
    }
}

/// One key column with what holds it.
pub(super) struct KeyPart<'a> {
    pub column: &'a KeyColumn,
    pub reference: &'a Reference,
    pub place: String,
}

impl Lookup {
    /// The lookup of a name before its key is known.
    fn without_key(name: String) -> Self {
        Self {
            name,
            table: 0,
            keys: Vec::new(),
            list: false,
            scope: Scope::Request,
            live: false,
            parent: None,
            age: None,
        }
    }
}

/// Whether an object that writes a reference could be meant as key columns by name.
fn is_mistakable(reference: &Reference, columns: &[KeyColumn]) -> bool {
    let fields = reference.fields();
    !fields.is_empty()
        && fields.len() == columns.len()
        && fields.iter().all(|(name, _)| columns.iter().any(|column| column.name == *name))
}

/// An object from key columns to references, as an example to write.
fn shown(columns: &[KeyColumn], references: impl IntoIterator<Item = Reference>) -> String {
    let mut references = references.into_iter();
    let pairs = columns.iter().map(|column| {
        let reference = references.next().map_or_else(|| "...".to_owned(), |reference| reference.to_string());
        format!("{}: {reference}", serde_json::Value::from(column.name.as_str()))
    });
    format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
}
