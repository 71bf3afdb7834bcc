//! Time: parts of points in time, circles, ages.

use serde_json::Value;

use super::{
    Cell, Held, NULL, OUT_OF_RANGE, Plain,
    operations::{cell, lifted, map, number},
};

/// Applies one step of this family.
pub fn apply(step: &Value, inputs: &[Held]) -> Option<Held> {
    let held = match step["op"].as_str()? {
        "time_parts" => lifted(&inputs[0], |cell| time_part(step, cell)),
        "cyclical" => lifted(&inputs[0], |cell| map(cell, |value| cyclical(step, value))),
        "parse_time" => lifted(&inputs[0], |cell| parse_time(step, cell)),
        "age" => lifted(&inputs[0], |then| age(step, then, cell(&inputs[1]))),
        _ => return None,
    };
    Some(held)
}

/// The first and the last second with a date, a day and more from either end of the years -9999 to 9999.
const SECONDS: std::ops::RangeInclusive<i128> = -377_705_023_201..=253_402_207_200;

pub fn unit_nanoseconds(unit: &Value) -> i128 {
    match unit.as_str().expect("a unit") {
        "nanoseconds" => 1,
        "microseconds" => 1_000,
        "milliseconds" => 1_000_000,
        "seconds" => 1_000_000_000,
        "minutes" => 60_000_000_000,
        "hours" => 3_600_000_000_000,
        _ => 86_400_000_000_000,
    }
}

/// The zones that the test draws never change their offset.
fn offset_seconds(zone: &str) -> i128 {
    match zone {
        "UTC" => 0,
        "Etc/GMT-3" => 3 * 3600,
        "+05:30" => 5 * 3600 + 30 * 60,
        "-11:45" => -(11 * 3600 + 45 * 60),
        other => panic!("not known here: {other}"),
    }
}

fn is_leap(year: i128) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(year: i128) -> i128 {
    if is_leap(year) { 366 } else { 365 }
}

/// The year of a day counted from 1970-01-01, and the day in it, from 0.
fn year_of(day: i128) -> (i128, i128) {
    // 400 years have 146097 days.
    let (mut year, mut day) = (1970 + 400 * day.div_euclid(146_097), day.rem_euclid(146_097));
    while day >= days_in(year) {
        day -= days_in(year);
        year += 1;
    }
    (year, day)
}

/// The month from 1, and the day in it from 1.
fn month_of(year: i128, mut day: i128) -> (i128, i128) {
    let february = if is_leap(year) { 29 } else { 28 };
    let lengths = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    for (month, length) in (1..).zip(lengths) {
        if day < length {
            return (month, day + 1);
        }
        day -= length;
    }
    panic!("no day of a year")
}

/// The ISO week of a day: that of its week's Thursday, counted in the Thursday's year.
fn week_of(day: i128) -> i128 {
    let thursday = day - weekday(day) + 3;
    year_of(thursday).1 / 7 + 1
}

/// 0 for Monday; 1970-01-01 was a Thursday.
fn weekday(day: i128) -> i128 {
    (day + 3).rem_euclid(7)
}

fn time_part(step: &Value, cell: &Cell) -> Cell {
    let Some(Plain::Int(time)) = cell.value else { return Cell::null(cell.status) };
    let nanoseconds = i128::from(time) * unit_nanoseconds(&step["unit"]);
    let utc = nanoseconds.div_euclid(1_000_000_000);
    if !SECONDS.contains(&utc) {
        return Cell::null(cell.status.max(OUT_OF_RANGE));
    }
    let seconds = utc + offset_seconds(step["zone"].as_str().expect("a zone"));
    let (day, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, of_year) = year_of(day);
    let (month, of_month) = month_of(year, of_year);
    let part = match step["part"].as_str().expect("a part") {
        "year" => year,
        "quarter" => (month + 2) / 3,
        "month" => month,
        "week" => week_of(day),
        "day" => of_month,
        "day_of_year" => of_year + 1,
        "day_of_week" => match step["first_day"].as_str().expect("a first day") {
            "monday_0" => weekday(day),
            "monday_1" => weekday(day) + 1,
            "sunday_0" => (weekday(day) + 1) % 7,
            _ => (weekday(day) + 1) % 7 + 1,
        },
        "hour" => of_day / 3600,
        "minute" => of_day / 60 % 60,
        "second" => of_day % 60,
        "is_weekend" => i128::from(weekday(day) >= 5),
        _ => weekday(day) * 24 + of_day / 3600,
    };
    Cell { value: Some(Plain::Int(part as i64)), status: cell.status }
}

