//! The protobuf wire format: a reader over borrowed bytes that never panics, and the sizes and bytes of what is written.

use std::fmt;

/// How deeply groups of unknown fields may nest.
const GROUP_DEPTH: u32 = 100;

/// The message for a string that is not UTF-8.
pub const NOT_UTF8: &str = "not valid UTF-8";

/// Bytes of packed varints that are looked at together.
const VARINT_BLOCK: usize = 32;

/// Reads one message; knows where in the whole request it stands.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    whole: &'a [u8],
    position: usize,
    end: usize,
}

/// How a field's value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    Varint,
    Fixed64,
    Bytes,
    StartGroup,
    EndGroup,
    Fixed32,
}

/// What is wrong with the bytes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Malformed {
    /// The bytes end within a value.
    CutShort,
    /// A varint of more than 64 bits.
    Varint,
    /// A field number or wire type that does not exist.
    Tag,
    /// A known field has a value of another wire type.
    WireType,
    /// The packed values are not a whole number of values.
    Packed,
    /// A group without its other end, or too many inside each other.
    Group,
    /// A string that is not UTF-8.
    NotUtf8,
    /// More values than one column may have; how many it may have.
    TooMany(usize),
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotUtf8 => NOT_UTF8,
            Self::TooMany(most) => return write!(f, "has more values than one column may have, {most}"),
            Self::CutShort => "malformed protobuf: the bytes end within a value",
            Self::Varint => "malformed protobuf: a varint is longer than 64 bits",
            Self::Tag => "malformed protobuf: a field number or wire type that does not exist",
            Self::WireType => "malformed protobuf: a value of another wire type than the field's",
            Self::Packed => "malformed protobuf: packed values end within a value",
            Self::Group => "malformed protobuf: a group does not end where it should",
        })
    }
}

impl Wire {
    fn from_bits(bits: u32) -> Result<Self, Malformed> {
        Ok(match bits {
            0 => Self::Varint,
            1 => Self::Fixed64,
            2 => Self::Bytes,
            3 => Self::StartGroup,
            4 => Self::EndGroup,
            5 => Self::Fixed32,
            _ => return Err(Malformed::Tag),
        })
    }

    fn expect(self, wanted: Wire) -> Result<(), Malformed> {
        if self == wanted { Ok(()) } else { Err(Malformed::WireType) }
    }
}

impl<'a> Reader<'a> {
    /// Starts at the beginning of a whole request.
    pub fn new(whole: &'a [u8]) -> Self {
        Self { whole, position: 0, end: whole.len() }
    }

    /// Whether everything is read.
    pub fn is_done(&self) -> bool {
        self.position >= self.end
    }

    /// Where in the whole request the next byte lies.
    pub fn position(&self) -> usize {
        self.position
    }

