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
    bytes: Vec<u8>,
    spans: Vec<Span>,
    raw_bytes: usize,
    /// Where strings of a hash lie; emptied for good once there are too many.
    known: HashMap<u64, Span>,
    full: bool,
}

/// Finished strings and the bytes that they would have taken without sharing.
#[derive(Debug)]
pub struct Text {
    pub strings: Strings,
    pub raw_bytes: usize,
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
            let span = self.place(text).ok_or(position)?;
            self.spans.push(span);
            self.raw_bytes += text.len() + size_of::<u32>();
        }
        Ok(())
    }

    /// The strings, and one empty one behind them for rows that are none.
    pub fn finish(mut self) -> Text {
        self.spans.push(Span::default());
        self.bytes.shrink_to_fit();
        self.spans.shrink_to_fit();
        let strings = Strings::from_spans(Bytes::from(self.bytes), self.spans)
            .expect("spans were taken of whole strings");
        Text { strings, raw_bytes: self.raw_bytes }
    }

    fn place(&mut self, text: &[u8]) -> Option<Span> {
        let hash = if self.full { 0 } else { xxh3_64(text) };
        if let Some(&span) = self.known.get(&hash)
            && &self.bytes[span.start as usize..span.start as usize + span.length as usize] == text
        {
            return Some(span);
        }
        let span =
            Span { start: u32::try_from(self.bytes.len()).ok()?, length: u32::try_from(text.len()).ok()? };
        self.bytes.extend_from_slice(text);
        if !self.full {
            self.known.insert(hash, span);
            self.stop_sharing_when_full();
        }
        Some(span)
    }

    fn stop_sharing_when_full(&mut self) {
        if self.known.len() >= SHARED {
            self.full = true;
            self.known = HashMap::new();
        }
    }
}

impl Text {
    /// Bytes in memory.
    pub fn memory(&self) -> usize {
        self.strings.memory()
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
        assert!(builder.known.is_empty());
        let text = builder.finish();
        assert!(text.strings.iter().zip(&values).all(|(got, value)| got == value));
    }
}
