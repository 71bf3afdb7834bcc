//! Builds a table from batches of columns.

use std::sync::Arc;

use super::{
    Delta, Table, column_builder::ColumnBuilder, index::Index, keys::KeyStore, next_id,
    row_number::RowNumber, schema::TableSchema,
};
use crate::{
    batch::{Column, Mark, Type, Values},
    files::{Misfits, Refusals, Room},
    problem::Problems,
};

/// The most rows of a table.
pub const ROW_LIMIT: u64 = RowNumber::LIMIT as u64;

/// Takes a table's rows batch by batch, then makes the table. Problems are collected and reported at the end.
#[derive(Debug)]
pub struct TableBuilder {
    schema: TableSchema,
    keys: KeyStore,
    columns: Vec<ColumnBuilder>,
    /// Rows that there is room for, and rows that came.
    capacity: usize,
    rows: usize,
    sources: Sources,
    refusals: Refusals,
}

/// The files that rows came from.
#[derive(Debug, Default)]
struct Sources {
    names: Vec<String>,
    /// In the order of the table's rows.
    runs: Vec<Run>,
}

/// Rows that follow each other in a file as in the table, up to the next run.
#[derive(Debug)]
struct Run {
    first_row: usize,
    /// The position of its file's name.
    source: usize,
    /// The first row's number in the file.
    row_in_source: usize,
}

impl TableBuilder {
    /// Starts a table of exactly `rows` rows.
    pub fn new(schema: TableSchema, rows: u64) -> Result<Self, Problems> {
        let rooms = vec![Room::default(); schema.columns.len()];
        Self::with_room(schema, rows, &rooms)
    }

    /// The same with room for the texts and lists' elements that each column is known to have.
    pub fn with_room(schema: TableSchema, rows: u64, rooms: &[Room]) -> Result<Self, Problems> {
        if rows > ROW_LIMIT {
            return Err(Problems::one("", format!("{rows} rows, a table has at most {ROW_LIMIT}")));
        }
        let capacity = rows as usize;
        let keys = KeyStore::new(&schema.key, capacity);
        let columns = schema.columns.iter().zip(rooms);
        let columns = columns.map(|(column, room)| ColumnBuilder::new(column, capacity, *room)).collect();
        let (sources, refusals) = (Sources::default(), Refusals::default());
        Ok(Self { schema, keys, columns, capacity, rows: 0, sources, refusals })
    }

    /// Names the files that rows come from.
    pub fn name_sources(&mut self, names: Vec<String>) {
        self.sources.names = names;
    }

    /// Notes that the following rows are those of a file, named at position `source`, from its row `row` on.
    pub fn begin(&mut self, source: usize, row: u64) {
        self.sources.begin(self.rows, source, row as usize);
    }

    /// Bytes in memory so far, without the index.
    pub fn memory(&self) -> usize {
        self.keys.memory() + self.columns.iter().map(ColumnBuilder::memory).sum::<usize>()
    }

    /// Appends rows: `keys` and `columns` as many and of the types that the schema says, all of one length. Floats are
    /// rounded to their stored width.
    pub fn append(&mut self, keys: &[Column], columns: &[Column]) {
        let rows = keys.first().map_or(0, Column::rows);
        if let Err(problems) = self.check(keys, columns, rows) {
            let place = self.place(self.rows, "");
            self.refusals.add_all(&place, &problems);
            return;
        }
        self.refuse_null_keys(keys);
        self.append_keys(keys);
        for (position, column) in columns.iter().enumerate() {
            self.append_column(position, column);
        }
        self.rows += rows;
    }

    /// Notes a problem of row `row` of those that `append` would take next.
    pub fn refuse(&mut self, row: usize, column: &str, why: String) {
        let (refusals, sources, row) = (&mut self.refusals, &self.sources, self.rows + row);
        refusals.add(|| sources.place(row, column), || why);
    }

    /// Notes the values of the rows that `append` takes next which are not exact in a column's type.
    pub fn refuse_all(&mut self, column: &str, misfits: &Misfits) {
        let (sources, first) = (&self.sources, self.rows);
        misfits.refuse("quiver table import --lossy", &mut self.refusals, |row| {
            sources.place(first + row, column)
        });
    }

    /// Notes that the file named at position `source` can't be read to its end.
    pub fn refuse_source(&mut self, source: usize, why: String) {
        self.refusals.add(|| self.sources.names[source].clone(), || why);
    }

    /// How many columns the key has.
    pub fn key_columns(&self) -> usize {
        self.schema.key.len()
    }

    /// Indexes the keys and gives the table, or everything that was wrong.
    pub fn finish(mut self) -> Result<Table, Problems> {
        if self.rows != self.capacity && self.refusals.is_empty() {
            let (rows, capacity) = (self.rows, self.capacity);
            self.refusals.add(String::new, || format!("{capacity} rows were announced, {rows} came"));
        }
        if !self.refusals.is_empty() {
            return self.refusals.or(()).and(Err(Problems::none()));
        }
        self.keys.finish();
        let index = self.index();
        let columns = self.columns.into_iter().map(ColumnBuilder::finish).collect();
        let rows = self.rows as u32;
        self.refusals.or(Table {
            schema: Arc::new(self.schema),
            keys: Arc::new(self.keys),
            index: Arc::new(index),
            columns,
            rows,
            delta: Delta::default(),
            reserved: None,
            id: next_id(),
        })
    }

    fn index(&mut self) -> Index {
        let Self { keys, schema, sources, refusals, rows, .. } = self;
        let duplicate = |earlier: u32, later: u32| {
            let (earlier, later) = sources.in_order(earlier as usize, later as usize);
            let why = || {
                let key = keys.describe(&schema.key, later);
                format!("the key {key} is there already: {}", sources.place(earlier, ""))
            };
            refusals.add(|| sources.place(later, ""), why);
        };
        let rows = *rows as u32;
        match keys.own_integers() {
            Some(integers) => Index::build(rows, &integers, duplicate),
            None => Index::build(rows, &keys.own(), duplicate),
        }
    }

