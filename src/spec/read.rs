//! Reads a version's folder: `spec.json`, the long lists beside it, and `golden.json`.

use std::{collections::BTreeMap, io, path::Path};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::{FORMAT, Spec, golden, places};
use crate::{files, problem::Problems, transform::Transform};

/// One version of a feature set as it lies on disk.
#[derive(Debug, Clone)]
pub struct Version {
    pub spec: Spec,
    /// SHA-256 of the spec with its lists in place, the first 32 hexadecimal digits. Layout and order of fields in the
    /// file do not matter.
    pub fingerprint: String,
    pub golden: Option<golden::Golden>,
}

/// Reads the values of one column of a Parquet file as JSON values.
pub type ReadList<'a> = &'a dyn Fn(&Path, &str) -> Result<Vec<Value>, Problems>;

/// Reads a version from its folder; problems' places begin with `spec.json` and `golden.json`.
pub fn read_version(folder: &Path, read_list: ReadList<'_>) -> Result<Version, Problems> {
    let mut problems = Problems::none();
    let spec =
        read_json(&folder.join("spec.json")).and_then(|value| spec_from_value(value, folder, read_list));
    let spec = collect(spec.map_err(|found| found.in_file("spec.json")), &mut problems);
    let golden_file = folder.join("golden.json");
    // A link that leads nowhere is there too: the version must not be served without the gate that it was given.
    let golden = match golden_file.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        _ => {
            let golden = read_json(&golden_file).and_then(golden_from_value);
            collect(golden.map_err(|found| found.in_file("golden.json")), &mut problems)
        }
    };
    match spec {
        Some((spec, fingerprint)) if problems.is_empty() => Ok(Version { spec, fingerprint, golden }),
        _ => Err(problems),
    }
}

/// Reads a spec from its text, with lists inline only.
pub fn spec_from_text(text: &str) -> Result<(Spec, String), Problems> {
    let no_files: ReadList<'_> =
        &|_, _| Err(Problems::one("", "a spec without a folder has no files beside it"));
    spec_from_value(parse(text)?, Path::new(""), no_files)
}

fn read_json(file: &Path) -> Result<Value, Problems> {
    let text = files::read_text(file).map_err(|why| Problems::one("", why))?;
    parse(&text)
}

fn parse(text: &str) -> Result<Value, Problems> {
    serde_json::from_str(text).map_err(|error| Problems::one("", format!("not valid JSON: {error}")))
}

fn golden_from_value(value: Value) -> Result<golden::Golden, Problems> {
    let golden: golden::Golden = typed(value)?;
    if golden.format == golden::FORMAT {
        Ok(golden)
    } else {
        Err(Problems::one("format", format!("is {:?}, must be {:?}", golden.format, golden::FORMAT)))
    }
}

/// Types the document element by element, so that each element's problem is reported, not the first one's alone.
fn spec_from_value(
    mut value: Value,
    folder: &Path,
    read_list: ReadList<'_>,
) -> Result<(Spec, String), Problems> {
    let mut problems = Problems::none();
    inline_lists(&mut value, "", folder, read_list, &mut problems);
    problems = places::named_by_document(&value, problems);
    let fingerprint = fingerprint(&value);
    let Value::Object(mut document) = value else {
        return Err(Problems::one("", "must be a JSON object"));
    };
    let inputs = elements("inputs", &mut document, &mut problems);
    let lookups = elements("lookups", &mut document, &mut problems);
    let features = features(&mut document, &mut problems);
    let outputs = elements("outputs", &mut document, &mut problems);
    let head: Option<Spec> = collect(typed(Value::Object(document)), &mut problems);
    match head {
        Some(head) if problems.is_empty() => {
            let spec = Spec { inputs, lookups, features, outputs, ..head };
            check_head(&spec)?;
            Ok((spec, fingerprint))
        }
        _ => Err(problems),
    }
}

