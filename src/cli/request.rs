//! From values as people write them to a request's columns, by the types that the server returns.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    batch::time::TimeType,
    problem::Problems,
    proto::{
        BoolValues, Column, DoubleValues, FloatValues, InputDescription, InputType, Int64Values, ListOffsets,
        Scope, StringValues, TimeUnit, Uint64Values, column::Values,
    },
};

/// Makes the columns of named values. A request-scope input has one value, a row-scope one an array of them; a list
/// is an array in its place; null is null.
pub fn columns(
    inputs: &[InputDescription],
    values: &BTreeMap<String, Value>,
) -> Result<Vec<Column>, Problems> {
    let mut problems = Problems::none();
    let mut columns = Vec::new();
    for (name, value) in values {
        let Some(input) = inputs.iter().find(|input| input.name == *name) else {
            let known: Vec<_> = inputs.iter().map(|input| input.name.as_str()).collect();
            problems.add(name, format!("there is no such input; there are: {}", known.join(", ")));
            continue;
        };
        match column(input, value) {
            Ok(column) => columns.push(column),
            Err(found) => problems.add_below(name, found),
        }
    }
    problems.or(columns)
}

fn column(input: &InputDescription, value: &Value) -> Result<Column, Problems> {
    let rows = rows(input, value);
    if !input.list {
        let (values, nulls) = scalars(input, &rows)?;
        return Ok(Column { values: Some(values), nulls, ..named(input) });
    }
    let mut elements = Vec::new();
    let mut offsets = vec![0];
    let mut problems = Problems::none();
    for (row, value) in rows.iter().enumerate() {
        match value {
            Value::Array(list) => elements.extend(list.iter().cloned()),
            Value::Null => {}
            _ => problems.add(format!("[{row}]"), "must be a list: [a,b]"),
        }
        offsets.push(elements.len() as u32);
    }
    problems.or(())?;
    let (values, null_elements) = scalars(input, &elements)?;
    let list = Some(ListOffsets { offsets });
    Ok(Column { values: Some(values), list, nulls: nulls(&rows), null_elements, ..named(input) })
}

/// A column of an input, without its values.
fn named(input: &InputDescription) -> Column {
    Column { name: input.name.clone(), time_unit: input.time_unit, ..Column::default() }
}

/// One value for each row.
fn rows(input: &InputDescription, value: &Value) -> Vec<Value> {
    let single = |value: &Value| vec![value.clone()];
    match (input.scope(), input.list, value) {
        (Scope::Row, _, Value::Array(rows)) => rows.clone(),
        (_, false, Value::Array(rows)) => rows.clone(),
        (_, true, Value::Array(lists)) if lists.len() == 1 && lists[0].is_array() => lists.clone(),
        _ => single(value),
    }
}

fn nulls(values: &[Value]) -> Vec<u32> {
    let positions = values.iter().enumerate().filter(|(_, value)| value.is_null());
    positions.map(|(position, _)| position as u32).collect()
}

/// The typed values, whatever stands for null, and the positions of nulls.
fn scalars(input: &InputDescription, values: &[Value]) -> Result<(Values, Vec<u32>), Problems> {
    let typed = match input.dtype() {
        InputType::Float32 => Values::Floats(FloatValues { values: each(values, "a number", float)? }),
        InputType::Float64 | InputType::Unspecified => {
            Values::Doubles(DoubleValues { values: each(values, "a number", float)? })
        }
        InputType::Int64 => Values::Int64s(Int64Values { values: each(values, "an integer", spelled)? }),
        InputType::Uint64 => {
            Values::Uint64s(Uint64Values { values: each(values, "an integer from 0", spelled)? })
        }
        InputType::Bool => Values::Bools(BoolValues { values: each(values, "true or false", spelled)? }),
        InputType::String => Values::Strings(StringValues { values: each(values, "a string", text)? }),
        InputType::Timestamp | InputType::Date | InputType::Duration => {
            Values::Int64s(Int64Values { values: times(time_type(input)?, values)? })
        }
    };
    Ok((typed, nulls(values)))
}

/// The type of a time's input, as the server describes it.
pub fn time_type(input: &InputDescription) -> Result<TimeType, Problems> {
    let unit = match input.time_unit() {
        TimeUnit::Seconds => "s",
        TimeUnit::Milliseconds => "ms",
        TimeUnit::Microseconds => "us",
        TimeUnit::Nanoseconds => "ns",
        TimeUnit::Days | TimeUnit::Unspecified => "d",
    };
    let name = match (input.dtype(), input.time_zone.as_str()) {
        (InputType::Date, _) => "date".to_owned(),
        (InputType::Duration, _) => format!("duration[{unit}]"),
        (_, "") => format!("timestamp[{unit}]"),
        (_, zone) => format!("timestamp[{unit}, {zone}]"),
    };
    name.parse().map_err(|why: String| Problems::one("", why))
}

