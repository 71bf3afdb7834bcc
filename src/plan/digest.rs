//! Values by their digests: what has the same one is the same, and is computed or kept once.

use std::io;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

/// The SHA-256 of a value: collisions are out of the question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

/// Takes in the parts of a value one after the other.
#[derive(Debug, Clone)]
pub struct Digester(Sha256);

impl Digester {
    /// Begins a value of this kind.
    pub fn new(kind: &str) -> Self {
        Self(Sha256::new()).text(kind)
    }

    /// Adds a text.
    pub fn text(self, text: &str) -> Self {
        self.number(text.len() as u64).bytes(text.as_bytes())
    }

    /// Adds a number.
    pub fn number(self, number: u64) -> Self {
        self.bytes(&number.to_le_bytes())
    }

    /// Adds a value that is known by its digest.
    pub fn digest(self, of: Digest) -> Self {
        self.bytes(&of.0)
    }

    /// Adds all fields of a value, as JSON states them: NaN, infinities and the sign of zero are kept.
    pub fn value(mut self, value: &impl Serialize) -> Self {
        let written = serde_json::to_writer(Sink(&mut self.0), value);
        debug_assert!(written.is_ok(), "parameters are always JSON");
        self
    }

    /// The value's digest.
    pub fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }

    fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.update(bytes);
        self
    }
}

/// Hashes what is written.
struct Sink<'a>(&'a mut Sha256);

impl io::Write for Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::Transform;

    fn of(step: &str) -> Digest {
        let step: Transform = serde_json::from_str(step).expect("a step");
        Digester::new("step").value(&step).finish()
    }

    #[test]
    fn steps_are_the_same_if_all_their_fields_are() {
        let clip = |min: &str| of(&format!(r#"{{"op": "clip", "min": {min}, "max": "inf"}}"#));
        assert_eq!(clip("0.0"), clip("0e3"));
        assert_ne!(clip("0.0"), clip("-0.0"));
        assert_ne!(clip("0.1"), clip("0.10000000000000002"));
        assert_ne!(clip("\"-inf\""), clip("-1e308"));
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        let texts = |one: &str, other: &str| Digester::new("texts").text(one).text(other).finish();
        assert_ne!(texts("ab", "c"), texts("a", "bc"));
    }
}
