//! The policies of a repository, checked as far as that goes without a server.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use super::folders::numbered_folders;
use crate::{
    policy::{self, Policy},
    problem::{Problems, listed},
};

/// Notes what is wrong with any `policy.json`.
pub fn check(repository: &Path, problems: &mut Problems) {
    for (kind, is_table) in [("feature_sets", false), ("tables", true)] {
        let mut versions: BTreeMap<String, BTreeSet<u32>> = BTreeMap::new();
        // What is wrong with folders is reported where they are loaded.
        for folder in numbered_folders(repository, kind, &mut Problems::none()) {
            versions.entry(folder.name).or_default().insert(folder.version);
        }
        for (name, versions) in versions {
            let read = policy::read(&repository.join(kind).join(&name));
            let checked = read.and_then(|policy| {
                policy.map_or(Ok(()), |policy| {
                    check_one(policy, is_table, &versions).map_err(|found| found.in_file(policy::FILE))
                })
            });
            if let Err(found) = checked {
                problems.add_below("", found.in_folder(&format!("{kind}/{name}")));
            }
        }
    }
}

fn check_one(policy: Policy, is_table: bool, versions: &BTreeSet<u32>) -> Result<(), Problems> {
    let policy = if is_table { policy.checked_for_table()? } else { policy.checked()? };
    let mut problems = Problems::none();
    for (place, version) in policy.named_with_places() {
        if !versions.contains(&version) {
            let known: Vec<String> = versions.iter().map(u32::to_string).collect();
            let known = listed(known.iter().map(String::as_str));
            problems.add(place, format!("there is no version {version}; there are: {known}"));
        }
    }
    problems.or(())
}
