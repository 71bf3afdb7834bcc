//! Which row of a table a key led to, or why to none.

use crate::batch::{Mark, Position};

/// A row of a table, or why there is none: the key was not found, it was null, or the row is older than its lookup allows.
///
/// The numbers are the same whatever the table holds, so that a number never has to be held against a table's size. The
/// lower half are rows of the table itself; in the upper half lie rows written since (a level and a row in it), and last the
/// three that stand for none.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct RowNumber(u32);

impl RowNumber {
    /// The key was not found.
    pub const NOT_FOUND: Self = Self(u32::MAX);

    /// The key was null.
    pub const NULL: Self = Self(u32::MAX - 1);

    /// The row is too old to be served.
    pub const STALE: Self = Self(u32::MAX - 2);

    /// The most rows of a table.
    pub const LIMIT: u32 = 1 << 31;

    const LEVEL_BITS: u32 = 27;

    /// The most rows of one level.
    pub const LEVEL_LIMIT: u32 = 1 << Self::LEVEL_BITS;

    /// The most levels: the numbers of one more would be those of the rows that are none.
    pub const LEVELS: usize = 15;

    /// How many places stand before those of rows in what is kept by [`Self::place`]: those of the three that are none.
    pub const PLACES_BEFORE: usize = 3;

    /// Row `row` of a table, which is below [`Self::LIMIT`].
    #[inline]
    pub const fn row(row: u32) -> Self {
        Self(row)
    }

    /// Whether there is a row.
    #[inline]
    pub const fn is_found(self) -> bool {
        self.0 < Self::STALE.0
    }

    /// The mark of what a row that is none has; none for a row.
    #[inline]
    pub const fn none(self) -> Option<Mark> {
        match self {
            Self::NOT_FOUND => Some(Mark::KEY_NOT_FOUND),
            Self::NULL => Some(Mark::NULL),
            Self::STALE => Some(Mark::STALE.nulled()),
            _ => None,
        }
    }

    /// The position among a table's rows; beyond all of them where there is no row.
    #[inline]
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// Row `row`, which is below [`Self::LEVEL_LIMIT`], of those written to level `level`, which is below
    /// [`Self::LEVELS`].
    #[inline]
    pub const fn written(level: usize, row: u32) -> Self {
        Self(Self::LIMIT | (level as u32) << Self::LEVEL_BITS | row)
    }

    /// The level and the row in it, where it is a row written since the table's version was made.
    #[inline]
    pub const fn level(self) -> Option<(usize, u32)> {
        if self.0 < Self::LIMIT || !self.is_found() {
            return None;
        }
        let written = self.0 & !Self::LIMIT;
        Some(((written >> Self::LEVEL_BITS) as usize, written & (Self::LEVEL_LIMIT - 1)))
    }

    /// The position among what is kept for each row of a table and, before the rows, for the three that are none: 0 for
    /// stale, 1 for null, 2 for not found.
    #[inline]
    pub const fn place(self) -> usize {
        self.0.wrapping_add(Self::PLACES_BEFORE as u32) as usize
    }

    /// The number whose place it is.
    #[inline]
    pub const fn of_place(place: usize) -> Self {
        Self((place as u32).wrapping_sub(Self::PLACES_BEFORE as u32))
    }
}

impl Position for RowNumber {
    #[inline]
    fn position(self) -> usize {
        self.place()
    }
}

impl std::fmt::Debug for RowNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {
            Self::NOT_FOUND => f.write_str("not found"),
            Self::NULL => f.write_str("null"),
            Self::STALE => f.write_str("stale"),
            number => match number.level() {
                Some((level, row)) => write!(f, "row {row} of level {level}"),
                None => write!(f, "row {}", number.0),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_none_has_the_first_places() {
        let last = RowNumber::row(RowNumber::LIMIT - 1);
        let numbers = [RowNumber::STALE, RowNumber::NULL, RowNumber::NOT_FOUND, RowNumber::row(0), last];
        assert_eq!(numbers.map(RowNumber::place), [0, 1, 2, 3, RowNumber::LIMIT as usize + 2]);
        for number in numbers {
            assert_eq!(RowNumber::of_place(number.place()), number);
        }
        assert_eq!(numbers.map(RowNumber::is_found), [false, false, false, true, true]);
        assert_eq!(numbers.map(RowNumber::level), [None; 5]);
    }

    #[test]
    fn written_rows_have_a_level() {
        let last = RowNumber::LEVEL_LIMIT - 1;
        for (level, row) in [(0, 0), (0, last), (3, 7), (RowNumber::LEVELS - 1, last)] {
            let number = RowNumber::written(level, row);
            assert!(number.is_found());
            assert_eq!(number.level(), Some((level, row)));
        }
    }
}
