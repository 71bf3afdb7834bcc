//! Ragged tensors: the elements of lists, one row after the other.

use std::collections::BTreeMap;

use quiver::{
    batch::Status,
    serve::answer::{Part, RaggedRows, TensorShape},
};
use serde_json::Value;

use super::{same, value_bytes};
use crate::reference::{Cell, Held, NULL, PlainInputs, Reference, texts};

/// What a ragged tensor is compared with.
pub struct Expected<'a> {
    pub reference: &'a Reference<'a>,
    pub inputs: &'a PlainInputs,
    pub tensor: &'a TensorShape,
    pub rows: usize,
}

impl Expected<'_> {
    /// Compares elements and statuses, and counts what is not present.
    pub fn check(
        &self,
        got: &RaggedRows,
        statuses: &[u8],
        counts: &mut BTreeMap<(usize, usize), [u32; Status::COUNT]>,
    ) {
        let names = texts(&self.reference.spec["outputs"][self.tensor.output]["features"]);
        let in_part = |name: &String| match self.tensor.part {
            Part::All => true,
            part => self.reference.is_row_scope(name) == (part == Part::Row),
        };
        let served: Vec<usize> = (0..names.len()).filter(|&at| in_part(&names[at])).collect();
        let rows = if self.tensor.part == Part::Request { 1 } else { self.rows };
        assert_eq!((got.ends.len(), self.tensor.rows), (rows, rows));
        for row in 0..rows {
            let lists: Vec<(u8, Vec<Cell>)> = served.iter().map(|&at| self.list(&names[at], row)).collect();
            let length = lists.iter().map(|(_, cells)| cells.len()).max().unwrap_or_default();
            let stride = self.tensor.width * self.tensor.dtype.size();
            let found = got.row(row, stride);
            assert_eq!(found.len(), length * stride, "row {row}: {:#}", self.reference.spec);
            for element in 0..length {
                let bytes: Vec<u8> = served
                    .iter()
                    .zip(&lists)
                    .flat_map(|(&at, (_, cells))| self.element(&names[at], cells.get(element)))
                    .collect();
                let found = &found[element * stride..(element + 1) * stride];
                let context = || format!("element {element} of row {row}: {:#}", self.reference.spec);
                assert!(same(found, &bytes, self.tensor.dtype), "{found:?} {bytes:?} {}", context());
            }
            for (place, (&at, (status, cells))) in served.iter().zip(&lists).enumerate() {
                let shorter = if cells.len() < length { NULL } else { 0 };
                let status = (*status).max(shorter);
                assert_eq!(statuses[row * served.len() + place], status, "{:#}", self.reference.spec);
                if self.reference.is_row_scope(&names[at]) {
                    counts.entry((self.tensor.output, at)).or_default()[usize::from(status & 15)] += 1;
                }
            }
        }
        for at in served.into_iter().filter(|&at| !self.reference.is_row_scope(&names[at])) {
            let (status, _) = self.list(&names[at], 0);
            counts.entry((self.tensor.output, at)).or_default()[usize::from(status & 15)] += 1;
        }
    }

    /// A list's gravest status, and its elements.
    fn list(&self, name: &str, row: usize) -> (u8, Vec<Cell>) {
        let Held::List(null, status, cells) = self.reference.feature(name, self.inputs, row) else {
            panic!("{name} is no list")
        };
        let cells = if null { Vec::new() } else { cells };
        (cells.iter().map(|cell| cell.status).fold(status, u8::max), cells)
    }

    /// The bytes of an element, of the default where there is none.
    fn element(&self, name: &str, cell: Option<&Cell>) -> Vec<u8> {
        let features = self.reference.spec["features"].as_array().expect("features");
        let feature: &Value = features.iter().find(|feature| feature["name"] == name).expect("a feature");
        let value = cell.and_then(|cell| cell.value.clone());
        value_bytes(feature, self.reference.spec, value, self.tensor.dtype)
    }
}
