//! A key's values in a map from keys to numbers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Compiled, Kernel, Operation,
    keys::with_keys,
    pairs::{are_keys_and_values, list_mark, list_rows, row_step},
    parameters::Real,
    sum::sum_of,
};
use crate::{
    batch::{Column, Element, Mark, Type},
    problem::Problems,
};

/// A map's value for a key, a scalar float. The inputs are two lists, keys and float64 values, and a scalar of the
/// keys' type. A null key, a null value, and what has no partner because one list is longer than the other are passed
/// over. A null list or a null scalar makes the result null. NaN equals NaN as a key, -0 equals 0. The status is the
/// gravest of the lists, the scalar and the pairs with that key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KvLookup {
    /// How the values of a repeated key are joined.
    pub function: Function,
    /// The result for a key that the map has no value for; the status is key not found.
    pub missing: Missing,
}

/// What is made of a key's values.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Function {
    Sum,
    Mean,
    /// The greatest; NaN where there is one.
    Max,
    /// The least; NaN where there is one.
    Min,
    /// How many there are.
    Count,
}

/// The result without a value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    Null,
    Value(Real),
}

impl Operation for KvLookup {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let &[keys, values, key] = inputs else {
            return Err(Problems::one("", format!("takes three inputs, has {}", inputs.len())));
        };
        let scalar = !key.list && key.width.is_none() && key.element == keys.element;
        if !are_keys_and_values(keys, values) || !scalar {
            let message = format!(
                "takes a list of keys, a list of float64 values and a key; its inputs are {keys}, {values} and {key}"
            );
            return Err(Problems::one("", message));
        }
        let nullable = self.missing == Missing::Null || inputs.iter().any(|of| of.nullable);
        let output = Type::scalar(Element::Float64).with_nullable(nullable);
        let Self { function, missing } = *self;
        Ok(Compiled::new(output, KvLookupKernel { function, missing }))
    }
}

#[derive(Debug)]
struct KvLookupKernel {
    function: Function,
    missing: Missing,
}

impl Kernel for KvLookupKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        with_keys!(inputs[0], inputs[2], (keys, wanted) => self.look_up(inputs, &keys, &wanted, out));
    }

    fn takes_single_rows(&self) -> bool {
        true
    }

    fn takes_single_list(&self, input: usize) -> bool {
        input < 2
    }
}

impl KvLookupKernel {
    fn look_up<K: PartialEq>(&self, inputs: &[&Column], keys: &[K], wanted: &[K], out: &mut Column) {
        let [of_keys, of_values, of_wanted] = inputs else { return };
        let (Some(key_lists), Some(value_lists)) = (&of_keys.list, &of_values.list) else { return };
        let [key_step, value_step, wanted_step] =
            [of_keys, of_values, of_wanted].map(|input| row_step(input));
        let (values, marks) = out.float64_mut();
        let mut found = Vec::new();
        for row in 0..list_rows(inputs) {
            let [key_row, value_row, row] = [key_step, value_step, wanted_step].map(|step| row * step);
            let mut mark =
                list_mark(of_keys, key_row) | list_mark(of_values, value_row) | of_wanted.marks[row];
            if mark.is_null() {
                values.push(0.0);
                marks.push(mark);
                continue;
            }
            found.clear();
            let (of_row, of_pairs) = (key_lists.range(key_row), value_lists.range(value_row));
            let equal = keys[of_row.clone()].iter().zip(of_row).enumerate();
            for (place, (_, key)) in equal.filter(|(_, (key, _))| **key == wanted[row]) {
                if of_keys.marks[key].is_null() {
                    continue;
                }
                // What has no partner is beside a null.
                let value = Some(of_pairs.start + place).filter(|&value| value < of_pairs.end);
                let of_value = value.map_or(Mark::NULL, |value| of_values.marks[value]);
                mark |= (of_keys.marks[key] | of_value).filled();
                found.extend(value.filter(|_| !of_value.is_null()).map(|value| of_values.float64()[value]));
            }
            let (value, of_result) = self.result(&found);
            values.push(value);
            marks.push(mark | of_result);
        }
    }

