//! CSV files: a line of column names, then a line for each row. An empty field is null.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    str::FromStr,
};

use csv::{Reader, ReaderBuilder, StringRecord};

use super::{Batch, Refused, Stored, Target};
use crate::batch::{Column, Element, Mark, Strings, Values};

/// A file, with the names of its columns.
#[derive(Debug)]
pub struct CsvFile {
    file: PathBuf,
    header: StringRecord,
    bytes: u64,
}

impl CsvFile {
    pub fn open(file: &Path) -> Result<Self, String> {
        let bytes = fs::metadata(file).map_err(|error| format!("can't be read: {error}"))?.len();
        let mut reader = reader(file)?;
        let header = reader.headers().map_err(unreadable)?.clone();
        Ok(Self { file: file.to_owned(), header, bytes })
    }

    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    pub fn has(&self, column: &str) -> bool {
        self.header.iter().any(|name| name == column)
    }

    pub fn check(&self, target: &Target) -> Result<(), String> {
        match self.header.iter().filter(|name| **name == target.name).count() {
            0 => Err("is not in the file".to_owned()),
            1 if target.of.list || target.of.width.is_some() => {
                Err(format!("can't be read as {} from CSV, which has no lists", target.of))
            }
            1 => Ok(()),
            _ => Err("is in the file twice".to_owned()),
        }
    }

    pub fn batches<'a>(&self, targets: &'a [Target], rows: usize) -> Result<CsvRows<'a>, String> {
        let place = |target: &Target| self.header.iter().position(|name| *name == target.name);
        let fields = targets.iter().map(place).collect::<Option<Vec<usize>>>();
        let fields = fields.ok_or("lacks a column that was checked")?;
        let mut reader = reader(&self.file)?;
        reader.headers().map_err(unreadable)?;
        Ok(CsvRows { reader, targets, fields, rows, ended: false })
    }
}

fn reader(file: &Path) -> Result<Reader<File>, String> {
    ReaderBuilder::new().from_path(file).map_err(unreadable)
}

fn unreadable(error: csv::Error) -> String {
    format!("can't be read: {error}")
}

/// The rows of a CSV file in batches; an error is the last.
#[derive(Debug)]
pub struct CsvRows<'a> {
    reader: Reader<File>,
    targets: &'a [Target],
    /// The place of each target's column.
    fields: Vec<usize>,
    /// The most rows of a batch.
    rows: usize,
    ended: bool,
}

impl Iterator for CsvRows<'_> {
    type Item = Result<Batch, String>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let begin = self.reader.position().byte();
        let mut builders: Vec<Builder> =
            self.targets.iter().map(|target| Builder::new(target.stored)).collect();
        let (mut refused, mut rows, mut record) = (Vec::new(), 0, StringRecord::new());
        while rows < self.rows {
            match self.reader.read_record(&mut record) {
                Ok(true) => {}
                Ok(false) => {
                    self.ended = true;
                    break;
                }
                Err(error) => {
                    self.ended = true;
                    return Some(Err(unreadable(error)));
                }
            }
            for (target, (builder, &field)) in builders.iter_mut().zip(&self.fields).enumerate() {
                if let Err(why) = builder.push(record.get(field).unwrap_or_default()) {
                    refused.push(Refused { target, row: rows, why });
                }
            }
            rows += 1;
        }
        let columns = builders.into_iter().map(Builder::finish).collect();
        let bytes = self.reader.position().byte() - begin;
        (rows > 0).then_some(Ok(Batch { columns, rows, bytes, refused }))
    }
}

/// A column in the making.
#[derive(Debug)]
enum Builder {
    Float32(Fields<f32>),
    Float64(Fields<f64>),
    Int64(Fields<i64>),
    Uint64(Fields<u64>),
    Bool(Fields<bool>),
    String(Fields<String>),
}

#[derive(Debug)]
struct Fields<T> {
    values: Vec<T>,
    marks: Vec<Mark>,
}

impl<T: Default> Fields<T> {
    fn new() -> Self {
        Self { values: Vec::new(), marks: Vec::new() }
    }

    /// Adds a field's value; null for an empty one.
    fn push(&mut self, text: &str, value: impl Fn(&str) -> Option<T>, kind: &str) -> Result<(), String> {
        let read = if text.is_empty() { None } else { value(text) };
        let mark = if read.is_some() { Mark::PRESENT } else { Mark::NULL };
        let bad = read.is_none() && !text.is_empty();
        self.values.push(read.unwrap_or_default());
        self.marks.push(mark);
        if bad { Err(format!("{text:?} is not {kind}")) } else { Ok(()) }
    }
}

