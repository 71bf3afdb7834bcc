//! Arrow arrays of scalars as columns.

use arrow_array::{
    Array, ArrowPrimitiveType,
    array::AnyDictionaryArray,
    cast::AsArray,
    types::{
        Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type,
        UInt16Type, UInt32Type, UInt64Type,
    },
};
use arrow_schema::DataType;

use super::{Report, wrong};
use crate::{
    batch::{Column, Element, Mark, Strings, Values, time::TimeType},
    files::{
        Misfit, Stored, Target,
        accept::is_text,
        decimals,
        fit::{self, Fit, Number},
        times,
    },
};

/// The elements of an array, of any shape that the target has.
pub fn scalars(array: &dyn Array, target: &Target, report: Report<'_>) -> Result<Column, String> {
    match array.data_type() {
        DataType::Null => {
            let mut column = Column::new(crate::batch::Type::scalar(target.of.element));
            column.fill_null(1, array.len(), Mark::NULL);
            return Ok(column);
        }
        DataType::Dictionary(..) => return dictionary(array, target, report),
        data if data.is_decimal() => {
            let texts = decimals::texts(array, target.of.element.is_integer()).ok_or_else(|| wrong(array))?;
            return scalars(&texts, target, report);
        }
        _ => {}
    }
    let mut marks = marks(array);
    let mut settle = Settle { target, marks: &mut marks, report };
    let stored = target.stored;
    let values = match stored.element() {
        Element::Float64 => Values::Float64(match wider_floats(array, stored) {
            Some(values) => values,
            None if is_text(array.data_type()) => {
                settle.texts(&strings(array)?, |text| fit::text_to_float(text, stored))
            }
            None => settle.numbers(array, |number| fit::to_float(number, stored))?,
        }),
        Element::Int64 => Values::Int64(match (stored, array.as_primitive_opt::<Int64Type>()) {
            (Stored::Int64, Some(same)) => same.values().to_vec(),
            _ => settle.integers(array)?,
        }),
        Element::Uint64 => Values::Uint64(match (stored, array.as_primitive_opt::<UInt64Type>()) {
            (Stored::Uint64, Some(same)) => same.values().to_vec(),
            _ => settle.integers(array)?,
        }),
        Element::Time(_) => Values::Int64(settle.times(array)?),
        Element::Bool => Values::Bool(match array.as_boolean_opt() {
            Some(same) => same.values().iter().collect(),
            None if is_text(array.data_type()) => settle.texts(&strings(array)?, fit::text_to_bool),
            None => settle.numbers(array, fit::to_bool)?,
        }),
        Element::String => Values::String(match is_text(array.data_type()) {
            true => strings(array)?,
            false => written(array)?,
        }),
    };
    Ok(Column { values, marks, list: None })
}

/// Each distinct value is read once; what is wrong with it is reported for every row that has it.
fn dictionary(array: &dyn Array, target: &Target, report: Report<'_>) -> Result<Column, String> {
    let dictionary: &dyn AnyDictionaryArray = array.as_any_dictionary_opt().ok_or_else(|| wrong(array))?;
    if dictionary.values().is_empty() {
        let mut column = Column::new(crate::batch::Type::scalar(target.of.element));
        column.fill_null(1, array.len(), Mark::NULL);
        return Ok(column);
    }
    let mut misfits: Vec<Option<Misfit>> = vec![None; dictionary.values().len()];
    let mut note = |position: usize, misfit: &dyn Fn() -> Misfit| misfits[position] = Some(misfit());
    let distinct = scalars(&**dictionary.values(), target, &mut note)?;
    let keys: Vec<u32> = dictionary.normalized_keys().into_iter().map(|key| key as u32).collect();
    let given = marks(array);
    for (row, &key) in keys.iter().enumerate().filter(|(row, _)| !given[*row].is_null()) {
        if let Some(misfit) = &misfits[key as usize] {
            report(row, &|| misfit.clone());
        }
    }
    let mut column = distinct.clone();
    column.gather(&distinct, 1, &keys);
    column.marks.iter_mut().zip(given).for_each(|(mark, given)| *mark |= given);
    Ok(column)
}

pub fn marks(array: &dyn Array) -> Vec<Mark> {
    match array.logical_nulls() {
        None => vec![Mark::PRESENT; array.len()],
        Some(nulls) => nulls.iter().map(|present| if present { Mark::PRESENT } else { Mark::NULL }).collect(),
    }
}

/// Values on their way into a target.
struct Settle<'a, 'r> {
    target: &'a Target,
    marks: &'a mut [Mark],
    report: Report<'r>,
}

impl Settle<'_, '_> {
    fn integers<T: fit::Integer>(&mut self, array: &dyn Array) -> Result<Vec<T>, String> {
        let stored = self.target.stored;
        if is_text(array.data_type()) {
            return Ok(self.texts(&strings(array)?, |text| fit::text_to_integer(text, stored)));
        }
        self.numbers(array, |number| fit::to_integer(number, stored))
    }

    fn times(&mut self, array: &dyn Array) -> Result<Vec<i64>, String> {
        let Stored::Time(of) = self.target.stored else { return Err(wrong(array)) };
        if is_text(array.data_type()) {
            let texts = strings(array)?;
            return Ok(texts
                .iter()
                .enumerate()
                .map(|(row, text)| self.time_of_text(row, text, of))
                .collect());
        }
        let (unit, counts) = times::counts(array).ok_or_else(|| wrong(array))?;
        let time = |(row, count): (usize, i64)| {
            let shown = format_args!("{count} {}", unit.name());
            self.settle(row, &shown, times::fit(count, unit, of.time.unit()))
        };
        Ok(counts.into_iter().enumerate().map(time).collect())
    }

