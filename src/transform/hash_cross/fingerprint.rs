//! Fingerprints of single strings.

use crate::{
    batch::Column,
    transform::{Kernel, farm::fingerprint64},
};

/// The bits of each string's fingerprint, as int64; null stays null.
#[derive(Debug)]
pub struct Fingerprints;

impl Kernel for Fingerprints {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        let (fingerprints, marks) = out.int64_mut();
        marks.extend_from_slice(&inputs[0].marks);
        let strings = inputs[0].strings();
        fingerprints.extend((0..strings.len()).map(|index| fingerprint64(strings.get_bytes(index)) as i64));
    }
}
