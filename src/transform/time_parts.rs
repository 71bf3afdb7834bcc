//! Time parts: the year, the hour and so on of a point in time.

use jiff::{
    Timestamp,
    civil::{DateTime, Weekday},
    tz::TimeZone,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Compiled, Kernel, Operation, single, times};
use crate::{
    batch::{
        Column, Element, Mark, Type,
        time::{TimeUnit, Zone},
    },
    problem::Problems,
};

/// A part of a point in time (a timestamp, a date or an int64), as int64. Null stays null; a time outside of the years -9999 to 9999 (less a day at either end) is null, its status
/// out of range. Time zones follow the database that is part of this program, never the machine's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TimeParts {
    pub part: Part,
    /// What the input counts since 1970-01-01T00:00:00Z: the unit of timestamps, "days" for dates. Smaller units are cut off towards the past.
    pub unit: TimeUnit,
    /// Whose clocks and calendar: "UTC", a name of the IANA database ("Europe/Berlin") or an offset ("+02:00"). Days are
    /// calendar days already: their zone is "UTC".
    pub zone: String,
    /// How days of the week are numbered. Written for "day_of_week" and for no other part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_day: Option<FirstDay>,
}

/// A part of a point in time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    Year,
    /// From 1 to 4.
    Quarter,
    /// From 1 to 12.
    Month,
    /// The ISO 8601 week, from 1 to 53: the first has the year's first Thursday.
    Week,
    /// The day of the month, from 1.
    Day,
    /// From 1 to 366.
    DayOfYear,
    /// As `first_day` numbers them.
    DayOfWeek,
    /// From 0 to 23.
    Hour,
    /// From 0 to 59.
    Minute,
    /// From 0 to 59.
    Second,
    /// 1 on Saturday and Sunday, else 0.
    IsWeekend,
    /// From 0, Monday's first hour, to 167.
    HourOfWeek,
}

/// The day with which the week begins, and its number.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FirstDay {
    /// pandas, Python's `weekday`, Spark's `weekday`.
    #[serde(rename = "monday_0")]
    Monday0,
    /// ISO 8601.
    #[serde(rename = "monday_1")]
    Monday1,
    #[serde(rename = "sunday_0")]
    Sunday0,
    /// Spark's `dayofweek`.
    #[serde(rename = "sunday_1")]
    Sunday1,
}

impl Operation for TimeParts {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let input = single(inputs)?;
        let mut problems = Problems::none();
        if times::is_point(input) {
            times::check_unit(inputs, self.unit, &mut problems);
        } else {
            problems.add("", format!("takes a timestamp, a date or int64, its input is {input}"));
        }
        let zone = self.zone.parse::<Zone>().map_err(|why| problems.add("zone", why)).unwrap_or(Zone::UTC);
        if self.unit == TimeUnit::Days && zone != Zone::UTC {
            problems.add("zone", "must be \"UTC\" for days, which are calendar days already");
        }
        if (self.part == Part::DayOfWeek) != self.first_day.is_some() {
            problems.add("first_day", "is written for \"day_of_week\" and for no other part");
        }
        problems.or(())?;
        let first_day = self.first_day.unwrap_or(FirstDay::Monday0);
        let kernel = TimePartsKernel { part: self.part, unit: self.unit, zone: zone.clocks(), first_day };
        Ok(Compiled::new(Type { element: Element::Int64, nullable: true, ..input }, kernel))
    }
}

#[derive(Debug)]
struct TimePartsKernel {
    part: Part,
    unit: TimeUnit,
    zone: TimeZone,
    first_day: FirstDay,
}

