//! The index from keys to row numbers: flat, open addressing, immutable once built.

use super::{
    memory::{Pages, prefetch},
    row_number::RowNumber,
};

/// Keys in one block: enough to hide the memory's latency, few enough to keep their lines in the first cache.
const BLOCK: usize = 32;

/// A flat table of 32-bit slots with linear probing. A slot holds a row number plus one in as many low bits as the
/// table's rows need, and bits of the key's hash in the rest, so that a wrong key is rarely fetched; 0 is empty.
#[derive(Debug)]
pub struct Index {
    slots: Pages<u32>,
    row_mask: u32,
}

/// Keys to be looked up, position by position, and their comparison with the keys of rows.
pub trait Keys {
    /// The hash of key `position`.
    fn hash(&self, position: usize) -> u64;
    /// Whether key `position` is the key of row `row`.
    fn is_of_row(&self, position: usize, row: usize) -> bool;
    /// Asks the processor to fetch the key of row `row`.
    fn prefetch_row(&self, row: usize);
}

/// A walk along the slots that a key may be in.
#[derive(Clone, Copy, Default)]
struct Walk {
    slot: usize,
    tag: u32,
}

impl Index {
    /// Indexes the rows `0..rows` by their keys. `duplicate(earlier, later)` receives rows with equal keys; the
    /// earlier one stays.
    pub fn build(rows: u32, keys: &impl Keys, mut duplicate: impl FnMut(u32, u32)) -> Self {
        let row_mask = u32::MAX.checked_shr(u32::BITS - bits(rows)).unwrap_or(0);
        let mut index = Self { slots: Pages::zeroed(slots_for(rows)), row_mask };
        let mut walks = [Walk::default(); BLOCK];
        for first in (0..rows).step_by(BLOCK) {
            let block = first..rows.min(first.saturating_add(BLOCK as u32));
            index.start_walks(keys, block.start as usize..block.end as usize, &mut walks);
            for (row, walk) in block.zip(&mut walks) {
                if let Some(earlier) = index.insert(keys, row, walk) {
                    duplicate(earlier, row);
                }
            }
        }
        index
    }

    /// Appends the row of each of the first `count` keys.
    pub fn find(&self, keys: &impl Keys, count: usize, rows: &mut Vec<RowNumber>) {
        rows.reserve(count);
        let mut walks = [Walk::default(); BLOCK];
        let mut candidates = [None; BLOCK];
        for first in (0..count).step_by(BLOCK) {
            let block = first..count.min(first + BLOCK);
            self.start_walks(keys, block.clone(), &mut walks);
            for (walk, candidate) in walks.iter_mut().zip(&mut candidates).take(block.len()) {
                *candidate = self.next_candidate(walk);
                keys.prefetch_row(candidate.unwrap_or(0) as usize);
            }
            for ((position, walk), candidate) in block.zip(&mut walks).zip(&candidates) {
                let found = self.verify(keys, position, walk, *candidate);
                rows.push(found.map_or(RowNumber::NOT_FOUND, RowNumber::row));
            }
        }
    }

    /// Bytes in memory.
    pub fn memory(&self) -> usize {
        self.slots.memory()
    }

    fn start_walks(&self, keys: &impl Keys, block: std::ops::Range<usize>, walks: &mut [Walk; BLOCK]) {
        for (position, walk) in block.zip(walks) {
            let hash = keys.hash(position);
            // The high bits choose the slot, the low ones are the tag.
            let slot = ((u128::from(hash) * self.slots.len() as u128) >> 64) as usize;
            prefetch(&self.slots, slot);
            *walk = Walk { slot, tag: hash as u32 & !self.row_mask };
        }
    }

    /// The next row on the walk whose tag is right; the walk then stands behind it.
    #[inline]
    fn next_candidate(&self, walk: &mut Walk) -> Option<u32> {
        loop {
            let slot = self.slots[walk.slot];
            let row = slot & self.row_mask;
            if row == 0 {
                return None;
            }
            walk.slot += 1;
            if walk.slot == self.slots.len() {
                walk.slot = 0;
            }
            if slot & !self.row_mask == walk.tag {
                return Some(row - 1);
            }
        }
    }

