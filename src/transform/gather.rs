//! Gather: positions to rows of a fitted matrix.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Compiled, Kernel, Operation,
    parameters::{List, Real},
    single,
};
use crate::{
    batch::{Column, Element, Mark, Type},
    problem::Problems,
};

/// The matrix's row at an int64 position. Null stays null.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gather {
    /// The rows, all of one width.
    pub vectors: List<Vec<Real>>,
    /// The result for a position without a row; its status is unknown category.
    pub unknown: NoRow,
}

/// The result for a row that does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NoRow {
    Null,
    Zeros,
}

impl Operation for Gather {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let input = single(inputs)?;
        let mut problems = Problems::none();
        if input.element != Element::Int64 || input.width.is_some() {
            problems.add("", format!("takes int64 positions, its input is {input}"));
        }
        let width = self.vectors.0.first().map_or(0, Vec::len);
        if width == 0 {
            problems.add("vectors", "must have a row of at least one number");
        }
        for (position, vector) in
            self.vectors.0.iter().enumerate().filter(|(_, vector)| vector.len() != width)
        {
            problems.add(
                format!("vectors[{position}]"),
                format!("has {} numbers, the first row {width}", vector.len()),
            );
        }
        problems.or(())?;
        let nullable = input.nullable || self.unknown == NoRow::Null;
        let output = Type { element: Element::Float64, width: Some(width), nullable, ..input };
        let values = self.vectors.0.iter().flatten().map(|value| value.0).collect();
        Ok(Compiled::new(output, GatherKernel { values, width, unknown: self.unknown }))
    }
}

#[derive(Debug)]
struct GatherKernel {
    /// Row after row.
    values: Vec<f64>,
    width: usize,
    unknown: NoRow,
}

impl Kernel for GatherKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        let (values, marks) = out.float64_mut();
        for (&position, &mark) in inputs[0].int64().iter().zip(&inputs[0].marks) {
            let row = if mark.is_null() { None } else { self.row(position) };
            match row {
                Some(row) => values.extend_from_slice(row),
                None => values.extend(std::iter::repeat_n(0.0, self.width)),
            }
            marks.push(match (row, self.unknown) {
                (None, NoRow::Null) if !mark.is_null() => mark | Mark::UNKNOWN_CATEGORY.nulled(),
                (None, NoRow::Zeros) if !mark.is_null() => mark | Mark::UNKNOWN_CATEGORY,
                _ => mark,
            });
        }
    }
}

impl GatherKernel {
    fn row(&self, position: i64) -> Option<&[f64]> {
        let start = usize::try_from(position).ok()?.checked_mul(self.width)?;
        self.values.get(start..start.checked_add(self.width)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::Values;

    fn gather(unknown: NoRow) -> Gather {
        Gather { vectors: List(vec![vec![Real(1.0), Real(2.0)], vec![Real(3.0), Real(4.0)]]), unknown }
    }

    #[test]
    fn positions_without_a_row_are_unknown() {
        let values = Values::Int64(vec![1, -1, i64::MAX, 0]);
        let marks = vec![Mark::PRESENT, Mark::PRESENT, Mark::PRESENT, Mark::NULL];
        let input = Column { values, marks, list: None };
        for (unknown, mark) in
            [(NoRow::Zeros, Mark::UNKNOWN_CATEGORY), (NoRow::Null, Mark::UNKNOWN_CATEGORY.nulled())]
        {
            let compiled = gather(unknown).compile(&[Type::scalar(Element::Int64)]).expect("good");
            let mut out = Column::new(compiled.output);
            compiled.kernel.run(&[&input], &mut out);
            assert_eq!(out.float64()[..4], [3.0, 4.0, 0.0, 0.0]);
            assert_eq!(out.marks, [Mark::PRESENT, mark, mark, Mark::NULL]);
        }
    }

    #[test]
    fn rows_have_one_width() {
        let uneven = Gather { vectors: List(vec![vec![Real(1.0)], vec![]]), unknown: NoRow::Null };
        assert!(uneven.compile(&[Type::scalar(Element::Int64)]).is_err());
    }
}
