//! Times as people and files write them: ISO 8601, or a count with its unit.

use jiff::{Span, SpanRelativeTo, Timestamp, civil::Date};

use super::{Time, TimeType, TimeUnit};

/// Nanoseconds in a second.
const SECOND: i64 = 1_000_000_000;

/// What an ISO 8601 text states: a date, perhaps a time of day, perhaps an offset from UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Civil {
    pub date: Date,
    /// Nanoseconds since midnight; `None` for a date alone.
    pub of_day: Option<i64>,
    /// Seconds ahead of UTC.
    pub offset: Option<i32>,
}

impl Civil {
    /// Nanoseconds since 1970-01-01T00:00:00 on the clock that it was read from.
    pub fn wall(self) -> i128 {
        let days = (self.date.year(), self.date.month(), self.date.day());
        i128::from(days_since_epoch(days)) * i128::from(TimeUnit::Days.nanoseconds())
            + i128::from(self.of_day.unwrap_or(0))
    }

    /// Nanoseconds since 1970-01-01T00:00:00Z, as its offset says; a text without one counts as UTC.
    pub fn instant(self) -> i128 {
        self.wall() - i128::from(self.offset.unwrap_or(0)) * i128::from(SECOND)
    }
}

/// The days from 1970-01-01 to a date of the proleptic Gregorian calendar.
fn days_since_epoch((year, month, day): (i16, i8, i8)) -> i64 {
    // Years begin in March, so that the leap day is a year's last; eras are of 400 years.
    let (month, day) = (i64::from(month), i64::from(day));
    let year = i64::from(year) - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Reads an ISO 8601 date and time of the extended format: `2024-01-31`, `2024-01-31T08:30`,
/// `2024-01-31 08:30:00.25+01:00`, `2024-01-31T08:30:00Z`. Years have four digits, fractions nine at most.
pub fn civil(text: &str) -> Option<Civil> {
    let mut rest = text.as_bytes();
    let year = digits(&mut rest, 4)?;
    let month = after(&mut rest, b'-').then(|| digits(&mut rest, 2))??;
    let day = after(&mut rest, b'-').then(|| digits(&mut rest, 2))??;
    let date = Date::new(year as i16, month as i8, day as i8).ok()?;
    if rest.is_empty() {
        return Some(Civil { date, of_day: None, offset: None });
    }
    if !(after(&mut rest, b'T') || after(&mut rest, b' ')) {
        return None;
    }
    let of_day = time_of_day(&mut rest)?;
    let offset = offset(&mut rest)?;
    rest.is_empty().then_some(Civil { date, of_day: Some(of_day), offset })
}

/// Nanoseconds since 1970-01-01T00:00:00Z of a date and time with its offset from UTC; none beyond int64.
pub fn instant(text: &str) -> Option<i64> {
    civil(text).filter(|read| read.offset.is_some()).and_then(|read| i64::try_from(read.instant()).ok())
}

/// Nanoseconds since midnight.
fn time_of_day(rest: &mut &[u8]) -> Option<i64> {
    let hour = digits(rest, 2)?;
    let minute = after(rest, b':').then(|| digits(rest, 2))??;
    let second = if after(rest, b':') { digits(rest, 2)? } else { 0 };
    let fraction = if after(rest, b'.') { fraction(rest)? } else { 0 };
    let seconds = (hour * 60 + minute) * 60 + second;
    (hour < 24 && minute < 60 && second < 60).then_some(seconds * SECOND + fraction)
}

/// Nanoseconds of a second's decimals, nine at most.
fn fraction(rest: &mut &[u8]) -> Option<i64> {
    let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let value = (1..=9).contains(&count).then(|| digits(rest, count))??;
    Some(value * 10_i64.pow(9 - count as u32))
}

/// Seconds ahead of UTC, if any are stated; `None` where they are malformed.
fn offset(rest: &mut &[u8]) -> Option<Option<i32>> {
    if after(rest, b'Z') {
        return Some(Some(0));
    }
    let sign = match rest.first() {
        None => return Some(None),
        Some(b'+') => 1,
        Some(b'-') => -1,
        Some(_) => return None,
    };
    *rest = &rest[1..];
    let hours = digits(rest, 2)?;
    let minutes = if rest.is_empty() {
        0
    } else {
        after(rest, b':');
        digits(rest, 2)?
    };
    (hours < 24 && minutes < 60).then_some(Some(sign * (hours * 3600 + minutes * 60) as i32))
}

/// The number of exactly `count` digits.
fn digits(rest: &mut &[u8], count: usize) -> Option<i64> {
    let (number, after) = rest.split_at_checked(count)?;
    *rest = after;
    number
        .iter()
        .try_fold(0, |value, byte| byte.is_ascii_digit().then(|| value * 10 + i64::from(byte - b'0')))
}

/// Passes over a byte, if it is next.
fn after(rest: &mut &[u8], byte: u8) -> bool {
    let is_next = rest.first() == Some(&byte);
    if is_next {
        *rest = &rest[1..];
    }
    is_next
}

impl Time {
    /// A time as people read it: ISO 8601, or a count with its unit for a duration and what no calendar has.
    pub fn text(self, count: i64) -> String {
        let unit = self.unit();
        let instant = || {
            let nanoseconds = i128::from(count) * i128::from(unit.nanoseconds());
            Timestamp::from_nanosecond(nanoseconds).ok().map(|instant| instant.to_string())
        };
        let text = match self {
            Self::Duration(_) => None,
            Self::Timestamp(_) => instant(),
            Self::Date => instant().and_then(|text| text.split_once('T').map(|(date, _)| date.to_owned())),
        };
        text.unwrap_or_else(|| format!("{count}{}", unit.symbol()))
    }
}

impl TimeType {
    /// The integer that a text stands for: ISO 8601, or a count with its unit (`1700000000s`, `19000d`). What this type
    /// can't hold exactly is rejected.
    pub fn parse(self, text: &str) -> Result<i64, String> {
        let unit = self.time.unit();
        let (count, of) = match self.time {
            Time::Duration(_) => (duration(text)?, TimeUnit::Nanoseconds),
            Time::Timestamp(_) | Time::Date => match with_unit(text)? {
                Some(counted) => counted,
                None => (self.point(text)?, TimeUnit::Nanoseconds),
            },
        };
        unit.exactly(count, of)
            .ok_or_else(|| format!("{text:?} is not a whole number of {} within int64", unit.name()))
    }

    /// Nanoseconds since 1970-01-01T00:00:00Z of a date and time.
    fn point(self, text: &str) -> Result<i128, String> {
        let read = civil(text).ok_or_else(|| {
            format!(
                "{text:?} is not {self}: write ISO 8601, such as {}",
                if self.time == Time::Date { "2024-01-31" } else { "2024-01-31T08:30:00Z" }
            )
        })?;
        match (self.time, self.zone) {
            (Time::Date, _) if read.offset.is_some() => {
                Err(format!("{text:?} has an offset, a calendar day has none"))
            }
            (Time::Timestamp(_), Some(zone)) if read.offset.is_none() => Err(format!(
                "{text:?} has no offset from UTC, which times of {zone} need: end it with Z or +01:00, say"
            )),
            _ => Ok(read.instant()),
        }
    }
}

/// A count and its unit, where the text begins as one and is no date.
fn with_unit(text: &str) -> Result<Option<(i128, TimeUnit)>, String> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let digits = unsigned.bytes().take_while(u8::is_ascii_digit).count();
    let (number, symbol) = text.split_at(text.len() - unsigned.len() + digits);
    let Ok(count) = number.parse::<i64>() else { return Ok(None) };
    if symbol.is_empty() {
        return Err(format!(
            "{text:?} has no unit: write {text}s, {text}ms, {text}us or {text}ns, whichever it counts"
        ));
    }
    let unit = TimeUnit::ALL.into_iter().find(|unit| unit.symbol() == symbol);
    Ok(unit.map(|unit| (count.into(), unit)))
}

