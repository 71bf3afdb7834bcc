//! An Arrow IPC file or stream. Its messages' heads are looked at before anything is read: what they claim must fit into
//! the file.

mod heads;

use std::{
    fs::File,
    io::{BufReader, Read},
    path::{Path, PathBuf},
};

use arrow_ipc::reader::{FileReader, StreamReader};
use arrow_schema::SchemaRef;

use self::heads::Heads;
use super::{Batches, Part, Room, guarded, open, text};

/// What an Arrow IPC file begins with; a stream does not.
const FILE_MAGIC: &[u8] = b"ARROW1";

/// What the format before Arrow IPC begins with.
const FEATHER_1_MAGIC: &[u8] = b"FEA1";

/// The most parts that a file is read in: each reads the footer and all dictionaries again.
const PARTS: usize = 64;

/// An Arrow IPC file or stream and what its messages' heads say.
#[derive(Debug)]
pub struct Ipc {
    path: PathBuf,
    is_file: bool,
    schema: SchemaRef,
    heads: Heads,
}

impl Ipc {
    /// Reads the schema and the messages' heads.
    pub fn open(path: &Path) -> Result<Self, String> {
        let is_file = is_file(path)?;
        let (schema, heads) = guarded(|| {
            let mut reader = buffered(path)?;
            if is_file {
                let heads = Heads::of_file(&mut reader)?;
                Ok((FileReader::try_new(buffered(path)?, None).map_err(text)?.schema(), heads))
            } else {
                let heads = Heads::of_stream(&mut reader)?;
                Ok((StreamReader::try_new(buffered(path)?, None).map_err(text)?.schema(), heads))
            }
        })?;
        Ok(Self { path: path.to_owned(), is_file, schema, heads })
    }

    pub fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    /// The rows of each record batch.
    pub fn rows(&self) -> impl Iterator<Item = u64> {
        self.heads.batches.iter().map(|batch| batch.rows)
    }

    /// Some record batches each; a stream has no other beginning than its own.
    pub fn parts(&self) -> Vec<(Part, u64)> {
        let rows = |batches: &[heads::Batch]| batches.iter().map(|batch| batch.rows).sum();
        let batches = &self.heads.batches;
        if !self.is_file {
            return vec![(Part::Whole, rows(batches))];
        }
        let step = batches.len().div_ceil(PARTS).max(1);
        let parts = batches.chunks(step).enumerate();
        parts
            .map(|(part, batches)| (Part::Batches(part * step..part * step + batches.len()), rows(batches)))
            .collect()
    }

    /// The columns `fields` of some record batches, or of all.
    pub fn batches(&self, part: &Part, fields: Vec<usize>) -> Result<Batches, String> {
        let fields = Some(fields);
        if !self.is_file {
            let reader = guarded(|| StreamReader::try_new(buffered(&self.path)?, fields).map_err(text))?;
            return Ok(Batches::of(reader));
        }
        let mut reader = guarded(|| FileReader::try_new(buffered(&self.path)?, fields).map_err(text))?;
        let Part::Batches(batches) = part else { return Ok(Batches::of(reader)) };
        if !batches.is_empty() {
            guarded(|| reader.set_index(batches.start).map_err(text))?;
        }
        Ok(Batches::of(reader.take(batches.len())))
    }

    /// The elements that the heads state for a column of lists.
    pub fn room(&self, field: usize) -> Room {
        Room { elements: self.heads.elements(&self.schema, field), text_bytes: 0 }
    }

    /// The most bytes of a record batch with its compressed form.
    pub fn largest_batch(&self) -> u64 {
        self.heads.batches.iter().map(|batch| batch.bytes).max().unwrap_or(0)
    }
}

fn is_file(path: &Path) -> Result<bool, String> {
    let mut start = Vec::new();
    open(path)?.take(FILE_MAGIC.len() as u64).read_to_end(&mut start).map_err(text)?;
    if start.starts_with(FEATHER_1_MAGIC) {
        return Err("is Feather of version 1; write it again with version 2, which is Arrow IPC".to_owned());
    }
    Ok(start == FILE_MAGIC)
}

fn buffered(path: &Path) -> Result<BufReader<File>, String> {
    open(path).map(BufReader::new)
}
