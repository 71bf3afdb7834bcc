//! Parse time: the point in time that a text states.

use jiff::{
    civil::{DateTime, Time as TimeOfDay},
    fmt::strtime::BrokenDownTime,
    tz::{AmbiguousOffset, TimeZone},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Compiled, Kernel, Operation, single};
use crate::{
    batch::{
        Column, Element, Mark, Type,
        time::{Civil, Time, TimeUnit, Zone, civil},
    },
    problem::Problems,
};

/// The point in time that a string states, as `timestamp[unit]`; as a `date` where the unit is days. A text of none of the
/// formats is null, its status null; a time that int64 can't count in the unit is null, its status out of range. Null stays
/// null. Time zones follow the database that is part of this program, never the machine's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ParseTime {
    /// How texts are written: the first format that fits a whole text reads it. "iso8601" is a date of four, two and two
    /// digits, then, after a T or a space, perhaps hours and minutes, perhaps seconds with up to nine decimals, perhaps an
    /// offset: `2024-01-31`, `2024-01-31 08:30:00.25`, `2024-01-31T08:30Z`, `2024-01-31T08:30:00+01:00`. Any other is a
    /// pattern as `strptime` has them, which states year, month and day: `%d.%m.%Y %H:%M`. It may have `%Y` (four digits),
    /// `%y` (1969 to 2068), `%m`, `%b` and `%B` (English names, in any case), `%d`, `%e`, `%H`, `%I` with `%p`, `%M`, `%S` (60
    /// is read as 59), `%f` (decimals of a second), `%.f` (the same after a dot, or nothing), `%z` (`+0100`), `%:z` (`+01:00`),
    /// `%F` (`%Y-%m-%d`), `%D` (`%m/%d/%y`), `%T` (`%H:%M:%S`), `%R` (`%H:%M`) and `%%`. Leading zeros may be absent in
    /// texts, white space in a pattern stands for any amount of it, and what a pattern lacks of the time of day is 0.
    pub formats: Vec<String>,
    /// What the result counts since 1970-01-01T00:00:00Z. With days it is the calendar day as it is written, whatever the
    /// offset.
    pub unit: TimeUnit,
    /// Whose clocks a text without an offset was read from: "UTC", a name of the IANA database ("Europe/Berlin") or an
    /// offset ("+02:00"). With days it is "UTC".
    pub zone: String,
    /// The offset of a time that the zone's clocks skipped when they were set forward.
    pub gap: ChangedOffset,
    /// The offset of a time that the zone's clocks showed twice when they were set back.
    pub fold: ChangedOffset,
    /// The result for a time that is not a whole number of units.
    pub finer: Finer,
}

/// The offset of a local time at which the clocks were set.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangedOffset {
    /// None: the result is null, its status null.
    Null,
    /// That before the clocks were set: of a time shown twice the earlier point, of a skipped time the one that comes
    /// after the change.
    Before,
    /// That after the clocks were set: of a time shown twice the later point, of a skipped time the one that comes before
    /// the change.
    After,
}

/// The result for a time finer than the unit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Finer {
    /// It is cut off towards the past.
    Cut,
    /// It is null, its status null.
    Null,
}

impl Operation for ParseTime {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let input = single(inputs)?;
        let mut problems = Problems::none();
        if input.element != Element::String {
            problems.add("", format!("takes strings, its input is {input}"));
        }
        if self.formats.is_empty() {
            problems.add("formats", "must have at least one: \"iso8601\" or a pattern");
        }
        for (position, format) in self.formats.iter().enumerate().filter(|(_, format)| *format != ISO) {
            if let Err(why) = check_pattern(format) {
                problems.add(format!("formats[{position}]"), why);
            }
        }
        let zone = self.zone.parse::<Zone>().map_err(|why| problems.add("zone", why)).unwrap_or(Zone::UTC);
        if self.unit == TimeUnit::Days && zone != Zone::UTC {
            problems.add("zone", "must be \"UTC\" for days, which are calendar days as they are written");
        }
        problems.or(())?;
        let time = if self.unit == TimeUnit::Days { Time::Date } else { Time::Timestamp(self.unit) };
        let output = Type { element: Element::Time(time), nullable: true, ..input };
        Ok(Compiled::new(output, ParseTimeKernel { of: self.clone(), clocks: zone.clocks() }))
    }
}

