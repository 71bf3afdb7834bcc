//! Downloading objects. A read that is cut off goes on from where it stopped.

use std::{
    fs::{self, File},
    io::Write as _,
    path::Path,
    sync::Arc,
    time::Duration,
};

use object_store::{Error, GetOptions, GetRange};
use tokio::{sync::Semaphore, task::JoinSet, time::sleep};
use tokio_stream::StreamExt as _;

use super::{
    objects::{Object, Version},
    store::Store,
};
use crate::{cancel::Cancel, files::Checksum, problem::Problems, table::TableSchema};

/// Objects that are downloaded at one time.
const AT_ONCE: usize = 8;

/// How often an object is asked for in a row without a byte of it coming.
const ATTEMPTS: u32 = 5;

/// The wait before the second attempt; each further one waits twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(100);

/// Downloads all objects of a version into `folder`. Each problem names its object.
pub async fn all(store: &Store, version: &Version, folder: &Path, cancel: &Cancel) -> Result<(), Problems> {
    let room = Arc::new(Semaphore::new(AT_ONCE));
    let mut downloads = JoinSet::new();
    for object in &version.objects {
        let (store, cancel, room) = (store.clone(), cancel.clone(), room.clone());
        let (object, to) = (object.clone(), folder.join(version.inside(object)));
        downloads.spawn(async move {
            // The semaphore is never closed.
            let _permit = room.acquire_owned().await;
            one(&store, &object, &to, &cancel).await
        });
    }
    let mut problems = Problems::none();
    while let Some(ended) = downloads.join_next().await {
        match ended {
            Ok(Ok(())) => {}
            Ok(Err(found)) => problems.add_below("", found),
            Err(error) => problems.add(version.place(), error.to_string()),
        }
    }
    problems.or(())
}

/// Downloads one object into the file `to` and holds it to the size and the SHA-256 that are known of it.
pub async fn one(store: &Store, object: &Object, to: &Path, cancel: &Cancel) -> Result<(), Problems> {
    let of_object = |why: String| Problems::one(store.name_of(&object.path), why);
    let text = |error: std::io::Error| of_object(format!("{} can't be written: {error}", to.display()));
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent).map_err(text)?;
    }
    let mut download = Download { file: File::create(to).map_err(text)?, written: 0 };
    download.complete(store, object, cancel).await.map_err(of_object)?;
    download.file.sync_all().map_err(text)?;
    if let Some(sha256) = object.sha256.clone() {
        let sum = Checksum { bytes: object.bytes, sha256 };
        sum.check(to, cancel).map_err(of_object)?;
    }
    Ok(())
}

/// Holds the files of a table's version to the list in its `table.json`, if it has one.
pub fn check_listing(
    store: &Store,
    version: &Version,
    folder: &Path,
    cancel: &Cancel,
) -> Result<(), Problems> {
    let Ok(text) = fs::read_to_string(folder.join("table.json")) else { return Ok(()) };
    // A document that is wrong otherwise is reported where it is loaded.
    let Ok((_, Some(listing))) = TableSchema::with_listing(&text) else { return Ok(()) };
    let mut problems = Problems::none();
    for (name, sum) in listing {
        if let Err(why) = sum.check(&folder.join(&name), cancel) {
            problems.add(store.name_of(&format!("{}/{name}", version.place())), why);
        }
    }
    problems.or(())
}

/// An object on its way into a file.
struct Download {
    file: File,
    written: u64,
}

/// Why no more bytes came.
enum Cut {
    /// Asking again is of no use.
    ForGood(String),
    ForNow(String),
}

impl Download {
    async fn complete(&mut self, store: &Store, object: &Object, cancel: &Cancel) -> Result<(), String> {
        let (mut attempts, mut wait) = (0, FIRST_WAIT);
        loop {
            let before = self.written;
            let why = match self.read_on(store, object, cancel).await {
                Ok(()) if self.written == object.bytes => return Ok(()),
                Ok(()) => format!("ended after {} of {} bytes", self.written, object.bytes),
                Err(Cut::ForNow(why)) => why,
                Err(Cut::ForGood(why)) => return Err(why),
            };
            if self.written > before {
                (attempts, wait) = (0, FIRST_WAIT);
            }
            attempts += 1;
            if attempts >= ATTEMPTS {
                return Err(format!("{why} ({ATTEMPTS} attempts)"));
            }
            tracing::warn!(object = store.name_of(&object.path), from = self.written, why, "reading on");
            sleep(wait).await;
            wait *= 2;
        }
    }

    /// Asks for what is missing and writes what comes.
    async fn read_on(&mut self, store: &Store, object: &Object, cancel: &Cancel) -> Result<(), Cut> {
        let options = GetOptions {
            // All parts are those of one content, or none.
            if_match: object.e_tag.clone(),
            range: (self.written > 0).then_some(GetRange::Offset(self.written)),
            ..GetOptions::default()
        };
        let got = store.objects.get_opts(&store.path_of(&object.path), options).await.map_err(Cut::of)?;
        let mut stream = got.into_stream();
        while let Some(bytes) = stream.next().await {
            if cancel.is_cancelled() {
                return Err(Cut::ForGood("cancelled".to_owned()));
            }
            let bytes = bytes.map_err(Cut::of)?;
            if self.written + bytes.len() as u64 > object.bytes {
                return Err(Cut::ForGood(format!("is longer than the {} bytes listed", object.bytes)));
            }
            self.file.write_all(&bytes).map_err(|error| Cut::ForGood(error.to_string()))?;
            self.written += bytes.len() as u64;
        }
        Ok(())
    }
}

impl Cut {
    fn of(error: Error) -> Self {
        match error {
            Error::Precondition { .. } => Self::ForGood("changed while it was read".to_owned()),
            Error::NotFound { .. } => Self::ForGood("is gone".to_owned()),
            Error::PermissionDenied { .. } | Error::Unauthenticated { .. } | Error::NotSupported { .. } => {
                Self::ForGood(error.to_string())
            }
            _ => Self::ForNow(error.to_string()),
        }
    }
}
