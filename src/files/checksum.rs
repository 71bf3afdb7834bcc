//! A file's size and SHA-256.

use std::{fmt::Write, io::Read, path::Path};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::regular;
use crate::cancel::Cancel;

/// Bytes that are hashed at once.
const STEP: usize = 1 << 18;

/// The length of a SHA-256 as text.
const DIGITS: usize = 64;

/// What a file must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Checksum {
    /// The file's size.
    pub bytes: u64,
    /// The SHA-256 of its content, in lowercase hexadecimal digits.
    pub sha256: String,
}

impl Checksum {
    /// Reads a file and sums it up; nothing once that is cancelled.
    pub fn of(file: &Path, cancel: &Cancel) -> Result<Option<Self>, String> {
        let text = |error: std::io::Error| format!("can't be read: {error}");
        let mut opened = regular::open(file).map_err(text)?;
        let (mut hash, mut bytes, mut step) = (Sha256::new(), 0, vec![0; STEP]);
        while !cancel.is_cancelled() {
            match opened.read(&mut step).map_err(text)? {
                0 => return Ok(Some(Self { bytes, sha256: written(&hash.finalize()) })),
                read => {
                    hash.update(&step[..read]);
                    bytes += read as u64;
                }
            }
        }
        Ok(None)
    }

    /// What is wrong with the text of the SHA-256, if anything is.
    pub fn problem(&self) -> Option<&'static str> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let right = self.sha256.len() == DIGITS && self.sha256.bytes().all(is_digit);
        (!right).then_some("must be 64 lowercase hexadecimal digits")
    }

    /// Holds a file to this.
    pub fn check(&self, file: &Path, cancel: &Cancel) -> Result<(), String> {
        match Self::of(file, cancel)? {
            Some(found) if found.bytes != self.bytes => {
                Err(format!("has {} bytes where {} are listed", found.bytes, self.bytes))
            }
            Some(found) if found.sha256 != self.sha256 => {
                Err(format!("has the SHA-256 {} where {} is listed", found.sha256, self.sha256))
            }
            _ => Ok(()),
        }
    }
}

fn written(digest: &[u8]) -> String {
    digest.iter().fold(String::new(), |mut text, byte| {
        // A string takes any text.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_is_held_to_its_size_and_content() {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, cancel) = (folder.path().join("abc"), Cancel::new());
        fs::write(&file, "abc").expect("writes");
        let sum = Checksum::of(&file, &cancel).expect("reads").expect("was not cancelled");
        // FIPS 180-2, appendix B.1.
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!((sum.bytes, &*sum.sha256, sum.problem()), (3, expected, None));
        assert_eq!(sum.check(&file, &cancel), Ok(()));
        fs::write(&file, "abd").expect("writes");
        assert!(sum.check(&file, &cancel).expect_err("changed").ends_with(&format!("{expected} is listed")));
        fs::write(&file, "abcd").expect("writes");
        assert_eq!(sum.check(&file, &cancel).expect_err("longer"), "has 4 bytes where 3 are listed");
        assert!(sum.check(&folder.path().join("none"), &cancel).is_err());
        cancel.cancel();
        assert_eq!(Checksum::of(&file, &cancel), Ok(None));
    }

    #[test]
    fn texts_that_are_no_sums_are_found() {
        for text in ["", "0", &"A".repeat(64), &"g".repeat(64)] {
            assert!(Checksum { bytes: 0, sha256: text.to_owned() }.problem().is_some(), "{text}");
        }
    }
}
