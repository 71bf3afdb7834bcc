//! Finds the columns' types in all values of all files.

use std::collections::BTreeSet;

use super::{Found, FoundColumn, Import, NamedFile, texts::TextTypes};
use crate::{
    batch::{Column, Values},
    files::{Natural, Stored, Target, rows_at_once},
    problem::Problems,
    table::{
        Progress,
        column_type::ColumnType,
        schema::{Shape, WIDTH_LIMIT},
    },
};

/// What the values seen so far say of one column.
#[derive(Debug, Default)]
struct Evidence {
    name: String,
    /// The types that files state, each with the first file that does.
    types: Vec<(Natural, String)>,
    /// A type that no column can have.
    refused: Option<String>,
    /// Files that have the column.
    files: usize,
    texts: TextTypes,
    widths: BTreeSet<usize>,
    null_elements: bool,
    nulls: u64,
    example: Option<String>,
}

/// Reads all files; columns are in the order of the first file, those of the key first.
pub fn find(import: &Import, files: &[NamedFile], progress: &dyn Progress) -> Found {
    let mut problems = Problems::none();
    let mut columns: Vec<Evidence> = Vec::new();
    let mut rows = 0;
    for named in files {
        let evidence = states_of(named, import, &mut columns);
        match read(named, &evidence, &mut columns, progress) {
            Ok(read) => rows += read,
            Err(why) => problems.add(&named.name, why),
        }
    }
    check_names(import, &columns, files, &mut problems);
    let is_key = |column: &Evidence| import.key.contains(&column.name);
    let place = |column: &Evidence| import.key.iter().position(|key| *key == column.name);
    columns.sort_by_key(|column| place(column).unwrap_or(import.key.len()));
    let found = columns.into_iter().map(|column| {
        let of = column.decide(import, is_key(&column), files).map_err(|why| {
            problems.add(format!("column {}", column.name), why);
        });
        let Evidence { name, nulls, example, .. } = column;
        FoundColumn { is_key: import.key.contains(&name), name, of: of.ok(), nulls, example }
    });
    let columns: Vec<FoundColumn> = found.collect();
    Found { columns, rows, problems }
}

/// Notes what a file states; gives its readable columns with their places among all.
fn states_of(named: &NamedFile, import: &Import, columns: &mut Vec<Evidence>) -> Vec<(usize, Natural)> {
    let mut readable = Vec::new();
    let mut names = BTreeSet::new();
    for (name, natural) in named.file.columns() {
        // A column without a name is a data frame's index.
        if name.is_empty() || import.dropped.contains(&name) {
            continue;
        }
        let position = columns.iter().position(|column| column.name == name).unwrap_or_else(|| {
            columns.push(Evidence { name: name.clone(), ..Evidence::default() });
            columns.len() - 1
        });
        let column = &mut columns[position];
        if !names.insert(name) {
            column.refused = Some(format!("is in {} twice", named.name));
            continue;
        }
        column.files += 1;
        match natural {
            Ok(natural) => {
                if !column.types.iter().any(|(known, _)| *known == natural) {
                    column.types.push((natural, named.name.clone()));
                }
                readable.push((position, natural));
            }
            Err(why) => column.refused = Some(format!("{why} ({})", named.name)),
        }
    }
    readable.retain(|(position, _)| columns[*position].refused.is_none());
    readable
}

fn read(
    named: &NamedFile,
    readable: &[(usize, Natural)],
    columns: &mut [Evidence],
    progress: &dyn Progress,
) -> Result<u64, String> {
    let target = |(position, natural): &(usize, Natural)| natural.target(&columns[*position].name);
    let targets: Vec<Target> = readable.iter().map(target).collect();
    let mut rows = 0;
    for batch in named.file.batches(&targets, rows_at_once(&targets))? {
        let batch = batch?;
        for ((position, natural), column) in readable.iter().zip(&batch.columns) {
            columns[*position].add(*natural, column);
        }
        rows += batch.rows as u64;
        progress.add(0, batch.bytes);
    }
    Ok(rows)
}

