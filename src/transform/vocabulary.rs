//! A fitted list of categories as a map from value to position.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::parameters::Category;
use crate::{
    batch::{Column, Element, Values},
    problem::Problems,
};

type Map<K> = HashMap<K, u32, BuildHasherDefault<FastHasher>>;

/// Categories of one type with their positions in the fitted list.
#[derive(Debug)]
pub enum Vocabulary {
    Strings(Map<Box<str>>),
    /// Integers and booleans by their bits; floats by their bits, with 0 for -0.
    Words(Map<u64>),
}

impl Vocabulary {
    /// Takes categories for inputs of `element`; every one that is of another type or there twice is a problem at
    /// `field`.
    pub fn new<'a>(
        categories: impl IntoIterator<Item = (String, &'a Category)>,
        element: Element,
        problems: &mut Problems,
    ) -> Self {
        let mut vocabulary = match element {
            Element::String => Self::Strings(Map::default()),
            _ => Self::Words(Map::default()),
        };
        for (position, (field, category)) in categories.into_iter().enumerate() {
            let position = position as u32;
            let before = match &mut vocabulary {
                Self::Strings(map) => category.text().map(|text| map.insert(text.into(), position)),
                Self::Words(map) => word(category, element).map(|word| map.insert(word, position)),
            };
            match before {
                None => problems.add(field, format!("{category} is not {}", element.name())),
                Some(Some(_)) => problems.add(field, format!("{category} is there twice")),
                Some(None) => {}
            }
        }
        vocabulary
    }

    /// Calls `found` with each value's index in the column and its position, or none for an unknown one. Null values
    /// are left out.
    pub fn each(&self, column: &Column, mut found: impl FnMut(usize, Option<u32>)) {
        let mut look_up = |index: usize, position: Option<&u32>| found(index, position.copied());
        let present = (0..column.marks.len()).filter(|&index| !column.marks[index].is_null());
        match (self, &column.values) {
            (Self::Strings(map), Values::String(strings)) => {
                present.for_each(|index| look_up(index, map.get(strings.get(index))));
            }
            (Self::Words(map), Values::Int64(values)) => {
                present.for_each(|index| look_up(index, map.get(&(values[index] as u64))));
            }
            (Self::Words(map), Values::Uint64(values)) => {
                present.for_each(|index| look_up(index, map.get(&values[index])));
            }
            (Self::Words(map), Values::Bool(values)) => {
                present.for_each(|index| look_up(index, map.get(&u64::from(values[index]))));
            }
            (Self::Words(map), _) => {
                let values = column.float64();
                present.for_each(|index| look_up(index, map.get(&float_word(values[index]))));
            }
            (Self::Strings(_), _) => {}
        }
    }
}

fn word(category: &Category, element: Element) -> Option<u64> {
    match element {
        Element::Float64 => category.float64().map(float_word),
        Element::Int64 => category.int64().map(|value| value as u64),
        Element::Uint64 => category.uint64(),
        Element::Bool => category.bool().map(u64::from),
        Element::String => None,
    }
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

/// Hashes what a fitted list holds; requests can't add to it, so nobody gains by collisions.
#[derive(Debug, Default)]
pub struct FastHasher(u64);

impl Hasher for FastHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = if self.0 == 0 { xxh3_64(bytes) } else { xxh3_64_with_seed(bytes, self.0) };
    }

    fn write_u8(&mut self, _end: u8) {
        // What ends a string: there is only one string in a key.
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (word ^ (word >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
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
    fn tells_every_bad_category() {
        let mut problems = Problems::none();
        let categories = [Category::Int64(1), Category::String("x".into()), Category::Int64(1)];
        Vocabulary::new(numbered(&categories), Element::Int64, &mut problems);
        assert_eq!(problems.to_string(), "[1]: x is not int64\n[2]: 1 is there twice");
    }
}
