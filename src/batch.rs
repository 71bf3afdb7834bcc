//! Typed columns with their marks: what transforms read and write.
//!
//! A [`Column`] owns its buffers, so that a pool of them serves request after request without an allocation.

mod build_strings;
mod interleave;
pub mod json;
mod lists;
mod mark;
mod select;
mod sparse;
mod text;
pub mod time;
pub mod word;

use std::ops::Range;

use bytes::Bytes;

pub use build_strings::StringsBuilder;
pub use interleave::Origin;
pub use mark::{Mark, Status, StatusCounts};
pub use select::Position;
pub use sparse::SparseVectors;

use self::time::Time;

/// Element types of columns. Floats are computed in 64 bits whatever their source's width.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Element {
    Float64,
    Int64,
    Uint64,
    Bool,
    String,
    /// An int64 that is a time: no operation takes it for a number.
    Time(Time),
}

impl Element {
    /// The name that specs use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Float64 => "float64",
            Self::Int64 => "int64",
            Self::Uint64 => "uint64",
            Self::Bool => "bool",
            Self::String => "string",
            Self::Time(time) => time.name(),
        }
    }

    /// The time that it is, if it is one.
    pub fn time(self) -> Option<Time> {
        match self {
            Self::Time(time) => Some(time),
            _ => None,
        }
    }

    /// Whether it is an integer type.
    pub fn is_integer(self) -> bool {
        matches!(self, Self::Int64 | Self::Uint64)
    }
}

/// The static type of a column, known before any row is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Type {
    pub element: Element,
    /// Elements side by side in one value; `None` for a scalar (a vector of width 1 is not a scalar).
    pub width: Option<usize>,
    /// Whether a row is a list of such values.
    pub list: bool,
    /// Whether a value can be null.
    pub nullable: bool,
}

impl Type {
    /// A nullable scalar.
    pub fn scalar(element: Element) -> Self {
        Self { element, width: None, list: false, nullable: true }
    }

    /// A nullable float64 vector.
    pub fn vector(width: usize) -> Self {
        Self { element: Element::Float64, width: Some(width), list: false, nullable: true }
    }

    /// The same type as a list of such values.
    pub fn listed(self) -> Self {
        Self { list: true, ..self }
    }

    /// The same type with the nullability given.
    pub fn with_nullable(self, nullable: bool) -> Self {
        Self { nullable, ..self }
    }

    /// Elements in one value: 1 for a scalar.
    pub fn lanes(self) -> usize {
        self.width.unwrap_or(1)
    }
}

impl std::fmt::Display for Type {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = self.element.name();
        match (self.list, self.width) {
            (false, None) => f.write_str(name),
            (false, Some(width)) => write!(f, "vector<{name}, {width}>"),
            (true, None) => write!(f, "list<{name}>"),
            (true, Some(width)) => write!(f, "list<vector<{name}, {width}>>"),
        }
    }
}

/// Strings as spans of shared bytes; the bytes under every span are valid UTF-8.
#[derive(Debug, Clone, Default)]
pub struct Strings {
    bytes: Bytes,
    spans: Vec<Span>,
}

/// Where one string lies in its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    pub start: u32,
    pub length: u32,
}

impl Strings {
    /// Copies strings into one new buffer.
    pub fn from_values<S: AsRef<str>>(values: impl IntoIterator<Item = S>) -> Self {
        let mut bytes = Vec::new();
        let mut spans = Vec::new();
        for value in values {
            let value = value.as_ref();
            let start = u32::try_from(bytes.len()).expect("a column holds less than 4 GiB of text");
            spans.push(Span { start, length: value.len() as u32 });
            bytes.extend_from_slice(value.as_bytes());
        }
        Self { bytes: bytes.into(), spans }
    }

