//! Units of integer times.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What an integer time counts, since 1970-01-01T00:00:00Z where it is a point in time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TimeUnit {
    Seconds,
    Milliseconds,
    Microseconds,
    Nanoseconds,
    /// Calendar days, without a time of day.
    Days,
}

impl TimeUnit {
    /// Nanoseconds in one.
    pub fn nanoseconds(self) -> i64 {
        match self {
            Self::Nanoseconds => 1,
            Self::Microseconds => 1_000,
            Self::Milliseconds => 1_000_000,
            Self::Seconds => 1_000_000_000,
            Self::Days => 86_400_000_000_000,
        }
    }

    /// The whole second that a time lies in, rounded towards the past; none beyond int64.
    pub fn second(self, time: i64) -> Option<i64> {
        match self {
            Self::Nanoseconds => Some(time.div_euclid(1_000_000_000)),
            Self::Microseconds => Some(time.div_euclid(1_000_000)),
            Self::Milliseconds => Some(time.div_euclid(1_000)),
            Self::Seconds => Some(time),
            Self::Days => time.checked_mul(86_400),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_round_towards_the_past() {
        assert_eq!(TimeUnit::Milliseconds.second(-1), Some(-1));
        assert_eq!(TimeUnit::Nanoseconds.second(1_999_999_999), Some(1));
        assert_eq!(TimeUnit::Days.second(-2), Some(-172_800));
        assert_eq!(TimeUnit::Days.second(i64::MAX), None);
    }
}
