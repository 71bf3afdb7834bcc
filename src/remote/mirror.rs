//! The mirror itself.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use tokio::runtime::{Builder, Runtime};

use super::{
    Changed,
    cache::Cache,
    download,
    objects::{self, Document, Objects, Version},
    store::Store,
    wanted,
};
use crate::{cancel::Cancel, problem::Problems};

/// A repository in an object store and the folder that follows it.
#[derive(Debug)]
pub struct Mirror {
    store: Store,
    cache: Cache,
    /// Taken where the mirror is dropped.
    runtime: Option<Runtime>,
    /// Held by who changes the folder.
    busy: Mutex<()>,
}

impl Mirror {
    /// Makes `folder` the mirror of the repository at `url`; `variables` are those of the environment, credentials
    /// included. Nothing is asked of the object store yet.
    pub fn open(
        url: &str,
        folder: &Path,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Problems> {
        let of_url = |why: String| Problems::one(url, why);
        let store = Store::open(url, variables).map_err(of_url)?;
        let cache =
            Cache::open(folder, url).map_err(|why| Problems::one(folder.display().to_string(), why))?;
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| of_url(format!("can't start a runtime: {error}")))?;
        Ok(Self { store, cache, runtime: Some(runtime), busy: Mutex::default() })
    }

    /// The folder that has the repository.
    pub fn folder(&self) -> PathBuf {
        self.cache.folder().to_owned()
    }

    /// Makes the folder what the object store has now. It waits for the network, so it is called on a thread of its own.
    /// An error says that the store can't be listed, or that the work was cancelled; the folder is then as it was, or has
    /// some of the new versions, each of them whole.
    pub fn sync(&self, cancel: &Cancel) -> Result<Changed, Problems> {
        // A look that panicked left nothing half done: versions are renamed into place.
        let _busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        let listed = self.wait(objects::list(&self.store), Err("is closed".to_owned()));
        let objects = listed.map_err(|why| Problems::one(self.store.url(), why))?;
        let mut changed = Changed { added: Vec::new(), removed: Vec::new(), problems: Problems::none() };
        for document in &objects.documents {
            let mirrored = self.mirror_document(document, cancel);
            changed.note(&document.object.path, mirrored);
        }
        for version in objects.versions_of("feature_sets") {
            self.add(version, &mut changed, cancel)?;
        }
        let wanted = wanted::tables(&objects, self.cache.folder());
        for version in &wanted {
            self.add(version, &mut changed, cancel)?;
        }
        self.remove_others(&objects, &wanted, &mut changed);
        Ok(changed)
    }

    /// Waits for work of the runtime, which is there for as long as the mirror.
    fn wait<T>(&self, work: impl Future<Output = T>, otherwise: T) -> T {
        self.runtime.as_ref().map_or(otherwise, |runtime| runtime.block_on(work))
    }

    fn add(&self, version: &Version, changed: &mut Changed, cancel: &Cancel) -> Result<(), Problems> {
        cancel.check()?;
        let mirrored = self.mirror_version(version, cancel);
        cancel.check()?;
        changed.note(&version.place(), mirrored);
        Ok(())
    }

    /// Whether the version was downloaded; it is not where the folder has it already.
    fn mirror_version(&self, version: &Version, cancel: &Cancel) -> Result<bool, Problems> {
        if self.cache.has(version) {
            return Ok(false);
        }
        let of_cache = |why: String| Problems::one(version.place(), why);
        let aside = self.cache.aside(version).map_err(of_cache)?;
        self.wait(download::all(&self.store, version, &aside, cancel), Ok(()))?;
        download::check_listing(&self.store, version, &aside, cancel)?;
        self.cache.publish(version, &aside).map_err(of_cache)?;
        Ok(true)
    }

    fn mirror_document(&self, document: &Document, cancel: &Cancel) -> Result<bool, Problems> {
        if self.cache.has_document(document) {
            return Ok(false);
        }
        let of_cache = |why: String| Problems::one(document.object.path.clone(), why);
        let aside = self.cache.aside_document().map_err(of_cache)?;
        self.wait(download::one(&self.store, &document.object, &aside, cancel), Ok(()))?;
        self.cache.publish_document(document, &aside).map_err(of_cache)?;
        Ok(true)
    }

    /// Removes versions that the store no longer has, and older ones of tables that nothing names.
    fn remove_others(&self, objects: &Objects, wanted: &[&Version], changed: &mut Changed) {
        let feature_sets = objects.versions_of("feature_sets").map(Version::place);
        let kept = feature_sets.chain(wanted.iter().map(|version| version.place())).collect();
        match self.cache.remove_except(&kept) {
            Ok(removed) => changed.removed = removed,
            Err(why) => changed.problems.add(self.cache.folder().display().to_string(), why),
        }
    }
}

impl Drop for Mirror {
    /// A runtime that is dropped where others run waits, which is not allowed there.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Changed {
    fn note(&mut self, place: &str, mirrored: Result<bool, Problems>) {
        match mirrored {
            Ok(true) => self.added.push(place.to_owned()),
            Ok(false) => {}
            Err(found) => self.problems.add_below("", found),
        }
    }
}
