//! The tables of a repository: the newest version of each that is looked up, and of the others what they would take.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

use super::folders::{Numbered, numbered_folders};
use crate::{
    plan::graph::Unloaded,
    problem::Problems,
    spec::Spec,
    table::{Progress, Table},
};

/// The versions of tables that specs look up.
#[derive(Debug, Default)]
pub struct Tables {
    /// By name, and by the version where the specs name it.
    loaded: BTreeMap<Wanted, Arc<Table>>,
    /// What is wrong with those that could not be loaded.
    failed: BTreeMap<Wanted, Problems>,
    /// Those that no spec looks up: they are not loaded.
    unread: BTreeMap<String, Numbered>,
}

/// A table's name, and its version if it is not the newest.
type Wanted = (String, Option<u32>);

/// A table that no feature set looks up. A server does not load it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadTable {
    pub name: String,
    pub version: u32,
    pub rows: u32,
    /// Bytes that it would take.
    pub memory: usize,
}

impl Tables {
    /// Loads the version of each table that a spec looks up: the newest, or the one that it names. A table that no spec
    /// looks up takes no memory.
    pub fn load<'a>(
        repository: &Path,
        specs: impl Iterator<Item = &'a Spec>,
        progress: &dyn Progress,
        problems: &mut Problems,
    ) -> Self {
        let wanted: BTreeSet<Wanted> = specs.flat_map(Spec::table_versions).collect();
        let mut folders: BTreeMap<String, Vec<Numbered>> = BTreeMap::new();
        if repository.join("tables").symlink_metadata().is_ok() {
            for folder in numbered_folders(repository, "tables", problems) {
                folders.entry(folder.name.clone()).or_default().push(folder);
            }
        }
        let mut tables = Self::default();
        // A newest version that is also named is read once.
        let mut read: BTreeMap<String, Result<Arc<Table>, Problems>> = BTreeMap::new();
        for wanted in wanted {
            let versions = folders.get(&wanted.0).map(Vec::as_slice).unwrap_or_default();
            let mut fitting =
                versions.iter().filter(|of| wanted.1.is_none_or(|version| version == of.version));
            let Some(folder) = fitting.next_back() else { continue };
            let loaded = read.entry(folder.place.clone()).or_insert_with(|| {
                let loaded = load_table_folder(folder, |path| Table::load(path, progress));
                loaded.map(Arc::new).inspect_err(|found| problems.add_below("", found.clone()))
            });
            match loaded {
                Ok(table) => drop(tables.loaded.insert(wanted, table.clone())),
                Err(found) => drop(tables.failed.insert(wanted, found.clone())),
            }
        }
        let is_read = |name: &String| {
            let mut known = tables.loaded.keys().chain(tables.failed.keys());
            known.any(|(known, _)| known == name)
        };
        let unread = folders.into_iter().filter(|(name, _)| !is_read(name));
        tables.unread = unread.filter_map(|(name, mut versions)| Some((name, versions.pop()?))).collect();
        tables
    }

    /// The tables that a spec reads, by name; those that are not loaded are left out.
    pub fn of_spec(&self, spec: &Spec) -> BTreeMap<String, Arc<Table>> {
        let found = spec.table_versions().into_iter().filter_map(|wanted| {
            let table = self.loaded.get(&wanted)?.clone();
            Some((wanted.0, table))
        });
        found.collect()
    }

    /// What is wrong with the tables that a spec reads.
    pub fn failed_of(&self, spec: &Spec) -> impl Iterator<Item = (&Wanted, &Problems)> {
        let wanted = spec.table_versions();
        self.failed.iter().filter(move |(of, _)| wanted.contains(of))
    }

    /// Loads the tables that no spec looks up, one after the other, and keeps none of them.
    pub fn check_unread(&self, progress: &dyn Progress, problems: &mut Problems) -> Vec<UnreadTable> {
        let mut unread = Vec::new();
        for (name, folder) in &self.unread {
            match load_table_folder(folder, |path| Table::load(path, progress)) {
                Ok(table) => unread.push(UnreadTable {
                    name: name.clone(),
                    version: folder.version,
                    rows: table.rows(),
                    memory: table.memory(),
                }),
                Err(found) => problems.add_below("", found),
            }
        }
        unread
    }

    /// The tables that are not there for a spec: those that could not be loaded, and those that it does not look up.
    pub fn unloaded(&self, spec: &Spec) -> Unloaded {
        let names = self.loaded.keys().map(|(name, _)| name).chain(self.unread.keys());
        Unloaded {
            failed: self.failed_of(spec).map(|((name, _), _)| name.clone()).collect(),
            unread: names.cloned().collect(),
        }
    }
}

/// Loads a table's folder; problems' places are below the repository.
pub fn load_table_folder(
    folder: &Numbered,
    load: impl FnOnce(&Path) -> Result<Table, Problems>,
) -> Result<Table, Problems> {
    let loaded = folder.check().and_then(|()| load(&folder.path));
    loaded.and_then(|table| named_like(folder, table)).map_err(|found| found.in_folder(&folder.place))
}

/// A table is where its name and version say.
fn named_like(folder: &Numbered, table: Table) -> Result<Table, Problems> {
    let mut problems = Problems::none();
    let schema = table.schema();
    if schema.name != folder.name {
        problems.add("name", format!("is {:?}; the folder's is {:?}", schema.name, folder.name));
    }
    if schema.version != folder.version {
        problems.add("version", format!("is {}; the folder's is {}", schema.version, folder.version));
    }
    problems.or(table).map_err(|found| found.in_file("table.json"))
}
