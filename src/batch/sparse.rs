//! Vectors kept as their lanes that are not zero.

use std::ops::Range;

use super::{NO_SLOT, Values};

/// Vectors that are mostly zeros: each as its other lanes, increasing, with their values. What is left out is 0.0, never
/// -0.0; a value that is kept may be zero.
#[derive(Debug, Clone, PartialEq)]
pub struct SparseVectors {
    /// Where each vector's entries begin, and the number of all entries at the end.
    offsets: Vec<usize>,
    lanes: Vec<u32>,
    values: Vec<f64>,
}

impl Default for SparseVectors {
    fn default() -> Self {
        Self { offsets: vec![0], lanes: Vec::new(), values: Vec::new() }
    }
}

impl SparseVectors {
    /// How many vectors there are.
    pub fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The lanes that vector `position` keeps, and their values.
    pub fn get(&self, position: usize) -> (&[u32], &[f64]) {
        let entries = self.offsets[position]..self.offsets[position + 1];
        (&self.lanes[entries.clone()], &self.values[entries])
    }

    /// The same, entry by entry.
    pub fn entries(&self, position: usize) -> impl Iterator<Item = (u32, f64)> {
        let (lanes, values) = self.get(position);
        lanes.iter().copied().zip(values.iter().copied())
    }

    /// All of them in order.
    pub fn iter(&self) -> impl Iterator<Item = (&[u32], &[f64])> {
        (0..self.len()).map(|position| self.get(position))
    }

    pub fn clear(&mut self) {
        self.offsets.truncate(1);
        self.lanes.clear();
        self.values.clear();
    }

    /// Adds the next entry of the vector that is being built; its lane is greater than those before.
    pub fn push(&mut self, lane: u32, value: f64) {
        self.lanes.push(lane);
        self.values.push(value);
    }

    /// Ends the vector that is being built.
    pub fn end(&mut self) {
        self.offsets.push(self.lanes.len());
    }

    /// Adds a vector of entries in any order: those of one lane are added up in theirs, from 0.0 on. `entries` is left
    /// empty.
    pub fn push_summed(&mut self, entries: &mut Vec<(u32, f64)>) {
        entries.sort_by_key(|&(lane, _)| lane);
        let start = self.lanes.len();
        for (lane, value) in entries.drain(..) {
            if self.lanes.len() > start && self.lanes.last() == Some(&lane) {
                *self.values.last_mut().expect("as many as lanes") += value;
            } else {
                self.push(lane, 0.0 + value);
            }
        }
        self.end();
    }

    /// Changes the values of the last vector.
    pub fn map_last(&mut self, function: impl Fn(f64) -> f64) {
        if let [.., start, end] = *self.offsets {
            self.values[start..end].iter_mut().for_each(|value| *value = function(*value));
        }
    }

    /// Adds vector `position` of `source`.
    pub fn push_from(&mut self, source: &Self, position: usize) {
        let (lanes, values) = source.get(position);
        self.lanes.extend_from_slice(lanes);
        self.values.extend_from_slice(values);
        self.end();
    }

    /// Adds the vectors `range` of `source`.
    pub fn extend_from(&mut self, source: &Self, range: Range<usize>) {
        let (first, last) = (source.offsets[range.start], source.offsets[range.end]);
        let shift = self.lanes.len();
        self.lanes.extend_from_slice(&source.lanes[first..last]);
        self.values.extend_from_slice(&source.values[first..last]);
        let offsets = &source.offsets[range.start + 1..=range.end];
        self.offsets.extend(offsets.iter().map(|offset| offset - first + shift));
    }

    /// Makes these `count` vectors of zeros.
    pub fn fill_zeros(&mut self, count: usize) {
        self.clear();
        self.offsets.resize(count + 1, 0);
    }

    /// Makes these the first vector, `count` times.
    pub fn repeat_first(&mut self, count: usize) {
        let mut single = Self::default();
        single.push_from(self, 0);
        self.clear();
        (0..count).for_each(|_| self.push_from(&single, 0));
    }

    /// Bytes in memory.
    pub fn memory(&self) -> usize {
        size_of_val(&self.offsets[..]) + size_of_val(&self.lanes[..]) + size_of_val(&self.values[..])
    }
}

impl Values {
    /// Whether they are sparse vectors or one-hot slots.
    pub fn is_compact(&self) -> bool {
        matches!(self, Self::Sparse(_) | Self::OneHot(_))
    }

    /// Calls `take` with the lanes of vector `position` that may be other than 0, and their values: of sparse vectors
    /// and one-hot slots.
    pub fn entries(&self, position: usize, mut take: impl FnMut(u32, f64)) {
        match self {
            Self::Sparse(vectors) => vectors.entries(position).for_each(|(lane, value)| take(lane, value)),
            Self::OneHot(slots) if slots[position] != NO_SLOT => take(slots[position], 1.0),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_of_one_lane_add_up_in_their_order() {
        let mut vectors = SparseVectors::default();
        vectors.push_summed(&mut vec![(7, 1e16), (3, 2.0), (7, 1.0), (7, -1e16), (3, -2.0), (9, -0.0)]);
        vectors.push_summed(&mut Vec::new());
        assert_eq!(vectors.get(0), (&[3, 7, 9][..], &[0.0, 0.0, 0.0][..]));
        assert!(vectors.get(0).1[2].is_sign_positive());
        assert_eq!(vectors.get(1), (&[][..], &[][..]));
    }

    #[test]
    fn parts_and_repeats_are_whole_vectors() {
        let mut vectors = SparseVectors::default();
        for lane in 0..3 {
            vectors.push_summed(&mut vec![(lane, f64::from(lane)), (5, 1.0)]);
        }
        let mut part = SparseVectors::default();
        part.extend_from(&vectors, 1..3);
        part.push_from(&vectors, 0);
        assert_eq!(part.iter().map(|(lanes, _)| lanes[0]).collect::<Vec<_>>(), [1, 2, 0]);
        part.repeat_first(2);
        assert_eq!(part.iter().map(|(_, values)| values.to_vec()).collect::<Vec<_>>(), [[1.0, 1.0]; 2]);
        part.map_last(|value| value + 1.0);
        assert_eq!((part.get(0).1[0], part.get(1).1[0]), (1.0, 2.0));
        part.fill_zeros(2);
        assert_eq!((part.len(), part.get(1)), (2, (&[][..], &[][..])));
    }
}
