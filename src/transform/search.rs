//! Searching sorted numbers, many times over the same ones.

/// Sorted finite numbers, cut into cells of equal width: a value's cell tells nearly where it stands.
#[derive(Debug)]
pub struct Search {
    sorted: Vec<f64>,
    /// For each cell how many numbers lie in cells before it.
    starts: Vec<u32>,
    /// Cells in a distance of 1.
    scale: f64,
    /// The most numbers that a cell has: how many are searched, always the same so that no branch is foretold wrong.
    most: usize,
}

/// Cells for each number: more make a search shorter, and leave the first caches to fewer of them.
const CELLS: usize = 1;

impl Search {
    /// Takes one or more finite numbers that do not decrease.
    pub fn new(sorted: Vec<f64>) -> Self {
        let cells = CELLS * sorted.len();
        let scale = match sorted[..] {
            [first, .., last] => cells as f64 / (last - first),
            _ => 0.0,
        };
        let scale = if scale.is_finite() { scale } else { 0.0 };
        let mut search = Self { sorted, starts: vec![0; cells], scale, most: 1 };
        let cell_of: Vec<usize> = search.sorted.iter().map(|&number| search.cell(number)).collect();
        for (cell, start) in search.starts.iter_mut().enumerate() {
            *start = cell_of.partition_point(|&of| of < cell) as u32;
        }
        let counts = cell_of.chunk_by(|one, other| one == other).map(<[usize]>::len);
        search.most = counts.max().unwrap_or(1);
        search
    }

    /// The numbers.
    pub fn sorted(&self) -> &[f64] {
        &self.sorted
    }

    /// How many numbers are below `x`, which is not NaN.
    #[inline]
    pub fn below(&self, x: f64) -> usize {
        // Numbers in cells before x's are below it, those in cells after it above: a cell never falls as x grows.
        let start = self.starts[self.cell(x)] as usize;
        let (mut base, mut size) = (start.min(self.sorted.len() - self.most), self.most);
        while size > 1 {
            let half = size / 2;
            base = std::hint::select_unpredictable(self.sorted[base + half - 1] < x, base + half, base);
            size -= half;
        }
        base + usize::from(self.sorted[base] < x)
    }

    #[inline]
    fn cell(&self, x: f64) -> usize {
        // Infinite for what is far away, and NaN for that where the scale is 0: `as` takes both to an end.
        (((x - self.sorted[0]) * self.scale) as usize).min(self.starts.len() - 1)
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
            vec![0.0],
            vec![-1.5, 7.0],
            vec![2.0; 9],
            vec![0.0, 1.0, 1.0, 1.0, 5.0, 5.0],
            vec![f64::MIN, -1.0, 0.0, 1.0, f64::MAX],
            vec![0.0, 5e-324, 1e-323],
            vec![1.0, 1.0 + f64::EPSILON, 1e300],
            spread,
            skewed,
        ];
        for mut list in lists {
            list.sort_by(f64::total_cmp);
            let search = Search::new(list.clone());
            let near =
                list.iter().flat_map(|&number| [number.next_down(), number, number.next_up(), number * 1.01]);
            let far = [f64::NEG_INFINITY, f64::MIN, -1.0, 0.0, 1e-300, 0.5, f64::MAX, f64::INFINITY];
            for x in near.chain(far) {
                assert_eq!(search.below(x), list.partition_point(|&number| number < x), "{x} in {list:?}");
            }
        }
    }
}
