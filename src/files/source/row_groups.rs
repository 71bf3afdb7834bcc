//! A Parquet file: its footer, read once, and its row groups.

use std::path::{Path, PathBuf};

use arrow_schema::SchemaRef;
use parquet::{
    arrow::{
        ProjectionMask,
        arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder},
    },
    basic::Type,
    file::metadata::ColumnChunkMetaData,
};

use super::{Batches, Part, Room, guarded, open, text};

/// A Parquet file and what its footer says.
#[derive(Debug)]
pub struct RowGroups {
    path: PathBuf,
    footer: ArrowReaderMetadata,
}

impl RowGroups {
    /// Reads the footer and compares what it says of rows.
    pub fn open(path: &Path) -> Result<Self, String> {
        let footer = guarded(|| {
            let footer = ArrowReaderMetadata::load(&open(path)?, ArrowReaderOptions::new()).map_err(text)?;
            let stated = footer.metadata().file_metadata().num_rows();
            let mut counted: i64 = 0;
            for group in footer.metadata().row_groups() {
                let rows = Some(group.num_rows()).filter(|rows| *rows >= 0);
                counted = rows.and_then(|rows| counted.checked_add(rows)).ok_or("states a wrong size")?;
            }
            if stated == counted {
                Ok(footer)
            } else {
                Err(format!("states {stated} rows, its row groups have {counted}"))
            }
        })?;
        Ok(Self { path: path.to_owned(), footer })
    }

    pub fn schema(&self) -> SchemaRef {
        self.footer.schema().clone()
    }

    /// The rows of each row group.
    pub fn rows(&self) -> impl Iterator<Item = u64> {
        self.footer.metadata().row_groups().iter().map(|group| group.num_rows().unsigned_abs())
    }

    /// The root columns `fields` of a row group, or of all.
    pub fn batches(&self, part: &Part, fields: &[usize], rows: usize) -> Result<Batches, String> {
        let reader = guarded(|| {
            let builder =
                ParquetRecordBatchReaderBuilder::new_with_metadata(open(&self.path)?, self.footer.clone());
            let mask = ProjectionMask::roots(builder.parquet_schema(), fields.iter().copied());
            let builder = builder.with_projection(mask).with_batch_size(rows);
            let builder = match part {
                Part::RowGroup(group) => builder.with_row_groups(vec![*group]),
                Part::Whole | Part::Batches(_) => builder,
            };
            builder.build().map_err(text)
        })?;
        Ok(Batches::of(reader))
    }

    /// The elements and bytes that the footer states for a root column.
    pub fn room(&self, field: usize) -> Room {
        let metadata = self.footer.metadata();
        let schema = metadata.file_metadata().schema_descr();
        let is_of_field = |leaf: &usize| schema.get_column_root_idx(*leaf) == field;
        let mut room = Room::default();
        for leaf in (0..schema.num_columns()).filter(is_of_field) {
            for chunk in metadata.row_groups().iter().filter_map(|group| group.columns().get(leaf)) {
                room.elements = room.elements.saturating_add(chunk.num_values().max(0).unsigned_abs());
                room.text_bytes = room.text_bytes.saturating_add(text_bytes(chunk));
            }
        }
        room
    }
}

/// The bytes of a chunk's texts where they are stated, else about as many: those of all its pages.
fn text_bytes(chunk: &ColumnChunkMetaData) -> u64 {
    if chunk.column_type() != Type::BYTE_ARRAY {
        return 0;
    }
    chunk.unencoded_byte_array_data_bytes().unwrap_or(chunk.uncompressed_size()).max(0).unsigned_abs()
}
