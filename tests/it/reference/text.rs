//! Text: normalizing, tokens, n-grams, written character by character.

use serde_json::Value;
use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};

use super::{
    Cell, Held, OUT_OF_RANGE, Plain,
    lists::list,
    operations::{cell, lifted, map, together},
    texts,
};

/// Applies one step of this family.
pub fn apply(step: &Value, inputs: &[Held]) -> Option<Held> {
    let held = match step["op"].as_str()? {
        "normalize_text" => lifted(&inputs[0], |cell| map(cell, |value| normalize(step, text(value)))),
        "tokenize" => to_list(cell(&inputs[0]), |text| tokenize(step, text)),
        "char_ngrams" => to_list(cell(&inputs[0]), |text| char_ngrams(step, text)),
        "ngrams" => ngrams(step, &inputs[0]),
        "format" => lifted(&inputs[0], |cell| map(cell, |value| format_value(step, value))),
        "join_text" => together(inputs, |cells| join(step, cells)),
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

fn format_value(step: &Value, value: &Plain) -> Plain {
    let padded = |text: String| match step["integer"]["zero_padded"].as_u64() {
        Some(width) => {
            let (sign, digits) = text.strip_prefix('-').map_or(("", &*text), |digits| ("-", digits));
            let zeros = (width as usize).saturating_sub(text.len());
            format!("{sign}{}{digits}", "0".repeat(zeros))
        }
        None => text,
    };
    Plain::Text(match value {
        Plain::Int(value) => padded(value.to_string()),
        Plain::Uint(value) => padded(value.to_string()),
        Plain::Float(value) if value.is_nan() => "nan".to_owned(),
        Plain::Float(value) => match step["float"]["decimals"].as_u64() {
            Some(digits) if value.is_finite() => format!("{value:.*}", digits as usize),
            _ => repr(*value),
        },
        Plain::Bool(value) => match (step["boolean"].as_str().expect("a form"), value) {
            ("lower_case", value) => value.to_string(),
            ("capitalized", true) => "True".to_owned(),
            ("capitalized", false) => "False".to_owned(),
            (_, value) => u8::from(*value).to_string(),
        },
        other => panic!("no text: {other:?}"),
    })
}

/// Python's `repr`: the fewest digits that read back as the value, tried one number of digits after the other.
fn repr(value: f64) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let digits = (0..17).map(|digits| format!("{value:.digits$e}"));
    let shortest = digits.into_iter().find(|text| text.parse() == Ok(value)).expect("17 digits are enough");
    let (mantissa, exponent) = shortest.split_once('e').expect("an exponent");
    let exponent: i32 = exponent.parse().expect("a number");
    if (-4..16).contains(&exponent) {
        // As many digits after the point as there are of the mantissa, or one.
        let after = (mantissa.trim_start_matches('-').len() as i32 - 2).max(0) - exponent;
        return format!("{value:.*}", after.max(1) as usize);
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

fn join(step: &Value, cells: &[&Cell]) -> Cell {
    let status = cells.iter().map(|cell| cell.status).max().unwrap_or_default();
    let fill = step["null"]["value"].as_str();
    let mut parts = Vec::new();
    for cell in cells {
        match (&cell.value, fill) {
            (Some(value), _) => parts.push(text(value)),
            (None, Some(fill)) => parts.push(fill),
            (None, None) if step["null"] == "skip" => {}
            (None, None) => return Cell::null(status),
        }
    }
    let joined = parts.join(step["separator"].as_str().expect("a separator"));
    if joined.len() > 1024 {
        return Cell::null(status.max(OUT_OF_RANGE));
    }
    Cell { value: Some(Plain::Text(joined)), status }
}
