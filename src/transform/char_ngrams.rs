//! Character n-grams: neighbouring characters of a text.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Compiled, Kernel, Operation, ngrams::check_sizes, python_characters::is_space, single};
use crate::{
    batch::{Column, Element, Mark, Span, StringsBuilder, Type, Values},
    problem::Problems,
};

/// Neighbouring characters of a string as a list of strings: scikit-learn's analyzers "char" and "char_wb". Two and more
/// characters of white space (Python's) become one space first; a single one stays as it is. Letters stay as they are: a
/// normalize_text step before this one makes them lower-case. Null stays null; an empty text gives an empty list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CharNgrams {
    /// Characters of the smallest n-gram, at least 1.
    pub minimum: usize,
    /// Characters of the largest n-gram; at most 32 sizes and 256 characters.
    pub maximum: usize,
    /// Whether n-grams end where words end ("char_wb"): each word between white space stands for itself, with a space
    /// before and after it, and one that is shorter than a size is given whole, once. Otherwise ("char") all of the
    /// smallest size come first, then all of the next.
    pub within_words: bool,
}

impl Operation for CharNgrams {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let input = single(inputs)?;
        let mut problems = Problems::none();
        if input.element != Element::String || input.list {
            problems.add("", format!("takes a string, its input is {input}"));
        }
        check_sizes(self.minimum, self.maximum, &mut problems);
        problems.or(Compiled::new(input.listed(), CharNgramsKernel { of: self.clone() }))
    }
}

#[derive(Debug)]
struct CharNgramsKernel {
    of: CharNgrams,
}

impl Kernel for CharNgramsKernel {
    /// Writes each row's text once, its white space folded or its words set apart: every n-gram is a part of that.
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        let strings = inputs[0].strings();
        let mut builder = out.take_strings();
        let rows = out.list_mut();
        // Where each character of a text begins, and where the last one ends.
        let mut starts: Vec<u32> = Vec::new();
        for (row, &mark) in inputs[0].marks.iter().enumerate() {
            match (mark.is_null(), self.of.within_words) {
                (true, _) => {}
                (false, true) => {
                    for word in strings.get(row).split(is_space).filter(|word| !word.is_empty()) {
                        self.push_word(word, &mut builder, &mut starts);
                    }
                }
                (false, false) => self.push_text(strings.get(row), &mut builder, &mut starts),
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

impl CharNgramsKernel {
    fn push_text(&self, text: &str, builder: &mut StringsBuilder, starts: &mut Vec<u32>) {
        let start = builder.written();
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            let run = is_space(character) && characters.next_if(|&next| is_space(next)).is_some();
            if run {
                while characters.next_if(|&next| is_space(next)).is_some() {}
            }
            builder.write_char(if run { ' ' } else { character });
        }
        find_starts(builder, start, starts);
        for size in self.of.minimum..=self.of.maximum.min(starts.len() - 1) {
            push_size(size, starts, builder);
        }
    }

    fn push_word(&self, word: &str, builder: &mut StringsBuilder, starts: &mut Vec<u32>) {
        let start = builder.written();
        builder.write(" ");
        builder.write(word);
        builder.write(" ");
        find_starts(builder, start, starts);
        let characters = starts.len() - 1;
        for size in self.of.minimum..=self.of.maximum {
            push_size(size.min(characters), starts, builder);
            if size >= characters {
                break;
            }
        }
    }
}

/// Makes `starts` where the characters written from byte `start` on begin, and where the last one ends.
fn find_starts(builder: &StringsBuilder, start: u32, starts: &mut Vec<u32>) {
    starts.clear();
    starts.extend(builder.text_from(start).char_indices().map(|(at, _)| start + at as u32));
    starts.push(builder.written());
}

fn push_size(size: usize, starts: &[u32], builder: &mut StringsBuilder) {
    for ngram in starts.windows(size + 1) {
        builder.push(Span { start: ngram[0], length: ngram[size] - ngram[0] });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::check::{run_text, texts};

    fn ngrams(minimum: usize, maximum: usize, within_words: bool, text: &str) -> Vec<String> {
        let out = run_text(&CharNgrams { minimum, maximum, within_words }, &[Some(text)]);
        texts(&out).into_iter().map(str::to_owned).collect()
    }

    /// By scikit-learn's `CountVectorizer(analyzer="char", lowercase=False, ...).build_analyzer()`.
    #[test]
    fn of_a_text_as_scikit_learn() {
        assert_eq!(
            ngrams(1, 2, false, "x²  ½ İ ‿ e\u{307}"),
            [
                "x", "²", " ", "½", " ", "İ", " ", "‿", " ", "e", "\u{307}", "x²", "² ", " ½", "½ ", " İ",
                "İ ", " ‿", "‿ ", " e", "e\u{307}"
            ]
        );
        assert_eq!(
            ngrams(2, 3, false, "ab\t\tc\td"),
            ["ab", "b ", " c", "c\t", "\td", "ab ", "b c", " c\t", "c\td"]
        );
        assert_eq!(ngrams(1, 1, false, "a \u{3000}b\u{1f}"), ["a", " ", "b", "\u{1f}"]);
        assert_eq!(ngrams(2, 4, false, "é中"), ["é中"]);
        assert!(ngrams(1, 3, false, "").is_empty());
    }

    /// By scikit-learn's `CountVectorizer(analyzer="char_wb", lowercase=False, ...).build_analyzer()`.
    #[test]
    fn within_words_as_scikit_learn() {
        assert_eq!(
            ngrams(2, 3, true, "x²  ½ İ ‿ e\u{307}"),
            [
                " x",
                "x²",
                "² ",
                " x²",
                "x² ",
                " ½",
                "½ ",
                " ½ ",
                " İ",
                "İ ",
                " İ ",
                " ‿",
                "‿ ",
                " ‿ ",
                " e",
                "e\u{307}",
                "\u{307} ",
                " e\u{307}",
                "e\u{307} "
            ]
        );
        assert_eq!(ngrams(2, 5, true, "ab\tc"), [" a", "ab", "b ", " ab", "ab ", " ab ", " c", "c ", " c "]);
        assert_eq!(ngrams(3, 3, true, "a"), [" a "]);
        assert_eq!(ngrams(4, 6, true, "a bcd"), [" a ", " bcd", "bcd ", " bcd "]);
        assert!(ngrams(1, 2, true, " \n").is_empty());
        assert_eq!(ngrams(1, 1, true, "é中"), [" ", "é", "中", " "]);
    }

    #[test]
    fn null_stays_null() {
        let ngrams = CharNgrams { minimum: 2, maximum: 2, within_words: false };
        let out = run_text(&ngrams, &[Some("abc"), None, Some("")]);
        let list = out.list.as_ref().expect("lists");
        assert_eq!((list.offsets.as_slice(), list.marks[1]), ([0, 2, 2, 2].as_slice(), Mark::NULL));
        assert!(ngrams.compile(&[Type::scalar(Element::String).listed()]).is_err());
    }
}
