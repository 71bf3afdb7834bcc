//! The local folder: the repository itself, and beside it in `.mirror` what was downloaded and what is on its way.

use std::{
    collections::BTreeSet,
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use serde::{Serialize, de::DeserializeOwned};

use super::objects::{Document, Object, Version};

/// The folder of our own notes, which is no part of the repository.
const NOTES: &str = ".mirror";

/// A folder that follows one repository. As long as this lives, no other process writes it.
#[derive(Debug)]
pub struct Cache {
    folder: PathBuf,
    _lock: File,
}

impl Cache {
    /// Takes the folder for the repository at `url`, or says why it can't be.
    pub fn open(folder: &Path, url: &str) -> Result<Self, String> {
        let text = |error: io::Error| format!("can't be written: {error}");
        let notes = folder.join(NOTES);
        fs::create_dir_all(&notes).map_err(text)?;
        let lock = File::create(notes.join("lock")).map_err(text)?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => "is used by another server".to_owned(),
            TryLockError::Error(error) => text(error),
        })?;
        let source = notes.join("source");
        match fs::read_to_string(&source) {
            Ok(other) if other != url => return Err(format!("is the cache of {other}")),
            Ok(_) => {}
            Err(_) => fs::write(&source, url).map_err(text)?,
        }
        for kind in ["feature_sets", "tables"] {
            fs::create_dir_all(folder.join(kind)).map_err(text)?;
        }
        Ok(Self { folder: folder.to_owned(), _lock: lock })
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether the version is here as the store has it.
    pub fn has(&self, version: &Version) -> bool {
        self.folder.join(version.place()).is_dir()
            && self.noted::<Vec<Object>>(&version.place()).as_ref() == Some(&version.objects)
    }

    /// Whether the document was taken as the store has it. It may have changed here since, by AdminService.
    pub fn has_document(&self, document: &Document) -> bool {
        self.noted::<Object>(&document.object.path).as_ref() == Some(&document.object)
    }

    /// An empty folder to download a version into.
    pub fn aside(&self, version: &Version) -> Result<PathBuf, String> {
        let aside = self.folder.join(NOTES).join("aside").join(version.place());
        remove(&aside)?;
        fs::create_dir_all(&aside).map_err(|error| error.to_string())?;
        Ok(aside)
    }

    /// A file to download a document into.
    pub fn aside_document(&self) -> Result<PathBuf, String> {
        let aside = self.folder.join(NOTES).join("aside");
        fs::create_dir_all(&aside).map_err(|error| error.to_string())?;
        Ok(aside.join("document"))
    }

    /// Gives a whole version its place; another content of the same version goes.
    pub fn publish(&self, version: &Version, aside: &Path) -> Result<(), String> {
        let target = self.folder.join(version.place());
        self.withdraw(&target)?;
        put(aside, &target)?;
        self.note(&version.place(), &version.objects)
    }

    /// Gives a document its place.
    pub fn publish_document(&self, document: &Document, aside: &Path) -> Result<(), String> {
        put(aside, &self.folder.join(&document.object.path))?;
        self.note(&document.object.path, &document.object)
    }

    /// Removes the versions that are not among `kept`, and returns them.
    pub fn remove_except(&self, kept: &BTreeSet<String>) -> Result<Vec<String>, String> {
        let mut removed = Vec::new();
        for kind in ["feature_sets", "tables"] {
            for name in entries(&self.folder.join(kind))? {
                for version in entries(&self.folder.join(kind).join(&name))? {
                    let place = format!("{kind}/{name}/{version}");
                    let path = self.folder.join(&place);
                    if path.is_dir() && !kept.contains(&place) {
                        self.withdraw(&path)?;
                        remove(&self.note_of(&place))?;
                        removed.push(place);
                    }
                }
            }
        }
        Ok(removed)
    }

    /// Removes a folder at once for its readers: it is renamed first.
    fn withdraw(&self, folder: &Path) -> Result<(), String> {
        let old = self.folder.join(NOTES).join("old");
        remove(&old)?;
        match fs::rename(folder, &old) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.to_string()),
            _ => remove(&old),
        }
    }

    fn note_of(&self, place: &str) -> PathBuf {
        self.folder.join(NOTES).join("taken").join(format!("{place}.json"))
    }

    fn note(&self, place: &str, what: &impl Serialize) -> Result<(), String> {
        let file = self.note_of(place);
        let text = serde_json::to_vec_pretty(what).map_err(|error| error.to_string())?;
        file.parent().map_or(Ok(()), fs::create_dir_all).map_err(|error| error.to_string())?;
        fs::write(file, text).map_err(|error| error.to_string())
    }

    /// What was noted; nothing where that can't be read, so that it is downloaded again.
    fn noted<T: DeserializeOwned>(&self, place: &str) -> Option<T> {
        serde_json::from_slice(&fs::read(self.note_of(place)).ok()?).ok()
    }
}

fn put(aside: &Path, target: &Path) -> Result<(), String> {
    let parent = target.parent().map_or(Ok(()), fs::create_dir_all);
    parent.and_then(|()| fs::rename(aside, target)).map_err(|error| error.to_string())
}

fn remove(path: &Path) -> Result<(), String> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.to_string()),
        _ => Ok(()),
    }
}

/// The names in a folder that do not begin with a dot.
fn entries(folder: &Path) -> Result<Vec<String>, String> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let entries = entries.map_err(|error| error.to_string())?;
    let mut names: Vec<_> =
        entries.iter().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.retain(|name| !name.starts_with('.'));
    names.sort_unstable();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(number: u32) -> Version {
        let path = format!("tables/ads/{number}/table.json");
        let object = Object { path, bytes: 1, e_tag: Some("a".to_owned()), sha256: None };
        Version { kind: "tables", name: "ads".to_owned(), number, objects: vec![object] }
    }

    #[test]
    fn versions_are_put_in_place_whole_and_removed() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = Cache::open(folder.path(), "s3://a").expect("opens");
        for number in [1, 2] {
            let version = version(number);
            let aside = cache.aside(&version).expect("makes");
            fs::write(aside.join("table.json"), "x").expect("writes");
            assert!(!cache.has(&version));
            cache.publish(&version, &aside).expect("publishes");
            assert!(cache.has(&version));
        }
        let mut other = version(1);
        other.objects[0].e_tag = Some("b".to_owned());
        assert!(!cache.has(&other), "its content has changed");
        let kept = BTreeSet::from(["tables/ads/2".to_owned()]);
        assert_eq!(cache.remove_except(&kept).expect("removes"), ["tables/ads/1"]);
        assert!(!cache.has(&version(1)) && cache.has(&version(2)));
    }

    #[test]
    fn a_folder_belongs_to_one_repository_and_one_server() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = Cache::open(folder.path(), "s3://a").expect("opens");
        assert_eq!(Cache::open(folder.path(), "s3://a").expect_err("locked"), "is used by another server");
        drop(cache);
        assert_eq!(Cache::open(folder.path(), "s3://b").expect_err("another's"), "is the cache of s3://a");
        assert!(Cache::open(folder.path(), "s3://a").is_ok());
    }
}
