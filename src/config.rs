//! The server's settings: by flag, environment, file or default; the first one set wins, in this order.
//!
//! One table names every setting; `--max-rows`, `QUIVER_MAX_ROWS` and `max_rows` in the file are one setting. Every
//! mistake is reported at once, with where it was written.

use std::{
    fs,
    net::SocketAddr,
    num::NonZero,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{problem::Problems, serve::outcome::Limits};

mod value;
mod written;

pub use value::LogFormat;
use written::Written;

/// One setting as people see it.
#[derive(Debug)]
pub struct Setting {
    /// The flag without its dashes; the environment's and the file's names follow from it.
    pub flag: &'static str,
    /// What stands for the value in the help; empty for a switch.
    pub value: &'static str,
    pub help: &'static str,
    /// As it would be written; empty for none.
    pub default: &'static str,
}

impl Setting {
    /// The name in the environment.
    pub fn variable(&self) -> String {
        format!("QUIVER_{}", self.key().to_uppercase())
    }

    /// The name in the file.
    pub fn key(&self) -> String {
        self.flag.replace('-', "_")
    }
}

const fn setting(
    flag: &'static str,
    value: &'static str,
    default: &'static str,
    help: &'static str,
) -> Setting {
    Setting { flag, value, help, default }
}

/// Every setting, in the order of the help.
pub const SETTINGS: [Setting; 24] = [
    setting(
        "repository",
        "DIR|URL",
        "",
        "Serves the feature sets and tables of this folder, or of an object store: s3://, gs://, az://, http(s)://",
    ),
    setting(
        "cache",
        "DIR",
        "",
        "Folder that follows a repository in an object store; servers can't share one",
    ),
    setting("demo", "", "", "Serves the demo's repository, which is written on first use"),
    setting("demo-folder", "DIR", crate::demo::DEFAULT_FOLDER, "Folder of the demo's repository"),
    setting(
        "strict",
        "",
        "",
        "Serves nothing if anything in the repository is invalid; otherwise serves what is valid and reports the rest",
    ),
    setting("listen", "ADDRESS", "127.0.0.1:50051", "Address of the gRPC service; port 0 takes a free port"),
    setting(
        "admin",
        "ADDRESS",
        "127.0.0.1:9464",
        "Address of /metrics, /livez and /readyz; port 0 takes a free port",
    ),
    setting("threads", "COUNT", "0", "Serving threads; 0 is one per core"),
    setting("max-rows", "COUNT", "10000", "Maximum rows of one request"),
    setting("max-request-bytes", "SIZE", "16MiB", "Maximum bytes of one request"),
    setting(
        "max-text-bytes",
        "SIZE",
        "16MiB",
        "Maximum bytes of one column's texts in all rows; a dictionary's texts count for each row that has them",
    ),
    setting("max-list-elements", "COUNT", "1000000", "Maximum elements of one list column in all rows"),
    setting("max-answer-bytes", "SIZE", "64MiB", "Maximum bytes of one answer's tensors and statuses"),
    setting("max-concurrent-streams", "COUNT", "1024", "Maximum concurrent calls on one connection"),
    setting(
        "prepared-bytes",
        "SIZE",
        "4GiB",
        "Memory for features that are computed when tables are loaded; what does not fit is computed per request",
    ),
    setting(
        "memory-budget",
        "SIZE",
        "80%",
        "Memory for tables, load-time results, answers and what loading holds; what would exceed it is not loaded; a share of \
         the memory that the process can have, or a size; 0 is no limit",
    ),
    setting(
        "load-threads",
        "COUNT",
        "0",
        "Threads that read one table's files; 0 is half the cores, at least 1",
    ),
    setting(
        "watch",
        "TIME",
        "5s",
        "How often the repository is looked at for new versions and policies; off for never (quiver admin reload asks for it)",
    ),
    setting(
        "journal",
        "DIR",
        "",
        "Folder in which rows written to live tables are kept before they are acknowledged; without one they end with the \
         process",
    ),
    setting(
        "max-future",
        "TIME",
        "5min",
        "How far ahead of the server's clock event times of written rows may be",
    ),
    setting("log-format", "FORMAT", "human", "human or json"),
    setting("log", "FILTER", "info", "Log filter: a level, or directives such as quiver=debug,info"),
    setting("drain-timeout", "TIME", "30s", "Time for accepted calls to finish after SIGTERM"),
    setting("progress", "WHEN", "auto", "Progress bars while loading: auto (on a terminal), always or never"),
];

/// What is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Repository {
    /// A folder of feature sets and tables.
    Folder(PathBuf),
    /// The demo, written to this folder on first use.
    Demo(PathBuf),
    /// An object store, followed by this folder.
    Remote { url: String, cache: PathBuf },
}

