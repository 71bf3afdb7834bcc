//! An array as bytes in a file, row by row.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::PathBuf,
    sync::Arc,
};

use arrow_array::{
    ArrayRef, BooleanArray, FixedSizeListArray, PrimitiveArray, StringArray,
    types::{
        ArrowPrimitiveType, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
        UInt8Type, UInt16Type, UInt32Type, UInt64Type,
    },
};
use arrow_schema::{ArrowError, DataType, Field};
use half::{bf16, f16};

/// Where an array lies, and of what elements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawArray {
    pub file: PathBuf,
    /// The first byte of the first row.
    pub offset: u64,
    pub element: RawElement,
    pub big_endian: bool,
    pub rows: u64,
    /// Elements of a row; none for a column of scalars.
    pub width: Option<usize>,
}

/// Element types of arrays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RawElement {
    Float16,
    BFloat16,
    Float32,
    Float64,
    Int8,
    Int16,
    Int32,
    Int64,
    Uint8,
    Uint16,
    Uint32,
    Uint64,
    Bool,
    /// UTF-8 with zeros behind it, of this many bytes.
    Bytes(usize),
    /// UTF-32 with zeros behind it, of this many characters.
    Characters(usize),
}

impl RawElement {
    fn bytes(self) -> usize {
        match self {
            Self::Int8 | Self::Uint8 | Self::Bool => 1,
            Self::Float16 | Self::BFloat16 | Self::Int16 | Self::Uint16 => 2,
            Self::Float32 | Self::Int32 | Self::Uint32 => 4,
            Self::Float64 | Self::Int64 | Self::Uint64 => 8,
            Self::Bytes(length) => length,
            Self::Characters(length) => length * 4,
        }
    }

    fn data_type(self) -> DataType {
        match self {
            Self::Float16 => DataType::Float16,
            Self::BFloat16 | Self::Float32 => DataType::Float32,
            Self::Float64 => DataType::Float64,
            Self::Int8 => DataType::Int8,
            Self::Int16 => DataType::Int16,
            Self::Int32 => DataType::Int32,
            Self::Int64 => DataType::Int64,
            Self::Uint8 => DataType::UInt8,
            Self::Uint16 => DataType::UInt16,
            Self::Uint32 => DataType::UInt32,
            Self::Uint64 => DataType::UInt64,
            Self::Bool => DataType::Boolean,
            Self::Bytes(_) | Self::Characters(_) => DataType::Utf8,
        }
    }
}

impl RawArray {
    /// An array of the shape given, or why it is no column.
    pub fn new(
        file: PathBuf,
        offset: u64,
        element: RawElement,
        big_endian: bool,
        shape: &[u64],
    ) -> Result<Self, String> {
        let (rows, width) = match *shape {
            [rows] => (rows, None),
            [rows, width @ 1..=65_536] => (rows, Some(width as usize)),
            _ => {
                return Err(format!(
                    "has the shape {shape:?}; a column has one dimension, or two with 1 to 65536 elements in a row"
                ));
            }
        };
        let array = Self { file, offset, element, big_endian, rows, width };
        let length = std::fs::metadata(&array.file).map_err(|error| error.to_string())?.len();
        let end = rows.checked_mul(array.row_bytes()).and_then(|bytes| bytes.checked_add(offset));
        if end.is_none_or(|end| end > length) {
            return Err(format!("is truncated: the shape {shape:?} needs more than {length} bytes"));
        }
        Ok(array)
    }

    pub fn row_bytes(&self) -> u64 {
        (self.width.unwrap_or(1) * self.element.bytes()) as u64
    }

    pub fn data_type(&self) -> DataType {
        let element = self.element.data_type();
        match self.width {
            Some(width) => DataType::FixedSizeList(item(element), width as i32),
            None => element,
        }
    }

