//! Tokenize: a text to its words, fields or characters.

use std::collections::HashSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Compiled, Kernel, Operation,
    parameters::List,
    python_characters::{is_space, is_word},
    single,
};
use crate::{
    batch::{Column, Element, Mark, Span, StringsBuilder, Type, Values},
    problem::Problems,
};

/// The tokens of a string, in order, as a list of strings. Letters stay as they are: a normalize_text step before this
/// one makes them lower-case. Null stays null; a text without a token gives an empty list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tokenize {
    pub rule: Rule,
    /// Tokens that are left out; they are compared exactly.
    pub stop_words: List<String>,
    /// The shortest token in characters; shorter ones are left out. scikit-learn's words have 2; 0 keeps empty fields.
    pub minimum: usize,
}

/// What is a token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// A run of word characters as `\w` of Python's `re` has them (Unicode 14): letters, digits and numbers of all
    /// kinds, and the underscore; no combining marks, connectors or joiners.
    Words,
    /// What stands between white space, as Python's `str.split()`.
    Whitespace,
    /// What stands between separators, as Python's `str.split(separator)`: fields can be empty.
    Split(String),
    /// Each character, white space too.
    Characters,
    /// A run of the characters of a class, as Python's `re` has `[...]+`.
    Class(Class),
}

/// A class of characters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Class {
    /// Whether it is all characters but those of the other fields, as `[^...]`.
    pub negated: bool,
    /// Whether it has word characters, as `\w`; those of the rule "words".
    pub words: bool,
    /// Whether it has white space, as `\s`.
    pub spaces: bool,
    /// The first and the last of characters in a row, as `a-z`.
    pub ranges: Vec<[char; 2]>,
}

impl Class {
    fn check(&self, problems: &mut Problems) {
        for (position, [first, last]) in self.ranges.iter().enumerate() {
            if first > last {
                let message = format!("{first:?} comes after {last:?}");
                problems.add(format!("rule.class.ranges[{position}]"), message);
            }
        }
        if !self.negated && !self.words && !self.spaces && self.ranges.is_empty() {
            problems.add("rule.class", "has no character");
        }
    }

    fn has(&self, character: char) -> bool {
        let within = self.ranges.iter().any(|&[first, last]| (first..=last).contains(&character));
        let found = within || (self.words && is_word(character)) || (self.spaces && is_space(character));
        found != self.negated
    }
}

impl Operation for Tokenize {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let input = single(inputs)?;
        let mut problems = Problems::none();
        if input.element != Element::String || input.list {
            problems.add("", format!("takes a string, its input is {input}"));
        }
        if self.rule == Rule::Split(String::new()) {
            problems.add("rule.split", "must not be empty");
        }
        if let Rule::Class(class) = &self.rule {
            class.check(&mut problems);
        }
        let stop_words = self.stop_words.0.iter().map(|word| word.as_str().into()).collect();
        let kernel = TokenizeKernel { rule: self.rule.clone(), stop_words, minimum: self.minimum };
        problems.or(Compiled::new(input.listed(), kernel))
    }
}

#[derive(Debug)]
struct TokenizeKernel {
    rule: Rule,
    stop_words: HashSet<Box<str>>,
    minimum: usize,
}

impl Kernel for TokenizeKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        match &self.rule {
            Rule::Words => {
                self.run_over(inputs[0], out, |text| runs(text, is_word));
            }
            Rule::Whitespace => {
                self.run_over(inputs[0], out, |text| runs(text, |character| !is_space(character)));
            }
            Rule::Split(separator) => {
                self.run_over(inputs[0], out, |text| {
                    let fields = text.split(separator.as_str());
                    fields.scan(0, |start, field| {
                        let at = *start;
                        *start += field.len() + separator.len();
                        Some((at, field))
                    })
                });
            }
            Rule::Class(class) => {
                self.run_over(inputs[0], out, |text| runs(text, |character| class.has(character)));
            }
            Rule::Characters => self.run_over(inputs[0], out, |text| {
                text.char_indices().map(|(at, character)| (at, &text[at..at + character.len_utf8()]))
            }),
        }
    }

    fn gives_lists(&self) -> bool {
        true
    }
}

impl TokenizeKernel {
    /// `tokens` gives a text's tokens with the bytes where they begin; they become spans of the same text.
    fn run_over<'a, T: Iterator<Item = (usize, &'a str)>>(
        &self,
        input: &'a Column,
        out: &mut Column,
        tokens: impl Fn(&'a str) -> T,
    ) {
        let strings = input.strings();
        let mut builder = out.take_strings();
        let rows = out.list_mut();
        for (row, (&mark, span)) in input.marks.iter().zip(strings.spans()).enumerate() {
            if !mark.is_null() {
                for (at, token) in tokens(strings.get(row)) {
                    self.push(&mut builder, span.start + at as u32, token);
                }
            }
            rows.push(builder.len(), mark);
        }
        out.marks.resize(builder.len(), Mark::PRESENT);
        out.values = Values::String(builder.finish_over(strings));
    }

    fn push(&self, builder: &mut StringsBuilder, start: u32, token: &str) {
        // A token has at least a quarter as many characters as bytes.
        let long_enough = token.len() >= self.minimum.saturating_mul(4)
            || token.chars().take(self.minimum).count() == self.minimum;
        if long_enough && (self.stop_words.is_empty() || !self.stop_words.contains(token)) {
            builder.push(Span { start, length: token.len() as u32 });
        }
    }
}

