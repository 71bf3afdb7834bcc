//! The logarithm of 1 + x.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Compiled, Kernel, Operation, map_lanes, single_float};
use crate::{
    batch::{Column, Mark, Type},
    problem::Problems,
};

/// `ln(1 + x)`, exact for small x. Null stays null, NaN stays NaN. Libraries' own functions differ by up to 1 unit in
/// the last place of float64.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Log1p {
    /// The result for values of -1 and below.
    pub undefined: Undefined,
}

/// Results where the logarithm has no finite value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Undefined {
    /// -inf for -1, NaN below: numpy.
    Ieee,
    /// Null: Spark SQL.
    Null,
}

impl Operation for Log1p {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let input = single_float(inputs)?;
        let nullable = input.nullable || self.undefined == Undefined::Null;
        let kernel = Log1pKernel { undefined: self.undefined, lanes: vec![(); input.lanes()] };
        Ok(Compiled::new(input.with_nullable(nullable), kernel))
    }
}

#[derive(Debug)]
struct Log1pKernel {
    undefined: Undefined,
    lanes: Vec<()>,
}

impl Kernel for Log1pKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        map_lanes(inputs[0], out, &self.lanes, |(), x| x.ln_1p());
        if self.undefined == Undefined::Null {
            let values = inputs[0].float64().chunks_exact(self.lanes.len());
            for (mark, value) in out.marks.iter_mut().zip(values) {
                if !mark.is_null() && value.iter().any(|&x| x <= -1.0) {
                    *mark |= Mark::NULL;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        batch::Element,
        transform::check::{floats, results, run_float},
    };

    #[test]
    fn undefined_values_follow_the_switch() {
        let inputs = [Some(0.0), Some(-1.0), Some(1e-20), None];
        let ieee = run_float(&Log1p { undefined: Undefined::Ieee }, &inputs);
        assert_eq!(results(&ieee), [Some(0.0), Some(f64::NEG_INFINITY), Some(1e-20), None]);
        let null = run_float(&Log1p { undefined: Undefined::Null }, &inputs);
        assert_eq!(results(&null), [Some(0.0), None, Some(1e-20), None]);
    }

    #[test]
    fn what_lies_under_a_null_changes_no_status() {
        let mut input = floats(&[Some(-9.0)]);
        input.marks = vec![Mark::UNKNOWN_CATEGORY.nulled()];
        let compiled =
            Log1p { undefined: Undefined::Null }.compile(&[Type::scalar(Element::Float64)]).expect("good");
        let mut out = Column::new(compiled.output);
        compiled.kernel.run(&[&input], &mut out);
        assert_eq!(out.marks, input.marks);
    }
}