impl Kernel for TimePartsKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        let first_day = self.first_day;
        match self.part {
            Part::Year => self.map(inputs[0], out, |at| at.year().into()),
            Part::Quarter => self.map(inputs[0], out, |at| (i64::from(at.month()) + 2) / 3),
            Part::Month => self.map(inputs[0], out, |at| at.month().into()),
            Part::Week => self.map(inputs[0], out, |at| at.date().iso_week_date().week().into()),
            Part::Day => self.map(inputs[0], out, |at| at.day().into()),
            Part::DayOfYear => self.map(inputs[0], out, |at| at.day_of_year().into()),
            Part::DayOfWeek => self.map(inputs[0], out, |at| first_day.number(at.weekday())),
            Part::Hour => self.map(inputs[0], out, |at| at.hour().into()),
            Part::Minute => self.map(inputs[0], out, |at| at.minute().into()),
            Part::Second => self.map(inputs[0], out, |at| at.second().into()),
            Part::IsWeekend => {
                self.map(inputs[0], out, |at| (FirstDay::Monday0.number(at.weekday()) >= 5).into());
            }
            Part::HourOfWeek => self
                .map(inputs[0], out, |at| FirstDay::Monday0.number(at.weekday()) * 24 + i64::from(at.hour())),
        }
    }
}

impl TimePartsKernel {
    fn map(&self, input: &Column, out: &mut Column, part: impl Fn(DateTime) -> i64) {
        let (values, marks) = out.int64_mut();
        for (&time, &mark) in input.int64().iter().zip(&input.marks) {
            match if mark.is_null() { None } else { self.on_the_clock(time) } {
                Some(at) => {
                    values.push(part(at));
                    marks.push(mark);
                }
                None => {
                    values.push(0);
                    marks.push(if mark.is_null() { mark } else { mark | Mark::OUT_OF_RANGE.nulled() });
                }
            }
        }
    }

    /// Date and time of day in the zone.
    fn on_the_clock(&self, time: i64) -> Option<DateTime> {
        let at = Timestamp::from_second(self.unit.second(time)?).ok()?;
        Some(self.zone.to_offset(at).to_datetime(at))
    }
}

