//! N-grams: neighbouring tokens joined.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Compiled, Kernel, Operation, single};
use crate::{
    batch::{Column, Element, Mark, Span, Type, Values},
    problem::Problems,
};

/// Neighbouring tokens of a list of strings, joined: all of the smallest size in order, then all of the next, as
/// scikit-learn's word n-grams. Null elements are passed over; the status of the list is the gravest of its elements.
/// A null list stays null; one with fewer tokens than the smallest size gives an empty list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ngrams {
    /// Tokens of the smallest n-gram, at least 1.
    pub minimum: usize,
    /// Tokens of the largest n-gram; at most 32 sizes and 256 tokens.
    pub maximum: usize,
    /// What stands between joined tokens.
    pub separator: String,
}

/// The most sizes of n-grams: each gives as many as there are tokens.
const SIZES_LIMIT: usize = 32;

/// The largest n-gram.
const SIZE_LIMIT: usize = 256;

/// Notes a problem with sizes that are not in order or too many.
pub fn check_sizes(minimum: usize, maximum: usize, problems: &mut Problems) {
    if minimum == 0 {
        problems.add("minimum", "must be at least 1");
    }
    if maximum < minimum || maximum > SIZE_LIMIT || maximum - minimum >= SIZES_LIMIT {
        let message = format!(
            "is {maximum}, must be at least the minimum, at most {SIZE_LIMIT}, and leave at most {SIZES_LIMIT} sizes"
        );
        problems.add("maximum", message);
    }
}

impl Operation for Ngrams {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let input = single(inputs)?;
        let mut problems = Problems::none();
        if input.element != Element::String || !input.list {
            problems.add("", format!("takes a list of strings, its input is {input}"));
        }
        check_sizes(self.minimum, self.maximum, &mut problems);
        problems.or(Compiled::new(input, NgramsKernel { of: self.clone() }))
    }
}

#[derive(Debug)]
struct NgramsKernel {
    of: Ngrams,
}

impl Kernel for NgramsKernel {
    /// Writes each row's tokens joined, once: every n-gram is a part of that.
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        let Some(list) = &inputs[0].list else { return };
        let strings = inputs[0].strings();
        let mut builder = out.take_strings();
        let rows = out.list_mut();
        let mut tokens: Vec<Span> = Vec::new();
        for row in 0..list.marks.len() {
            let mut mark = list.marks[row];
            tokens.clear();
            for element in list.range(row) {
                let of_element = inputs[0].marks[element];
                mark |= of_element.filled();
                if of_element.is_null() {
                    continue;
                }
                if !tokens.is_empty() {
                    builder.write(&self.of.separator);
                }
                let start = builder.written();
                builder.write(strings.get(element));
                tokens.push(Span { start, length: builder.written() - start });
            }
            for size in self.of.minimum..=self.of.maximum.min(tokens.len()) {
                for ngram in tokens.windows(size) {
                    let (first, last) = (ngram[0], ngram[size - 1]);
                    let length = last.start + last.length - first.start;
                    builder.push(Span { start: first.start, length });
                }
            }
            rows.push(builder.len(), mark);
        }
        out.marks.resize(builder.len(), Mark::PRESENT);
        out.values = Values::String(builder.finish());
    }

    fn gives_lists(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        batch::{ListRows, Strings},
        transform::check::texts,
    };

    fn run(minimum: usize, maximum: usize, separator: &str) -> Column {
        let ngrams = Ngrams { minimum, maximum, separator: separator.into() };
        let compiled = ngrams.compile(&[Type::scalar(Element::String).listed()]).expect("good");
        let values = Values::String(Strings::from_values(["new", "york", "?", "city", "bus"]));
        let list =
            ListRows { offsets: vec![0, 4, 5, 5], marks: vec![Mark::PRESENT, Mark::PRESENT, Mark::NULL] };
        let mut marks = vec![Mark::PRESENT; 5];
        marks[2] = Mark::NULL;
        let input = Column { values, marks, list: Some(list) };
        let mut out = Column::new(compiled.output);
        compiled.kernel.run(&[&input], &mut out);
        out
    }

    /// By scikit-learn's `CountVectorizer(ngram_range=...).build_analyzer()`.
    #[test]
    fn sizes_follow_each_other() {
        let out = run(1, 3, " ");
        let expected = ["new", "york", "city", "new york", "york city", "new york city", "bus"];
        assert_eq!(texts(&out), expected);
        let list = out.list.as_ref().expect("lists");
        assert_eq!(list.offsets, [0, 6, 7, 7]);
        assert_eq!(list.marks, [Mark::NULL.filled(), Mark::PRESENT, Mark::NULL]);
        assert_eq!(texts(&run(2, 2, "")), ["newyork", "yorkcity"]);
    }

    #[test]
    fn sizes_are_checked() {
        let compile = |minimum, maximum, input: Type| {
            Ngrams { minimum, maximum, separator: " ".into() }.compile(&[input])
        };
        let texts = Type::scalar(Element::String).listed();
        assert!(compile(0, 1, texts).is_err());
        assert!(compile(2, 1, texts).is_err());
        assert!(compile(1, 33, texts).is_err());
        assert!(compile(usize::MAX, usize::MAX, texts).is_err());
        assert!(compile(1, 1, Type::scalar(Element::String)).is_err());
    }
}