/// The format of ISO 8601.
const ISO: &str = "iso8601";

/// Whether a pattern has only directives that are known, and those of a whole date.
fn check_pattern(pattern: &str) -> Result<(), String> {
    let mut found = Vec::new();
    let mut rest = pattern;
    while let Some((_, after)) = rest.split_once('%') {
        let known = DIRECTIVES.iter().find(|directive| after.starts_with(**directive));
        let known = known.ok_or_else(|| {
            let unknown: String = after.chars().take(1).collect();
            format!("{pattern:?} has %{unknown}, known are %{}", DIRECTIVES.join(" %"))
        })?;
        found.push(*known);
        rest = &after[known.len()..];
    }
    let any = |wanted: &[&str]| wanted.iter().any(|directive| found.contains(directive));
    let whole = any(&["F", "D"]) || (any(&["Y", "y"]) && any(&["m", "b", "B"]) && any(&["d", "e"]));
    if !whole {
        return Err(format!("{pattern:?} states no whole date: %Y, %m and %d, or \"{ISO}\""));
    }
    if any(&["I"]) != any(&["p"]) {
        return Err(format!("{pattern:?} has one of %I and %p without the other"));
    }
    for (finer, coarser) in [(&["M"], &["H", "I"][..]), (&["S"], &["M", "R"])] {
        if any(finer) && !any(coarser) {
            return Err(format!("{pattern:?} has %{} without %{}", finer[0], coarser[0]));
        }
    }
    match any(&["f", ".f"]) && !any(&["S", "T"]) {
        true => Err(format!("{pattern:?} has decimals of a second without %S")),
        false => Ok(()),
    }
}

/// What may follow a percent sign.
const DIRECTIVES: [&str; 21] = [
    "%", "Y", "y", "m", "b", "B", "d", "e", "H", "I", "p", "M", "S", "f", ".f", "z", ":z", "F", "D", "T", "R",
];

#[derive(Debug)]
struct ParseTimeKernel {
    of: ParseTime,
    clocks: TimeZone,
}

impl Kernel for ParseTimeKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        let (values, marks) = out.int64_mut();
        for (text, &mark) in inputs[0].strings().iter().zip(&inputs[0].marks) {
            let read = if mark.is_null() { Err(mark) } else { self.read(text) };
            values.push(read.unwrap_or_default());
            marks.push(read.map_or_else(|why| mark | why, |_| mark));
        }
    }
}

impl ParseTimeKernel {
    /// The count of a text's point in time, or the mark of its null.
    fn read(&self, text: &str) -> Result<i64, Mark> {
        let read = self.of.formats.iter().find_map(|format| parse(format, text));
        let read = read.ok_or(Mark::NULL)?;
        let nanoseconds = if self.of.unit == TimeUnit::Days {
            read.wall()
        } else {
            self.instant(read).ok_or(Mark::NULL)?
        };
        let unit = i128::from(self.of.unit.nanoseconds());
        if self.of.finer == Finer::Null && nanoseconds % unit != 0 {
            return Err(Mark::NULL);
        }
        i64::try_from(nanoseconds.div_euclid(unit)).map_err(|_| Mark::OUT_OF_RANGE.nulled())
    }

