//! Values as people read them.

use std::ops::Range;

use super::{Column, Element, Type, Values};

/// Elements of a list or vector that are shown.
const SHOWN: usize = 4;

impl Column {
    /// The value of a row, or `None` for null. Long lists and vectors are cut, with their length behind them; floats
    /// have the digits that separate them from their neighbours, those in 32 bits where `narrow` says so. `of` is the
    /// column's type.
    pub fn text(&self, of: Type, narrow: bool, row: usize) -> Option<String> {
        if let Some(list) = &self.list {
            let range = list.range(row);
            return (!list.marks[row].is_null()).then(|| self.texts(of, range, narrow));
        }
        if self.marks[row].is_null() {
            return None;
        }
        Some(match of.width {
            Some(lanes) => self.texts(of, row * lanes..(row + 1) * lanes, narrow),
            None => self.element_text(of, row, narrow),
        })
    }

    fn texts(&self, of: Type, elements: Range<usize>, narrow: bool) -> String {
        let (first, count) = (elements.start, elements.len());
        let element = |position: usize| match self.list.is_some() && self.marks[position].is_null() {
            true => "null".to_owned(),
            false => self.element_text(of, position, narrow),
        };
        let shown: Vec<String> = (first..first + count.min(SHOWN)).map(element).collect();
        let rest = if count > SHOWN { format!(", … {count}") } else { String::new() };
        format!("[{}{rest}]", shown.join(", "))
    }

    fn element_text(&self, of: Type, position: usize, narrow: bool) -> String {
        match &self.values {
            // Debug writes large and tiny floats with an exponent.
            Values::Float64(values) if narrow => format!("{:?}", values[position] as f32),
            Values::Float64(values) => format!("{:?}", values[position]),
            Values::Float32(values) => format!("{:?}", values[position]),
            Values::Int64(values) if let Element::Time(time) = of.element => time.text(values[position]),
            Values::Int64(values) => values[position].to_string(),
            Values::Uint64(values) => values[position].to_string(),
            Values::Bool(values) => values[position].to_string(),
            Values::String(values) => values.get(position).to_owned(),
            // Compact forms of vectors, which only features have.
            Values::OneHot(_) | Values::Sparse(_) => "…".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{
        ListRows, Mark,
        time::{Time, TimeUnit},
    };

    #[test]
    fn lists_and_vectors_are_cut() {
        let mut column = Column::new(Type::vector(5));
        column.values = Values::Float64(vec![0.5, 1.0, 2.0, 3.0, 4.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        column.marks = vec![Mark::PRESENT, Mark::NULL];
        assert_eq!(column.text(Type::vector(5), false, 0).as_deref(), Some("[0.5, 1.0, 2.0, 3.0, … 5]"));
        assert_eq!(column.text(Type::vector(5), false, 1), None);
        column.values = Values::Float64(vec![f64::from(0.1_f32)]);
        assert_eq!(column.text(Type::scalar(Element::Float64), true, 0).as_deref(), Some("0.1"));
        let of = Type::scalar(Element::Int64).listed();
        let mut lists = Column::new(of);
        lists.values = Values::Int64(vec![7, 0]);
        lists.marks = vec![Mark::PRESENT, Mark::NULL];
        lists.list = Some(ListRows { offsets: vec![0, 2, 2], marks: vec![Mark::PRESENT, Mark::PRESENT] });
        assert_eq!(lists.text(of, false, 0).as_deref(), Some("[7, null]"));
        assert_eq!(lists.text(of, false, 1).as_deref(), Some("[]"));
    }

    #[test]
    fn times_are_iso_8601() {
        let times = [
            (Time::Timestamp(TimeUnit::Milliseconds), 1_700_000_000_250, "2023-11-14T22:13:20.25Z"),
            (Time::Date, -1, "1969-12-31"),
            (Time::Duration(TimeUnit::Seconds), 90, "90s"),
            (Time::Timestamp(TimeUnit::Seconds), i64::MAX, "9223372036854775807s"),
        ];
        for (time, count, expect) in times {
            let of = Type::scalar(Element::Time(time));
            let mut column = Column::new(of);
            column.values = Values::Int64(vec![count]);
            column.marks = vec![Mark::PRESENT];
            assert_eq!(column.text(of, false, 0).as_deref(), Some(expect));
        }
    }
}