    /// What is left to read.
    pub fn rest(&self) -> &'a [u8] {
        &self.whole[self.position..self.end]
    }

    /// The next field's number and wire type.
    pub fn key(&mut self) -> Result<(u32, Wire), Malformed> {
        let key = u32::try_from(self.raw_varint()?).map_err(|_| Malformed::Tag)?;
        let wire = Wire::from_bits(key & 7)?;
        if key >> 3 == 0 { Err(Malformed::Tag) } else { Ok((key >> 3, wire)) }
    }

    /// A varint field's value.
    pub fn varint(&mut self, wire: Wire) -> Result<u64, Malformed> {
        wire.expect(Wire::Varint)?;
        self.raw_varint()
    }

    /// A length-delimited field's value: a reader of it alone.
    pub fn nested(&mut self, wire: Wire) -> Result<Reader<'a>, Malformed> {
        wire.expect(Wire::Bytes)?;
        let length = usize::try_from(self.raw_varint()?).map_err(|_| Malformed::CutShort)?;
        let start = self.advance(length)?;
        Ok(Reader { whole: self.whole, position: start, end: self.position })
    }

    /// A string field's value.
    pub fn text(&mut self, wire: Wire) -> Result<&'a str, Malformed> {
        std::str::from_utf8(self.nested(wire)?.rest()).map_err(|_| Malformed::NotUtf8)
    }

    /// Passes over a length-delimited field with the number given and a length below 128, if that is what comes next,
    /// and gives where its bytes start and how many there are.
    #[inline]
    pub fn short_field(&mut self, field: u8) -> Option<(usize, usize)> {
        let &[key, length, ..] = self.rest() else { return None };
        let start = self.position + 2;
        if key != field << 3 | 2 || length >= 0x80 || usize::from(length) > self.end - start {
            return None;
        }
        self.position = start + usize::from(length);
        Some((start, length.into()))
    }

    /// Reads a repeated varint field's next value or values, packed or not, behind those that are there; `most` in all.
    pub fn varints<T>(
        &mut self,
        wire: Wire,
        values: &mut Vec<T>,
        most: usize,
        of: impl Fn(u64) -> T,
    ) -> Result<(), Malformed> {
        if wire == Wire::Varint {
            make_room(values, 1, most)?;
            values.push(of(self.raw_varint()?));
            return Ok(());
        }
        let mut packed = self.nested(wire)?;
        // Each value's last byte, and no other, is below 0x80.
        let count = packed.rest().iter().filter(|byte| **byte < 0x80).count();
        make_room(values, count, most)?;
        while !packed.is_done() {
            // Blocks of values of one byte each, which small numbers are, all at once.
            let (blocks, _) = packed.rest().as_chunks::<VARINT_BLOCK>();
            let short = blocks.iter().take_while(|block| block.is_ascii()).count() * VARINT_BLOCK;
            values.extend(packed.rest()[..short].iter().map(|&byte| of(byte.into())));
            packed.position += short;
            let next_block = packed.position + VARINT_BLOCK;
            while packed.position < next_block && !packed.is_done() {
                values.push(of(packed.raw_varint().map_err(|_| Malformed::Packed)?));
            }
        }
        Ok(())
    }

    /// Reads a repeated 4-byte field's next value or values, packed or not: a whole number of values' bytes.
    pub fn fixed32s(&mut self, wire: Wire) -> Result<&'a [u8], Malformed> {
        self.fixed(wire, Wire::Fixed32, 4)
    }

    /// Reads a repeated 8-byte field's next value or values, packed or not: a whole number of values' bytes.
    pub fn fixed64s(&mut self, wire: Wire) -> Result<&'a [u8], Malformed> {
        self.fixed(wire, Wire::Fixed64, 8)
    }

    /// Passes over an unknown field.
    pub fn skip(&mut self, field: u32, wire: Wire) -> Result<(), Malformed> {
        self.skip_nested(field, wire, GROUP_DEPTH)
    }

    fn skip_nested(&mut self, field: u32, wire: Wire, depth: u32) -> Result<(), Malformed> {
        match wire {
            Wire::Varint => self.raw_varint().map(|_| ()),
            Wire::Fixed64 => self.advance(8).map(|_| ()),
            Wire::Fixed32 => self.advance(4).map(|_| ()),
            Wire::Bytes => self.nested(wire).map(|_| ()),
            Wire::EndGroup => Err(Malformed::Group),
            Wire::StartGroup => self.skip_group(field, depth.checked_sub(1).ok_or(Malformed::Group)?),
        }
    }

    fn skip_group(&mut self, group: u32, depth: u32) -> Result<(), Malformed> {
        loop {
            match self.key()? {
                (field, Wire::EndGroup) if field == group => return Ok(()),
                (field, wire) => self.skip_nested(field, wire, depth)?,
            }
        }
    }

    fn fixed(&mut self, wire: Wire, single: Wire, size: usize) -> Result<&'a [u8], Malformed> {
        if wire == single {
            let start = self.advance(size)?;
            return Ok(&self.whole[start..self.position]);
        }
        let packed = self.nested(wire)?.rest();
        if packed.len().is_multiple_of(size) { Ok(packed) } else { Err(Malformed::Packed) }
    }

    /// Goes `length` bytes on and gives where they start.
    fn advance(&mut self, length: usize) -> Result<usize, Malformed> {
        let start = self.position;
        if length > self.end - start {
            return Err(Malformed::CutShort);
        }
        self.position = start + length;
        Ok(start)
    }

    #[inline]
    fn raw_varint(&mut self) -> Result<u64, Malformed> {
        match self.rest().first() {
            Some(&byte) if byte < 0x80 => {
                self.position += 1;
                Ok(byte.into())
            }
            _ => self.long_varint(),
        }
    }

    fn long_varint(&mut self) -> Result<u64, Malformed> {
        let rest = self.rest();
        let mut value = 0;
        for (position, &byte) in rest.iter().take(10).enumerate() {
            value |= u64::from(byte & 0x7f) << (7 * position);
            if byte < 0x80 {
                self.position += position + 1;
                return if position == 9 && byte > 1 { Err(Malformed::Varint) } else { Ok(value) };
            }
        }
        Err(if rest.len() < 10 { Malformed::CutShort } else { Malformed::Varint })
    }
}

/// Makes room for `count` values behind those that are there, unless they would be more than `most`.
pub fn make_room<T>(values: &mut Vec<T>, count: usize, most: usize) -> Result<(), Malformed> {
    if count > most.saturating_sub(values.len()) {
        return Err(Malformed::TooMany(most));
    }
    values.reserve(count);
    Ok(())
}

/// Bytes of `value` as a varint.
pub fn varint_size(value: u64) -> usize {
    (70 - (value | 1).leading_zeros() as usize) / 7
}

