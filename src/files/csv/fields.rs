//! Columns made of fields of text.

use super::lists;
use crate::{
    batch::{Column, Element, ListRows, Mark, Strings, Values, time::TimeType},
    files::{Misfit, Misfits, Stored, Target, fit},
};

/// A column in the making.
#[derive(Debug)]
pub struct Builder {
    values: Fields,
    marks: Vec<Mark>,
    /// Where rows are lists.
    list: Option<ListRows>,
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
        let list = target.of.list.then(|| ListRows { offsets: vec![0], marks: Vec::new() });
        Self { values, marks: Vec::new(), list }
    }

    /// Adds a field's value; null for an empty one. `report` is given what is wrong with one that is not exact.
    pub fn push(&mut self, text: &str, target: &Target, report: &mut dyn FnMut(&dyn Fn() -> Misfit)) {
        match (target.of.width, &self.list) {
            (Some(width), _) => self.push_vector(text, width, target, report),
            (None, Some(_)) => self.push_list(text, target, report),
            (None, None) => self.push_scalar(text, target, report),
        }
    }

    fn push_list(&mut self, text: &str, target: &Target, report: &mut dyn FnMut(&dyn Fn() -> Misfit)) {
        let elements = elements_of(text, report);
        for element in elements.iter().flatten() {
            self.push_scalar(element.as_deref().unwrap_or_default(), target, report);
        }
        let end = self.marks.len();
        let mark = if elements.is_some() { Mark::PRESENT } else { Mark::NULL };
        if let Some(list) = &mut self.list {
            list.push(end, mark);
        }
    }

    /// An empty list stands for a missing vector, as an empty field does.
    fn push_vector(
        &mut self,
        text: &str,
        width: usize,
        target: &Target,
        report: &mut dyn FnMut(&dyn Fn() -> Misfit),
    ) {
        let elements = elements_of(text, report).unwrap_or_default();
        let mut vector = Vec::with_capacity(width);
        if elements.len() == width {
            for element in elements.iter().flatten() {
                let fit = fit::text_to_float(element, target.stored);
                vector.extend(target.settle(fit, &format_args!("{element:?}"), report));
            }
            if elements.iter().any(Option::is_none) {
                report(&|| null_instead("null inside a vector".to_owned()));
            }
        } else if !elements.is_empty() {
            report(&|| null_instead(format!("a vector of {}, {width} are wanted", elements.len())));
        }
        let mark = if vector.len() == width { Mark::PRESENT } else { Mark::NULL };
        vector.resize(width, 0.0);
        if let Fields::Float64(values) = &mut self.values {
            values.extend(vector);
        }
        self.marks.push(mark);
    }

    fn push_scalar(&mut self, text: &str, target: &Target, report: &mut dyn FnMut(&dyn Fn() -> Misfit)) {
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
        Column { values, marks: self.marks, list: self.list }
    }
}

/// The elements of a field that is a list; none for an empty field, and for one that is no list, which is reported.
fn elements_of(text: &str, report: &mut dyn FnMut(&dyn Fn() -> Misfit)) -> Option<Vec<Option<String>>> {
    let elements = lists::elements(text);
    if elements.is_none() && !text.trim().is_empty() {
        report(&|| null_instead(format!("{text:?} is not a list: write it as [1, 2, 3] or [\"a\", \"b\"]")));
    }
    elements
}

fn null_instead(why: String) -> Misfit {
    Misfit { why, lossy: "makes it null".to_owned() }
}

fn time(text: &str, of: TimeType, report: &mut dyn FnMut(&dyn Fn() -> Misfit)) -> Option<i64> {
    if text.is_empty() {
        return None;
    }
    let read = of.parse(text);
    read.map_err(|why| report(&|| null_instead(why.clone()))).ok()
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