/// Columns that were named on the command line are there.
fn check_names(import: &Import, columns: &[Evidence], files: &[NamedFile], problems: &mut Problems) {
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let known = |name: &String| names.contains(&name.as_str());
    let mut check = |option: &str, name: &String| {
        let message = match names[..] {
            [] => "is no column; the files are empty".to_owned(),
            _ => format!("is no column; the columns are {}", names.join(", ")),
        };
        problems.add(format!("{option} {name}"), message);
    };
    import.key.iter().filter(|name| !known(name)).for_each(|name| check("--key", name));
    import.stated.keys().filter(|name| !known(name)).for_each(|name| check("--column", name));
    let in_files: BTreeSet<String> =
        files.iter().flat_map(|named| named.file.columns()).map(|(name, _)| name).collect();
    import.dropped.iter().filter(|name| !in_files.contains(*name)).for_each(|name| check("--drop", name));
    let twice = |(place, name): &(usize, &String)| import.key[..*place].contains(name);
    for (_, name) in import.key.iter().enumerate().filter(twice) {
        problems.add(format!("--key {name}"), "is given twice");
    }
}

impl Evidence {
    fn add(&mut self, natural: Natural, column: &Column) {
        let marks = column.list.as_ref().map_or(&column.marks, |list| &list.marks);
        self.nulls += marks.iter().filter(|mark| mark.is_null()).count() as u64;
        if self.example.is_none() {
            let first = marks.iter().position(|mark| !mark.is_null());
            self.example = first.and_then(|row| {
                let Target { of, stored, .. } = natural.target("");
                column.text(of, stored.is_narrow_float(), row)
            });
        }
        if let (Some(list), false) = (&column.list, matches!(natural, Natural::Vectors(..))) {
            let lengths = list.offsets.windows(2).map(|pair| (pair[1] - pair[0]) as usize);
            // An empty list stands for a missing vector. Two lengths are as good as more.
            for length in lengths.filter(|length| *length > 0) {
                if self.widths.len() < 2 {
                    self.widths.insert(length);
                }
            }
            self.null_elements |= column.marks.iter().any(|mark| mark.is_null());
        }
        if let (Natural::Text, Values::String(texts)) = (natural, &column.values) {
            let present = texts.iter().zip(&column.marks).filter(|(_, mark)| !mark.is_null());
            present.for_each(|(text, _)| self.texts.add(text));
        }
    }

    /// The type that was stated, or else the one that loses nothing.
    fn decide(&self, import: &Import, is_key: bool, files: &[NamedFile]) -> Result<ColumnType, String> {
        if let Some(missing) = self.missing_in(files) {
            return Err(format!("is missing in {missing}; --drop {} leaves it out", self.name));
        }
        let stated = import.stated.get(&self.name).copied();
        // Lists of lists have no type by themselves, but may be stated to hold vectors.
        let of_vectors = |of: &ColumnType| matches!(of.shape, Shape::Vectors(_));
        if let Some(why) = self.refused.clone().filter(|_| !stated.as_ref().is_some_and(of_vectors)) {
            return Err(format!("{why}; --drop {} leaves it out", self.name));
        }
        let of = match stated {
            Some(of) => of,
            None => self.infer()?,
        };
        match (is_key, stated) {
            (true, None) => self.key_type(of),
            (true, Some(of)) if !of.is_key() => {
                Err(format!("{of} can't be a key: int64, uint64 and string can"))
            }
            _ => self.check_readable(of, files, stated.is_some()).map(|()| of),
        }
    }

    fn missing_in(&self, files: &[NamedFile]) -> Option<String> {
        let missing = files.iter().find(|named| !named.file.has(&self.name));
        missing.map(|named| named.name.clone())
    }

    /// A stated type must be one that each file's column is read as.
    fn check_readable(&self, of: ColumnType, files: &[NamedFile], cast: bool) -> Result<(), String> {
        let target = Target { cast, ..Target::new(&self.name, of.of(), of.stored) };
        let refused = files.iter().find_map(|named| Some((named, named.file.check(&target).err()?)));
        refused.map_or(Ok(()), |(named, why)| Err(format!("{why} ({})", named.name)))
    }

    /// Lists of vectors, where a file has them: those of all others are of the same width.
    fn vectors(&self) -> Option<Result<ColumnType, String>> {
        let stated = self.types.iter().filter(|(natural, _)| *natural != Natural::Null);
        let widths = stated.clone().map(|(natural, _)| match natural {
            Natural::Vectors(stored, width) => Some((*stored, *width)),
            _ => None,
        });
        let (stored, width) = widths.clone().flatten().next()?;
        let mut all = widths.map(|of| of.filter(|&(_, other)| other == width).map(|(stored, _)| stored));
        let joined = all.try_fold(stored, |before, stored| join(before, stored?));
        let stored = joined.map(|stored| if stored.is_float() { stored } else { Stored::Float32 });
        let misfit = || format!("is lists of vectors of {width} in one file and something else in another");
        Some(stored.map(|stored| ColumnType::new(stored, Shape::Vectors(width))).ok_or_else(misfit))
    }

