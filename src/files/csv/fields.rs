//! Columns made of fields of text.

use crate::{
    batch::{Column, Element, Mark, Strings, Values, time::TimeType},
    files::{Misfit, Misfits, Stored, Target, fit},
};

/// A column in the making.
#[derive(Debug)]
pub struct Builder {
    values: Fields,
    marks: Vec<Mark>,
}

#[derive(Debug)]
enum Fields {
    Float64(Vec<f64>),
    Int64(Vec<i64>),
    Uint64(Vec<u64>),
    Bool(Vec<bool>),
    String(Vec<String>),
}

impl Builder {
    /// A column of the target's type, without rows.
    pub fn new(target: &Target) -> Self {
        let values = match target.stored.element() {
            Element::Float64 => Fields::Float64(Vec::new()),
            Element::Int64 | Element::Time(_) => Fields::Int64(Vec::new()),
            Element::Uint64 => Fields::Uint64(Vec::new()),
            Element::Bool => Fields::Bool(Vec::new()),
            Element::String => Fields::String(Vec::new()),
        };
        Self { values, marks: Vec::new() }
    }

    /// Adds a field's value; null for an empty one. `report` is given what is wrong with one that is not exact.
    pub fn push(&mut self, text: &str, target: &Target, report: &mut dyn FnMut(&dyn Fn() -> Misfit)) {
        let shown = &format_args!("{text:?}");
        let stored = target.stored;
        let present = match &mut self.values {
            Fields::Float64(values) => {
                take(values, target.settle(fit::text_to_float(text, stored), shown, report))
            }
            Fields::Int64(values) if let Stored::Time(of) = stored => take(values, time(text, of, report)),
            Fields::Int64(values) => {
                take(values, target.settle(fit::text_to_integer(text, stored), shown, report))
            }
            Fields::Uint64(values) => {
                take(values, target.settle(fit::text_to_integer(text, stored), shown, report))
            }
            Fields::Bool(values) => take(values, target.settle(fit::text_to_bool(text), shown, report)),
            Fields::String(values) => take(values, (!text.is_empty()).then(|| text.to_owned())),
        };
        self.marks.push(if present { Mark::PRESENT } else { Mark::NULL });
    }

    /// The column of what was added.
    pub fn finish(self) -> Column {
        let values = match self.values {
            Fields::Float64(values) => Values::Float64(values),
            Fields::Int64(values) => Values::Int64(values),
            Fields::Uint64(values) => Values::Uint64(values),
            Fields::Bool(values) => Values::Bool(values),
            Fields::String(values) => Values::String(Strings::from_values(values)),
        };
        Column { values, marks: self.marks, list: None }
    }
}

fn time(text: &str, of: TimeType, report: &mut dyn FnMut(&dyn Fn() -> Misfit)) -> Option<i64> {
    if text.is_empty() {
        return None;
    }
    let read = of.parse(text);
    read.map_err(|why| report(&|| Misfit { why: why.clone(), lossy: "makes it null".to_owned() })).ok()
}

/// Adds a value, or a placeholder for none; gives whether there was one.
fn take<T: Default>(values: &mut Vec<T>, value: Option<T>) -> bool {
    let present = value.is_some();
    values.push(value.unwrap_or_default());
    present
}

/// A column that has the same text in every row.
pub fn repeated(text: Option<&str>, rows: usize, target: &Target) -> (Column, Misfits) {
    let (mut builder, mut misfits) = (Builder::new(target), Misfits::default());
    for row in 0..rows {
        builder.push(text.unwrap_or_default(), target, &mut |misfit| misfits.add(row, misfit));
    }
    (builder.finish(), misfits)
}