    fn time_of_text(&mut self, row: usize, text: &str, of: TimeType) -> i64 {
        if self.marks[row].is_null() {
            return 0;
        }
        of.parse(text).unwrap_or_else(|why| {
            (self.report)(row, &|| Misfit { why: why.clone(), lossy: "makes it null".to_owned() });
            self.marks[row] = Mark::NULL;
            0
        })
    }

    fn numbers<T: Copy + Default>(
        &mut self,
        array: &dyn Array,
        fit: impl Fn(Number) -> Fit<T>,
    ) -> Result<Vec<T>, String> {
        let mut out = Vec::with_capacity(array.len());
        each_number(array, |number| out.push(self.settle(out.len(), &number, fit(number))))?;
        Ok(out)
    }

    fn texts<T: Copy + Default>(&mut self, texts: &Strings, fit: impl Fn(&str) -> Fit<T>) -> Vec<T> {
        let texts = texts.iter().enumerate();
        texts.map(|(row, text)| self.settle(row, &format_args!("{text:?}"), fit(text))).collect()
    }

    fn settle<T: Default>(&mut self, row: usize, value: &dyn std::fmt::Display, fit: Fit<T>) -> T {
        if self.marks[row].is_null() {
            return T::default();
        }
        let report = &mut *self.report;
        match self.target.settle(fit, value, &mut |misfit| report(row, misfit)) {
            Some(value) => value,
            None => {
                self.marks[row] = Mark::NULL;
                T::default()
            }
        }
    }
}

/// Floats that the target has room for without a look at each value; `None` for others.
fn wider_floats(array: &dyn Array, stored: Stored) -> Option<Vec<f64>> {
    use DataType as D;
    let digits = match stored {
        Stored::Float16 => 11,
        Stored::Float32 => f32::MANTISSA_DIGITS,
        _ => f64::MANTISSA_DIGITS,
    };
    Some(match array.data_type() {
        D::Float16 => mapped::<Float16Type, _>(array, f64::from),
        D::Float32 if digits >= 24 => mapped::<Float32Type, _>(array, f64::from),
        D::Float64 if digits >= 53 => mapped::<Float64Type, _>(array, f64::from),
        D::Int8 => mapped::<Int8Type, _>(array, f64::from),
        D::UInt8 => mapped::<UInt8Type, _>(array, f64::from),
        D::Int16 if digits >= 16 => mapped::<Int16Type, _>(array, f64::from),
        D::UInt16 if digits >= 16 => mapped::<UInt16Type, _>(array, f64::from),
        D::Int32 if digits >= 32 => mapped::<Int32Type, _>(array, f64::from),
        D::UInt32 if digits >= 32 => mapped::<UInt32Type, _>(array, f64::from),
        _ => return None,
    })
}

fn mapped<T: ArrowPrimitiveType, U>(array: &dyn Array, map: impl Fn(T::Native) -> U) -> Vec<U> {
    array.as_primitive::<T>().values().iter().map(|&value| map(value)).collect()
}

/// Gives every number of an array, of meaning or under a null.
fn each_number(array: &dyn Array, mut each: impl FnMut(Number)) -> Result<(), String> {
    let float = |digits| move |value| Number::Float { value, digits };
    match array.data_type() {
        DataType::Float16 => {
            mapped::<Float16Type, _>(array, f64::from).into_iter().map(float(11)).for_each(each)
        }
        DataType::Float32 => {
            mapped::<Float32Type, _>(array, f64::from).into_iter().map(float(24)).for_each(each)
        }
        DataType::Float64 => {
            mapped::<Float64Type, _>(array, f64::from).into_iter().map(float(53)).for_each(each)
        }
        DataType::Int8 => integers::<Int8Type>(array, each),
        DataType::Int16 => integers::<Int16Type>(array, each),
        DataType::Int32 => integers::<Int32Type>(array, each),
        DataType::Int64 => integers::<Int64Type>(array, each),
        DataType::UInt8 => integers::<UInt8Type>(array, each),
        DataType::UInt16 => integers::<UInt16Type>(array, each),
        DataType::UInt32 => integers::<UInt32Type>(array, each),
        DataType::UInt64 => integers::<UInt64Type>(array, each),
        DataType::Boolean => {
            array.as_boolean().values().iter().for_each(|value| each(Number::Integer(value.into())));
        }
        _ => return Err(wrong(array)),
    }
    Ok(())
}

fn integers<T: ArrowPrimitiveType<Native: Into<i128>>>(array: &dyn Array, mut each: impl FnMut(Number)) {
    array.as_primitive::<T>().values().iter().for_each(|&value| each(Number::Integer(value.into())));
}

fn strings(array: &dyn Array) -> Result<Strings, String> {
    match array.data_type() {
        DataType::Utf8 => packed(array.as_string::<i32>().iter()),
        DataType::LargeUtf8 => packed(array.as_string::<i64>().iter()),
        DataType::Utf8View => packed(array.as_string_view().iter()),
        _ => Err(wrong(array)),
    }
}

fn packed<'a>(values: impl Iterator<Item = Option<&'a str>> + Clone) -> Result<Strings, String> {
    let values = values.map(Option::unwrap_or_default);
    let bytes: usize = values.clone().map(str::len).sum();
    if u32::try_from(bytes).is_err() {
        return Err("more than 4 GiB of text in one batch".to_owned());
    }
    Ok(Strings::from_values(values))
}

/// Numbers as text.
fn written(array: &dyn Array) -> Result<Strings, String> {
    if let Some(truths) = array.as_boolean_opt() {
        return Ok(Strings::from_values(truths.values().iter().map(|truth| truth.to_string())));
    }
    let mut texts = Vec::with_capacity(array.len());
    each_number(array, |number| texts.push(number.to_string()))?;
    Ok(Strings::from_values(texts))
}
