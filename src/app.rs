//! The server as a whole: ports first, then the snapshot, then signals.

use std::{
    env, fmt, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::{
    net::TcpListener,
    runtime,
    signal::unix::{SignalKind, signal},
    sync::watch,
    task::JoinHandle,
    time::{self, MissedTickBehavior},
};
use tonic_health::{ServingStatus, server::HealthReporter};

use crate::{
    admin::{self, Admin, Reloads},
    budget::Budget,
    config::{Config, Repository},
    demo::{self, Recipe},
    live::Live,
    metrics::Metrics,
    problem::{Problem, Problems},
    reload::{self, Changed, Reload, Reloaded, Watcher},
    remote::Mirror,
    rpc::{
        call::Calls,
        pool::Pool,
        server::{Drained, ServerSettings, serve_connections},
        service::Service,
        shadow::Shadows,
    },
    snapshot::Binder,
    writes::{Settings, Writers},
};

/// The most bytes of answers' buffers that are kept for the next calls.
const POOL_BYTES: usize = 256 << 20;

/// The part of a small memory budget that they may take.
const POOL_SHARE: u64 = 8;

fn pool_bytes(budget: &Budget) -> usize {
    let share = budget.limit().map_or(u64::MAX, |limit| limit / POOL_SHARE);
    usize::try_from(share).map_or(POOL_BYTES, |share| share.min(POOL_BYTES))
}

/// Connections at one time.
const CONNECTIONS: usize = 10_000;

/// The metrics upkeep interval: how often recorded latencies are moved into their histograms.
const KEEP_UP: Duration = Duration::from_secs(5);

/// The name under which health is reported, besides that of the whole server.
const SERVICE: &str = "quiver.v1.FeatureService";

/// Why the server ended without success.
#[derive(Debug)]
pub enum Failure {
    /// A port or a signal.
    Io(String, io::Error),
    /// The repository's problems.
    Repository(PathBuf, Problems),
    /// The demo could not be written.
    Demo(demo::GenerateError),
    /// Something that only a bug can cause.
    Bug(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(doing, error) => write!(f, "{doing}: {error}"),
            Self::Repository(folder, problems) => {
                write!(f, "{problems}\nthe repository {} is not served", folder.display())
            }
            Self::Demo(error) => write!(f, "the demo can't be written: {error}"),
            Self::Bug(cause) => write!(f, "{cause}"),
        }
    }
}

impl std::error::Error for Failure {}

/// A server that accepts connections. It serves nothing until [`Server::load`].
#[derive(Debug)]
pub struct Server {
    /// The gRPC service's real address.
    pub listen: SocketAddr,
    /// The admin port's real address.
    pub admin: SocketAddr,
    live: Live,
    metrics: Arc<Metrics>,
    health: HealthReporter,
    draining: watch::Sender<bool>,
    drained: JoinHandle<Drained>,
    reload: reload::Settings,
    watch: Option<Duration>,
    /// Set once a repository is loaded.
    reloads: Reloads,
}

/// Serves until SIGTERM or SIGINT; every accepted call is answered first.
pub fn run(config: &Config) -> Result<(), Failure> {
    let runtime = runtime::Builder::new_multi_thread()
        .worker_threads(config.threads)
        .thread_name("quiver")
        .enable_all()
        .build()
        .map_err(|error| Failure::Io("can't start threads".to_owned(), error))?;
    let served = runtime.block_on(serve(config));
    runtime.shutdown_background();
    served
}

async fn serve(config: &Config) -> Result<(), Failure> {
    let mut terminate = signal(SignalKind::terminate()).map_err(of_signal)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(of_signal)?;
    let server = Server::start(config).await?;
    let ended = async {
        tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        }
    };
    tokio::pin!(ended);
    let signal = tokio::select! {
        signal = &mut ended => signal,
        loaded = server.load(&config.repository) => {
            loaded?;
            ended.await
        }
    };
    tracing::info!(signal, "draining");
    match server.drain().await {
        Drained::Complete => tracing::info!("every accepted call was answered"),
        Drained::TimedOut => tracing::warn!("the drain timeout cut calls off"),
    }
    Ok(())
}

