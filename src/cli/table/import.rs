//! `quiver table import`: a new version of a table, of files of any kind.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};
use comfy_table::Cell;
use indicatif::{BinaryBytes, HumanCount};

use super::super::{
    Failure,
    grid::{grid, right},
    print,
    reading::Reading,
};
use crate::{
    config::ShowProgress,
    files::{self, NamedArray, RowFile},
    loading::Loading,
    problem::Problems,
    table::{
        ColumnType, Table, check_plain_name,
        import::{Found, Import, Keep, NamedFile},
    },
};

#[derive(Debug, Args)]
#[command(
    after_help = "Types are those that lose nothing: integers and floats as the files have them, lists of floats of one \
    length as vectors, texts of CSV as the tightest type that all of them have. What would lose something is rejected \
    with its row; --lossy takes the nearest value, or null where none is near.\n\n\
    Examples:\n  \
    quiver table import ads.csv --key ad_id --name ads --repository DIR\n  \
    quiver table import 'ads/day=*/*.parquet' --key ad_id --name ads --repository DIR --column 'emb:float32[64]' --lossy\n  \
    quiver table import emb.npy --ids ids.txt --key user_id --name users --repository DIR"
)]
pub struct Arguments {
    /// Files of rows: Parquet, Arrow IPC, CSV; folders and patterns of them; or *.npy and *.safetensors, each array of
    /// which is a column
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// A column of the key; several make a composite key
    #[arg(long, required = true, value_name = "COLUMN")]
    key: Vec<String>,
    /// The table's name
    #[arg(long, value_name = "NAME")]
    name: String,
    /// The repository's folder
    #[arg(long, value_name = "DIR")]
    repository: PathBuf,
    /// The new version's number; the highest plus 1 if not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    version: Option<u32>,
    /// A column's type, as in price:float64, tags:list<string> and emb:float32[64]
    #[arg(long = "column", value_name = "NAME:TYPE", value_parser = stated)]
    columns: Vec<(String, ColumnType)>,
    /// A column to leave out; may be repeated
    #[arg(long, value_name = "COLUMN")]
    drop: Vec<String>,
    /// Takes the nearest value, or null, if the column's type can't hold the file's
    #[arg(long)]
    lossy: bool,
    /// The keys of arrays: a .npy of them, a text file with one per line, or row-number
    #[arg(long, value_name = "FILE")]
    ids: Option<String>,
    /// Which of the rows with the same key is kept; an error if not given
    #[arg(long, value_enum)]
    duplicates: Option<Duplicates>,
    /// How to treat rows without a key; an error if not given
    #[arg(long, value_enum)]
    null_keys: Option<NullKeys>,
    /// Lets TableService write rows of the table while it is served
    #[arg(long)]
    live: bool,
    /// When the rows were true, for lookups with a max_age: a column of timestamps or dates, or a time with its offset for
    /// all rows
    #[arg(long, value_name = "COLUMN|TIME")]
    event_time: Option<String>,
    /// Shows the types and writes nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    reading: Reading,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Duplicates {
    First,
    Last,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum NullKeys {
    Drop,
}

/// A name may have colons too: the type is what is behind the first one that makes it a type.
fn stated(text: &str) -> Result<(String, ColumnType), String> {
    let splits = text.match_indices(':').map(|(place, _)| (&text[..place], &text[place + 1..]));
    let mut problem = "must be NAME:TYPE, as in price:float64".to_owned();
    for (name, of) in splits {
        match of.parse() {
            Ok(of) => return Ok((name.to_owned(), of)),
            Err(why) => problem = why,
        }
    }
    Err(problem)
}

/// Finds the types, shows them, and writes a version that loads.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let files = open_files(arguments)?;
    let folder = arguments.repository.join("tables").join(&arguments.name);
    let import = import(arguments, &folder)?;
    let bytes: u64 = files.iter().map(|named| named.file.bytes()).sum();
    let loading = Loading::over("finding types", bytes, ShowProgress::Auto);
    let found = import.find(&files, &loading);
    loading.finish();
    print(&format!("{}\n", columns(&found)))?;
    super::changes::changes(&folder, &found).iter().for_each(|change| eprintln!("note: {change}"));
    found.problems.or(()).map_err(failed)?;
    if arguments.dry_run {
        return Ok(());
    }
    let aside = Aside::create(&folder, import.version)?;
    // Keys are read first, then rows.
    let loading = Loading::over("importing", bytes * 2, ShowProgress::Auto);
    let imported = import.write(&files, &found.columns, &aside.path, &loading);
    loading.finish();
    let imported = imported.map_err(failed)?;
    let table = Table::load(&aside.path, &crate::table::Silent).map_err(failed)?;
    aside.publish()?;
    eprint!("{}", imported.losses);
    let dropped = imported.dropped;
    for (count, what) in
        [(dropped.duplicates, "with another row's key"), (dropped.null_keys, "without a key")]
    {
        if count > 0 {
            let noun = if count == 1 { "row" } else { "rows" };
            eprintln!("{} {noun} {what} left out", HumanCount(count));
        }
    }
    print(&format!(
        "{} rows in {}, {} in memory\n",
        HumanCount(table.rows().into()),
        folder.join(import.version.to_string()).display(),
        BinaryBytes(table.memory() as u64)
    ))
}

