//! Running nodes over a block of rows, into reused columns.

use std::ops::Range;

use super::{
    Tables,
    fetch::{InputColumn, Inputs, Rows},
    graph::{Graph, NodeId, Source},
    prepare::Prepared,
};
use crate::{
    batch::{Column, ListRows, Mark},
    spec::Scope,
    transform::Kernel,
};

/// What nodes read besides each other.
#[derive(Clone, Copy)]
pub struct Evaluator<'a> {
    pub graph: &'a Graph,
    pub tables: Tables<'a>,
    pub rows: &'a Rows,
    /// The request's inputs; none at load time.
    pub inputs: Option<&'a Inputs>,
    /// Load-time values to take instead of computing them; none at load time.
    pub prepared: Option<&'a Prepared>,
    /// Results over the distinct values of dictionaries, by node.
    pub dictionaries: &'a [Option<Column>],
    /// Whether row-scope inputs are read where they are, as nodes are computed for all rows at once.
    pub in_place: bool,
}

impl<'a> Evaluator<'a> {
    /// A node's values, of which `columns` has the computed ones.
    pub fn column<'c>(&self, node: NodeId, columns: &'c [Column]) -> &'c Column
    where
        'a: 'c,
    {
        self.input_in_place(node).unwrap_or(&columns[node])
    }

    fn input_in_place(&self, node: NodeId) -> Option<&'a Column> {
        let of = &self.graph.nodes[node];
        let (Source::Input(input), Scope::Row, true) = (&of.source, of.scope, self.in_place) else {
            return None;
        };
        let InputColumn { column, indices } = &self.inputs?.columns[*input];
        indices.is_none().then_some(column)
    }

    /// Computes `nodes`, in order, for the rows `range`, each into its column of `columns`.
    pub fn run(&self, nodes: &[NodeId], range: Range<usize>, columns: &mut [Column]) {
        for &node in nodes {
            // A node reads only nodes before it: the graph numbers them so.
            let (before, rest) = columns.split_at_mut(node);
            self.compute(node, range.clone(), before, &mut rest[0]);
        }
    }

    /// Asks the processor to fetch the tables' values that `nodes` read for the rows `range`.
    pub fn prefetch(&self, nodes: &[NodeId], range: Range<usize>) {
        for &node in nodes {
            let Source::Column { lookup, column } = self.graph.nodes[node].source else { continue };
            let table = self.tables.of(self.graph, lookup);
            self.rows.part(lookup, range.clone()).iter().for_each(|&number| table.prefetch(column, number));
        }
    }

    fn compute(&self, node: NodeId, range: Range<usize>, columns: &[Column], out: &mut Column) {
        let of = &self.graph.nodes[node];
        if let Some(kept) = self.prepared.and_then(|prepared| prepared.kept(node)) {
            return kept.gather(of.of.lanes(), self.rows.part(kept.lookup, range), out);
        }
        if self.input_in_place(node).is_some() {
            return;
        }
        match &of.source {
            Source::Input(input) => self.copy_input(*input, range, out),
            Source::Column { lookup, column } => self.gather(*lookup, *column, range, out),
            Source::Found(lookup) => self.found(*lookup, range, out),
            Source::Dense(inner) => out.expand(self.column(*inner, columns), of.of.lanes()),
            Source::Step { kernel, inputs, .. } => match (self.dictionaries.get(node), inputs.as_slice()) {
                (Some(Some(results)), &[input]) => {
                    out.gather(results, of.of.lanes(), &self.indices(input)[range]);
                }
                _ => self.run_kernel(&**kernel, inputs, of.of.list, columns, out),
            },
        }
    }

    fn copy_input(&self, input: usize, range: Range<usize>, out: &mut Column) {
        let Some(inputs) = self.inputs else { return };
        match &inputs.columns[input] {
            InputColumn { column, indices: None } => out.copy_range(column, 1, range),
            InputColumn { column, indices: Some(indices) } => out.gather(column, 1, &indices[range]),
        }
    }

    fn gather(&self, lookup: usize, column: usize, range: Range<usize>, out: &mut Column) {
        let table = self.tables.of(self.graph, lookup);
        table.gather(column, self.rows.part(lookup, range.clone()), out);
        self.rows.mark_stale(lookup, Some(range.clone()), out);
        if let Some(list) = &self.rows.lists[lookup] {
            out.list.get_or_insert_with(ListRows::default).copy_range(list, range);
        }
    }

    fn found(&self, lookup: usize, range: Range<usize>, out: &mut Column) {
        let (values, marks) = out.bool_mut();
        values.extend(self.rows.part(lookup, range.clone()).iter().map(|number| number.is_found()));
        marks.resize(values.len(), Mark::PRESENT);
        if let Some(list) = &self.rows.lists[lookup] {
            out.list.get_or_insert_with(ListRows::default).copy_range(list, range);
        }
    }

    /// The dictionary positions of an input node's rows.
    fn indices(&self, node: NodeId) -> &[u32] {
        match (&self.graph.nodes[node].source, self.inputs) {
            (Source::Input(input), Some(inputs)) => {
                inputs.columns[*input].indices.as_deref().unwrap_or_default()
            }
            _ => &[],
        }
    }

    fn run_kernel(
        &self,
        kernel: &dyn Kernel,
        inputs: &[NodeId],
        list: bool,
        columns: &[Column],
        out: &mut Column,
    ) {
        let column = |input: NodeId| self.column(input, columns);
        match *inputs {
            [single] => kernel.run(&[column(single)], out),
            [one, other] => kernel.run(&[column(one), column(other)], out),
            _ => kernel.run(&inputs.iter().map(|&input| column(input)).collect::<Vec<_>>(), out),
        }
        if kernel.gives_lists() {
            return;
        }
        match inputs.iter().find_map(|&input| column(input).list.as_ref()) {
            Some(rows) if list => out.list.get_or_insert_with(ListRows::default).clone_from(rows),
            _ => out.list = None,
        }
    }
}

