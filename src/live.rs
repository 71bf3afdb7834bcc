//! The snapshot that requests are served from: read without a lock, replaced by one pointer swap.
//!
//! A snapshot that was replaced may hold gigabytes that nothing else needs. It is kept until its last request has ended,
//! and freed by who publishes: a serving thread never frees one, as long as a call holds its snapshot to its end.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwapOption;

use crate::snapshot::Snapshot;

/// The place where the current snapshot is found; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Live(Arc<Place>);

#[derive(Debug, Default)]
struct Place {
    current: ArcSwapOption<Snapshot>,
    /// Those that were replaced and may still be in use. Who holds the lock may publish.
    replaced: Mutex<Vec<Arc<Snapshot>>>,
}

impl Live {
    /// Nothing is live yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The current snapshot; none before the first was published.
    pub fn current(&self) -> Option<Arc<Snapshot>> {
        self.0.current.load_full()
    }

    /// Replaces the snapshot for all requests that begin from now on.
    pub fn publish(&self, snapshot: Arc<Snapshot>) {
        self.update(|_| Some(((), snapshot)));
    }

    /// Replaces the snapshot by a successor of the current one, or by none where `make` gives none. One update runs at a
    /// time, so that none is lost: `make` should only put together what was prepared before.
    pub fn update<T>(
        &self,
        make: impl FnOnce(Option<&Arc<Snapshot>>) -> Option<(T, Arc<Snapshot>)>,
    ) -> Option<T> {
        let mut replaced = self.replaced();
        let (result, snapshot) = make(self.current().as_ref())?;
        replaced.extend(self.0.current.swap(Some(snapshot)));
        drop(replaced);
        self.free();
        Some(result)
    }

    /// Frees the replaced snapshots whose requests have ended.
    pub fn free(&self) {
        let is_unused = |snapshot: &mut Arc<Snapshot>| Arc::strong_count(snapshot) == 1;
        let unused: Vec<_> = self.replaced().extract_if(.., is_unused).collect();
        // Outside of the lock: freeing gigabytes takes longer than publishing.
        drop(unused);
    }

    fn replaced(&self) -> MutexGuard<'_, Vec<Arc<Snapshot>>> {
        self.0.replaced.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn empty() -> Arc<Snapshot> {
        Arc::new(Snapshot::new::<Arc<_>>([]))
    }

    #[test]
    fn a_replaced_snapshot_is_kept_until_nobody_uses_it() {
        let live = Live::new();
        live.publish(empty());
        let request = live.current().expect("published");
        let weak = Arc::downgrade(&request);
        live.publish(empty());
        drop(request);
        assert!(weak.upgrade().is_some(), "the request must not be the one that frees it");
        live.free();
        assert!(weak.upgrade().is_none());
    }

    #[test]
    fn no_update_is_lost() {
        let live = Live::new();
        live.publish(empty());
        let first = live.current().expect("published");
        assert_eq!(live.update(|_| None::<((), _)>), None);
        assert!(Arc::ptr_eq(&first, &live.current().expect("published")));
        let seen = live.update(|current| Some((current.cloned(), empty()))).flatten();
        assert!(Arc::ptr_eq(&first, &seen.expect("the current one")));
    }
}
