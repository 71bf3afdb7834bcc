//! Searching sorted numbers for many values at once.

use std::{fmt, hint::select_unpredictable};

/// Values that are searched for side by side: one search waits for memory at each step, so many share the wait.
pub const TOGETHER: usize = 16;

/// Sorted numbers, cut into cells: a value's cell gives its approximate position.
///
/// Cells grow with the distance from the first number as floats do, a fixed number of them for each doubling, so that
/// skewed numbers fill them as evenly as others.
pub struct Sorted {
    numbers: Vec<f64>,
    /// For each cell how many numbers lie in cells before it.
    starts: Vec<u32>,
    /// The bits of a distance that select its cell, from this one on.
    shift: u32,
    /// What the first cell is called by its bits.
    first_cell: u64,
    /// The most numbers that a cell has: how many are searched, always the same so that no branch is mispredicted.
    most: usize,
}

impl Sorted {
    /// Takes numbers that do not decrease.
    pub fn new(numbers: Vec<f64>) -> Self {
        let most = numbers.len();
        let one_cell = Self { numbers, starts: vec![0], shift: 63, first_cell: 0, most };
        one_cell.cells().unwrap_or(one_cell)
    }

    /// The same numbers in about as many cells; none where they have no distances, or are too few to gain.
    fn cells(&self) -> Option<Self> {
        let [first, .., last] = self.numbers[..] else { return None };
        let nearest = self.numbers.iter().map(|number| number - first).find(|&distance| distance > 0.0)?;
        if !first.is_finite() || !last.is_finite() || self.numbers.len() <= TOGETHER {
            return None;
        }
        let (from, to) = (nearest.to_bits(), (last - first).to_bits());
        let cells_at = |shift: u32| (to >> shift) - (from >> shift) + 1;
        let shift = (0..63).find(|&shift| cells_at(shift) <= self.numbers.len() as u64)?;
        let cells = cells_at(shift) as usize;
        let (numbers, first_cell) = (self.numbers.clone(), from >> shift);
        let mut sorted = Self { numbers, starts: vec![0; cells], shift, first_cell, most: 0 };
        let cell_of: Vec<usize> = sorted.numbers.iter().map(|&number| sorted.cell(number)).collect();
        for (cell, start) in sorted.starts.iter_mut().enumerate() {
            *start = cell_of.partition_point(|&of| of < cell) as u32;
        }
        sorted.most = cell_of.chunk_by(|one, other| one == other).map(<[usize]>::len).max()?;
        Some(sorted)
    }

    /// The numbers.
    pub fn numbers(&self) -> &[f64] {
        &self.numbers
    }

    /// Calls `found` with values, in order and up to [`TOGETHER`] at once, and how many of the numbers come before
    /// each: those for which `before`, less or not greater, says so. A NaN's have no meaning.
    pub fn each_place(
        &self,
        values: &[f64],
        before: impl Fn(f64, f64) -> bool,
        mut found: impl FnMut(&[f64], &[usize]),
    ) {
        let (groups, rest) = values.as_chunks();
        for group in groups {
            found(group, &self.places(group, &before));
        }
        let mut last = [0; TOGETHER];
        for (place, &x) in last.iter_mut().zip(rest) {
            *place = self.numbers.partition_point(|&number| before(number, x));
        }
        found(rest, &last[..rest.len()]);
    }

    /// Halves what is left for all values in turn, without a branch that depends on them.
    fn places(&self, values: &[f64; TOGETHER], before: &impl Fn(f64, f64) -> bool) -> [usize; TOGETHER] {
        let numbers = self.numbers.as_slice();
        let last_start = numbers.len() - self.most;
        // Numbers in cells before a value's are before it, those in cells after it are not: a cell never falls as
        // values grow.
        let mut bases = values.map(|x| (self.starts[self.cell(x)] as usize).min(last_start));
        let mut size = self.most;
        while size > 1 {
            let half = size / 2;
            for (base, &x) in bases.iter_mut().zip(values) {
                let beyond = before(numbers[*base + half - 1], x);
                *base = select_unpredictable(beyond, *base + half, *base);
            }
            size -= half;
        }
        let last =
            |base: usize, x: f64| usize::from(numbers.get(base).is_some_and(|&number| before(number, x)));
        std::array::from_fn(|at| bases[at] + last(bases[at], values[at]))
    }

    /// The cell by the bits of the distance from the first number, which grow with it; at or below the first number
    /// the first cell.
    #[inline]
    fn cell(&self, x: f64) -> usize {
        let first = self.numbers.first().copied().unwrap_or_default();
        let distance = (x - first).to_bits().cast_signed().max(0).cast_unsigned();
        let cell = (distance >> self.shift).saturating_sub(self.first_cell);
        cell.min(self.starts.len() as u64 - 1) as usize
    }
}

impl fmt::Debug for Sorted {
    /// The numbers: all else follows from them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.numbers.fmt(f)
    }
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
            skewed.iter().map(|number| -number).collect(),
            (0..400).map(|number| f64::from(number % 7).exp2() * f64::MAX / 256.0).collect(),
            skewed,
        ];
        let far = [f64::NEG_INFINITY, f64::MIN, -1.0, 0.0, 1e-300, 0.5, f64::MAX, f64::INFINITY, f64::NAN];
        for mut list in lists {
            list.sort_by(f64::total_cmp);
            let near =
                list.iter().flat_map(|&number| [number.next_down(), number, number.next_up(), number * 1.01]);
            let mut values: Vec<f64> = near.chain(far).collect();
            let sorted = Sorted::new(list.clone());
            for before in [|number: f64, x: f64| number < x, |number: f64, x: f64| number <= x] {
                let mut places = Vec::new();
                sorted.each_place(&values, before, |values, found| {
                    places.extend(values.iter().map(|x| x.to_bits()).zip(found.iter().copied()));
                });
                places.retain(|&(x, _)| !f64::from_bits(x).is_nan());
                values.retain(|x| !x.is_nan());
                let place = |&x: &f64| (x.to_bits(), list.partition_point(|&number| before(number, x)));
                assert_eq!(places, values.iter().map(place).collect::<Vec<_>>(), "in {list:?}");
            }
        }
    }

    #[test]
    fn cells_are_filled_evenly() {
        let bell: Vec<f64> = (1..1000).map(|number| (f64::from(number) / 1000.0 - 0.5).atanh()).collect();
        let skewed: Vec<f64> = bell.iter().map(|number| (3.0 * number).exp()).collect();
        for numbers in [bell, skewed] {
            let most = Sorted::new(numbers).most;
            assert!(most <= 16, "{most}");
        }
    }
}