    fn result(&self, found: &[f64]) -> (f64, Mark) {
        if found.is_empty() {
            return match self.missing {
                Missing::Null => (0.0, Mark::KEY_NOT_FOUND),
                Missing::Value(value) => (value.0, Mark::KEY_NOT_FOUND.filled()),
            };
        }
        let extreme = |better: fn(f64, f64) -> bool| {
            let join =
                |best: f64, x: f64| if best.is_nan() || !(better(x, best) || x.is_nan()) { best } else { x };
            found.iter().copied().fold(found[0], join)
        };
        let value = match self.function {
            Function::Sum => sum_of(found, |x| x),
            Function::Mean => sum_of(found, |x| x) / found.len() as f64,
            Function::Max => extreme(|x, best| x > best),
            Function::Min => extreme(|x, best| x < best),
            Function::Count => found.len() as f64,
        };
        (value, Mark::PRESENT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        batch::{ListRows, Strings, Values},
        transform::check::{floats, results},
    };

    /// {a: 1, b: 2, a: 5, c: null} asked for a, b, c and null; a map with a key and no value.
    fn run(function: Function, missing: Missing) -> Column {
        let (text, float) = (Type::scalar(Element::String), Type::scalar(Element::Float64));
        let types = [text.listed(), float.listed(), text];
        let compiled = KvLookup { function, missing }.compile(&types).expect("good");
        let texts = |texts: &[&str]| {
            let values = Values::String(Strings::from_values(texts));
            Column { values, marks: vec![Mark::PRESENT; texts.len()], list: None }
        };
        let list = |offsets: &[u32]| {
            Some(ListRows { offsets: offsets.to_vec(), marks: vec![Mark::PRESENT; offsets.len() - 1] })
        };
        let keys = Column {
            list: list(&[0, 4, 8, 12, 16, 17]),
            ..texts(&["a", "b", "a", "c"].repeat(4).into_iter().chain(["a"]).collect::<Vec<_>>())
        };
        let values = [Some(1.0), Some(2.0), Some(5.0), None].repeat(4);
        let values = Column { list: list(&[0, 4, 8, 12, 16, 16]), ..floats(&values) };
        let mut wanted = texts(&["a", "b", "c", "?", "a"]);
        wanted.marks[3] = Mark::NULL;
        let mut out = Column::new(compiled.output);
        compiled.kernel.run(&[&keys, &values, &wanted], &mut out);
        out
    }

    #[test]
    fn joins_a_keys_values() {
        let of = |function| results(&run(function, Missing::Null));
        assert_eq!(of(Function::Sum), [Some(6.0), Some(2.0), None, None, None]);
        assert_eq!(of(Function::Mean), [Some(3.0), Some(2.0), None, None, None]);
        assert_eq!(of(Function::Max), [Some(5.0), Some(2.0), None, None, None]);
        assert_eq!(of(Function::Min), [Some(1.0), Some(2.0), None, None, None]);
        assert_eq!(of(Function::Count), [Some(2.0), Some(1.0), None, None, None]);
    }

    #[test]
    fn a_missing_key_is_told() {
        let out = run(Function::Sum, Missing::Value(Real(-1.0)));
        assert_eq!(results(&out), [Some(6.0), Some(2.0), Some(-1.0), None, Some(-1.0)]);
        let missing = Mark::KEY_NOT_FOUND.filled();
        assert_eq!(out.marks, [Mark::PRESENT, Mark::PRESENT, missing, Mark::NULL, missing]);
    }

    #[test]
    fn nan_is_the_extreme() {
        let kernel = KvLookupKernel { function: Function::Min, missing: Missing::Null };
        assert!(kernel.result(&[1.0, f64::NAN, 0.0]).0.is_nan());
        assert!(kernel.result(&[f64::NAN, 0.0]).0.is_nan());
        assert_eq!(kernel.result(&[1.0, -3.0, 0.0]).0, -3.0);
    }
}
