//! Times: what an integer counts, and since when.

mod text;
mod zone;

use std::{
    fmt,
    str::FromStr,
    time::{SystemTime, UNIX_EPOCH},
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use text::{Civil, civil, instant};
pub use zone::Zone;

/// What an integer time counts, since 1970-01-01T00:00:00Z where it is a point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
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
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Seconds, Self::Milliseconds, Self::Microseconds, Self::Nanoseconds, Self::Days];

    /// The units of timestamps and durations.
    pub const CLOCK: [Self; 4] = [Self::Seconds, Self::Milliseconds, Self::Microseconds, Self::Nanoseconds];

    /// The name that operations use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Seconds => "seconds",
            Self::Milliseconds => "milliseconds",
            Self::Microseconds => "microseconds",
            Self::Nanoseconds => "nanoseconds",
            Self::Days => "days",
        }
    }

    /// The short name, as in `timestamp[ms]`.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Seconds => "s",
            Self::Milliseconds => "ms",
            Self::Microseconds => "us",
            Self::Nanoseconds => "ns",
            Self::Days => "d",
        }
    }

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

    /// As many of this unit as `count` of another, where that is a whole number within int64.
    pub fn exactly(self, count: i128, of: TimeUnit) -> Option<i64> {
        let nanoseconds = count.checked_mul(of.nanoseconds().into())?;
        let unit = i128::from(self.nanoseconds());
        (nanoseconds % unit == 0).then(|| i64::try_from(nanoseconds / unit).ok())?
    }
}

/// The system's clock, in nanoseconds since 1970-01-01T00:00:00Z.
pub fn now() -> i64 {
    let since = |time: SystemTime| time.duration_since(UNIX_EPOCH).ok();
    since(SystemTime::now()).and_then(|since| i64::try_from(since.as_nanos()).ok()).unwrap_or_default()
}

/// What kind of time an integer is, and its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Time {
    /// A point in time, counted since 1970-01-01T00:00:00Z.
    Timestamp(TimeUnit),
    Duration(TimeUnit),
    /// A calendar day, counted since 1970-01-01.
    Date,
}

impl Time {
    /// What the integer counts.
    pub fn unit(self) -> TimeUnit {
        match self {
            Self::Timestamp(unit) | Self::Duration(unit) => unit,
            Self::Date => TimeUnit::Days,
        }
    }

    /// The name that specs use.
    pub fn name(self) -> &'static str {
        use TimeUnit as U;
        match self {
            Self::Timestamp(U::Seconds) => "timestamp[s]",
            Self::Timestamp(U::Milliseconds) => "timestamp[ms]",
            Self::Timestamp(U::Microseconds) => "timestamp[us]",
            Self::Timestamp(U::Nanoseconds) => "timestamp[ns]",
            Self::Duration(U::Seconds) => "duration[s]",
            Self::Duration(U::Milliseconds) => "duration[ms]",
            Self::Duration(U::Microseconds) => "duration[us]",
            Self::Duration(U::Nanoseconds) => "duration[ns]",
            Self::Duration(U::Days) => "duration[d]",
            Self::Timestamp(U::Days) | Self::Date => "date",
        }
    }

    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        let of_unit = |unit| [Self::Timestamp(unit), Self::Duration(unit)];
        TimeUnit::CLOCK.into_iter().flat_map(of_unit).chain([Self::Date])
    }
}

/// A time's type as specs and tables write it: `timestamp[us]`, `timestamp[us, Europe/Berlin]`, `duration[s]`, `date`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimeType {
    pub time: Time,
    /// Of timestamps alone: whose clocks they were read from. They count from 1970-01-01T00:00:00Z with a zone and
    /// without one.
    pub zone: Option<Zone>,
}

impl TimeType {
    /// Whether both are timestamps of one zone, durations or dates, whatever their units are.
    pub fn is_same_kind(self, other: Self) -> bool {
        std::mem::discriminant(&self.time) == std::mem::discriminant(&other.time) && self.zone == other.zone
    }
}

impl fmt::Display for TimeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.zone {
            None => f.write_str(self.time.name()),
            Some(zone) => write!(f, "timestamp[{}, {zone}]", self.time.unit().symbol()),
        }
    }
}

impl FromStr for TimeType {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let unit_of = |symbol: &str| TimeUnit::CLOCK.into_iter().find(|unit| unit.symbol() == symbol);
        let of = |time| Ok(Self { time, zone: None });
        let inside = |prefix: &str| text.strip_prefix(prefix).and_then(|rest| rest.strip_suffix(']'));
        if text == Time::Date.name() {
            return of(Time::Date);
        }
        let (unit, zone) = match (inside("timestamp["), inside("duration[")) {
            (Some(inside), _) => {
                inside.split_once(',').map_or((inside, None), |(unit, zone)| (unit, Some(zone)))
            }
            (None, Some(inside)) => (inside, None),
            (None, None) => return Err(format!("{text:?} is no type of times: {KNOWN}")),
        };
        let unit =
            unit_of(unit.trim()).ok_or_else(|| format!("{text:?} has no unit s, ms, us or ns: {KNOWN}"))?;
        match zone {
            Some(zone) => Ok(Self { time: Time::Timestamp(unit), zone: Some(zone.trim().parse()?) }),
            None if text.starts_with("duration") => of(Time::Duration(unit)),
            None => of(Time::Timestamp(unit)),
        }
    }
}

/// How types of times are written.
const KNOWN: &str = "they are timestamp[UNIT], timestamp[UNIT, ZONE], duration[UNIT] and date";

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

    #[test]
    fn units_are_converted_where_nothing_is_lost() {
        let (seconds, nanoseconds) = (TimeUnit::Seconds, TimeUnit::Nanoseconds);
        assert_eq!(nanoseconds.exactly(-7, seconds), Some(-7_000_000_000));
        assert_eq!(seconds.exactly(-7_000_000_000, nanoseconds), Some(-7));
        assert_eq!(seconds.exactly(1, nanoseconds), None);
        assert_eq!(nanoseconds.exactly(1 << 60, seconds), None);
        assert_eq!(TimeUnit::Days.exactly(172_800_000, TimeUnit::Milliseconds), Some(2));
        assert_eq!(TimeUnit::Days.exactly(i128::MAX, TimeUnit::Milliseconds), None);
    }

    #[test]
    fn types_are_written_as_they_are_read() {
        let all = Time::all().map(|time| TimeType { time, zone: None }.to_string());
        let zones = ["UTC", "Europe/Berlin", "+05:30", "-03:30"];
        for text in all.chain(zones.map(|zone| format!("timestamp[us, {zone}]"))) {
            let read: TimeType = text.parse().expect("a type");
            assert_eq!(read.to_string(), text);
        }
        for text in
            ["timestamp", "timestamp[d]", "timestamp[us, Mars]", "duration[s, UTC]", "date[s]", "time"]
        {
            assert!(text.parse::<TimeType>().is_err(), "{text}");
        }
    }
}