/// When bars are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShowProgress {
    Auto,
    Always,
    Never,
}

/// All settings, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    pub repository: Repository,
    /// Whether nothing is served if anything in the repository is wrong.
    pub strict: bool,
    pub listen: SocketAddr,
    pub admin: SocketAddr,
    /// At least 1.
    pub threads: usize,
    pub limits: Limits,
    pub request_bytes: usize,
    pub concurrent_streams: u32,
    pub prepared_bytes: u64,
    /// In bytes; none for no limit.
    pub memory_budget: Option<u64>,
    pub load_threads: NonZero<usize>,
    /// Time between looks at the repository; none for never.
    pub watch: Option<Duration>,
    pub log_format: LogFormat,
    pub log: String,
    /// Where written rows are kept; none where they need not survive.
    pub journal: Option<PathBuf>,
    pub max_future: Duration,
    pub drain_timeout: Duration,
    pub progress: ShowProgress,
}

impl Config {
    /// Reads all settings; `flag` and `variable` give what was written for a flag's and a variable's name.
    pub fn read(
        flag: &dyn Fn(&str) -> Option<String>,
        variable: &dyn Fn(&str) -> Option<String>,
        file: Option<&Path>,
    ) -> Result<Self, Problems> {
        let table = file.map(read_file).transpose()?.unwrap_or_default();
        let mut written = Written::collect(flag, variable, &table);
        let config = Self {
            repository: repository(&mut written),
            strict: written.parse("strict", value::switch),
            listen: written.parse("listen", value::address),
            admin: written.parse("admin", value::address),
            threads: written.parse("threads", value::threads),
            limits: Limits {
                rows: written.parse("max-rows", value::positive),
                text_bytes: written.parse("max-text-bytes", value::size),
                list_elements: written.parse("max-list-elements", value::positive),
                answer_bytes: written.parse("max-answer-bytes", value::size),
            },
            request_bytes: written.parse("max-request-bytes", value::size),
            concurrent_streams: written.parse("max-concurrent-streams", value::positive),
            prepared_bytes: written.parse("prepared-bytes", value::any_size),
            memory_budget: written.parse("memory-budget", value::memory_budget),
            load_threads: NonZero::new(written.parse("load-threads", value::load_threads))
                .unwrap_or(NonZero::<usize>::MIN),
            watch: written.parse("watch", value::watch),
            log_format: written.parse("log-format", value::log_format),
            log: written.parse("log", value::filter),
            journal: Some(written.text("journal")).filter(|folder| !folder.is_empty()).map(PathBuf::from),
            max_future: written.parse("max-future", value::duration),
            drain_timeout: written.parse("drain-timeout", value::duration),
            progress: written.parse("progress", value::progress),
        };
        written.into_problems().or(config)
    }
}

/// The repository or the demo: where both are written, what comes earlier in the order wins.
fn repository(written: &mut Written) -> Repository {
    let demo_folder = PathBuf::from(written.text("demo-folder"));
    let folder = written.origin("repository").map(|origin| (origin, written.text("repository")));
    let demo = written.parse("demo", value::switch).then(|| written.origin("demo")).flatten();
    match (folder, demo) {
        (Some((of_folder, _)), Some(of_demo)) if of_folder == of_demo => {
            written.problem("demo", "the demo and a repository can't both be served");
            Repository::Demo(demo_folder)
        }
        (Some((of_folder, folder)), of_demo) if of_demo.is_none_or(|of_demo| of_folder < of_demo) => {
            folder_or_url(folder, written)
        }
        (None, None) => {
            written.problem("repository", "is missing: name a repository's folder, or say --demo");
            Repository::Demo(demo_folder)
        }
        _ => Repository::Demo(demo_folder),
    }
}

