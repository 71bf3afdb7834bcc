//! From names to nodes: resolves every reference of a spec, infers types and widths, and finds every problem.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::{
    batch::{Column, SparseVectors, Type, Values},
    problem::{Problems, listed},
    spec::{FEATURE_REFERENCE, NanMeaning, ScalarType, Scope, Spec},
    table::TableSchema,
    transform::Kernel,
};

mod steps;

/// A node's position in [`Graph::nodes`]; inputs stand before the nodes that read them.
pub type NodeId = usize;

/// The typed nodes of a spec.
#[derive(Debug, Default)]
pub struct Graph {
    pub nodes: Vec<Node>,
    /// One for each lookup of the spec, in the spec's order.
    pub lookups: Vec<Lookup>,
    /// An order of the lookups in which every key is there before it is needed.
    pub lookup_order: Vec<usize>,
    /// The node of each feature, in the spec's order.
    pub features: Vec<NodeId>,
    /// The names of the tables that are looked up, sorted, each once.
    pub tables: Vec<String>,
}

/// One typed value for each row.
#[derive(Debug)]
pub struct Node {
    pub source: Source,
    pub of: Type,
    pub form: Form,
    /// Names of the lanes, or none.
    pub lane_names: Vec<String>,
    /// Request where the value depends on request-scope inputs alone.
    pub scope: Scope,
    /// The lookup whose table's row determines the value; its values can be computed when the table is loaded.
    pub anchor: Option<usize>,
}

impl Node {
    /// A column of no rows in the node's form.
    pub fn empty_column(&self) -> Column {
        let column = Column::new(self.of);
        let values = match self.form {
            Form::Plain => return column,
            Form::OneHot => Values::OneHot(Vec::new()),
            Form::Sparse => Values::Sparse(SparseVectors::default()),
            Form::Float32 => Values::Float32(Vec::new()),
        };
        Column { values, ..column }
    }

    /// Numbers in memory for each of its values, where that is known: a sparse vector's are few.
    pub fn held_lanes(&self) -> usize {
        match self.form {
            Form::Plain | Form::Float32 => self.of.lanes(),
            Form::OneHot | Form::Sparse => 1,
        }
    }
}

/// How a node's column holds its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As its type says.
    Plain,
    /// One-hot vectors as slots.
    OneHot,
    /// Wide vectors as their lanes that are not zero.
    Sparse,
    /// Vectors of a table in the 32 bits that it stores.
    Float32,
}

/// Where a node's values come from.
#[derive(Debug)]
pub enum Source {
    /// A column of the request.
    Input(usize),
    /// A column of a lookup's table.
    Column { lookup: usize, column: usize },
    /// A transform of other nodes.
    Step { kernel: Box<dyn Kernel>, inputs: Vec<NodeId> },
    /// A node of a compact form as plain vectors, for kernels.
    Dense(NodeId),
}

/// A lookup with its key's nodes.
#[derive(Debug)]
pub struct Lookup {
    /// Position in [`Graph::tables`].
    pub table: usize,
    pub keys: Vec<NodeId>,
    /// Whether the key is a list: a row for each element.
    pub list: bool,
    pub scope: Scope,
    /// The lookup whose row determines this lookup's row: resolved to row numbers when the tables are loaded.
    pub parent: Option<usize>,
}

impl Graph {
    /// Resolves and type-checks a spec against the schemas of its tables, by name.
    pub fn build(spec: &Spec, schemas: &BTreeMap<String, TableSchema>) -> Result<Self, Problems> {
        Builder::new(spec, schemas, &Unloaded::default()).build()
    }

    /// Finds what is wrong with a spec beside the tables that could not be loaded.
    pub fn check(
        spec: &Spec,
        schemas: &BTreeMap<String, TableSchema>,
        unloaded: &Unloaded,
    ) -> Result<(), Problems> {
        Builder::new(spec, schemas, unloaded).build().map(|_| ())
    }

    /// The lookup whose row determines all of `anchors`, the nearest such; `None` where there is none.
    fn common_anchor(&self, anchors: impl Iterator<Item = Option<usize>>) -> Option<usize> {
        let mut common: Option<Option<usize>> = None;
        for anchor in anchors {
            let joined = match common {
                None => anchor,
                Some(before) => self.nearest_common(before?, anchor?),
            };
            common = Some(joined);
        }
        common.flatten()
    }

    fn nearest_common(&self, one: usize, other: usize) -> Option<usize> {
        let chain: Vec<usize> = self.parents(one).collect();
        self.parents(other).find(|lookup| chain.contains(lookup))
    }

