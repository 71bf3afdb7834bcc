//! Files of any format as batches of columns, those that folders are named for included.

use super::{
    Batch, DataFile, Format, Found, Misfits, NamedArray, Natural, Target,
    csv::{CsvFile, CsvRows, repeated},
    format::Partition,
    source::Kind,
};
use crate::batch::Column;

/// A file of any format that rows are read from.
#[derive(Debug)]
pub struct RowFile {
    body: Body,
    partitions: Vec<Partition>,
}

#[derive(Debug)]
enum Body {
    Typed(DataFile),
    Csv(CsvFile),
}

impl RowFile {
    /// Opens a file, or reports why it can't be read.
    pub fn open(found: &Found) -> Result<Self, String> {
        let body = match found.format {
            Format::Parquet => Body::Typed(DataFile::open_as(&found.path, Kind::Parquet)?),
            Format::Arrow => Body::Typed(DataFile::open_as(&found.path, Kind::Ipc)?),
            Format::Csv => Body::Csv(CsvFile::open(&found.path, &found.dialect)?),
        };
        Ok(Self { body, partitions: found.partitions.clone() })
    }

    /// Arrays of as many rows as the columns of a file.
    pub fn of_arrays(arrays: Vec<NamedArray>) -> Result<Self, String> {
        Ok(Self { body: Body::Typed(DataFile::of_arrays(arrays)?), partitions: Vec::new() })
    }

    /// The columns by name, each with what the file states about its type; those that folders are named for are last.
    pub fn columns(&self) -> Vec<(String, Result<Natural, String>)> {
        let mut columns: Vec<_> = match &self.body {
            Body::Typed(file) => {
                let fields = file.schema.fields().iter();
                fields.map(|field| (field.name().clone(), Natural::of(field.data_type()))).collect()
            }
            Body::Csv(file) => file.names().iter().map(|name| (name.clone(), Ok(Natural::Text))).collect(),
        };
        for partition in &self.partitions {
            if !columns.iter().any(|(name, _)| *name == partition.name) {
                columns.push((partition.name.clone(), Ok(Natural::Text)));
            }
        }
        columns
    }

    /// The file's size in bytes.
    pub fn bytes(&self) -> u64 {
        match &self.body {
            Body::Typed(file) => file.bytes,
            Body::Csv(file) => file.bytes(),
        }
    }

    /// Whether there is a column of this name.
    pub fn has(&self, column: &str) -> bool {
        self.is_inside(column) || self.partition(column).is_some()
    }

    /// Whether the file has the target's column, and in a type that may lose nothing.
    pub fn check(&self, target: &Target) -> Result<(), String> {
        if !self.is_inside(&target.name) && self.partition(&target.name).is_some() {
            let scalar = !target.of.list && target.of.width.is_none();
            return if scalar { Ok(()) } else { Err("is a folder's name, which is no list".to_owned()) };
        }
        match &self.body {
            Body::Typed(file) => file.check(target),
            Body::Csv(file) => file.check(target),
        }
    }

    /// The columns of `targets`, each of which was checked, in batches of at most `rows` rows.
    pub fn batches(&self, targets: &[Target], rows: usize) -> Result<RowBatches, String> {
        let (inside, outside): (Vec<_>, Vec<_>) =
            targets.iter().cloned().enumerate().partition(|(_, target)| self.is_inside(&target.name));
        let inside = inside.into_iter().map(|(_, target)| target).collect();
        let body = match &self.body {
            Body::Typed(file) => BodyBatches::Typed(Box::new(file.batches(inside, rows)?)),
            Body::Csv(file) => BodyBatches::Csv(Box::new(file.batches(inside, rows)?)),
        };
        let outside = outside.into_iter().map(|(position, target)| {
            let value = self.partition(&target.name).and_then(|partition| partition.value.clone());
            Outside { position, target, value }
        });
        Ok(RowBatches { body, outside: outside.collect() })
    }

    fn is_inside(&self, column: &str) -> bool {
        match &self.body {
            Body::Typed(file) => file.column_type(column).is_some(),
            Body::Csv(file) => file.names().iter().any(|name| name == column),
        }
    }

    /// The innermost folder of this name.
    fn partition(&self, column: &str) -> Option<&Partition> {
        self.partitions.iter().rev().find(|partition| partition.name == column)
    }
}

/// The batches of a file of any format; an error is the last.
#[derive(Debug)]
pub struct RowBatches {
    body: BodyBatches,
    outside: Vec<Outside>,
}

#[derive(Debug)]
enum BodyBatches {
    Typed(Box<super::DataBatches>),
    Csv(Box<CsvRows>),
}

/// A target that a folder is named for, and its place among the targets.
#[derive(Debug)]
struct Outside {
    position: usize,
    target: Target,
    value: Option<String>,
}

impl Iterator for RowBatches {
    type Item = Result<Batch, String>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = match &mut self.body {
            BodyBatches::Typed(batches) => batches.next()?,
            BodyBatches::Csv(rows) => rows.next()?,
        };
        Some(batch.map(|mut batch| {
            for outside in &self.outside {
                let (column, misfits): (Column, Misfits) =
                    repeated(outside.value.as_deref(), batch.rows, &outside.target);
                batch.columns.insert(outside.position, column);
                batch.misfits.insert(outside.position, misfits);
            }
            batch
        }))
    }
}
