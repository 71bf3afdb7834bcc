//! Missing indicator: 1 where there is no value.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Compiled, Kernel, Operation, single};
use crate::{
    batch::{Column, Element, Type, Values},
    problem::Problems,
};

/// 1 for null, else 0, as float64; never null itself. A vector is missing as a whole. The status stays that of the
/// input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MissingIndicator {
    /// What NaN is: for a vector, NaN in any lane.
    pub nan: NanIs,
}

/// How NaN counts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NanIs {
    Missing,
    Present,
}

impl Operation for MissingIndicator {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let input = single(inputs)?;
        let kernel = MissingKernel { nan: self.nan, lanes: input.lanes() };
        Ok(Compiled::new(Type { element: Element::Float64, width: None, nullable: false, ..input }, kernel))
    }
}

#[derive(Debug)]
struct MissingKernel {
    nan: NanIs,
    lanes: usize,
}

impl Kernel for MissingKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        let (values, marks) = out.float64_mut();
        marks.extend(inputs[0].marks.iter().map(|mark| mark.filled()));
        values.extend(inputs[0].marks.iter().map(|mark| f64::from(u8::from(mark.is_null()))));
        if let (NanIs::Missing, Values::Float64(of_input)) = (self.nan, &inputs[0].values) {
            if self.lanes == 1 {
                for (value, &input) in values.iter_mut().zip(of_input) {
                    *value = if input.is_nan() { 1.0 } else { *value };
                }
                return;
            }
            for (value, lanes) in values.iter_mut().zip(of_input.chunks_exact(self.lanes)) {
                if lanes.iter().any(|lane| lane.is_nan()) {
                    *value = 1.0;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::check::{results, run_float};

    #[test]
    fn null_is_missing_and_nan_as_told() {
        let inputs = [Some(2.0), None, Some(f64::NAN)];
        let missing = run_float(&MissingIndicator { nan: NanIs::Missing }, &inputs);
        assert_eq!(results(&missing), [Some(0.0), Some(1.0), Some(1.0)]);
        let present = run_float(&MissingIndicator { nan: NanIs::Present }, &inputs);
        assert_eq!(results(&present), [Some(0.0), Some(1.0), Some(0.0)]);
        assert_eq!(present.marks[1].status(), crate::batch::Status::Null);
    }
}
