//! The heads of an Arrow IPC file's messages: how many rows each batch has, and whether its claims can be true.
//!
//! The reader allocates what a head claims. So every claim is held to the file's size here: bodies end inside the file,
//! buffers inside their body, and no compressed buffer claims more than its codec can make of it.

use std::io::{Read, Seek, SeekFrom};

use arrow_ipc::{
    Block, CompressionType, Message, MessageHeader, RecordBatch, root_as_footer, root_as_message,
};
use arrow_schema::{DataType, Schema};

use super::super::text;

/// What stands before the length of a message's head.
const CONTINUATION: [u8; 4] = [0xff; 4];

/// The footer's length and the magic bytes that end a file.
const TRAILER: u64 = 10;

/// What the length of a compressed buffer says where the buffer is not compressed.
const NOT_COMPRESSED: i64 = -1;

/// Bytes of the length before a compressed buffer.
const LENGTH_BYTES: u64 = 8;

/// The most bytes that one byte of LZ4 stands for.
const LZ4_EXPANSION: u64 = 255;

/// The same for zstd: a block of 128 KiB takes 4 bytes where all its bytes are equal.
const ZSTD_EXPANSION: u64 = 32 << 10;

/// Added to what a codec can make, for frames of a few bytes.
const SLACK: u64 = 128 << 10;

/// What the heads say, batch by batch.
#[derive(Debug, Default)]
pub struct Heads {
    pub batches: Vec<Batch>,
}

/// One record batch.
#[derive(Debug)]
pub struct Batch {
    pub rows: u64,
    /// Bytes of its body, and of what is decompressed of it.
    pub bytes: u64,
    /// The lengths of its arrays, those of children included, in the schema's order.
    lengths: Vec<u64>,
}

/// Where a message's body lies, and how long the file is.
#[derive(Clone, Copy)]
struct Body {
    start: u64,
    length: u64,
}

impl Heads {
    /// Reads the heads that an IPC file's footer lists.
    pub fn of_file(file: &mut (impl Read + Seek)) -> Result<Self, String> {
        let size = file.seek(SeekFrom::End(0)).map_err(text)?;
        let end = size.checked_sub(TRAILER).ok_or("is too short")?;
        let trailer = read_at(file, end, TRAILER)?;
        let length = u32::from_le_bytes([trailer[0], trailer[1], trailer[2], trailer[3]]);
        let start = end.checked_sub(length.into()).ok_or("the footer is longer than the file")?;
        let footer = read_at(file, start, length.into())?;
        let footer = root_as_footer(&footer).map_err(text)?;
        let mut heads = Self::default();
        let (dictionaries, batches) = (footer.dictionaries(), footer.recordBatches());
        let blocks = [dictionaries, batches].into_iter().flatten().flat_map(|blocks| blocks.iter());
        for block in blocks {
            heads.read_block(file, block, start)?;
        }
        Ok(heads)
    }

    /// Reads the heads of a stream to its end, which must be marked: one that was cut between two batches reads well
    /// without this.
    pub fn of_stream(file: &mut (impl Read + Seek)) -> Result<Self, String> {
        let size = file.seek(SeekFrom::End(0)).map_err(text)?;
        let mut heads = Self::default();
        let mut position = 0;
        loop {
            let (head, length) = head_length(file, position)
                .map_err(|_| "ends without Arrow's end-of-stream mark: it is truncated or not Arrow IPC")?;
            if length == 0 {
                return if head == size { Ok(heads) } else { Err("goes on after its end".to_owned()) };
            }
            let head = read_within(file, head, length, size)?;
            let message = root_as_message(&head.bytes).map_err(text)?;
            let length = u64::try_from(message.bodyLength()).map_err(|_| "states a negative length")?;
            let body = Body { start: head.end, length };
            position = body.end_within(size)?;
            heads.note(file, &message, body)?;
        }
    }

    fn read_block(&mut self, file: &mut (impl Read + Seek), block: &Block, end: u64) -> Result<(), String> {
        let number = |number: i64| u64::try_from(number).map_err(|_| "states a negative length".to_owned());
        let (offset, length) = (number(block.offset())?, number(block.metaDataLength().into())?);
        let whole = read_within(file, offset, length, end)?;
        let body = Body { start: whole.end, length: number(block.bodyLength())? };
        body.end_within(end)?;
        // Before version 0.15 of the format, no continuation mark stood before the length.
        let skipped = if whole.bytes.starts_with(&CONTINUATION) { 8 } else { 4 };
        let head = whole.bytes.get(skipped..).ok_or("a message is too short")?;
        let message = root_as_message(head).map_err(text)?;
        if u64::try_from(message.bodyLength()) != Ok(body.length) {
            return Err("the footer and a message state different lengths".to_owned());
        }
        self.note(file, &message, body)
    }