fn of_thread(error: io::Error) -> Failure {
    Failure::Io("can't start a thread".to_owned(), error)
}

fn of_signal(error: io::Error) -> Failure {
    Failure::Io("can't wait for signals".to_owned(), error)
}

impl Server {
    /// Binds both ports and serves: NOT_SERVING and UNAVAILABLE until a repository is loaded.
    pub async fn start(config: &Config) -> Result<Self, Failure> {
        let (listener, listen) = bind("--listen", config.listen).await?;
        let (admin_listener, admin) = bind("--admin", config.admin).await?;
        let budget = Budget::new(config.memory_budget);
        let live = Live::new();
        let metrics = Arc::new(Metrics::new());
        let health = HealthReporter::new();
        tell_health(&health, ServingStatus::NotServing).await;
        let (draining, is_draining) = watch::channel(false);
        let shadows = Shadows::start(config.limits, metrics.clone()).map_err(of_thread)?;
        let calls = Calls {
            live: live.clone(),
            limits: config.limits,
            pool: Pool::within(pool_bytes(&budget), &budget),
            metrics: metrics.clone(),
            shadows,
        };
        let writing = Settings {
            journal: config.journal.clone(),
            most_ahead: config.max_future,
            budget: budget.clone(),
        };
        let writers = Writers::new(live.clone(), writing);
        let service =
            Service::new(calls, writers.clone(), config.request_bytes, is_draining.clone(), health.clone())
                .map_err(|error| Failure::Bug(format!("the service's descriptors: {error}")))?;
        let settings = ServerSettings {
            connections: CONNECTIONS,
            concurrent_streams: config.concurrent_streams,
            drain_timeout: config.drain_timeout,
        };
        let drained =
            tokio::spawn(serve_connections(listener, service, settings, turned(is_draining.clone())));
        let reloads = Reloads::default();
        let port = Admin {
            metrics: metrics.clone(),
            live: live.clone(),
            service: admin::Service { reloads: reloads.clone() },
            draining: is_draining,
        };
        tokio::spawn(serve_admin(admin_listener, port));
        tokio::spawn(keep_up(metrics.clone(), budget.clone()));
        let reload = reload::Settings {
            binder: Binder::within_budget(usize::try_from(config.prepared_bytes).ok(), budget.clone()),
            strict: config.strict,
            load_threads: config.load_threads,
            budget,
            progress: config.progress,
            writers,
            mirror: None,
        };
        tracing::info!(%listen, %admin, "listening");
        let watch = config.watch;
        Ok(Self { listen, admin, live, metrics, health, draining, drained, reload, watch, reloads })
    }

    /// Loads the repository aside, publishes what can be served of it, and looks for changes from then on.
    pub async fn load(&self, repository: &Repository) -> Result<(), Failure> {
        let source = repository.clone();
        let opened = tokio::task::spawn_blocking(move || open(&source)).await;
        let (folder, mirror) = opened.map_err(|error| Failure::Bug(format!("loading failed: {error}")))??;
        let (live, metrics) = (self.live.clone(), self.metrics.clone());
        let settings = reload::Settings { mirror, ..self.reload.clone() };
        let reload = Reload::start(folder.clone(), settings, live, metrics).map_err(of_thread)?;
        let reloaded = reload.reload(false).await;
        let reloaded = reloaded.map_err(|_| Failure::Bug("the loading thread ended".to_owned()))?;
        let Some(snapshot) = self.live.current() else {
            let problems = problems_of(&folder, &reloaded);
            return Err(Failure::Repository(folder, problems));
        };
        for Problem { path, message } in reloaded.problems.iter() {
            tracing::error!(path, problem = message, "problem in the repository");
        }
        if let Some(every) = self.watch {
            tokio::spawn(watch(reload.watcher(), every));
        }
        self.reloads.set(reload);
        tell_health(&self.health, ServingStatus::Serving).await;
        let (listen, admin, seconds) = (self.listen, self.admin, reloaded.took.as_secs_f64());
        let feature_sets = snapshot.feature_sets().count();
        let rows: u64 = snapshot.tables().iter().map(|table| u64::from(table.rows())).sum();
        tracing::info!(%listen, %admin, feature_sets, rows, seconds, "serving");
        Ok(())
    }

