//! Loads a version's folder: `table.json` and the files of rows beside it.

mod lanes;
mod priority;
mod size;

use std::{
    fs,
    num::NonZero,
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::Arc,
};

use self::lanes::Read;
pub use self::priority::lower_priority;
use super::{Form, Listing, Progress, Table, TableBuilder, TableSchema};
use crate::{
    batch::{Column, Type},
    budget::{Budget, Kind, OverBudget, Reserved, available_memory},
    cancel::Cancel,
    files::{Batch, Checksum, DataFile, Format, Refusals, Room, Target, read_text},
    problem::Problems,
};

/// How tables are loaded.
#[derive(Clone)]
pub struct Loader<'a> {
    /// Threads that read files.
    pub threads: NonZero<usize>,
    /// What tables' memory is taken from.
    pub budget: Budget,
    /// Looked at between batches.
    pub cancel: Cancel,
    pub progress: &'a dyn Progress,
}

/// A file of rows.
struct DataSource {
    name: String,
    file: DataFile,
    path: PathBuf,
    /// What `table.json` says that it must be.
    listed: Option<Checksum>,
}

impl<'a> Loader<'a> {
    /// Loads on one thread, in the order of the files, and at most what the machine's memory holds.
    pub fn new(progress: &'a dyn Progress) -> Self {
        let (budget, cancel) = (Budget::new(available_memory()), Cancel::new());
        Self { threads: NonZero::<usize>::MIN, budget, cancel, progress }
    }

