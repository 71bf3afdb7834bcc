//! Values as people type them: `17`, `[a,b,c]`, `[[a,b],[]]`, `"with, comma"`, `null`.

use serde_json::Value;

/// Splits `name=value` at the separator. A name that has it, or begins with a quote, is quoted as in JSON; `None` where
/// nothing stands behind the name.
pub fn named(text: &str, separator: char) -> Result<(String, Option<&str>), String> {
    if !text.starts_with('"') {
        return Ok(match text.split_once(separator) {
            Some((name, rest)) => (name.to_owned(), Some(rest)),
            None => (text.to_owned(), None),
        });
    }
    let mut rest = text;
    let Value::String(name) = quoted(&mut rest)? else { return Err(format!("{text:?} has no name")) };
    match rest.strip_prefix(separator) {
        Some(value) => Ok((name, Some(value))),
        None if rest.is_empty() => Ok((name, None)),
        None => Err(format!("{text:?}: behind the quoted name must stand {separator:?}")),
    }
}

/// Reads a value: arrays become arrays, a bare `null` becomes null, everything else a string.
pub fn parse(text: &str) -> Result<Value, String> {
    let mut rest = text.trim();
    let value = value(&mut rest)?;
    match rest.trim_start() {
        "" => Ok(value),
        left => Err(format!("{left:?} is left over behind the value")),
    }
}

fn value(rest: &mut &str) -> Result<Value, String> {
    *rest = rest.trim_start();
    match rest.chars().next() {
        Some('[') => array(rest),
        Some('"') => quoted(rest),
        _ => Ok(bare(rest)),
    }
}

fn array(rest: &mut &str) -> Result<Value, String> {
    *rest = rest[1..].trim_start();
    let mut elements = Vec::new();
    if let Some(after) = rest.strip_prefix(']') {
        *rest = after;
        return Ok(Value::Array(elements));
    }
    loop {
        elements.push(value(rest)?);
        *rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix(',') {
            *rest = after;
        } else if let Some(after) = rest.strip_prefix(']') {
            *rest = after;
            return Ok(Value::Array(elements));
        } else {
            return Err("a list has no closing bracket".to_owned());
        }
    }
}

/// A JSON string.
fn quoted(rest: &mut &str) -> Result<Value, String> {
    let mut values = serde_json::Deserializer::from_str(rest).into_iter::<String>();
    match values.next() {
        Some(Ok(text)) => {
            *rest = &rest[values.byte_offset()..];
            Ok(Value::String(text))
        }
        _ => Err(format!("{rest:?} has no closing quote")),
    }
}

fn bare(rest: &mut &str) -> Value {
    let end = rest.find([',', ']']).unwrap_or(rest.len());
    let (word, after) = rest.split_at(end);
    *rest = after;
    match word.trim_end() {
        "null" => Value::Null,
        word => Value::String(word.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_what_people_type() {
        let cases = [
            ("17", json!("17")),
            ("null", json!(null)),
            ("\"null\"", json!("null")),
            ("", json!("")),
            ("[a, b ,null]", json!(["a", "b", null])),
            ("[]", json!([])),
            ("[[a,b],[]]", json!([["a", "b"], []])),
            ("[\"one, two\", \"é\\n\"]", json!(["one, two", "é\n"])),
            ("near me", json!("near me")),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn names_may_be_quoted() {
        let cases = [
            ("ad.price=17", ("ad.price", Some("17"))),
            ("a[0]=[1,2]", ("a[0]", Some("[1,2]"))),
            ("x=a=b", ("x", Some("a=b"))),
            ("\"a=b\"=1", ("a=b", Some("1"))),
            ("\"\\\"q\\\"\"=", ("\"q\"", Some(""))),
            ("bid", ("bid", None)),
        ];
        for (text, (name, value)) in cases {
            assert_eq!(named(text, '='), Ok((name.to_owned(), value)), "{text}");
        }
        assert!(named("\"a=1", '=').is_err());
        assert!(named("\"a\" =1", '=').is_err());
    }

    #[test]
    fn rejects_what_is_not_closed() {
        for text in ["[a", "[a,[b]", "\"a", "[a]b", "a]", "[\"a\" b]"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
