//! Text files of rows: a line of column names, then a line for each row. An empty field is null.

mod dialect;
mod fields;
mod lists;
mod text;

use std::path::{Path, PathBuf};

use csv::{Reader, ReaderBuilder, StringRecord, Trim};

pub use dialect::{Dialect, Separator};
pub use fields::repeated;

use super::{Batch, Misfits, Target};
use fields::Builder;
use text::{END, Text};

/// A file, with the names of its columns.
#[derive(Debug)]
pub struct CsvFile {
    file: PathBuf,
    names: Vec<String>,
    /// Whether the first line has the names.
    has_header: bool,
    separator: Separator,
    nulls: Vec<String>,
    bytes: u64,
}

impl CsvFile {
    /// Opens a file whose separator and names are given or found.
    pub fn open(file: &Path, dialect: &Dialect) -> Result<Self, String> {
        let text = Text::open(file)?;
        let bytes = text.bytes();
        let head = text.head()?;
        let separator = match dialect.separator {
            Some(separator) => separator,
            None => Separator::find(&head),
        };
        let mut opened = Self {
            file: file.to_owned(),
            names: dialect.names.clone().unwrap_or_default(),
            has_header: dialect.names.is_none(),
            separator,
            nulls: dialect.nulls.clone(),
            bytes,
        };
        let mut reader = opened.reader()?;
        if opened.has_header {
            opened.names = header(&mut reader)?.unwrap_or_default().iter().map(str::to_owned).collect();
        }
        Ok(opened)
    }

    /// The file's size.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The names of its columns, in order.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    pub fn check(&self, target: &Target) -> Result<(), String> {
        match self.names.iter().filter(|name| **name == target.name).count() {
            0 => Err("is not in the file".to_owned()),
            1 => Ok(()),
            _ => Err("is in the file twice".to_owned()),
        }
    }

    /// The columns of `targets`, each of which was checked, in batches of at most `rows` rows.
    pub fn batches(&self, targets: Vec<Target>, rows: usize) -> Result<CsvRows, String> {
        let place = |target: &Target| self.names.iter().position(|name| *name == target.name);
        let fields = targets.iter().map(place).collect::<Option<Vec<usize>>>();
        let fields = fields.ok_or("lacks a column that was checked")?;
        let mut reader = self.reader()?;
        let ended = self.has_header && header(&mut reader)?.is_none();
        let nulls = self.nulls.clone();
        Ok(CsvRows {
            reader,
            columns: self.names.len(),
            targets,
            fields,
            nulls,
            rows,
            line: 0,
            seen: 0,
            ended,
        })
    }

    fn reader(&self) -> Result<Reader<Text>, String> {
        let trim = if self.separator.spaces { Trim::All } else { Trim::None };
        let mut builder = ReaderBuilder::new();
        builder.has_headers(self.has_header).flexible(true).delimiter(self.separator.byte).trim(trim);
        Ok(builder.from_reader(Text::open(&self.file)?.with_end()))
    }
}

/// The line of names; none in a file without a line.
fn header(reader: &mut Reader<Text>) -> Result<Option<StringRecord>, String> {
    let header = reader.headers().map_err(unreadable)?;
    match header.iter().next_back() {
        Some(END) if header.len() == 1 => Ok(None),
        Some(last) if last.contains(END) => Err(unclosed(1)),
        _ => Ok(Some(header.clone())),
    }
}

fn unclosed(line: u64) -> String {
    format!("line {line} has a quote that nothing closes")
}

fn unreadable(error: impl std::fmt::Display) -> String {
    format!("can't be read: {error}")
}

/// The rows of a file in batches; an error is the last.
#[derive(Debug)]
pub struct CsvRows {
    reader: Reader<Text>,
    /// How many columns each row must have.
    columns: usize,
    targets: Vec<Target>,
    /// The place of each target's column.
    fields: Vec<usize>,
    /// Texts that stand for null, beside the empty one.
    nulls: Vec<String>,
    /// The most rows of a batch.
    rows: usize,
    /// Where the last row begins.
    line: u64,
    /// Bytes of the file that were read for earlier batches.
    seen: u64,
    ended: bool,
}

impl Iterator for CsvRows {
    type Item = Result<Batch, String>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        match self.batch() {
            Ok(batch) => (batch.rows > 0).then_some(Ok(batch)),
            Err(why) => {
                self.ended = true;
                Some(Err(why))
            }
        }
    }
}

impl CsvRows {
    /// Reads the next row, if there is one.
    fn read_row(&mut self, record: &mut StringRecord) -> Result<bool, String> {
        if !self.reader.read_record(record).map_err(unreadable)? {
            return Err(unclosed(self.line));
        }
        if record.len() == 1 && record.get(0) == Some(END) {
            return match self.reader.read_record(record).map_err(unreadable)? {
                false => Ok(false),
                true => Err("has bytes of 0, which no text has".to_owned()),
            };
        }
        self.line = record.position().map_or(0, csv::Position::line);
        Ok(true)
    }

    fn batch(&mut self) -> Result<Batch, String> {
        let mut builders: Vec<Builder> = self.targets.iter().map(Builder::new).collect();
        let mut misfits = vec![Misfits::default(); self.targets.len()];
        let (mut rows, mut record) = (0, StringRecord::new());
        while rows < self.rows {
            if !self.read_row(&mut record)? {
                self.ended = true;
                break;
            }
            if record.len() != self.columns {
                let line = self.line;
                if record.iter().next_back().is_some_and(|last| last.contains(END)) {
                    return Err(unclosed(line));
                }
                let (fields, names) = (record.len(), self.columns);
                return Err(format!("line {line} has {fields} fields for {names} columns"));
            }
            let columns = self.targets.iter().zip(&mut builders).zip(&mut misfits).zip(&self.fields);
            for (((target, builder), misfits), &field) in columns {
                let text = record.get(field).unwrap_or_default();
                let text = if self.nulls.iter().any(|null| null == text) { "" } else { text };
                builder.push(text, target, &mut |misfit| misfits.add(rows, misfit));
            }
            rows += 1;
        }
        let columns = builders.into_iter().map(Builder::finish).collect();
        let seen = self.reader.get_ref().bytes_read();
        let bytes = seen - std::mem::replace(&mut self.seen, seen);
        Ok(Batch { columns, rows, bytes, misfits })
    }
}

#[cfg(test)]
mod tests;