    /// Says NOT_SERVING, accepts no more connections and waits for the accepted calls.
    pub async fn drain(self) -> Drained {
        tell_health(&self.health, ServingStatus::NotServing).await;
        self.draining.send_replace(true);
        self.drained.await.unwrap_or(Drained::TimedOut)
    }
}

async fn tell_health(health: &HealthReporter, status: ServingStatus) {
    for service in ["", SERVICE] {
        health.set_service_status(service, status).await;
    }
}

/// The folder of a repository, and the object store that it follows, if it follows one; the demo is written if it is not
/// there.
fn open(repository: &Repository) -> Result<(PathBuf, Option<Arc<Mirror>>), Failure> {
    let folder = match repository {
        Repository::Folder(folder) => folder,
        Repository::Remote { url, cache } => {
            let mirror = Mirror::open(url, cache, env::vars())
                .map_err(|problems| Failure::Repository(PathBuf::from(url), problems))?;
            return Ok((mirror.folder(), Some(Arc::new(mirror))));
        }
        Repository::Demo(folder) => {
            if !demo::is_complete(folder, &Recipe::default()) {
                tracing::info!(folder = %folder.display(), "writing the demo's repository");
            }
            demo::ensure(folder, &Recipe::default()).map_err(Failure::Demo)?;
            folder
        }
    };
    Ok((folder.clone(), None))
}

/// Everything that is wrong in a repository of which nothing is served.
fn problems_of(folder: &Path, reloaded: &Reloaded) -> Problems {
    let mut problems = reloaded.problems.clone();
    for change in &reloaded.changes {
        if let Changed::Failed(found) | Changed::PolicyFailed(found) = &change.what {
            found.iter().for_each(|problem| problems.add_once(problem));
        }
    }
    if problems.is_empty() {
        problems.add("feature_sets", format!("no feature set in {}", folder.display()));
    }
    problems
}

/// Looks at the repository at intervals, for as long as anybody reloads.
async fn watch(mut watcher: Watcher, every: Duration) {
    let mut ticks = time::interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let looked = tokio::task::spawn_blocking(move || {
            let goes_on = watcher.look();
            (watcher, goes_on)
        });
        match looked.await {
            Ok((returned, true)) => watcher = returned,
            Ok((_, false)) | Err(_) => return,
        }
    }
}

async fn bind(setting: &str, address: SocketAddr) -> Result<(TcpListener, SocketAddr), Failure> {
    let failure = |error| Failure::Io(format!("{setting}: can't listen on {address}"), error);
    let listener = TcpListener::bind(address).await.map_err(failure)?;
    let bound = listener.local_addr().map_err(failure)?;
    Ok((listener, bound))
}

/// Ready when the flag turns true, or nobody can turn it any more.
async fn turned(mut flag: watch::Receiver<bool>) {
    // An error says that the sender is gone: the server is dropped.
    let _ = flag.wait_for(|flag| *flag).await;
}

/// The admin port stays open while calls drain, so that the drain can be watched.
async fn serve_admin(listener: TcpListener, admin: Admin) {
    if let Err(error) = admin::serve(listener, admin, std::future::pending()).await {
        tracing::error!(%error, "the admin port ended");
    }
}

async fn keep_up(metrics: Arc<Metrics>, budget: Budget) {
    let mut ticks = time::interval(KEEP_UP);
    loop {
        ticks.tick().await;
        metrics.memory(&budget);
        metrics.keep_up();
    }
}
