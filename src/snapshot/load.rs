//! Reads a repository: `feature_sets/<name>/<version>/` and `tables/<name>/<version>/`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{FeatureSet, Snapshot, below};
use crate::{
    files::read_list,
    problem::Problems,
    spec::read::{Version, read_version},
    table::{Progress, Table},
};

/// What a repository is loaded with.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// The most bytes of load-time results for one version; none for no limit.
    pub prepared_bytes: Option<usize>,
}

/// One numbered folder.
struct Numbered {
    name: String,
    version: u32,
    path: PathBuf,
    /// Below the repository, as problems tell it.
    place: String,
}

/// Loads every version of every feature set and the newest version of every table that they look up, or tells every
/// problem with its file.
pub fn load(repository: &Path, options: Options, progress: &dyn Progress) -> Result<Snapshot, Problems> {
    let mut problems = Problems::none();
    let versions = read_versions(repository, &mut problems);
    let tables = load_tables(repository, &versions, progress, &mut problems);
    let mut feature_sets = Vec::new();
    for (folder, version) in versions {
        match FeatureSet::build(version, &tables, options.prepared_bytes) {
            Ok(feature_set) => feature_sets.push(feature_set),
            Err(found) => problems.add_below(&folder.place, found),
        }
    }
    if feature_sets.is_empty() && problems.is_empty() {
        problems.add("feature_sets", format!("no feature set in {}", repository.display()));
    }
    problems.or(()).map(|()| Snapshot::new(feature_sets))
}

/// Loads one version of one feature set, the highest for version 0, for rows that bring every input of their own; and
/// the newest version of every table that it looks up.
pub fn load_per_row(
    repository: &Path,
    feature_set: &str,
    version: u32,
    options: Options,
    progress: &dyn Progress,
) -> Result<FeatureSet, Problems> {
    let mut problems = Problems::none();
    let folders = numbered_folders(repository, "feature_sets", &mut problems);
    let folder = find(folders, feature_set, version).ok_or_else(|| {
        let asked = if version == 0 { String::new() } else { format!(" version {version}") };
        problems
            .add("feature_sets", format!("there is no {feature_set:?}{asked} in {}", repository.display()));
        problems
    })?;
    let mut problems = Problems::none();
    let Some(version) = read_folder(&folder, &mut problems) else { return Err(problems) };
    let versions = [(folder, version)];
    let tables = load_tables(repository, &versions, progress, &mut problems);
    problems.or(())?;
    let [(folder, version)] = versions;
    FeatureSet::build_per_row(version, &tables, options.prepared_bytes)
        .map_err(|found| below(&folder.place, found))
}

fn find(folders: Vec<Numbered>, feature_set: &str, version: u32) -> Option<Numbered> {
    let is_asked = |folder: &Numbered| version == 0 || folder.version == version;
    folders.into_iter().rfind(|folder| folder.name == feature_set && is_asked(folder))
}

fn read_versions(repository: &Path, problems: &mut Problems) -> Vec<(Numbered, Version)> {
    let folders = numbered_folders(repository, "feature_sets", problems).into_iter();
    let versions = folders.filter_map(|folder| Some((read_folder(&folder, problems)?, folder)));
    versions.map(|(version, folder)| (folder, version)).collect()
}

fn read_folder(folder: &Numbered, problems: &mut Problems) -> Option<Version> {
    let read = read_version(&folder.path, &read_list).and_then(|version| named_like(folder, version));
    read.map_err(|found| problems.add_below(&folder.place, found)).ok()
}

/// A spec is where its name and version say.
fn named_like(folder: &Numbered, version: Version) -> Result<Version, Problems> {
    let mut problems = Problems::none();
    if version.spec.name != folder.name {
        problems.add("name", format!("is {:?}; the folder's is {:?}", version.spec.name, folder.name));
    }
    if version.spec.version != folder.version {
        problems.add("version", format!("is {}; the folder's is {}", version.spec.version, folder.version));
    }
    problems.or(version).map_err(|found| below("spec.json", found))
}

/// The newest version of each table that is looked up. A table that no spec looks up takes no memory.
fn load_tables(
    repository: &Path,
    versions: &[(Numbered, Version)],
    progress: &dyn Progress,
    problems: &mut Problems,
) -> BTreeMap<String, Arc<Table>> {
    let lookups = versions.iter().flat_map(|(_, version)| &version.spec.lookups);
    let wanted: BTreeSet<&str> = lookups.map(|lookup| lookup.table.as_str()).collect();
    let mut newest: BTreeMap<String, Numbered> = BTreeMap::new();
    if repository.join("tables").is_dir() {
        for folder in numbered_folders(repository, "tables", problems) {
            newest.insert(folder.name.clone(), folder);
        }
    }
    newest.retain(|name, _| wanted.contains(name.as_str()));
    let mut tables = BTreeMap::new();
    for (name, folder) in newest {
        match Table::load(&folder.path, progress).and_then(|table| table_named_like(&folder, table)) {
            Ok(table) => {
                tables.insert(name, Arc::new(table));
            }
            Err(found) => problems.add_below(&folder.place, found),
        }
    }
    tables
}

fn table_named_like(folder: &Numbered, table: Table) -> Result<Table, Problems> {
    let mut problems = Problems::none();
    let schema = table.schema();
    if schema.name != folder.name {
        problems.add("name", format!("is {:?}; the folder's is {:?}", schema.name, folder.name));
    }
    if schema.version != folder.version {
        problems.add("version", format!("is {}; the folder's is {}", schema.version, folder.version));
    }
    problems.or(table).map_err(|found| below("table.json", found))
}

/// The folders `<kind>/<name>/<version>`, sorted by name and number. Names that begin with a dot are passed over:
/// versions are written aside under such names and renamed into place.
fn numbered_folders(repository: &Path, kind: &str, problems: &mut Problems) -> Vec<Numbered> {
    let mut folders = Vec::new();
    for (name, path) in folders_in(&repository.join(kind), kind, problems) {
        for (number, path) in folders_in(&path, &format!("{kind}/{name}"), problems) {
            let place = format!("{kind}/{name}/{number}");
            match number.parse::<u32>() {
                Ok(version) if version > 0 && version.to_string() == number => {
                    folders.push(Numbered { name: name.clone(), version, path, place });
                }
                _ => problems.add(place, "is not a version: a number from 1 on, without leading zeros"),
            }
        }
    }
    folders.sort_by(|one, other| (&one.name, one.version).cmp(&(&other.name, other.version)));
    folders
}

fn folders_in(folder: &Path, place: &str, problems: &mut Problems) -> Vec<(String, PathBuf)> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => {
            problems.add(place, format!("can't be read: {error}"));
            return Vec::new();
        }
    };
    let mut found: Vec<(String, PathBuf)> = entries
        .filter_map(Result::ok)
        .filter(|entry| entry.path().is_dir())
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path()))
        .filter(|(name, _)| !name.starts_with('.'))
        .collect();
    found.sort();
    found
}
