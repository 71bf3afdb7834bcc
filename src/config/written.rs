//! What was written for each setting, and where.

use std::{collections::BTreeMap, fmt};

use super::{SETTINGS, Setting};
use crate::problem::Problems;

/// Where a value was written; the earlier one wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    Flag,
    Variable,
    File,
}

/// A value and its place.
#[derive(Debug)]
struct Entry {
    origin: Origin,
    text: String,
}

/// The values that count, and the problems found with them.
#[derive(Debug)]
pub struct Written {
    entries: BTreeMap<&'static str, Entry>,
    problems: Problems,
}

/// A setting's name at the place where it was written.
struct Place<'a>(&'a Setting, Option<Origin>);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.1 {
            Some(Origin::Flag) | None => write!(f, "--{}", self.0.flag),
            Some(Origin::Variable) => f.write_str(&self.0.variable()),
            Some(Origin::File) => write!(f, "{} in the file", self.0.key()),
        }
    }
}

impl Written {
    /// Takes for each setting the value that comes first in the order.
    pub fn collect(
        flag: &dyn Fn(&str) -> Option<String>,
        variable: &dyn Fn(&str) -> Option<String>,
        file: &toml::Table,
    ) -> Self {
        let mut written = Self { entries: BTreeMap::new(), problems: Problems::none() };
        for key in file.keys().filter(|key| SETTINGS.iter().all(|setting| setting.key() != **key)) {
            let known: Vec<String> = SETTINGS.iter().map(Setting::key).collect();
            let message = format!("there is no such setting; there are: {}", known.join(", "));
            written.problems.add(format!("{key} in the file"), message);
        }
        for setting in &SETTINGS {
            let of_file = || written_in_file(setting, file, &mut written.problems);
            let entry = flag(setting.flag)
                .map(|text| Entry { origin: Origin::Flag, text })
                .or_else(|| {
                    variable(&setting.variable()).map(|text| Entry { origin: Origin::Variable, text })
                })
                .or_else(of_file);
            written.entries.extend(entry.map(|entry| (setting.flag, entry)));
        }
        written
    }

    /// Where a setting was written; `None` where its default counts.
    pub fn origin(&self, flag: &str) -> Option<Origin> {
        self.entries.get(flag).map(|entry| entry.origin)
    }

    /// A setting's text, or its default's.
    pub fn text(&self, flag: &str) -> String {
        match self.entries.get(flag) {
            Some(entry) => entry.text.clone(),
            None => setting(flag).map(|setting| setting.default).unwrap_or_default().to_owned(),
        }
    }

    /// A setting's value. A mistake is noted, and the default stands in until all are reported.
    pub fn parse<T>(&mut self, flag: &str, parse: fn(&str) -> Result<T, String>) -> T {
        match parse(&self.text(flag)) {
            Ok(value) => value,
            Err(message) => {
                let message = format!("is {:?}, must be {message}", self.text(flag));
                self.problem(flag, &message);
                let default = setting(flag).map(|setting| setting.default).unwrap_or_default();
                parse(default).expect("the table's defaults are good")
            }
        }
    }

    /// Notes a problem of a setting.
    pub fn problem(&mut self, flag: &str, message: &str) {
        if let Some(setting) = setting(flag) {
            self.problems.add(Place(setting, self.origin(flag)).to_string(), message);
        }
    }

    /// All problems.
    pub fn into_problems(self) -> Problems {
        self.problems
    }
}

fn setting(flag: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.flag == flag)
}

fn written_in_file(setting: &Setting, file: &toml::Table, problems: &mut Problems) -> Option<Entry> {
    let text = match file.get(&setting.key())? {
        toml::Value::String(text) => text.clone(),
        toml::Value::Integer(number) => number.to_string(),
        toml::Value::Boolean(switch) => switch.to_string(),
        other => {
            let place = Place(setting, Some(Origin::File)).to_string();
            problems
                .add(place, format!("is {}, must be a string, an integer or a boolean", other.type_str()));
            return None;
        }
    };
    Some(Entry { origin: Origin::File, text })
}
