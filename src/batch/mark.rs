//! Marks: whether a value is null, and its status.

use std::ops::{BitOr, BitOrAssign};

/// The mark of one value: whether it is null, and the gravest [`Status`] of all that it was made from. Filling a
/// null in keeps the status, so that statuses stay true where a default is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[repr(transparent)]
pub struct Mark(u8);

/// Statuses in the order of gravity; the numbers are those of the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Status {
    Present = 0,
    Stale = 1,
    OutOfRange = 2,
    UnknownCategory = 3,
    Null = 4,
    KeyNotFound = 5,
}

impl Status {
    /// How many statuses there are.
    pub const COUNT: usize = 6;

    /// All of them, at the position of their number.
    pub const ALL: [Status; Self::COUNT] =
        [Self::Present, Self::Stale, Self::OutOfRange, Self::UnknownCategory, Self::Null, Self::KeyNotFound];

    /// The status with the number given; null for a number that none has.
    pub fn from_number(number: u8) -> Self {
        Self::ALL.get(usize::from(number)).copied().unwrap_or(Self::Null)
    }
}

impl Mark {
    const NULL_BIT: u8 = 0x80;
    const STATUS_BITS: u8 = 0x07;

    /// A present value.
    pub const PRESENT: Mark = Mark(0);
    /// A null, and nothing graver behind it.
    pub const NULL: Mark = Mark(Self::NULL_BIT | Status::Null as u8);
    /// A null because a lookup found no row.
    pub const KEY_NOT_FOUND: Mark = Mark(Self::NULL_BIT | Status::KeyNotFound as u8);
    /// A value that stands in for a category outside of the vocabulary.
    pub const UNKNOWN_CATEGORY: Mark = Mark(Status::UnknownCategory as u8);
    /// A value that was moved into the fitted range.
    pub const OUT_OF_RANGE: Mark = Mark(Status::OutOfRange as u8);

    /// Whether there is no value.
    pub fn is_null(self) -> bool {
        self.0 & Self::NULL_BIT != 0
    }

    /// Whether there is a value made from present inputs alone.
    pub fn is_present(self) -> bool {
        self.0 == 0
    }

    /// The gravest status behind the value.
    pub fn status(self) -> Status {
        Status::from_number(self.0 & Self::STATUS_BITS)
    }

    /// The same status, with a value filled in.
    pub fn filled(self) -> Self {
        Self(self.0 & Self::STATUS_BITS)
    }

    /// The same status (at least `Null` or what `cause` brings), without a value.
    pub fn nulled(self) -> Self {
        Self(self.0 | Self::NULL_BIT)
    }
}

/// Adds to `counts` how often each status is behind marks that are not present, at the position of its number.
pub fn count_statuses(marks: &[Mark], counts: &mut [u32; Status::COUNT]) {
    // A pass that compares 16 marks at once with each status, in counters of a byte, takes far less than a look at each.
    for marks in marks.chunks(u8::MAX as usize) {
        if marks.iter().fold(0, |all, mark| all | mark.0) == 0 {
            continue;
        }
        let [mut stale, mut out_of_range, mut unknown, mut null, mut not_found] = [0_u8; Status::COUNT - 1];
        for mark in marks {
            let status = mark.0 & Mark::STATUS_BITS;
            stale += u8::from(status == Status::Stale as u8);
            out_of_range += u8::from(status == Status::OutOfRange as u8);
            unknown += u8::from(status == Status::UnknownCategory as u8);
            null += u8::from(status == Status::Null as u8);
            not_found += u8::from(status == Status::KeyNotFound as u8);
        }
        let found = [stale, out_of_range, unknown, null, not_found];
        counts[1..].iter_mut().zip(found).for_each(|(count, found)| *count += u32::from(found));
    }
}

impl BitOr for Mark {
    type Output = Mark;

    /// Joins two inputs' marks: null where either is, with the graver status.
    fn bitor(self, other: Mark) -> Mark {
        let status = (self.0 & Self::STATUS_BITS).max(other.0 & Self::STATUS_BITS);
        Mark(((self.0 | other.0) & Self::NULL_BIT) | status)
    }
}

impl BitOrAssign for Mark {
    fn bitor_assign(&mut self, other: Mark) {
        *self = *self | other;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joined_marks_keep_null_and_the_graver_status() {
        let joined = Mark::UNKNOWN_CATEGORY | Mark::NULL;
        assert!(joined.is_null());
        assert_eq!(joined.status(), Status::Null);
        assert_eq!((Mark::NULL | Mark::KEY_NOT_FOUND).status(), Status::KeyNotFound);
        assert_eq!((Mark::PRESENT | Mark::OUT_OF_RANGE), Mark::OUT_OF_RANGE);
    }

    #[test]
    fn statuses_are_counted_over_any_number_of_marks() {
        let kinds = [Mark::PRESENT, Mark::NULL, Mark::NULL.filled(), Mark::OUT_OF_RANGE, Mark::PRESENT];
        for length in [0, 1, 63, 64, 65, 300] {
            let marks: Vec<Mark> = kinds.iter().copied().cycle().take(length).collect();
            let (mut counts, mut expected) = ([1; Status::COUNT], [1; Status::COUNT]);
            count_statuses(&marks, &mut counts);
            for mark in marks.iter().filter(|mark| !mark.is_present()) {
                expected[mark.status() as usize] += 1;
            }
            assert_eq!(counts, expected, "{length}");
        }
    }

    #[test]
    fn a_filled_null_keeps_its_status() {
        let filled = Mark::KEY_NOT_FOUND.filled();
        assert!(!filled.is_null());
        assert_eq!(filled.status(), Status::KeyNotFound);
    }
}
