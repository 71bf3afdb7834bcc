//! Normalizing text: case, accents, white space around it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use unicode_normalization::{UnicodeNormalization as _, char::canonical_combining_class};

use super::{Compiled, Kernel, Operation, python_characters::is_space, single};
use crate::{
    batch::{Column, Element, Span, StringsBuilder, Type, Values},
    problem::Problems,
};

/// A string in another case, without accents, without white space around it: in that order, as scikit-learn's
/// vectorizers. Null stays null. Characters added after Unicode 14 follow this program's tables, and their result may
/// differ from Python 3.11's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NormalizeText {
    pub case: Case,
    pub accents: Accents,
    /// Whether white space before and after the text goes, as Python's `str.strip()`.
    pub trim: bool,
}

/// The case of the letters.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Case {
    Keep,
    /// Python's `str.lower()`.
    Lower,
    /// Python's `str.upper()`.
    Upper,
}

/// What happens to accents; texts of ASCII alone stay as they are.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Accents {
    Keep,
    /// Decomposed (NFKD), less the combining characters: scikit-learn's `strip_accents_unicode`.
    Unicode,
    /// Decomposed (NFKD), less what is not ASCII: scikit-learn's `strip_accents_ascii`.
    Ascii,
}

impl Operation for NormalizeText {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let input = single(inputs)?;
        if input.element != Element::String {
            return Err(Problems::one("", format!("takes strings, its input is {input}")));
        }
        Ok(Compiled::new(input, NormalizeTextKernel { of: self.clone() }))
    }
}

#[derive(Debug)]
struct NormalizeTextKernel {
    of: NormalizeText,
}

impl Kernel for NormalizeTextKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        let (strings, marks) = (inputs[0].strings(), &inputs[0].marks);
        let mut builder = out.take_strings();
        out.marks.extend_from_slice(marks);
        if (self.of.case, self.of.accents) == (Case::Keep, Accents::Keep) {
            for (position, span) in strings.spans().iter().enumerate() {
                builder.push(self.trimmed(strings.get(position), span.start));
            }
            out.values = Values::String(builder.finish_over(strings));
            return;
        }
        let mut cased = String::new();
        for (position, mark) in marks.iter().enumerate() {
            let start = builder.written();
            if !mark.is_null() {
                let text = self.cased(strings.get(position), &mut cased);
                self.write_unaccented(text, &mut builder);
            }
            let span = self.trimmed(builder.text_from(start), start);
            builder.push(span);
        }
        out.values = Values::String(builder.finish());
    }
}

impl NormalizeTextKernel {
    /// The text in the case wanted; `buffer` holds it where it differs.
    fn cased<'a>(&self, text: &'a str, buffer: &'a mut String) -> &'a str {
        buffer.clear();
        match self.of.case {
            Case::Keep => return text,
            // Whether a sigma ends a word is for the standard library to know.
            Case::Lower if text.contains('Σ') => *buffer = text.to_lowercase(),
            Case::Lower if text.is_ascii() => {
                buffer.push_str(text);
                buffer.make_ascii_lowercase();
            }
            Case::Lower => buffer.extend(text.chars().flat_map(char::to_lowercase)),
            Case::Upper => buffer.extend(text.chars().flat_map(char::to_uppercase)),
        }
        buffer
    }

    fn write_unaccented(&self, text: &str, builder: &mut StringsBuilder) {
        if self.of.accents == Accents::Keep || text.is_ascii() {
            return builder.write(text);
        }
        let unicode = self.of.accents == Accents::Unicode;
        let stays = |character: &char| {
            if unicode { canonical_combining_class(*character) == 0 } else { character.is_ascii() }
        };
        text.nfkd().filter(stays).for_each(|character| builder.write_char(character));
    }

