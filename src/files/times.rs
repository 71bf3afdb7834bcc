//! Arrow's timestamps, dates and durations in the unit wanted, always exactly.

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, Date32Array, Int64Array,
    cast::AsArray,
    make_array,
    types::{
        ArrowPrimitiveType, Date32Type, Date64Type, DurationMicrosecondType, DurationMillisecondType,
        DurationNanosecondType, DurationSecondType, TimestampMicrosecondType, TimestampMillisecondType,
        TimestampNanosecondType, TimestampSecondType,
    },
};
use arrow_schema::{DataType, TimeUnit as ArrowUnit};

use super::fit::{Fit, Loss};
use crate::batch::time::{Time, TimeType, TimeUnit, Zone};

/// Whether a file's type holds such times; each value is checked when it is read.
pub fn is_read_as(data: &DataType, of: TimeType) -> bool {
    use DataType as D;
    match of.time {
        Time::Duration(_) => matches!(data, D::Duration(_)),
        Time::Date => matches!(data, D::Date32 | D::Date64 | D::Timestamp(_, None)),
        Time::Timestamp(_) if of.zone.is_some() => matches!(data, D::Timestamp(_, Some(_))),
        Time::Timestamp(_) => matches!(data, D::Timestamp(..) | D::Date32 | D::Date64),
    }
}

/// The way out where a file's type holds no such times.
pub fn hint(data: &DataType, of: TimeType) -> Option<String> {
    match (data, of.zone) {
        (DataType::Timestamp(_, None), Some(zone)) => {
            Some(format!(": it has no time zone, and times of {zone} need one (in pandas, tz_localize)"))
        }
        _ if data.is_numeric() => Some(
            ": its numbers have no unit. Write it as a timestamp, date or duration column (in pandas, to_datetime with \
             unit=), or declare it int64"
                .to_owned(),
        ),
        _ => None,
    }
}

/// The type of times that loses nothing of a file's type.
pub fn natural(data: &DataType) -> Option<TimeType> {
    let of = |time, zone| Some(TimeType { time, zone });
    match data {
        DataType::Date32 | DataType::Date64 => of(Time::Date, None),
        DataType::Duration(unit) => of(Time::Duration(unit_of(*unit)), None),
        DataType::Timestamp(unit, None) => of(Time::Timestamp(unit_of(*unit)), None),
        DataType::Timestamp(unit, Some(zone)) => {
            of(Time::Timestamp(unit_of(*unit)), Some(zone.parse().unwrap_or(Zone::UTC)))
        }
        _ => None,
    }
}

fn unit_of(unit: ArrowUnit) -> TimeUnit {
    match unit {
        ArrowUnit::Second => TimeUnit::Seconds,
        ArrowUnit::Millisecond => TimeUnit::Milliseconds,
        ArrowUnit::Microsecond => TimeUnit::Microseconds,
        ArrowUnit::Nanosecond => TimeUnit::Nanoseconds,
    }
}

/// The integers of an array of times, and what they count; nothing for another array.
pub fn counts(array: &dyn Array) -> Option<(TimeUnit, Vec<i64>)> {
    use ArrowUnit as A;
    use DataType as D;
    let data = array.data_type();
    let counts = match data {
        D::Timestamp(A::Second, _) => counts_of::<TimestampSecondType>(array),
        D::Timestamp(A::Millisecond, _) => counts_of::<TimestampMillisecondType>(array),
        D::Timestamp(A::Microsecond, _) => counts_of::<TimestampMicrosecondType>(array),
        D::Timestamp(A::Nanosecond, _) => counts_of::<TimestampNanosecondType>(array),
        D::Duration(A::Second) => counts_of::<DurationSecondType>(array),
        D::Duration(A::Millisecond) => counts_of::<DurationMillisecondType>(array),
        D::Duration(A::Microsecond) => counts_of::<DurationMicrosecondType>(array),
        D::Duration(A::Nanosecond) => counts_of::<DurationNanosecondType>(array),
        D::Date32 => counts_of::<Date32Type>(array),
        D::Date64 => counts_of::<Date64Type>(array),
        _ => return None,
    };
    let unit = match data {
        D::Timestamp(unit, _) | D::Duration(unit) => unit_of(*unit),
        D::Date64 => TimeUnit::Milliseconds,
        _ => TimeUnit::Days,
    };
    Some((unit, counts))
}

