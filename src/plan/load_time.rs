//! The load-time parts of a plan by their values: parts of two plans that are equal have the same results.

use std::cell::OnceCell;

use super::{
    Plan, Tables,
    digest::{Digest, Digester},
    graph::{NodeId, Source},
    program::Program,
};

/// A plan with its tables.
pub struct LoadTime<'a> {
    plan: &'a Plan,
    tables: Tables<'a>,
    /// For each lookup all nodes' values as they follow from a row of its table; of others they mean nothing.
    nodes: Vec<OnceCell<Vec<Digest>>>,
}

impl<'a> LoadTime<'a> {
    pub fn new(plan: &'a Plan, tables: Tables<'a>) -> Self {
        Self { plan, tables, nodes: vec![OnceCell::new(); plan.graph.lookups.len()] }
    }

    /// The row numbers of a lookup for each of its parent's rows.
    pub fn of_resolved(&self, lookup: usize, parent: usize) -> Digest {
        let digester = self.table(Digester::new("resolved"), parent);
        self.below(digester, lookup, self.nodes(parent)).finish()
    }

    /// The codes of part `part` of a key, which is `node`, for each row of the lookup that it follows from.
    pub fn of_coded(&self, node: NodeId, part: usize, parent: usize) -> Digest {
        let digester = self.table(Digester::new("coded"), parent).number(part as u64).number(parent as u64);
        digester.digest(self.nodes(parent)[node]).finish()
    }

    /// What is kept for each row of a lookup's table.
    pub fn of_rows(&self, program: &Program, lookup: usize) -> Digest {
        let nodes = self.nodes(lookup);
        let mut digester = self.table(Digester::new("rows"), lookup);
        for place in &program.records[lookup].places {
            let output = &self.plan.outputs[place.output];
            let feature = &output.features[place.feature];
            digester = digester.text(output.dtype.name()).number(place.at as u64).number(place.slot.into());
            digester = digester.number(feature.width as u64).number(feature.default.len() as u64);
            digester =
                feature.default.iter().fold(digester, |digester, value| digester.number(value.to_bits()));
            digester = digester.digest(nodes[feature.node]);
        }
        let kept = program.kept[lookup].iter();
        kept.fold(digester.text("kept"), |digester, &node| digester.digest(nodes[node])).finish()
    }

    /// All nodes' values as they follow from a row of `anchor`'s table.
    fn nodes(&self, anchor: usize) -> &[Digest] {
        self.nodes[anchor].get_or_init(|| {
            let mut nodes = Vec::with_capacity(self.plan.graph.nodes.len());
            for node in 0..self.plan.graph.nodes.len() {
                // What a node reads stands before it.
                nodes.push(self.node(node, anchor, &nodes));
            }
            nodes
        })
    }

    fn node(&self, node: NodeId, anchor: usize, before: &[Digest]) -> Digest {
        match &self.plan.graph.nodes[node].source {
            Source::Input(input) => Digester::new("input").number(*input as u64),
            Source::Column { lookup, column } if *lookup == anchor => {
                Digester::new("column").number(*column as u64)
            }
            Source::Column { lookup, column } => {
                self.below(Digester::new("column below").number(*column as u64), *lookup, before)
            }
            Source::Found(lookup) if *lookup == anchor => Digester::new("found"),
            Source::Found(lookup) => self.below(Digester::new("found below"), *lookup, before),
            Source::Dense(inner) => Digester::new("dense").digest(before[*inner]),
            Source::Step { inputs, value, .. } => {
                let digester = Digester::new("step").digest(*value).number(inputs.len() as u64);
                inputs.iter().fold(digester, |digester, &input| digester.digest(before[input]))
            }
        }
        .finish()
    }

    /// Adds a lookup by its table and its key's nodes.
    fn below(&self, digester: Digester, lookup: usize, nodes: &[Digest]) -> Digester {
        let keys = self.plan.graph.lookups[lookup].keys.iter();
        let digester = self.table(digester, lookup).number(keys.len() as u64);
        keys.fold(digester, |digester, &key| digester.digest(nodes[key]))
    }

    fn table(&self, digester: Digester, lookup: usize) -> Digester {
        digester.number(self.tables.of(&self.plan.graph, lookup).id())
    }
}
