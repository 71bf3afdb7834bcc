//! Columns with nulls, of every type that tables store, to a Parquet file.

use std::{fs::File, io::BufWriter, path::Path, sync::Arc};

use arrow_array::{
    ArrayRef, ArrowPrimitiveType, BooleanArray, FixedSizeListArray, ListArray, PrimitiveArray, RecordBatch,
    StringArray,
    types::{
        Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type,
        UInt16Type, UInt32Type, UInt64Type,
    },
};
use arrow_buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use half::f16;
use parquet::arrow::ArrowWriter;

use super::{properties, text};
use crate::{
    batch::{Column, Mark, Values},
    files::{Stored, Target, times},
};

/// A Parquet file of columns in the making.
pub struct RowWriter {
    writer: ArrowWriter<BufWriter<File>>,
    schema: SchemaRef,
    targets: Vec<Target>,
}

impl RowWriter {
    /// Starts a file of these columns.
    pub fn create(file: &Path, targets: Vec<Target>) -> Result<Self, String> {
        let fields: Vec<Field> = targets.iter().map(field).collect();
        let schema = Arc::new(Schema::new(fields));
        let to = BufWriter::new(File::create(file).map_err(text)?);
        let writer = ArrowWriter::try_new(to, schema.clone(), Some(properties())).map_err(text)?;
        Ok(Self { writer, schema, targets })
    }

    /// Adds rows: one column for each target, of its type.
    pub fn write(&mut self, columns: &[Column]) -> Result<(), String> {
        let arrays = self.targets.iter().zip(columns).map(|(target, column)| array(column, target));
        let arrays = arrays.collect::<Result<_, _>>()?;
        let batch = RecordBatch::try_new(self.schema.clone(), arrays).map_err(text)?;
        self.writer.write(&batch).map_err(text)
    }

    /// Completes the file.
    pub fn finish(self) -> Result<(), String> {
        let file = self.writer.into_inner().map_err(text)?.into_inner().map_err(text)?;
        file.sync_all().map_err(text)
    }
}

impl std::fmt::Debug for RowWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RowWriter").field("targets", &self.targets).finish_non_exhaustive()
    }
}

fn field(target: &Target) -> Field {
    let element = data_type(target.stored);
    let fixed = |width: usize| i32::try_from(width).unwrap_or(i32::MAX);
    let of = match (target.of.width, target.of.list) {
        (Some(width), true) => DataType::List(item(DataType::FixedSizeList(item(element), fixed(width)))),
        (Some(width), false) => DataType::FixedSizeList(item(element), fixed(width)),
        (None, true) => DataType::List(item(element)),
        (None, false) => element,
    };
    Field::new(&target.name, of, true)
}

fn item(element: DataType) -> Arc<Field> {
    Arc::new(Field::new_list_field(element, true))
}

fn data_type(stored: Stored) -> DataType {
    match stored {
        Stored::Float16 => DataType::Float16,
        Stored::Float32 => DataType::Float32,
        Stored::Float64 => DataType::Float64,
        Stored::Int8 => DataType::Int8,
        Stored::Int16 => DataType::Int16,
        Stored::Int32 => DataType::Int32,
        Stored::Int64 => DataType::Int64,
        Stored::Uint8 => DataType::UInt8,
        Stored::Uint16 => DataType::UInt16,
        Stored::Uint32 => DataType::UInt32,
        Stored::Uint64 => DataType::UInt64,
        Stored::Bool => DataType::Boolean,
        Stored::String => DataType::Utf8,
        Stored::Time(of) => times::data_type(of),
    }
}

fn array(column: &Column, target: &Target) -> Result<ArrayRef, String> {
    let item = item(data_type(target.stored));
    if let Some(width) = target.of.width {
        let size = i32::try_from(width).map_err(text)?;
        let present = vec![Mark::PRESENT; column.marks.len() * width];
        let elements = elements(&column.values, &present, target.stored)?;
        let nulls = nulls(&column.marks);
        let vectors = FixedSizeListArray::try_new(item, size, elements, nulls).map_err(text)?;
        return lists_of(Arc::new(vectors), column);
    }
    lists_of(elements(&column.values, &column.marks, target.stored)?, column)
}

/// The lists that a column's elements form, or the elements themselves.
fn lists_of(elements: ArrayRef, column: &Column) -> Result<ArrayRef, String> {
    let Some(list) = &column.list else { return Ok(elements) };
    let item = item(elements.data_type().clone());
    let offsets = list.offsets.iter().map(|&offset| i32::try_from(offset).map_err(text));
    let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets.collect::<Result<Vec<i32>, _>>()?));
    Ok(Arc::new(ListArray::try_new(item, offsets, elements, nulls(&list.marks)).map_err(text)?))
}

fn nulls(marks: &[Mark]) -> Option<NullBuffer> {
    let present: Vec<bool> = marks.iter().map(|mark| !mark.is_null()).collect();
    Some(NullBuffer::from(present))
}

fn elements(values: &Values, marks: &[Mark], stored: Stored) -> Result<ArrayRef, String> {
    Ok(match (stored, values) {
        (Stored::Float16, Values::Float64(values)) => {
            primitive::<Float16Type, _>(values, marks, f16::from_f64)
        }
        (Stored::Float32, Values::Float64(values)) => {
            primitive::<Float32Type, _>(values, marks, |value| value as f32)
        }
        (Stored::Float64, Values::Float64(values)) => {
            primitive::<Float64Type, _>(values, marks, |value| value)
        }
        (Stored::Int8, Values::Int64(values)) => primitive::<Int8Type, _>(values, marks, |value| value as i8),
        (Stored::Int16, Values::Int64(values)) => {
            primitive::<Int16Type, _>(values, marks, |value| value as i16)
        }
        (Stored::Int32, Values::Int64(values)) => {
            primitive::<Int32Type, _>(values, marks, |value| value as i32)
        }
        (Stored::Int64, Values::Int64(values)) => primitive::<Int64Type, _>(values, marks, |value| value),
        (Stored::Uint8, Values::Uint64(values)) => {
            primitive::<UInt8Type, _>(values, marks, |value| value as u8)
        }
        (Stored::Uint16, Values::Uint64(values)) => {
            primitive::<UInt16Type, _>(values, marks, |value| value as u16)
        }
        (Stored::Uint32, Values::Uint64(values)) => {
            primitive::<UInt32Type, _>(values, marks, |value| value as u32)
        }
        (Stored::Uint64, Values::Uint64(values)) => primitive::<UInt64Type, _>(values, marks, |value| value),
        (Stored::Bool, Values::Bool(values)) => {
            Arc::new(present(values.iter().copied(), marks).collect::<BooleanArray>())
        }
        (Stored::String, Values::String(values)) => {
            Arc::new(present(values.iter(), marks).collect::<StringArray>())
        }
        (Stored::Time(of), Values::Int64(values)) => {
            times::array(of, present(values.iter().copied(), marks))?
        }
        (stored, _) => return Err(format!("a column of {stored} came with other elements")),
    })
}

fn primitive<T: ArrowPrimitiveType, V: Copy>(
    values: &[V],
    marks: &[Mark],
    narrow: impl Fn(V) -> T::Native,
) -> ArrayRef {
    let narrowed = values.iter().map(|&value| narrow(value));
    Arc::new(present(narrowed, marks).collect::<PrimitiveArray<T>>())
}

fn present<V>(values: impl Iterator<Item = V>, marks: &[Mark]) -> impl Iterator<Item = Option<V>> {
    values.zip(marks).map(|(value, mark)| (!mark.is_null()).then_some(value))
}
