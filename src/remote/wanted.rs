//! Which versions of tables are mirrored.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use serde_json::Value;

use super::{
    KEPT_VERSIONS,
    objects::{Objects, Version},
};

/// The newest versions of each table, and those that a spec in `folder` names.
pub fn tables<'a>(objects: &'a Objects, folder: &Path) -> Vec<&'a Version> {
    let mut named = BTreeSet::new();
    for version in objects.versions_of("feature_sets") {
        // What can't be read names nothing; it is reported where it is loaded.
        let text = fs::read(folder.join(version.place()).join("spec.json")).unwrap_or_default();
        named.extend(named_in(&serde_json::from_slice(&text).unwrap_or_default()));
    }
    let mut by_name: BTreeMap<&str, Vec<&Version>> = BTreeMap::new();
    for version in objects.versions_of("tables") {
        by_name.entry(&version.name).or_default().push(version);
    }
    let mut wanted = Vec::new();
    for versions in by_name.into_values() {
        let newest = versions.len().saturating_sub(KEPT_VERSIONS);
        let is_wanted = |(position, version): &(usize, &Version)| {
            *position >= newest || named.contains(&(version.name.clone(), u64::from(version.number)))
        };
        wanted.extend(versions.into_iter().enumerate().filter(is_wanted).map(|(_, version)| version));
    }
    wanted
}

/// The tables that a spec names with a version, in its lookups and what belongs to them.
fn named_in(value: &Value) -> BTreeSet<(String, u64)> {
    let mut named = BTreeSet::new();
    match value {
        Value::Object(fields) => {
            let (table, version) = (fields.get("table"), fields.get("version"));
            if let (Some(table), Some(version)) =
                (table.and_then(Value::as_str), version.and_then(Value::as_u64))
            {
                named.insert((table.to_owned(), version));
            }
            fields.values().for_each(|field| named.extend(named_in(field)));
        }
        Value::Array(values) => values.iter().for_each(|value| named.extend(named_in(value))),
        _ => {}
    }
    named
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lookups_name_versions() {
        let spec = json!({"version": 3, "lookups": [
            {"name": "ad", "table": "ads", "version": 7, "fallbacks": [{"table": "categories", "version": 2}]},
            {"name": "user", "table": "users"}]});
        let expected = [("ads".to_owned(), 7), ("categories".to_owned(), 2)];
        assert!(named_in(&spec).into_iter().eq(expected));
    }
}
