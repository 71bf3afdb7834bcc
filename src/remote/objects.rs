//! What an object store has of a repository.

use std::{collections::BTreeMap, path::Path};

use object_store::ObjectStoreExt as _;
use serde::{Deserialize, Serialize};
use tokio_stream::StreamExt as _;

use super::store::Store;
use crate::files::Checksum;

/// The name of the file that lists the others where the store can't.
const INDEX: &str = "index.json";

/// The format of that file.
const FORMAT: &str = "quiver.index/1";

/// One object, by its path below the repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Object {
    pub path: String,
    pub bytes: u64,
    /// What the store says that changes with the content.
    pub e_tag: Option<String>,
    pub sha256: Option<String>,
}

/// A complete version: its folder and all objects in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    pub kind: &'static str,
    pub name: String,
    pub number: u32,
    pub objects: Vec<Object>,
}

/// A document beside the versions of a feature set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    pub object: Object,
}

/// All versions and documents.
#[derive(Debug, Default)]
pub struct Objects {
    pub documents: Vec<Document>,
    /// Sorted by kind, name and number.
    versions: Vec<Version>,
}

/// The kinds of versions, and the document that makes a folder one.
const KINDS: [(&str, &str); 2] = [("feature_sets", "spec.json"), ("tables", "table.json")];

/// Documents beside a feature set's versions.
const DOCUMENT: &str = "policy.json";

/// `index.json`: every file of the repository.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Index {
    format: String,
    /// By the path below the repository.
    files: BTreeMap<String, Checksum>,
}

/// Lists the repository, or returns why it can't be listed.
pub async fn list(store: &Store) -> Result<Objects, String> {
    let objects = if store.is_indexed { read_index(store).await? } else { read_listing(store).await? };
    Ok(Objects::of(objects))
}

async fn read_listing(store: &Store) -> Result<Vec<Object>, String> {
    let mut listing = store.objects.list(Some(store.prefix()));
    let mut objects = Vec::new();
    while let Some(listed) = listing.next().await {
        let meta = listed.map_err(|error| format!("can't be listed: {error}"))?;
        let below = meta.location.prefix_match(store.prefix()).into_iter().flatten();
        let path = below.map(|part| part.as_ref().to_owned()).collect::<Vec<_>>().join("/");
        objects.push(Object { path, bytes: meta.size, e_tag: meta.e_tag, sha256: None });
    }
    Ok(objects)
}

async fn read_index(store: &Store) -> Result<Vec<Object>, String> {
    let text = |error: &dyn std::fmt::Display| format!("{INDEX}: {error}");
    let got = store.objects.get(&store.path_of(INDEX)).await.map_err(|error| text(&error))?;
    let bytes = got.bytes().await.map_err(|error| text(&error))?;
    let index: Index = serde_json::from_slice(&bytes).map_err(|error| text(&error))?;
    if index.format != FORMAT {
        return Err(format!("{INDEX}: format is {:?}, this server reads {FORMAT:?}", index.format));
    }
    let object = |(path, sum): (String, Checksum)| {
        let (e_tag, sha256) = (None, Some(sum.sha256));
        Object { path, bytes: sum.bytes, e_tag, sha256 }
    };
    Ok(index.files.into_iter().map(object).collect())
}

impl Objects {
    fn of(objects: Vec<Object>) -> Self {
        let mut found = Self::default();
        let mut versions: BTreeMap<(&str, String, u32), Vec<Object>> = BTreeMap::new();
        for object in objects {
            match place_of(&object.path) {
                Some(Place::Version(kind, name, number)) => {
                    versions.entry((kind, name, number)).or_default().push(object);
                }
                Some(Place::Document) => found.documents.push(Document { object }),
                None => {}
            }
        }
        let versions = versions.into_iter().map(|((kind, name, number), mut objects)| {
            objects.sort_by(|one, other| one.path.cmp(&other.path));
            Version { kind, name, number, objects }
        });
        found.versions = versions.filter(Version::is_complete).collect();
        found
    }

    /// The versions of one kind, by name and number.
    pub fn versions_of(&self, kind: &str) -> impl Iterator<Item = &Version> {
        self.versions.iter().filter(move |version| version.kind == kind)
    }
}

enum Place {
    Version(&'static str, String, u32),
    Document,
}

/// Where an object belongs; none where it is no part of a repository, or its name could lead out of one.
fn place_of(path: &str) -> Option<Place> {
    let parts: Vec<&str> = path.split('/').collect();
    let is_plain = |part: &&str| !part.is_empty() && !part.starts_with('.') && !part.contains(['\\', '\0']);
    if !parts.iter().all(is_plain) {
        return None;
    }
    let (kind, _) = KINDS.into_iter().find(|(kind, _)| parts.first() == Some(kind))?;
    match parts[1..] {
        [_, DOCUMENT] if kind == "feature_sets" => Some(Place::Document),
        [name, number, _, ..] => {
            let version = number.parse().ok().filter(|version: &u32| *version > 0)?;
            (version.to_string() == number).then(|| Place::Version(kind, name.to_owned(), version))
        }
        _ => None,
    }
}

impl Version {
    /// The folder below the repository.
    pub fn place(&self) -> String {
        format!("{}/{}/{}", self.kind, self.name, self.number)
    }

    /// An object's path below the version's folder.
    pub fn inside<'a>(&self, object: &'a Object) -> &'a Path {
        let path = Path::new(&object.path);
        path.strip_prefix(self.place()).unwrap_or(path)
    }

    fn is_complete(&self) -> bool {
        let document = KINDS.iter().find(|(kind, _)| *kind == self.kind).map(|(_, document)| *document);
        self.objects.iter().any(|object| self.inside(object).to_str() == document)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_count_once_their_document_is_there() {
        let paths = [
            "feature_sets/ads/1/spec.json",
            "feature_sets/ads/1/lists/a.parquet",
            "feature_sets/ads/policy.json",
            "tables/ads/2/table.json",
            "tables/ads/2/rows.parquet",
            "tables/ads/3/rows.parquet",
            "tables/ads/02/table.json",
            "tables/../2/table.json",
            "tables/ads/4/.table.json",
            "notes.txt",
        ];
        let object = |path: &&str| Object { path: (*path).to_owned(), bytes: 1, e_tag: None, sha256: None };
        let objects = Objects::of(paths.iter().map(object).collect());
        let places: Vec<_> = objects.versions.iter().map(Version::place).collect();
        assert_eq!(places, ["feature_sets/ads/1", "tables/ads/2"]);
        assert_eq!(objects.versions[1].objects.len(), 2);
        assert_eq!(objects.documents[0].object.path, "feature_sets/ads/policy.json");
    }
}
