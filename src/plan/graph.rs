//! From names to nodes: resolves every reference of a spec, infers types and widths, and finds every problem.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::digest::Digest;
use crate::{
    batch::{Column, SparseVectors, Type, Values},
    problem::Problems,
    spec::{NanMeaning, ScalarType, Scope, Spec},
    table::TableSchema,
    transform::Kernel,
};

mod ages;
mod fallbacks;
mod keys;
mod names;
mod references;
mod steps;

pub use ages::Age;

use fallbacks::Built;

/// A node's position in [`Graph::nodes`]; inputs stand before the nodes that read them.
pub type NodeId = usize;

/// The typed nodes of a spec.
#[derive(Debug, Default)]
pub struct Graph {
    pub nodes: Vec<Node>,
    /// One for each lookup of the spec, in the spec's order, then those of fall-backs.
    pub lookups: Vec<Lookup>,
    /// An order of the lookups in which every key is there before it is needed.
    pub lookup_order: Vec<usize>,
    /// The node of each feature, in the spec's order.
    pub features: Vec<NodeId>,
    /// The names of the tables that are looked up, sorted, each once.
    pub tables: Vec<String>,
    /// The nodes that fall-backs answer for, with the highest of their levels.
    pub levels: HashMap<NodeId, usize>,
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
    /// Whether a lookup has a row: a boolean, for a list key one for each element.
    Found(usize),
    /// A transform of other nodes.
    Step {
        kernel: Box<dyn Kernel>,
        inputs: Vec<NodeId>,
        /// What it does, with all its parameters.
        value: Digest,
    },
    /// A node of a compact form as plain vectors, for kernels.
    Dense(NodeId),
}

impl Source {
    /// The nodes whose values it is computed from.
    pub fn read(&self) -> &[NodeId] {
        match self {
            Self::Step { inputs, .. } => inputs,
            Self::Dense(inner) => std::slice::from_ref(inner),
            Self::Input(_) | Self::Column { .. } | Self::Found(_) => &[],
        }
    }

    /// The lookup whose rows it is read from.
    pub fn lookup(&self) -> Option<usize> {
        match *self {
            Self::Column { lookup, .. } | Self::Found(lookup) => Some(lookup),
            Self::Input(_) | Self::Step { .. } | Self::Dense(_) => None,
        }
    }
}

/// A lookup with its key's nodes.
#[derive(Debug)]
pub struct Lookup {
    /// The spec's, or a fall-back's place below it: `ad.fallbacks[0]`.
    pub name: String,
    /// Position in [`Graph::tables`].
    pub table: usize,
    pub keys: Vec<NodeId>,
    /// Whether the key is a list: a row for each element.
    pub list: bool,
    pub scope: Scope,
    /// Whether its table's rows are written while they are served. What is kept for rows of other tables never depends on
    /// them: neither such a lookup nor one that it determines has a parent.
    pub live: bool,
    /// The lookup whose row determines this lookup's row: resolved to row numbers when the tables are loaded.
    pub parent: Option<usize>,
    /// How old its rows may be; such a lookup has no parent, as time passes after the tables are loaded.
    pub age: Option<Age>,
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

    /// The highest level of a fall-back that a node's values may come from, 0 where there is none.
    pub fn most_level(&self, node: NodeId) -> usize {
        let (mut open, mut seen, mut most) = (vec![node], BTreeSet::new(), 0);
        while let Some(node) = open.pop() {
            if seen.insert(node) {
                most = most.max(self.levels.get(&node).copied().unwrap_or_default());
                open.extend(self.nodes[node].source.read());
            }
        }
        most
    }

    /// Whether a part of a lookup's key is computed, not an input or a column as it is.
    pub fn has_computed_key(&self, lookup: usize) -> bool {
        let is_computed =
            |&key: &NodeId| matches!(self.nodes[key].source, Source::Step { .. } | Source::Dense(_));
        self.lookups[lookup].keys.iter().any(is_computed)
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
    /// Columns of lookups as features read them, with what falls back for them.
    columns: HashMap<(usize, usize), NodeId>,
    /// Columns of lookups as their tables have them.
    stored: HashMap<(usize, usize), NodeId>,
    /// Whether lookups have rows.
    found: HashMap<usize, NodeId>,
    /// For each lookup of the spec its fall-backs.
    fallbacks: Vec<Vec<Option<Built<'a>>>>,
    features: HashMap<&'a str, usize>,
    /// The steps that there are, by what they read and what they do.
    steps: HashMap<(Vec<NodeId>, Digest), NodeId>,
    /// Nodes of compact forms as plain vectors.
    dense: HashMap<NodeId, NodeId>,
    built_features: Vec<Progress<NodeId>>,
    built_lookups: Vec<Progress<()>>,
    /// What waits for the part that is being built, the outermost first.
    open: Vec<Part>,
}

/// A part of the spec that reads other parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Lookup(usize),
    Feature(usize),
}