    /// The span of a text that begins at byte `start`, less the white space around it where that is wanted.
    fn trimmed(&self, text: &str, start: u32) -> Span {
        if !self.of.trim {
            return Span { start, length: text.len() as u32 };
        }
        let behind = text.trim_start_matches(is_space);
        let before = (text.len() - behind.len()) as u32;
        Span { start: start + before, length: behind.trim_end_matches(is_space).len() as u32 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::check::{run_text, texts};

    fn normalized(case: Case, accents: Accents, trim: bool, text: &str) -> String {
        texts(&run_text(&NormalizeText { case, accents, trim }, &[Some(text)]))[0].to_owned()
    }

    /// By Python's `str.lower` and `str.upper`.
    #[test]
    fn case_is_that_of_python() {
        let lower = |text| normalized(Case::Lower, Accents::Keep, false, text);
        assert_eq!(lower("Ab Ẹ"), "ab ẹ");
        assert_eq!(lower("İI"), "i\u{307}i");
        assert_eq!(lower("ΟΔΟΣ ΣΑΣ."), "οδος σας.");
        assert_eq!(lower("ẞ"), "ß");
        assert_eq!(normalized(Case::Upper, Accents::Keep, false, "ß ŉ ǰ"), "SS ʼN J\u{30c}");
    }

    /// By scikit-learn's strip_accents_unicode and strip_accents_ascii.
    #[test]
    fn accents_are_stripped_as_scikit_learn() {
        assert_eq!(normalized(Case::Keep, Accents::Unicode, false, "Crème brûlée"), "Creme brulee");
        assert_eq!(normalized(Case::Keep, Accents::Ascii, false, "Crème brûlée"), "Creme brulee");
        assert_eq!(normalized(Case::Keep, Accents::Unicode, false, "x²  ½ İ ‿ e\u{307}"), "x2  1⁄2 I ‿ e");
        assert_eq!(normalized(Case::Keep, Accents::Ascii, false, "x²  ½ İ ‿ e\u{307}"), "x2  12 I  e");
        assert_eq!(normalized(Case::Keep, Accents::Unicode, false, "ﬁ Ⅷ Ｆｕｌｌ ñ"), "fi VIII Full n");
        assert_eq!(normalized(Case::Keep, Accents::Ascii, false, "ﬁ Ⅷ Ｆｕｌｌ ñ"), "fi VIII Full n");
        assert_eq!(normalized(Case::Keep, Accents::Unicode, false, "Ångström ø ß"), "Angstrom ø ß");
        assert_eq!(normalized(Case::Keep, Accents::Ascii, false, "Ångström ø ß"), "Angstrom  ");
        assert_eq!(normalized(Case::Keep, Accents::Unicode, false, "한 が"), "한 か");
        assert_eq!(normalized(Case::Keep, Accents::Ascii, false, "한 が"), " ");
        assert_eq!(normalized(Case::Keep, Accents::Unicode, false, "plain \u{301}?"), "plain ?");
        assert_eq!(normalized(Case::Keep, Accents::Ascii, false, "plain \u{301}?"), "plain ?");
        assert_eq!(normalized(Case::Keep, Accents::Unicode, false, "नि ①"), "नि 1");
        assert_eq!(normalized(Case::Keep, Accents::Ascii, false, "नि ①"), " 1");
    }

    #[test]
    fn white_space_goes_last() {
        assert_eq!(normalized(Case::Keep, Accents::Keep, true, "\u{1f} a b\u{3000}\n"), "a b");
        assert_eq!(normalized(Case::Keep, Accents::Unicode, true, "¨\u{a0}É"), "E");
        assert_eq!(normalized(Case::Keep, Accents::Keep, true, " \t"), "");
    }

    #[test]
    fn null_stays_null() {
        use crate::batch::Mark;
        let lower = NormalizeText { case: Case::Lower, accents: Accents::Keep, trim: false };
        let out = run_text(&lower, &[Some("A"), None, Some("BC")]);
        assert_eq!((texts(&out), out.marks[1]), (vec!["a", "", "bc"], Mark::NULL));
    }
}
