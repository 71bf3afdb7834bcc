//! Formats of files by their names, and the files that a path stands for.

use std::{
    fs,
    path::{Component, Path, PathBuf},
};

use super::Dialect;

/// The formats of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Parquet,
    /// Arrow IPC, file or stream; Feather is the same.
    Arrow,
    /// Text with separators, perhaps compressed.
    Csv,
}

impl Format {
    /// The names' endings.
    pub const NAMES: &str = "*.parquet, *.pq, *.arrow, *.feather, *.ipc, *.csv, *.tsv, *.csv.gz or *.csv.zst";

    /// The format that a file's name states.
    pub fn of(file: &Path) -> Option<Self> {
        match file.extension()?.to_str()? {
            "parquet" | "pq" => Some(Self::Parquet),
            "arrow" | "feather" | "ipc" => Some(Self::Arrow),
            "csv" | "tsv" => Some(Self::Csv),
            "gz" | "zst" => Self::of(Path::new(file.file_stem()?)).filter(|inner| *inner == Self::Csv),
            _ => None,
        }
    }

    /// Whether its files state the types of their columns.
    pub fn is_typed(self) -> bool {
        self != Self::Csv
    }
}

/// A file of rows, with how it is read and what its folders' names say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub path: PathBuf,
    pub format: Format,
    pub dialect: Dialect,
    /// Columns that folders are named for, as in `day=2024-01-01/part-0.parquet`.
    pub partitions: Vec<Partition>,
}

/// A column that has one value in a whole file; null for Hive's default partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    pub name: String,
    pub value: Option<String>,
}

/// The files that a path stands for: itself, those of a folder and the folders in it, or those that a pattern with `*`,
/// `?` or `[...]` matches; in the order of their names. Files and folders whose names begin with `.` or `_` are
/// passed over in folders, and so are files of other formats.
pub fn find(path: &Path, format: Option<Format>, dialect: &Dialect) -> Result<Vec<Found>, String> {
    let mut paths = Vec::new();
    if path.is_dir() {
        walk(path, format, &mut paths)?;
        if paths.is_empty() {
            return Err(format!("has no file named {}", Format::NAMES));
        }
    } else if path.exists() || !is_pattern(path) {
        paths.push(path.to_owned());
    } else {
        let pattern = path.to_str().ok_or("is not UTF-8, as a pattern must be")?;
        for entry in glob::glob(pattern).map_err(|error| error.to_string())? {
            let entry = entry.map_err(|error| error.to_string())?;
            if entry.is_dir() { walk(&entry, format, &mut paths)? } else { paths.push(entry) }
        }
        if paths.is_empty() {
            return Err("matches no file".to_owned());
        }
    }
    paths.into_iter().map(|path| Found::of(path, format, dialect)).collect()
}

fn is_pattern(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().iter().any(|byte| b"*?[".contains(byte))
}

fn walk(folder: &Path, format: Option<Format>, paths: &mut Vec<PathBuf>) -> Result<(), String> {
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let mut entries = entries.map_err(|error| format!("can't be read: {error}"))?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let (name, path) = (entry.file_name(), entry.path());
        if name.as_encoded_bytes().starts_with(b".") || name.as_encoded_bytes().starts_with(b"_") {
            continue;
        }
        if path.is_dir() {
            if leads_back(&path, folder) {
                return Err(format!("{} leads back into a folder that it is in", path.display()));
            }
            walk(&path, format, paths)?;
        } else if format.is_some() || Format::of(&path).is_some() {
            paths.push(path);
        }
    }
    Ok(())
}

/// Whether a folder's entry is a link to the folder or to one above it: its files would be read again and again.
fn leads_back(entry: &Path, folder: &Path) -> bool {
    matches!((entry.canonicalize(), folder.canonicalize()), (Ok(to), Ok(folder)) if folder.starts_with(&to))
}

impl Found {
    fn of(path: PathBuf, format: Option<Format>, dialect: &Dialect) -> Result<Self, String> {
        let Some(format) = format.or_else(|| Format::of(&path)) else {
            return Err(format!("must be named {}, or --format must say what it is", Format::NAMES));
        };
        let folders = path.parent().into_iter().flat_map(Path::components);
        let partitions = folders.filter_map(Partition::of).collect();
        Ok(Self { path, format, dialect: dialect.clone(), partitions })
    }
}