/// Nanoseconds of a duration, of which days have 24 hours.
fn duration(text: &str) -> Result<i128, String> {
    let span = text.parse::<Span>().ok();
    let span = span.and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()).ok());
    span.map(|span| span.as_nanos()).ok_or_else(|| {
        format!(
            "{text:?} is not a duration: write a count with its unit, such as 90s, 1500ms, 2h 30m or PT2H30M"
        )
    })
}

#[cfg(test)]
mod tests {
    use jiff::{Timestamp, tz::Offset};
    use proptest::prelude::*;

    use super::*;

    fn parse(of: &str, text: &str) -> Result<i64, String> {
        of.parse::<TimeType>().expect("a type").parse(text)
    }

    #[test]
    fn points_in_time_are_exact() {
        for (of, text, expected) in [
            ("timestamp[s]", "1970-01-01T00:00:00Z", 0),
            ("timestamp[s]", "1969-12-31 23:59:59", -1),
            ("timestamp[ms]", "2024-02-29T12:00:00.250+01:00", 1_709_204_400_250),
            ("timestamp[us, Europe/Berlin]", "2024-02-29T12:00+0100", 1_709_204_400_000_000),
            ("timestamp[ns]", "2024-02-29T11:00:00.000000001Z", 1_709_204_400_000_000_001),
            ("timestamp[ms]", "1700000000s", 1_700_000_000_000),
            ("timestamp[s]", "-1700000000000000us", -1_700_000_000),
            ("timestamp[s]", "2024-01-02", 1_704_153_600),
            ("date", "2024-01-02", 19_724),
            ("date", "0000-01-01", -719_528),
            ("date", "9999-12-31", 2_932_896),
            ("date", "-3d", -3),
            ("duration[ms]", "90s", 90_000),
            ("duration[s]", "PT2H30M", 9_000),
            ("duration[us]", "1 days 02:00:00.000005", 93_600_000_005),
        ] {
            assert_eq!(parse(of, text), Ok(expected), "{of} {text}");
        }
    }