fn failed(problems: Problems) -> Failure {
    Failure::Failed(problems.to_string())
}

fn import(arguments: &Arguments, folder: &Path) -> Result<Import, Failure> {
    let mut problems = Problems::none();
    let name = &arguments.name;
    if let Err(why) = check_plain_name(name) {
        problems.add("--name", why);
    }
    let next = super::versions(folder).into_iter().max().map_or(1, |newest| newest.saturating_add(1));
    let version = arguments.version.unwrap_or(next);
    if folder.join(version.to_string()).exists() {
        problems.add("--version", format!("{version} is there already; the next one is {next}"));
    }
    let mut stated: BTreeMap<String, ColumnType> = BTreeMap::new();
    for (column, of) in &arguments.columns {
        if stated.insert(column.clone(), *of).is_some() {
            problems.add("--column", format!("{column} is given twice"));
        }
    }
    let dropped: BTreeSet<String> = arguments.drop.iter().cloned().collect();
    for key in arguments.key.iter().filter(|key| dropped.contains(*key)) {
        problems.add("--drop", format!("{key} is a column of the key"));
    }
    problems.or(()).map_err(Failure::usage)?;
    Ok(Import {
        name: name.clone(),
        version,
        key: arguments.key.clone(),
        stated,
        dropped,
        lossy: arguments.lossy,
        duplicates: arguments.duplicates.map(|keep| match keep {
            Duplicates::First => Keep::First,
            Duplicates::Last => Keep::Last,
        }),
        drop_null_keys: arguments.null_keys == Some(NullKeys::Drop),
        live: arguments.live,
        event_time: arguments.event_time.clone(),
    })
}

fn open_files(arguments: &Arguments) -> Result<Vec<NamedFile>, Failure> {
    let is_arrays =
        |path: &PathBuf| path.extension().is_some_and(|ending| ending == "npy" || ending == "safetensors");
    let arrays = arguments.files.iter().filter(|path| is_arrays(path)).count();
    if arrays == arguments.files.len() {
        return open_arrays(arguments);
    }
    let mut problems = Problems::none();
    if arrays > 0 {
        problems.add("FILE", "arrays (*.npy, *.safetensors) and files of rows can't be one table");
    }
    if arguments.ids.is_some() {
        problems.add("--ids", "goes with *.npy and *.safetensors; files of rows have their key in columns");
    }
    problems.or(()).map_err(Failure::usage)?;
    let mut problems = Problems::none();
    let found = arguments.reading.find(&arguments.files, &mut problems);
    let mut files = Vec::new();
    for found in found {
        let name = found.path.display().to_string();
        match RowFile::open(&found) {
            Ok(file) => files.push(NamedFile { name, file }),
            Err(why) => problems.add(name, why),
        }
    }
    problems.or(files).map_err(failed)
}