fn folder_or_url(text: String, written: &mut Written) -> Repository {
    if !text.contains("://") {
        return Repository::Folder(PathBuf::from(text));
    }
    let cache = written.text("cache");
    if cache.is_empty() {
        written
            .problem("repository", "a repository in an object store needs --cache, a folder that follows it");
    }
    Repository::Remote { url: text, cache: PathBuf::from(cache) }
}

fn read_file(file: &Path) -> Result<toml::Table, Problems> {
    let place = file.display().to_string();
    let text = fs::read_to_string(file)
        .map_err(|error| Problems::one(place.clone(), format!("can't be read: {error}")))?;
    text.parse()
        .map_err(|error: toml::de::Error| Problems::one(place, error.to_string().trim_end().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads settings from pairs and a file's text.
    fn read(flags: &[(&str, &str)], variables: &[(&str, &str)], file: &str) -> Result<Config, Problems> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("quiver.toml");
        fs::write(&path, file).expect("writes");
        let find = |pairs: &[(&str, &str)], name: &str| {
            pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        Config::read(&|name| find(flags, name), &|name| find(variables, name), Some(&path))
    }

    #[test]
    fn flags_come_before_variables_before_the_file_before_defaults() {
        let file =
            "max_rows = 3\nmax_answer_bytes = \"3KiB\"\ndrain_timeout = \"3s\"\nrepository = \"of-file\"";
        let variables =
            [("QUIVER_MAX_ROWS", "2"), ("QUIVER_MAX_ANSWER_BYTES", "2KiB"), ("QUIVER_DEMO", "true")];
        let config = read(&[("max-rows", "1"), ("listen", "[::1]:0")], &variables, file).expect("good");
        assert_eq!(
            config.limits,
            Limits { rows: 1, text_bytes: 16 << 20, list_elements: 1_000_000, answer_bytes: 2048 }
        );
        assert_eq!(config.drain_timeout, Duration::from_secs(3));
        assert_eq!(config.admin.port(), 9464);
        assert_eq!(config.repository, Repository::Demo(PathBuf::from("target/quiver-demo")));
        assert!(config.threads > 0);
    }

    #[test]
    fn tells_every_mistake_with_its_place() {
        let file = "max_rowz = 3\nthreads = \"many\"\nlog_format = [1]";
        let flags = [("listen", "nowhere"), ("demo", "true"), ("repository", "both")];
        let variables = [("QUIVER_DRAIN_TIMEOUT", "soon"), ("QUIVER_MAX_REQUEST_BYTES", "0")];
        let problems = read(&flags, &variables, file).expect_err("mistakes").to_string();
        for expected in [
            "max_rowz in the file",
            "threads in the file",
            "log_format in the file",
            "--listen",
            "--demo",
            "QUIVER_DRAIN_TIMEOUT",
            "QUIVER_MAX_REQUEST_BYTES",
        ] {
            assert!(problems.contains(expected), "{expected} in\n{problems}");
        }
        assert_eq!(problems.lines().count(), 7, "{problems}");
    }

    #[test]
    fn an_object_store_needs_a_cache() {
        let url = ("repository", "s3://bucket/features");
        let problems = read(&[url], &[], "").expect_err("no cache").to_string();
        assert!(problems.contains("needs --cache"), "{problems}");
        let config = read(&[url, ("cache", "here")], &[], "").expect("good");
        let (url, cache) = (url.1.to_owned(), PathBuf::from("here"));
        assert_eq!(config.repository, Repository::Remote { url, cache });
    }

    #[test]
    fn something_must_be_served() {
        let problems = read(&[], &[], "").expect_err("nothing to serve");
        assert!(problems.to_string().contains("--demo"), "{problems}");
    }

    #[test]
    fn a_file_that_is_not_there_is_told() {
        let problems =
            Config::read(&|_| None, &|_| None, Some(Path::new("no/such.toml"))).expect_err("not there");
        assert!(problems.to_string().starts_with("no/such.toml: "), "{problems}");
    }
}