    /// Nanoseconds since 1970-01-01T00:00:00Z.
    fn instant(&self, read: Civil) -> Option<i128> {
        if read.offset.is_some() {
            return Some(read.instant());
        }
        let changed = |policy: ChangedOffset, before, after| match policy {
            ChangedOffset::Null => None,
            ChangedOffset::Before => Some(before),
            ChangedOffset::After => Some(after),
        };
        let offset = match self.clocks.to_ambiguous_timestamp(date_time(read)).offset() {
            AmbiguousOffset::Unambiguous { offset } => Some(offset),
            AmbiguousOffset::Gap { before, after } => changed(self.of.gap, before, after),
            AmbiguousOffset::Fold { before, after } => changed(self.of.fold, before, after),
        };
        Some(Civil { offset: Some(offset?.seconds()), ..read }.instant())
    }
}

fn parse(format: &str, text: &str) -> Option<Civil> {
    if format == ISO {
        return civil(text);
    }
    let read = BrokenDownTime::parse(format, text).ok()?;
    let time = if read.hour().is_some() { read.to_time().ok()? } else { TimeOfDay::midnight() };
    let seconds = (i64::from(time.hour()) * 60 + i64::from(time.minute())) * 60 + i64::from(time.second());
    let of_day = seconds * 1_000_000_000 + i64::from(time.subsec_nanosecond());
    let offset = read.offset().map(jiff::tz::Offset::seconds);
    Some(Civil { date: read.to_date().ok()?, of_day: Some(of_day), offset })
}

/// What the clock showed.
fn date_time(read: Civil) -> DateTime {
    let of_day = read.of_day.unwrap_or(0);
    let (seconds, nanosecond) = (of_day / 1_000_000_000, of_day % 1_000_000_000);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    read.date.at(hour as i8, minute as i8, second as i8, nanosecond as i32)
}

#[cfg(test)]
mod tests {
    use jiff::{Timestamp, ZonedDateTime};
    use proptest::prelude::*;

    use super::*;
    use crate::transform::check::run_text;

    fn of(formats: &[&str], unit: TimeUnit, zone: &str) -> ParseTime {
        let formats = formats.iter().map(|&format| format.to_owned()).collect();
        let (gap, fold) = (ChangedOffset::Null, ChangedOffset::Null);
        ParseTime { formats, unit, zone: zone.to_owned(), gap, fold, finer: Finer::Null }
    }

    fn read(of: &ParseTime, text: &str) -> (Option<i64>, Mark) {
        let out = run_text(of, &[Some(text)]);
        ((!out.marks[0].is_null()).then(|| out.int64()[0]), out.marks[0])
    }

    #[test]
    fn the_first_format_that_fits_reads_the_text() {
        let of =
            of(&["iso8601", "%d.%m.%Y %H:%M", "%b %e, %Y %I:%M %p", "%m/%d/%y"], TimeUnit::Seconds, "UTC");
        for (text, expected) in [
            ("1970-01-01T00:00:01Z", Some(1)),
            ("1970-01-01 02:00+02:00", Some(0)),
            ("31.01.2024 08:30", Some(1_706_689_800)),
            ("Jan 31, 2024 8:30 am", Some(1_706_689_800)),
            ("01/31/24", Some(1_706_659_200)),
            ("31.01.2024", None),
            ("31.01.2024 08:30 ", None),
            ("30.02.2024 08:30", None),
            ("", None),
        ] {
            assert_eq!(read(&of, text).0, expected, "{text}");
        }
        assert_eq!(run_text(&of, &[None, Some("x")]).marks, [Mark::NULL, Mark::NULL]);
    }

    #[test]
    fn clocks_that_were_set_follow_the_switches() {
        // 2024-03-31: 02:00 becomes 03:00 at 01:00Z. 2024-10-27: 03:00 becomes 02:00 at 01:00Z.
        let (gap, fold) = ("2024-03-31T02:30", "2024-10-27T02:30");
        for (policy, of_gap, of_fold) in [
            (ChangedOffset::Null, None, None),
            (ChangedOffset::Before, Some("2024-03-31T01:30Z"), Some("2024-10-27T00:30Z")),
            (ChangedOffset::After, Some("2024-03-31T00:30Z"), Some("2024-10-27T01:30Z")),
        ] {
            let berlin = of(&["iso8601"], TimeUnit::Seconds, "Europe/Berlin");
            let of = ParseTime { gap: policy, fold: policy, ..berlin };
            let utc = |text: Option<&str>| text.and_then(|text| read(&of, text).0);
            assert_eq!((read(&of, gap).0, read(&of, fold).0), (utc(of_gap), utc(of_fold)), "{policy:?}");
        }
    }

