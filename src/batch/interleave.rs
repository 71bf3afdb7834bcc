//! One column of values from several.

use super::{Column, ListRows, Mark, SparseVectors, Strings, Values};

/// A row, or a value, of one of several columns: the column's position, and its own there.
pub type Origin = (usize, usize);

impl Column {
    /// Makes this the rows `order` of `parts`, columns of one type whose values have `lanes` elements each; of none it is
    /// empty.
    pub fn interleave(&mut self, parts: &[&Column], lanes: usize, order: &[Origin]) {
        let Some(first) = parts.first() else { return };
        self.list = None;
        if first.list.is_none() {
            return self.interleave_values(parts, lanes, order);
        }
        let mut list = ListRows { offsets: vec![0], marks: Vec::with_capacity(order.len()) };
        let mut elements = Vec::new();
        for &(part, row) in order {
            let Some(of) = &parts[part].list else { continue };
            elements.extend(of.range(row).map(|element| (part, element)));
            list.offsets.push(elements.len() as u32);
            list.marks.push(of.marks[row]);
        }
        self.interleave_values(parts, lanes, &elements);
        self.list = Some(list);
    }

    fn interleave_values(&mut self, parts: &[&Column], lanes: usize, order: &[Origin]) {
        let marks: Vec<&[Mark]> = parts.iter().map(|part| &part.marks[..]).collect();
        self.marks.clear();
        interleave(&marks, 1, order, &mut self.marks);
        self.values = interleaved(parts, lanes, order);
    }
}

/// Takes the slices of `parts` that are values of one kind.
macro_rules! slices {
    ($parts:expr, $kind:ident) => {
        $parts
            .iter()
            .map(|part| match &part.values {
                Values::$kind(values) => &values[..],
                _ => &[],
            })
            .collect::<Vec<_>>()
    };
}

fn interleaved(parts: &[&Column], lanes: usize, order: &[Origin]) -> Values {
    macro_rules! of_kind {
        ($kind:ident, $lanes:expr) => {{
            let mut values = Vec::with_capacity(order.len() * $lanes);
            interleave(&slices!(parts, $kind), $lanes, order, &mut values);
            Values::$kind(values)
        }};
    }
    match &parts[0].values {
        Values::Float64(_) => of_kind!(Float64, lanes),
        Values::Float32(_) => of_kind!(Float32, lanes),
        Values::Int64(_) => of_kind!(Int64, lanes),
        Values::Uint64(_) => of_kind!(Uint64, lanes),
        Values::Bool(_) => of_kind!(Bool, lanes),
        Values::OneHot(_) => of_kind!(OneHot, 1),
        Values::String(_) => {
            let text = |&(part, position): &Origin| match &parts[part].values {
                Values::String(strings) => strings.get(position),
                _ => "",
            };
            Values::String(Strings::from_values(order.iter().map(text)))
        }
        Values::Sparse(_) => {
            let mut vectors = SparseVectors::default();
            for &(part, position) in order {
                if let Values::Sparse(of) = &parts[part].values {
                    vectors.push_from(of, position);
                }
            }
            Values::Sparse(vectors)
        }
    }
}

fn interleave<T: Copy>(parts: &[&[T]], lanes: usize, order: &[Origin], out: &mut Vec<T>) {
    for &(part, position) in order {
        out.extend_from_slice(&parts[part][position * lanes..(position + 1) * lanes]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{Element, Type};

    #[test]
    fn rows_come_from_their_parts_in_order() {
        let numbers = |values: &[i64]| Column {
            values: Values::Int64(values.to_vec()),
            marks: vec![Mark::PRESENT; values.len()],
            list: None,
        };
        let mut out = Column::new(Type::scalar(Element::Int64));
        out.interleave(&[&numbers(&[1, 2]), &numbers(&[3])], 1, &[(1, 0), (0, 1), (0, 0), (1, 0)]);
        assert_eq!(out.int64(), [3, 2, 1, 3]);
        let texts = |values: &[&str], offsets: &[u32]| Column {
            values: Values::String(Strings::from_values(values)),
            marks: vec![Mark::PRESENT; values.len()],
            list: Some(ListRows { offsets: offsets.to_vec(), marks: vec![Mark::PRESENT; offsets.len() - 1] }),
        };
        let parts = [texts(&["a", "b", "c"], &[0, 2, 3]), texts(&["d"], &[0, 0, 1])];
        out.interleave(&parts.each_ref(), 1, &[(1, 1), (0, 0), (1, 0)]);
        assert_eq!(out.strings().iter().collect::<Vec<_>>(), ["d", "a", "b"]);
        assert_eq!(out.list.expect("lists").offsets, [0, 1, 3, 3]);
    }
}
