//! What lies in a repository: the versions of feature sets and tables, and their policies. Cheap enough to be repeated every
//! few seconds: folders are listed, no file is read.

use std::{
    collections::BTreeMap,
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    path::{Path, PathBuf},
    time::SystemTime,
};

use super::Kind;
use crate::{
    policy,
    problem::Problems,
    snapshot::folders::{Numbered, numbered_folders},
};

/// A repository's folders at one time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scan {
    pub feature_sets: BTreeMap<String, Named>,
    pub tables: BTreeMap<String, Named>,
    /// Folders that are no versions.
    pub problems: Problems,
}

/// The folder of a feature set or table.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Named {
    pub folder: PathBuf,
    pub versions: BTreeMap<u32, Numbered>,
    /// Of `policy.json`; none where there is none.
    pub policy: Option<Stamp>,
}

/// Changes when a file or a folder's list of files does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp(u64);

impl Scan {
    /// Lists the folders.
    pub fn of(repository: &Path) -> Self {
        let mut problems = Problems::none();
        let mut named = |kind: Kind| {
            let mut found: BTreeMap<String, Named> = BTreeMap::new();
            for version in numbered_folders(repository, kind.folder(), &mut problems) {
                let named = found.entry(version.name.clone()).or_insert_with(|| {
                    let folder = repository.join(kind.folder()).join(&version.name);
                    let policy = Stamp::of_file(&folder.join(policy::FILE));
                    Named { folder, versions: BTreeMap::new(), policy }
                });
                named.versions.insert(version.version, version);
            }
            found
        };
        let feature_sets = named(Kind::FeatureSet);
        let has_tables = repository.join(Kind::Table.folder()).symlink_metadata().is_ok();
        let tables = if has_tables { named(Kind::Table) } else { BTreeMap::new() };
        Self { feature_sets, tables, problems }
    }

    /// The same with what `before` says of folders that can't be listed at the moment: a disk that does not answer takes
    /// nothing out of service. So does one that suddenly has no feature set at all.
    pub fn with_unreadable(mut self, before: &Self) -> Self {
        for kind in [Kind::FeatureSet, Kind::Table] {
            let all_gone = kind == Kind::FeatureSet && self.feature_sets.is_empty();
            for (name, named) in before.of_kind(kind) {
                let place = format!("{}/{name}", kind.folder());
                let is_unreadable =
                    self.problems.iter().any(|of| of.path == place || of.path == kind.folder());
                let kept = match kind {
                    Kind::FeatureSet => &mut self.feature_sets,
                    Kind::Table => &mut self.tables,
                };
                if all_gone || (is_unreadable && kept.get(name).is_none_or(|of| of.versions.is_empty())) {
                    kept.insert(name.clone(), named.clone());
                }
            }
        }
        self
    }

    /// The folders of one kind by name.
    pub fn of_kind(&self, kind: Kind) -> &BTreeMap<String, Named> {
        match kind {
            Kind::FeatureSet => &self.feature_sets,
            Kind::Table => &self.tables,
        }
    }

    /// One version's folder.
    pub fn version(&self, kind: Kind, name: &str, version: u32) -> Option<&Numbered> {
        self.of_kind(kind).get(name)?.versions.get(&version)
    }
}

impl Stamp {
    /// Of a file's size and time; none where there is no such file.
    pub fn of_file(file: &Path) -> Option<Self> {
        file.symlink_metadata().is_ok().then(|| Self(hash_of(&[file.to_owned()])))
    }

    /// Of the names, sizes and times of a folder's files.
    pub fn of_folder(folder: &Path) -> Self {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        files.sort_unstable();
        Self(hash_of(&files))
    }
}

fn hash_of(files: &[PathBuf]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for file in files {
        let of_file = fs::metadata(file).ok();
        let time = of_file.as_ref().and_then(|of| of.modified().ok()).unwrap_or(SystemTime::UNIX_EPOCH);
        (file, of_file.map(|of| of.len()), time).hash(&mut hasher);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_is_seen() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let version = |path: &str| fs::create_dir_all(folder.path().join(path)).expect("makes");
        ["feature_sets/ads/1", "feature_sets/ads/.2", "tables/users/7"].into_iter().for_each(version);
        let before = Scan::of(folder.path());
        assert_eq!(before.feature_sets["ads"].versions.keys().collect::<Vec<_>>(), [&1]);
        assert_eq!(before, Scan::of(folder.path()));
        version("feature_sets/ads/2");
        let after = Scan::of(folder.path());
        assert_ne!(before, after);
        let ads = &after.feature_sets["ads"];
        policy::write(&ads.folder, &policy::Policy::default()).expect("writes");
        assert_ne!(after, Scan::of(folder.path()));
        let stamp = Stamp::of_folder(&ads.versions[&1].path);
        fs::write(ads.versions[&1].path.join("spec.json"), "{}").expect("writes");
        assert_ne!(stamp, Stamp::of_folder(&ads.versions[&1].path));
    }

    #[test]
    fn a_folder_that_can_not_be_listed_is_not_taken_for_removed() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for path in ["feature_sets/ads/1", "feature_sets/other/1", "tables/users/7"] {
            fs::create_dir_all(folder.path().join(path)).expect("makes");
        }
        let before = Scan::of(folder.path());
        let names = |scan: &Scan| scan.feature_sets.keys().cloned().collect::<Vec<_>>();
        fs::remove_dir_all(folder.path().join("feature_sets/other")).expect("removes");
        let removed = Scan::of(folder.path()).with_unreadable(&before);
        assert_eq!(names(&removed), ["ads"]);
        let ads = folder.path().join("feature_sets/ads");
        fs::remove_dir_all(&ads).expect("removes");
        std::os::unix::fs::symlink("nowhere", &ads).expect("links");
        fs::create_dir_all(folder.path().join("feature_sets/new/1")).expect("makes");
        assert_eq!(names(&Scan::of(folder.path()).with_unreadable(&before)), ["ads", "new"]);
        fs::remove_dir_all(folder.path().join("feature_sets")).expect("removes");
        let unmounted = Scan::of(folder.path()).with_unreadable(&before);
        assert_eq!(names(&unmounted), ["ads", "other"]);
    }

    #[test]
    fn a_repository_without_tables_is_one() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir_all(folder.path().join("feature_sets/ads/1")).expect("makes");
        assert_eq!(Scan::of(folder.path()).problems, Problems::none());
        assert_eq!(Scan::of(&folder.path().join("none")).problems.len(), 1);
    }
}