    /// Takes spans of `bytes`, or returns the position of the first that is outside of it or not UTF-8.
    pub fn from_spans(bytes: Bytes, spans: Vec<Span>) -> Result<Self, usize> {
        if all_ascii(&bytes, &spans) {
            return Ok(Self { bytes, spans });
        }
        for (position, span) in spans.iter().enumerate() {
            let start = span.start as usize;
            let text = bytes.get(start..start + span.length as usize);
            if text.is_none_or(|text| std::str::from_utf8(text).is_err()) {
                return Err(position);
            }
        }
        Ok(Self { bytes, spans })
    }

    /// The same strings with an empty one after them.
    pub fn with_empty(mut self) -> Self {
        self.spans.push(Span::default());
        self
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Where each of them lies.
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// The UTF-8 bytes of string `position`.
    pub fn get_bytes(&self, position: usize) -> &[u8] {
        let span = self.spans[position];
        &self.bytes[span.start as usize..span.start as usize + span.length as usize]
    }

    /// String `position`.
    pub fn get(&self, position: usize) -> &str {
        std::str::from_utf8(self.get_bytes(position)).expect("checked when the spans were taken")
    }

    /// All of them in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|position| self.get(position))
    }

    /// Replaces the strings by those of `source` at `positions`; the bytes are shared, not copied.
    pub fn gather(&mut self, source: &Strings, positions: impl Iterator<Item = usize>) {
        self.share_bytes(source);
        self.spans.clear();
        self.spans.extend(positions.map(|position| source.spans[position]));
    }

    /// Replaces the strings by those of `source` in `range`; the bytes are shared, not copied.
    pub fn copy_range(&mut self, source: &Strings, range: Range<usize>) {
        self.share_bytes(source);
        self.spans.clear();
        self.spans.extend_from_slice(&source.spans[range]);
    }

    fn share_bytes(&mut self, source: &Strings) {
        // One block of rows after the other shares the same bytes: counting who does so costs more than a look. Bytes
        // that are held here can't have been given to somebody else at the same place.
        let same = self.bytes.as_ptr() == source.bytes.as_ptr() && self.bytes.len() == source.bytes.len();
        if !same || self.bytes.is_empty() {
            self.bytes = source.bytes.clone();
        }
    }

    /// Bytes in memory.
    pub fn memory(&self) -> usize {
        self.bytes.len() + self.spans.len() * size_of::<Span>()
    }
}

/// Whether everything from the first span's start to the last one's end is there and ASCII. What lies between a request's
/// strings is too, mostly, and one look at all of it takes far less time than one at each.
fn all_ascii(bytes: &[u8], spans: &[Span]) -> bool {
    let start = spans.iter().map(|span| span.start).min().unwrap_or_default();
    let end =
        spans.iter().map(|span| u64::from(span.start) + u64::from(span.length)).max().unwrap_or_default();
    bytes.get(start as usize..end as usize).is_some_and(<[u8]>::is_ascii)
}

/// Whether any value is NaN: one pass over all, without a branch for each, as there are hardly ever any.
pub fn any_nan(values: &[f64]) -> bool {
    values.iter().fold(false, |any, value| any | value.is_nan())
}

/// A column's elements; a vector's lie side by side.
#[derive(Debug, Clone)]
pub enum Values {
    Float64(Vec<f64>),
    Int64(Vec<i64>),
    Uint64(Vec<u64>),
    Bool(Vec<bool>),
    String(Strings),
    /// A one-hot vector for each value, kept as the position of its one; [`NO_SLOT`] for all zeros. A kernel may give
    /// it for a float64 vector type, and gets wide ones where it takes sparse vectors.
    OneHot(Vec<u32>),
    /// Wide vectors of float64 as their lanes that are not zero. A kernel may give it for a float64 vector type, and
    /// gets it where it takes it.
    Sparse(SparseVectors),
    /// Vectors of floats in 32 bits, as a table stores them. Read in place of float64 by the kernels that take it.
    Float32(Vec<f32>),
}

/// The position that stands for a one-hot vector of zeros.
pub const NO_SLOT: u32 = u32::MAX;