    /// Rows `first` to `first + rows`.
    pub fn read(&self, first: u64, rows: usize) -> Result<ArrayRef, ArrowError> {
        let mut file = File::open(&self.file)?;
        file.seek(SeekFrom::Start(self.offset + first * self.row_bytes()))?;
        let mut bytes = vec![0; rows * self.row_bytes() as usize];
        file.read_exact(&mut bytes)?;
        let elements = self.elements(&mut bytes)?;
        Ok(match self.width {
            Some(width) => {
                let item = item(elements.data_type().clone());
                Arc::new(FixedSizeListArray::try_new(item, width as i32, elements, None)?)
            }
            None => elements,
        })
    }

    fn elements(&self, bytes: &mut [u8]) -> Result<ArrayRef, ArrowError> {
        if self.big_endian {
            let size = match self.element {
                RawElement::Characters(_) => 4,
                element => element.bytes(),
            };
            bytes.chunks_exact_mut(size.max(1)).for_each(<[u8]>::reverse);
        }
        Ok(match self.element {
            RawElement::Float16 => primitive::<Float16Type, 2>(bytes, f16::from_le_bytes),
            RawElement::BFloat16 => {
                primitive::<Float32Type, 2>(bytes, |two| bf16::from_le_bytes(two).to_f32())
            }
            RawElement::Float32 => primitive::<Float32Type, 4>(bytes, f32::from_le_bytes),
            RawElement::Float64 => primitive::<Float64Type, 8>(bytes, f64::from_le_bytes),
            RawElement::Int8 => primitive::<Int8Type, 1>(bytes, i8::from_le_bytes),
            RawElement::Int16 => primitive::<Int16Type, 2>(bytes, i16::from_le_bytes),
            RawElement::Int32 => primitive::<Int32Type, 4>(bytes, i32::from_le_bytes),
            RawElement::Int64 => primitive::<Int64Type, 8>(bytes, i64::from_le_bytes),
            RawElement::Uint8 => primitive::<UInt8Type, 1>(bytes, u8::from_le_bytes),
            RawElement::Uint16 => primitive::<UInt16Type, 2>(bytes, u16::from_le_bytes),
            RawElement::Uint32 => primitive::<UInt32Type, 4>(bytes, u32::from_le_bytes),
            RawElement::Uint64 => primitive::<UInt64Type, 8>(bytes, u64::from_le_bytes),
            RawElement::Bool => Arc::new(BooleanArray::from_iter(bytes.iter().map(|&byte| Some(byte != 0)))),
            RawElement::Bytes(length) => strings(bytes, length, |bytes| {
                let end = bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
                String::from_utf8(bytes[..end].to_vec()).ok()
            })?,
            RawElement::Characters(length) => strings(bytes, length * 4, |bytes| {
                let codes = bytes.as_chunks::<4>().0.iter().map(|&code| u32::from_le_bytes(code));
                let codes: Vec<u32> = codes.collect();
                let end = codes.iter().rposition(|&code| code != 0).map_or(0, |last| last + 1);
                codes[..end].iter().map(|&code| char::from_u32(code)).collect()
            })?,
        })
    }
}

fn item(element: DataType) -> Arc<Field> {
    Arc::new(Field::new_list_field(element, true))
}

fn primitive<T: ArrowPrimitiveType, const N: usize>(
    bytes: &[u8],
    decode: impl Fn([u8; N]) -> T::Native,
) -> ArrayRef {
    let values = bytes.as_chunks::<N>().0.iter().map(|&chunk| decode(chunk));
    Arc::new(PrimitiveArray::<T>::from_iter_values(values))
}

fn strings(
    bytes: &[u8],
    length: usize,
    decode: impl Fn(&[u8]) -> Option<String>,
) -> Result<ArrayRef, ArrowError> {
    let texts = bytes.chunks_exact(length.max(1)).map(decode).collect::<Option<Vec<String>>>();
    let texts = texts.ok_or_else(|| ArrowError::ParseError("a string is not UTF-8".to_owned()))?;
    Ok(Arc::new(StringArray::from(texts)))
}
