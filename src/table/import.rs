//! Makes a version of a table of files of any kind: types are found in the data, keys are held to be unique, and the
//! rows are written to a folder of their own.

mod duplicates;
mod find_types;
mod texts;
mod write;

use std::collections::{BTreeMap, BTreeSet};

use super::{ColumnSchema, ColumnType, EventTime, KeyColumn, Progress, TableSchema};
use crate::{
    files::{Losses, RowFile, Target},
    problem::Problems,
};
pub use duplicates::DroppedRows;

/// What is imported, and how.
#[derive(Debug, Clone, Default)]
pub struct Import {
    /// The table's name and version.
    pub name: String,
    pub version: u32,
    /// The key's columns, in order.
    pub key: Vec<String>,
    /// The types that were stated for columns.
    pub stated: BTreeMap<String, ColumnType>,
    /// Columns that are left out.
    pub dropped: BTreeSet<String>,
    pub lossy: bool,
    /// Which of several rows with one key stays; none to refuse them.
    pub duplicates: Option<Keep>,
    /// Whether rows without a key are left out and not rejected.
    pub drop_null_keys: bool,
    /// Whether the table takes writes while it is served.
    pub live: bool,
    /// When the rows were true, as `table.json` says it: a column of values or a time for all rows.
    pub event_time: Option<String>,
}

/// Which of the rows with one key stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    First,
    Last,
}

/// A file, by the name that problems have.
#[derive(Debug)]
pub struct NamedFile {
    pub name: String,
    pub file: RowFile,
}

/// A column with the type that was found or stated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundColumn {
    pub name: String,
    pub is_key: bool,
    /// None where the values do not say it.
    pub of: Option<ColumnType>,
    pub nulls: u64,
    /// The first value.
    pub example: Option<String>,
}

/// The files' columns, those of the key first.
#[derive(Debug)]
pub struct Found {
    pub columns: Vec<FoundColumn>,
    pub rows: u64,
    /// What keeps them from being a table.
    pub problems: Problems,
}

/// What was written.
#[derive(Debug)]
pub struct Imported {
    pub dropped: DroppedRows,
    pub losses: Losses,
}

impl Import {
    /// Reads every value and finds each column's type.
    pub fn find(&self, files: &[NamedFile], progress: &dyn Progress) -> Found {
        let mut found = find_types::find(self, files, progress);
        if let Err(why) = self.event_time(&self.value_columns(&found.columns)) {
            found.problems.add("--event-time", why);
        }
        found
    }

    /// Writes `table.json` and the rows to `folder`, which is there and empty, of columns without problems.
    pub fn write(
        &self,
        files: &[NamedFile],
        columns: &[FoundColumn],
        folder: &std::path::Path,
        progress: &dyn Progress,
    ) -> Result<Imported, Problems> {
        let targets = self.targets(columns);
        let dropped = duplicates::find(self, files, &targets[..self.key.len()], progress)?;
        let losses = write::write(&self.schema(columns), files, &targets, &dropped, folder, progress)?;
        Ok(Imported { dropped, losses })
    }

    fn schema(&self, columns: &[FoundColumn]) -> TableSchema {
        let typed = |column: &FoundColumn| Some((column.name.clone(), column.of?));
        let values = self.value_columns(columns);
        let key = columns[..self.key.len()].iter().filter_map(typed);
        let key = key.map(|(name, of)| KeyColumn { name, element: of.stored.element() });
        TableSchema {
            name: self.name.clone(),
            version: self.version,
            key: key.collect(),
            // A time that can't be read was a problem of what was found.
            event_time: self.event_time(&values).ok().flatten(),
            columns: values,
            live: self.live,
        }
    }

    /// The columns of values whose types are known.
    fn value_columns(&self, columns: &[FoundColumn]) -> Vec<ColumnSchema> {
        let values = columns.iter().filter(|column| !column.is_key);
        values.filter_map(|column| Some(column.of?.column(&column.name))).collect()
    }

    fn event_time(&self, columns: &[ColumnSchema]) -> Result<Option<EventTime>, String> {
        self.event_time.as_deref().map(|written| EventTime::read(written, columns)).transpose()
    }

    /// The key's columns, then those of values.
    fn targets(&self, columns: &[FoundColumn]) -> Vec<Target> {
        let typed = columns.iter().filter_map(|column| Some((column, column.of?)));
        let target = |(column, of): (&FoundColumn, ColumnType)| Target {
            lossy: self.lossy,
            cast: self.stated.contains_key(&column.name),
            ..Target::new(&column.name, of.of(), of.stored)
        };
        typed.map(target).collect()
    }
}

#[cfg(test)]
mod tests;