/// Bytes of a length-delimited field of `length` bytes with a field number below 16.
pub fn field_size(length: usize) -> usize {
    1 + varint_size(length as u64) + length
}

/// Writes messages into bytes that are there already; what does not fit is a bug of the sizes computed before.
#[derive(Debug)]
pub struct Writer<'a> {
    bytes: &'a mut [u8],
    position: usize,
}

impl<'a> Writer<'a> {
    /// Writes from `position` on.
    pub fn new(bytes: &'a mut [u8], position: usize) -> Self {
        Self { bytes, position }
    }

    /// Where the next byte goes.
    pub fn position(&self) -> usize {
        self.position
    }

    /// Leaves `length` bytes as they are.
    pub fn pass(&mut self, length: usize) {
        self.position += length;
    }

    /// A varint field; zero is left out, as proto3 has it.
    pub fn varint_field(&mut self, field: u8, value: u64) {
        if value != 0 {
            self.byte(field << 3);
            self.varint(value);
        }
    }

    /// A string field; the empty one is left out.
    pub fn text_field(&mut self, field: u8, text: &str) {
        if !text.is_empty() {
            self.begin(field, text.len());
            self.raw(text.as_bytes());
        }
    }

    /// The key and the length of a length-delimited field.
    pub fn begin(&mut self, field: u8, length: usize) {
        self.byte(field << 3 | 2);
        self.varint(length as u64);
    }

    /// A bare varint.
    pub fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.byte(value as u8 | 0x80);
            value >>= 7;
        }
        self.byte(value as u8);
    }

    fn raw(&mut self, bytes: &[u8]) {
        self.bytes[self.position..self.position + bytes.len()].copy_from_slice(bytes);
        self.position += bytes.len();
    }

    fn byte(&mut self, byte: u8) {
        self.bytes[self.position] = byte;
        self.position += 1;
    }
}

/// Bytes of a varint field with a field number below 16.
pub fn varint_field_size(value: u64) -> usize {
    if value == 0 { 0 } else { 1 + varint_size(value) }
}

/// Bytes of a string field with a field number below 16.
pub fn text_field_size(text: &str) -> usize {
    if text.is_empty() { 0 } else { field_size(text.len()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_come_back_and_have_the_size_told() {
        for value in [0, 1, 127, 128, 16_383, 16_384, u64::from(u32::MAX), u64::MAX] {
            let mut bytes = vec![0; varint_size(value)];
            let mut writer = Writer::new(&mut bytes, 0);
            writer.varint(value);
            assert_eq!(writer.position(), bytes.len());
            assert_eq!(Reader::new(&bytes).varint(Wire::Varint), Ok(value));
        }
    }

    #[test]
    fn malformed_bytes_are_named() {
        let check = |bytes: &[u8], expect| assert_eq!(skip_all(bytes), Err(expect), "{bytes:?}");
        check(&[0x80], Malformed::CutShort);
        check(&[0x08], Malformed::CutShort);
        check(&[0x08, 255, 255, 255, 255, 255, 255, 255, 255, 255, 2], Malformed::Varint);
        check(&[0x00], Malformed::Tag);
        check(&[0x0f], Malformed::Tag);
        check(&[0x0a, 200], Malformed::CutShort);
        check(&[0x0a, 2, 0], Malformed::CutShort);
        check(&[0x0c], Malformed::Group);
        check(&[0x0b, 0x14], Malformed::Group);
        check(&[0x0b; 300], Malformed::Group);
    }

    #[test]
    fn unknown_fields_of_each_wire_type_are_passed_over() {
        let bytes =
            [0x08, 1, 0x09, 0, 0, 0, 0, 0, 0, 0, 0, 0x0a, 1, 7, 0x0b, 0x10, 5, 0x0c, 0x0d, 0, 0, 0, 0];
        assert_eq!(skip_all(&bytes), Ok(()));
    }

    #[test]
    fn values_are_counted_before_they_are_read() {
        let packed = [0x06, 1, 0x80, 1, 2, 0xff, 0x7f];
        let read = |most| {
            let mut values = vec![9];
            Reader::new(&packed).varints(Wire::Bytes, &mut values, most, |value| value).map(|()| values)
        };
        assert_eq!(read(5), Ok(vec![9, 1, 128, 2, 16_383]));
        assert_eq!(read(4), Err(Malformed::TooMany(4)));
        assert_eq!(read(0), Err(Malformed::TooMany(0)));
    }

    fn skip_all(bytes: &[u8]) -> Result<(), Malformed> {
        let mut reader = Reader::new(bytes);
        while !reader.is_done() {
            let (field, wire) = reader.key()?;
            reader.skip(field, wire)?;
        }
        Ok(())
    }
}