    #[test]
    fn what_is_not_exact_or_not_stated_is_rejected() {
        for (of, text, expected) in [
            ("timestamp[s]", "2024-01-02T00:00:00.5Z", "whole number of seconds"),
            ("timestamp[ns]", "9999-01-01T00:00:00Z", "within int64"),
            ("timestamp[s]", "1700000000", "has no unit"),
            ("timestamp[us, Europe/Berlin]", "2024-01-02T00:00:00", "no offset"),
            ("timestamp[s]", "2024-02-30T00:00:00Z", "ISO 8601"),
            ("timestamp[s]", "2024-01-02T24:00:00Z", "ISO 8601"),
            ("timestamp[s]", "2024-01-02T23:59:60Z", "ISO 8601"),
            ("timestamp[s]", "1700000000 s", "ISO 8601"),
            ("timestamp[s]", "02.01.2024", "ISO 8601"),
            ("date", "2024-01-02T12:00:00", "whole number of days"),
            ("date", "2024-01-02T00:00:00Z", "has an offset"),
            ("duration[s]", "90", "not a duration"),
            ("duration[s]", "1 month", "not a duration"),
            ("duration[s]", "1500ms", "whole number of seconds"),
        ] {
            let found = parse(of, text).expect_err(text);
            assert!(found.contains(expected), "{of} {text}: {found}");
        }
    }

    proptest! {
        #[test]
        fn instants_are_those_of_jiff(
            nanosecond in i64::MIN..i64::MAX, digits in 0..=9_u8, minutes in -1439..1440_i32
        ) {
            let at = Timestamp::from_nanosecond(nanosecond.into()).expect("in range");
            let unit = 10_i64.pow(9 - u32::from(digits));
            let cut = i128::from(nanosecond.div_euclid(unit)) * i128::from(unit);
            let offset = Offset::from_seconds(minutes * 60).expect("less than a day");
            let text = format!("{:.*}", usize::from(digits), at.display_with_offset(offset));
            let read = civil(&text).expect("a time");
            prop_assert_eq!(read.instant(), cut, "{}", text);
            prop_assert_eq!(read.offset, Some(minutes * 60));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,30}|[0-9T:.+Z -]{0,40}") {
            civil(&text);
            for of in ["timestamp[ns]", "timestamp[s, UTC]", "date", "duration[ns]"] {
                let _either = parse(of, &text);
            }
        }
    }
}
