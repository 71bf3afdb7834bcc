//! Repositories in object stores, mirrored version by version into a local folder that everything else reads.
//!
//! Object stores have no rename: a version counts once its `table.json` or `spec.json` is there, so that one is uploaded
//! last. Here it is downloaded aside, checked and renamed into place.

#[cfg(not(feature = "remote"))]
mod absent;
#[cfg(feature = "remote")]
mod cache;
#[cfg(feature = "remote")]
mod download;
#[cfg(feature = "remote")]
mod mirror;
#[cfg(feature = "remote")]
mod objects;
#[cfg(feature = "remote")]
mod store;
#[cfg(feature = "remote")]
mod wanted;

#[cfg(not(feature = "remote"))]
pub use absent::Mirror;
#[cfg(feature = "remote")]
pub use mirror::Mirror;

use crate::problem::Problems;

/// Versions of one table that are mirrored: the newest, and beside them those that a spec names.
pub const KEPT_VERSIONS: usize = 3;

/// What a look at the object store changed in the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// Folders and documents below the repository that are new or new again: `tables/ads/3`.
    pub added: Vec<String>,
    /// Those that were removed.
    pub removed: Vec<String>,
    /// What could not be mirrored, by object. It concerns nothing else and is tried again by the next look.
    pub problems: Problems,
}

impl Changed {
    /// Whether the folder is as it was.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty()
    }
}