    #[test]
    fn finer_times_and_those_beyond_int64_follow_the_words() {
        let seconds = of(&["iso8601"], TimeUnit::Seconds, "UTC");
        assert_eq!(read(&seconds, "1969-12-31T23:59:59.5Z"), (None, Mark::NULL));
        let cut = ParseTime { finer: Finer::Cut, ..seconds };
        assert_eq!(read(&cut, "1969-12-31T23:59:58.5Z").0, Some(-2));
        let nanoseconds = of(&["iso8601"], TimeUnit::Nanoseconds, "UTC");
        assert_eq!(read(&nanoseconds, "2300-01-01"), (None, Mark::OUT_OF_RANGE.nulled()));
        let days = ParseTime { finer: Finer::Cut, ..of(&["iso8601"], TimeUnit::Days, "UTC") };
        assert_eq!(read(&days, "1970-01-02T01:00+05:00").0, Some(1));
    }

    #[test]
    fn patterns_zones_and_inputs_are_checked() {
        let compile = |of: ParseTime| of.compile(&[Type::scalar(Element::String)]);
        let (seconds, days) = (TimeUnit::Seconds, TimeUnit::Days);
        for bad in
            ["%Q", "%Y-%m", "%H:%M", "%F %I", "%F %p", "%", "%Y-%m-%d %é", "%F %M", "%F %H%S", "%F %R%.f"]
        {
            let found = compile(of(&["iso8601", bad], seconds, "UTC")).expect_err(bad).to_string();
            assert!(found.starts_with("formats[1]: "), "{found}");
        }
        assert!(compile(of(&[], seconds, "UTC")).is_err());
        assert!(compile(of(&["iso8601"], seconds, "Mars")).is_err());
        assert!(compile(of(&["iso8601"], days, "Europe/Berlin")).is_err());
        assert!(of(&["iso8601"], seconds, "UTC").compile(&[Type::scalar(Element::Int64)]).is_err());
        let output = compile(of(&["%D %T%.f%:z"], days, "UTC")).expect("good").output;
        assert_eq!(output.to_string(), "date");
    }

    proptest! {
        #[test]
        fn what_jiff_writes_is_read_again(second in -62_000_000_000_i64..250_000_000_000, zone in 0..3_usize) {
            let zone = ["Europe/Berlin", "America/New_York", "+05:30"][zone];
            let clocks = zone.parse::<Zone>().expect("a zone").clocks();
            let at = ZonedDateTime::new(Timestamp::from_second(second).expect("in range"), clocks);
            prop_assume!(at.offset().seconds() % 60 == 0);
            let formats = ["%d/%m/%Y %H:%M:%S %:z", "%F %T%z", "%B %e, %Y %I:%M:%S %p %z"];
            for format in formats {
                let text = at.strftime(format).to_string();
                prop_assert_eq!(read(&of(&[format], TimeUnit::Seconds, "UTC"), &text).0, Some(second), "{}", text);
            }
            // The zone's clocks alone say it where they were not set.
            let local = at.strftime("%FT%T").to_string();
            let alone = read(&of(&["iso8601"], TimeUnit::Seconds, zone), &local).0;
            prop_assert!(alone.is_none_or(|alone| alone == second), "{}", local);
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,30}") {
            read(&of(&["iso8601", "%F %T%.f %z", "%b %e, %y %I %p"], TimeUnit::Nanoseconds, "Europe/Berlin"), &text);
        }
    }
}
