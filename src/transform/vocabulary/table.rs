//! A fixed map from words to positions: open addressing, its hash chosen so that hardly any word is displaced, and none
//! where there are few.

use std::hint::select_unpredictable;

/// From words to positions. The highest bit of a word is not set.
#[derive(Debug)]
pub struct Table {
    /// The position whose word is in each slot, or one more than there are; a power of two, most of them vacant.
    slots: Vec<u32>,
    /// By position, and then one that no word is.
    words: Vec<u128>,
    /// Whether every word is in its own slot: then one probe decides, and no branch needs to be predicted.
    perfect: bool,
    hash: Hash,
}

/// The sentinel for "not found": no position.
pub const UNKNOWN: u32 = u32::MAX;

/// The sentinel for a vacant slot: no word.
const VACANT: u128 = 1 << 127;

/// So many words or fewer get a slot each, with more slots and more tries.
const FEW: usize = 64;

/// Up to so many words are few enough to try more than one hash.
const SMALL: usize = 4096;

/// Multiplies a word's halves; the requests can't choose what the table holds, so nobody gains by collisions.
#[derive(Debug, Clone, Copy)]
struct Hash {
    seed: u64,
    shift: u32,
}

/// Words in slots under one hash.
struct Placed {
    slots: Vec<u32>,
    /// How many slots the words lie behind their own, in all.
    displaced: usize,
    hash: Hash,
}

fn placed(words: &[u128], slots: usize, hash: Hash) -> Placed {
    let vacant = words.len() as u32;
    let mut placed = Placed { slots: vec![vacant; slots], displaced: 0, hash };
    for (position, &word) in words.iter().enumerate() {
        let mut slot = hash.home(word);
        while placed.slots[slot] != vacant {
            slot = (slot + 1) % slots;
            placed.displaced += 1;
        }
        placed.slots[slot] = position as u32;
    }
    placed
}

impl Hash {
    /// One of many for a number of slots, a power of two.
    fn new(number: u64, slots: usize) -> Self {
        let seed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Self { seed, shift: 64 - slots.trailing_zeros() }
    }

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
        let (room, tries) = match words.len() {
            count if count <= FEW => (4, 4096),
            count if count <= SMALL => (2, 64),
            _ => (2, 1),
        };
        let slots = (room * words.len()).next_power_of_two().max(2);
        let mut best = placed(words, slots, Hash::new(1, slots));
        for number in 2..=tries {
            if best.displaced == 0 {
                break;
            }
            let other = placed(words, slots, Hash::new(number, slots));
            if other.displaced < best.displaced {
                best = other;
            }
        }
        let Placed { slots, displaced, hash } = best;
        Self { slots, words: words.iter().copied().chain([VACANT]).collect(), perfect: displaced == 0, hash }
    }

    /// The position of `word` that is `right`, where several have the same word; or [`UNKNOWN`].
    #[inline]
    pub fn find(&self, word: u128, right: impl Fn(u32) -> bool) -> u32 {
        let mut slot = self.hash.home(word);
        if self.perfect {
            let position = self.slots[slot & (self.slots.len() - 1)];
            let known = self.words[position as usize] == word && right(position);
            return select_unpredictable(known, position, UNKNOWN);
        }
        loop {
            // A power of two: the remainder is a mask, and needs no check of bounds.
            let position = self.slots[slot & (self.slots.len() - 1)];
            let there = self.words[position as usize];
            if there == word && right(position) {
                return position;
            }
            if there == VACANT {
                return UNKNOWN;
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
        for count in [0, 1, 2, 3, 56, 64, 65, 1000, 5000] {
            let words: Vec<u128> = (0..count).map(|number| number * 7 + (number << 64)).collect();
            let table = Table::new(&words);
            for (position, &word) in words.iter().enumerate() {
                assert_eq!(table.find(word, |_| true), position as u32, "{count}");
                assert_eq!(table.find(word | 1 << 126, |_| true), UNKNOWN, "{count}");
                assert_eq!(table.find(word, |_| false), UNKNOWN, "{count}");
            }
        }
    }

    #[test]
    fn equal_words_are_told_apart() {
        let table = Table::new(&[5, 5, 6]);
        let found = |wanted: u32| table.find(5, |position| position == wanted);
        assert_eq!([found(0), found(1), found(2)], [0, 1, UNKNOWN]);
    }

    #[test]
    fn few_words_have_a_slot_each() {
        for count in [1, 3, 20, 56] {
            let words: Vec<u128> = (0..count).map(|number| number * number * 0x1_0001).collect();
            assert!(Table::new(&words).perfect, "{count}");
        }
    }
}
