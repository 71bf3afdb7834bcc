//! The bytes of a text file, unpacked where it is compressed.

use std::{
    fmt,
    fs::File,
    io::{self, BufReader, Cursor, Read},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use flate2::read::MultiGzDecoder;

use crate::files::regular;

/// What gzip and zstd files begin with.
const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// What is read behind the text: a line that no text has. A quote that nothing closes takes it for its own.
pub const END: &str = "\0\0\0";
const END_LINE: &[u8] = b"\n\0\0\0\n";

/// Bytes that are looked at to find the separator.
const HEAD: usize = 1 << 16;

/// A text that is read from its beginning.
pub struct Text {
    reader: Box<dyn Read + Send>,
    bytes: u64,
    read: Arc<AtomicU64>,
}

/// Counts what is read of a file.
struct Counted {
    file: File,
    read: Arc<AtomicU64>,
}

impl Text {
    /// Opens a file; its first bytes say whether it is compressed.
    pub fn open(file: &Path) -> Result<Self, String> {
        Self::try_open(file).map_err(|error| format!("can't be read: {error}"))
    }

    fn try_open(path: &Path) -> io::Result<Self> {
        let file = regular::open(path)?;
        let bytes = file.metadata()?.len();
        let read = Arc::new(AtomicU64::new(0));
        let mut file = BufReader::new(Counted { file, read: read.clone() });
        let mut start = Vec::new();
        file.by_ref().take(ZSTD.len() as u64).read_to_end(&mut start)?;
        let is_gzip = start.starts_with(&GZIP);
        let is_zstd = start == ZSTD;
        let whole = Cursor::new(start).chain(file);
        let reader: Box<dyn Read + Send> = if is_gzip {
            Box::new(MultiGzDecoder::new(whole))
        } else if is_zstd {
            Box::new(zstd::Decoder::new(whole)?)
        } else {
            Box::new(whole)
        };
        Ok(Self { reader, bytes, read })
    }

    /// The file's size.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How much of the file was read so far.
    pub fn bytes_read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// The same with the line [`END`] behind it.
    pub fn with_end(self) -> Self {
        Self { reader: Box::new(self.reader.chain(END_LINE)), ..self }
    }

    /// The first bytes of the text.
    pub fn head(self) -> Result<Vec<u8>, String> {
        let mut head = Vec::new();
        let read = self.reader.take(HEAD as u64).read_to_end(&mut head);
        read.map_err(|error| format!("can't be read: {error}"))?;
        Ok(head)
    }
}

impl Read for Text {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buffer)
    }
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Text").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}