    fn infer(&self) -> Result<ColumnType, String> {
        if let Some(found) = self.vectors() {
            return found;
        }
        let mut found: Option<(Stored, bool, &str)> = None;
        for (natural, file) in &self.types {
            let (stored, list) = match natural {
                Natural::Null => continue,
                Natural::Text => match self.texts.stored() {
                    Some(stored) => (stored, false),
                    None => continue,
                },
                Natural::Scalar(stored) => (*stored, false),
                Natural::List(stored) | Natural::Fixed(stored, _) | Natural::Vectors(stored, _) => {
                    (*stored, true)
                }
            };
            found = Some(match found {
                None => (stored, list, file),
                Some((before, before_list, first)) => {
                    let joined = join(before, stored).filter(|_| list == before_list);
                    let shown = |stored: Stored, list: bool| {
                        if list { format!("list<{stored}>") } else { stored.to_string() }
                    };
                    let joined = joined.ok_or_else(|| {
                        let (one, other) = (shown(before, before_list), shown(stored, list));
                        let name = &self.name;
                        let is_time = [before, stored].iter().any(|of| matches!(of, Stored::Time(_)));
                        let way_out = if list || before_list || is_time {
                            format!("--drop {name} leaves it out")
                        } else {
                            format!("--column {name}:string reads both as texts")
                        };
                        format!("is {one} in {first} and {other} in {file}; {way_out}")
                    })?;
                    (joined, list, first)
                }
            });
        }
        let Some((stored, list, _)) = found else {
            let name = &self.name;
            if self.nulls == 0 {
                return Err(format!(
                    "has no rows, so that its type is unknown: --column {name}:string states it"
                ));
            }
            return Err(format!(
                "every value is null, so that its type is unknown: --drop {name} leaves it out, --column \
                 {name}:float64 states it"
            ));
        };
        Ok(ColumnType::new(stored, if list { self.list_shape(stored) } else { Shape::Scalar }))
    }

    /// Lists of floats that all have one length are vectors.
    fn list_shape(&self, stored: Stored) -> Shape {
        let fixed =
            self.types.iter().all(|(natural, _)| matches!(natural, Natural::Fixed(..) | Natural::Null));
        match self.widths.first() {
            Some(&width)
                if self.widths.len() == 1
                    && (width > 1 || fixed)
                    && width <= WIDTH_LIMIT
                    && stored.is_float()
                    && !self.null_elements =>
            {
                Shape::Vector(width)
            }
            _ => Shape::List,
        }
    }

    fn key_type(&self, of: ColumnType) -> Result<ColumnType, String> {
        let key = |stored| Ok(ColumnType::new(stored, Shape::Scalar));
        match (of.shape, of.stored) {
            (Shape::Scalar, Stored::String) => key(Stored::String),
            (Shape::Scalar, Stored::Uint64) => key(Stored::Uint64),
            // Whole floats are how data frames write integers beside nulls; each value is looked at.
            (Shape::Scalar, stored) if !matches!(stored, Stored::Bool | Stored::Time(_)) => {
                key(Stored::Int64)
            }
            _ => Err(format!("{of} can't be a key: int64, uint64 and string can")),
        }
    }
}

/// The type that holds the values of both.
fn join(one: Stored, other: Stored) -> Option<Stored> {
    let order = |stored: Stored| match stored {
        Stored::Bool => 0,
        Stored::Int8 | Stored::Uint8 => 1,
        Stored::Int16 | Stored::Uint16 => 2,
        Stored::Int32 | Stored::Uint32 => 3,
        Stored::Int64 | Stored::Uint64 => 4,
        Stored::Float16 => 5,
        Stored::Float32 => 6,
        Stored::Float64 => 7,
        Stored::String | Stored::Time(_) => 8,
    };
    let (low, high) = if order(one) <= order(other) { (one, other) } else { (other, one) };
    match (low, high) {
        _ if one == other => Some(one),
        // The finer unit holds the times of both.
        (Stored::Time(one), Stored::Time(other)) if one.is_same_kind(other) => {
            let finer = one.time.unit().nanoseconds() <= other.time.unit().nanoseconds();
            Some(Stored::Time(if finer { one } else { other }))
        }
        (_, Stored::String | Stored::Time(_)) => None,
        (Stored::Bool, high) => Some(high),
        _ if low.element() == high.element() => Some(high),
        // Integers beside floats, or signed beside unsigned: the widest, and each value is looked at.
        _ if high.is_float() => Some(Stored::Float64),
        _ => Some(Stored::Int64),
    }
}
