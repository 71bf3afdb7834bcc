//! Prefix n-grams: the prefixes of a list of codes, each as one id.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Compiled, Kernel, Operation, single};
use crate::{
    batch::{Column, Element, ListRows, Mark, Span, Strings, StringsBuilder, Type, Values},
    problem::Problems,
};

/// The prefixes of a list of codes, a semantic id say: the first code, the first two, and so on, each as one id, as
/// many as there are codebooks and codes. The input is a list of int64 or uint64; the result is a list of ids, which a
/// lookup takes as its key: a row for each prefix.
///
/// With codebooks of the sizes s1, s2, s3 the codes c1, c2, c3 have the ids c1, s1 + (c1 s2 + c2) and s1 + s1 s2 +
/// ((c1 s2 + c2) s3 + c3): no two prefixes share one. Codes beyond the last codebook are passed over. A null list stays
/// null.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PrefixNgrams {
    /// How many codes each codebook has: codes count from 0. One or more.
    pub codebooks: Vec<u64>,
    /// What an id is.
    pub id: PrefixId,
    /// What a null code, or one that its codebook does not have, makes of its prefix and the longer ones.
    pub invalid: InvalidCode,
}

/// What an id is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PrefixId {
    /// The number, which must fit for every prefix.
    Int64,
    /// The number, which must fit for every prefix.
    Uint64,
    /// The codes in decimal, joined by this text: with "-" as "12-7-201".
    Joined(String),
}

/// What becomes of a prefix with a code that does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InvalidCode {
    /// The list ends before it.
    End,
    /// Null; the status is that of the null code, or out of range.
    Null,
}

impl Operation for PrefixNgrams {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let input = single(inputs)?;
        let mut problems = Problems::none();
        if !input.list || input.width.is_some() || !input.element.is_integer() {
            problems.add("", format!("takes a list of int64 or uint64, its input is {input}"));
        }
        if self.codebooks.is_empty() {
            problems.add("codebooks", "must have one or more");
        }
        let empty = self.codebooks.iter().enumerate().filter(|&(_, &size)| size == 0);
        empty.for_each(|(place, _)| problems.add(format!("codebooks[{place}]"), "is 0, must be 1 or more"));
        let element = match &self.id {
            PrefixId::Int64 => Element::Int64,
            PrefixId::Uint64 => Element::Uint64,
            PrefixId::Joined(_) => Element::String,
        };
        let limit = match element {
            Element::Int64 => Some(i64::MAX as u64),
            Element::Uint64 => Some(u64::MAX),
            _ => None,
        };
        let depths = limit.map_or(Ok(Vec::new()), |limit| depths(&self.codebooks, limit));
        let depths = depths.unwrap_or_else(|place| {
            let message = format!(
                "makes the ids of {} codes greater than {} can be; \"joined\" ids have no limit",
                place + 1,
                element.name()
            );
            problems.add(format!("codebooks[{place}]"), message);
            Vec::new()
        });
        if let PrefixId::Joined(separator) = &self.id
            && (separator.is_empty() || separator.contains(|letter: char| letter.is_ascii_digit()))
        {
            problems.add("id.joined", "must not be empty or have digits: codes would run together");
        }
        problems.or(())?;
        let output = Type { element, ..input };
        Ok(Compiled::new(output, PrefixKernel { of: self.clone(), depths }))
    }
}

/// A codebook's size, and the ids of all shorter prefixes.
#[derive(Debug, Clone, Copy)]
struct Depth {
    size: u64,
    offset: u64,
}

/// The depths, or the position of the first codebook with an id beyond `limit`.
fn depths(codebooks: &[u64], limit: u64) -> Result<Vec<Depth>, usize> {
    let (mut prefixes, mut offset) = (1_u64, 0_u64);
    let mut depths = Vec::with_capacity(codebooks.len());
    for (place, &size) in codebooks.iter().enumerate() {
        depths.push(Depth { size, offset });
        // An empty codebook is noted elsewhere.
        prefixes = prefixes.checked_mul(size.max(1)).ok_or(place)?;
        let end = offset.checked_add(prefixes - 1).filter(|&last| last <= limit).ok_or(place)?;
        offset = end.saturating_add(1);
    }
    Ok(depths)
}

