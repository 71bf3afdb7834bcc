//! The keys of all rows, and the keys of requests compared with them.

use super::{
    index::{Keys, mix},
    key_texts::{KeyTexts, hash_of},
    memory::{Pages, prefetch},
    row_number::RowNumber,
    schema::KeyColumn,
};
use crate::batch::{Column, Element, Mark, Strings, Values};

/// The keys of a table's rows: integers side by side row by row, each string column by itself.
#[derive(Debug)]
pub struct KeyStore {
    parts: Vec<Part>,
    words: Pages<u64>,
    words_per_row: usize,
    texts: Vec<KeyTexts>,
    rows: usize,
}

/// Where a key column lies.
#[derive(Debug, Clone, Copy)]
enum Part {
    /// Position among the row's words.
    Word(usize),
    /// Position among the string columns.
    Text(usize),
}

/// Keys of one integer column, the common case, looked up among rows with as much.
pub struct OneInteger<'a, W> {
    stored: &'a [u64],
    wanted: &'a [W],
}

/// Keys of one string column.
pub struct OneText<'a> {
    stored: &'a KeyTexts,
    wanted: &'a Strings,
}

/// Keys of any columns.
pub struct AnyColumns<'a> {
    store: &'a KeyStore,
    wanted: &'a [&'a Column],
}

/// The keys of the rows themselves, to build the index from.
pub struct OwnRows<'a>(&'a KeyStore);

/// Integers as the 64 bits that they are compared by.
pub trait Word: Copy {
    /// The bits.
    fn word(self) -> u64;
}

impl Word for i64 {
    fn word(self) -> u64 {
        self.cast_unsigned()
    }
}

impl Word for u64 {
    fn word(self) -> u64 {
        self
    }
}

impl KeyStore {
    /// Makes room for the keys of `rows` rows.
    pub fn new(columns: &[KeyColumn], rows: usize) -> Self {
        let (mut words_per_row, mut texts) = (0, Vec::new());
        let parts = columns.iter().map(|column| match column.element {
            Element::String => {
                texts.push(KeyTexts::new(rows));
                Part::Text(texts.len() - 1)
            }
            _ => {
                words_per_row += 1;
                Part::Word(words_per_row - 1)
            }
        });
        let parts = parts.collect();
        Self { parts, words: Pages::zeroed(rows * words_per_row), words_per_row, texts, rows: 0 }
    }

    /// Appends one key for each row of `columns`, which have the types that `new` was given, within the room made.
    /// `refuse` receives the column and the row of strings that are too long.
    pub fn append(&mut self, columns: &[Column], refuse: &mut dyn FnMut(usize, usize)) {
        for (position, (part, column)) in self.parts.iter().zip(columns).enumerate() {
            match (*part, &column.values) {
                (Part::Text(text), _) => {
                    self.texts[text].append(column.strings(), &mut |row| refuse(position, row));
                }
                (Part::Word(word), Values::Uint64(values)) => {
                    set_words(&mut self.words, self.words_per_row, self.rows, word, values);
                }
                (Part::Word(word), _) => {
                    set_words(&mut self.words, self.words_per_row, self.rows, word, column.int64());
                }
            }
        }
        self.rows += columns.first().map_or(0, Column::rows);
    }

    /// Gives back what only appending needs.
    pub fn finish(&mut self) {
        self.texts.iter_mut().for_each(KeyTexts::finish);
    }

    /// Whether the key is a single integer.
    pub fn is_one_integer(&self) -> bool {
        matches!(self.parts[..], [Part::Word(_)])
    }

    /// Keys of a single integer column.
    pub fn one_integer<'a, W: Word>(&'a self, wanted: &'a [W]) -> OneInteger<'a, W> {
        OneInteger { stored: &self.words, wanted }
    }

