//! The index from keys to row numbers: flat, open addressing, immutable once built.

use super::{
    memory::{Pages, prefetch},
    row_number::RowNumber,
};

/// Slots of one cache line.
const SLOTS: usize = 16;

/// Keys from asking for a line to reading it, and from there to comparing the row's key. Measured on 8M rows, ns a key: 27
/// with six, 23 with eight, 25 with twelve, 29 in blocks of 32 that are done before the next one begins.
const AHEAD: usize = 8;

/// Keys under way.
const UNDER_WAY: usize = 2 * AHEAD;

/// A flat table of 32-bit slots, line by line. A key's hash names its line; rows fill a line from its first slot on, and where
/// it is full the next one. A slot holds a row number plus one in as many low bits as the table's rows need, and bits of the
/// key's hash in the rest, so that a wrong key is rarely fetched; 0 is empty.
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

/// A key on its way.
#[derive(Clone, Copy, Default)]
struct Probe {
    /// The line that the key's hash names.
    line: usize,
    tag: u32,
    /// The first slot of that line with the right tag, without it; 0 where there is none.
    candidate: u32,
}

impl Index {
    /// Indexes the rows `0..rows` by their keys. `duplicate(earlier, later)` receives rows with equal keys; the
    /// earlier one stays.
    pub fn build(rows: u32, keys: &impl Keys, mut duplicate: impl FnMut(u32, u32)) -> Self {
        let row_mask = u32::MAX.checked_shr(u32::BITS - bits(rows)).unwrap_or(0);
        let mut index = Self { slots: Pages::zeroed(lines_for(rows.into()) as usize * SLOTS), row_mask };
        let mut probes = [Probe::default(); UNDER_WAY];
        for first in (0..rows).step_by(UNDER_WAY) {
            let block = first..rows.min(first.saturating_add(UNDER_WAY as u32));
            for (row, probe) in block.clone().zip(&mut probes) {
                *probe = index.start(keys, row as usize);
            }
            for (row, probe) in block.zip(&probes) {
                if let Some(earlier) = index.insert(keys, row, *probe) {
                    duplicate(earlier, row);
                }
            }
        }
        index
    }

    /// Appends the row of each of the first `count` keys.
    pub fn find(&self, keys: &impl Keys, count: usize, rows: &mut Vec<RowNumber>) {
        rows.reserve(count);
        let mut probes = [Probe::default(); UNDER_WAY];
        for step in 0..count + UNDER_WAY {
            if let Some(position) = step.checked_sub(UNDER_WAY) {
                rows.push(self.finish(keys, position, probes[step % UNDER_WAY]));
            }
            if step < count {
                probes[step % UNDER_WAY] = self.start(keys, step);
            }
            if (AHEAD..count + AHEAD).contains(&step) {
                self.look(keys, &mut probes[(step - AHEAD) % UNDER_WAY]);
            }
        }
    }

    /// Bytes in memory.
    pub fn memory(&self) -> usize {
        self.slots.memory()
    }

    /// Asks for a key's line.
    #[inline]
    fn start(&self, keys: &impl Keys, position: usize) -> Probe {
        let hash = keys.hash(position);
        // The high bits choose the line, the low ones are the tag.
        let line = ((u128::from(hash) * self.lines().len() as u128) >> 64) as usize;
        prefetch(self.lines(), line);
        Probe { line, tag: hash as u32 & !self.row_mask, candidate: 0 }
    }

    /// Finds the first slot with the right tag, and asks for the key of its row.
    #[inline]
    fn look(&self, keys: &impl Keys, probe: &mut Probe) {
        let line = &self.lines()[probe.line];
        let matches = self.matches(line, probe.tag);
        let slot = line[matches.trailing_zeros() as usize % SLOTS] & self.row_mask;
        probe.candidate = if matches == 0 { 0 } else { slot };
        keys.prefetch_row(probe.candidate.saturating_sub(1) as usize);
    }

    /// The row of a key, once its line has been looked at.
    #[inline]
    fn finish(&self, keys: &impl Keys, position: usize, probe: Probe) -> RowNumber {
        match probe.candidate.checked_sub(1) {
            Some(row) if keys.is_of_row(position, row as usize) => RowNumber::row(row),
            None if self.lines()[probe.line][SLOTS - 1] == 0 => RowNumber::NOT_FOUND,
            _ => self.walk(keys, position, probe).map_or(RowNumber::NOT_FOUND, RowNumber::row),
        }
    }

    /// The row of a key among all slots where it may be: another key has the same tag, or the line is full.
    #[cold]
    fn walk(&self, keys: &impl Keys, position: usize, probe: Probe) -> Option<u32> {
        let mut at = probe.line;
        loop {
            let line = &self.lines()[at];
            let mut matches = self.matches(line, probe.tag);
            while matches != 0 {
                let slot = line[matches.trailing_zeros() as usize] & self.row_mask;
                // An empty slot looks like one with the tag 0.
                if slot != 0 && keys.is_of_row(position, slot as usize - 1) {
                    return Some(slot - 1);
                }
                matches &= matches - 1;
            }
            if line[SLOTS - 1] == 0 {
                return None;
            }
            at = self.after(at);
        }
    }

    /// Puts a row into the first empty slot from its line on, or gives the row that has its key already.
    fn insert(&mut self, keys: &impl Keys, row: u32, probe: Probe) -> Option<u32> {
        if let Some(earlier) = self.walk(keys, row as usize, probe) {
            return Some(earlier);
        }
        let mut at = probe.line;
        while self.lines()[at][SLOTS - 1] != 0 {
            at = self.after(at);
        }
        let line = &mut self.slots[at * SLOTS..(at + 1) * SLOTS];
        if let Some(empty) = line.iter_mut().find(|slot| **slot == 0) {
            *empty = (row + 1) | probe.tag;
        }
        None
    }

    /// A bit for each slot of a line that has the tag. The compiler compares several at a time.
    #[inline(always)]
    fn matches(&self, line: &[u32; SLOTS], tag: u32) -> u32 {
        let slots = line.iter().enumerate();
        slots.fold(0, |all, (at, slot)| all | u32::from(slot & !self.row_mask == tag) << at)
    }

    #[inline(always)]
    fn lines(&self) -> &[[u32; SLOTS]] {
        self.slots.as_chunks().0
    }

    fn after(&self, line: usize) -> usize {
        if line + 1 == self.lines().len() { 0 } else { line + 1 }
    }
}

/// Six tenths of the slots are taken, 6.7 bytes a row, so that few lines are full: one in 250 keys is in another
/// line than its own. There is always an empty slot for walks to end at.
fn lines_for(rows: u64) -> u64 {
    rows.saturating_mul(10).div_ceil(6 * SLOTS as u64).saturating_add(1)
}

/// Bytes of an index of `rows` rows.
pub fn memory_for(rows: u64) -> u64 {
    lines_for(rows).saturating_mul(size_of::<[u32; SLOTS]>() as u64)
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