    /// A lookup, the lookup that determines it, and so on.
    pub fn parents(&self, lookup: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(Some(lookup), |&lookup| self.lookups[lookup].parent)
    }
}

/// Tables whose schemas are not known.
#[derive(Debug, Default)]
pub struct Unloaded {
    /// Those that could not be loaded: a lookup in one is no problem of the spec.
    pub failed: BTreeSet<String>,
    /// Those that no spec looks up.
    pub unread: BTreeSet<String>,
}

/// Builds the graph, going on after each problem so that all are found.
struct Builder<'a> {
    spec: &'a Spec,
    schemas: &'a BTreeMap<String, TableSchema>,
    unloaded: &'a Unloaded,
    graph: Graph,
    problems: Problems,
    inputs: HashMap<&'a str, NodeId>,
    lookups: HashMap<&'a str, usize>,
    columns: HashMap<(usize, usize), NodeId>,
    features: HashMap<&'a str, usize>,
    /// The steps that there are, by what they read and what they do.
    steps: HashMap<(Vec<NodeId>, String), NodeId>,
    /// Nodes of compact forms as plain vectors.
    dense: HashMap<NodeId, NodeId>,
    /// Nodes of built features; an entry of `None` had a problem of its own.
    built: HashMap<usize, Option<NodeId>>,
}

/// A reference that could not be followed: the problem was noted, or is noted where it stems from.
struct Unresolved;

impl<'a> Builder<'a> {
    fn new(spec: &'a Spec, schemas: &'a BTreeMap<String, TableSchema>, unloaded: &'a Unloaded) -> Self {
        let mut tables: Vec<String> = spec.lookups.iter().map(|lookup| lookup.table.clone()).collect();
        tables.sort();
        tables.dedup();
        let graph = Graph { tables, ..Graph::default() };
        let lookups =
            spec.lookups.iter().enumerate().map(|(position, lookup)| (lookup.name.as_str(), position));
        let features =
            spec.features.iter().enumerate().map(|(position, feature)| (feature.name.as_str(), position));
        Self {
            spec,
            schemas,
            unloaded,
            graph,
            problems: Problems::none(),
            inputs: HashMap::new(),
            lookups: lookups.collect(),
            columns: HashMap::new(),
            features: features.collect(),
            steps: HashMap::new(),
            dense: HashMap::new(),
            built: HashMap::new(),
        }
    }

    fn build(mut self) -> Result<Graph, Problems> {
        self.check_names();
        self.add_inputs();
        self.add_lookups();
        self.add_features();
        self.problems.or(self.graph)
    }

    fn check_names(&mut self) {
        let spec = self.spec;
        self.check_name("", &spec.name);
        self.check_unique("inputs", spec.inputs.iter().map(|input| input.name.as_str()));
        self.check_unique("lookups", spec.lookups.iter().map(|lookup| lookup.name.as_str()));
        self.check_unique("features", spec.features.iter().map(|feature| feature.name.as_str()));
        self.check_unique("outputs", spec.outputs.iter().map(|output| output.name.as_str()));
        for (position, lookup) in spec.lookups.iter().enumerate() {
            if lookup.name == FEATURE_REFERENCE {
                let message = "\"feature\" is not a lookup's name: feature.<name> refers to features";
                self.problems.add(format!("lookups[{position}].name"), message);
            }
        }
    }

    fn check_unique(&mut self, field: &str, names: impl Iterator<Item = &'a str>) {
        let mut seen = HashSet::new();
        for (position, name) in names.enumerate() {
            self.check_name(&format!("{field}[{position}]"), name);
            if !seen.insert(name) {
                self.problems.add(format!("{field}[{position}].name"), format!("{name:?} is there twice"));
            }
        }
    }

    fn check_name(&mut self, place: &str, name: &str) {
        let place = if place.is_empty() { "name".to_owned() } else { format!("{place}.name") };
        if name.is_empty() {
            self.problems.add(place, "must not be empty");
        } else if name.contains(['.', '/', '\\']) || name.chars().any(char::is_control) {
            self.problems
                .add(place, format!("{name:?} must not contain a dot, a slash or a control character"));
        }
    }

    fn add_inputs(&mut self) {
        let spec = self.spec;
        for (position, input) in spec.inputs.iter().enumerate() {
            let float = matches!(input.dtype.scalar, ScalarType::Float32 | ScalarType::Float64);
            if float != input.nan.is_some() {
                let message = if float {
                    "must be \"null\" or \"value\" for a float input"
                } else {
                    "is for float inputs only: there is no NaN among these values"
                };
                self.problems.add(format!("inputs[{position}].nan"), message);
            }
            let node = self.add(Source::Input(position), input.column_type(), input.scope, None);
            self.inputs.insert(&input.name, node);
        }
    }