/// Times as people write them: ISO 8601, or a count with its unit.
fn times(of: TimeType, values: &[Value]) -> Result<Vec<i64>, Problems> {
    let mut problems = Problems::none();
    let mut time = |(position, value): (usize, &Value)| {
        let read = if value.is_null() { Ok(0) } else { of.parse(&text(value).unwrap_or_default()) };
        read.unwrap_or_else(|why| {
            problems.add(format!("[{position}]"), why);
            0
        })
    };
    let times = values.iter().enumerate().map(&mut time).collect();
    problems.or(times)
}

fn each<T: Default>(
    values: &[Value],
    expected: &str,
    convert: fn(&Value) -> Option<T>,
) -> Result<Vec<T>, Problems> {
    let mut problems = Problems::none();
    let mut converted = Vec::with_capacity(values.len());
    for (position, value) in values.iter().enumerate() {
        match if value.is_null() { Some(T::default()) } else { convert(value) } {
            Some(value) => converted.push(value),
            None => problems.add(format!("[{position}]"), format!("is {value}, must be {expected}")),
        }
    }
    problems.or(converted)
}

/// A number, or a string that is its text: beyond 2^53, JSON's numbers are not exact everywhere.
fn spelled<T: std::str::FromStr>(value: &Value) -> Option<T> {
    match value {
        Value::String(text) => text.parse().ok(),
        other => other.to_string().parse().ok(),
    }
}

fn float<T: std::str::FromStr>(value: &Value) -> Option<T> {
    spelled(value).filter(|_| !value.is_boolean())
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn input(name: &str, dtype: InputType, scope: Scope, list: bool) -> InputDescription {
        InputDescription {
            name: name.to_owned(),
            dtype: dtype.into(),
            scope: scope.into(),
            list,
            ..InputDescription::default()
        }
    }

    fn inputs() -> Vec<InputDescription> {
        vec![
            input("user", InputType::Int64, Scope::Request, false),
            input("words", InputType::String, Scope::Request, true),
            input("bid", InputType::Float64, Scope::Row, false),
            input("tags", InputType::Uint64, Scope::Row, true),
        ]
    }

    fn made(values: Value) -> Result<Vec<Column>, Problems> {
        columns(&inputs(), &serde_json::from_value(values).expect("an object"))
    }

    #[test]
    fn types_follow_the_inputs() {
        let made = made(json!({"user": "9007199254740993", "words": ["a", null], "bid": [1.5, null, "2"],
            "tags": [["1"], [], null]}))
        .expect("good");
        let expected = [
            Column {
                values: Some(Values::Doubles(DoubleValues { values: vec![1.5, 0.0, 2.0] })),
                nulls: vec![1],
                name: "bid".to_owned(),
                ..Column::default()
            },
            Column {
                name: "tags".to_owned(),
                values: Some(Values::Uint64s(Uint64Values { values: vec![1] })),
                list: Some(ListOffsets { offsets: vec![0, 1, 1, 1] }),
                nulls: vec![2],
                ..Column::default()
            },
            Column {
                name: "user".to_owned(),
                values: Some(Values::Int64s(Int64Values { values: vec![9_007_199_254_740_993] })),
                ..Column::default()
            },
            Column {
                name: "words".to_owned(),
                values: Some(Values::Strings(StringValues { values: vec!["a".to_owned(), String::new()] })),
                list: Some(ListOffsets { offsets: vec![0, 2] }),
                null_elements: vec![1],
                ..Column::default()
            },
        ];
        assert_eq!(made, expected);
    }

    #[test]
    fn times_are_converted_to_the_inputs_unit() {
        let seen = InputDescription {
            time_unit: TimeUnit::Milliseconds.into(),
            ..input("seen", InputType::Timestamp, Scope::Row, false)
        };
        let times = json!(["2024-01-31T08:30:00.5+01:00", null, "1700000000s"]);
        let of = |value: Value| {
            columns(std::slice::from_ref(&seen), &BTreeMap::from([("seen".to_owned(), value)]))
        };
        let made = of(times).expect("good");
        assert_eq!(made[0].time_unit(), TimeUnit::Milliseconds);
        let values = vec![1_706_686_200_500, 0, 1_700_000_000_000];
        assert_eq!(made[0].values, Some(Values::Int64s(Int64Values { values })));
        let problems = of(json!([1_700_000_000, "2024-01-31T08:30:00.0005Z"])).expect_err("two").to_string();
        assert!(problems.contains("seen[0]: \"1700000000\" has no unit"), "{problems}");
        assert!(
            problems.contains("seen[1]:") && problems.contains("whole number of milliseconds"),
            "{problems}"
        );
    }

    #[test]
    fn tells_every_mistake() {
        let problems =
            made(json!({"user": "x", "bid": [1, "y"], "tags": [7], "nobody": 1})).expect_err("mistakes");
        let places: Vec<_> = problems.iter().map(|problem| problem.path.as_str()).collect();
        assert_eq!(places, ["bid[1]", "nobody", "tags[0]", "user[0]"], "{problems}");
    }
}
