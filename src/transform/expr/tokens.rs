//! An expression's text as tokens.

use std::{iter::Peekable, str::Chars};

/// What is wrong with an expression, and at which of its characters, counted from 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Mistake {
    pub column: usize,
    pub message: String,
}

impl Mistake {
    pub fn at(column: usize, message: impl Into<String>) -> Self {
        Self { column, message: message.into() }
    }
}

/// One token and its first character, counted from 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Token {
    pub column: usize,
    pub kind: Kind,
}

/// What a token is.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// Digits alone, as far as they fit 64 bits without a sign.
    Integer(i128),
    Float(f64),
    Text(String),
    Name(String),
    /// A keyword, an operator, a parenthesis or a comma.
    Symbol(&'static str),
    /// After the last one.
    End,
}

/// Words that are no names.
pub const KEYWORDS: [&str; 7] = ["and", "or", "not", "if", "else", "true", "false"];

/// Longer ones first: the first that fits is taken.
const SYMBOLS: [&str; 16] =
    ["**", "//", "==", "!=", "<=", ">=", "+", "-", "*", "/", "%", "<", ">", "(", ")", ","];

/// What other languages write, and what is written here.
const OTHERS: [(&str, &str); 5] = [
    ("&&", "it is written `and`"),
    ("||", "it is written `or`"),
    ("!", "it is written `not`"),
    ("?", "it is written `a if condition else b`"),
    ("=", "equality is written `==`"),
];

impl Kind {
    /// As messages name it.
    pub fn named(&self) -> String {
        match self {
            Self::Integer(value) => format!("`{value}`"),
            Self::Float(value) => format!("`{value}`"),
            Self::Text(text) => format!("the string {text:?}"),
            Self::Name(name) => format!("`{name}`"),
            Self::Symbol(symbol) => format!("`{symbol}`"),
            Self::End => "the end".to_owned(),
        }
    }
}

/// Whether a text is a name that expressions can use.
pub fn is_name(text: &str) -> bool {
    let mut letters = text.chars();
    letters.next().is_some_and(begins_name) && letters.all(continues_name) && !KEYWORDS.contains(&text)
}

fn begins_name(letter: char) -> bool {
    letter.is_alphabetic() || letter == '_'
}

fn continues_name(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// The tokens of a text; the last is the end.
pub fn tokens(text: &str) -> Result<Vec<Token>, Mistake> {
    let mut reader = Reader { rest: text, column: 1 };
    let mut tokens = Vec::new();
    loop {
        reader.take_while(char::is_whitespace);
        let column = reader.column;
        let kind = reader.next()?;
        let ends = kind == Kind::End;
        tokens.push(Token { column, kind });
        if ends {
            return Ok(tokens);
        }
    }
}

struct Reader<'a> {
    rest: &'a str,
    column: usize,
}

