//! Values with weights: lists or single values, and beside them lists or single numbers.

use std::ops::Range;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    batch::{Column, Element, Mark, Type},
    problem::Problems,
};

/// The widest vector that values are spread over.
pub const WIDTH_LIMIT: usize = 1 << 20;

/// The result for a null list or value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NullVector {
    /// All zeros; the status reports the null.
    Zeros,
    Null,
}

/// The type of the values, and whether there are weights beside them.
pub fn values_and_weights(inputs: &[Type]) -> Result<(Type, bool), Problems> {
    match inputs {
        [values] | [values, _] if values.width.is_some() => {
            Err(Problems::one("", format!("takes scalars or lists of them, its input is {values}")))
        }
        [values] => Ok((*values, false)),
        [values, weights]
            if weights.element == Element::Float64
                && (weights.width, weights.list) == (None, values.list) =>
        {
            Ok((*values, true))
        }
        [values, weights] => {
            let shape = if values.list { "list<float64>" } else { "float64" };
            Err(Problems::one("", format!("takes {shape} as the weights of {values}, they are {weights}")))
        }
        _ => Err(Problems::one(
            "",
            format!("takes values, or values and weights, has {} inputs", inputs.len()),
        )),
    }
}

/// The columns of both.
#[derive(Debug, Clone, Copy)]
pub struct Weighted<'a> {
    values: &'a Column,
    /// Where there are none, each value weighs 1.
    weights: Option<&'a Column>,
}

impl<'a> Weighted<'a> {
    pub fn new(inputs: &[&'a Column]) -> Self {
        Self { values: inputs[0], weights: inputs.get(1).copied() }
    }

    /// The text of a value, of string values.
    pub fn text(&self, index: usize) -> &'a [u8] {
        self.values.strings().get_bytes(index)
    }

    /// Calls `take` with the index and the weight of each value of a row that counts: neither it nor its weight is
    /// null. Gives the row's mark: null where the list or value, or the list of weights or the weight, is; else the
    /// gravest status of all.
    pub fn each(self, row: usize, mut take: impl FnMut(usize, f64)) -> Mark {
        let (of_values, mut mark) = span(self.values, row);
        let of_weights = self.weights.map(|weights| {
            let (of_weights, own) = span(weights, row);
            mark |= own;
            (weights, of_weights)
        });
        if mark.is_null() {
            return mark;
        }
        for (place, index) in of_values.enumerate() {
            let (weight, of_weight) = match &of_weights {
                Some((weights, of_weights)) => weight(weights, of_weights.clone(), place),
                None => (1.0, Mark::PRESENT),
            };
            let both = self.values.marks[index] | of_weight;
            mark |= both.filled();
            if !both.is_null() {
                take(index, weight);
            }
        }
        mark
    }
}

/// Where a row's values are, and its own mark.
fn span(column: &Column, row: usize) -> (Range<usize>, Mark) {
    match &column.list {
        Some(list) => (list.range(row), list.marks[row]),
        None => (row..row + 1, column.marks[row]),
    }
}

/// A weight, null where the list of weights is too short.
fn weight(weights: &Column, mut of_row: Range<usize>, place: usize) -> (f64, Mark) {
    match of_row.nth(place) {
        Some(index) => (weights.float64()[index], weights.marks[index]),
        None => (0.0, Mark::NULL),
    }
}
