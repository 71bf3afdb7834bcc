//! Reads a repository: `feature_sets/<name>/<version>/` and `tables/<name>/<version>/`.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    Binder, Failed, FeatureSet, Snapshot,
    feature_set::{prove, schemas_of},
};
use crate::{
    files::read_list,
    plan::graph::{Graph, Unloaded},
    problem::{Problems, listed},
    spec::{
        Spec,
        golden::Golden,
        places,
        read::{Version, read_version},
    },
    table::{Progress, Table},
};
use folders::{Numbered, numbered_folders};
use tables::Tables;

pub mod folders;
mod policies;
mod tables;

pub use tables::{UnreadTable, load_table_folder};

/// What a repository is loaded with.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// How versions are bound to tables.
    pub binder: Binder,
    /// Whether tables that no feature set looks up are checked too.
    pub unread_tables: bool,
}

/// What came of loading a repository.
#[derive(Debug)]
pub struct Outcome {
    /// Every version that can be served; those that can't are in it with their problems.
    pub snapshot: Snapshot,
    /// The tables that no feature set looks up, where they were to be checked.
    pub unread_tables: Vec<UnreadTable>,
    /// All that is wrong in the repository, each with its file.
    pub problems: Problems,
}

impl Outcome {
    /// The snapshot, if nothing at all is wrong.
    pub fn whole(self) -> Result<Snapshot, Problems> {
        self.problems.or(self.snapshot)
    }

    /// The snapshot with what is wrong beside it, if any version can be served.
    pub fn servable(self) -> Result<(Snapshot, Problems), Problems> {
        if self.snapshot.feature_sets().next().is_some() {
            Ok((self.snapshot, self.problems))
        } else {
            Err(self.problems)
        }
    }
}

/// Loads every version of every feature set and the newest version of every table that they look up. What is wrong with
/// one version or table concerns no other version.
pub fn load(repository: &Path, options: &Options, progress: &dyn Progress) -> Outcome {
    let (mut problems, mut failed) = (Problems::none(), Failed::default());
    let mut versions = Vec::new();
    for folder in numbered_folders(repository, "feature_sets", &mut problems) {
        match read_folder(&folder) {
            Ok(version) => versions.push((folder, version)),
            Err(found) => {
                problems.add_below("", found.clone());
                failed.add(&folder.name, folder.version, found);
            }
        }
    }
    let specs = versions.iter().map(|(_, version)| &version.spec);
    let tables = Tables::load(repository, specs, progress, &mut problems);
    let mut feature_sets = Vec::new();
    for (folder, version) in versions {
        match build(&folder, version, &tables, &options.binder) {
            Ok(feature_set) => feature_sets.push(feature_set),
            Err(Unbuilt { own, of_tables }) => {
                problems.add_below("", own.clone());
                let mut all = of_tables;
                all.add_below("", own);
                failed.add(&folder.name, folder.version, all);
            }
        }
    }
    policies::check(repository, &mut problems);
    let unread_tables =
        if options.unread_tables { tables.check_unread(progress, &mut problems) } else { Vec::new() };
    if feature_sets.is_empty() && problems.is_empty() {
        problems.add("feature_sets", format!("no feature set in {}", repository.display()));
    }
    Outcome { snapshot: Snapshot::new(feature_sets).with_failed(failed), unread_tables, problems }
}

/// Loads one version of one feature set, the highest for version 0, for rows that bring every input of their own; and
/// the newest version of every table that it looks up.
pub fn load_per_row(
    repository: &Path,
    feature_set: &str,
    version: u32,
    binder: &Binder,
    progress: &dyn Progress,
) -> Result<FeatureSet, Problems> {
    let Read { folder, version, tables } = read_one(repository, feature_set, version, progress)?;
    FeatureSet::build_per_row(version, &tables, binder).map_err(|found| found.in_folder(&folder.place))
}

/// A version whose golden rows, if it has any, were not looked at.
#[derive(Debug)]
pub struct Unproven {
    /// The version's folder.
    pub folder: PathBuf,
    /// The version for rows that bring every input of their own.
    pub flat: FeatureSet,
    version: Version,
    tables: BTreeMap<String, Arc<Table>>,
}

impl Unproven {
    /// The spec as it is written.
    pub fn spec(&self) -> &Spec {
        &self.version.spec
    }

