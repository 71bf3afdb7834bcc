//! The two formats as a head (schema and number of rows) and a sequence of record batches.

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

/// What an Arrow IPC file begins with; a stream does not.
const FILE_MAGIC: &[u8] = b"ARROW1";

/// What an Arrow IPC stream ends with.
const END_OF_STREAM: [u8; 8] = [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];

/// A file and how to read it.
#[derive(Debug)]
pub struct Source {
    pub file: PathBuf,
    pub format: Format,
}

/// The format that a file's name states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Parquet,
    /// Arrow IPC, file or stream.
    Ipc,
}

/// Takes a batch, or tells why reading must end.
type Each<'a> = &'a mut dyn FnMut(RecordBatch) -> Result<(), String>;

impl Format {
    /// The format of files of this name.
    pub fn of(file: &Path) -> Option<Self> {
        match file.extension()?.to_str()? {
            "parquet" => Some(Self::Parquet),
            "arrow" => Some(Self::Ipc),
            _ => None,
        }
    }
}

impl Source {
    /// The schema and the number of rows.
    pub fn head(&self) -> Result<(SchemaRef, u64), String> {
        match self.format {
            Format::Parquet => {
                let reader =
                    guarded(|| ParquetRecordBatchReaderBuilder::try_new(self.open()?).map_err(text))?;
                let rows = reader.metadata().file_metadata().num_rows();
                Ok((reader.schema().clone(), u64::try_from(rows).map_err(|_| "states a negative size")?))
            }
            Format::Ipc => self.ipc_head(),
        }
    }

    /// Gives the root columns `fields` batch by batch, of at most `rows` rows where the format allows it.
    pub fn batches(&self, fields: &[usize], rows: usize, each: Each<'_>) -> Result<(), String> {
        match self.format {
            Format::Parquet => {
                let reader = guarded(|| {
                    let builder = ParquetRecordBatchReaderBuilder::try_new(self.open()?).map_err(text)?;
                    let mask = ProjectionMask::roots(builder.parquet_schema(), fields.iter().copied());
                    builder.with_projection(mask).with_batch_size(rows).build().map_err(text)
                })?;
                drain(reader, each)
            }
            Format::Ipc => self.ipc_batches(fields.to_vec(), each),
        }
    }

    /// Reads the whole file once: an IPC file states its rows batch by batch only. Without columns this is quick.
    fn ipc_head(&self) -> Result<(SchemaRef, u64), String> {
        let schema = if self.is_ipc_file()? {
            guarded(|| FileReader::try_new(self.buffered()?, None).map_err(text))?.schema()
        } else {
            self.check_end_of_stream()?;
            guarded(|| StreamReader::try_new(self.buffered()?, None).map_err(text))?.schema()
        };
        let mut rows = 0;
        self.ipc_batches(Vec::new(), &mut |batch| {
            rows += batch.num_rows() as u64;
            Ok(())
        })?;
        Ok((schema, rows))
    }

    fn ipc_batches(&self, fields: Vec<usize>, each: Each<'_>) -> Result<(), String> {
        let fields = Some(fields);
        if self.is_ipc_file()? {
            drain(guarded(|| FileReader::try_new(self.buffered()?, fields).map_err(text))?, each)
        } else {
            drain(guarded(|| StreamReader::try_new(self.buffered()?, fields).map_err(text))?, each)
        }
    }

    fn is_ipc_file(&self) -> Result<bool, String> {
        let mut start = Vec::new();
        self.open()?.take(FILE_MAGIC.len() as u64).read_to_end(&mut start).map_err(text)?;
        Ok(start == FILE_MAGIC)
    }

    /// A stream that was cut between two batches reads well without this.
    fn check_end_of_stream(&self) -> Result<(), String> {
        let mut file = self.open()?;
        let mut end = [0; END_OF_STREAM.len()];
        let read = file.seek(SeekFrom::End(-(end.len() as i64))).and_then(|_| file.read_exact(&mut end));
        if read.is_ok() && end == END_OF_STREAM {
            Ok(())
        } else {
            Err("ends without Arrow's end-of-stream mark: it is truncated or not Arrow IPC".to_owned())
        }
    }

    fn open(&self) -> Result<File, String> {
        File::open(&self.file).map_err(text)
    }

    fn buffered(&self) -> Result<BufReader<File>, String> {
        self.open().map(BufReader::new)
    }
}

fn drain(
    mut reader: impl Iterator<Item = Result<RecordBatch, ArrowError>>,
    each: Each<'_>,
) -> Result<(), String> {
    while let Some(batch) = guarded(|| reader.next().transpose().map_err(text))? {
        each(batch)?;
    }
    Ok(())
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