impl FirstDay {
    fn number(self, day: Weekday) -> i64 {
        let number = match self {
            Self::Monday0 => day.to_monday_zero_offset(),
            Self::Monday1 => day.to_monday_one_offset(),
            Self::Sunday0 => day.to_sunday_zero_offset(),
            Self::Sunday1 => day.to_sunday_one_offset(),
        };
        number.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::check::integers;

    fn of(part: Part, unit: TimeUnit, zone: &str) -> TimeParts {
        let first_day = (part == Part::DayOfWeek).then_some(FirstDay::Monday0);
        TimeParts { part, unit, zone: zone.into(), first_day }
    }

    fn run(of: &TimeParts, times: &[Option<i64>]) -> Column {
        let compiled = of.compile(&[Type::scalar(Element::Int64)]).expect("good");
        let mut out = Column::new(compiled.output);
        compiled.kernel.run(&[&integers(times)], &mut out);
        out
    }

    const PARTS: [Part; 12] = [
        Part::Year,
        Part::Quarter,
        Part::Month,
        Part::Week,
        Part::Day,
        Part::DayOfYear,
        Part::DayOfWeek,
        Part::Hour,
        Part::Minute,
        Part::Second,
        Part::IsWeekend,
        Part::HourOfWeek,
    ];

    /// By Python's datetime and zoneinfo: zone, seconds, the parts in the order of `PARTS`.
    #[rustfmt::skip]
    const CASES: [(&str, i64, [i64; 12]); 19] = [
        ("UTC", 0, [1970, 1, 1, 1, 1, 1, 3, 0, 0, 0, 0, 72]),
        ("UTC", -1, [1969, 4, 12, 1, 31, 365, 2, 23, 59, 59, 0, 71]),
        ("UTC", 951782400, [2000, 1, 2, 9, 29, 60, 1, 0, 0, 0, 0, 24]),
        ("UTC", 1735603200, [2024, 4, 12, 1, 31, 366, 1, 0, 0, 0, 0, 24]),
        ("UTC", -62135596800, [1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0]),
        ("UTC", 253402207199, [9999, 4, 12, 52, 30, 364, 3, 21, 59, 59, 0, 93]),
        ("+05:30", 1709999999, [2024, 1, 3, 10, 9, 69, 5, 21, 29, 59, 1, 141]),
        ("-03:30", 1704067199, [2023, 4, 12, 52, 31, 365, 6, 20, 29, 59, 1, 164]),
        ("Europe/Berlin", 1711846799, [2024, 1, 3, 13, 31, 91, 6, 1, 59, 59, 1, 145]),
        ("Europe/Berlin", 1711846800, [2024, 1, 3, 13, 31, 91, 6, 3, 0, 0, 1, 147]),
        ("Europe/Berlin", 1729990800, [2024, 4, 10, 43, 27, 301, 6, 2, 0, 0, 1, 146]),
        ("America/New_York", 1710054000, [2024, 1, 3, 10, 10, 70, 6, 3, 0, 0, 1, 147]),
        ("America/New_York", 1710053999, [2024, 1, 3, 10, 10, 70, 6, 1, 59, 59, 1, 145]),
        ("America/New_York", 4102444800, [2099, 4, 12, 53, 31, 365, 3, 19, 0, 0, 0, 91]),
        ("Australia/Lord_Howe", 1712415600, [2024, 2, 4, 14, 7, 98, 6, 1, 30, 0, 1, 145]),
        ("Asia/Kathmandu", 1700000000, [2023, 4, 11, 46, 15, 319, 2, 3, 58, 20, 0, 51]),
        ("Europe/Berlin", -1500000000, [1922, 2, 6, 25, 20, 171, 1, 22, 20, 0, 0, 46]),
        ("America/Sao_Paulo", 1541300400, [2018, 4, 11, 44, 4, 308, 6, 1, 0, 0, 1, 145]),
        ("Pacific/Apia", 1325239200, [2011, 4, 12, 52, 31, 365, 5, 0, 0, 0, 1, 120]),
    ];

    #[test]
    fn parts_are_those_of_python() {
        for (zone, time, expected) in CASES {
            let parts = PARTS.map(|part| run(&of(part, TimeUnit::Seconds, zone), &[Some(time)]).int64()[0]);
            assert_eq!(parts, expected, "{zone} {time}");
        }
    }

    #[test]
    fn weeks_begin_as_told() {
        // 2024-03-10 is a Sunday.
        for (first_day, number) in
            [(FirstDay::Monday0, 6), (FirstDay::Monday1, 7), (FirstDay::Sunday0, 0), (FirstDay::Sunday1, 1)]
        {
            let of = TimeParts { first_day: Some(first_day), ..of(Part::DayOfWeek, TimeUnit::Days, "UTC") };
            assert_eq!(run(&of, &[Some(19_792)]).int64(), [number]);
        }
    }

    #[test]
    fn units_round_towards_the_past() {
        let second = |unit, time| run(&of(Part::Second, unit, "UTC"), &[Some(time)]).int64()[0];
        assert_eq!(second(TimeUnit::Milliseconds, -1), 59);
        assert_eq!(second(TimeUnit::Microseconds, 61_999_999), 1);
        assert_eq!(second(TimeUnit::Nanoseconds, -60_000_000_001), 59);
        assert_eq!(run(&of(Part::Year, TimeUnit::Days, "UTC"), &[Some(-1)]).int64(), [1969]);
    }

    #[test]
    fn times_without_a_date_are_out_of_range() {
        let out = run(&of(Part::Hour, TimeUnit::Seconds, "UTC"), &[Some(i64::MAX), None, Some(0)]);
        assert_eq!(out.marks, [Mark::OUT_OF_RANGE.nulled(), Mark::NULL, Mark::PRESENT]);
        // The last second of the last year, where the clocks are ahead of UTC.
        let ahead = run(&of(Part::Year, TimeUnit::Seconds, "+23:59"), &[Some(253_402_207_200)]);
        assert_eq!(ahead.marks.len(), 1);
    }

    #[test]
    fn zones_and_first_days_are_checked() {
        let compile = |of: TimeParts| of.compile(&[Type::scalar(Element::Int64)]);
        for zone in ["Mars/Olympus", "+2:00", "+24:00", "+02:60", "+aa:00", "", "-", "+02:00:00"] {
            assert!(compile(of(Part::Hour, TimeUnit::Seconds, zone)).is_err(), "{zone}");
        }
        assert!(compile(of(Part::Year, TimeUnit::Days, "Europe/Berlin")).is_err());
        assert!(
            compile(TimeParts { first_day: None, ..of(Part::DayOfWeek, TimeUnit::Days, "UTC") }).is_err()
        );
        assert!(of(Part::Year, TimeUnit::Days, "UTC").compile(&[Type::scalar(Element::Float64)]).is_err());
    }
}
