//! Columns from the JSON values of golden rows, and such values from columns.

use serde_json::Value;

use crate::{
    batch::{Column, Element, ListRows, Mark, Strings, Type, Values},
    problem::Problems,
};

/// Makes a column of JSON values, one for each row: null, numbers, strings, booleans, arrays for vectors and lists.
/// Non-finite numbers and integers beyond 2^53 are strings.
pub fn column_of(of: Type, values: &[Value]) -> Result<Column, Problems> {
    if !of.list {
        return flat_column(of, values.iter());
    }
    let mut problems = Problems::none();
    let mut list = ListRows { offsets: vec![0], marks: Vec::new() };
    let mut elements = Vec::new();
    for (row, value) in values.iter().enumerate() {
        match value {
            Value::Null => list.marks.push(Mark::NULL),
            Value::Array(of_row) => {
                elements.extend(of_row);
                list.marks.push(Mark::PRESENT);
            }
            other => problems.add(format!("[{row}]"), format!("is {other}, must be an array or null")),
        }
        list.offsets.push(elements.len() as u32);
    }
    problems.or(())?;
    let mut column = flat_column(Type { list: false, ..of }, elements.into_iter())?;
    column.list = Some(list);
    Ok(column)
}

/// The JSON values of a column's rows, such that `column_of` makes the same column of them.
pub fn values_of(column: &Column, lanes: Option<usize>) -> Vec<Value> {
    let of_value = |position: usize| {
        let element =
            |at: usize| if column.marks[position].is_null() { Value::Null } else { element_of(column, at) };
        match lanes {
            None => element(position),
            Some(_) if column.marks[position].is_null() => Value::Null,
            Some(lanes) => (position * lanes..(position + 1) * lanes).map(element).collect(),
        }
    };
    let Some(list) = &column.list else { return (0..column.marks.len()).map(of_value).collect() };
    let of_row = |row: usize| match list.marks[row].is_null() {
        true => Value::Null,
        false => list.range(row).map(of_value).collect(),
    };
    (0..list.marks.len()).map(of_row).collect()
}

fn element_of(column: &Column, at: usize) -> Value {
    match &column.values {
        Values::Float64(values) => number(values[at]),
        Values::Float32(values) => number(values[at].into()),
        Values::Int64(values) => integer(values[at].into()),
        Values::Uint64(values) => integer(values[at].into()),
        Values::Bool(values) => values[at].into(),
        Values::String(values) => values.get(at).into(),
        Values::OneHot(_) | Values::Sparse(_) => unreachable!("inputs and tables hold no compact vectors"),
    }
}

fn number(value: f64) -> Value {
    match value {
        value if value.is_nan() => "nan".into(),
        f64::INFINITY => "inf".into(),
        f64::NEG_INFINITY => "-inf".into(),
        value => value.into(),
    }
}

/// Readers that take numbers for floats know integers up to 2^53.
fn integer(value: i128) -> Value {
    match i64::try_from(value) {
        Ok(value) if value.unsigned_abs() <= 1 << 53 => value.into(),
        _ => value.to_string().into(),
    }
}

fn flat_column<'a>(of: Type, values: impl Iterator<Item = &'a Value>) -> Result<Column, Problems> {
    let mut problems = Problems::none();
    let values: Vec<&Value> = values.collect();
    let marks = values.iter().map(|value| if value.is_null() { Mark::NULL } else { Mark::PRESENT }).collect();
    let lanes = values.iter().enumerate().flat_map(|(row, value)| lanes_of(of, row, value, &mut problems));
    let lanes: Vec<(usize, &Value)> = lanes.collect();
    let values = elements(of.element, &lanes, &mut problems);
    problems.or(Column { values, marks, list: None })
}

/// The elements of one value: those of a vector, as many nulls for a null.
fn lanes_of<'a>(of: Type, row: usize, value: &'a Value, problems: &mut Problems) -> Vec<(usize, &'a Value)> {
    match (of.width, value) {
        (None, _) => vec![(row, value)],
        (Some(width), Value::Null) => vec![(row, value); width],
        (Some(width), Value::Array(lanes)) if lanes.len() == width => {
            lanes.iter().map(|lane| (row, lane)).collect()
        }
        (Some(width), _) => {
            problems.add(format!("[{row}]"), format!("must be an array of {width} numbers or null"));
            Vec::new()
        }
    }
}