fn check_head(spec: &Spec) -> Result<(), Problems> {
    let mut problems = Problems::none();
    if spec.format != FORMAT {
        problems.add("format", format!("is {:?}, this server reads {FORMAT:?}", spec.format));
    }
    if spec.version == 0 {
        problems.add("version", "must be 1 or more: a request's version 0 means the default");
    }
    let mut versions: BTreeMap<&str, u32> = BTreeMap::new();
    for (position, lookup) in spec.lookups.iter().enumerate() {
        let Some(version) = lookup.version else { continue };
        let place = || places::element("lookups", position, Some(&lookup.name)) + ".version";
        let known = *versions.entry(&lookup.table).or_insert(version);
        if version == 0 {
            problems.add(place(), "must be 1 or more");
        } else if known != version {
            let message = format!("is {version}; another lookup of {:?} names version {known}", lookup.table);
            problems.add(place(), message);
        }
    }
    problems.or(())
}

/// Takes the elements of an array field out of the document, each typed by itself.
fn elements<T: DeserializeOwned>(
    field: &str,
    document: &mut Map<String, Value>,
    problems: &mut Problems,
) -> Vec<T> {
    let Some(Value::Array(array)) = document.get_mut(field) else {
        return Vec::new();
    };
    let values = std::mem::take(array).into_iter().enumerate();
    values
        .filter_map(|(position, value)| {
            let name = places::written_name(&value).map(str::to_owned);
            let place = || places::element(field, position, name.as_deref());
            typed(value).map_err(|found| problems.add_below(&place(), found)).ok()
        })
        .collect()
}

/// Takes the features out, their steps typed one by one.
fn features(document: &mut Map<String, Value>, problems: &mut Problems) -> Vec<super::Feature> {
    let Some(Value::Array(array)) = document.get_mut("features") else {
        return Vec::new();
    };
    let mut features = Vec::with_capacity(array.len());
    for (position, mut value) in std::mem::take(array).into_iter().enumerate() {
        let name = places::written_name(&value).map(str::to_owned);
        let mut found = Problems::none();
        let steps = value.as_object_mut().map(|fields| steps(fields, &mut found)).unwrap_or_default();
        let feature: Option<super::Feature> = collect(typed(value), &mut found);
        match feature {
            Some(feature) if found.is_empty() => features.push(super::Feature { steps, ..feature }),
            _ => problems.add_below(&places::element("features", position, name.as_deref()), found),
        }
    }
    features
}

/// Takes a feature's steps out, each typed by itself.
fn steps(feature: &mut Map<String, Value>, problems: &mut Problems) -> Vec<Transform> {
    let Some(Value::Array(array)) = feature.get_mut("steps") else {
        return Vec::new();
    };
    let steps = std::mem::take(array).into_iter().enumerate();
    steps
        .filter_map(|(position, step)| {
            let operation = Transform::known_name(&step);
            let place = places::step(position, operation);
            Transform::from_value(step).map_err(|found| problems.add_below(&place, found)).ok()
        })
        .collect()
}

fn typed<T: DeserializeOwned>(value: Value) -> Result<T, Problems> {
    serde_path_to_error::deserialize(value).map_err(Problems::of_json)
}

fn collect<T>(result: Result<T, Problems>, problems: &mut Problems) -> Option<T> {
    result.map_err(|found| problems.add_below("", found)).ok()
}

/// Puts the values of every `{"file": F, "column": C}` in its place.
fn inline_lists(
    value: &mut Value,
    place: &str,
    folder: &Path,
    read_list: ReadList<'_>,
    problems: &mut Problems,
) {
    match value {
        Value::Object(fields) => {
            if let Some((file, column)) = list_file(fields) {
                let list = file_beside(folder, &file).and_then(|path| read_list(&path, &column));
                match list {
                    Ok(list) => *value = Value::Array(list),
                    Err(found) => problems.add_below(place, found),
                }
                return;
            }
            // A key may have columns of any name, "file" and "column" among them.
            for (name, field) in
                fields.into_iter().filter(|(name, _)| !(place.is_empty() && *name == "lookups"))
            {
                let inside = if place.is_empty() { name.clone() } else { format!("{place}.{name}") };
                inline_lists(field, &inside, folder, read_list, problems);
            }
        }
        Value::Array(array) => {
            for (position, element) in array.iter_mut().enumerate() {
                inline_lists(element, &format!("{place}[{position}]"), folder, read_list, problems);
            }
        }
        _ => {}
    }
}