impl Part {
    /// Where in the spec it says what it reads.
    fn place(self) -> String {
        match self {
            Self::Lookup(position) => format!("lookups[{position}].key"),
            Self::Feature(position) => format!("features[{position}]"),
        }
    }
}

/// Parts that may wait for each other: those written after the ones that they read never wait, and each takes some of a
/// thread's stack.
const MOST_OPEN: usize = 256;

/// How far a part is built.
#[derive(Debug, Clone, Copy)]
enum Progress<T> {
    NotBegun,
    /// It waits for the parts that it reads.
    Open,
    Done(Result<T, Unresolved>),
}

/// A reference that could not be followed: the problem was noted, or is noted where it stems from.
#[derive(Debug, Clone, Copy)]
struct Unresolved;

impl<'a> Builder<'a> {
    fn new(spec: &'a Spec, schemas: &'a BTreeMap<String, TableSchema>, unloaded: &'a Unloaded) -> Self {
        let mut tables: Vec<String> = spec.tables().map(str::to_owned).collect();
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
            stored: HashMap::new(),
            found: HashMap::new(),
            fallbacks: Vec::new(),
            features: features.collect(),
            steps: HashMap::new(),
            dense: HashMap::new(),
            built_features: vec![Progress::NotBegun; spec.features.len()],
            built_lookups: vec![Progress::NotBegun; spec.lookups.len()],
            open: Vec::new(),
        }
    }

    fn build(mut self) -> Result<Graph, Problems> {
        self.check_names();
        self.add_inputs();
        self.add_lookups();
        self.add_features();
        self.problems.or(self.graph)
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

    fn joined_scope(&self, nodes: &[NodeId]) -> Scope {
        let any_row = nodes.iter().any(|&node| self.graph.nodes[node].scope == Scope::Row);
        if any_row { Scope::Row } else { Scope::Request }
    }

    fn add_features(&mut self) {
        for position in 0..self.spec.features.len() {
            let node = self.feature(position).unwrap_or_default();
            self.graph.features.push(node);
        }
    }

    /// Builds a feature once, after what it reads.
    fn feature(&mut self, position: usize) -> Result<NodeId, Unresolved> {
        match self.built_features[position] {
            Progress::Done(built) => return built,
            Progress::Open => return Err(self.depends_on_itself(Part::Feature(position))),
            Progress::NotBegun => {}
        }
        if let Err(unresolved) = self.begin(Part::Feature(position)) {
            self.built_features[position] = Progress::Done(Err(unresolved));
            return Err(unresolved);
        }
        self.built_features[position] = Progress::Open;
        let built = self.build_feature(position);
        self.open.pop();
        self.built_features[position] = Progress::Done(built);
        built
    }

    /// Notes that a part waits for what it reads.
    fn begin(&mut self, part: Part) -> Result<(), Unresolved> {
        if self.open.len() >= MOST_OPEN {
            let message =
                format!("is read by {MOST_OPEN} parts above it, each by the next: write it before them");
            self.problems.add(part.place(), message);
            return Err(Unresolved);
        }
        self.open.push(part);
        Ok(())
    }

    /// Notes that a part reads itself by way of those that wait for it.
    fn depends_on_itself(&mut self, part: Part) -> Unresolved {
        let first = self.open.iter().position(|&open| open == part).unwrap_or_default();
        let chain = self.open[first..].iter().chain([&part]).map(|&part| match part {
            Part::Lookup(position) => format!("lookup {:?}", self.spec.lookups[position].name),
            Part::Feature(position) => format!("feature {:?}", self.spec.features[position].name),
        });
        let message = format!("depends on itself: {}", chain.collect::<Vec<_>>().join(" reads "));
        self.problems.add(part.place(), message);
        Unresolved
    }

    fn build_feature(&mut self, position: usize) -> Result<NodeId, Unresolved> {
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
            nodes.push(self.resolve(reference, &field));
        }
        let nodes = nodes.into_iter().collect::<Result<Vec<_>, _>>()?;
        if feature.steps.is_empty() && nodes.len() > 1 {
            self.problems
                .add(format!("{place}.inputs"), "several inputs need a first step that takes several");
            return Err(Unresolved);
        }
        self.add_steps(feature, &place, nodes)
    }
}

#[cfg(test)]
mod tests;

/// Whether NaN counts as null in input `position`.
pub fn nan_is_null(spec: &Spec, position: usize) -> bool {
    spec.inputs[position].nan == Some(NanMeaning::Null)
}
