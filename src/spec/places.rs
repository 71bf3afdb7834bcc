//! Where in a spec a problem is: by position and by name, as in `features[50] "site_entropy".steps[0].mean`.

use serde_json::Value;

use super::Spec;
use crate::problem::{Problems, quoted};

/// The parts of a spec that have names.
const SECTIONS: [&str; 4] = ["inputs", "lookups", "features", "outputs"];

/// The place of an element of a list, with its name where it has one.
pub fn element(list: &str, position: usize, name: Option<&str>) -> String {
    match name {
        Some(name) => format!("{list}[{position}] {}", quoted(name)),
        None => format!("{list}[{position}]"),
    }
}

/// The place of a feature's step, with its operation where it is known.
pub fn step(position: usize, operation: Option<&str>) -> String {
    match operation {
        Some(operation) => format!("steps[{position}] ({operation})"),
        None => format!("steps[{position}]"),
    }
}

/// The name of an element as it is written.
pub fn written_name(element: &Value) -> Option<&str> {
    element.get("name").and_then(Value::as_str)
}

/// Puts names behind the positions in the places of a document's problems.
pub fn named_by_document(document: &Value, problems: Problems) -> Problems {
    with_names(problems, |section, position| written_name(document.get(section)?.get(position)?))
}

/// Puts names behind the positions in the places of a spec's problems.
pub fn named(spec: &Spec, problems: Problems) -> Problems {
    with_names(problems, |section, position| {
        Some(match section {
            "inputs" => &spec.inputs.get(position)?.name,
            "lookups" => &spec.lookups.get(position)?.name,
            "features" => &spec.features.get(position)?.name,
            _ => &spec.outputs.get(position)?.name,
        })
    })
}

fn with_names<'a>(problems: Problems, name: impl Fn(&str, usize) -> Option<&'a str>) -> Problems {
    problems.with_paths(|path| {
        let (section, position, rest) = split(path)?;
        // A problem of the name itself says it.
        let name = name(section, position).filter(|_| rest != ".name")?;
        Some(element(section, position, Some(name)) + rest)
    })
}

/// `features[50].default` as `features`, 50 and `.default`.
fn split(path: &str) -> Option<(&'static str, usize, &str)> {
    SECTIONS.into_iter().find_map(|section| {
        let (position, rest) = path.strip_prefix(section)?.strip_prefix('[')?.split_once(']')?;
        Some((section, position.parse().ok()?, rest))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_stand_behind_positions() {
        let document =
            json!({"features": [{"name": "a"}, {"name": "b\"c"}, {}], "outputs": [{"name": "dense"}]});
        let check = |path: &str, expect: &str| {
            let problems = named_by_document(&document, Problems::one(path, "is wrong"));
            assert_eq!(problems.to_string(), format!("{expect}: is wrong"));
        };
        check("features[0]", "features[0] \"a\"");
        check("features[1].steps[0].mean", "features[1] \"b\\\"c\".steps[0].mean");
        check("features[1].name", "features[1].name");
        check("features[2].input", "features[2].input");
        check("features[9].input", "features[9].input");
        check("outputs[0].features[3]", "outputs[0] \"dense\".features[3]");
        check("format", "format");
        check("features", "features");
    }
}