fn list_file(fields: &Map<String, Value>) -> Option<(String, String)> {
    match (fields.len(), fields.get("file"), fields.get("column")) {
        (2, Some(Value::String(file)), Some(Value::String(column))) => Some((file.clone(), column.clone())),
        _ => None,
    }
}

/// A spec comes from people and programs that may not read the rest of the disk through it.
fn file_beside(folder: &Path, file: &str) -> Result<std::path::PathBuf, Problems> {
    let plain =
        Path::new(file).components().count() == 1 && !file.starts_with('.') && !file.contains(['/', '\\']);
    if plain {
        Ok(folder.join(file))
    } else {
        Err(Problems::one("file", "must be the name of a file beside the spec"))
    }
}

/// Objects of `serde_json` without `preserve_order` are sorted, so the text is canonical.
fn fingerprint(value: &Value) -> String {
    let digest = Sha256::digest(value.to_string().as_bytes());
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = r#"{
        "format": "quiver.spec/1", "name": "small", "version": 3,
        "inputs": [{"name": "bid", "dtype": "float64", "scope": "row", "required": false, "nan": "null"}],
        "features": [{"name": "bid", "input": "bid", "default": 0.1, "steps": [
            {"op": "standardize", "mean": 0.1, "scale": 0.30000000000000004, "form": "divide",
             "precision": "float64"}]}],
        "outputs": [{"name": "dense", "dtype": "float32", "features": ["bid"]}]
    }"#;

    #[test]
    fn reads_numbers_exactly_and_round_trips() {
        let (spec, fingerprint) = spec_from_text(SMALL).expect("a good spec");
        let again = serde_json::to_string_pretty(&spec).expect("writes");
        assert_eq!(spec_from_text(&again).expect("reads its own text").0, spec);
        assert_eq!(fingerprint.len(), 32);
        assert!(again.contains("0.30000000000000004"));
    }

    #[test]
    fn layout_does_not_change_the_fingerprint() {
        let one = spec_from_text(SMALL).expect("good").1;
        let compact: String = SMALL.split_whitespace().collect();
        assert_eq!(one, spec_from_text(&compact).expect("good").1);
        assert_ne!(one, spec_from_text(&SMALL.replace("0.1,", "0.2,")).expect("good").1);
    }

    #[test]
    fn tells_every_problem_with_its_place() {
        let bad = SMALL
            .replace("\"scope\": \"row\"", "\"scope\": \"rows\"")
            .replace("\"divide\"", "\"halve\"")
            .replace("\"scale\"", "\"scael\"")
            .replace("\"dtype\": \"float32\"", "\"dtype\": \"float31\"");
        let problems = spec_from_text(&bad).expect_err("three mistakes").to_string();
        let places: Vec<_> = problems.lines().map(|line| line.split(':').next().unwrap_or("")).collect();
        assert_eq!(
            places,
            [
                "inputs[0] \"bid\".scope",
                "features[0] \"bid\".steps[0] (standardize).form",
                "outputs[0] \"dense\".dtype",
            ],
            "{problems}"
        );
    }

    #[test]
    fn lists_come_from_files_beside_the_spec_only() {
        let read: ReadList<'_> = &|path, column| {
            assert_eq!((path, column), (Path::new("folder/scales.parquet"), "scale"));
            Ok(vec![Value::from(2.5)])
        };
        let of_file = |file: &str| {
            SMALL.replace("0.30000000000000004", &format!(r#"{{"file": "{file}", "column": "scale"}}"#))
        };
        let value = parse(&of_file("scales.parquet")).expect("JSON");
        let (spec, _) = spec_from_value(value, Path::new("folder"), read).expect("good");
        assert!(serde_json::to_string(&spec).expect("writes").contains("[2.5]"));
        let value = parse(&of_file("../secret")).expect("JSON");
        let problems = spec_from_value(value, Path::new("folder"), read).expect_err("outside of the folder");
        assert!(problems.to_string().contains("steps[0].scale"), "{problems}");
    }
}
