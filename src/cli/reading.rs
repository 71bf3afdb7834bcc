//! How files of rows are found and read, for every command that takes some.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::{
    files::{self, Dialect, Found, Separator},
    problem::Problems,
};

#[derive(Debug, Args)]
pub struct Reading {
    /// The files' format, if their names don't end with it
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// The field separator of CSV, such as ';' or tab; detected in the header if not given. With a space after it,
    /// spaces around fields are trimmed
    #[arg(long, value_name = "CHARACTER")]
    separator: Option<Separator>,
    /// The column names of CSV without a header, separated by commas
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    no_header: Option<Vec<String>>,
    /// A CSV text that is read as null, besides the empty one; may be repeated
    #[arg(long = "null", value_name = "TEXT")]
    nulls: Vec<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Parquet,
    Arrow,
    Csv,
}

impl From<Format> for files::Format {
    fn from(format: Format) -> Self {
        match format {
            Format::Parquet => Self::Parquet,
            Format::Arrow => Self::Arrow,
            Format::Csv => Self::Csv,
        }
    }
}

impl Reading {
    /// The files that paths, folders and patterns stand for.
    pub fn find(&self, paths: &[PathBuf], problems: &mut Problems) -> Vec<Found> {
        let dialect =
            Dialect { separator: self.separator, names: self.no_header.clone(), nulls: self.nulls.clone() };
        let mut all = Vec::new();
        for path in paths {
            match files::find(path, self.format.map(files::Format::from), &dialect) {
                Ok(found) => all.extend(found),
                Err(why) => problems.add(path.display().to_string(), why),
            }
        }
        all
    }
}