    fn add(&mut self, source: Source, of: Type, scope: Scope, anchor: Option<usize>) -> NodeId {
        let (form, lane_names) = (Form::Plain, Vec::new());
        self.graph.nodes.push(Node { source, of, form, lane_names, scope, anchor });
        self.graph.nodes.len() - 1
    }

    /// Lookups whose keys are other lookups' columns come after those.
    fn add_lookups(&mut self) {
        let count = self.spec.lookups.len();
        let empty =
            || Lookup { table: 0, keys: Vec::new(), list: false, scope: Scope::Request, parent: None };
        self.graph.lookups = (0..count).map(|_| empty()).collect();
        let order = self.lookup_order();
        for &position in &order {
            self.add_lookup(position);
        }
        self.graph.lookup_order = order;
    }

    fn lookup_order(&mut self) -> Vec<usize> {
        let spec = self.spec;
        let mut order: Vec<usize> = Vec::new();
        loop {
            let ready = |position: &usize| {
                let parts = spec.lookups[*position].key.parts().iter();
                parts
                    .filter_map(|part| part.split_once('.'))
                    .all(|(lookup, _)| self.lookups.get(lookup).is_none_or(|before| order.contains(before)))
            };
            let next = (0..spec.lookups.len()).filter(|position| !order.contains(position)).find(ready);
            match next {
                Some(position) => order.push(position),
                None => break,
            }
        }
        for position in (0..spec.lookups.len()).filter(|position| !order.contains(position)) {
            self.problems.add(
                format!("lookups[{position}].key"),
                "its key is, in the end, a column of this same lookup",
            );
        }
        order
    }

    fn add_lookup(&mut self, position: usize) {
        let lookup = &self.spec.lookups[position];
        let place = format!("lookups[{position}]");
        let table = self.graph.tables.binary_search(&lookup.table).unwrap_or_default();
        self.graph.lookups[position].table = table;
        let keys: Vec<_> = lookup
            .key
            .parts()
            .iter()
            .map(|part| self.resolve(part, &format!("{place}.key"), false))
            .collect();
        let Some(schema) = self.schemas.get(&lookup.table) else {
            if !self.unloaded.failed.contains(&lookup.table) {
                let message =
                    format!("there is no table {:?}; the tables are: {}", lookup.table, self.tables());
                self.problems.add(format!("{place}.table"), message);
            }
            return;
        };
        let Ok(keys) = keys.into_iter().collect::<Result<Vec<_>, _>>() else { return };
        self.check_key(&place, schema, &keys);
        let list = keys.len() == 1 && self.graph.nodes[keys[0]].of.list;
        let scope = self.joined_scope(&keys);
        let parent = self.graph.common_anchor(keys.iter().map(|&key| self.graph.nodes[key].anchor));
        self.graph.lookups[position] = Lookup { table, keys, list, scope, parent };
    }

    /// The available tables.
    fn tables(&self) -> String {
        let Unloaded { failed, unread } = self.unloaded;
        let names: BTreeSet<&String> = self.schemas.keys().chain(failed).chain(unread).collect();
        listed(names.into_iter().map(String::as_str))
    }

    fn check_key(&mut self, place: &str, schema: &TableSchema, keys: &[NodeId]) {
        if keys.len() != schema.key.len() {
            let names: Vec<_> = schema.key.iter().map(|column| column.name.as_str()).collect();
            let message = format!(
                "has {} parts; table {:?} has the key ({})",
                keys.len(),
                schema.name,
                names.join(", ")
            );
            return self.problems.add(format!("{place}.key"), message);
        }
        for (position, (&key, column)) in keys.iter().zip(&schema.key).enumerate() {
            let of = self.graph.nodes[key].of;
            let part =
                if keys.len() == 1 { format!("{place}.key") } else { format!("{place}.key[{position}]") };
            if of.element != column.element || of.width.is_some() {
                let message = format!(
                    "is {of}; the key column {:?} of table {:?} is {}",
                    column.name,
                    schema.name,
                    column.element.name()
                );
                self.problems.add(part, message);
            } else if of.list && keys.len() > 1 {
                self.problems.add(part, "a composite key can't have a list among its parts");
            }
        }
    }

