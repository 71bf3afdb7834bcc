//! A fitted list of categories as a map from value to position.

use std::collections::HashSet;

use xxhash_rust::xxh3::xxh3_64;

use self::table::Table;
pub use self::table::UNKNOWN;
use super::parameters::Category;
use crate::{
    batch::{Column, Element, Values, word::short_word},
    problem::Problems,
};

mod table;

/// Values that are looked up before anything is done with their positions.
const TOGETHER: usize = 64;

/// Categories of one type with their positions in the fitted list.
///
/// Every value is first made a word: a short string its bytes and length, a longer one its hash, a number its bits.
#[derive(Debug)]
pub struct Vocabulary {
    table: Table,
    /// The strings by position, where any is too long to be a word of its own; else empty.
    texts: Vec<Box<[u8]>>,
}

impl Vocabulary {
    /// Takes categories for inputs of `element`; every one that is of another type or there twice is a problem at
    /// `field`.
    pub fn new<'a>(
        categories: impl IntoIterator<Item = (String, &'a Category)>,
        element: Element,
        problems: &mut Problems,
    ) -> Self {
        let (mut words, mut texts, mut long) = (Vec::new(), Vec::<Box<[u8]>>::new(), false);
        let mut seen = HashSet::new();
        for (field, category) in categories {
            let text = category.text().filter(|_| element == Element::String).unwrap_or_default().as_bytes();
            let Some(word) = word_of(category, element) else {
                problems.add(field, format!("{category} is not {}", element.name()));
                continue;
            };
            if !seen.insert((word, text)) {
                problems.add(field, format!("{category} is there twice"));
            }
            long |= short_word(text).is_none();
            words.push(word);
            texts.push(text.into());
        }
        if !long {
            texts = Vec::new();
        }
        Self { table: Table::new(&words), texts }
    }

    /// Calls `found` with each value's index in the column and its position, or none for an unknown one. Null values
    /// are left out.
    pub fn each(&self, column: &Column, mut found: impl FnMut(usize, Option<u32>)) {
        let mut positions = [UNKNOWN; TOGETHER];
        for (number, marks) in column.marks.chunks(TOGETHER).enumerate() {
            let start = number * TOGETHER;
            let positions = &mut positions[..marks.len()];
            self.find(&column.values, start, positions);
            for (at, (mark, &position)) in marks.iter().zip(&*positions).enumerate() {
                if !mark.is_null() {
                    found(start + at, (position != UNKNOWN).then_some(position));
                }
            }
        }
    }

    /// The positions of values from `start` on, of what lies under nulls too, or [`UNKNOWN`]. A loop of its own, which
    /// nothing that is done with them makes longer.
    #[inline(never)]
    pub fn find(&self, values: &Values, start: usize, positions: &mut [u32]) {
        let count = positions.len();
        let places = positions.iter_mut();
        match values {
            Values::String(strings) => {
                let words = strings.words(start..start + count);
                let texts = start..start + count;
                for ((place, word), index) in places.zip(words).zip(texts) {
                    *place = match word {
                        Some(word) => self.table.find(word, |_| true),
                        None => self.of_long(strings.get_bytes(index)),
                    };
                }
            }
            Values::Int64(values) => {
                places.zip(&values[start..]).for_each(|(place, &value)| *place = self.of_word(value as u64));
            }
            Values::Uint64(values) => {
                places.zip(&values[start..]).for_each(|(place, &value)| *place = self.of_word(value));
            }
            Values::Bool(values) => {
                places.zip(&values[start..]).for_each(|(place, &value)| *place = self.of_word(value.into()));
            }
            Values::Float64(values) => {
                places.zip(&values[start..]).for_each(|(place, &x)| *place = self.of_word(float_word(x)));
            }
            // Types have been checked: nothing else comes.
            Values::OneHot(_) | Values::Sparse(_) | Values::Float32(_) => {
                places.for_each(|place| *place = UNKNOWN)
            }
        }
    }

    #[inline]
    fn of_word(&self, word: u64) -> u32 {
        self.table.find(word.into(), |_| true)
    }

    /// Apart, so that the loop over short strings stays short.
    #[inline(never)]
    fn of_long(&self, text: &[u8]) -> u32 {
        let same = |position: u32| self.texts.get(position as usize).is_some_and(|there| **there == *text);
        self.table.find(long_word(text), same)
    }
}