    fn note(
        &mut self,
        file: &mut (impl Read + Seek),
        message: &Message<'_>,
        body: Body,
    ) -> Result<(), String> {
        match message.header_type() {
            MessageHeader::RecordBatch => {
                let batch = message.header_as_record_batch().ok_or("a batch has no head")?;
                let bytes = check_buffers(file, &batch, body)?;
                let lengths = batch.nodes().into_iter().flatten();
                let lengths = lengths.map(|node| u64::try_from(node.length()).unwrap_or(0)).collect();
                let rows = u64::try_from(batch.length()).map_err(|_| "states a negative number of rows")?;
                self.batches.push(Batch { rows, bytes, lengths });
            }
            MessageHeader::DictionaryBatch => {
                let batch = message.header_as_dictionary_batch().and_then(|batch| batch.data());
                check_buffers(file, &batch.ok_or("a dictionary has no head")?, body)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// The elements of all lists of a column.
    pub fn elements(&self, schema: &Schema, field: usize) -> u64 {
        let before: usize =
            schema.fields().iter().take(field).map(|field| arrays_in(field.data_type())).sum();
        let elements = self.batches.iter().filter_map(|batch| batch.lengths.get(before + 1));
        elements.fold(0, |sum, elements| sum.saturating_add(*elements))
    }
}

impl Body {
    fn end_within(self, size: u64) -> Result<u64, String> {
        let end = self.start.checked_add(self.length).filter(|end| *end <= size);
        end.ok_or_else(|| "a batch is longer than the file".to_owned())
    }
}

/// Bytes that were read, and where they end in the file.
struct Bytes {
    bytes: Vec<u8>,
    end: u64,
}

/// Reads bytes that must end at `size` at the latest.
fn read_within(file: &mut (impl Read + Seek), start: u64, length: u64, size: u64) -> Result<Bytes, String> {
    let end = start.checked_add(length).filter(|end| *end <= size);
    let end = end.ok_or("a message is longer than the file")?;
    Ok(Bytes { bytes: read_at(file, start, length)?, end })
}

fn read_at(file: &mut (impl Read + Seek), start: u64, length: u64) -> Result<Vec<u8>, String> {
    file.seek(SeekFrom::Start(start)).map_err(text)?;
    let mut bytes = vec![0; usize::try_from(length).map_err(text)?];
    file.read_exact(&mut bytes).map_err(text)?;
    Ok(bytes)
}

/// Where a stream's next head begins, and its length; 0 at the stream's end.
fn head_length(file: &mut (impl Read + Seek), position: u64) -> Result<(u64, u64), String> {
    let number = |bytes: &[u8]| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]).into();
    let first = read_at(file, position, 4)?;
    if first == CONTINUATION {
        return Ok((position + 8, number(&read_at(file, position + 4, 4)?)));
    }
    Ok((position + 4, number(&first)))
}

/// Holds a batch's buffers to its body, and returns how many bytes it takes with what is decompressed.
fn check_buffers(file: &mut (impl Read + Seek), batch: &RecordBatch<'_>, body: Body) -> Result<u64, String> {
    let expansion = match batch.compression().map(|compression| compression.codec()) {
        None => None,
        Some(CompressionType::LZ4_FRAME) => Some(LZ4_EXPANSION),
        Some(_) => Some(ZSTD_EXPANSION),
    };
    let mut bytes = body.length;
    for buffer in batch.buffers().into_iter().flatten() {
        let (offset, length) = (u64::try_from(buffer.offset()), u64::try_from(buffer.length()));
        let (Ok(offset), Ok(length)) = (offset, length) else {
            return Err("a buffer states a negative length".to_owned());
        };
        if offset.checked_add(length).is_none_or(|end| end > body.length) {
            return Err("a buffer is longer than its batch".to_owned());
        }
        if let Some(expansion) = expansion.filter(|_| length >= LENGTH_BYTES) {
            let stated = read_at(file, body.start + offset, LENGTH_BYTES)?;
            let stated = i64::from_le_bytes(stated.try_into().unwrap_or_default());
            bytes = bytes.saturating_add(decompressed(stated, length - LENGTH_BYTES, expansion)?);
        }
    }
    Ok(bytes)
}

/// The bytes that a compressed buffer states, if its codec can make as many.
fn decompressed(stated: i64, length: u64, expansion: u64) -> Result<u64, String> {
    if stated == NOT_COMPRESSED {
        return Ok(0);
    }
    let most = length.saturating_mul(expansion).saturating_add(SLACK);
    let stated = u64::try_from(stated).ok().filter(|stated| *stated <= most);
    stated.ok_or_else(|| format!("a compressed buffer of {length} bytes can't be as long as it states"))
}

/// The arrays that a type's values lie in: its own and its children's.
fn arrays_in(data: &DataType) -> usize {
    match data {
        DataType::List(of)
        | DataType::LargeList(of)
        | DataType::ListView(of)
        | DataType::LargeListView(of)
        | DataType::FixedSizeList(of, _)
        | DataType::Map(of, _) => 1 + arrays_in(of.data_type()),
        DataType::Struct(of) => 1 + of.iter().map(|of| arrays_in(of.data_type())).sum::<usize>(),
        DataType::Union(of, _) => 1 + of.iter().map(|(_, of)| arrays_in(of.data_type())).sum::<usize>(),
        DataType::RunEndEncoded(ends, of) => 1 + arrays_in(ends.data_type()) + arrays_in(of.data_type()),
        _ => 1,
    }
}

#[cfg(test)]
mod tests;