fn counts_of<T: ArrowPrimitiveType<Native: Into<i64>>>(array: &dyn Array) -> Vec<i64> {
    array.as_primitive::<T>().values().iter().map(|&value| value.into()).collect()
}

/// A count of one unit in another.
pub fn fit(count: i64, from: TimeUnit, to: TimeUnit) -> Fit<i64> {
    if let Some(exact) = to.exactly(count.into(), from) {
        return Fit::Exact(exact);
    }
    let nanoseconds = i128::from(count) * i128::from(from.nanoseconds());
    match i64::try_from(nanoseconds.div_euclid(to.nanoseconds().into())) {
        Ok(near) => Fit::Near(near, Loss::Unit),
        Err(_) => Fit::None(Loss::Range),
    }
}

/// The type that holds such times in a file that is written.
pub fn data_type(of: TimeType) -> DataType {
    let unit = match of.time.unit() {
        TimeUnit::Seconds => ArrowUnit::Second,
        TimeUnit::Milliseconds => ArrowUnit::Millisecond,
        TimeUnit::Microseconds => ArrowUnit::Microsecond,
        TimeUnit::Nanoseconds | TimeUnit::Days => ArrowUnit::Nanosecond,
    };
    match of.time {
        Time::Date => DataType::Date32,
        Time::Duration(_) => DataType::Duration(unit),
        Time::Timestamp(_) => DataType::Timestamp(unit, of.zone.map(|zone| zone.to_string().into())),
    }
}

/// Times as an array of that type.
pub fn array(of: TimeType, times: impl Iterator<Item = Option<i64>>) -> Result<ArrayRef, String> {
    let data = data_type(of);
    let array: ArrayRef = if data == DataType::Date32 {
        let day = |day: i64| {
            i32::try_from(day).map_err(|_| format!("day {day} is beyond what a file's date holds"))
        };
        let days = times.map(|time| time.map(day).transpose()).collect::<Result<Date32Array, String>>()?;
        Arc::new(days)
    } else {
        Arc::new(times.collect::<Int64Array>())
    };
    // Integers of 64 bits are what the other types consist of.
    let array = array.to_data().into_builder().data_type(data).build();
    array.map(make_array).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_exact_or_lossy_towards_the_past() {
        let (seconds, nanoseconds, days) = (TimeUnit::Seconds, TimeUnit::Nanoseconds, TimeUnit::Days);
        assert_eq!(fit(-3, seconds, nanoseconds), Fit::Exact(-3_000_000_000));
        assert_eq!(fit(-1, nanoseconds, seconds), Fit::Near(-1, Loss::Unit));
        assert_eq!(fit(1 << 60, seconds, nanoseconds), Fit::None(Loss::Range));
        assert_eq!(fit(86_400, seconds, days), Fit::Exact(1));
    }

    #[test]
    fn types_of_files_have_their_own() {
        for (data, expected) in [
            (DataType::Date64, "date"),
            (DataType::Duration(ArrowUnit::Millisecond), "duration[ms]"),
            (DataType::Timestamp(ArrowUnit::Microsecond, None), "timestamp[us]"),
            (
                DataType::Timestamp(ArrowUnit::Second, Some("Europe/Berlin".into())),
                "timestamp[s, Europe/Berlin]",
            ),
        ] {
            assert_eq!(natural(&data).expect("a time").to_string(), expected);
        }
        assert_eq!(natural(&DataType::Int64), None);
    }
}