    fn append_keys(&mut self, keys: &[Column]) {
        let (refusals, sources, first) = (&mut self.refusals, &self.sources, self.rows);
        let schema = &self.schema.key;
        self.keys.append(keys, &mut |column, row| {
            let why = || "a key's string must be shorter than 16 MiB".to_owned();
            refusals.add(|| sources.place(first + row, &schema[column].name), why);
        });
    }

    fn append_column(&mut self, position: usize, column: &Column) {
        let (refusals, sources, first) = (&mut self.refusals, &self.sources, self.rows);
        let name = &self.schema.columns[position].name;
        let mut refuse = |row: usize, why: String| refusals.add(|| sources.place(first + row, name), || why);
        self.columns[position].append(column, &mut refuse);
    }

    fn refuse_null_keys(&mut self, keys: &[Column]) {
        for (position, column) in keys.iter().enumerate() {
            let name = self.schema.key[position].name.clone();
            for (row, _) in column.marks.iter().enumerate().filter(|(_, mark)| mark.is_null()) {
                self.refuse(row, &name, "null in a key".to_owned());
            }
        }
    }

    /// Whether the columns are what the schema says; else nothing of them can be stored.
    fn check(&self, keys: &[Column], columns: &[Column], rows: usize) -> Result<(), Problems> {
        let mut problems = Problems::none();
        let counts = [
            ("key columns", self.schema.key.len(), keys.len()),
            ("columns", self.columns.len(), columns.len()),
        ];
        for (kind, wanted, got) in counts {
            if wanted != got {
                problems.add("", format!("{wanted} {kind} are wanted, {got} came"));
            }
        }
        let key_types = self.schema.key.iter().map(|key| (&key.name, Type::scalar(key.element)));
        let types = self.schema.columns.iter().map(|column| (&column.name, column.of));
        for ((name, of), column) in key_types.zip(keys).chain(types.zip(columns)) {
            if let Some(why) = misfit(column, of, rows) {
                problems.add(name.clone(), why);
            }
        }
        if self.rows + rows > self.capacity {
            problems.add("", format!("more rows than the {} that were announced", self.capacity));
        }
        problems.or(())
    }

    fn place(&self, row: usize, column: &str) -> String {
        self.sources.place(row, column)
    }
}

/// Why a column is not `rows` rows of type `of`.
fn misfit(column: &Column, of: Type, rows: usize) -> Option<String> {
    let model = Column::new(of);
    let is_compact = of.width.is_some() && matches!(column.values, Values::Float32(_));
    if std::mem::discriminant(&model.values) != std::mem::discriminant(&column.values) && !is_compact
        || model.list.is_some() != column.list.is_some()
    {
        return Some(format!("must be {of}"));
    }
    if column.rows() != rows {
        return Some(format!("has {} rows, the first key column has {rows}", column.rows()));
    }
    let values = match &column.list {
        None => rows,
        Some(list) => match list.offsets[..] {
            [0, .., end] if list.offsets.len() == rows + 1 && list.offsets.is_sorted() => end as usize,
            [0] if rows == 0 => 0,
            _ => {
                return Some(
                    "list offsets must begin with 0 and rise, one more than there are rows".to_owned(),
                );
            }
        },
    };
    let (elements, marks) = (elements(&column.values), column.marks.len());
    let right = marks == values && elements == values * of.lanes();
    (!right).then(|| format!("{elements} elements and {marks} marks for {values} values"))
}

fn elements(values: &Values) -> usize {
    match values {
        Values::Float64(values) => values.len(),
        Values::Int64(values) => values.len(),
        Values::Uint64(values) => values.len(),
        Values::Bool(values) => values.len(),
        Values::String(values) => values.len(),
        Values::OneHot(slots) => slots.len(),
        Values::Sparse(vectors) => vectors.len(),
        Values::Float32(values) => values.len(),
    }
}

impl Sources {
    fn begin(&mut self, first_row: usize, source: usize, row_in_source: usize) {
        let goes_on = |run: &Run| {
            run.source == source && run.row_in_source + (first_row - run.first_row) == row_in_source
        };
        if !self.runs.last().is_some_and(goes_on) {
            self.runs.push(Run { first_row, source, row_in_source });
        }
    }

    /// The file's position and the row's number in it; none where no file was named.
    fn find(&self, row: usize) -> Option<(usize, usize)> {
        let run = self.runs.partition_point(|run| run.first_row <= row).checked_sub(1)?;
        let run = &self.runs[run];
        Some((run.source, run.row_in_source + row - run.first_row))
    }

    /// Two rows of the table in the order of the files.
    fn in_order(&self, row: usize, other: usize) -> (usize, usize) {
        if self.find(row) <= self.find(other) { (row, other) } else { (other, row) }
    }

    /// Where a row came from: its file and its number there, and the column where there is one.
    fn place(&self, row: usize, column: &str) -> String {
        let (file, row) = match self.find(row) {
            Some((source, row)) => (format!("{}, ", self.names[source]), row),
            None => (String::new(), row),
        };
        let column = if column.is_empty() { String::new() } else { format!(", column {column}") };
        format!("{file}row {row}{column}")
    }
}

/// Whether a row's key has a null, and what is behind it.
pub fn join_marks(keys: &[&Column], position: usize) -> Mark {
    let of = |column: &Column| if column.marks.len() == 1 { column.marks[0] } else { column.marks[position] };
    keys.iter().fold(Mark::PRESENT, |mark, column| mark | of(column))
}
