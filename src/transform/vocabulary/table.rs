//! A fixed map from words to positions: flat open addressing, its hash chosen so that hardly any word is displaced.

/// From words to positions. The highest bit of a word is not set.
#[derive(Debug)]
pub struct Table {
    /// One for each slot; a power of two, at least half of them vacant.
    words: Vec<u128>,
    /// One for each slot.
    positions: Vec<u32>,
    hash: Hash,
}

/// What no word is.
const VACANT: u128 = 1 << 127;

/// Hashes that are tried for a table: more for small ones, whose words are looked up over and over.
const TRIES: u64 = 64;
const SMALL: usize = 4096;

/// Multiplies a word's halves; the requests can't choose what the table holds, so nobody gains by collisions.
#[derive(Debug, Clone, Copy)]
struct Hash {
    seed: u64,
    shift: u32,
}

impl Hash {
    #[inline]
    fn home(self, word: u128) -> usize {
        let (low, high) = (word as u64 ^ self.seed, (word >> 64) as u64 ^ 0xe703_7ed1_a0b4_28db);
        let product = u128::from(low) * u128::from(high);
        ((product as u64 ^ (product >> 64) as u64) >> self.shift) as usize
    }
}

impl Table {
    /// Takes the words of positions 0, 1 and so on.
    pub fn new(words: &[u128]) -> Self {
        let slots = (2 * words.len()).next_power_of_two().max(2);
        let shift = 64 - slots.trailing_zeros();
        let tries = if words.len() <= SMALL { TRIES } else { 1 };
        let seeds = (1..=tries).map(|number| number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let displaced = |&seed: &u64| Self::placed(words, slots, Hash { seed, shift }).1;
        // There is at least one try.
        let seed = seeds.min_by_key(displaced).unwrap_or_default();
        Self::placed(words, slots, Hash { seed, shift }).0
    }

    /// The table under a hash, and how many slots its words lie behind their own.
    fn placed(words: &[u128], slots: usize, hash: Hash) -> (Self, usize) {
        let mut table = Self { words: vec![VACANT; slots], positions: vec![0; slots], hash };
        let mut displaced = 0;
        for (position, &word) in words.iter().enumerate() {
            let mut slot = hash.home(word);
            while table.words[slot] != VACANT {
                slot = (slot + 1) % slots;
                displaced += 1;
            }
            table.words[slot] = word;
            table.positions[slot] = position as u32;
        }
        (table, displaced)
    }

    /// The position of `word` that is `right`, where several have the same word.
    #[inline]
    pub fn find(&self, word: u128, right: impl Fn(u32) -> bool) -> Option<u32> {
        let mut slot = self.hash.home(word);
        loop {
            // A power of two: the remainder is a mask, and needs no check of bounds.
            slot &= self.words.len() - 1;
            let there = self.words[slot];
            if there == word && right(self.positions[slot]) {
                return Some(self.positions[slot]);
            }
            if there == VACANT {
                return None;
            }
            slot += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_it_holds_and_nothing_else() {
        for count in [0, 1, 2, 3, 56, 1000, 5000] {
            let words: Vec<u128> = (0..count).map(|number| number * 7 + (number << 64)).collect();
            let table = Table::new(&words);
            for (position, &word) in words.iter().enumerate() {
                assert_eq!(table.find(word, |_| true), Some(position as u32), "{count}");
                assert_eq!(table.find(word | 1 << 126, |_| true), None, "{count}");
            }
        }
    }

    #[test]
    fn equal_words_are_told_apart() {
        let table = Table::new(&[5, 5, 6]);
        let found = |wanted: u32| table.find(5, |position| position == wanted);
        assert_eq!([found(0), found(1), found(2)], [Some(0), Some(1), None]);
    }

    #[test]
    fn small_tables_are_almost_free_of_detours() {
        let words: Vec<u128> = (0..56).map(|number| number * number * 0x1_0001).collect();
        let table = Table::new(&words);
        let slots = table.words.len();
        assert!(Table::placed(&words, slots, table.hash).1 < 12);
    }
}