    #[inline]
    fn verify(&self, keys: &impl Keys, position: usize, walk: &mut Walk, first: Option<u32>) -> Option<u32> {
        let mut candidate = first;
        while let Some(row) = candidate {
            if keys.is_of_row(position, row as usize) {
                return Some(row);
            }
            candidate = self.next_candidate(walk);
        }
        None
    }

    /// Puts a row at the end of its walk, or gives the row that has its key already.
    fn insert(&mut self, keys: &impl Keys, row: u32, walk: &mut Walk) -> Option<u32> {
        while let Some(other) = self.next_candidate(walk) {
            if keys.is_of_row(row as usize, other as usize) {
                return Some(other);
            }
        }
        self.slots[walk.slot] = (row + 1) | walk.tag;
        None
    }
}

/// Six tenths of the slots are taken: 6.7 bytes a row. Measured on 8M rows, ns a key found and not found: 31 and 48 at
/// seven tenths, 28 and 37 at six, 27 and 30 at five. There is always an empty slot for walks to end at.
fn slots_for(rows: u32) -> usize {
    (rows as usize * 10).div_ceil(6) + 8
}

/// Bytes of an index of `rows` rows.
pub fn memory_for(rows: u64) -> u64 {
    rows.saturating_mul(10).div_ceil(6).saturating_add(8).saturating_mul(size_of::<u32>() as u64)
}

/// Bits that numbers up to `rows` need.
fn bits(rows: u32) -> u32 {
    u32::BITS - rows.leading_zeros()
}

/// Spreads an integer's bits over all 64 (the "moremur" finalizer).
#[inline]
pub fn mix(word: u64) -> u64 {
    let word = (word ^ (word >> 27)).wrapping_mul(0x3c79_ac49_2ba7_b653);
    let word = (word ^ (word >> 33)).wrapping_mul(0x1c69_b3f7_4ac4_ae35);
    word ^ (word >> 27)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys whose hashes collide on purpose.
    struct Colliding<'a> {
        stored: &'a [u64],
        wanted: &'a [u64],
        hash: fn(u64) -> u64,
    }

    impl Keys for Colliding<'_> {
        fn hash(&self, position: usize) -> u64 {
            (self.hash)(self.wanted[position])
        }

        fn is_of_row(&self, position: usize, row: usize) -> bool {
            self.stored[row] == self.wanted[position]
        }

        fn prefetch_row(&self, _: usize) {}
    }

    #[test]
    fn finds_every_key_whatever_the_hash() {
        let hashes: [fn(u64) -> u64; 5] =
            [|_| 0, |_| u64::MAX, |key| key << 62, |key| key, |key| key.wrapping_mul(0x9e37_79b9_7f4a_7c15)];
        let stored: Vec<u64> = (0..300).map(|key| key * 3).collect();
        let wanted: Vec<u64> = (0..900).collect();
        for hash in hashes {
            let own = Colliding { stored: &stored, wanted: &stored, hash };
            let index = Index::build(300, &own, |_, _| panic!("no duplicates"));
            let mut rows = vec![RowNumber::row(77)];
            index.find(&Colliding { stored: &stored, wanted: &wanted, hash }, 900, &mut rows);
            let row = |key: u64| match (key / 3, key % 3) {
                (row, 0) => RowNumber::row(row as u32),
                _ => RowNumber::NOT_FOUND,
            };
            let expect = wanted.iter().map(|&key| row(key));
            assert_eq!(rows[1..], expect.collect::<Vec<_>>());
        }
    }

    #[test]
    fn duplicates_are_told_with_the_earlier_row() {
        let stored = [5, 6, 5, 7, 6, 5];
        let own = Colliding { stored: &stored, wanted: &stored, hash: |key| key << 60 };
        let mut found = Vec::new();
        Index::build(6, &own, |earlier, later| found.push((earlier, later)));
        assert_eq!(found, [(0, 2), (1, 4), (0, 5)]);
    }

    #[test]
    fn an_empty_index_finds_nothing() {
        let keys = Colliding { stored: &[], wanted: &[1, 2], hash: |key| key };
        let index = Index::build(0, &keys, |_, _| ());
        let mut rows = Vec::new();
        index.find(&keys, 2, &mut rows);
        assert_eq!(rows, [RowNumber::NOT_FOUND; 2]);
    }
}