/// Where each row's list begins and ends among the elements, and whether the whole list is null.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListRows {
    /// One more than there are rows; the first is 0.
    pub offsets: Vec<u32>,
    /// One for each row.
    pub marks: Vec<Mark>,
}

impl ListRows {
    /// The elements of row `row`.
    pub fn range(&self, row: usize) -> Range<usize> {
        self.offsets[row] as usize..self.offsets[row + 1] as usize
    }
}

/// Values of one type with their marks.
#[derive(Debug, Clone)]
pub struct Column {
    /// `marks.len() * lanes` elements. Under a null mark lies a placeholder of no meaning.
    pub values: Values,
    /// One for each value: each row, or each list element where `list` is given.
    pub marks: Vec<Mark>,
    /// How the values form lists, where rows are lists.
    pub list: Option<ListRows>,
}

impl Column {
    /// An empty column of the type given.
    pub fn new(of: Type) -> Self {
        let values = match of.element {
            Element::Float64 => Values::Float64(Vec::new()),
            Element::Int64 | Element::Time(_) => Values::Int64(Vec::new()),
            Element::Uint64 => Values::Uint64(Vec::new()),
            Element::Bool => Values::Bool(Vec::new()),
            Element::String => Values::String(Strings::default()),
        };
        let list = of.list.then(|| ListRows { offsets: vec![0], marks: Vec::new() });
        Self { values, marks: Vec::new(), list }
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.list.as_ref().map_or(self.marks.len(), |list| list.marks.len())
    }

    /// Makes every value with a NaN null; columns without floats stay as they are.
    pub fn null_nans(&mut self) {
        if let Values::Float64(values) = &self.values {
            if !any_nan(values) {
                return;
            }
            let lanes = (values.len() / self.marks.len().max(1)).max(1);
            for (mark, value) in self.marks.iter_mut().zip(values.chunks_exact(lanes)) {
                if value.iter().any(|lane| lane.is_nan()) {
                    *mark |= Mark::NULL;
                }
            }
        }
    }

    /// Rounds floats to the values that float32 has.
    pub fn round_to_float32(&mut self) {
        if let Values::Float64(values) = &mut self.values {
            values.iter_mut().for_each(|value| *value = f64::from(*value as f32));
        }
    }

    /// The float64 elements. The plan's type check makes sure of the type.
    pub fn float64(&self) -> &[f64] {
        match &self.values {
            Values::Float64(values) => values,
            other => wrong_type("float64", other),
        }
    }

    /// The float32 elements of vectors that come in 32 bits.
    pub fn float32(&self) -> &[f32] {
        match &self.values {
            Values::Float32(values) => values,
            other => wrong_type("float32", other),
        }
    }

    /// The int64 elements.
    pub fn int64(&self) -> &[i64] {
        match &self.values {
            Values::Int64(values) => values,
            other => wrong_type("int64", other),
        }
    }

    /// The uint64 elements.
    pub fn uint64(&self) -> &[u64] {
        match &self.values {
            Values::Uint64(values) => values,
            other => wrong_type("uint64", other),
        }
    }

    /// The bool elements.
    pub fn bool(&self) -> &[bool] {
        match &self.values {
            Values::Bool(values) => values,
            other => wrong_type("bool", other),
        }
    }

    /// The strings.
    pub fn strings(&self) -> &Strings {
        match &self.values {
            Values::String(values) => values,
            other => wrong_type("string", other),
        }
    }

    /// Makes this a float64 column and gives its emptied elements and marks to fill.
    pub fn float64_mut(&mut self) -> (&mut Vec<f64>, &mut Vec<Mark>) {
        if !matches!(self.values, Values::Float64(_)) {
            self.values = Values::Float64(Vec::new());
        }
        match &mut self.values {
            Values::Float64(values) => {
                values.clear();
                self.marks.clear();
                (values, &mut self.marks)
            }
            other => wrong_type("float64", other),
        }
    }

