//! Event times: when the rows of a table were true.

use crate::batch::{
    Element, Type,
    time::{Time, TimeType, TimeUnit, instant},
};

use super::ColumnSchema;

/// Where the event times of a table's rows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventTime {
    /// In the column at this position, scalar timestamps or dates.
    Column(usize),
    /// The same for all rows of the version: nanoseconds since 1970-01-01T00:00:00Z.
    Version(i64),
}

impl EventTime {
    /// Reads what `table.json` says: the name of a column, or else a time with its offset from UTC.
    pub fn read(written: &str, columns: &[ColumnSchema]) -> Result<Self, String> {
        if let Some(position) = columns.iter().position(|column| column.name == written) {
            let of = columns[position].of;
            return match unit(of) {
                Some(_) => Ok(Self::Column(position)),
                None => Err(format!("column {written:?} is {of}, must be a scalar timestamp or date")),
            };
        }
        instant(written).map(Self::Version).ok_or_else(|| {
            format!(
                "{written:?} is neither a column of the table nor a time with its offset, such as 2026-11-25T10:00:00Z"
            )
        })
    }

    /// The text of `table.json` that [`Self::read`] reads as this.
    pub fn written(self, columns: &[ColumnSchema]) -> String {
        match self {
            Self::Column(position) => columns[position].name.clone(),
            Self::Version(instant) => Time::Timestamp(TimeUnit::Nanoseconds).text(instant),
        }
    }
}

/// What the event times in a column of this type count; none where it can't hold them.
pub fn unit(of: Type) -> Option<TimeUnit> {
    match of.element {
        Element::Time(time @ (Time::Timestamp(_) | Time::Date)) if !of.list && of.width.is_none() => {
            Some(time.unit())
        }
        _ => None,
    }
}

/// Reads an age or another span of time, such as `6h` or `PT30M`, in nanoseconds above 0.
pub fn span(text: &str) -> Result<i64, String> {
    let of = TimeType { time: Time::Duration(TimeUnit::Nanoseconds), zone: None };
    match of.parse(text)? {
        span if span > 0 => Ok(span),
        _ => Err(format!("{text:?} must be more than 0")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Stored;

    fn columns() -> Vec<ColumnSchema> {
        let seconds = TimeType { time: Time::Timestamp(TimeUnit::Seconds), zone: None };
        vec![
            ColumnSchema::scalar("price", Stored::Float64),
            ColumnSchema::scalar("updated_at", Stored::Time(seconds)),
            ColumnSchema::list("seen_at", Stored::Time(seconds)),
        ]
    }

    #[test]
    fn a_column_or_a_time_is_read_and_written() {
        for (written, expected) in [
            ("updated_at", EventTime::Column(1)),
            ("1970-01-01T00:00:01.5Z", EventTime::Version(1_500_000_000)),
        ] {
            let read = EventTime::read(written, &columns()).expect("good");
            assert_eq!(read, expected);
            assert_eq!(read.written(&columns()), written);
        }
    }

    #[test]
    fn other_columns_and_texts_are_rejected() {
        for (written, expected) in [
            ("price", "is float64, must be a scalar timestamp or date"),
            ("seen_at", "is list<timestamp[s]>"),
            ("updated", "is neither a column"),
            ("2026-11-25T10:00:00", "with its offset"),
            ("9999-01-01T00:00:00Z", "neither"),
        ] {
            let found = EventTime::read(written, &columns()).expect_err(written);
            assert!(found.contains(expected), "{found}");
        }
    }

    #[test]
    fn spans_have_units_and_pass() {
        assert_eq!(span("6h"), Ok(6 * 3_600_000_000_000));
        assert_eq!(span("1d 12h"), Ok(36 * 3_600_000_000_000));
        for wrong in ["6", "0s", "-5min", "soon"] {
            span(wrong).expect_err(wrong);
        }
    }
}