/// Runs the steps that read nothing but a dictionary over its distinct values: each is computed once. Of a dictionary
/// longer than the rows that would be more work, and could take many times the request's size. Inputs that nothing else
/// reads, and that are not among the `wanted` nodes, are left out of `nodes`.
pub fn over_dictionaries(
    graph: &Graph,
    inputs: &Inputs,
    wanted: &[NodeId],
    nodes: &mut Vec<NodeId>,
    results: &mut Vec<Option<Column>>,
) {
    results.clear();
    if inputs.columns.iter().all(|column| column.indices.is_none()) {
        return;
    }
    results.resize_with(graph.nodes.len(), || None);
    for &node in &*nodes {
        let Source::Step { kernel, inputs: read, .. } = &graph.nodes[node].source else { continue };
        let [read] = read.as_slice() else { continue };
        let Source::Input(input) = graph.nodes[*read].source else { continue };
        let InputColumn { column, indices: Some(indices) } = &inputs.columns[input] else { continue };
        // The null that null rows point to is one more.
        if column.marks.len() > indices.len() + 1 {
            continue;
        }
        let mut out = Column::new(graph.nodes[node].of);
        kernel.run(&[column], &mut out);
        results[node] = Some(out);
    }
    let mut read = vec![false; graph.nodes.len()];
    wanted.iter().for_each(|&node| read[node] = true);
    for &node in nodes.iter().filter(|&&node| results[node].is_none()) {
        match &graph.nodes[node].source {
            Source::Step { inputs, .. } => inputs.iter().for_each(|&input| read[input] = true),
            Source::Dense(inner) => read[*inner] = true,
            Source::Input(_) | Source::Column { .. } | Source::Found(_) => {}
        }
    }
    nodes.retain(|&node| read[node] || !matches!(graph.nodes[node].source, Source::Input(_)));
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, sync::Arc};

    use super::*;
    use crate::{
        batch::{Mark, Strings, Values},
        plan::Plan,
        spec::read::spec_from_text,
    };

    const SPEC: &str = r#"{"format": "quiver.spec/1", "name": "s", "version": 1, "inputs": [
        {"name": "k", "dtype": "string", "scope": "row", "required": true}],
        "features": [{"name": "k", "input": "k", "steps": [
            {"op": "one_hot", "categories": ["x", "y"], "infrequent": [], "drop": "none", "unknown": "zeros",
              "null": "zeros"}]}],
        "outputs": [{"name": "dense", "dtype": "float32", "features": ["k"]}]}"#;

    #[test]
    fn dictionaries_longer_than_the_rows_are_not_computed() {
        let (spec, _) = spec_from_text(SPEC).expect("a spec");
        let plan = Plan::compile(Arc::new(spec), &BTreeMap::new()).expect("a plan");
        let graph = &plan.graph;
        let computed = |distinct: usize, rows: usize| {
            let values = Values::String(Strings::from_values(vec!["x"; distinct]));
            let column = Column { values, marks: vec![Mark::PRESENT; distinct], list: None };
            let columns = vec![InputColumn { column, indices: Some(vec![0; rows]) }];
            let inputs = Inputs { columns, rows, now: None };
            let (mut nodes, mut results) = ((0..graph.nodes.len()).collect(), Vec::new());
            over_dictionaries(graph, &inputs, &graph.features, &mut nodes, &mut results);
            (results.iter().flatten().count(), nodes.len() == graph.nodes.len())
        };
        assert_eq!(computed(3, 3), (1, false));
        // A null is one more.
        assert_eq!(computed(4, 3), (1, false));
        assert_eq!(computed(5, 3), (0, true));
    }
}
