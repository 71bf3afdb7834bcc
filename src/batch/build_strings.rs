//! Building strings one after the other: one buffer for all of a column, not one for each string.

use std::collections::HashMap;

use bytes::BytesMut;

use super::{Column, Span, Strings, Values};

/// Strings in the making. Text is appended; a string is any span of it.
#[derive(Debug, Default)]
pub struct StringsBuilder {
    bytes: BytesMut,
    spans: Vec<Span>,
}

impl StringsBuilder {
    /// Bytes written so far.
    pub fn written(&self) -> u32 {
        u32::try_from(self.bytes.len()).expect("a column holds less than 4 GiB of text")
    }

    /// Appends text.
    pub fn write(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
    }

    /// Appends one character.
    pub fn write_char(&mut self, character: char) {
        self.write(character.encode_utf8(&mut [0; 4]));
    }

    /// The text from byte `start` on.
    pub fn text_from(&self, start: u32) -> &str {
        std::str::from_utf8(&self.bytes[start as usize..]).expect("only text is written")
    }

    /// Adds the string that lies at `span` of what is written, or of the text that [`Self::finish_over`] is given.
    pub fn push(&mut self, span: Span) {
        self.spans.push(span);
    }

    /// Adds the string from byte `start` to the end of what is written.
    pub fn push_from(&mut self, start: u32) {
        let length = self.written() - start;
        self.push(Span { start, length });
    }

    /// How many strings were added.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether none was added.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// The strings over what was written.
    pub fn finish(self) -> Strings {
        Strings { bytes: self.bytes.freeze(), spans: self.spans }
    }

    /// The strings as spans of the text of `source`, which is shared and not copied.
    pub fn finish_over(self, source: &Strings) -> Strings {
        Strings { bytes: source.bytes.clone(), spans: self.spans }
    }
}

/// The longest text, in bytes, that is written anew each time it comes.
const SHORT: usize = 64;

/// Strings copied from others. A long text is written once, however many rows share it: texts of all rows may come from
/// one that was sent once.
#[derive(Debug, Default)]
struct StringsCopier {
    builder: StringsBuilder,
    /// Where long texts were written, by where they come from.
    long: HashMap<(*const u8, usize), Span>,
}

impl StringsCopier {
    /// Adds a copy of a text that lives until all are copied.
    fn push(&mut self, text: &str) {
        let Self { builder, long } = self;
        let mut write = || {
            let start = builder.written();
            builder.write(text);
            Span { start, length: text.len() as u32 }
        };
        let span = if text.len() <= SHORT {
            write()
        } else {
            *long.entry((text.as_ptr(), text.len())).or_insert_with(write)
        };
        builder.push(span);
    }

    fn finish(self) -> Strings {
        self.builder.finish()
    }
}

impl Strings {
    /// Copies of texts.
    pub fn copied<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut copier = StringsCopier::default();
        texts.into_iter().for_each(|text| copier.push(text));
        copier.finish()
    }

    /// Emptied, with the buffers to write into where nobody else reads them.
    fn into_builder(mut self) -> StringsBuilder {
        let mut bytes = self.bytes.try_into_mut().unwrap_or_default();
        bytes.clear();
        self.spans.clear();
        StringsBuilder { bytes, spans: self.spans }
    }

    /// Adds the strings of `source` behind those that are here.
    pub fn append(&mut self, source: &Strings) {
        let bytes = std::mem::take(&mut self.bytes);
        let bytes = bytes.try_into_mut().unwrap_or_else(|shared| BytesMut::from(&shared[..]));
        let builder = StringsBuilder { bytes, spans: std::mem::take(&mut self.spans) };
        let mut copier = StringsCopier { builder, ..StringsCopier::default() };
        source.iter().for_each(|text| copier.push(text));
        *self = copier.finish();
    }
}

impl Column {
    /// Empties the marks and takes the strings' emptied buffers; what is built of them becomes the column's values.
    pub fn take_strings(&mut self) -> StringsBuilder {
        self.marks.clear();
        match std::mem::replace(&mut self.values, Values::Float64(Vec::new())) {
            Values::String(strings) => strings.into_builder(),
            _ => StringsBuilder::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_spans_of_one_buffer() {
        let mut builder = StringsBuilder::default();
        builder.write("né");
        builder.write_char('e');
        builder.push_from(0);
        builder.push(Span { start: 1, length: 2 });
        assert_eq!(builder.text_from(1), "ée");
        let built = builder.finish();
        assert_eq!(built.iter().collect::<Vec<_>>(), ["née", "é"]);
        let mut cut = StringsBuilder::default();
        cut.push(Span { start: 0, length: 1 });
        assert_eq!(cut.finish_over(&built).get(0), "n");
    }

    #[test]
    fn a_long_text_is_copied_once() {
        let long = "long".repeat(50);
        let copies = Strings::copied(std::iter::repeat_n(&*long, 1000).chain(["short", ""]));
        assert_eq!((copies.len(), copies.get(999), copies.get(1000)), (1002, &*long, "short"));
        assert!(copies.memory() < 10_000, "{}", copies.memory());
        let mut repeated = Strings::from_values(["first"]);
        let mut source = Strings::default();
        source.gather(&Strings::from_values([&long]), (0..1000).map(|_| 0));
        repeated.append(&source);
        assert_eq!((repeated.len(), repeated.get(0), repeated.get(1000)), (1001, "first", &*long));
        assert!(repeated.memory() < 10_000, "{}", repeated.memory());
    }

    #[test]
    fn strings_are_appended_with_and_without_a_buffer_of_their_own() {
        let mut strings = Strings::from_values(["a", "bc"]);
        let shared = strings.clone();
        strings.append(&Strings::from_values(["d"]));
        strings.append(&shared);
        assert_eq!(strings.iter().collect::<Vec<_>>(), ["a", "bc", "d", "a", "bc"]);
        assert_eq!(shared.len(), 2);
    }
}