#[derive(Debug)]
struct PrefixKernel {
    of: PrefixNgrams,
    /// None where ids are text.
    depths: Vec<Depth>,
}

impl Kernel for PrefixKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        let mut rows = std::mem::take(out.list_mut());
        match &self.of.id {
            PrefixId::Joined(separator) => {
                let texts = self.texts(inputs[0], separator, &mut out.marks, &mut rows);
                out.values = Values::String(texts);
            }
            PrefixId::Int64 => {
                let (ids, marks) = out.int64_mut();
                self.numbers(inputs[0], |id| ids.push(id as i64), marks, &mut rows);
            }
            PrefixId::Uint64 => {
                let mut ids = Vec::new();
                out.marks.clear();
                self.numbers(inputs[0], |id| ids.push(id), &mut out.marks, &mut rows);
                out.values = Values::Uint64(ids);
            }
        }
        out.list = Some(rows);
    }

    fn gives_lists(&self) -> bool {
        true
    }
}

/// A prefix by its last code.
struct Prefix {
    /// How many codes stand before it.
    depth: usize,
    code: u64,
    /// Of the whole prefix.
    mark: Mark,
}

impl PrefixKernel {
    fn numbers(&self, input: &Column, mut push: impl FnMut(u64), marks: &mut Vec<Mark>, rows: &mut ListRows) {
        let mut codes = 0;
        self.each_prefix(input, rows, |Prefix { depth, code, mark }| {
            let Depth { size, offset } = self.depths[depth];
            if depth == 0 {
                codes = 0;
            }
            if !mark.is_null() {
                codes = codes * size + code;
            }
            push(if mark.is_null() { 0 } else { offset + codes });
            marks.push(mark);
        });
    }

    /// Each prefix is the beginning of the longest one's text, which is written once.
    fn texts(&self, input: &Column, separator: &str, marks: &mut Vec<Mark>, rows: &mut ListRows) -> Strings {
        let (mut texts, mut start) = (StringsBuilder::default(), 0);
        marks.clear();
        self.each_prefix(input, rows, |Prefix { depth, code, mark }| {
            marks.push(mark);
            if mark.is_null() {
                return texts.push(Span::default());
            }
            if depth == 0 {
                start = texts.written();
            } else {
                texts.write(separator);
            }
            write_decimal(code, &mut texts);
            texts.push_from(start);
        });
        texts.finish()
    }

    /// Calls `take` with each prefix of each row, in order, and ends the rows' lists.
    fn each_prefix(&self, input: &Column, rows: &mut ListRows, mut take: impl FnMut(Prefix)) {
        let Some(list) = &input.list else { return };
        let (codes, mut end) = (codes_of(input), 0);
        for row in 0..list.marks.len() {
            let mut mark = Mark::PRESENT;
            let elements = if list.marks[row].is_null() { 0..0 } else { list.range(row) };
            for (depth, (element, &size)) in elements.zip(&self.of.codebooks).enumerate() {
                let (code, of_code) = (codes[element], input.marks[element]);
                mark |= of_code;
                if code >= size && !of_code.is_null() {
                    mark |= Mark::OUT_OF_RANGE.nulled();
                }
                if mark.is_null() && self.of.invalid == InvalidCode::End {
                    break;
                }
                take(Prefix { depth, code, mark });
                end += 1;
            }
            rows.push(end, list.marks[row]);
        }
    }
}

/// Codes below 0 become one that no codebook has.
fn codes_of(input: &Column) -> Cow<'_, [u64]> {
    match &input.values {
        Values::Int64(codes) => codes.iter().map(|&code| u64::try_from(code).unwrap_or(u64::MAX)).collect(),
        _ => Cow::Borrowed(input.uint64()),
    }
}

