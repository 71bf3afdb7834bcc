//! The dot product of two maps from keys to numbers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Compiled, Kernel, Operation,
    keys::with_keys,
    pairs::{are_keys_and_values, lists_mark, side_by_side},
    sum::sum_of,
};
use crate::{
    batch::{Column, Element, Mark, Type},
    problem::Problems,
};

/// The sum of products of two maps' values over the keys that both have, a scalar float: 0 where they share none. The
/// inputs are four lists: keys and float64 values of one map, then those of the other; the keys are of one scalar type.
///
/// The values of a repeated key are added up. A null key, a null value, and what has no partner
/// because one list is longer than the other are passed over. The products are added in the order in which the keys
/// first stand in the first map. NaN and infinities follow IEEE arithmetic. A null list makes the result null. The
/// status is the gravest of all lists and elements.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KvDot {
    /// The result for a map without a key.
    pub empty: EmptyMap,
}

/// The result where either map is empty.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EmptyMap {
    Null,
    Zero,
}

impl Operation for KvDot {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let &[keys, values, other_keys, other_values] = inputs else {
            return Err(Problems::one("", format!("takes four inputs, has {}", inputs.len())));
        };
        let pairs = are_keys_and_values(keys, values) && are_keys_and_values(other_keys, other_values);
        if !pairs || keys.element != other_keys.element {
            let message = format!(
                "takes lists of keys and of float64 values, twice; its inputs are {keys}, {values}, {other_keys} \
                 and {other_values}"
            );
            return Err(Problems::one("", message));
        }
        let nullable = self.empty == EmptyMap::Null || inputs.iter().any(|of| of.nullable);
        let output = Type::scalar(Element::Float64).with_nullable(nullable);
        Ok(Compiled::new(output, KvDotKernel { empty: self.empty }))
    }
}

#[derive(Debug)]
struct KvDotKernel {
    empty: EmptyMap,
}

/// One key of a map with the sum of its values.
struct Entry<K> {
    key: K,
    /// Where the key first stands.
    first: usize,
    value: f64,
}

impl Kernel for KvDotKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        with_keys!(inputs[0], inputs[2], (one, other) => self.dot_rows(inputs, &one, &other, out));
    }
}

impl KvDotKernel {
    fn dot_rows<K: Ord + Copy>(&self, inputs: &[&Column], one: &[K], other: &[K], out: &mut Column) {
        let (values, marks) = out.float64_mut();
        let (mut a, mut b, mut products, mut terms) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let rows = inputs[0].rows();
        for row in 0..rows {
            let mut mark = lists_mark(inputs[0], inputs[1], row) | lists_mark(inputs[2], inputs[3], row);
            if !mark.is_null() {
                mark |= collect_map(inputs[0], inputs[1], row, one, &mut a);
                mark |= collect_map(inputs[2], inputs[3], row, other, &mut b);
                let empty = a.is_empty() || b.is_empty();
                mark |= if empty && self.empty == EmptyMap::Null { Mark::NULL } else { Mark::PRESENT };
                multiply_shared(&a, &b, &mut products);
            }
            terms.clear();
            terms.extend(products.drain(..).map(|(_, product)| product));
            values.push(sum_of(&terms, |product| product));
            marks.push(mark);
        }
    }
}

/// Makes `map` the keys of a row in order, each once; gives the elements' joint mark.
fn collect_map<K: Ord + Copy>(
    of_keys: &Column,
    of_values: &Column,
    row: usize,
    keys: &[K],
    map: &mut Vec<Entry<K>>,
) -> Mark {
    let mut mark = Mark::PRESENT;
    map.clear();
    for (first, (key, value, of_pair)) in side_by_side(of_keys, of_values, row).enumerate() {
        mark |= of_pair.filled();
        if let (Some(key), Some(value)) = (key, value) {
            map.push(Entry { key: keys[key], first, value: of_values.float64()[value] });
        }
    }
    map.sort_unstable_by_key(|entry| (entry.key, entry.first));
    map.dedup_by(|later, kept| {
        let same = later.key == kept.key;
        if same {
            kept.value += later.value;
        }
        same
    });
    mark
}

/// Makes `products` those of the keys that both maps have, with where the key first stands in `a`, and in that order.
fn multiply_shared<K: Ord>(mut a: &[Entry<K>], mut b: &[Entry<K>], products: &mut Vec<(usize, f64)>) {
    products.clear();
    while let ([of_a, rest_a @ ..], [of_b, rest_b @ ..]) = (a, b) {
        match of_a.key.cmp(&of_b.key) {
            std::cmp::Ordering::Less => a = rest_a,
            std::cmp::Ordering::Greater => b = rest_b,
            std::cmp::Ordering::Equal => {
                products.push((of_a.first, of_a.value * of_b.value));
                (a, b) = (rest_a, rest_b);
            }
        }
    }
    products.sort_unstable_by_key(|&(first, _)| first);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        batch::{ListRows, Values},
        transform::check::{floats, results},
    };

    fn lists(column: Column, offsets: &[u32]) -> Column {
        let marks = vec![Mark::PRESENT; offsets.len() - 1];
        Column { list: Some(ListRows { offsets: offsets.to_vec(), marks }), ..column }
    }

    fn integers(values: &[i64]) -> Column {
        let marks = vec![Mark::PRESENT; values.len()];
        Column { values: Values::Int64(values.to_vec()), marks, list: None }
    }

    /// {5: 2 + 3, 1: 1, 9: null} with {1: 10, 5: 100, 7: 1}; nothing with {1: 1}; {1: 1} with {2: 1}.
    fn run(empty: EmptyMap) -> Column {
        let (keys, floats64) =
            (Type::scalar(Element::Int64).listed(), Type::scalar(Element::Float64).listed());
        let compiled = KvDot { empty }.compile(&[keys, floats64, keys, floats64]).expect("good");
        let keys = lists(integers(&[5, 1, 5, 9, 1]), &[0, 4, 4, 5]);
        let values = lists(floats(&[Some(2.0), Some(1.0), Some(3.0), None, Some(1.0)]), &[0, 4, 4, 5]);
        let other_keys = lists(integers(&[1, 5, 7, 1, 2]), &[0, 3, 4, 5]);
        let other_values =
            lists(floats(&[Some(10.0), Some(100.0), Some(1.0), Some(1.0), Some(1.0)]), &[0, 3, 4, 5]);
        let mut out = Column::new(compiled.output);
        compiled.kernel.run(&[&keys, &values, &other_keys, &other_values], &mut out);
        out
    }

    #[test]
    fn shared_keys_multiply() {
        let out = run(EmptyMap::Null);
        assert_eq!(results(&out), [Some(510.0), None, Some(0.0)]);
        assert_eq!(out.marks, [Mark::NULL.filled(), Mark::NULL, Mark::PRESENT]);
        assert_eq!(results(&run(EmptyMap::Zero)), [Some(510.0), Some(0.0), Some(0.0)]);
    }

    #[test]
    fn takes_two_maps() {
        let (keys, values) = (Type::scalar(Element::Int64).listed(), Type::scalar(Element::Float64).listed());
        let texts = Type::scalar(Element::String).listed();
        let compile = |inputs: &[Type]| KvDot { empty: EmptyMap::Zero }.compile(inputs);
        assert!(compile(&[keys, values, texts, values]).is_err());
        assert!(compile(&[keys, values, keys, keys]).is_err());
        assert!(compile(&[keys, values]).is_err());
    }
}
