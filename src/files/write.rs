//! Writing columns to Parquet and Arrow IPC. A file is written aside and gets its name when it is complete.

mod rows;

use std::{
    collections::HashMap,
    fs::{self, File},
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow_array::{
    Array, ArrayRef, FixedSizeListArray, Float16Array, Float32Array, Float64Array, Int64Array, RecordBatch,
    UInt8Array,
};
use arrow_ipc::writer::FileWriter;
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use half::f16;
use parquet::{arrow::ArrowWriter, basic::Compression, file::properties::WriterProperties};

pub use rows::RowWriter;

use super::Format;

/// Rows of one Parquet row group: what the writer keeps in memory.
const GROUP_ROWS: usize = 1 << 16;

/// A column that is written; its values are never null.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenColumn {
    pub name: String,
    pub of: WrittenType,
    /// Elements of a row's fixed-size list; none for a column of scalars.
    pub width: Option<usize>,
}

/// Types of elements that are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WrittenType {
    Float16,
    Float32,
    Float64,
    Int64,
    Uint8,
}

impl WrittenType {
    /// Bytes of one element.
    pub fn bytes(self) -> usize {
        match self {
            Self::Uint8 => 1,
            Self::Float16 => 2,
            Self::Float32 => 4,
            Self::Float64 | Self::Int64 => 8,
        }
    }
}

/// The elements of some rows of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Cells {
    Float16(Vec<f16>),
    Float32(Vec<f32>),
    Float64(Vec<f64>),
    Int64(Vec<i64>),
    Uint8(Vec<u8>),
}

/// A file in the making. It is removed where it is not finished.
pub struct Writer {
    format: FormatWriter,
    schema: SchemaRef,
    widths: Vec<Option<usize>>,
    aside: Aside,
}

enum FormatWriter {
    Parquet(Box<ArrowWriter<BufWriter<File>>>),
    Arrow(Box<FileWriter<BufWriter<File>>>),
}

/// A file beside the one that it will be.
struct Aside {
    path: PathBuf,
    target: PathBuf,
    named: bool,
}

impl WrittenColumn {
    fn field(&self) -> Field {
        let element = match self.of {
            WrittenType::Float16 => DataType::Float16,
            WrittenType::Float32 => DataType::Float32,
            WrittenType::Float64 => DataType::Float64,
            WrittenType::Int64 => DataType::Int64,
            WrittenType::Uint8 => DataType::UInt8,
        };
        let of = match self.width {
            Some(width) => DataType::FixedSizeList(item(element), i32::try_from(width).unwrap_or(i32::MAX)),
            None => element,
        };
        Field::new(&self.name, of, false)
    }
}

fn item(element: DataType) -> Arc<Field> {
    Arc::new(Field::new_list_field(element, false))
}

impl Cells {
    fn array(self) -> ArrayRef {
        match self {
            Self::Float16(values) => Arc::new(Float16Array::from(values)),
            Self::Float32(values) => Arc::new(Float32Array::from(values)),
            Self::Float64(values) => Arc::new(Float64Array::from(values)),
            Self::Int64(values) => Arc::new(Int64Array::from(values)),
            Self::Uint8(values) => Arc::new(UInt8Array::from(values)),
        }
    }
}

impl Writer {
    /// Starts a file of these columns, with notes about where it comes from in its metadata.
    pub fn create(
        file: &Path,
        format: Format,
        columns: &[WrittenColumn],
        notes: &[(&str, String)],
    ) -> Result<Self, String> {
        let fields: Vec<Field> = columns.iter().map(WrittenColumn::field).collect();
        let notes = notes.iter().map(|(name, note)| ((*name).to_owned(), note.clone()));
        let notes: HashMap<String, String> = notes.collect();
        let schema = Arc::new(Schema::new_with_metadata(fields, notes));
        let aside = Aside::of(file)?;
        let to = BufWriter::new(File::create(&aside.path).map_err(text)?);
        let format = match format {
            Format::Parquet => {
                let writer = ArrowWriter::try_new(to, schema.clone(), Some(properties())).map_err(text)?;
                FormatWriter::Parquet(Box::new(writer))
            }
            Format::Arrow => FormatWriter::Arrow(Box::new(FileWriter::try_new(to, &schema).map_err(text)?)),
            Format::Csv => return Err("tensors are written as Parquet or Arrow, not as CSV".to_owned()),
        };
        let widths = columns.iter().map(|column| column.width).collect();
        Ok(Self { format, schema, widths, aside })
    }

