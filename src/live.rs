//! The snapshot that requests are served from: read without a lock, replaced by one pointer swap.

use std::sync::Arc;

use arc_swap::ArcSwapOption;

use crate::snapshot::Snapshot;

/// The place where the current snapshot is found; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Live(Arc<ArcSwapOption<Snapshot>>);

impl Live {
    /// Nothing is live yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The current snapshot; none before the first was published.
    pub fn current(&self) -> Option<Arc<Snapshot>> {
        self.0.load_full()
    }

    /// Replaces the snapshot for all requests that begin from now on.
    pub fn publish(&self, snapshot: Arc<Snapshot>) {
        self.0.store(Some(snapshot));
    }
}
