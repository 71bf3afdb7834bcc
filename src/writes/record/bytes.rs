//! Numbers, texts and lists of them as bytes, little-endian.

/// The bytes end too early, or are not what they should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Short;

/// Bytes in the making.
#[derive(Debug)]
pub struct Writer(Vec<u8>);

impl Writer {
    pub fn with_capacity(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    pub fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    pub fn number(&mut self, number: u64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    pub fn short(&mut self, number: u32) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    pub fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.0.extend_from_slice(text.as_bytes());
    }

    /// How many positions there are, then each.
    pub fn positions(&mut self, positions: impl Iterator<Item = u32>) {
        let at = self.0.len();
        self.number(0);
        let mut count = 0_u64;
        positions.for_each(|position| {
            self.short(position);
            count += 1;
        });
        self.0[at..at + 8].copy_from_slice(&count.to_le_bytes());
    }

    /// Floats in 32 bits where that loses nothing.
    pub fn floats(&mut self, values: &[f64]) {
        let narrow = values.iter().all(|&value| value.is_nan() || f64::from(value as f32) == value);
        self.byte(if narrow { b'f' } else { b'd' });
        self.number(values.len() as u64);
        if narrow {
            self.0.extend(values.iter().flat_map(|&value| (value as f32).to_le_bytes()));
        } else {
            self.0.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        }
    }

    pub fn numbers(&mut self, kind: u8, values: impl ExactSizeIterator<Item = u64>) {
        self.byte(kind);
        self.number(values.len() as u64);
        values.for_each(|value| self.number(value));
    }

    pub fn flags(&mut self, values: &[bool]) {
        self.byte(b'b');
        self.number(values.len() as u64);
        self.0.extend(values.iter().map(|&value| u8::from(value)));
    }

    pub fn strings<'a>(&mut self, values: impl Iterator<Item = &'a str>) {
        self.byte(b's');
        let at = self.0.len();
        self.number(0);
        let mut count = 0_u64;
        values.for_each(|value| {
            self.text(value);
            count += 1;
        });
        self.0[at..at + 8].copy_from_slice(&count.to_le_bytes());
    }

    pub fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// Reads what a [`Writer`] wrote.
#[derive(Debug)]
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub fn byte(&mut self) -> Result<u8, Short> {
        self.take::<1>().map(|[byte]| byte)
    }

    pub fn number(&mut self) -> Result<u64, Short> {
        self.take().map(u64::from_le_bytes)
    }

    pub fn short(&mut self) -> Result<u32, Short> {
        self.take().map(u32::from_le_bytes)
    }

    /// A number of things, which can't be more than there are bytes in any entry.
    pub fn count(&mut self) -> Result<usize, Short> {
        self.number().and_then(|count| u32::try_from(count).map_err(|_| Short)).map(|count| count as usize)
    }

    pub fn text(&mut self) -> Result<String, Short> {
        let length = self.count()?;
        let (text, rest) = self.0.split_at_checked(length).ok_or(Short)?;
        self.0 = rest;
        String::from_utf8(text.to_vec()).map_err(|_| Short)
    }

    /// How many there are, then each.
    pub fn items<T>(&mut self, mut read: impl FnMut(&mut Self) -> Result<T, Short>) -> Result<Vec<T>, Short> {
        let count = self.count()?;
        let mut items = Vec::with_capacity(count.min(self.0.len()));
        for _ in 0..count {
            items.push(read(self)?);
        }
        Ok(items)
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], Short> {
        let (taken, rest) = self.0.split_first_chunk::<N>().ok_or(Short)?;
        self.0 = rest;
        Ok(*taken)
    }
}