    /// Adds rows: the elements of every column, of the types and widths given at the start.
    pub fn write(&mut self, columns: Vec<Cells>) -> Result<(), String> {
        let arrays = columns.into_iter().zip(&self.widths).map(|(cells, width)| match width {
            Some(width) => fixed_size_list(cells.array(), *width),
            None => Ok(cells.array()),
        });
        let arrays = arrays.collect::<Result<_, _>>()?;
        let batch = RecordBatch::try_new(self.schema.clone(), arrays).map_err(text)?;
        match &mut self.format {
            FormatWriter::Parquet(writer) => writer.write(&batch).map_err(text),
            FormatWriter::Arrow(writer) => writer.write(&batch).map_err(text),
        }
    }

    /// Completes the file and gives it its name.
    pub fn finish(self) -> Result<(), String> {
        let mut to = match self.format {
            FormatWriter::Parquet(writer) => writer.into_inner().map_err(text)?,
            FormatWriter::Arrow(writer) => writer.into_inner().map_err(text)?,
        };
        to.flush().map_err(text)?;
        self.aside.name().map_err(text)
    }
}

fn properties() -> WriterProperties {
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY);
    properties.set_max_row_group_row_count(Some(GROUP_ROWS)).build()
}

fn fixed_size_list(elements: ArrayRef, width: usize) -> Result<ArrayRef, String> {
    let size = i32::try_from(width).map_err(text)?;
    let field = item(elements.data_type().clone());
    Ok(Arc::new(FixedSizeListArray::try_new(field, size, elements, None).map_err(text)?))
}

impl Aside {
    fn of(target: &Path) -> Result<Self, String> {
        let name = target.file_name().ok_or("names no file")?.to_string_lossy();
        let path = target.with_file_name(format!(".{name}.{}.part", std::process::id()));
        Ok(Self { path, target: target.to_owned(), named: false })
    }

    fn name(mut self) -> std::io::Result<()> {
        fs::rename(&self.path, &self.target)?;
        self.named = true;
        Ok(())
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        if !self.named {
            // A file that is left over is no harm to the one that was there before.
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("file", &self.aside.target).finish_non_exhaustive()
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        batch::{Element, Type},
        files::{Dialect, RowFile, Stored, Target, find},
    };

    fn columns() -> Vec<WrittenColumn> {
        let column = |name: &str, of, width| WrittenColumn { name: name.to_owned(), of, width };
        vec![column("a", WrittenType::Int64, None), column("v", WrittenType::Float32, Some(2))]
    }

    fn cells(first: i64) -> Vec<Cells> {
        vec![Cells::Int64(vec![first, first + 1]), Cells::Float32(vec![0.5, -0.0, f32::NAN, 2.0])]
    }

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (name, format) in [("a.parquet", Format::Parquet), ("a.arrow", Format::Arrow)] {
            let file = folder.path().join(name);
            let mut writer =
                Writer::create(&file, format, &columns(), &[("made", "here".to_owned())]).expect("creates");
            writer.write(cells(1)).expect("writes");
            writer.write(cells(3)).expect("writes");
            assert!(!file.exists(), "it has no name before it is complete");
            writer.finish().expect("finishes");
            let targets = [
                Target::new("a", Type::scalar(Element::Int64), Stored::Int64),
                Target::new("v", Type::vector(2), Stored::Float32),
            ];
            let found = find(&file, None, &Dialect::default()).expect("named by its format");
            let read = RowFile::open(&found[0]).expect("opens");
            assert!(targets.iter().all(|target| read.check(target).is_ok()));
            let batches: Vec<_> =
                read.batches(&targets, 3).expect("reads").map(|batch| batch.expect("good")).collect();
            let ids: Vec<i64> = batches.iter().flat_map(|batch| batch.columns[0].int64().to_vec()).collect();
            assert_eq!(ids, [1, 2, 3, 4]);
            assert_eq!(batches[0].columns[1].float64()[..2], [0.5, -0.0]);
            assert_eq!(batches.iter().map(|batch| batch.bytes).sum::<u64>(), read.bytes());
        }
        assert_eq!(fs::read_dir(folder.path()).expect("lists").count(), 2, "nothing is left aside");
    }

    #[test]
    fn an_unfinished_file_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("a.parquet");
        let writer = Writer::create(&file, Format::Parquet, &columns(), &[]).expect("creates");
        drop(writer);
        assert!(Writer::create(&file, Format::Csv, &columns(), &[]).is_err());
        assert_eq!(fs::read_dir(folder.path()).expect("lists").count(), 0);
    }
}