fn elements(element: Element, lanes: &[(usize, &Value)], problems: &mut Problems) -> Values {
    match element {
        Element::Float64 => Values::Float64(parse(lanes, float, f64::NAN, "a number", problems)),
        Element::Int64 | Element::Time(_) => Values::Int64(parse(lanes, int64, 0, "an int64", problems)),
        Element::Uint64 => Values::Uint64(parse(lanes, uint64, 0, "a uint64", problems)),
        Element::Bool => Values::Bool(parse(lanes, Value::as_bool, false, "true or false", problems)),
        Element::String => {
            let text = |value: &Value| value.as_str().map(str::to_owned);
            Values::String(Strings::from_values(parse(lanes, text, String::new(), "a string", problems)))
        }
    }
}

fn parse<T: Clone>(
    lanes: &[(usize, &Value)],
    parse: impl Fn(&Value) -> Option<T>,
    null: T,
    expected: &str,
    problems: &mut Problems,
) -> Vec<T> {
    let mut read = |(row, value): &(usize, &Value)| match (value, parse(value)) {
        (Value::Null, _) => null.clone(),
        (_, Some(value)) => value,
        (other, None) => {
            problems.add(format!("[{row}]"), format!("is {other}, must be {expected}"));
            null.clone()
        }
    };
    lanes.iter().map(&mut read).collect()
}

fn float(value: &Value) -> Option<f64> {
    match value.as_str() {
        Some("nan") => Some(f64::NAN),
        Some("inf") => Some(f64::INFINITY),
        Some("-inf") => Some(f64::NEG_INFINITY),
        Some(_) => None,
        None => value.as_f64(),
    }
}

fn int64(value: &Value) -> Option<i64> {
    value.as_str().map_or_else(|| value.as_i64(), |text| text.parse().ok())
}

fn uint64(value: &Value) -> Option<u64> {
    value.as_str().map_or_else(|| value.as_u64(), |text| text.parse().ok())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn vectors_lists_and_nulls_take_their_places() {
        let vectors = column_of(Type::vector(2), &[json!([1, "nan"]), json!(null)]).expect("good");
        assert_eq!(vectors.float64()[0], 1.0);
        assert_eq!(vectors.float64().len(), 4);
        assert_eq!(vectors.marks, [Mark::PRESENT, Mark::NULL]);
        let lists = Type::scalar(Element::Int64).listed();
        let lists =
            column_of(lists, &[json!([1, "9007199254740993"]), json!(null), json!([])]).expect("good");
        assert_eq!(lists.int64(), [1, 9_007_199_254_740_993]);
        assert_eq!(lists.list.expect("lists").offsets, [0, 2, 2, 2]);
    }

    #[test]
    fn values_come_back_as_they_were() {
        let checks = [
            (Type::scalar(Element::Float64), json!([1.5, null, "nan", "-inf", -0.0])),
            (Type::scalar(Element::Int64), json!([1, "9007199254740993", "-9223372036854775808", null])),
            (Type::scalar(Element::Uint64), json!(["18446744073709551615", 3])),
            (Type::scalar(Element::String).listed(), json!([["a", null], [], null])),
            (Type::scalar(Element::Bool), json!([true, null])),
            (Type::vector(2), json!([[1.0, "inf"], null])),
        ];
        for (of, values) in checks {
            let written = values.as_array().expect("values");
            let column = column_of(of, written).expect("good");
            assert_eq!(&values_of(&column, of.width), written, "{of}");
        }
    }

    #[test]
    fn every_wrong_value_is_told() {
        let problems = column_of(Type::scalar(Element::Int64), &[json!(1.5), json!(1), json!("x")]);
        let problems = problems.expect_err("two are wrong").to_string();
        assert_eq!(problems, "[0]: is 1.5, must be an int64\n[2]: is \"x\", must be an int64");
    }
}
