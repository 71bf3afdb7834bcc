//! Marks: whether a value is null, and its status.

use std::ops::{BitOr, BitOrAssign};

/// The mark of one value: whether it is null, and the gravest [`Status`] of all that it was made from, with the level of
/// a fall-back. Filling a null in keeps the status, so that statuses stay true where a default is served.
///
/// From the top: one bit for null, four for the status, three for the level. So the graver of two marks is the greater.
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
    Fallback = 6,
}

impl Status {
    /// How many statuses there are.
    pub const COUNT: usize = 7;

    /// All of them, at the position of their number.
    pub const ALL: [Status; Self::COUNT] = [
        Self::Present,
        Self::Stale,
        Self::OutOfRange,
        Self::UnknownCategory,
        Self::Null,
        Self::KeyNotFound,
        Self::Fallback,
    ];

    /// The status with the number given; null for a number that none has.
    pub fn from_number(number: u8) -> Self {
        Self::ALL.get(usize::from(number)).copied().unwrap_or(Self::Null)
    }

    /// The status in a byte that [`Mark::wire`] gave.
    pub fn of_wire(byte: u8) -> Self {
        Self::from_number(byte & 0x0f)
    }
}

impl Mark {
    const NULL_BIT: u8 = 0x80;
    const LEVEL_BITS: u8 = 0x07;
    const STATUS_SHIFT: u8 = 3;
    /// Status and level.
    const CODE_BITS: u8 = 0x7f;

    /// The most fall-backs of one lookup.
    pub const MOST_LEVELS: usize = Self::LEVEL_BITS as usize;

    /// A present value.
    pub const PRESENT: Mark = Mark(0);
    /// A null, and nothing graver behind it.
    pub const NULL: Mark = Self::of(Status::Null).nulled();
    /// A null because a lookup found no row.
    pub const KEY_NOT_FOUND: Mark = Self::of(Status::KeyNotFound).nulled();
    /// A value that stands in for a category outside of the vocabulary.
    pub const UNKNOWN_CATEGORY: Mark = Self::of(Status::UnknownCategory);
    /// A value that was moved into the fitted range.
    pub const OUT_OF_RANGE: Mark = Self::of(Status::OutOfRange);
    /// A value of a row that is older than its lookup allows.
    pub const STALE: Mark = Self::of(Status::Stale);

    /// A value with this status.
    const fn of(status: Status) -> Self {
        Self((status as u8) << Self::STATUS_SHIFT)
    }

    /// A value that the fall-back of a level, counted from 1, answered with; levels beyond [`Self::MOST_LEVELS`] count as
    /// that one.
    pub fn fallback(level: usize) -> Self {
        Self(Self::of(Status::Fallback).0 | level.min(Self::MOST_LEVELS) as u8)
    }

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
        Status::from_number((self.0 & Self::CODE_BITS) >> Self::STATUS_SHIFT)
    }

    /// The level of the fall-back that answered, counted from 1; 0 where none did.
    pub fn level(self) -> usize {
        usize::from(self.0 & Self::LEVEL_BITS)
    }

    /// Status and level in one byte, 0 for a present value: how records keep them.
    pub fn code(self) -> u8 {
        self.0 & Self::CODE_BITS
    }

    /// The mark of a value with a code that [`Self::code`] gave.
    pub fn from_code(code: u8) -> Self {
        Self(code & Self::CODE_BITS)
    }

    /// The byte of an answer: the status's number, and 16 times the fall-back's level.
    pub fn wire(self) -> u8 {
        self.status() as u8 | (self.0 & Self::LEVEL_BITS) << 4
    }

    /// The same status, with a value filled in.
    pub fn filled(self) -> Self {
        Self(self.code())
    }

    /// The same status (at least `Null` or what `cause` brings), without a value.
    pub const fn nulled(self) -> Self {
        Self(self.0 | Self::NULL_BIT)
    }
}

/// How many values that are not present had each status, and how many of them each level of fall-back answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StatusCounts {
    /// By the status's number.
    pub by_status: [u32; Status::COUNT],
    /// By the fall-back's level, the first level first.
    pub by_level: [u32; Mark::MOST_LEVELS],
}

impl StatusCounts {
    /// Counts a value that is not present.
    pub fn add(&mut self, mark: Mark) {
        self.by_status[mark.status() as usize] += 1;
        if let Some(level) = mark.level().checked_sub(1) {
            self.by_level[level] += 1;
        }
    }

    /// Counts those of the values that are not present.
    pub fn add_all(&mut self, marks: &[Mark]) {
        // A pass that compares 16 marks at once with each status, in counters of a byte, takes far less than a look at each.
        for marks in marks.chunks(u8::MAX as usize) {
            if marks.iter().fold(0, |all, mark| all | mark.0) == 0 {
                continue;
            }
            let [mut stale, mut out_of_range, mut unknown, mut null, mut not_found, mut fallback] =
                [0_u8; Status::COUNT - 1];
            for mark in marks {
                let status = mark.code() >> Mark::STATUS_SHIFT;
                stale += u8::from(status == Status::Stale as u8);
                out_of_range += u8::from(status == Status::OutOfRange as u8);
                unknown += u8::from(status == Status::UnknownCategory as u8);
                null += u8::from(status == Status::Null as u8);
                not_found += u8::from(status == Status::KeyNotFound as u8);
                fallback += u8::from(status == Status::Fallback as u8);
            }
            let found = [stale, out_of_range, unknown, null, not_found, fallback];
            self.by_status[1..].iter_mut().zip(found).for_each(|(count, found)| *count += u32::from(found));
            if fallback > 0 {
                let levels = marks.iter().filter_map(|mark| mark.level().checked_sub(1));
                levels.for_each(|level| self.by_level[level] += 1);
            }
        }
    }
}

impl BitOr for Mark {
    type Output = Mark;

    /// Joins two inputs' marks: null where either is, with the graver status.
    fn bitor(self, other: Mark) -> Mark {
        let code = self.code().max(other.code());
        Mark(((self.0 | other.0) & Self::NULL_BIT) | code)
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
    fn the_level_of_a_fallback_stays_with_it() {
        let joined = Mark::fallback(1) | Mark::fallback(3) | Mark::KEY_NOT_FOUND;
        assert_eq!((joined.status(), joined.level(), joined.wire()), (Status::Fallback, 3, 0x36));
        assert_eq!(Mark::from_code(joined.code()), joined.filled());
        assert_eq!(Mark::fallback(99).level(), Mark::MOST_LEVELS);
        assert_eq!((Mark::STALE | Mark::OUT_OF_RANGE).level(), 0);
        assert_eq!(Mark::KEY_NOT_FOUND.wire(), 5);
    }

    #[test]
    fn statuses_are_counted_over_any_number_of_marks() {
        let kinds = [Mark::PRESENT, Mark::NULL, Mark::NULL.filled(), Mark::OUT_OF_RANGE, Mark::fallback(2)];
        for length in [0, 1, 63, 64, 65, 300] {
            let marks: Vec<Mark> = kinds.iter().copied().cycle().take(length).collect();
            let (mut counts, mut expected) = (StatusCounts::default(), StatusCounts::default());
            counts.add_all(&marks);
            marks.iter().filter(|mark| !mark.is_present()).for_each(|&mark| expected.add(mark));
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
