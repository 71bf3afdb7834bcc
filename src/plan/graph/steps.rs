//! From a feature's steps to nodes: each step once, whoever needs it, in the form that its kernel takes.

use super::{
    super::digest::{Digest, Digester},
    Builder, Form, Node, NodeId, Source, Unresolved,
};
use crate::{
    batch::{Column, Element, Type, Values},
    spec::{Feature, places},
    transform::{Derived, Kernel, Meaning, Operation, SPARSE_FROM},
};

impl Builder<'_> {
    /// Adds a feature's steps, one after the other, and gives the last one's node.
    pub(super) fn add_steps(
        &mut self,
        feature: &Feature,
        place: &str,
        mut nodes: Vec<NodeId>,
    ) -> Result<NodeId, Unresolved> {
        for (position, step) in feature.steps.iter().enumerate() {
            let types: Vec<Type> = nodes.iter().map(|&node| self.graph.nodes[node].of).collect();
            let compiled = step.compile(&types).map_err(|found| {
                self.problems
                    .add_below(&format!("{place}.{}", places::step(position, Some(step.name()))), found);
                Unresolved
            })?;
            let value = Digester::new("step").value(step);
            let mut read = nodes.clone();
            for (part, Derived { reads, compiled, same_as }) in compiled.derived.into_iter().enumerate() {
                let inputs: Vec<NodeId> = reads.iter().map(|&position| read[position]).collect();
                let value = match same_as {
                    Some(Meaning::Operation(same)) => Digester::new("step").value(&same),
                    Some(Meaning::Named(name)) => Digester::new("part").text(&name),
                    None => value.clone().text("part").number(part as u64),
                };
                read.push(self.add_step(compiled.kernel, value.finish(), &inputs, compiled.output));
            }
            if let Some(reads) = compiled.reads {
                read = reads.iter().map(|&position| read[position]).collect();
            }
            // A step fills in or nulls elements; whether a list as a whole is null stays with the list.
            let nullable =
                compiled.output.nullable || (compiled.output.list && types.iter().any(|of| of.nullable));
            let output = compiled.output.with_nullable(nullable);
            let node = self.add_step(compiled.kernel, value.finish(), &read, output);
            self.graph.nodes[node].lane_names = compiled.lane_names;
            nodes = vec![node];
        }
        Ok(nodes[0])
    }

    /// The node of a step; where the same step of the same nodes is there already, that one.
    pub(super) fn add_step(
        &mut self,
        kernel: Box<dyn Kernel>,
        value: Digest,
        inputs: &[NodeId],
        of: Type,
    ) -> NodeId {
        let inputs: Vec<NodeId> = inputs.iter().map(|&node| self.dense(node, &*kernel)).collect();
        let step = (inputs, value);
        if let Some(&same) = self.steps.get(&step)
            && self.graph.nodes[same].of == of
        {
            return same;
        }
        let node = self.add_new_step(kernel, value, step.0.clone(), of);
        self.steps.insert(step, node);
        node
    }

    fn add_new_step(
        &mut self,
        kernel: Box<dyn Kernel>,
        value: Digest,
        inputs: Vec<NodeId>,
        of: Type,
    ) -> NodeId {
        let scope = self.joined_scope(&inputs);
        let anchor = self.graph.common_anchor(inputs.iter().map(|&node| self.graph.nodes[node].anchor));
        let form = self.form_given(&*kernel, &inputs, of);
        let node = self.add(Source::Step { kernel, inputs, value }, of, scope, anchor);
        self.graph.nodes[node].form = form;
        node
    }

    /// Asks a kernel on no rows in which form its vectors come.
    fn form_given(&self, kernel: &dyn Kernel, inputs: &[NodeId], of: Type) -> Form {
        if of.element != Element::Float64 || of.width.is_none() {
            return Form::Plain;
        }
        let nodes = inputs.iter().map(|&node| &self.graph.nodes[node]);
        let empty: Vec<Column> = nodes.map(Node::empty_column).collect();
        let mut out = Column::new(of);
        kernel.run(&empty.iter().collect::<Vec<_>>(), &mut out);
        match out.values {
            Values::OneHot(_) => Form::OneHot,
            Values::Sparse(_) => Form::Sparse,
            Values::Float32(_) => Form::Float32,
            _ => Form::Plain,
        }
    }

    /// The node itself, or its plain vectors where the kernel does not take its form.
    fn dense(&mut self, node: NodeId, kernel: &dyn Kernel) -> NodeId {
        let Node { of, form, scope, anchor, .. } = self.graph.nodes[node];
        let takes = match form {
            Form::Plain => true,
            Form::Float32 => kernel.takes_float32(),
            Form::OneHot | Form::Sparse => of.lanes() >= SPARSE_FROM && kernel.takes_sparse(),
        };
        if takes {
            return node;
        }
        if let Some(&dense) = self.dense.get(&node) {
            return dense;
        }
        let dense = self.add(Source::Dense(node), of, scope, anchor);
        self.dense.insert(node, dense);
        dense
    }
}