/// The longest runs of characters that satisfy `of_token`, with the bytes where they begin.
fn runs<'a>(
    text: &'a str,
    of_token: impl Fn(char) -> bool + Clone + 'a,
) -> impl Iterator<Item = (usize, &'a str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + text[at..].find(&of_token)?;
        let length = text[start..].find(|character| !of_token(character)).unwrap_or(text.len() - start);
        at = start + length;
        Some((start, &text[start..at]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::check::{run_text, texts};

    fn tokens(rule: Rule, minimum: usize, stop_words: &[&str], text: &str) -> Vec<String> {
        let stop_words = List(stop_words.iter().map(|&word| word.to_owned()).collect());
        let out = run_text(&Tokenize { rule, stop_words, minimum }, &[Some(text)]);
        out.strings().iter().map(str::to_owned).collect()
    }

    fn words(text: &str) -> Vec<String> {
        tokens(Rule::Words, 2, &[], text)
    }

    /// By scikit-learn's `CountVectorizer(lowercase=False).build_analyzer()`.
    #[test]
    fn words_are_those_of_scikit_learn() {
        assert_eq!(words("x²  ½ İ ‿ e\u{307}"), ["x²"]);
        assert_eq!(words("x²½ İstanbul a‿b e\u{307}e\u{307} ne\u{301}e"), ["x²½", "İstanbul", "ne"]);
        assert_eq!(
            words("The quick_brown fox, v2.0 (a 10€ ad)!"),
            ["The", "quick_brown", "fox", "v2", "10", "ad"]
        );
        assert_eq!(words("1²3 Ⅷx ①② 中文字 한국어 ไทย"), ["1²3", "Ⅷx", "①②", "中文字", "한국어", "ไทย"]);
        assert_eq!(words("ab\u{200d}cd हिन\u{94d}दी q\u{345}q"), ["ab", "cd"]);
        assert!(words("a b c").is_empty());
        assert!(words("").is_empty());
        assert_eq!(words("don't e-mail _ __"), ["don", "mail", "__"]);
    }

    #[test]
    fn fields_and_characters() {
        assert_eq!(tokens(Rule::Whitespace, 1, &[], " a\u{1f}bc\u{85}\u{3000} d\n"), ["a", "bc", "d"]);
        let split = || Rule::Split("::".into());
        assert_eq!(tokens(split(), 0, &[], "a::b:::c::"), ["a", "b", ":c", ""]);
        assert_eq!(tokens(split(), 1, &[], "a::b:::c::"), ["a", "b", ":c"]);
        assert_eq!(tokens(split(), 0, &[], ""), [""]);
        assert_eq!(tokens(Rule::Characters, 1, &[], "é 中"), ["é", " ", "中"]);
    }

    fn class(negated: bool, words: bool, spaces: bool, ranges: &[[char; 2]]) -> Rule {
        Rule::Class(Class { negated, words, spaces, ranges: ranges.to_vec() })
    }

    /// By Python's `re.findall`.
    #[test]
    fn classes_are_those_of_python() {
        let text = "don't E-mail a_b 12é\u{a0}x";
        let lower = class(false, false, false, &[['a', 'z']]);
        assert_eq!(tokens(lower.clone(), 1, &[], text), ["don", "t", "mail", "a", "b", "x"]);
        assert_eq!(tokens(lower, 3, &[], text), ["don", "mail"]);
        let quoted = class(false, true, false, &[['\'', '\''], ['-', '-']]);
        assert_eq!(tokens(quoted, 2, &[], text), ["don't", "E-mail", "a_b", "12é"]);
        let separated = class(true, false, true, &[['-', '-']]);
        assert_eq!(tokens(separated, 1, &[], text), ["don't", "E", "mail", "a_b", "12é", "x"]);
    }

    #[test]
    fn classes_without_characters_are_problems() {
        let of = |rule| {
            let tokenize = Tokenize { rule, stop_words: List(Vec::new()), minimum: 1 };
            tokenize.compile(&[Type::scalar(Element::String)]).map(|_| ()).map_err(|found| found.to_string())
        };
        assert_eq!(of(class(false, false, false, &[])), Err("rule.class: has no character".to_owned()));
        let turned = of(class(false, false, false, &[['a', 'z'], ['z', 'a']]));
        assert_eq!(turned, Err("rule.class.ranges[1]: 'z' comes after 'a'".to_owned()));
        assert_eq!(of(class(true, false, false, &[])), Ok(()));
    }

    #[test]
    fn stop_words_and_short_ones_are_left_out() {
        assert_eq!(tokens(Rule::Words, 2, &["the"], "the The ad é中 x"), ["The", "ad", "é中"]);
        assert_eq!(tokens(Rule::Words, 3, &[], "ééé éé abc"), ["ééé", "abc"]);
    }

    #[test]
    fn null_stays_null() {
        let tokenize = Tokenize { rule: Rule::Words, stop_words: List(Vec::new()), minimum: 2 };
        let out = run_text(&tokenize, &[Some("ab cd"), None, Some("")]);
        let list = out.list.as_ref().expect("lists");
        assert_eq!((list.offsets.as_slice(), list.marks[1]), ([0, 2, 2, 2].as_slice(), Mark::NULL));
        assert_eq!(texts(&out), ["ab", "cd"]);
        assert!(tokenize.compile(&[Type::scalar(Element::String).listed()]).is_err());
    }
}
