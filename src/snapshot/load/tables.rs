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

/// The newest versions of tables.
#[derive(Debug, Default)]
pub struct Tables {
    pub loaded: BTreeMap<String, Arc<Table>>,
    /// What is wrong with those that could not be loaded.
    pub failed: BTreeMap<String, Problems>,
    /// Those that no spec looks up: they are not loaded.
    unread: BTreeMap<String, Numbered>,
}

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
    /// Loads the newest version of each table that a spec looks up. A table that no spec looks up takes no memory.
    pub fn load<'a>(
        repository: &Path,
        specs: impl Iterator<Item = &'a Spec>,
        progress: &dyn Progress,
        problems: &mut Problems,
    ) -> Self {
        let wanted: BTreeSet<&str> =
            specs.flat_map(|spec| &spec.lookups).map(|lookup| lookup.table.as_str()).collect();
        let mut newest: BTreeMap<String, Numbered> = BTreeMap::new();
        if repository.join("tables").symlink_metadata().is_ok() {
            for folder in numbered_folders(repository, "tables", problems) {
                newest.insert(folder.name.clone(), folder);
            }
        }
        let mut tables = Self::default();
        for (name, folder) in newest {
            if !wanted.contains(name.as_str()) {
                tables.unread.insert(name, folder);
                continue;
            }
            match load_folder(&folder, progress) {
                Ok(table) => {
                    tables.loaded.insert(name, Arc::new(table));
                }
                Err(found) => {
                    problems.add_below("", found.clone());
                    tables.failed.insert(name, found);
                }
            }
        }
        tables
    }

    /// Loads the tables that no spec looks up, one after the other, and keeps none of them.
    pub fn check_unread(&self, progress: &dyn Progress, problems: &mut Problems) -> Vec<UnreadTable> {
        let mut unread = Vec::new();
        for (name, folder) in &self.unread {
            match load_folder(folder, progress) {
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

    /// The names of the tables that are not loaded.
    pub fn unloaded(&self) -> Unloaded {
        Unloaded {
            failed: self.failed.keys().cloned().collect(),
            unread: self.unread.keys().cloned().collect(),
        }
    }
}

/// Loads a table's folder; problems' places are below the repository.
fn load_folder(folder: &Numbered, progress: &dyn Progress) -> Result<Table, Problems> {
    let loaded = folder.check().and_then(|()| Table::load(&folder.path, progress));
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
