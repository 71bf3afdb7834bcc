//! The numbered folders of a repository: `<kind>/<name>/<version>`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::problem::Problems;

/// One version's folder.
#[derive(Debug, Clone, PartialEq)]
pub struct Numbered {
    pub name: String,
    pub version: u32,
    pub path: PathBuf,
    /// Its path below the repository, as problems show it.
    pub place: String,
    /// Why it is no folder that can be read.
    pub broken: Option<String>,
}

impl Numbered {
    /// What is wrong with the folder itself.
    pub fn check(&self) -> Result<(), Problems> {
        self.broken.as_ref().map_or(Ok(()), |why| Err(Problems::one("", why)))
    }
}

/// An entry of a folder.
struct Entry {
    name: String,
    path: PathBuf,
    kind: Kind,
}

enum Kind {
    Folder,
    NoFolder,
    /// A link that leads nowhere or in a circle, for example.
    Broken(String),
}

/// The folders `<kind>/<name>/<version>`, sorted by name and number. What can't be a version is a problem and concerns
/// nothing else. Names that begin with a dot are passed over: versions are written aside under such names and renamed into
/// place.
pub fn numbered_folders(repository: &Path, kind: &str, problems: &mut Problems) -> Vec<Numbered> {
    let mut folders = Vec::new();
    let of_kind = repository.join(kind);
    if !of_kind.exists() {
        let message =
            format!("is missing in {}, which must have {kind}/<name>/<version>/", repository.display());
        problems.add(kind, message);
        return folders;
    }
    for Entry { name, path, kind: entry } in entries_of(&of_kind, kind, problems) {
        let place = format!("{kind}/{name}");
        match entry {
            Kind::Folder => folders.extend(versions_of(&name, &path, &place, problems)),
            Kind::NoFolder => {}
            Kind::Broken(why) => problems.add(place, why),
        }
    }
    folders.sort_by(|one, other| (&one.name, one.version).cmp(&(&other.name, other.version)));
    folders
}

fn versions_of(name: &str, folder: &Path, place: &str, problems: &mut Problems) -> Vec<Numbered> {
    let mut versions = Vec::new();
    for Entry { name: number, path, kind } in entries_of(folder, place, problems) {
        let place = format!("{place}/{number}");
        let broken = match (&kind, version_of(&number)) {
            (Kind::Folder, Some(_)) => None,
            (Kind::NoFolder, Some(_)) => Some("is not a folder".to_owned()),
            (Kind::Broken(why), Some(_)) => Some(why.clone()),
            (Kind::NoFolder, None) => continue,
            (Kind::Folder | Kind::Broken(_), None) => {
                problems.add(place, "is not a version: a number from 1 on, without leading zeros");
                continue;
            }
        };
        let version = version_of(&number).unwrap_or_default();
        versions.push(Numbered { name: name.to_owned(), version, path, place, broken });
    }
    versions
}

fn version_of(name: &str) -> Option<u32> {
    name.parse().ok().filter(|version| *version > 0 && u32::to_string(version) == name)
}

/// The entries of a folder, sorted by name.
fn entries_of(folder: &Path, place: &str, problems: &mut Problems) -> Vec<Entry> {
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let entries = entries.unwrap_or_else(|error| {
        problems.add(place, format!("can't be read: {error}"));
        Vec::new()
    });
    let entry = |entry: fs::DirEntry| {
        let kind = match fs::metadata(entry.path()) {
            Ok(of) if of.is_dir() => Kind::Folder,
            Ok(_) => Kind::NoFolder,
            Err(error) => Kind::Broken(format!("can't be read: {error}")),
        };
        Entry { name: entry.file_name().to_string_lossy().into_owned(), path: entry.path(), kind }
    };
    let mut found: Vec<Entry> = entries.into_iter().map(entry).collect();
    found.retain(|entry| !entry.name.starts_with('.'));
    found.sort_by(|one, other| one.name.cmp(&other.name));
    found
}
