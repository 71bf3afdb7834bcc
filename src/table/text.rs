//! Strings of one column, gathered from batches; equal ones share their bytes as long as there are few.

use std::collections::HashMap;

use bytes::Bytes;
use xxhash_rust::xxh3::xxh3_64;

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

/// Bytes of strings one behind the other, equal ones once.
#[derive(Debug, Default)]
pub struct Pool {
    pub bytes: Vec<u8>,
    /// Where strings of a hash begin and end; emptied for good once there are too many.
    known: HashMap<u64, (usize, usize)>,
    full: bool,
}

impl TextBuilder {
    /// Makes room for `rows` strings of about `bytes` bytes. Room that is not there is none: it is made as strings come.
    pub fn new(rows: usize, bytes: usize) -> Self {
        let mut builder = Self::default();
        // One more is added at the end.
        let _ = builder.spans.try_reserve_exact(rows + 1);
        let _ = builder.pool.bytes.try_reserve_exact(bytes);
        builder
    }

    /// Bytes in memory so far.
    pub fn memory(&self) -> usize {
        size_of_val(&self.spans[..]) + self.pool.bytes.len()
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

impl Pool {
    /// Where `text` begins, which is appended unless it is there.
    pub fn place(&mut self, text: &[u8]) -> usize {
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

    /// Gives back what only appending needs.
    pub fn finish(&mut self) {
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
        let mut builder = TextBuilder::new(5, 0);
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
        let mut builder = TextBuilder::new(values.len(), 0);
        builder.append(&Strings::from_values(&values)).expect("fits");
        assert!(builder.pool.known.is_empty());
        let text = builder.finish();
        assert!(text.strings.iter().zip(&values).all(|(got, value)| got == value));
    }
}
