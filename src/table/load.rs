//! Loads a version's folder: `table.json` and the files of rows beside it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{Progress, Table, TableBuilder, TableSchema};
use crate::{
    batch::{Column, Type},
    files::{Batch, DataFile, Format, Refusals, Target, read_text, rows_at_once},
    problem::Problems,
};

impl Table {
    /// Loads a table from its folder. Each problem names the file, and where it applies the row, counted from 0 in each
    /// file, and the column.
    pub fn load(folder: &Path, progress: &dyn Progress) -> Result<Self, Problems> {
        let schema = read_schema(folder)?;
        let targets = targets(&schema);
        let files = open_files(folder, &targets)?;
        let rows = files.iter().map(|(_, file)| file.rows()).sum();
        let mut builder = TableBuilder::new(schema, rows)?;
        for (name, file) in &files {
            read_file(name, file, &targets, &mut builder, progress);
        }
        builder.finish()
    }
}

/// The schema and the first rows, at most `rows`: the key's columns, then those of values.
pub fn head(folder: &Path, rows: usize) -> Result<(TableSchema, Vec<Column>), Problems> {
    let schema = read_schema(folder)?;
    let targets = targets(&schema);
    let mut columns: Vec<Column> = targets.iter().map(|target| Column::new(target.of)).collect();
    let mut refusals = Refusals::default();
    for (name, file) in &open_files(folder, &targets)? {
        let first = file.batches(targets.clone(), rows).and_then(|mut batches| batches.next().transpose());
        match first {
            Ok(Some(batch)) => columns = batch.columns,
            Ok(None) => continue,
            Err(why) => refusals.add(|| name.clone(), || why),
        }
        break;
    }
    refusals.or((schema, columns))
}

fn read_schema(folder: &Path) -> Result<TableSchema, Problems> {
    let text = read_text(&folder.join("table.json")).map_err(|why| Problems::one("", why));
    text.and_then(|text| TableSchema::from_json(&text)).map_err(|found| found.in_file("table.json"))
}

/// The key's columns, then those of values.
fn targets(schema: &TableSchema) -> Vec<Target> {
    let keys = schema.key.iter().map(|key| Target::new(&key.name, Type::scalar(key.element), key.stored()));
    let columns = schema.columns.iter().map(|column| Target::new(&column.name, column.of, column.stored));
    keys.chain(columns).collect()
}

/// Opens every file of rows and checks its columns, so that a table of wrong files is rejected before the long work.
fn open_files(folder: &Path, targets: &[Target]) -> Result<Vec<(String, DataFile)>, Problems> {
    let mut refusals = Refusals::default();
    let mut files = Vec::new();
    for path in list_files(folder)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match DataFile::open(&path) {
            Ok(file) => {
                for target in targets {
                    let place = || format!("{name}, column {}", target.name);
                    file.check(target).unwrap_or_else(|why| refusals.add(place, || why));
                }
                files.push((name, file));
            }
            Err(why) => refusals.add(|| name, || why),
        }
    }
    if files.is_empty() && refusals.is_empty() {
        refusals.add(String::new, || NO_FILES.to_owned());
    }
    refusals.or(files)
}

const NO_FILES: &str = "the folder has no *.parquet, *.pq, *.arrow, *.feather or *.ipc file; quiver table import makes one of others";

/// Whether the file's name is that of a table's rows.
pub fn is_of_rows(path: &Path) -> bool {
    Format::of(path).is_some_and(Format::is_typed)
}

/// The files of rows in the order of their names.
fn list_files(folder: &Path) -> Result<Vec<PathBuf>, Problems> {
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let entries = entries.map_err(|error| Problems::one("", format!("the folder can't be read: {error}")))?;
    let hidden = |path: &Path| path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    let paths = entries.into_iter().map(|entry| entry.path());
    let mut files: Vec<_> = paths.filter(|path| is_of_rows(path) && !hidden(path)).collect();
    files.sort_unstable();
    Ok(files)
}

fn read_file(
    name: &str,
    file: &DataFile,
    targets: &[Target],
    builder: &mut TableBuilder,
    progress: &dyn Progress,
) {
    builder.begin_source(name);
    let read = file.batches(targets.to_vec(), rows_at_once(targets)).and_then(|batches| {
        for batch in batches {
            let batch = batch?;
            append(&batch, targets, builder);
            progress.add(batch.rows as u64, batch.bytes);
        }
        Ok(())
    });
    if let Err(why) = read {
        builder.refuse_source(name, why);
    }
}

fn append(batch: &Batch, targets: &[Target], builder: &mut TableBuilder) {
    for (target, misfits) in targets.iter().zip(&batch.misfits) {
        builder.refuse_all(&target.name, misfits);
    }
    let (keys, columns) = batch.columns.split_at(builder.key_columns());
    builder.append(keys, columns);
}

#[cfg(test)]
mod tests;
