//! The strings of one key column: short ones lie in their row's entry, so that comparing one is a single fetch.

use super::{
    memory::{Pages, prefetch},
    text::Pool,
};
use crate::batch::Strings;

/// Bytes of a string that fit into its entry.
const SHORT: usize = 12;

/// Keys are shorter than this: a longer one is a mistake.
const LENGTH_LIMIT: usize = 1 << 24;

/// Strings of keys.
#[derive(Debug)]
pub struct KeyTexts {
    /// Two words a row: the length with the first four bytes, then the next eight, or where a long string begins.
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

    /// Appends strings within the room made; `refuse` is told the positions of those that are too long.
    pub fn append(&mut self, strings: &Strings, refuse: &mut dyn FnMut(usize)) {
        for position in 0..strings.len() {
            let text = strings.get_bytes(position);
            if text.len() >= LENGTH_LIMIT {
                refuse(position);
            }
            let [head, mut tail] = packed(text);
            if text.len() > SHORT {
                tail = self.long.place(text) as u64;
            }
            self.entries[self.rows * 2] = head;
            self.entries[self.rows * 2 + 1] = tail;
            self.rows += 1;
            self.raw_bytes += text.len() + size_of::<u32>();
        }
    }

    /// Whether string `row` is `text`.
    #[inline]
    pub fn is(&self, row: usize, text: &[u8]) -> bool {
        let [head, tail] = packed(text);
        let entry = &self.entries[row * 2..row * 2 + 2];
        entry[0] == head && if text.len() > SHORT { self.long(entry) == text } else { entry[1] == tail }
    }

    /// The bytes of string `row`, by way of `short` where they lie in the entry.
    pub fn get<'a>(&'a self, row: usize, short: &'a mut [u8; 16]) -> &'a [u8] {
        let entry = &self.entries[row * 2..row * 2 + 2];
        let length = length_of(entry);
        if length > SHORT {
            return self.long(entry);
        }
        short[..8].copy_from_slice(&entry[0].to_le_bytes());
        short[8..].copy_from_slice(&entry[1].to_le_bytes());
        &short[4..4 + length]
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

    fn long(&self, entry: &[u64]) -> &[u8] {
        let start = entry[1] as usize;
        &self.long.bytes[start..start + length_of(entry)]
    }
}

fn length_of(entry: &[u64]) -> usize {
    entry[0] as u32 as usize
}

/// The words of a short string's entry; of a long one's the first alone has meaning.
#[inline]
fn packed(text: &[u8]) -> [u64; 2] {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&(text.len() as u32).to_le_bytes());
    let inside = text.len().min(SHORT);
    bytes[4..4 + inside].copy_from_slice(&text[..inside]);
    let (words, _) = bytes.as_chunks::<8>();
    [u64::from_le_bytes(words[0]), u64::from_le_bytes(words[1])]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_strings_come_back_and_compare() {
        let all = ["auto", "", "twelve bytes", "thirteen byte", "thirteen bytf", "auto\0", "thirteen byte"];
        let mut texts = KeyTexts::new(all.len());
        texts.append(&Strings::from_values(all), &mut |_| panic!("short enough"));
        for (row, text) in all.iter().enumerate() {
            let mut short = [0; 16];
            assert_eq!(texts.get(row, &mut short), text.as_bytes());
            for other in all {
                assert_eq!(texts.is(row, other.as_bytes()), *text == other, "{text:?} {other:?}");
            }
        }
        assert_eq!(texts.memory(), all.len() * 16 + 2 * 13, "equal long strings share their bytes");
        assert_eq!(texts.raw_bytes(), 4 + 12 + 3 * 13 + 5 + all.len() * 4);
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
