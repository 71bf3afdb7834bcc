//! From references to nodes.

use super::{Builder, Form, Lookup, NodeId, Source, Unresolved};
use crate::{
    batch::{Element, Type},
    problem::listed,
    spec::{FEATURE_REFERENCE, Reference},
    table::TableSchema,
};

/// The part of a spec that a reference names.
enum Named<'r> {
    Input(NodeId),
    Feature(usize),
    Column { lookup: usize, column: &'r str },
}

impl Builder<'_> {
    /// The node that a reference names, built where it is not there yet.
    pub(super) fn resolve(&mut self, reference: &Reference, place: &str) -> Result<NodeId, Unresolved> {
        match self.named(reference) {
            Ok(Named::Input(node)) => Ok(node),
            Ok(Named::Feature(position)) => self.feature(position),
            Ok(Named::Column { lookup, column }) => self.resolve_column(lookup, column, place),
            Err(message) => {
                self.problems.add(place, message);
                Err(Unresolved)
            }
        }
    }

    /// The part that a reference names, or what is wrong with it.
    fn named<'r>(&self, reference: &'r Reference) -> Result<Named<'r>, String> {
        match reference {
            Reference::Text(text) => self.named_by_text(text),
            Reference::Input(name) => self.input(name),
            Reference::Feature(name) => self.named_feature(name),
            Reference::Column { lookup, column } => match self.lookups.get(lookup.as_str()) {
                Some(&lookup) => Ok(Named::Column { lookup, column }),
                None => {
                    Err(format!("there is no lookup {lookup:?}; available lookups: {}", self.lookup_names()))
                }
            },
        }
    }

    /// What fits a string is settled by the spec alone: whether a table has a column does not matter.
    fn named_by_text<'r>(&self, text: &'r str) -> Result<Named<'r>, String> {
        let dotted = match text.split_once('.') {
            Some((FEATURE_REFERENCE, name)) => {
                Some((Reference::Feature(name.to_owned()), self.named_feature(name)))
            }
            Some((lookup, column)) => self.lookups.get(lookup).map(|&position| {
                let object = Reference::Column { lookup: lookup.to_owned(), column: column.to_owned() };
                (object, Ok(Named::Column { lookup: position, column }))
            }),
            None => None,
        };
        match dotted {
            Some((other, _)) if self.inputs.contains_key(text) => {
                let input = Reference::Input(text.to_owned());
                Err(format!("{text:?} is ambiguous: write {input} or {other}"))
            }
            Some((_, named)) => named,
            None => self.input(text),
        }
    }

    fn input<'r>(&self, name: &str) -> Result<Named<'r>, String> {
        if let Some(&node) = self.inputs.get(name) {
            return Ok(Named::Input(node));
        }
        let inputs = listed(self.spec.inputs.iter().map(|input| input.name.as_str()));
        let mut message = format!("there is no input {name:?}");
        if let Some((lookup, _)) = name.split_once('.') {
            message += &format!(" and no lookup {lookup:?}");
        }
        message += &format!("; available inputs: {inputs}");
        if name.contains('.') {
            message += &format!("; available lookups: {}", self.lookup_names());
        }
        if self.features.contains_key(name) {
            let feature = Reference::Text(format!("{FEATURE_REFERENCE}.{name}"));
            message += &format!("; the feature of that name is {feature}");
        }
        Err(message)
    }

    fn named_feature<'r>(&self, name: &str) -> Result<Named<'r>, String> {
        self.features.get(name).map(|&position| Named::Feature(position)).ok_or_else(|| {
            let features = listed(self.spec.features.iter().map(|feature| feature.name.as_str()));
            format!("there is no feature {name:?}; available features: {features}")
        })
    }

    fn lookup_names(&self) -> String {
        listed(self.spec.lookups.iter().map(|lookup| lookup.name.as_str()))
    }

    fn resolve_column(&mut self, lookup: usize, column: &str, place: &str) -> Result<NodeId, Unresolved> {
        let schemas = self.schemas;
        // A table that is not there is noted with its lookup.
        let schema = schemas.get(&self.spec.lookups[lookup].table).ok_or(Unresolved)?;
        let Some(column) = schema.column(column) else {
            let columns = listed(schema.columns.iter().map(|column| column.name.as_str()));
            let message =
                format!("table {:?} has no column {column:?}; available columns: {columns}", schema.name);
            self.problems.add(place, message);
            return Err(Unresolved);
        };
        self.lookup(lookup)?;
        if let Some(&node) = self.columns.get(&(lookup, column)) {
            return Ok(node);
        }
        let stored = self.stored_column(lookup, column, schema, place)?;
        let node = self.with_fallbacks(lookup, column, stored)?;
        self.columns.insert((lookup, column), node);
        Ok(node)
    }

    /// A column of a lookup as its table has it.
    pub(super) fn stored_column(
        &mut self,
        lookup: usize,
        column: usize,
        schema: &TableSchema,
        place: &str,
    ) -> Result<NodeId, Unresolved> {
        if let Some(&node) = self.stored.get(&(lookup, column)) {
            return Ok(node);
        }
        let of = schema.columns[column].of;
        let Lookup { list, scope, parent, .. } = self.graph.lookups[lookup];
        if list && of.list {
            let message = format!(
                "is a list for each element of a list key: column {:?} is {of}",
                schema.columns[column].name
            );
            self.problems.add(place, message);
            return Err(Unresolved);
        }
        // A key can always be absent, so every looked-up value can be null.
        let of = Type { list: list || of.list, nullable: true, ..of };
        let anchor = if list { parent } else { Some(lookup) };
        let node = self.add(Source::Column { lookup, column }, of, scope, anchor);
        if schema.columns[column].gives_float32() {
            self.graph.nodes[node].form = Form::Float32;
        }
        self.stored.insert((lookup, column), node);
        Ok(node)
    }

    /// Whether a lookup has a row.
    pub(super) fn found(&mut self, lookup: usize) -> NodeId {
        if let Some(&node) = self.found.get(&lookup) {
            return node;
        }
        let Lookup { list, scope, parent, .. } = self.graph.lookups[lookup];
        let of = Type { list, ..Type::scalar(Element::Bool) };
        let anchor = if list { parent } else { Some(lookup) };
        let node = self.add(Source::Found(lookup), of, scope, anchor);
        self.found.insert(lookup, node);
        node
    }
}
