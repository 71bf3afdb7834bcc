//! Parquet and Arrow IPC as a head (schema and number of rows) and a sequence of record batches.

use std::{
    fs::File,
    io::{BufReader, Read, Seek, SeekFrom},
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

use arrow_array::RecordBatch;
use arrow_ipc::reader::{FileReader, StreamReader};
use arrow_schema::{ArrowError, SchemaRef};
use parquet::arrow::{ProjectionMask, arrow_reader::ParquetRecordBatchReaderBuilder};

use super::{arrays::Arrays, regular};

/// What an Arrow IPC file begins with; a stream does not.
const FILE_MAGIC: &[u8] = b"ARROW1";

/// What the format before Arrow IPC begins with.
const FEATHER_1_MAGIC: &[u8] = b"FEA1";

/// What an Arrow IPC stream ends with.
const END_OF_STREAM: [u8; 8] = [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];

/// Where record batches come from.
#[derive(Debug)]
pub enum Source {
    File { path: PathBuf, kind: Kind },
    Arrays(Arrays),
}

/// Which of the two it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Parquet,
    /// Arrow IPC, file or stream.
    Ipc,
}

/// The batches of a file in order; an error is the last.
pub struct Batches {
    reader: Option<Box<dyn Reader>>,
}

trait Reader: Iterator<Item = Result<RecordBatch, ArrowError>> {}

impl<T: Iterator<Item = Result<RecordBatch, ArrowError>>> Reader for T {}

/// An Arrow IPC file.
struct Ipc<'a>(&'a Path);

impl Source {
    /// The schema and the number of rows.
    pub fn head(&self) -> Result<(SchemaRef, u64), String> {
        match self {
            Self::File { path, kind: Kind::Parquet } => {
                let reader = guarded(|| ParquetRecordBatchReaderBuilder::try_new(open(path)?).map_err(text))?;
                let rows = reader.metadata().file_metadata().num_rows();
                Ok((reader.schema().clone(), u64::try_from(rows).map_err(|_| "states a negative size")?))
            }
            Self::File { path, kind: Kind::Ipc } => Ipc(path).head(),
            Self::Arrays(arrays) => arrays.head(),
        }
    }

    /// The root columns `fields` batch by batch, of at most `rows` rows where the format allows it.
    pub fn batches(&self, fields: &[usize], rows: usize) -> Result<Batches, String> {
        match self {
            Self::File { path, kind: Kind::Parquet } => {
                let reader = guarded(|| {
                    let builder = ParquetRecordBatchReaderBuilder::try_new(open(path)?).map_err(text)?;
                    let mask = ProjectionMask::roots(builder.parquet_schema(), fields.iter().copied());
                    builder.with_projection(mask).with_batch_size(rows).build().map_err(text)
                })?;
                Ok(Batches::of(reader))
            }
            Self::File { path, kind: Kind::Ipc } => Ipc(path).batches(fields.to_vec()),
            Self::Arrays(arrays) => Ok(Batches::of(arrays.batches(fields, rows))),
        }
    }
}

impl Ipc<'_> {
    /// Reads the whole file once: an IPC file states its rows batch by batch only. Without columns this is quick.
    fn head(&self) -> Result<(SchemaRef, u64), String> {
        let schema = if self.is_ipc_file()? {
            guarded(|| FileReader::try_new(self.buffered()?, None).map_err(text))?.schema()
        } else {
            self.check_end_of_stream()?;
            guarded(|| StreamReader::try_new(self.buffered()?, None).map_err(text))?.schema()
        };
        let mut rows = 0;
        for batch in self.batches(Vec::new())? {
            rows += batch?.num_rows() as u64;
        }
        Ok((schema, rows))
    }

    fn batches(&self, fields: Vec<usize>) -> Result<Batches, String> {
        let fields = Some(fields);
        Ok(if self.is_ipc_file()? {
            Batches::of(guarded(|| FileReader::try_new(self.buffered()?, fields).map_err(text))?)
        } else {
            Batches::of(guarded(|| StreamReader::try_new(self.buffered()?, fields).map_err(text))?)
        })
    }

    fn is_ipc_file(&self) -> Result<bool, String> {
        let mut start = Vec::new();
        open(self.0)?.take(FILE_MAGIC.len() as u64).read_to_end(&mut start).map_err(text)?;
        if start.starts_with(FEATHER_1_MAGIC) {
            return Err(
                "is Feather of version 1; write it again with version 2, which is Arrow IPC".to_owned()
            );
        }
        Ok(start == FILE_MAGIC)
    }

    /// A stream that was cut between two batches reads well without this.
    fn check_end_of_stream(&self) -> Result<(), String> {
        let mut file = open(self.0)?;
        let mut end = [0; END_OF_STREAM.len()];
        let read = file.seek(SeekFrom::End(-(end.len() as i64))).and_then(|_| file.read_exact(&mut end));
        if read.is_ok() && end == END_OF_STREAM {
            Ok(())
        } else {
            Err("ends without Arrow's end-of-stream mark: it is truncated or not Arrow IPC".to_owned())
        }
    }

    fn buffered(&self) -> Result<BufReader<File>, String> {
        open(self.0).map(BufReader::new)
    }
}

fn open(path: &Path) -> Result<File, String> {
    regular::open(path).map_err(text)
}

impl Batches {
    fn of(reader: impl Reader + 'static) -> Self {
        Self { reader: Some(Box::new(reader)) }
    }
}

impl Iterator for Batches {
    type Item = Result<RecordBatch, String>;

    fn next(&mut self) -> Option<Self::Item> {
        let reader = self.reader.as_mut()?;
        let next = guarded(|| reader.next().transpose().map_err(text)).transpose();
        if !matches!(next, Some(Ok(_))) {
            self.reader = None;
        }
        next
    }
}

impl std::fmt::Debug for Batches {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batches").finish_non_exhaustive()
    }
}

/// Runs a reader's step. The format libraries panic on some damaged files; here that is an error like any other, and
/// the reader is not used again.
fn guarded<T>(step: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    let result =
        catch_unwind(AssertUnwindSafe(step)).unwrap_or_else(|_| Err("the reader gave up".to_owned()));
    result.map_err(|why| format!("can't be read, truncated or damaged: {why}"))
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
