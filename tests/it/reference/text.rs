//! Text: normalizing, tokens, n-grams, written character by character.

use serde_json::Value;
use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};

use super::{
    Cell, Held, Plain,
    lists::list,
    operations::{cell, lifted, map},
    texts,
};

/// Applies one step of this family.
pub fn apply(step: &Value, inputs: &[Held]) -> Option<Held> {
    let held = match step["op"].as_str()? {
        "normalize_text" => lifted(&inputs[0], |cell| map(cell, |value| normalize(step, text(value)))),
        "tokenize" => to_list(cell(&inputs[0]), |text| tokenize(step, text)),
        "char_ngrams" => to_list(cell(&inputs[0]), |text| char_ngrams(step, text)),
        "ngrams" => ngrams(step, &inputs[0]),
        _ => return None,
    };
    Some(held)
}

fn text(value: &Plain) -> &str {
    match value {
        Plain::Text(text) => text,
        other => panic!("no text: {other:?}"),
    }
}

/// The list that comes of a string.
fn to_list(cell: &Cell, function: impl Fn(&str) -> Vec<String>) -> Held {
    let Some(value) = &cell.value else { return Held::List(true, cell.status, Vec::new()) };
    let elements = function(text(value)).into_iter().map(|text| Cell::of(Plain::Text(text)));
    Held::List(false, cell.status, elements.collect())
}

/// White space of Python.
fn is_space(character: char) -> bool {
    character.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&character)
}

/// Word characters of Python, among those that the test draws.
fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

fn normalize(step: &Value, text: &str) -> Plain {
    let mut text = match step["case"].as_str().expect("a case") {
        "lower" => text.to_lowercase(),
        "upper" => text.to_uppercase(),
        _ => text.to_owned(),
    };
    match step["accents"].as_str().expect("accents") {
        // Of the characters that the test draws, all marks are combining.
        "unicode" if !text.is_ascii() => {
            text = text.nfkd().filter(|&character| !is_combining_mark(character)).collect();
        }
        "ascii" => text = text.nfkd().filter(char::is_ascii).collect(),
        _ => {}
    }
    if step["trim"] == true {
        text = text.trim_matches(is_space).to_owned();
    }
    Plain::Text(text)
}

fn tokenize(step: &Value, text: &str) -> Vec<String> {
    let rule = &step["rule"];
    let tokens: Vec<String> = match rule.as_str() {
        Some("words") => text.split(|character| !is_word(character)).map(str::to_owned).collect(),
        Some("whitespace") => text.split(is_space).map(str::to_owned).collect(),
        Some(_) => text.chars().map(String::from).collect(),
        None => text.split(rule["split"].as_str().expect("a separator")).map(str::to_owned).collect(),
    };
    let minimum = step["minimum"].as_u64().expect("a minimum") as usize;
    // Only fields can be empty.
    let shortest = if rule.is_string() { minimum.max(1) } else { minimum };
    let stop_words = texts(&step["stop_words"]);
    let stays = |token: &String| token.chars().count() >= shortest && !stop_words.contains(token);
    tokens.into_iter().filter(stays).collect()
}

fn sizes(step: &Value) -> std::ops::RangeInclusive<usize> {
    let size = |name: &str| step[name].as_u64().expect("a size") as usize;
    size("minimum")..=size("maximum")
}

fn char_ngrams(step: &Value, text: &str) -> Vec<String> {
    let mut folded: Vec<char> = Vec::new();
    let characters: Vec<char> = text.chars().collect();
    for run in characters.chunk_by(|&a, &b| is_space(a) && is_space(b)) {
        folded.push(if run.len() > 1 { ' ' } else { run[0] });
    }
    if step["within_words"] == false {
        return sizes(step).flat_map(|size| windows(&folded, size)).collect();
    }
    let words = folded.split(|&character| is_space(character)).filter(|word| !word.is_empty());
    words.flat_map(|word| of_word(&[&[' '], word, &[' ']].concat(), sizes(step))).collect()
}

fn windows(characters: &[char], size: usize) -> Vec<String> {
    characters.windows(size).map(|ngram| ngram.iter().collect()).collect()
}

fn of_word(word: &[char], sizes: std::ops::RangeInclusive<usize>) -> Vec<String> {
    let mut ngrams = Vec::new();
    for size in sizes {
        if size >= word.len() {
            ngrams.push(word.iter().collect());
            break;
        }
        ngrams.extend(windows(word, size));
    }
    ngrams
}

fn ngrams(step: &Value, held: &Held) -> Held {
    let (null, status, cells) = list(held);
    let gravest = cells.iter().map(|cell| cell.status).fold(status, u8::max);
    let tokens: Vec<&str> = cells.iter().filter_map(|cell| cell.value.as_ref()).map(text).collect();
    let separator = step["separator"].as_str().expect("a separator");
    let joined = sizes(step).flat_map(|size| tokens.windows(size).map(|ngram| ngram.join(separator)));
    Held::List(null, gravest, joined.map(|ngram| Cell::of(Plain::Text(ngram))).collect())
}