/// Digits of the greatest code.
const DIGITS: usize = 20;

fn write_decimal(mut code: u64, to: &mut StringsBuilder) {
    let (mut digits, mut first) = ([b'0'; DIGITS], DIGITS);
    loop {
        first -= 1;
        digits[first] = b'0' + (code % 10) as u8;
        code /= 10;
        if code == 0 {
            break;
        }
    }
    digits[first..].iter().for_each(|&digit| to.write_char(char::from(digit)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::check::integers;

    fn of(codebooks: &[u64], id: PrefixId, invalid: InvalidCode) -> PrefixNgrams {
        PrefixNgrams { codebooks: codebooks.to_vec(), id, invalid }
    }

    /// Of [1, 2, 3, 9], [0], a null list, [1, null, 0] and [2, 9, 0].
    fn run(operation: &PrefixNgrams) -> Column {
        let compiled = operation.compile(&[Type::scalar(Element::Int64).listed()]).expect("good");
        let codes = [1, 2, 3, 9, 0, 1, -1, 0, 2, 9, 0].map(|code| (code >= 0).then_some(code));
        let mut marks = vec![Mark::PRESENT; 5];
        marks[2] = Mark::NULL;
        let list = ListRows { offsets: vec![0, 4, 5, 5, 8, 11], marks };
        let mut out = Column::new(compiled.output);
        compiled.kernel.run(&[&Column { list: Some(list), ..integers(&codes) }], &mut out);
        out
    }

    #[test]
    fn every_prefix_has_an_id_of_its_own() {
        let out = run(&of(&[3, 4, 5], PrefixId::Int64, InvalidCode::End));
        assert_eq!(out.int64(), [1, 3 + 6, 15 + 33, 0, 1, 2]);
        assert_eq!(out.list.as_ref().expect("lists").offsets, [0, 3, 4, 4, 5, 6]);
        let out = run(&of(&[3, 4, 5], PrefixId::Uint64, InvalidCode::Null));
        assert_eq!(out.uint64()[..4], [1, 9, 48, 0]);
        let outside = Mark::OUT_OF_RANGE.nulled();
        assert_eq!(out.marks[4..], [Mark::PRESENT, Mark::NULL, Mark::NULL, Mark::PRESENT, outside, outside]);
        assert_eq!(out.list.expect("lists").offsets, [0, 3, 4, 4, 7, 10]);
    }

    #[test]
    fn texts_join_the_codes() {
        let out = run(&of(&[3, u64::MAX, 5], PrefixId::Joined("-".into()), InvalidCode::End));
        let texts: Vec<&str> = out.strings().iter().collect();
        assert_eq!(texts, ["1", "1-2", "1-2-3", "0", "1", "2", "2-9", "2-9-0"]);
    }

    #[test]
    fn ids_that_do_not_fit_are_rejected() {
        let fits = |codebooks: &[u64], id: PrefixId| {
            let operation = of(codebooks, id, InvalidCode::End);
            operation.compile(&[Type::scalar(Element::Uint64).listed()]).is_ok()
        };
        let half = 1 << 63;
        assert!(fits(&[half], PrefixId::Int64));
        assert!(!fits(&[half, 1], PrefixId::Int64));
        assert!(fits(&[half, 1], PrefixId::Uint64));
        assert!(!fits(&[half, 1, 1], PrefixId::Uint64));
        assert!(!fits(&[1 << 32, 1 << 32], PrefixId::Uint64));
        assert!(fits(&[1 << 32, 1 << 32], PrefixId::Joined("/".into())));
        assert!(!fits(&[2], PrefixId::Joined(String::new())));
        assert!(!fits(&[2, 0], PrefixId::Int64));
        assert!(!fits(&[], PrefixId::Int64));
    }
}