    fn joined_scope(&self, nodes: &[NodeId]) -> Scope {
        let any_row = nodes.iter().any(|&node| self.graph.nodes[node].scope == Scope::Row);
        if any_row { Scope::Row } else { Scope::Request }
    }

    fn add_features(&mut self) {
        for position in 0..self.spec.features.len() {
            let mut above = Vec::new();
            // What could not be resolved was noted.
            let _ = self.feature(position, &mut above);
        }
        let built = &self.built;
        self.graph.features = (0..self.spec.features.len())
            .map(|position| built.get(&position).copied().flatten().unwrap_or_default())
            .collect();
    }

    /// Builds a feature once, after the features that it reads; `above` are those that wait for it.
    fn feature(&mut self, position: usize, above: &mut Vec<usize>) -> Result<NodeId, Unresolved> {
        if let Some(built) = self.built.get(&position) {
            return built.ok_or(Unresolved);
        }
        if above.contains(&position) {
            self.problems.add(format!("features[{position}]"), "it reads, in the end, itself");
            self.built.insert(position, None);
            return Err(Unresolved);
        }
        above.push(position);
        let node = self.build_feature(position, above);
        above.pop();
        self.built.insert(position, node.as_ref().ok().copied());
        node
    }

    fn build_feature(&mut self, position: usize, above: &mut Vec<usize>) -> Result<NodeId, Unresolved> {
        let feature = &self.spec.features[position];
        let place = format!("features[{position}]");
        if feature.input.is_some() == feature.inputs.is_some() || feature.references().is_empty() {
            self.problems.add(place, "must have either \"input\" or a non-empty \"inputs\"");
            return Err(Unresolved);
        }
        let mut nodes = Vec::new();
        for (part, reference) in feature.references().iter().enumerate() {
            let field = if feature.input.is_some() {
                format!("{place}.input")
            } else {
                format!("{place}.inputs[{part}]")
            };
            nodes.push(self.resolve_for_feature(reference, &field, above));
        }
        let nodes = nodes.into_iter().collect::<Result<Vec<_>, _>>()?;
        if feature.steps.is_empty() && nodes.len() > 1 {
            self.problems
                .add(format!("{place}.inputs"), "several inputs need a first step that takes several");
            return Err(Unresolved);
        }
        self.add_steps(feature, &place, nodes)
    }

    fn resolve_for_feature(
        &mut self,
        reference: &str,
        place: &str,
        above: &mut Vec<usize>,
    ) -> Result<NodeId, Unresolved> {
        match reference.split_once('.') {
            Some((FEATURE_REFERENCE, name)) => match self.features.get(name).copied() {
                Some(position) => self.feature(position, above),
                None => {
                    self.problems.add(place, format!("there is no feature {name:?}"));
                    Err(Unresolved)
                }
            },
            _ => self.resolve(reference, place, true),
        }
    }

    /// The node of an input or of a lookup's column.
    fn resolve(&mut self, reference: &str, place: &str, for_feature: bool) -> Result<NodeId, Unresolved> {
        let Some((lookup, column)) = reference.split_once('.') else {
            return self.inputs.get(reference).copied().ok_or_else(|| {
                let hint = if for_feature && self.features.contains_key(reference) {
                    format!("; the feature of that name is \"{FEATURE_REFERENCE}.{reference}\"")
                } else {
                    String::new()
                };
                self.problems.add(place, format!("there is no input {reference:?}{hint}"));
                Unresolved
            });
        };
        let Some(&position) = self.lookups.get(lookup) else {
            self.problems.add(place, format!("there is no lookup {lookup:?}"));
            return Err(Unresolved);
        };
        let schema = self.schemas.get(&self.spec.lookups[position].table).ok_or(Unresolved)?;
        let Some(column) = schema.column(column) else {
            let known: Vec<_> = schema.columns.iter().map(|column| column.name.as_str()).collect();
            let message =
                format!("table {:?} has no column {column:?}; it has: {}", schema.name, known.join(", "));
            self.problems.add(place, message);
            return Err(Unresolved);
        };
        self.lookup_column(position, column, schema, place)
    }

    fn lookup_column(
        &mut self,
        lookup: usize,
        column: usize,
        schema: &TableSchema,
        place: &str,
    ) -> Result<NodeId, Unresolved> {
        if let Some(&node) = self.columns.get(&(lookup, column)) {
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
        self.columns.insert((lookup, column), node);
        Ok(node)
    }
}

/// Whether NaN counts as null in input `position`.
pub fn nan_is_null(spec: &Spec, position: usize) -> bool {
    spec.inputs[position].nan == Some(NanMeaning::Null)
}