    /// The rows' own keys where they are single integers.
    pub fn own_integers(&self) -> Option<OneInteger<'_, u64>> {
        self.is_one_integer().then(|| self.one_integer(&self.words))
    }

    /// Keys of a single string column, where the key is one.
    pub fn one_text<'a>(&'a self, wanted: &'a Strings) -> Option<OneText<'a>> {
        match (&self.parts[..], &self.texts[..]) {
            ([Part::Text(_)], [stored]) => Some(OneText { stored, wanted }),
            _ => None,
        }
    }

    /// Keys of `wanted`, one column for each of the table's key columns and of its type.
    pub fn any<'a>(&'a self, wanted: &'a [&'a Column]) -> AnyColumns<'a> {
        AnyColumns { store: self, wanted }
    }

    /// The rows' own keys.
    pub fn own(&self) -> OwnRows<'_> {
        OwnRows(self)
    }

    /// The key of row `row` as people read it.
    pub fn describe(&self, columns: &[KeyColumn], row: usize) -> String {
        let parts = self.parts.iter().zip(columns).map(|(part, column)| match (*part, column.element) {
            (Part::Text(text), _) => self.texts[text].describe(row),
            (Part::Word(word), Element::Uint64) => self.word(row, word).to_string(),
            (Part::Word(word), _) => self.word(row, word).cast_signed().to_string(),
        });
        parts.collect::<Vec<_>>().join(", ")
    }

    /// The key columns of some rows.
    pub fn gather(&self, columns: &[KeyColumn], rows: &[RowNumber]) -> Vec<Column> {
        let values = |part: &Part, element: Element| match (*part, element) {
            (Part::Text(text), _) => Values::String(Strings::from_values(
                rows.iter().map(|row| self.texts[text].text(row.index())),
            )),
            (Part::Word(word), Element::Uint64) => {
                Values::Uint64(rows.iter().map(|row| self.word(row.index(), word)).collect())
            }
            (Part::Word(word), _) => {
                Values::Int64(rows.iter().map(|row| self.word(row.index(), word).cast_signed()).collect())
            }
        };
        let parts = self.parts.iter().zip(columns).map(|(part, column)| values(part, column.element));
        parts.map(|values| Column { values, marks: vec![Mark::PRESENT; rows.len()], list: None }).collect()
    }

    /// Bytes in memory.
    pub fn memory(&self) -> usize {
        self.words.memory() + self.texts.iter().map(KeyTexts::memory).sum::<usize>()
    }

    /// Bytes of the keys alone: 8 for an integer, a string's bytes and 4 for its length.
    pub fn raw_bytes(&self) -> usize {
        self.words.memory() + self.texts.iter().map(KeyTexts::raw_bytes).sum::<usize>()
    }

    fn word(&self, row: usize, word: usize) -> u64 {
        self.words[row * self.words_per_row + word]
    }
}

fn set_words<W: Word>(words: &mut [u64], per_row: usize, first: usize, word: usize, values: &[W]) {
    let rows = words.chunks_exact_mut(per_row).skip(first);
    rows.zip(values).for_each(|(row, value)| row[word] = value.word());
}

impl<W: Word> Keys for OneInteger<'_, W> {
    #[inline]
    fn hash(&self, position: usize) -> u64 {
        mix(self.wanted[position].word())
    }

    #[inline]
    fn is_of_row(&self, position: usize, row: usize) -> bool {
        self.stored[row] == self.wanted[position].word()
    }

    #[inline]
    fn prefetch_row(&self, row: usize) {
        prefetch(self.stored, row);
    }
}

impl Keys for OneText<'_> {
    #[inline]
    fn hash(&self, position: usize) -> u64 {
        mix(hash_of(self.wanted, position))
    }

    #[inline]
    fn is_of_row(&self, position: usize, row: usize) -> bool {
        self.stored.is(row, self.wanted, position)
    }

    #[inline]
    fn prefetch_row(&self, row: usize) {
        self.stored.prefetch(row);
    }
}

impl Keys for AnyColumns<'_> {
    fn hash(&self, position: usize) -> u64 {
        self.wanted.iter().fold(0, |hash, column| mix(hash ^ word_of(column, place(column, position))))
    }

    fn is_of_row(&self, position: usize, row: usize) -> bool {
        self.store.parts.iter().zip(self.wanted).all(|(part, column)| {
            let position = place(column, position);
            match (*part, &column.values) {
                (Part::Text(text), Values::String(strings)) => {
                    self.store.texts[text].is(row, strings, position)
                }
                (Part::Text(_), _) => false,
                (Part::Word(word), Values::Uint64(values)) => self.store.word(row, word) == values[position],
                (Part::Word(word), _) => self.store.word(row, word) == column.int64()[position].word(),
            }
        })
    }

    fn prefetch_row(&self, row: usize) {
        self.store.prefetch_row(row);
    }
}

impl Keys for OwnRows<'_> {
    fn hash(&self, position: usize) -> u64 {
        self.0.parts.iter().fold(0, |hash, part| match *part {
            Part::Word(word) => mix(hash ^ self.0.word(position, word)),
            Part::Text(text) => mix(hash ^ self.0.texts[text].hash(position)),
        })
    }

    fn is_of_row(&self, position: usize, row: usize) -> bool {
        self.0.parts.iter().all(|part| match *part {
            Part::Word(word) => self.0.word(position, word) == self.0.word(row, word),
            Part::Text(text) => self.0.texts[text].are_same(position, row),
        })
    }

    fn prefetch_row(&self, row: usize) {
        self.0.prefetch_row(row);
    }
}

impl KeyStore {
    fn prefetch_row(&self, row: usize) {
        prefetch(&self.words, row * self.words_per_row);
        self.texts.iter().for_each(|text| text.prefetch(row));
    }
}

/// The position of a column's value for key `position`: a single value goes with every key.
#[inline]
fn place(column: &Column, position: usize) -> usize {
    if column.marks.len() == 1 { 0 } else { position }
}

/// What a key column's value adds to the hash: an integer itself, a string's hash.
fn word_of(column: &Column, position: usize) -> u64 {
    match &column.values {
        Values::String(strings) => hash_of(strings, position),
        Values::Uint64(values) => values[position],
        _ => column.int64()[position].word(),
    }
}
