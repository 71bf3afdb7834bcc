//! The keys of a list that are looked up: the first ones, or a sample. Specs write them with lookups, not as operations.

use super::{
    Kernel,
    hashing::{MOST_DIGITS, decimal},
    murmur3::murmur3_x86_32,
};
use crate::batch::{Column, Values};

/// Lists of keys, scalars, to lists of at most `cap` of them, in their order; of two inputs, keys and something beside each,
/// the second's elements at the places of those keys. A sample takes nulls last.
#[derive(Debug)]
pub struct PickKeys {
    pub cap: usize,
    /// The seed of a sample; without one the first keys are picked.
    pub seed: Option<u32>,
}

impl Kernel for PickKeys {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        let (keys, beside) = (inputs[0], inputs[inputs.len() - 1]);
        let (mut positions, mut hashed) = (Vec::new(), Vec::new());
        let rows = out.list_mut();
        let (Some(of_keys), Some(of_beside)) = (&keys.list, &beside.list) else { return };
        for (row, &mark) in of_beside.marks.iter().enumerate() {
            let (range, other) = (of_keys.range(row), of_beside.range(row));
            let mut pick = |place: usize| {
                if place < other.len() {
                    positions.push((other.start + place) as u32);
                }
            };
            match self.seed {
                Some(seed) if range.len() > self.cap => {
                    hashed.clear();
                    let of = |at: usize| {
                        (keys.marks[at].is_null(), hash(&keys.values, at, seed), at - range.start)
                    };
                    hashed.extend(range.clone().map(of));
                    hashed.sort_unstable();
                    hashed.truncate(self.cap);
                    hashed.sort_unstable_by_key(|&(.., place)| place);
                    hashed.iter().for_each(|&(.., place)| pick(place));
                }
                _ => (0..range.len().min(self.cap)).for_each(pick),
            }
            rows.push(positions.len(), mark);
        }
        out.gather_values(beside, 1, &positions);
    }

    fn gives_lists(&self) -> bool {
        true
    }
}

fn hash(keys: &Values, at: usize, seed: u32) -> u32 {
    let mut digits = [0; MOST_DIGITS];
    let bytes = match keys {
        Values::String(texts) => texts.get_bytes(at),
        Values::Int64(values) => decimal(values[at] as u64, values[at] < 0, &mut digits),
        Values::Uint64(values) => decimal(values[at], false, &mut digits),
        // No others are keys.
        _ => &[],
    };
    murmur3_x86_32(bytes, seed) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        batch::{Element, ListRows, Mark, Type},
        transform::check::{floats, integers},
    };

    fn keys() -> Column {
        let keys: Vec<Option<i64>> = (0..10).map(Some).collect();
        let list =
            ListRows { offsets: vec![0, 7, 7, 10], marks: vec![Mark::PRESENT, Mark::NULL, Mark::PRESENT] };
        Column { list: Some(list), ..integers(&keys) }
    }

    fn run(seed: Option<u32>, inputs: &[&Column], of: Element) -> Column {
        let mut out = Column::new(Type::scalar(of).listed());
        PickKeys { cap: 3, seed }.run(inputs, &mut out);
        out
    }

    #[test]
    fn the_first_or_those_of_the_least_hashes_are_picked() {
        let first = run(None, &[&keys()], Element::Int64);
        assert_eq!(first.int64(), [0, 1, 2, 7, 8, 9]);
        let list = first.list.expect("lists");
        assert_eq!((list.offsets, list.marks[1]), (vec![0, 3, 3, 6], Mark::NULL));
        let sampled = run(Some(5), &[&keys()], Element::Int64);
        let mut least: Vec<(u32, i64)> =
            (0..7).map(|key: i64| (murmur3_x86_32(key.to_string().as_bytes(), 5) as u32, key)).collect();
        least.sort_unstable();
        let mut least: Vec<i64> = least[..3].iter().map(|&(_, key)| key).collect();
        least.sort_unstable();
        assert_eq!(sampled.int64()[..3], least);
        assert_eq!(sampled.int64()[3..], [7, 8, 9]);
    }

    #[test]
    fn weights_stay_beside_their_keys_and_may_be_fewer() {
        let sampled = run(Some(5), &[&keys()], Element::Int64);
        let weights = floats(&[0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 7.0].map(Some));
        let list = ListRows { offsets: vec![0, 7, 7, 8], marks: vec![Mark::PRESENT; 3] };
        let weights = Column { list: Some(list), ..weights };
        let picked = run(Some(5), &[&keys(), &weights], Element::Float64);
        let expected: Vec<f64> =
            sampled.int64()[..3].iter().map(|&key| key as f64 / 10.0).chain([7.0]).collect();
        assert_eq!(picked.float64(), expected);
        assert_eq!(picked.list.expect("lists").offsets, [0, 3, 3, 4]);
    }
}
