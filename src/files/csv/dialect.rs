//! How a text file of rows is written.

use std::str::FromStr;

/// What is known of text files of rows; the rest is found in each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dialect {
    /// Found in the first line where it is not given.
    pub separator: Option<Separator>,
    /// The columns' names of files that have no line for them.
    pub names: Option<Vec<String>>,
    /// Texts that stand for null, beside the empty one.
    pub nulls: Vec<String>,
}

/// What lies between two fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Separator {
    pub byte: u8,
    /// Whether spaces around fields do not belong to them.
    pub spaces: bool,
}

impl Separator {
    /// Those that are looked for; the first wins among equals.
    const KNOWN: [u8; 4] = [b',', b'\t', b';', b'|'];

    /// The separator that a text's first line has most often.
    pub fn find(text: &[u8]) -> Self {
        let line = first_line(text);
        let count = |byte: u8| line.iter().filter(|found| **found == byte).count();
        let byte = Self::KNOWN.into_iter().rev().max_by_key(|&byte| count(byte)).unwrap_or(b',');
        let spaced = line.windows(2).filter(|pair| pair == &[byte, b' ']).count();
        Self { byte, spaces: spaced > 0 && spaced == count(byte) }
    }
}

/// A text's first line without what is quoted.
fn first_line(text: &[u8]) -> Vec<u8> {
    let mut quoted = false;
    let mut line = Vec::new();
    for &byte in text {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' | b'\r' if !quoted => break,
            _ if !quoted => line.push(byte),
            _ => {}
        }
    }
    line
}

impl FromStr for Separator {
    type Err = String;

    /// Reads one ASCII character, `tab` or `\t`; a space behind it says that spaces around fields are not theirs.
    fn from_str(text: &str) -> Result<Self, String> {
        let (text, spaces) = match text.strip_suffix(' ') {
            Some(before) if !before.is_empty() => (before, true),
            _ => (text, false),
        };
        match text.as_bytes() {
            b"tab" | b"\\t" => Ok(Self { byte: b'\t', spaces }),
            [byte] if byte.is_ascii() && !b"\"\r\n".contains(byte) => Ok(Self { byte: *byte, spaces }),
            _ => Err(
                "must be one ASCII character, or tab; with a space behind it, spaces around fields are cut \
                      off"
                .to_owned(),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_separator_of_the_first_line_is_found() {
        let checks: [(&str, u8, bool); 7] = [
            ("a,b;c,d\n1;2;3;4", b',', false),
            ("a;b;c\n", b';', false),
            ("a\tb c\td", b'\t', false),
            ("a|b\r\nx", b'|', false),
            ("\"a;;;;\",b,\"c\nd\"\n;;;", b',', false),
            ("age, workclass, pay\n", b',', true),
            ("alone", b',', false),
        ];
        for (text, byte, spaces) in checks {
            assert_eq!(Separator::find(text.as_bytes()), Separator { byte, spaces }, "{text}");
        }
    }

    #[test]
    fn separators_are_read_from_the_command_line() {
        assert_eq!("tab".parse(), Ok(Separator { byte: b'\t', spaces: false }));
        assert_eq!(", ".parse(), Ok(Separator { byte: b',', spaces: true }));
        assert_eq!(" ".parse(), Ok(Separator { byte: b' ', spaces: false }));
        for bad in ["", ",,", "é", "\""] {
            assert!(bad.parse::<Separator>().is_err(), "{bad}");
        }
    }
}
