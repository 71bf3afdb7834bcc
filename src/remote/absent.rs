//! What stands for the mirror in a build without object stores.

use std::path::{Path, PathBuf};

use super::Changed;
use crate::{cancel::Cancel, problem::Problems};

/// A mirror that can't be.
#[derive(Debug)]
pub enum Mirror {}

impl Mirror {
    /// Always an error.
    pub fn open(
        url: &str,
        _folder: &Path,
        _variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Problems> {
        Err(Problems::one(url, "this build has no object stores: build it with --features remote"))
    }

    /// The folder that has the repository.
    pub fn folder(&self) -> PathBuf {
        match *self {}
    }

    /// Makes the folder what the object store has now.
    pub fn sync(&self, _cancel: &Cancel) -> Result<Changed, Problems> {
        match *self {}
    }
}
