//! Shadows: a sampled share of the requests is computed again, with the version that answered and with another one, on a
//! thread of its own and after the answer; differences are counted.
//!
//! Both are computed from the snapshot that the request saw, so that a difference is never one of tables' versions.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

use bytes::Bytes;

use super::decode::decode;
use crate::{
    metrics::Metrics,
    policy::findings::Findings,
    serve::{
        compare::{Incomparable, compare},
        outcome::{Limits, Refusal},
    },
    snapshot::{FeatureSet, Snapshot},
    table::lower_priority,
};

/// Requests that wait to be compared.
const WAITING: usize = 256;

/// Bytes of the requests that wait.
const WAITING_BYTES: usize = 64 << 20;

/// Takes requests to compare; clones are the same. What does not fit is dropped and counted.
#[derive(Debug, Clone)]
pub struct Shadows {
    jobs: SyncSender<Job>,
    waiting_bytes: Arc<AtomicUsize>,
    metrics: Arc<Metrics>,
}

#[derive(Debug)]
struct Job {
    /// Kept to the end, so that it is never freed by this thread's last feature set.
    snapshot: Arc<Snapshot>,
    message: Bytes,
    served: Arc<FeatureSet>,
    shadow: Arc<FeatureSet>,
    findings: Arc<Findings>,
}

impl Shadows {
    /// Starts the thread; it ends with the last clone.
    pub fn start(limits: Limits, metrics: Arc<Metrics>) -> io::Result<Self> {
        let (jobs, taken) = sync_channel(WAITING);
        let waiting_bytes = Arc::new(AtomicUsize::new(0));
        let waiting = waiting_bytes.clone();
        let of_thread = metrics.clone();
        thread::Builder::new().name("quiver-shadow".to_owned()).spawn(move || {
            lower_priority();
            work(&taken, &waiting, &limits, &of_thread);
        })?;
        Ok(Self { jobs, waiting_bytes, metrics })
    }

    /// Compares a request that named no version, after its answer, where the policy wants it and it is one of the sample.
    pub fn offer(&self, snapshot: &Arc<Snapshot>, served: &Arc<FeatureSet>, message: &Bytes) {
        let Some((shadow, findings, rate)) = snapshot.shadow(served.name()) else { return };
        if shadow.version() == served.version() || !findings.samples(rate) {
            return;
        }
        let bytes = message.len();
        let waiting = self.waiting_bytes.fetch_add(bytes, Ordering::Relaxed);
        let job = Job {
            snapshot: snapshot.clone(),
            message: message.clone(),
            served: served.clone(),
            shadow: shadow.clone(),
            findings: findings.clone(),
        };
        if waiting + bytes > WAITING_BYTES || self.jobs.try_send(job).is_err() {
            self.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
            findings.drop_one();
            self.metrics.shadow_dropped(served.name(), shadow.version());
        }
    }
}

fn work(jobs: &Receiver<Job>, waiting_bytes: &AtomicUsize, limits: &Limits, metrics: &Metrics) {
    for job in jobs {
        // A bug ends this comparison alone.
        if catch_unwind(AssertUnwindSafe(|| job.compare(limits, metrics))).is_err() {
            job.drop_one(metrics);
        }
        waiting_bytes.fetch_sub(job.message.len(), Ordering::Relaxed);
        let Job { snapshot, served, shadow, .. } = job;
        // The snapshot goes last: who publishes frees it and what only it holds.
        drop((served, shadow));
        drop(snapshot);
    }
}

impl Job {
    fn compare(&self, limits: &Limits, metrics: &Metrics) {
        // It was decoded before; only a version with shorter lists would not take it again.
        let Ok(request) = decode(&self.message, limits.values(self.served.spec())) else { return };
        let (name, version) = (self.served.name(), self.shadow.version());
        match compare(&self.served, &self.shadow, request, limits) {
            Ok(comparison) => {
                self.findings.add(&comparison);
                metrics.shadow_compared(name, version, &comparison);
            }
            Err(Incomparable::Shadow(refusal)) => {
                self.findings.reject(|| words(&refusal));
                metrics.shadow_rejected(name, version);
            }
            Err(Incomparable::Served(_)) => self.drop_one(metrics),
        }
    }

    fn drop_one(&self, metrics: &Metrics) {
        self.findings.drop_one();
        metrics.shadow_dropped(self.served.name(), self.shadow.version());
    }
}

fn words(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Invalid(problems) | Refusal::TooLarge(problems) => problems.summary(),
        Refusal::NotFound(message) => message.clone(),
        Refusal::NotReady | Refusal::DeadlineExceeded => "it was not ready".to_owned(),
    }
}