fn word_of(category: &Category, element: Element) -> Option<u128> {
    let word = match element {
        Element::Float64 => category.float64().map(float_word),
        Element::Int64 => category.int64().map(|value| value as u64),
        Element::Uint64 => category.uint64(),
        Element::Bool => category.bool().map(u64::from),
        Element::Time(time) => category.time(time).map(i64::cast_unsigned),
        Element::String => {
            let text = category.text()?.as_bytes();
            return Some(short_word(text).unwrap_or_else(|| long_word(text)));
        }
    };
    word.map(u128::from)
}

/// A longer string's hash, with a length that no short string has; several may share it.
fn long_word(text: &[u8]) -> u128 {
    u128::from(xxh3_64(text)) | 0x7f << 120
}

/// The same word for both zeros, and for every NaN.
pub fn float_word(value: f64) -> u64 {
    if value == 0.0 {
        0
    } else if value.is_nan() {
        f64::NAN.to_bits()
    } else {
        value.to_bits()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{Mark, Strings};

    fn numbered(categories: &[Category]) -> Vec<(String, &Category)> {
        categories
            .iter()
            .enumerate()
            .map(|(position, category)| (format!("[{position}]"), category))
            .collect()
    }

    fn positions(vocabulary: &Vocabulary, values: Values, count: usize) -> Vec<Option<u32>> {
        let column = Column { values, marks: vec![Mark::PRESENT; count], list: None };
        let mut positions = Vec::new();
        vocabulary.each(&column, |_, position| positions.push(position));
        positions
    }

    #[test]
    fn finds_strings_and_numbers() {
        let mut problems = Problems::none();
        let strings = [Category::String("b".into()), Category::String("a".into())];
        let vocabulary = Vocabulary::new(numbered(&strings), Element::String, &mut problems);
        let values = Values::String(Strings::from_values(["a", "b", "c"]));
        assert_eq!(positions(&vocabulary, values, 3), [Some(1), Some(0), None]);
        let numbers = [Category::Int64(-7), Category::String("9223372036854775807".into())];
        let vocabulary = Vocabulary::new(numbered(&numbers), Element::Int64, &mut problems);
        assert_eq!(positions(&vocabulary, Values::Int64(vec![i64::MAX, -7, 7]), 3), [Some(1), Some(0), None]);
        let floats = [Category::Int64(0), Category::Float64(0.5)];
        let vocabulary = Vocabulary::new(numbered(&floats), Element::Float64, &mut problems);
        assert_eq!(
            positions(&vocabulary, Values::Float64(vec![-0.0, 0.5, 1.0]), 3),
            [Some(0), Some(1), None]
        );
        assert!(problems.is_empty());
    }

    #[test]
    fn finds_strings_of_every_length_beside_their_like() {
        let texts: Vec<String> =
            (0..80).map(|length| "0123456789abcdef".repeat(5)[..length].into()).collect();
        let categories: Vec<Category> = texts.iter().cloned().map(Category::String).collect();
        let mut problems = Problems::none();
        let vocabulary = Vocabulary::new(numbered(&categories), Element::String, &mut problems);
        assert!(problems.is_empty());
        let known = Values::String(Strings::from_values(&texts));
        assert_eq!(positions(&vocabulary, known, 80), (0..80).map(Some).collect::<Vec<_>>());
        let unknown = texts.iter().map(|text| format!("{text}\0"));
        assert_eq!(positions(&vocabulary, Values::String(Strings::from_values(unknown)), 80), [None; 80]);
    }

    #[test]
    fn all_nans_are_one_category() {
        let categories = [Category::String("nan".into()), Category::String("-inf".into())];
        let vocabulary = Vocabulary::new(numbered(&categories), Element::Float64, &mut Problems::none());
        let values = Values::Float64(vec![f64::NAN, -f64::NAN, f64::NEG_INFINITY, f64::INFINITY]);
        assert_eq!(positions(&vocabulary, values, 4), [Some(0), Some(0), Some(1), None]);
    }

    #[test]
    fn tells_every_bad_category() {
        let mut problems = Problems::none();
        let categories = [Category::Int64(1), Category::String("x".into()), Category::Int64(1)];
        Vocabulary::new(numbered(&categories), Element::Int64, &mut problems);
        assert_eq!(problems.to_string(), "[1]: x is not int64\n[2]: 1 is there twice");
    }
}
