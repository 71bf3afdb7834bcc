//! Files of rows held against a spec's inputs, and their batches as columns of requests.

use std::path::Path;

use crate::{
    batch::{Column, Mark, Type},
    files::{Batch, Found, Losses, Refusals, RowBatches, RowFile, Stored, Target},
    problem::Problems,
    serve::request::RequestColumn,
    spec::{Input, ScalarType, Spec},
};

/// A file and the inputs that it has columns for.
#[derive(Debug)]
pub struct InputFile {
    name: String,
    file: RowFile,
    targets: Vec<Target>,
    /// The type of each target's input.
    scalars: Vec<ScalarType>,
}

/// Opens all files and checks their columns, so that wrong ones are rejected before the long work; reports all problems.
pub fn open_all(found: &[Found], spec: &Spec, lossy: bool, problems: &mut Problems) -> Vec<InputFile> {
    let mut files = Vec::new();
    for found in found {
        match RowFile::open(found) {
            Ok(file) => files.push(InputFile::check(&found.path, file, spec, lossy, problems)),
            Err(why) => problems.add(found.path.display().to_string(), why),
        }
    }
    files
}

impl InputFile {
    fn check(path: &Path, file: RowFile, spec: &Spec, lossy: bool, problems: &mut Problems) -> Self {
        let name = path.display().to_string();
        let (mut targets, mut scalars) = (Vec::new(), Vec::new());
        for input in &spec.inputs {
            let place = || format!("{name}, column {}", input.name);
            let target = Target { lossy, ..target(input) };
            if !file.has(&input.name) {
                if input.required {
                    let (name, dtype) = (&input.name, input.dtype);
                    problems.add(place(), format!("is missing; input {name:?} ({dtype}) is required"));
                }
                continue;
            }
            if let Err(why) = file.check(&target) {
                problems.add(place(), why);
            }
            targets.push(target);
            scalars.push(input.dtype.scalar);
        }
        Self { name, file, targets, scalars }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file's size.
    pub fn bytes(&self) -> u64 {
        self.file.bytes()
    }

    pub fn batches(&self, rows: usize) -> Result<RowBatches, String> {
        self.file.batches(&self.targets, rows)
    }

    /// Adds what a batch lost where that was asked for, else rejects it; `first_row` is the number of the batch's first
    /// row in the file.
    pub fn sort_misfits(
        &self,
        batch: &Batch,
        first_row: usize,
        refusals: &mut Refusals,
        losses: &mut Losses,
    ) {
        for (target, misfits) in self.targets.iter().zip(&batch.misfits) {
            let place = |row: usize| format!("{}, row {}", self.name, first_row + row);
            if target.lossy {
                losses.add(&target.name, misfits, place);
            } else {
                misfits.refuse("--lossy", refusals, |row| format!("{}, column {}", place(row), target.name));
            }
        }
    }

    /// The names and types of the columns that batches have.
    pub fn columns(&self) -> impl Iterator<Item = (&str, Type)> {
        self.targets.iter().map(|target| (target.name.as_str(), target.of))
    }

    /// A batch as the columns of a request.
    pub fn request_columns(&self, batch: Batch) -> Vec<RequestColumn> {
        let columns = self.targets.iter().zip(&self.scalars).zip(batch.columns);
        columns.map(|((target, &scalar), column)| request_column(&target.name, scalar, column)).collect()
    }
}

fn target(input: &Input) -> Target {
    let stored = match input.dtype.scalar {
        ScalarType::Float32 => Stored::Float32,
        ScalarType::Float64 => Stored::Float64,
        ScalarType::Int64 => Stored::Int64,
        ScalarType::Uint64 => Stored::Uint64,
        ScalarType::Bool => Stored::Bool,
        ScalarType::String => Stored::String,
        ScalarType::Time(of) => Stored::Time(of),
    };
    Target::new(&input.name, input.column_type(), stored)
}

fn request_column(name: &str, scalar: ScalarType, column: Column) -> RequestColumn {
    let of_values = nulls(&column.marks);
    let (offsets, nulls, null_elements) = match column.list {
        Some(list) => (Some(list.offsets), nulls(&list.marks), of_values),
        None => (None, of_values, Vec::new()),
    };
    let name = name.to_owned();
    RequestColumn {
        name,
        scalar: scalar.carrier(),
        time_unit: scalar.time_unit(),
        values: column.values,
        indices: None,
        offsets,
        nulls,
        null_elements,
    }
}

fn nulls(marks: &[Mark]) -> Vec<u32> {
    let numbered = (0..).zip(marks);
    numbered.filter(|(_, mark)| mark.is_null()).map(|(position, _)| position).collect()
}

#[cfg(test)]
mod tests {
    use std::{fs, path::PathBuf};

    use super::*;
    use crate::{
        files::{self, Dialect, Format},
        spec::read::spec_from_text,
    };

    const SPEC: &str = r#"{"format": "quiver.spec/1", "name": "s", "version": 1, "inputs": [
        {"name": "id", "dtype": "int64", "scope": "request", "required": true},
        {"name": "bid", "dtype": "float64", "scope": "row", "required": false, "nan": "null"},
        {"name": "words", "dtype": "list<string>", "scope": "row", "required": false}],
        "features": [], "outputs": []}"#;

    #[test]
    fn every_problem_of_every_file_is_told() {
        let (spec, _) = spec_from_text(SPEC).expect("a spec");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).expect("writes");
            path
        };
        let paths = [
            write("good.csv", "bid,id,clicked\n1,2,1\n"),
            write("bad.csv", "bid,bid,words\n"),
            write("rows.txt", "id\n"),
            folder.path().join("none.csv"),
        ];
        let opened = |paths: &[PathBuf], format| {
            let mut problems = Problems::none();
            let mut found = Vec::new();
            for path in paths {
                match files::find(path, format, &Dialect::default()) {
                    Ok(files) => found.extend(files),
                    Err(why) => problems.add(path.display().to_string(), why),
                }
            }
            let files = open_all(&found, &spec, false, &mut problems);
            problems.or(files)
        };
        let problems = opened(&paths, None).expect_err("several").to_string();
        let reported: Vec<&str> =
            problems.lines().filter_map(|line| line.rsplit_once('/')).map(|(_, rest)| rest).collect();
        assert!(reported[0].starts_with("rows.txt: must be named"), "{problems}");
        assert_eq!(reported[1], "bad.csv, column id: is missing; input \"id\" (int64) is required");
        assert_eq!(reported[2], "bad.csv, column bid: is in the file twice");
        assert!(reported[3].starts_with("none.csv: can't be read"), "{problems}");
        let files = opened(&paths[2..3], Some(Format::Csv)).expect("the format is given");
        assert_eq!(files[0].targets.len(), 1);
    }
}
