//! The two ways from several values to a hash.

use std::fmt::Debug;

use super::Buckets;
use crate::{
    batch::{Column, Values},
    transform::{
        farm::joined,
        hashing::{Hashing, MOST_DIGITS, decimal},
    },
};

/// Makes one bucket of several values.
pub trait Combination: Debug + Send + Sync {
    /// The bucket of each column's value at its place, none of them null; `text` is a buffer to reuse.
    fn bucket(&self, columns: &[&Column], at: &[usize], text: &mut Vec<u8>) -> i64;
}

/// Joins fingerprints.
#[derive(Debug)]
pub struct Joined {
    pub buckets: Buckets,
}

/// What fingerprints are joined to: TensorFlow's default key of crosses.
const KEY: u64 = 0x00de_cafc_affe;

impl Combination for Joined {
    fn bucket(&self, columns: &[&Column], at: &[usize], _text: &mut Vec<u8>) -> i64 {
        let words = columns.iter().zip(at).map(|(column, &index)| match &column.values {
            Values::Int64(words) => words[index] as u64,
            Values::Uint64(words) => words[index],
            // Checked: strings come as their fingerprints.
            _ => 0,
        });
        self.buckets.of(words.fold(KEY, joined).into())
    }
}

/// Joins texts.
#[derive(Debug)]
pub struct Separated {
    pub separator: Vec<u8>,
    pub hashing: Hashing,
    pub buckets: Buckets,
}

impl Combination for Separated {
    fn bucket(&self, columns: &[&Column], at: &[usize], text: &mut Vec<u8>) -> i64 {
        text.clear();
        for (position, (column, &index)) in columns.iter().zip(at).enumerate() {
            if position > 0 {
                text.extend_from_slice(&self.separator);
            }
            let mut digits = [0; MOST_DIGITS];
            text.extend_from_slice(match &column.values {
                Values::Int64(values) => decimal(values[index] as u64, values[index] < 0, &mut digits),
                Values::Uint64(values) => decimal(values[index], false, &mut digits),
                _ => column.strings().get_bytes(index),
            });
        }
        self.buckets.of(self.hashing.of_bytes(text))
    }
}
