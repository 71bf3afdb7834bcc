//! Files of arrays side by side, `.npy` and safetensors: one column for each array, read by rows.

mod ids;
mod npy;
mod raw;
mod safetensors;

use std::{path::Path, sync::Arc};

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::{ArrowError, Field, Schema, SchemaRef};

pub use ids::ids;
use raw::RawArray;

/// A named array of one element or one vector for each row.
#[derive(Debug, Clone)]
pub struct NamedArray {
    pub name: String,
    content: Content,
}

#[derive(Debug, Clone)]
enum Content {
    /// In a file, as bytes.
    Raw(RawArray),
    /// In memory.
    Held(ArrayRef),
}

/// The arrays of a `.npy` or safetensors file; an `.npy` is named like its file.
pub fn open(file: &Path) -> Result<Vec<NamedArray>, String> {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let raw = match file.extension().and_then(|ending| ending.to_str()) {
        Some("npy") => vec![(stem, npy::open(file)?)],
        Some("safetensors") => safetensors::open(file)?,
        _ => return Err("must be named *.npy or *.safetensors".to_owned()),
    };
    Ok(raw.into_iter().map(|(name, array)| NamedArray { name, content: Content::Raw(array) }).collect())
}

impl NamedArray {
    /// The number of rows.
    pub fn rows(&self) -> u64 {
        match &self.content {
            Content::Raw(array) => array.rows,
            Content::Held(array) => array.len() as u64,
        }
    }

    /// Bytes in its file.
    pub fn bytes(&self) -> u64 {
        match &self.content {
            Content::Raw(array) => array.rows * array.row_bytes(),
            Content::Held(_) => 0,
        }
    }

    fn field(&self) -> Field {
        let data = match &self.content {
            Content::Raw(array) => array.data_type(),
            Content::Held(array) => array.data_type().clone(),
        };
        Field::new(&self.name, data, true)
    }

    fn read(&self, first: u64, rows: usize) -> Result<ArrayRef, ArrowError> {
        match &self.content {
            Content::Raw(array) => array.read(first, rows),
            Content::Held(array) => Ok(array.slice(first as usize, rows)),
        }
    }
}

/// Arrays of as many rows, as columns.
#[derive(Debug, Clone)]
pub struct Arrays(pub Vec<NamedArray>);

impl Arrays {
    /// The schema and the number of rows, or what does not fit together.
    pub fn head(&self) -> Result<(SchemaRef, u64), String> {
        let rows = self.0.first().map_or(0, NamedArray::rows);
        if let Some(other) = self.0.iter().find(|array| array.rows() != rows) {
            let (first, name, others) = (&self.0[0].name, &other.name, other.rows());
            return Err(format!(
                "{first} has {rows} rows and {name} has {others}; each row needs one of both"
            ));
        }
        Ok((Arc::new(Schema::new(self.0.iter().map(NamedArray::field).collect::<Vec<_>>())), rows))
    }

    /// The arrays at `fields` in batches of at most `rows` rows.
    pub fn batches(&self, fields: &[usize], rows: usize) -> ArrayBatches {
        let total = self.0.first().map_or(0, NamedArray::rows);
        let arrays: Vec<NamedArray> = fields.iter().map(|&field| self.0[field].clone()).collect();
        let schema = Arc::new(Schema::new(arrays.iter().map(NamedArray::field).collect::<Vec<_>>()));
        ArrayBatches { arrays, schema, next: 0, total, rows: rows.max(1) }
    }
}

/// The batches of arrays.
#[derive(Debug)]
pub struct ArrayBatches {
    arrays: Vec<NamedArray>,
    schema: SchemaRef,
    next: u64,
    total: u64,
    rows: usize,
}

impl Iterator for ArrayBatches {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rows = (self.total - self.next).min(self.rows as u64) as usize;
        if rows == 0 {
            return None;
        }
        let columns = self.arrays.iter().map(|array| array.read(self.next, rows)).collect::<Result<_, _>>();
        self.next += rows as u64;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Some(
            columns.and_then(|columns| {
                RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)
            }),
        )
    }
}

#[cfg(test)]
mod tests;