    /// Loads a table from its folder. Each problem names the file, and where it applies the row, counted from 0 in each
    /// file, and the column. A table that the budget has no room for is rejected before memory is taken for it.
    pub fn load(&self, folder: &Path) -> Result<Table, Problems> {
        let (schema, listing) = read_schema(folder)?;
        let targets = targets(&schema);
        let sources = open_files(folder, &targets, listing.as_ref())?;
        let mut room = self.reserve(&schema, &sources, &targets)?;
        let rooms = &room.rooms;
        let mut builder = TableBuilder::with_room(schema, rows_of(&sources), rooms)?;
        builder.name_sources(sources.iter().map(|source| source.name.clone()).collect());
        let mut over = Ok(());
        lanes::read(&sources, &targets, self.threads, &self.cancel, |read| {
            over = self.take(read, &targets, &mut builder, &mut room);
            if over.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        self.cancel.check()?;
        over?;
        let mut table = builder.finish()?;
        room.table.settle(table.memory() as u64);
        table.reserved = Some(Arc::new(room.table));
        Ok(table)
    }

    /// Reserves memory for the table and for what its lanes hold.
    fn reserve(
        &self,
        schema: &TableSchema,
        sources: &[DataSource],
        targets: &[Target],
    ) -> Result<Reservation, OverBudget> {
        let what = format!("table {} {}", schema.name, schema.version);
        let rows = rows_of(sources);
        let values = &targets[schema.key.len()..];
        let rooms: Vec<Room> = values.iter().map(|target| room_of(sources, target)).collect();
        let bytes = size::estimate(schema, rows, &rooms);
        self.progress.begin(&what, rows, sources.iter().map(|source| source.file.bytes()).sum());
        let table = self.budget.reserve(Kind::Tables, &what, bytes)?;
        let of_lane = sources.iter().map(|source| source.file.largest_batch()).max().unwrap_or(0);
        let of_lanes =
            of_lane.saturating_add(LANE_BYTES.min(bytes)).saturating_mul(self.threads.get() as u64);
        let lanes = self.budget.reserve(Kind::Loading, format!("loading {what}"), of_lanes)?;
        let index = size::index(rows);
        Ok(Reservation { table, _lanes: lanes, rooms, index })
    }

    fn take(
        &self,
        read: Read,
        targets: &[Target],
        builder: &mut TableBuilder,
        room: &mut Reservation,
    ) -> Result<(), OverBudget> {
        let Read { source, first_row, batch } = read;
        match batch {
            Ok(None) => {}
            Ok(Some(batch)) => {
                builder.begin(source, first_row);
                append(&batch, targets, builder);
                self.progress.add(batch.rows as u64, batch.bytes);
                room.table.grow_to(builder.memory() as u64 + room.index)?;
            }
            Err(why) => builder.refuse_source(source, why),
        }
        Ok(())
    }
}

/// Memory that is reserved while a table is loaded.
struct Reservation {
    table: Reserved,
    _lanes: Reserved,
    /// One for each column of values.
    rooms: Vec<Room>,
    /// Bytes of the index to come.
    index: u64,
}

/// Bytes that a lane's batches take, in the file's form and in ours.
const LANE_BYTES: u64 = 16 << 20;

fn rows_of(sources: &[DataSource]) -> u64 {
    sources.iter().fold(0, |rows, source| rows.saturating_add(source.file.rows()))
}

fn room_of(sources: &[DataSource], target: &Target) -> Room {
    sources.iter().map(|source| source.file.room(target)).fold(Room::default(), |sum, room| Room {
        elements: sum.elements.saturating_add(room.elements),
        text_bytes: sum.text_bytes.saturating_add(room.text_bytes),
    })
}

impl Table {
    /// Loads a table as [`Loader::new`] does.
    pub fn load(folder: &Path, progress: &dyn Progress) -> Result<Self, Problems> {
        Loader::new(progress).load(folder)
    }
}

/// The schema and the first rows, at most `rows`: the key's columns, then those of values.
pub fn head(folder: &Path, rows: usize) -> Result<(TableSchema, Vec<Column>), Problems> {
    let (schema, _) = read_schema(folder)?;
    let targets = targets(&schema);
    let mut columns: Vec<Column> = targets.iter().map(|target| Column::new(target.of)).collect();
    let mut refusals = Refusals::default();
    for DataSource { name, file, .. } in &open_files(folder, &targets, None)? {
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

fn read_schema(folder: &Path) -> Result<(TableSchema, Option<Listing>), Problems> {
    let text = read_text(&folder.join("table.json")).map_err(|why| Problems::one("", why));
    text.and_then(|text| TableSchema::with_listing(&text)).map_err(|found| found.in_file("table.json"))
}

/// The key's columns, then those of values.
fn targets(schema: &TableSchema) -> Vec<Target> {
    let keys = schema.key.iter().map(|key| Target::new(&key.name, Type::scalar(key.element), key.stored()));
    let columns = schema.columns.iter().map(|column| Target {
        compact: column.form == Some(Form::Float32),
        ..Target::new(&column.name, column.of, column.stored)
    });
    keys.chain(columns).collect()
}

/// Opens every file of rows and checks its columns, so that a table of wrong files is rejected before the long work.
fn open_files(
    folder: &Path,
    targets: &[Target],
    listing: Option<&Listing>,
) -> Result<Vec<DataSource>, Problems> {
    let mut refusals = Refusals::default();
    let mut sources = Vec::new();
    for path in list_files(folder)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let listed = listing.and_then(|listing| listing.get(&name)).cloned();
        if listing.is_some() && listed.is_none() {
            refusals.add(|| name.clone(), || "is not among the files that table.json lists".to_owned());
        }
        match DataFile::open(&path) {
            Ok(file) => {
                for target in targets {
                    let place = || format!("{name}, column {}", target.name);
                    file.check(target).unwrap_or_else(|why| refusals.add(place, || why));
                }
                sources.push(DataSource { name, file, path, listed });
            }
            Err(why) => refusals.add(|| name, || why),
        }
    }
    for name in listing.into_iter().flat_map(Listing::keys) {
        if !folder.join(name).exists() || !is_of_rows(Path::new(name)) {
            refusals
                .add(|| name.clone(), || "is listed in table.json and is no file of rows here".to_owned());
        }
    }
    if sources.is_empty() && refusals.is_empty() {
        refusals.add(String::new, || NO_FILES.to_owned());
    }
    refusals.or(sources)
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

fn append(batch: &Batch, targets: &[Target], builder: &mut TableBuilder) {
    for (target, misfits) in targets.iter().zip(&batch.misfits) {
        builder.refuse_all(&target.name, misfits);
    }
    let (keys, columns) = batch.columns.split_at(builder.key_columns());
    builder.append(keys, columns);
}

#[cfg(test)]
mod tests;
