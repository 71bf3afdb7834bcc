//! Searching sorted numbers for many values at once.

use std::hint::select_unpredictable;

/// Values that are searched for side by side: one search waits for memory at each step, so many share the wait.
pub const TOGETHER: usize = 16;

/// Calls `found` with values, in order and up to [`TOGETHER`] at once, and how many of the sorted numbers come before
/// each: those for which `before` says so, which are the first ones.
pub fn each_place(
    sorted: &[f64],
    values: &[f64],
    before: impl Fn(f64, f64) -> bool,
    mut found: impl FnMut(&[f64], &[usize]),
) {
    let (groups, rest) = values.as_chunks();
    for group in groups {
        found(group, &places(sorted, group, &before));
    }
    let mut last = [0; TOGETHER];
    for (place, &x) in last.iter_mut().zip(rest) {
        *place = sorted.partition_point(|&number| before(number, x));
    }
    found(rest, &last[..rest.len()]);
}

/// Halves what is left for all values in turn, without a branch that depends on them.
fn places(sorted: &[f64], values: &[f64; TOGETHER], before: &impl Fn(f64, f64) -> bool) -> [usize; TOGETHER] {
    let (mut bases, mut size) = ([0; TOGETHER], sorted.len());
    while size > 1 {
        let half = size / 2;
        for (base, &x) in bases.iter_mut().zip(values) {
            let beyond = before(sorted[*base + half - 1], x);
            *base = select_unpredictable(beyond, *base + half, *base);
        }
        size -= half;
    }
    let last = |base: usize, x: f64| usize::from(sorted.get(base).is_some_and(|&number| before(number, x)));
    std::array::from_fn(|at| bases[at] + last(bases[at], values[at]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_place_of_everything() {
        let spread: Vec<f64> = (0..500).map(|number| (f64::from(number) * 0.37).sin()).collect();
        let skewed: Vec<f64> = (0..300).map(|number| (f64::from(number) * 0.1).exp()).collect();
        let lists = [
            vec![],
            vec![0.0],
            vec![-1.5, 7.0],
            vec![2.0; 9],
            vec![0.0, 1.0, 1.0, 1.0, 5.0, 5.0],
            vec![f64::NEG_INFINITY, f64::MIN, -1.0, 0.0, 1.0, f64::MAX, f64::INFINITY],
            vec![0.0, 5e-324, 1e-323],
            vec![1.0, 1.0 + f64::EPSILON, 1e300],
            spread,
            skewed,
        ];
        let far = [f64::NEG_INFINITY, f64::MIN, -1.0, 0.0, 1e-300, 0.5, f64::MAX, f64::INFINITY, f64::NAN];
        for mut list in lists {
            list.sort_by(f64::total_cmp);
            let near =
                list.iter().flat_map(|&number| [number.next_down(), number, number.next_up(), number * 1.01]);
            let values: Vec<f64> = near.chain(far).collect();
            for before in [|number: f64, x: f64| number < x, |number: f64, x: f64| number <= x] {
                let mut places = Vec::new();
                each_place(&list, &values, before, |values, found| {
                    places.extend(values.iter().map(|x| x.to_bits()).zip(found.iter().copied()));
                });
                let place = |&x: &f64| (x.to_bits(), list.partition_point(|&number| before(number, x)));
                assert_eq!(places, values.iter().map(place).collect::<Vec<_>>(), "in {list:?}");
            }
        }
    }
}
