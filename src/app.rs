//! The server as a whole: ports first, then the snapshot, then signals.

use std::{
    fmt, io,
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
    time,
};
use tonic_health::{ServingStatus, server::HealthReporter};

use crate::{
    admin,
    config::{Config, Repository, ShowProgress},
    demo::{self, Recipe},
    live::Live,
    loading::{Loaded, Loading},
    metrics::Metrics,
    problem::{Problem, Problems},
    rpc::{
        call::Calls,
        pool::Pool,
        server::{Drained, ServerSettings, serve_connections},
        service::Service,
    },
    snapshot::{self, Binder, Options, Snapshot},
};

/// Bytes of answers' buffers that are kept for the next calls.
const POOL_BYTES: usize = 256 << 20;

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
    options: Options,
    strict: bool,
    progress: ShowProgress,
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

fn of_signal(error: io::Error) -> Failure {
    Failure::Io("can't wait for signals".to_owned(), error)
}

impl Server {
    /// Binds both ports and serves: NOT_SERVING and UNAVAILABLE until a repository is loaded.
    pub async fn start(config: &Config) -> Result<Self, Failure> {
        let (listener, listen) = bind("--listen", config.listen).await?;
        let (admin_listener, admin) = bind("--admin", config.admin).await?;
        let live = Live::new();
        let metrics = Arc::new(Metrics::new());
        let health = HealthReporter::new();
        tell_health(&health, ServingStatus::NotServing).await;
        let (draining, is_draining) = watch::channel(false);
        let calls = Calls {
            live: live.clone(),
            limits: config.limits,
            pool: Pool::new(POOL_BYTES),
            metrics: metrics.clone(),
        };
        let service = Service::new(calls, config.request_bytes, is_draining.clone(), health.clone())
            .map_err(|error| Failure::Bug(format!("the service's descriptors: {error}")))?;
        let settings = ServerSettings {
            connections: CONNECTIONS,
            concurrent_streams: config.concurrent_streams,
            drain_timeout: config.drain_timeout,
        };
        let drained =
            tokio::spawn(serve_connections(listener, service, settings, turned(is_draining.clone())));
        tokio::spawn(serve_admin(admin_listener, metrics.clone(), live.clone(), is_draining));
        tokio::spawn(keep_up(metrics.clone()));
        let binder = Binder::within(usize::try_from(config.prepared_bytes).ok());
        let options = Options { binder, ..Options::default() };
        tracing::info!(%listen, %admin, "listening");
        let (strict, progress) = (config.strict, config.progress);
        Ok(Self { listen, admin, live, metrics, health, draining, drained, options, strict, progress })
    }

    /// Loads the repository aside and publishes what can be served of it.
    pub async fn load(&self, repository: &Repository) -> Result<(), Failure> {
        let (options, strict, progress, source) =
            (self.options.clone(), self.strict, self.progress, repository.clone());
        let loaded = tokio::task::spawn_blocking(move || load(&source, &options, strict, progress)).await;
        let (snapshot, problems, loaded) =
            loaded.map_err(|error| Failure::Bug(format!("loading failed: {error}")))??;
        log_failed(&snapshot, &problems);
        self.metrics.published(&snapshot, loaded);
        let feature_sets = snapshot.feature_sets().count();
        self.live.publish(Arc::new(snapshot));
        tell_health(&self.health, ServingStatus::Serving).await;
        let seconds = loaded.took.as_secs_f64();
        let (listen, admin) = (self.listen, self.admin);
        tracing::info!(%listen, %admin, feature_sets, rows = loaded.rows, seconds, "serving");
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

/// Logs everything that is wrong in the repository, and which versions are not served.
fn log_failed(snapshot: &Snapshot, problems: &Problems) {
    for Problem { path, message } in problems.iter() {
        tracing::error!(path, problem = message, "problem in the repository");
    }
    for name in snapshot.names() {
        for (version, problems) in snapshot.failed(name) {
            tracing::error!(feature_set = name, version, problem = problems.summary(), "not served");
        }
    }
}

/// What can be served of a repository, what is wrong beside it, and how much was loaded.
fn load(
    repository: &Repository,
    options: &Options,
    strict: bool,
    progress: ShowProgress,
) -> Result<(Snapshot, Problems, Loaded), Failure> {
    let folder: &Path = match repository {
        Repository::Folder(folder) => folder,
        Repository::Demo(folder) => {
            if !demo::is_complete(folder, &Recipe::default()) {
                tracing::info!(folder = %folder.display(), "writing the demo's repository");
            }
            demo::ensure(folder, &Recipe::default()).map_err(Failure::Demo)?;
            folder
        }
    };
    let loading = Loading::start(folder, progress);
    let outcome = snapshot::load(folder, options, &loading);
    let loaded = loading.finish();
    let servable = if strict {
        outcome.whole().map(|snapshot| (snapshot, Problems::none()))
    } else {
        outcome.servable()
    };
    let (snapshot, problems) =
        servable.map_err(|problems| Failure::Repository(folder.to_owned(), problems))?;
    Ok((snapshot, problems, loaded))
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
async fn serve_admin(
    listener: TcpListener,
    metrics: Arc<Metrics>,
    live: Live,
    draining: watch::Receiver<bool>,
) {
    if let Err(error) = admin::serve(listener, metrics, live, draining, std::future::pending()).await {
        tracing::error!(%error, "the admin port ended");
    }
}

async fn keep_up(metrics: Arc<Metrics>) {
    let mut ticks = time::interval(KEEP_UP);
    loop {
        ticks.tick().await;
        metrics.keep_up();
    }
}