impl Partition {
    /// What Hive writes for null.
    const NULL: &str = "__HIVE_DEFAULT_PARTITION__";

    fn of(folder: Component<'_>) -> Option<Self> {
        let (name, value) = folder.as_os_str().to_str()?.split_once('=')?;
        let value = (value != Self::NULL).then(|| unescaped(value));
        (!name.is_empty()).then(|| Self { name: unescaped(name), value })
    }
}

/// Undoes percent escapes, which are written for letters that no folder may have; what is none stays.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let escaped = (*first == b'%').then(|| after.get(..2)).flatten();
        let escaped = escaped.and_then(|digits| u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok());
        rest = if escaped.is_some() { &after[2..] } else { after };
        bytes.push(escaped.unwrap_or(*first));
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_state_formats() {
        let of = |name: &str| Format::of(Path::new(name));
        assert_eq!(of("a.pq"), Some(Format::Parquet));
        assert_eq!(of("a.feather"), Some(Format::Arrow));
        assert_eq!(of("day.1.tsv.gz"), Some(Format::Csv));
        assert_eq!(of("a.csv.zst"), Some(Format::Csv));
        for name in ["a.parquet.gz", "a.gz", "csv", "a.txt"] {
            assert_eq!(of(name), None, "{name}");
        }
    }

    #[test]
    fn a_folder_that_leads_back_into_itself_is_rejected() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (inner, other) = (folder.path().join("a/b"), folder.path().join("other"));
        fs::create_dir_all(&inner).expect("makes");
        fs::create_dir(&other).expect("makes");
        fs::write(inner.join("rows.csv"), "").expect("writes");
        fs::write(other.join("rows.csv"), "").expect("writes");
        let find = || find(&folder.path().join("a"), None, &Dialect::default());
        std::os::unix::fs::symlink(&other, inner.join("linked")).expect("links");
        assert_eq!(find().expect("no circle").len(), 2);
        std::os::unix::fs::symlink(folder.path().join("a"), inner.join("up")).expect("links");
        let problem = find().expect_err("a circle");
        assert!(problem.ends_with("a/b/up leads back into a folder that it is in"), "{problem}");
    }

    #[test]
    fn folders_and_patterns_stand_for_their_files() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let files = [
            "day=2024-01-02/part-0.parquet",
            "day=2024-01-01/hour=%2A/part-0.csv",
            "day=__HIVE_DEFAULT_PARTITION__/b.pq",
            "day=2024-01-01/_SUCCESS",
            "day=2024-01-01/.part.parquet.crc",
            "_temporary/part-1.parquet",
            "notes.txt",
        ];
        for file in files.map(|file| folder.path().join(file)) {
            fs::create_dir_all(file.parent().expect("a folder")).expect("makes");
            fs::write(file, "").expect("writes");
        }
        let found = |path: &Path| find(path, None, &Dialect::default());
        let all = found(folder.path()).expect("three files");
        let partitions = |found: &Found| {
            let texts = found
                .partitions
                .iter()
                .map(|Partition { name, value }| format!("{name}={}", value.as_deref().unwrap_or("null")));
            texts.collect::<Vec<_>>().join(" ")
        };
        let expected = ["day=2024-01-01 hour=*", "day=2024-01-02", "day=null"];
        assert_eq!(all.iter().map(partitions).collect::<Vec<_>>(), expected);
        assert_eq!(found(&folder.path().join("day=*/part-*.parquet")).expect("one")[0], all[1]);
        assert_eq!(found(&folder.path().join("day=*-0[12]")).expect("two folders"), all[..2]);
        let refused = |name: &str| found(&folder.path().join(name)).expect_err("rejected");
        assert!(refused("*.orc").contains("matches no file"));
        assert!(refused("notes.txt").starts_with("must be named *.parquet"));
        assert!(refused("_temporary/../day=2024-01-01/../empty*").contains("matches no file"));
    }
}
