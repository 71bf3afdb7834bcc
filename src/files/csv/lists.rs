//! Lists in a field of text: `[1, 2, 3]`, `["a", "b"]`, or `[0.1 0.2]` as NumPy prints them.

/// The elements of a list, null ones as none; `None` for a text that is no list. A text in single quotes is none: its
/// escapes are Python's.
pub fn elements(text: &str) -> Option<Vec<Option<String>>> {
    let text = text.trim();
    let inside = text.strip_prefix('[')?.strip_suffix(']')?.trim();
    if inside.is_empty() {
        return Some(Vec::new());
    }
    if inside.contains('"') {
        return serde_json::from_str(text).ok();
    }
    if inside.contains(['[', ']', '\'']) {
        return None;
    }
    let null = |element: &str| matches!(element, "" | "null" | "None").then_some(());
    let element =
        |element: &str| null(element.trim()).map_or_else(|| Some(element.trim().to_owned()), |()| None);
    Some(if inside.contains(',') {
        inside.split(',').map(element).collect()
    } else {
        inside.split_whitespace().map(element).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_as_json_and_numpy_write_them() {
        let some = |texts: &[&str]| Some(texts.iter().map(|&text| Some(text.to_owned())).collect::<Vec<_>>());
        assert_eq!(elements("[1, -2.5]"), some(&["1", "-2.5"]));
        assert_eq!(elements(" [ 0.1  2.\n 3e-05] "), some(&["0.1", "2.", "3e-05"]));
        assert_eq!(elements(r#"["a, b", "\"é\""]"#), some(&["a, b", "\"é\""]));
        assert_eq!(elements("[a, b]"), some(&["a", "b"]));
        assert_eq!(elements("[]"), Some(Vec::new()));
        assert_eq!(elements("[1, null]"), Some(vec![Some("1".to_owned()), None]));
        for text in ["", "1, 2", "[1", "['a']", "[[1], [2]]", "[\"a\", 1]"] {
            assert_eq!(elements(text), None, "{text}");
        }
    }
}
