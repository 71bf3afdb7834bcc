//! Versions that change under traffic: found on disk, prepared beside the traffic, published by one pointer swap.
//!
//! One thread of its own prepares (`worker`); what it knows of every version is on the `board`, which is read and
//! changed without waiting for it. Preparing may fail, publishing may not: a version that fails changes nothing.
//!
//! In memory are, of a feature set, the versions that its policy names and the newest ones that can be served (2, unless
//! the policy says otherwise); of a table, the versions that these read.

use std::{
    collections::BTreeMap,
    fmt,
    num::NonZero,
    path::PathBuf,
    sync::{
        Arc, Weak,
        mpsc::{self, Sender},
    },
    time::Duration,
};

use tokio::sync::oneshot;

use crate::{
    budget::Budget,
    cancel::Cancel,
    config::ShowProgress,
    live::Live,
    metrics::Metrics,
    problem::{Problem, Problems},
    remote::Mirror,
    snapshot::Binder,
    writes::Writers,
};
use board::Board;
use scan::Scan;
use worker::{Wake, Worker};

pub mod board;
mod publish;
mod scan;
mod tables;
mod traffic;
mod worker;

pub use traffic::{InForce, Refused, RolledBack};

/// What has versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    FeatureSet,
    Table,
}

impl Kind {
    /// The folder in a repository.
    pub fn folder(self) -> &'static str {
        match self {
            Self::FeatureSet => "feature_sets",
            Self::Table => "tables",
        }
    }

    /// The name in messages and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::FeatureSet => "feature set",
            Self::Table => "table",
        }
    }
}

/// A feature set or a table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    pub kind: Kind,
    pub name: String,
}

impl Target {
    pub fn new(kind: Kind, name: impl Into<String>) -> Self {
        Self { kind, name: name.into() }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.name(), crate::problem::quoted(&self.name))
    }
}

/// One version, or the policy where there is no version, that changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    pub target: Target,
    pub version: Option<u32>,
    pub what: Changed,
}

/// What happened to a version or a policy.
#[derive(Debug, Clone, PartialEq)]
pub enum Changed {
    Loaded,
    /// It reads another version of a table.
    Rebound,
    /// Dropped from memory.
    Retired,
    /// Dropped from memory, because its folder is gone.
    Removed,
    Failed(Problems),
    PolicyChanged,
    PolicyFailed(Problems),
}

/// What a reload did.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reloaded {
    pub changes: Vec<Change>,
    pub took: Duration,
    /// What is wrong beside versions and policies: folders that are none.
    pub problems: Problems,
}

impl Reloaded {
    /// Whether a version or a policy failed.
    pub fn has_failed(&self) -> bool {
        let failed = |change: &Change| matches!(change.what, Changed::Failed(_) | Changed::PolicyFailed(_));
        self.changes.iter().any(failed)
    }
}

/// How versions are found and prepared.
#[derive(Debug, Clone)]
pub struct Settings {
    pub binder: Binder,
    /// Whether nothing is served at first if anything in the repository is wrong.
    pub strict: bool,
    /// Threads that read one table's files.
    pub load_threads: NonZero<usize>,
    /// What tables' memory is taken from.
    pub budget: Budget,
    pub progress: ShowProgress,
    /// Who has the rows written to live tables.
    pub writers: Writers,
    /// What the repository's folder follows, if it follows an object store.
    pub mirror: Option<Arc<Mirror>>,
}

impl Settings {
    /// Makes the folder what the object store has, if it follows one. What can't be mirrored is logged; what is there is
    /// served nevertheless.
    fn follow(&self, cancel: &Cancel) {
        let Some(mirror) = &self.mirror else { return };
        let problems = match mirror.sync(cancel) {
            Ok(changed) => {
                changed.added.iter().for_each(|place| tracing::info!(place, "mirrored"));
                changed.removed.iter().for_each(|place| tracing::info!(place, "removed from the cache"));
                changed.problems
            }
            Err(problems) => problems,
        };
        for Problem { path, message } in problems.iter().filter(|_| !cancel.is_cancelled()) {
            tracing::error!(path, problem = message, "not mirrored");
        }
    }
}

/// Finds, prepares and publishes versions; clones are the same. Its thread ends with the last of them.
#[derive(Debug, Clone)]
pub struct Reload(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    repository: PathBuf,
    settings: Settings,
    live: Live,
    board: Arc<Board>,
    metrics: Arc<Metrics>,
    wake: Sender<Wake>,
    /// Called off when the last handle is dropped.
    stop: Cancel,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.stop.cancel();
        self.board.cancel_loads();
    }
}

impl Reload {
    /// Starts the thread. Nothing is loaded before the first [`Self::reload`].
    pub fn start(
        repository: PathBuf,
        settings: Settings,
        live: Live,
        metrics: Arc<Metrics>,
    ) -> std::io::Result<Self> {
        let (wake, woken) = mpsc::channel();
        let (board, stop) = (Arc::new(Board::default()), Cancel::new());
        let worker = Worker {
            repository: repository.clone(),
            settings: settings.clone(),
            live: live.clone(),
            board: board.clone(),
            metrics: metrics.clone(),
            stop: stop.clone(),
            seen: Scan::default(),
            loaded: BTreeMap::new(),
        };
        std::thread::Builder::new().name("quiver-reload".to_owned()).spawn(move || worker.run(&woken))?;
        Ok(Self(Arc::new(Inner { repository, settings, live, board, metrics, wake, stop })))
    }

    /// What is known of every version.
    pub fn board(&self) -> &Board {
        &self.0.board
    }

    /// Where its snapshots are published.
    pub fn live(&self) -> &Live {
        &self.0.live
    }

    /// Finds what changed, prepares and publishes it; `again` also tries what failed before. The answer comes when all is
    /// done; none comes where the server ends before.
    pub fn reload(&self, again: bool) -> oneshot::Receiver<Reloaded> {
        let (done, reloaded) = oneshot::channel();
        // Without a thread to take it the sender is dropped, and the receiver says so.
        let _ = self.0.wake.send(Wake { again, done: Some(done) });
        reloaded
    }

    /// A watcher that does not keep the thread alive.
    pub fn watcher(&self) -> Watcher {
        Watcher { reload: Arc::downgrade(&self.0), seen: None }
    }
}

/// Looks for changes on disk.
#[derive(Debug)]
pub struct Watcher {
    reload: Weak<Inner>,
    seen: Option<Scan>,
}

impl Watcher {
    /// Looks once: what changed since the last look is prepared, and the load of a table's version that is no longer the
    /// newest is called off. False once nobody reloads any more. It lists folders, and so may wait for the disk.
    pub fn look(&mut self) -> bool {
        let Some(reload) = self.reload.upgrade() else { return false };
        reload.live.free();
        reload.settings.follow(&reload.stop);
        let scan = Scan::of(&reload.repository);
        if self.seen.as_ref() != Some(&scan) || reload.board.failed_changed() {
            reload.board.cancel_overtaken(&scan);
            self.seen = Some(scan);
            let _ = reload.wake.send(Wake { again: false, done: None });
        }
        true
    }
}
