//! Coalesce: the first of several values that is not null.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Compiled, Kernel, Operation,
    pick::{Picker, of_one_type, step},
};
use crate::{
    batch::{Column, Element, Mark, Type, Values},
    problem::Problems,
};

/// The first of its inputs that is not null, with that input's status. All of them are of one type: scalars of any
/// type, vectors of one width, or lists of either, of which the first whole list that is not null is taken. Null where
/// all are null, with the gravest of their statuses. With single values beside lists it takes the first for each
/// element.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Coalesce {
    /// What NaN is. Without effect on types that have none.
    pub nan: NanCoalesce,
}

/// How NaN counts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NanCoalesce {
    /// It is passed over like a null; for a vector, NaN in any lane. Whole lists are passed over only where they are
    /// null.
    Skip,
    /// It is a value like any other.
    Keep,
}

impl Operation for Coalesce {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let Some(&first) = inputs.first() else {
            return Err(Problems::one("", "takes at least one input"));
        };
        if !of_one_type(inputs) {
            let types: Vec<String> = inputs.iter().map(Type::to_string).collect();
            let message = format!("takes inputs of one type, they are {}", types.join(", "));
            return Err(Problems::one("", message));
        }
        let skips_nan = self.nan == NanCoalesce::Skip && first.element == Element::Float64 && !first.list;
        let nullable = skips_nan || inputs.iter().all(|input| input.nullable);
        let kernel = CoalesceKernel { skips_nan, picker: Picker::of(first) };
        Ok(Compiled::new(first.with_nullable(nullable), kernel))
    }

    fn takes_elements(&self, inputs: &[Type]) -> bool {
        inputs.iter().any(|input| !input.list)
    }
}

#[derive(Debug)]
struct CoalesceKernel {
    skips_nan: bool,
    picker: Picker,
}

impl Kernel for CoalesceKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        let first = |row: usize| inputs.iter().position(|input| !self.mark(input, row).is_null());
        let choice = |row: usize| first(row).unwrap_or(0);
        let mark = |row: usize| match first(row) {
            Some(chosen) => self.mark(inputs[chosen], row),
            None => inputs.iter().fold(Mark::NULL, |joined, input| joined | self.mark(input, row)),
        };
        self.picker.pick(inputs, inputs, choice, mark, out);
    }

    fn gives_lists(&self) -> bool {
        self.picker.lists
    }

    fn takes_single_rows(&self) -> bool {
        true
    }
}

impl CoalesceKernel {
    /// An input's mark, null for a NaN that is passed over.
    fn mark(&self, input: &Column, row: usize) -> Mark {
        let mark = self.picker.mark(input, row);
        let is_nan = match &input.values {
            Values::Float64(values) if self.skips_nan => {
                let start = row * step(input) * self.picker.lanes;
                values[start..start + self.picker.lanes].iter().any(|lane| lane.is_nan())
            }
            _ => false,
        };
        if is_nan && !mark.is_null() { mark | Mark::NULL } else { mark }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        batch::Strings,
        transform::check::{floats, results},
    };

    fn run(nan: NanCoalesce, of: Type, inputs: &[&Column]) -> Column {
        let compiled = Coalesce { nan }.compile(&vec![of; inputs.len()]).expect("good");
        let mut out = Column::new(compiled.output);
        compiled.kernel.run(inputs, &mut out);
        out
    }

    #[test]
    fn the_first_that_is_there_comes_with_its_status() {
        let mut one = floats(&[Some(1.0), None, None, Some(f64::NAN)]);
        one.marks[0] = Mark::OUT_OF_RANGE;
        let mut other = floats(&[Some(5.0), Some(6.0), None, Some(8.0)]);
        other.marks[2] = Mark::KEY_NOT_FOUND;
        let float = Type::scalar(Element::Float64);
        let out = run(NanCoalesce::Skip, float, &[&one, &other]);
        assert_eq!(results(&out), [Some(1.0), Some(6.0), None, Some(8.0)]);
        assert_eq!(out.marks, [Mark::OUT_OF_RANGE, Mark::PRESENT, Mark::KEY_NOT_FOUND, Mark::PRESENT]);
        let kept = run(NanCoalesce::Keep, float, &[&one, &other]);
        assert!(kept.float64()[3].is_nan());
        let all_nan = run(NanCoalesce::Skip, float, &[&floats(&[Some(f64::NAN)])]);
        assert_eq!(all_nan.marks, [Mark::NULL]);
    }

    #[test]
    fn strings_and_single_rows_are_taken() {
        let column = |texts: &[&str], marks: &[Mark]| Column {
            values: Values::String(Strings::from_values(texts)),
            marks: marks.to_vec(),
            list: None,
        };
        let several = column(&["a", "", "c"], &[Mark::PRESENT, Mark::NULL, Mark::PRESENT]);
        let out = run(
            NanCoalesce::Keep,
            Type::scalar(Element::String),
            &[&several, &column(&["none"], &[Mark::PRESENT])],
        );
        assert_eq!(out.strings().iter().collect::<Vec<_>>(), ["a", "none", "c"]);
        assert!(out.marks.iter().all(|mark| mark.is_present()));
    }

    #[test]
    fn the_result_is_null_only_where_all_can_be() {
        let float = Type::scalar(Element::Float64);
        let of =
            |nan, types: &[Type]| Coalesce { nan }.compile(types).map(|compiled| compiled.output.nullable);
        assert_eq!(of(NanCoalesce::Keep, &[float, float.with_nullable(false)]), Ok(false));
        assert_eq!(of(NanCoalesce::Skip, &[float, float.with_nullable(false)]), Ok(true));
        assert!(of(NanCoalesce::Keep, &[float, Type::vector(1)]).is_err());
        assert_eq!(of(NanCoalesce::Skip, &[float.listed(), float.listed().with_nullable(false)]), Ok(false));
        assert!(of(NanCoalesce::Keep, &[float, float.listed()]).is_err(), "it takes elements then");
    }
}