/// All arrays of all files side by side, and the keys.
fn open_arrays(arguments: &Arguments) -> Result<Vec<NamedFile>, Failure> {
    let mut problems = Problems::none();
    let mut arrays: Vec<NamedArray> = Vec::new();
    for path in &arguments.files {
        match files::open_arrays(path) {
            Ok(opened) => arrays.extend(opened),
            Err(why) => problems.add(path.display().to_string(), why),
        }
    }
    name_the_array(arguments, &mut arrays);
    if let Some(ids) = &arguments.ids {
        match (&arguments.key[..], arrays.first().map(NamedArray::rows)) {
            ([key], Some(rows)) => match files::ids(key, ids, rows) {
                Ok(ids) => arrays.push(ids),
                Err(why) => problems.add(ids, why),
            },
            (_, None) => {}
            _ => problems.add("--ids", "goes with a key of one column"),
        }
    } else if !arguments.key.iter().all(|key| arrays.iter().any(|array| array.name == *key)) {
        problems
            .add("--ids", "must say where the keys are: a .npy, a text of one on each line, or row-number");
    }
    problems.or(()).map_err(failed)?;
    let [name, ..] = &arguments.files[..] else { return Ok(Vec::new()) };
    let name = name.display().to_string();
    let file = RowFile::of_arrays(arrays).map_err(|why| Failure::of(&name, why))?;
    Ok(vec![NamedFile { name, file }])
}

/// A single `.npy` has no name of its own: where the only column of a stated type is none of the arrays, it is meant.
fn name_the_array(arguments: &Arguments, arrays: &mut [NamedArray]) {
    let is_npy = arguments.files[0].extension().is_some_and(|ending| ending == "npy");
    let values = arguments.columns.iter().filter(|(name, _)| !arguments.key.contains(name));
    if let ([array], [(name, _)], true) = (arrays, &values.collect::<Vec<_>>()[..], is_npy) {
        array.name.clone_from(name);
    }
}

fn columns(found: &Found) -> comfy_table::Table {
    let mut table = grid(["column", "type", "nulls", "example"]);
    for column in &found.columns {
        let of = column.of.map_or_else(|| "?".to_owned(), |of| of.to_string());
        table.add_row([
            Cell::new(&column.name),
            Cell::new(if column.is_key { format!("{of} (key)") } else { of }),
            right(HumanCount(column.nulls)),
            Cell::new(shortened(column.example.as_deref().unwrap_or_default())),
        ]);
    }
    table
}

/// A long text's beginning.
fn shortened(text: &str) -> String {
    const SHOWN: usize = 48;
    let mut letters = text.chars();
    let start: String = letters.by_ref().take(SHOWN).collect();
    if letters.next().is_some() { format!("{start}…") } else { start }
}

/// A version's folder in the making, which is removed where it is not published.
struct Aside {
    path: PathBuf,
    target: PathBuf,
    published: bool,
}

impl Aside {
    fn create(table: &Path, version: u32) -> Result<Self, Failure> {
        let path = table.join(format!(".{version}.{}.part", std::process::id()));
        let target = table.join(version.to_string());
        fs::create_dir_all(&path).map_err(|error| Failure::of(&path.display().to_string(), error))?;
        Ok(Self { path, target, published: false })
    }

    fn publish(mut self) -> Result<(), Failure> {
        let named = fs::rename(&self.path, &self.target);
        named.map_err(|error| Failure::of(&self.target.display().to_string(), error))?;
        self.published = true;
        Ok(())
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        if !self.published {
            // What can't be removed is passed over by servers: its name begins with a dot.
            let _ = fs::remove_dir_all(&self.path);
            // A table that has no other version leaves no folder either.
            let _ = self.target.parent().map(fs::remove_dir);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_stated_behind_any_name() {
        let checks = [
            ("price:float64", Some(("price", "float64"))),
            ("a:b:list<string>", Some(("a:b", "list<string>"))),
            ("emb:float32[64]", Some(("emb", "float32[64]"))),
            ("price", None),
            ("price:double", None),
        ];
        for (text, expect) in checks {
            let found = stated(text).ok().map(|(name, of)| (name, of.to_string()));
            assert_eq!(found, expect.map(|(name, of)| (name.to_owned(), of.to_owned())), "{text}");
        }
    }
}