    /// Holds the version to golden rows.
    pub fn prove(&self, golden: Golden) -> Result<(), Problems> {
        let version = Version { golden: Some(golden), ..self.version.clone() };
        prove(&version, &self.tables, &Binder::default())
    }
}

/// Loads one version of one feature set, the highest for version 0, without its golden rows.
pub fn load_unproven(
    repository: &Path,
    feature_set: &str,
    version: u32,
    progress: &dyn Progress,
) -> Result<Unproven, Problems> {
    let Read { folder, version, tables } = read_one(repository, feature_set, version, progress)?;
    let version = Version { golden: None, ..version };
    let flat = FeatureSet::build_per_row(version.clone(), &tables, &Binder::default());
    let flat = flat.map_err(|found| found.in_folder(&folder.place))?;
    Ok(Unproven { folder: folder.path, flat, version, tables })
}

/// One version with the newest version of every table that it looks up.
struct Read {
    folder: Numbered,
    version: Version,
    tables: BTreeMap<String, Arc<Table>>,
}

fn read_one(
    repository: &Path,
    feature_set: &str,
    version: u32,
    progress: &dyn Progress,
) -> Result<Read, Problems> {
    let mut problems = Problems::none();
    let folders = numbered_folders(repository, "feature_sets", &mut problems);
    let available = available(&folders);
    let folder = find(folders, feature_set, version).ok_or_else(|| {
        let asked = if version == 0 { String::new() } else { format!(" version {version}") };
        let message =
            format!("there is no {feature_set:?}{asked} in {}; available: {available}", repository.display());
        problems.add("feature_sets", message);
        problems
    })?;
    let mut problems = Problems::none();
    let version = read_folder(&folder)?;
    let tables = Tables::load(repository, std::iter::once(&version.spec), progress, &mut problems);
    let tables = tables.of_spec(&version.spec);
    problems.or(Read { folder, version, tables })
}

/// Every version, as `ads_ctr 1`.
fn available(folders: &[Numbered]) -> String {
    let versions: Vec<String> = folders.iter().map(|of| format!("{} {}", of.name, of.version)).collect();
    listed(versions.iter().map(String::as_str))
}

fn find(folders: Vec<Numbered>, feature_set: &str, version: u32) -> Option<Numbered> {
    let is_asked = |folder: &Numbered| version == 0 || folder.version == version;
    folders.into_iter().rfind(|folder| folder.name == feature_set && is_asked(folder))
}

/// Reads a version's folder; problems' places are below the repository.
pub fn read_folder(folder: &Numbered) -> Result<Version, Problems> {
    let read = folder.check().and_then(|()| read_version(&folder.path, &read_list));
    read.and_then(|version| named_like(folder, version)).map_err(|found| found.in_folder(&folder.place))
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
    problems.or(version).map_err(|found| found.in_file("spec.json"))
}

/// Builds the version of a folder over the tables that it reads, by name; problems' places are below the repository. A spec
/// whose tables are not all there is checked as far as that goes, `unloaded` being those that are on disk.
pub fn build_folder(
    folder: &Numbered,
    version: Version,
    tables: &BTreeMap<String, Arc<Table>>,
    unloaded: &Unloaded,
    binder: &Binder,
) -> Result<FeatureSet, Problems> {
    if version.spec.tables().all(|table| tables.contains_key(table)) {
        return FeatureSet::build(version, tables, binder).map_err(|found| found.in_folder(&folder.place));
    }
    Err(match Graph::check(&version.spec, &schemas_of(tables), unloaded) {
        Ok(_) => Problems::none(),
        Err(found) => places::named(&version.spec, found).in_file("spec.json").in_folder(&folder.place),
    })
}

/// Why a version could not be built.
struct Unbuilt {
    own: Problems,
    /// Those of the tables that it looks up, which are reported once for all versions.
    of_tables: Problems,
}

fn build(
    folder: &Numbered,
    version: Version,
    tables: &Tables,
    binder: &Binder,
) -> Result<FeatureSet, Unbuilt> {
    let read = tables.of_spec(&version.spec);
    let unloaded = tables.unloaded(&version.spec);
    let mut of_tables = Problems::none();
    for (_, found) in tables.failed_of(&version.spec) {
        of_tables.add_below("", found.clone());
    }
    build_folder(folder, version, &read, &unloaded, binder).map_err(|own| Unbuilt { own, of_tables })
}