impl Builder {
    fn new(stored: Stored) -> Self {
        match stored.element() {
            Element::Float64 if stored == Stored::Float64 => Self::Float64(Fields::new()),
            Element::Float64 => Self::Float32(Fields::new()),
            Element::Int64 => Self::Int64(Fields::new()),
            Element::Uint64 => Self::Uint64(Fields::new()),
            Element::Bool => Self::Bool(Fields::new()),
            Element::String => Self::String(Fields::new()),
        }
    }

    fn push(&mut self, text: &str) -> Result<(), String> {
        match self {
            Self::Float32(fields) => fields.push(text, parsed, "float32"),
            Self::Float64(fields) => fields.push(text, parsed, "float64"),
            Self::Int64(fields) => fields.push(text, parsed, "int64"),
            Self::Uint64(fields) => fields.push(text, parsed, "uint64"),
            Self::Bool(fields) => fields.push(text, bool_of, "true or false"),
            Self::String(fields) => fields.push(text, parsed, "string"),
        }
    }

    fn finish(self) -> Column {
        let (values, marks) = match self {
            Self::Float32(fields) => {
                (Values::Float64(fields.values.into_iter().map(f64::from).collect()), fields.marks)
            }
            Self::Float64(fields) => (Values::Float64(fields.values), fields.marks),
            Self::Int64(fields) => (Values::Int64(fields.values), fields.marks),
            Self::Uint64(fields) => (Values::Uint64(fields.values), fields.marks),
            Self::Bool(fields) => (Values::Bool(fields.values), fields.marks),
            Self::String(fields) => (Values::String(Strings::from_values(fields.values)), fields.marks),
        };
        Column { values, marks, list: None }
    }
}

fn parsed<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

/// As JSON and as Python write it.
fn bool_of(text: &str) -> Option<bool> {
    match text {
        "true" | "True" => Some(true),
        "false" | "False" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::Type;

    fn target(name: &str, stored: Stored) -> Target {
        Target { name: name.to_owned(), of: Type::scalar(stored.element()), stored }
    }

    fn written(text: &str) -> (tempfile::TempDir, CsvFile) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("rows.csv");
        fs::write(&file, text).expect("writes");
        let file = CsvFile::open(&file).expect("opens");
        (folder, file)
    }

    #[test]
    fn fields_are_read_by_their_columns_names() {
        let (_folder, file) = written("id,text,bid,on\n7,\"a,\"\"b\"\"\n\",0.1,true\n,,nan,False\n-1,é,,\n");
        let targets = [
            target("bid", Stored::Float32),
            target("id", Stored::Int64),
            target("text", Stored::String),
            target("on", Stored::Bool),
        ];
        let batches: Vec<Batch> =
            file.batches(&targets, 2).expect("reads").collect::<Result<_, _>>().expect("good");
        assert_eq!(batches.iter().map(|batch| batch.rows).collect::<Vec<_>>(), [2, 1]);
        let [bid, id, text, on] = batches[0].columns.as_slice() else { panic!("four columns") };
        assert_eq!(bid.float64()[0], f64::from(0.1_f32));
        assert!(bid.float64()[1].is_nan() && !bid.marks[1].is_null());
        assert_eq!((id.int64()[0], id.marks[1]), (7, Mark::NULL));
        assert_eq!((text.strings().get(0), text.marks[1]), ("a,\"b\"\n", Mark::NULL));
        assert_eq!(on.bool(), [true, false]);
        assert_eq!(batches[1].columns[2].strings().get(0), "é");
        let header = "id,text,bid,on\n".len() as u64;
        assert_eq!(batches.iter().map(|batch| batch.bytes).sum::<u64>(), file.bytes() - header);
    }

    #[test]
    fn what_does_not_fit_is_told() {
        let (_folder, file) = written("id,id,n\n1,2,x\n");
        assert!(file.check(&target("id", Stored::Int64)).expect_err("twice").contains("twice"));
        assert!(file.check(&target("more", Stored::Int64)).is_err());
        let list = Target { of: Type::scalar(Element::Int64).listed(), ..target("n", Stored::Int64) };
        assert!(file.check(&list).expect_err("a list").contains("list<int64>"));
        let targets = [target("n", Stored::Int64)];
        let batch = file.batches(&targets, 10).expect("reads").next().expect("a batch").expect("good");
        assert_eq!(batch.refused, [Refused { target: 0, row: 0, why: "\"x\" is not int64".to_owned() }]);
        let (_folder, short) = written("a,b\n1\n");
        let targets = [target("a", Stored::Int64)];
        assert!(short.batches(&targets, 10).expect("reads").next().expect("a batch").is_err());
    }
}
