//! Values as people read them.

use super::{Column, Values};

/// Elements of a list or vector that are shown.
const SHOWN: usize = 4;

impl Column {
    /// The value of a row, or `None` for null. Long lists and vectors are cut, with their length behind them; floats
    /// have the digits that tell them from their neighbours, those in 32 bits where `narrow` says so.
    pub fn text(&self, lanes: Option<usize>, narrow: bool, row: usize) -> Option<String> {
        if let Some(list) = &self.list {
            let range = list.range(row);
            return (!list.marks[row].is_null()).then(|| self.texts(range.start, range.len(), narrow));
        }
        if self.marks[row].is_null() {
            return None;
        }
        Some(match lanes {
            Some(lanes) => self.texts(row * lanes, lanes, narrow),
            None => self.element_text(row, narrow),
        })
    }

    fn texts(&self, first: usize, count: usize, narrow: bool) -> String {
        let element = |position: usize| match self.list.is_some() && self.marks[position].is_null() {
            true => "null".to_owned(),
            false => self.element_text(position, narrow),
        };
        let shown: Vec<String> = (first..first + count.min(SHOWN)).map(element).collect();
        let rest = if count > SHOWN { format!(", … {count}") } else { String::new() };
        format!("[{}{rest}]", shown.join(", "))
    }

    fn element_text(&self, position: usize, narrow: bool) -> String {
        match &self.values {
            // Debug writes large and tiny floats with an exponent.
            Values::Float64(values) if narrow => format!("{:?}", values[position] as f32),
            Values::Float64(values) => format!("{:?}", values[position]),
            Values::Float32(values) => format!("{:?}", values[position]),
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
    use crate::batch::{Element, ListRows, Mark, Type};

    #[test]
    fn lists_and_vectors_are_cut() {
        let mut column = Column::new(Type::vector(5));
        column.values = Values::Float64(vec![0.5, 1.0, 2.0, 3.0, 4.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        column.marks = vec![Mark::PRESENT, Mark::NULL];
        assert_eq!(column.text(Some(5), false, 0).as_deref(), Some("[0.5, 1.0, 2.0, 3.0, … 5]"));
        assert_eq!(column.text(Some(5), false, 1), None);
        column.values = Values::Float64(vec![f64::from(0.1_f32)]);
        assert_eq!(column.text(None, true, 0).as_deref(), Some("0.1"));
        let mut lists = Column::new(Type::scalar(Element::Int64).listed());
        lists.values = Values::Int64(vec![7, 0]);
        lists.marks = vec![Mark::PRESENT, Mark::NULL];
        lists.list = Some(ListRows { offsets: vec![0, 2, 2], marks: vec![Mark::PRESENT, Mark::PRESENT] });
        assert_eq!(lists.text(None, false, 0).as_deref(), Some("[7, null]"));
        assert_eq!(lists.text(None, false, 1).as_deref(), Some("[]"));
    }
}