fn cyclical(step: &Value, value: &Plain) -> Plain {
    let Plain::Float(x) = value else { panic!("no float: {value:?}") };
    let angle = 2.0 * std::f64::consts::PI * (x - number(&step["offset"], 0)) / number(&step["period"], 0);
    Plain::Vector(vec![angle.sin(), angle.cos()])
}

fn age(step: &Value, then: &Cell, now: &Cell) -> Cell {
    let status = then.status.max(now.status);
    let (Some(Plain::Int(then)), Some(Plain::Int(now))) = (&then.value, &now.value) else {
        return Cell::null(status);
    };
    let age = i128::from(*now) - i128::from(*then);
    let (age, status) = match (age < 0, step["negative"].as_str().expect("a policy")) {
        (true, "zero") => (0, status.max(OUT_OF_RANGE)),
        (true, "null") => return Cell::null(status.max(OUT_OF_RANGE)),
        _ => (age, status),
    };
    let (unit, wanted) = (unit_nanoseconds(&step["unit"]), unit_nanoseconds(&step["in"]));
    let value = if unit >= wanted {
        age as f64 * (unit / wanted) as f64
    } else {
        age as f64 / (wanted / unit) as f64
    };
    Cell { value: Some(Plain::Float(value)), status }
}

/// Of the format "iso8601" and zones that never change their offset.
fn parse_time(step: &Value, cell: &Cell) -> Cell {
    let Some(Plain::Text(text)) = &cell.value else { return Cell::null(cell.status) };
    let Some((wall, offset)) = wall_and_offset(text) else { return Cell::null(cell.status.max(NULL)) };
    let unit = unit_nanoseconds(&step["unit"]);
    let offset = match step["unit"] == "days" {
        true => 0,
        false => offset.unwrap_or_else(|| offset_seconds(step["zone"].as_str().expect("a zone"))),
    };
    let nanoseconds = wall - offset * 1_000_000_000;
    if step["finer"] == "null" && nanoseconds.rem_euclid(unit) != 0 {
        return Cell::null(cell.status.max(NULL));
    }
    match i64::try_from(nanoseconds.div_euclid(unit)) {
        Ok(count) => Cell { value: Some(Plain::Int(count)), status: cell.status },
        Err(_) => Cell::null(cell.status.max(OUT_OF_RANGE)),
    }
}

/// Nanoseconds on the clock since 1970, and the offset in seconds.
fn wall_and_offset(text: &str) -> Option<(i128, Option<i128>)> {
    let (date, rest) = text.split_at_checked(10)?;
    let numbers: Vec<i128> = date.split('-').filter_map(|part| part.parse().ok()).collect();
    let &[year, month, day] = numbers.as_slice() else { return None };
    let since = (0..year).map(days_in).sum::<i128>() - (0..1970).map(days_in).sum::<i128>();
    let of_year = (0..days_in(year)).find(|&of_year| month_of(year, of_year) == (month, day))?;
    let midnight = (since + of_year) * 86_400_000_000_000;
    if rest.is_empty() {
        return Some((midnight, None));
    }
    let rest = rest.strip_prefix(['T', ' '])?;
    let at = rest.find(['Z', '+', '-']).unwrap_or(rest.len());
    let (clock, zone) = rest.split_at(at);
    let mut parts = clock.split(':');
    let mut part = || parts.next().unwrap_or("0");
    let (hour, minute): (i128, i128) = (part().parse().ok()?, part().parse().ok()?);
    let (second, fraction) = part().split_once('.').unwrap_or_default();
    let second = if second.is_empty() { clock.split(':').nth(2).unwrap_or("0") } else { second };
    let second: i128 = second.parse().ok()?;
    let fraction: i128 = format!("{fraction:0<9}").parse().ok()?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let offset = match zone.replace(':', "") {
        none if none.is_empty() => None,
        utc if utc == "Z" => Some(0),
        signed => {
            let sign = if signed.starts_with('-') { -1 } else { 1 };
            let digits: i128 = signed[1..].parse().ok()?;
            Some(sign * (digits / 100 * 3600 + digits % 100 * 60))
        }
    };
    let of_day = ((hour * 60 + minute) * 60 + second) * 1_000_000_000 + fraction;
    Some((midnight + of_day, offset))
}
