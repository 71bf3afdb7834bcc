//! Reading a journal's file, damaged ones too.

use std::fmt;

use super::checksum;

/// What a file begins with: the format, and the sequence number of its first entry.
const FORMAT: [u8; 8] = *b"quiverj1";

/// Bytes before the first entry.
pub const START: usize = FORMAT.len() + 8;

/// What each entry begins with, so that the next one is found behind a damaged one.
pub const MARK: [u8; 4] = *b"\xf1qj\n";

/// Bytes before an entry: mark, length, sequence number, checksum.
pub const FRAME: usize = MARK.len() + 4 + 8 + 8;

/// How files' names end.
pub const END: &str = ".journal";

/// What was found on opening.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Entries that are whole.
    pub entries: u64,
    /// Bytes at the end that were being written when the process or the machine stopped. They were never
    /// acknowledged, and are cut off.
    pub unfinished: u64,
    /// Entries that were written and are lost.
    pub gaps: Vec<Gap>,
    /// The sequence number that comes next.
    pub next: u64,
    /// Bytes up to the end of the last entry.
    pub bytes: u64,
}

/// Entries that are missing among others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The byte of the file at which they should have been.
    pub at: u64,
    /// The first sequence number that is missing, and the one that is there again.
    pub from: u64,
    pub to: u64,
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, from, to } = self;
        write!(f, "{} entries from number {from} on are missing at byte {at}", to.saturating_sub(*from))
    }
}

/// The bytes that a file begins with.
pub fn start(first: u64) -> [u8; START] {
    let mut bytes = [0; START];
    bytes[..FORMAT.len()].copy_from_slice(&FORMAT);
    bytes[FORMAT.len()..].copy_from_slice(&first.to_le_bytes());
    bytes
}

/// Reads a file's entries.
pub fn read(content: &[u8], take: &mut dyn FnMut(&[u8])) -> Recovered {
    let mut recovered = Recovered { bytes: START as u64, ..Recovered::default() };
    let mut at = START.min(content.len());
    if let Some((format, first)) = content.get(..START).map(|start| start.split_at(FORMAT.len())) {
        recovered.next = u64::from_le_bytes(first.try_into().unwrap_or_default());
        if format != FORMAT {
            at = 0;
        }
    }
    while let Some((start, sequence, entry)) = next_entry(content, at) {
        if sequence != recovered.next {
            recovered.gaps.push(Gap { at: at as u64, from: recovered.next, to: sequence });
        }
        take(entry);
        at = start + FRAME + entry.len();
        recovered.entries += 1;
        recovered.next = sequence + 1;
        recovered.bytes = at as u64;
    }
    recovered.unfinished = content.len().saturating_sub(recovered.bytes as usize) as u64;
    recovered
}

/// The next whole entry from byte `from` on: where it begins, its number and itself.
fn next_entry(content: &[u8], from: usize) -> Option<(usize, u64, &[u8])> {
    let mut at = from;
    loop {
        if let Some((sequence, entry)) = entry_at(content, at) {
            return Some((at, sequence, entry));
        }
        let rest = content.get(at + 1..)?;
        at += 1 + rest.windows(MARK.len()).position(|window| window == MARK)?;
    }
}

fn entry_at(content: &[u8], at: usize) -> Option<(u64, &[u8])> {
    let frame = content.get(at..at + FRAME)?;
    let (mark, frame) = frame.split_at(MARK.len());
    let (length, frame) = frame.split_at(4);
    let (sequence, sum) = frame.split_at(8);
    let length = u32::from_le_bytes(length.try_into().ok()?) as usize;
    let sequence = u64::from_le_bytes(sequence.try_into().ok()?);
    let entry = content.get(at + FRAME..(at + FRAME).checked_add(length)?)?;
    let good = mark == MARK && sum == checksum(sequence, entry).to_le_bytes();
    good.then_some((sequence, entry))
}
