//! Ragged tensors, read for people.

use std::ops::Range;

use serde_json::Value;

use super::sparse::{Number, numbers};
use crate::proto::Tensor;

/// The elements of each row's lists.
pub struct RaggedTensor {
    /// The numbers of all elements, each `width` of them.
    numbers: Vec<Number>,
    width: usize,
    rows: Vec<Range<usize>>,
}

impl RaggedTensor {
    /// Reads a tensor's values or bytes; none where they don't fit to its shape.
    pub fn read(tensor: &Tensor, elements: usize, width: usize) -> Option<Self> {
        let floats = tensor.values.iter().map(|&value| Number::Float(value));
        let integers = tensor.int64_values.iter().map(|&value| Number::Integer(value));
        let numbers: Vec<Number> =
            floats.chain(integers).chain(numbers(&tensor.data, tensor.dtype())).collect();
        let bytes = tensor.row_offsets.as_chunks().0.iter().map(|&bytes| u64::from_le_bytes(bytes));
        let offsets: Vec<usize> =
            tensor.row_offset_values.iter().copied().chain(bytes).map(|offset| offset as usize).collect();
        let fits = numbers.len() == elements * width
            && offsets.first() == Some(&0)
            && offsets.last() == Some(&elements)
            && offsets.is_sorted();
        let rows = offsets.windows(2).map(|ends| ends[0]..ends[1]).collect();
        fits.then_some(Self { numbers, width, rows })
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// Some lanes of a row's elements: of all of them, or of the first `most`.
    pub fn text(&self, row: usize, lanes: Range<usize>, most: usize) -> String {
        let elements = self.rows[row].clone();
        let rest = if elements.len() > most { ", …" } else { "" };
        let shown: Vec<String> = elements
            .take(most)
            .map(|element| {
                let numbers = self.numbers_of(element, lanes.clone()).iter();
                let shown: Vec<String> = numbers.take(most).map(|number| number.text()).collect();
                shown.join(" ") + if lanes.len() > most { " …" } else { "" }
            })
            .collect();
        format!("[{}{rest}]", shown.join(", "))
    }

    /// The same as JSON: an array of the elements, which are numbers or arrays of them.
    pub fn json(&self, row: usize, lanes: Range<usize>) -> Value {
        let of_element = |element: usize| match self.numbers_of(element, lanes.clone()) {
            [single] => single.json(),
            several => several.iter().map(|number| number.json()).collect(),
        };
        self.rows[row].clone().map(of_element).collect()
    }

    fn numbers_of(&self, element: usize, lanes: Range<usize>) -> &[Number] {
        &self.numbers[element * self.width..][lanes]
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tensor(offsets: &[u64]) -> Tensor {
        let values = vec![1.0, 2.0, 3.0, 4.5, 5.0, 6.0];
        Tensor { values, row_offset_values: offsets.to_vec(), ..Tensor::default() }
    }

    #[test]
    fn shows_each_rows_elements() {
        let read = RaggedTensor::read(&tensor(&[0, 2, 2]), 2, 3).expect("fits");
        assert_eq!(read.rows(), 2);
        assert_eq!((read.text(0, 0..1, 3), read.text(1, 0..1, 3)), ("[1, 4.5000]".into(), "[]".into()));
        assert_eq!(read.text(0, 0..3, 1), "[1 …, …]");
        assert_eq!(read.json(0, 1..3), json!([[2.0, 3.0], [5.0, 6.0]]));
        assert_eq!(read.json(0, 0..1), json!([1.0, 4.5]));
    }

    #[test]
    fn offsets_that_do_not_fit_are_none() {
        for offsets in [&[][..], &[0], &[0, 3], &[1, 2], &[0, 3, 2]] {
            assert!(RaggedTensor::read(&tensor(offsets), 2, 3).is_none(), "{offsets:?}");
        }
    }
}