impl<'a> Reader<'a> {
    /// Takes the characters for which `wanted` holds.
    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let length = self.rest.find(|letter| !wanted(letter)).unwrap_or(self.rest.len());
        self.take(length)
    }

    fn take(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(bytes);
        self.rest = rest;
        self.column += taken.chars().count();
        taken
    }

    fn next(&mut self) -> Result<Kind, Mistake> {
        let Some(first) = self.rest.chars().next() else { return Ok(Kind::End) };
        if begins_name(first) {
            return Ok(word(self.take_while(continues_name)));
        }
        let second = self.rest.chars().nth(1);
        if first.is_ascii_digit() || (first == '.' && second.is_some_and(|digit| digit.is_ascii_digit())) {
            return self.number();
        }
        if first == '"' || first == '\'' {
            return self.text(first);
        }
        if let Some(symbol) = SYMBOLS.into_iter().find(|symbol| self.rest.starts_with(symbol)) {
            self.take(symbol.len());
            return Ok(Kind::Symbol(symbol));
        }
        let hint = OTHERS.into_iter().find(|(other, _)| self.rest.starts_with(other));
        Err(Mistake::at(
            self.column,
            match hint {
                Some((other, hint)) => format!("`{other}` is not known: {hint}"),
                None => format!("{first:?} is not known"),
            },
        ))
    }

    fn number(&mut self) -> Result<Kind, Mistake> {
        let column = self.column;
        let length = number_length(self.rest);
        let text = self.take(length);
        if self.rest.starts_with(|letter: char| continues_name(letter) || letter == '.') {
            return Err(Mistake::at(column, "is not a number"));
        }
        if let Ok(integer) = text.parse::<u64>() {
            return Ok(Kind::Integer(integer.into()));
        }
        let float = text.parse().map_err(|_| Mistake::at(column, "is not a number"))?;
        Ok(Kind::Float(float))
    }

    fn text(&mut self, quote: char) -> Result<Kind, Mistake> {
        let start = self.column;
        let mut letters = self.rest.chars().peekable();
        letters.next();
        self.column += 1;
        let mut text = String::new();
        loop {
            let column = self.column;
            let Some(letter) = letters.next() else {
                return Err(Mistake::at(start, "the string has no end"));
            };
            self.column += 1;
            if letter == quote {
                break;
            }
            text.push(if letter == '\\' { self.escaped(column, &mut letters)? } else { letter });
        }
        self.rest = &self.rest[self.rest.len() - letters.map(char::len_utf8).sum::<usize>()..];
        Ok(Kind::Text(text))
    }

    /// What a backslash and the next character stand for.
    fn escaped(&mut self, column: usize, letters: &mut Peekable<Chars<'_>>) -> Result<char, Mistake> {
        self.column += 1;
        match letters.next() {
            Some(letter @ ('\\' | '\'' | '"')) => Ok(letter),
            Some('n') => Ok('\n'),
            Some('t') => Ok('\t'),
            _ => Err(Mistake::at(column, r#"after a backslash stands one of \ ' " n t"#)),
        }
    }
}

fn word(text: &str) -> Kind {
    match KEYWORDS.into_iter().find(|keyword| *keyword == text) {
        Some(keyword) => Kind::Symbol(keyword),
        None => Kind::Name(text.to_owned()),
    }
}

/// The length of the number that a text begins with: digits, a fraction, an exponent.
fn number_length(text: &str) -> usize {
    let digits = |from: usize| text[from..].bytes().take_while(u8::is_ascii_digit).count();
    let mut end = digits(0);
    if text[end..].starts_with('.') {
        end += 1;
        end += digits(end);
    }
    if text[end..].starts_with(['e', 'E']) {
        let sign = usize::from(text[end + 1..].starts_with(['+', '-']));
        let exponent = digits(end + 1 + sign);
        if exponent > 0 {
            end += 1 + sign + exponent;
        }
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<Kind> {
        tokens(text).expect("good").into_iter().map(|token| token.kind).collect()
    }

    #[test]
    fn numbers_names_and_symbols() {
        let (name, symbol) = (|text: &str| Kind::Name(text.to_owned()), Kind::Symbol);
        assert_eq!(
            kinds("größe_2**-1.5e-3//.5 and 18446744073709551615"),
            [
                name("größe_2"),
                symbol("**"),
                symbol("-"),
                Kind::Float(1.5e-3),
                symbol("//"),
                Kind::Float(0.5),
                symbol("and"),
                Kind::Integer(u64::MAX.into()),
                Kind::End
            ]
        );
        assert_eq!(kinds("18446744073709551616"), [Kind::Float(2f64.powi(64)), Kind::End]);
    }

    #[test]
    fn strings_with_either_quote() {
        let text = |text: &str| Kind::Text(text.to_owned());
        assert_eq!(kinds(r#""it's" 'a\'\\\n"é'"#), [text("it's"), text("a'\\\n\"é"), Kind::End]);
    }

    #[test]
    fn columns_are_counted_in_characters() {
        let found: Vec<usize> = tokens("'é' == é").expect("good").iter().map(|token| token.column).collect();
        assert_eq!(found, [1, 5, 8, 9]);
    }

    #[test]
    fn mistakes_tell_their_column() {
        for (text, column) in
            [("a + #", 5), ("a ? b : c", 3), ("'abc", 1), (r"'a\d'", 3), ("1 + 2x", 5), ("1.2.3", 1)]
        {
            assert_eq!(tokens(text).expect_err(text).column, column, "{text}");
        }
        assert!(tokens("a && b").expect_err("C").message.contains("`and`"));
    }
}
