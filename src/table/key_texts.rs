//! The strings of one key column: short ones lie in their row's entry, so that comparing one is a single fetch.

use xxhash_rust::xxh3::xxh3_64;

use super::{
    index::mix,
    memory::{Pages, prefetch},
    text::Pool,
};
use crate::batch::{Strings, word::short_word};

/// Keys are shorter than this: a longer one is a mistake.
const LENGTH_LIMIT: usize = 1 << 24;

/// The highest byte of a long string's entry; a short one's has its length there.
const LONG: u64 = 0xff << 56;

/// Strings of keys.
#[derive(Debug)]
pub struct KeyTexts {
    /// Two words a row, the low one first: a short string's word, or where a long one begins and its length.
    entries: Pages<u64>,
    rows: usize,
    /// The long strings.
    long: Pool,
    raw_bytes: usize,
}

impl KeyTexts {
    /// Makes room for `rows` strings.
    pub fn new(rows: usize) -> Self {
        Self { entries: Pages::zeroed(rows * 2), rows: 0, long: Pool::default(), raw_bytes: 0 }
    }

    /// Appends strings within the room made; `refuse` receives the positions of those that are too long.
    pub fn append(&mut self, strings: &Strings, refuse: &mut dyn FnMut(usize)) {
        for position in 0..strings.len() {
            let text = strings.get_bytes(position);
            if text.len() >= LENGTH_LIMIT {
                refuse(position);
            }
            let [low, high] = match short_word(text) {
                Some(word) => [word as u64, (word >> 64) as u64],
                None => [self.long.place(text) as u64, LONG | text.len() as u64],
            };
            self.entries[self.rows * 2] = low;
            self.entries[self.rows * 2 + 1] = high;
            self.rows += 1;
            self.raw_bytes += text.len() + size_of::<u32>();
        }
    }

    /// Whether string `row` is the one at `position` of `wanted`.
    #[inline]
    pub fn is(&self, row: usize, wanted: &Strings, position: usize) -> bool {
        let [low, high] = self.entry(row);
        match wanted.word(position) {
            Some(word) => [word as u64, (word >> 64) as u64] == [low, high],
            None => self.long(low, high) == Some(wanted.get_bytes(position)),
        }
    }

    /// Whether two rows have the same string.
    pub fn are_same(&self, row: usize, other: usize) -> bool {
        let ([low, high], [of_other, high_of_other]) = (self.entry(row), self.entry(other));
        let long = self.long(low, high);
        if long.is_some() {
            long == self.long(of_other, high_of_other)
        } else {
            [low, high] == [of_other, high_of_other]
        }
    }

    /// The hash of string `row`.
    pub fn hash(&self, row: usize) -> u64 {
        let [low, high] = self.entry(row);
        self.long(low, high).map_or_else(|| hash_of_word(low, high), xxh3_64)
    }

    /// String `row`.
    pub fn text(&self, row: usize) -> String {
        let [low, high] = self.entry(row);
        if let Some(long) = self.long(low, high) {
            return String::from_utf8_lossy(long).into_owned();
        }
        let bytes = [low.to_le_bytes(), high.to_le_bytes()].concat();
        String::from_utf8_lossy(&bytes[..usize::from(bytes[15])]).into_owned()
    }

    /// String `row` as people read it.
    pub fn describe(&self, row: usize) -> String {
        format!("{:?}", self.text(row))
    }

    /// Asks the processor to fetch the entry of string `row`.
    #[inline]
    pub fn prefetch(&self, row: usize) {
        prefetch(&self.entries, row * 2);
    }

    /// Gives back what only appending needs.
    pub fn finish(&mut self) {
        self.long.finish();
    }

    /// Bytes in memory.
    pub fn memory(&self) -> usize {
        self.entries.memory() + self.long.bytes.len()
    }

    /// Bytes of the strings without sharing, and 4 for each one's length.
    pub fn raw_bytes(&self) -> usize {
        self.raw_bytes
    }

    #[inline]
    fn entry(&self, row: usize) -> [u64; 2] {
        [self.entries[row * 2], self.entries[row * 2 + 1]]
    }

    fn long(&self, low: u64, high: u64) -> Option<&[u8]> {
        let (start, length) = (low as usize, (high & !LONG) as usize);
        (high & LONG == LONG).then(|| &self.long.bytes[start..start + length])
    }
}

/// The hash of a wanted string, the same as of a row's.
#[inline]
pub fn hash_of(wanted: &Strings, position: usize) -> u64 {
    match wanted.word(position) {
        Some(word) => hash_of_word(word as u64, (word >> 64) as u64),
        None => xxh3_64(wanted.get_bytes(position)),
    }
}

#[inline]
fn hash_of_word(low: u64, high: u64) -> u64 {
    mix(low ^ mix(high))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_strings_come_back_and_compare() {
        let all = [
            "auto",
            "",
            "fifteen bytes..",
            "sixteen bytes ..",
            "sixteen bytes .!",
            "auto\0",
            "sixteen bytes ..",
        ];
        let mut texts = KeyTexts::new(all.len());
        let strings = Strings::from_values(all);
        texts.append(&strings, &mut |_| panic!("short enough"));
        for (row, text) in all.iter().enumerate() {
            assert_eq!(texts.describe(row), format!("{text:?}"));
            assert_eq!(texts.hash(row), hash_of(&strings, row));
            for (position, other) in all.iter().enumerate() {
                assert_eq!(texts.is(row, &strings, position), text == other, "{text:?} {other:?}");
                assert_eq!(texts.are_same(row, position), text == other, "{text:?} {other:?}");
            }
        }
        assert_eq!(texts.memory(), all.len() * 16 + 2 * 16, "equal long strings share their bytes");
        assert_eq!(texts.raw_bytes(), 4 + 15 + 3 * 16 + 5 + all.len() * 4);
    }

    #[test]
    fn strings_beyond_the_limit_are_told() {
        let mut refused = Vec::new();
        let mut texts = KeyTexts::new(2);
        let strings = Strings::from_values(["x".repeat(LENGTH_LIMIT - 1), "x".repeat(LENGTH_LIMIT)]);
        texts.append(&strings, &mut |position| refused.push(position));
        assert_eq!(refused, [1]);
    }
}
