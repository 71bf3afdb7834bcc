//! How old the rows of lookups may be.

use super::Builder;
use crate::spec::Stale;

/// The greatest age of a lookup's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Age {
    /// From the event time to the request's clock, in nanoseconds, more than 0.
    pub most: i64,
    /// What is served of an older row.
    pub stale: Stale,
}

impl Age {
    /// The earliest event time of a row that is not too old at `now`, as its table counts: in units of `unit` nanoseconds.
    pub fn earliest(&self, now: i64, unit: i64) -> i64 {
        let nanoseconds = i128::from(now) - i128::from(self.most);
        let unit = i128::from(unit);
        let counted = nanoseconds.div_euclid(unit) + i128::from(nanoseconds.rem_euclid(unit) > 0);
        // A clock and an age of 64 bits can lie before what 64 bits count; every row is fresh then.
        i64::try_from(counted).unwrap_or(i64::MIN)
    }
}

impl Builder<'_> {
    /// Gives a lookup its greatest age, where the spec states one.
    pub(super) fn add_age(&mut self, position: usize, place: &str) {
        let lookup = &self.spec.lookups[position];
        let (max_age, stale) = match (&lookup.max_age, lookup.stale) {
            (None, None) => return,
            (Some(max_age), Some(stale)) => (max_age, stale),
            (Some(_), None) => {
                let message = "is missing: \"serve\" or \"null\", for rows that are older than max_age";
                return self.problems.add(format!("{place}.stale"), message);
            }
            (None, Some(_)) => {
                return self.problems.add(format!("{place}.stale"), "is for lookups with a max_age");
            }
        };
        let Some(schema) = self.schemas.get(&lookup.table) else { return };
        if schema.event_time.is_none() {
            let message = format!("table {:?} has no event_time: its rows have no age", schema.name);
            return self.problems.add(format!("{place}.max_age"), message);
        }
        let built = &mut self.graph.lookups[position];
        built.parent = None;
        built.age = Some(Age { most: max_age.nanoseconds(), stale });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_time_is_the_first_that_is_not_too_old() {
        let earliest = |most: i64, unit: i64, now: i64| Age { most, stale: Stale::Null }.earliest(now, unit);
        // At 10 s and 5 ns, with an age of 3 s: 7 s is too old by 5 ns.
        assert_eq!(earliest(3_000_000_000, 1_000_000_000, 10_000_000_005), 8);
        assert_eq!(earliest(3_000_000_000, 1_000_000_000, 10_000_000_000), 7);
        assert_eq!(earliest(3_000_000_000, 1, 10_000_000_005), 7_000_000_005);
        assert_eq!(earliest(3, 1_000, 2), 0);
        assert_eq!(earliest(i64::MAX, 1, -9), i64::MIN);
    }
}
