//! Strings of one column, gathered from batches; equal ones share their bytes as long as there are few.

use std::collections::HashMap;

use bytes::Bytes;
use xxhash_rust::xxh3::xxh3_64;

use super::memory::prefetch;
use crate::batch::{Span, Strings};

/// With more distinct strings than this, sharing costs more memory while loading than it saves.
const SHARED: usize = 1 << 16;

/// Appends strings, then becomes [`Strings`].
#[derive(Debug, Default)]
pub struct TextBuilder {
    pool: Pool,
    spans: Vec<Span>,
    raw_bytes: usize,
}

/// Finished strings and the bytes that they would have taken without sharing.
#[derive(Debug)]
pub struct Text {
    pub strings: Strings,
    pub raw_bytes: usize,
}

/// Strings of keys: up to 2^40 bytes of them, each shorter than 2^24 bytes.
#[derive(Debug)]
pub struct KeyTexts {
    pool: Pool,
    /// The start in the high 40 bits, the length in the low 24.
    spans: Vec<u64>,
    raw_bytes: usize,
}

/// Bytes of strings one behind the other, equal ones once.
#[derive(Debug, Default)]
struct Pool {
    bytes: Vec<u8>,
    /// Where strings of a hash begin and end; emptied for good once there are too many.
    known: HashMap<u64, (usize, usize)>,
    full: bool,
}

impl TextBuilder {
    /// Makes room for `rows` strings.
    pub fn new(rows: usize) -> Self {
        Self { spans: Vec::with_capacity(rows), ..Self::default() }
    }

    /// Appends strings, or gives the position of the first that would exceed 4 GiB of text.
    pub fn append(&mut self, strings: &Strings) -> Result<(), usize> {
        for position in 0..strings.len() {
            let text = strings.get_bytes(position);
            let start = u32::try_from(self.pool.place(text)).map_err(|_| position)?;
            let length = u32::try_from(text.len()).map_err(|_| position)?;
            self.spans.push(Span { start, length });
            self.raw_bytes += text.len() + size_of::<u32>();
        }
        Ok(())
    }

    /// The strings, and one empty one behind them for rows that are none.
    pub fn finish(mut self) -> Text {
        self.spans.push(Span::default());
        self.spans.shrink_to_fit();
        self.pool.finish();
        let strings = Strings::from_spans(Bytes::from(self.pool.bytes), self.spans)
            .expect("spans were taken of whole strings");
        Text { strings, raw_bytes: self.raw_bytes }
    }
}

impl Text {
    /// Bytes in memory.
    pub fn memory(&self) -> usize {
        self.strings.memory()
    }
}

impl KeyTexts {
    const LENGTH_BITS: u32 = 24;

    /// Makes room for `rows` strings.
    pub fn new(rows: usize) -> Self {
        Self { pool: Pool::default(), spans: Vec::with_capacity(rows), raw_bytes: 0 }
    }

    /// Appends strings; `refuse` is told the positions of those that are too long.
    pub fn append(&mut self, strings: &Strings, refuse: &mut dyn FnMut(usize)) {
        for position in 0..strings.len() {
            let text = strings.get_bytes(position);
            let start = self.pool.place(text);
            let (start, length) = (start as u64, text.len() as u64);
            if length >> Self::LENGTH_BITS != 0 || start >> (u64::BITS - Self::LENGTH_BITS) != 0 {
                refuse(position);
            }
            self.spans.push(start << Self::LENGTH_BITS | length & ((1 << Self::LENGTH_BITS) - 1));
            self.raw_bytes += text.len() + size_of::<u32>();
        }
    }

    /// The bytes of string `row`.
    pub fn get(&self, row: usize) -> &[u8] {
        let span = self.spans[row];
        let (start, length) = (span >> Self::LENGTH_BITS, span & ((1 << Self::LENGTH_BITS) - 1));
        &self.pool.bytes[start as usize..(start + length) as usize]
    }

    /// Asks the processor to fetch what tells where string `row` lies.
    pub fn prefetch(&self, row: usize) {
        prefetch(&self.spans, row);
    }

    /// Gives back what only appending needs.
    pub fn finish(&mut self) {
        self.pool.finish();
    }

    /// Bytes in memory.
    pub fn memory(&self) -> usize {
        self.pool.bytes.len() + size_of_val(&self.spans[..])
    }

    /// Bytes of the strings without sharing, and 4 for each one's length.
    pub fn raw_bytes(&self) -> usize {
        self.raw_bytes
    }
}

impl Pool {
    /// Where `text` begins, which is appended unless it is there.
    fn place(&mut self, text: &[u8]) -> usize {
        let hash = if self.full { 0 } else { xxh3_64(text) };
        if let Some(&(start, end)) = self.known.get(&hash)
            && &self.bytes[start..end] == text
        {
            return start;
        }
        let start = self.bytes.len();
        self.bytes.extend_from_slice(text);
        if !self.full {
            self.known.insert(hash, (start, self.bytes.len()));
            self.full = self.known.len() >= SHARED;
        } else if self.known.capacity() > 0 {
            self.known = HashMap::new();
        }
        start
    }

    fn finish(&mut self) {
        self.known = HashMap::new();
        self.full = true;
        self.bytes.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_strings_share_bytes_and_come_back() {
        let mut builder = TextBuilder::new(5);
        builder.append(&Strings::from_values(["auto", "food", "auto"])).expect("fits");
        builder.append(&Strings::from_values(["", "food"])).expect("fits");
        let text = builder.finish();
        assert_eq!(text.strings.iter().collect::<Vec<_>>(), ["auto", "food", "auto", "", "food", ""]);
        assert_eq!(text.memory(), 8 + 6 * size_of::<Span>());
        assert_eq!(text.raw_bytes, 16 + 5 * 4);
    }

    #[test]
    fn many_distinct_strings_are_kept_without_sharing() {
        let values: Vec<String> = (0..SHARED + 10).map(|value| value.to_string()).collect();
        let mut builder = TextBuilder::new(values.len());
        builder.append(&Strings::from_values(&values)).expect("fits");
        assert!(builder.pool.known.is_empty());
        let text = builder.finish();
        assert!(text.strings.iter().zip(&values).all(|(got, value)| got == value));
    }

    #[test]
    fn keys_share_bytes_and_long_ones_are_told() {
        let mut texts = KeyTexts::new(3);
        texts.append(&Strings::from_values(["auto", "", "auto"]), &mut |_| panic!("short"));
        assert_eq!([texts.get(0), texts.get(1), texts.get(2)], [&b"auto"[..], b"", b"auto"]);
        assert_eq!((texts.memory(), texts.raw_bytes()), (4 + 3 * 8, 8 + 3 * 4));
        let mut refused = Vec::new();
        texts.append(&Strings::from_values(["x".repeat(1 << 24)]), &mut |position| refused.push(position));
        assert_eq!(refused, [0]);
    }
}
