//! Short strings as single numbers: compared and hashed without a loop over their bytes.

use std::ops::Range;

use super::Strings;

/// Bytes that are read at once.
const READ: usize = 16;

/// For each length the bits that its bytes take.
const MASKS: [u128; READ] = {
    let mut masks = [0; READ];
    let mut length = 1;
    while length < READ {
        masks[length] = u128::MAX >> (128 - 8 * length);
        length += 1;
    }
    masks
};

impl Strings {
    /// String `position` as [`short_word`] gives it.
    #[inline]
    pub fn word(&self, position: usize) -> Option<u128> {
        self.words(position..position + 1).next().flatten()
    }

    /// The strings of a range as [`short_word`] gives them.
    #[inline]
    pub fn words(&self, range: Range<usize>) -> impl Iterator<Item = Option<u128>> {
        let bytes: &[u8] = &self.bytes;
        self.spans[range].iter().map(move |span| {
            let (start, length) = (span.start as usize, span.length as usize);
            let mask = MASKS.get(length)?;
            // What follows in the shared bytes is read along and cleared: there is almost always enough.
            match bytes.get(start..start + READ).and_then(|bytes| bytes.try_into().ok()) {
                Some(bytes) => Some((u128::from_le_bytes(bytes) & mask) | with_length(length)),
                None => short_word(&bytes[start..start + length]),
            }
        })
    }
}

/// A string of up to 15 bytes as one number that no other string has: its bytes, the first lowest, and its length in
/// the highest byte. `None` for a longer one.
#[inline(never)]
pub fn short_word(text: &[u8]) -> Option<u128> {
    let mut bytes = [0; READ];
    let fits = text.len() < READ;
    fits.then(|| {
        bytes[..text.len()].copy_from_slice(text);
        u128::from_le_bytes(bytes) | with_length(text.len())
    })
}

fn with_length(length: usize) -> u128 {
    (length as u128) << 120
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_the_same_wherever_a_string_lies() {
        let texts: Vec<String> =
            (0..40).map(|length| "abcdefghijklmnop".repeat(3)[..length].into()).collect();
        let strings = Strings::from_values(&texts);
        for (position, text) in texts.iter().enumerate() {
            assert_eq!(strings.word(position), short_word(text.as_bytes()), "{text:?}");
            assert_eq!(strings.word(position).is_some(), text.len() < 16, "{text:?}");
        }
        let last = Strings::from_values(["x"]);
        assert_eq!(last.word(0), Some(u128::from(b'x') | 1 << 120));
    }

    #[test]
    fn zero_bytes_count() {
        let strings = Strings::from_values(["", "\0", "\0\0", "a", "a\0"]);
        let mut words: Vec<_> = (0..strings.len()).map(|position| strings.word(position)).collect();
        words.sort();
        words.dedup();
        assert_eq!(words.len(), 5);
    }
}