    /// Makes this a float32 column and gives its emptied elements and marks to fill.
    pub fn float32_mut(&mut self) -> (&mut Vec<f32>, &mut Vec<Mark>) {
        if !matches!(self.values, Values::Float32(_)) {
            self.values = Values::Float32(Vec::new());
        }
        match &mut self.values {
            Values::Float32(values) => {
                values.clear();
                self.marks.clear();
                (values, &mut self.marks)
            }
            other => wrong_type("float32", other),
        }
    }

    /// Makes this a column of sparse vectors and gives its emptied vectors and marks to fill.
    pub fn sparse_mut(&mut self) -> (&mut SparseVectors, &mut Vec<Mark>) {
        if !matches!(self.values, Values::Sparse(_)) {
            self.values = Values::Sparse(SparseVectors::default());
        }
        match &mut self.values {
            Values::Sparse(vectors) => {
                vectors.clear();
                self.marks.clear();
                (vectors, &mut self.marks)
            }
            other => wrong_type("sparse", other),
        }
    }

    /// Makes this an int64 column and gives its emptied elements and marks to fill.
    pub fn int64_mut(&mut self) -> (&mut Vec<i64>, &mut Vec<Mark>) {
        if !matches!(self.values, Values::Int64(_)) {
            self.values = Values::Int64(Vec::new());
        }
        match &mut self.values {
            Values::Int64(values) => {
                values.clear();
                self.marks.clear();
                (values, &mut self.marks)
            }
            other => wrong_type("int64", other),
        }
    }

    /// Makes this a bool column and gives its emptied elements and marks to fill.
    pub fn bool_mut(&mut self) -> (&mut Vec<bool>, &mut Vec<Mark>) {
        if !matches!(self.values, Values::Bool(_)) {
            self.values = Values::Bool(Vec::new());
        }
        match &mut self.values {
            Values::Bool(values) => {
                values.clear();
                self.marks.clear();
                (values, &mut self.marks)
            }
            other => wrong_type("bool", other),
        }
    }

    /// Makes this a one-hot column and gives its emptied slots and marks to fill.
    pub fn one_hot_mut(&mut self) -> (&mut Vec<u32>, &mut Vec<Mark>) {
        if !matches!(self.values, Values::OneHot(_)) {
            self.values = Values::OneHot(Vec::new());
        }
        match &mut self.values {
            Values::OneHot(slots) => {
                slots.clear();
                self.marks.clear();
                (slots, &mut self.marks)
            }
            other => wrong_type("one-hot", other),
        }
    }
}

/// A kernel was given a column that its type check excluded: a bug, answered as INTERNAL for this call alone.
#[cold]
fn wrong_type(wanted: &str, got: &Values) -> ! {
    let got = match got {
        Values::Float64(_) => "float64",
        Values::Int64(_) => "int64",
        Values::Uint64(_) => "uint64",
        Values::Bool(_) => "bool",
        Values::String(_) => "string",
        Values::OneHot(_) => "one-hot",
        Values::Sparse(_) => "sparse",
        Values::Float32(_) => "float32",
    };
    panic!("a {wanted} column was expected, a {got} column came")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_checked() {
        let bytes = Bytes::from_static("aé".as_bytes());
        let ok = Strings::from_spans(
            bytes.clone(),
            vec![Span { start: 1, length: 2 }, Span { start: 0, length: 1 }],
        );
        assert_eq!(ok.expect("good spans").iter().collect::<Vec<_>>(), ["é", "a"]);
        let split = Strings::from_spans(bytes.clone(), vec![Span { start: 0, length: 2 }]);
        assert_eq!(split.expect_err("half a character"), 0);
        let outside =
            Strings::from_spans(bytes, vec![Span { start: 0, length: 1 }, Span { start: 2, length: 9 }]);
        assert_eq!(outside.expect_err("past the end"), 1);
    }
}
