//! An append-only journal: entries that survive the end of the process and of the machine.
//!
//! One file of a folder holds the entries; each has a sequence number and a checksum. What was being written when the
//! machine stopped is cut off on opening; an entry that is missing or damaged before others is a gap, and is reported.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use xxhash_rust::xxh3::xxh3_64;

mod read;

pub use read::Recovered;
use read::{END, FRAME, MARK, START};

/// The journal of one table, open for writing.
#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    file: File,
    /// The number of the file; one that replaces it has a higher one.
    generation: u64,
    /// The sequence number of the next entry.
    next: u64,
    bytes: u64,
    /// Bytes of the file when it replaced the one before.
    begun_with: u64,
    /// Whether an entry could not be written whole, so that none may follow.
    broken: bool,
}

impl Journal {
    /// Opens the journal of a folder, which is made unless it is there; `take` receives every entry in order.
    pub fn open(folder: &Path, take: &mut dyn FnMut(&[u8])) -> io::Result<(Self, Recovered)> {
        make_folder(folder)?;
        let generation = newest(folder)?;
        let path = folder.join(name(generation));
        if !path.exists() {
            create(folder, generation, 0, &[])?;
        }
        let content = fs::read(&path)?;
        let recovered = read::read(&content, take);
        let file = OpenOptions::new().append(true).open(&path)?;
        file.set_len(recovered.bytes)?;
        file.sync_data()?;
        drop_others(folder, generation)?;
        let (next, bytes) = (recovered.next, recovered.bytes);
        let journal =
            Self { folder: folder.to_owned(), file, generation, next, bytes, begun_with: 0, broken: false };
        Ok((journal, recovered))
    }

    /// Appends entries. Once this returns they survive the end of the process and of the machine.
    pub fn append<E: AsRef<[u8]>>(&mut self, entries: &[E]) -> io::Result<()> {
        if self.broken {
            return Err(io::Error::other("an entry before could not be written"));
        }
        let mut written = Vec::new();
        for (entry, sequence) in entries.iter().zip(self.next..) {
            frame(&mut written, sequence, entry.as_ref())?;
        }
        let result = self.file.write_all(&written).and_then(|()| self.file.sync_data());
        match result {
            Ok(()) => {
                self.next += entries.len() as u64;
                self.bytes += written.len() as u64;
                Ok(())
            }
            Err(error) => {
                // What lies behind the last good entry may be a part of one: it is taken away, or nothing more is written.
                self.broken = self.file.set_len(self.bytes).and_then(|()| self.file.sync_data()).is_err();
                Err(error)
            }
        }
    }

    /// Replaces all entries by others that say the same in fewer bytes.
    pub fn replace<E: AsRef<[u8]>>(&mut self, entries: &[E]) -> io::Result<()> {
        let generation = self.generation + 1;
        let mut written = Vec::new();
        for (entry, sequence) in entries.iter().zip(self.next..) {
            frame(&mut written, sequence, entry.as_ref())?;
        }
        let file = create(&self.folder, generation, self.next, &written)?;
        self.file = file;
        self.generation = generation;
        self.next += entries.len() as u64;
        self.bytes = (START + written.len()) as u64;
        (self.begun_with, self.broken) = (self.bytes, false);
        drop_others(&self.folder, generation)
    }

    /// Bytes of the file.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether the file has grown so much that replacing its entries pays: to twice what it began with, and more.
    pub fn is_long(&self, least: u64) -> bool {
        self.bytes > self.begun_with.saturating_mul(2).saturating_add(least)
    }
}

/// Makes a table's folder such that it is still there after the machine stopped: the folder of all journals, which may be
/// new too, and the one above are synced.
fn make_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for above in folder.ancestors().skip(1).take(2).filter(|above| !above.as_os_str().is_empty()) {
        File::open(above)?.sync_all()?;
    }
    Ok(())
}

/// Adds an entry with what comes before it.
fn frame(to: &mut Vec<u8>, sequence: u64, entry: &[u8]) -> io::Result<()> {
    let length = u32::try_from(entry.len()).map_err(|_| io::Error::other("an entry of 4 GiB or more"))?;
    to.reserve(FRAME + entry.len());
    to.extend_from_slice(&MARK);
    to.extend_from_slice(&length.to_le_bytes());
    to.extend_from_slice(&sequence.to_le_bytes());
    to.extend_from_slice(&checksum(sequence, entry).to_le_bytes());
    to.extend_from_slice(entry);
    Ok(())
}

fn checksum(sequence: u64, entry: &[u8]) -> u64 {
    xxh3_64(entry) ^ xxh3_64(&sequence.to_le_bytes()).rotate_left(1)
}

fn name(generation: u64) -> String {
    format!("{generation:020}{END}")
}

/// Writes a file aside and renames it into place.
fn create(folder: &Path, generation: u64, first: u64, entries: &[u8]) -> io::Result<File> {
    let aside = folder.join(format!("{generation:020}.part"));
    let mut file = File::create(&aside)?;
    file.write_all(&read::start(first))?;
    file.write_all(entries)?;
    file.sync_all()?;
    let path = folder.join(name(generation));
    fs::rename(&aside, &path)?;
    File::open(folder)?.sync_all()?;
    OpenOptions::new().append(true).open(path)
}

/// The highest generation of a folder, 1 where there is none.
fn newest(folder: &Path) -> io::Result<u64> {
    let mut newest = 1;
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(END)?.parse().ok());
        newest = newest.max(number.unwrap_or(newest));
    }
    Ok(newest)
}

/// Removes the files that the newest one replaces, and those that were not finished.
fn drop_others(folder: &Path, generation: u64) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let file = entry.file_name();
        let file = file.to_string_lossy();
        let ours = file.ends_with(END) || file.ends_with(".part");
        if ours && *file != name(generation) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
