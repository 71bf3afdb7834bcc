//! What loading shows on a terminal, and other work on files: rows, bytes and the time left.

mod current;

use std::{
    fs,
    io::{self, IsTerminal},
    path::Path,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use self::current::Current;
use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};
use metrics::Gauge;

use crate::{
    config::ShowProgress,
    table::{self, Progress},
};

/// Counts what is loaded, and shows it where somebody looks.
#[derive(Debug)]
pub struct Loading {
    bar: ProgressBar,
    current: Mutex<Option<Current>>,
    /// Shows the share of the current table's rows that are in memory.
    ratio: Gauge,
    rows: AtomicU64,
    bytes: AtomicU64,
    started: Instant,
}

/// What was loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loaded {
    pub rows: u64,
    /// Bytes of the tables' files.
    pub bytes: u64,
    pub took: Duration,
}

impl Loading {
    /// Starts to count what is loaded of a repository, and to show it where `show` says so.
    pub fn start(repository: &Path, show: ShowProgress) -> Self {
        let bytes = if is_shown(show) { table_bytes(repository) } else { 0 };
        Self::over("loading", bytes, show)
    }

    /// Starts to count work on `bytes` bytes of files, and to show it where `show` says so.
    pub fn over(doing: &str, bytes: u64, show: ShowProgress) -> Self {
        let bar = if is_shown(show) { visible(doing, bytes) } else { ProgressBar::hidden() };
        let (current, ratio) = (Mutex::default(), Gauge::noop());
        Self {
            bar,
            current,
            ratio,
            rows: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            started: Instant::now(),
        }
    }

    /// Also shows how far each table is.
    pub fn with_ratio(self, ratio: Gauge) -> Self {
        Self { ratio, ..self }
    }

    /// Removes the bar and returns what was loaded.
    pub fn finish(&self) -> Loaded {
        self.bar.finish_and_clear();
        Loaded {
            rows: self.rows.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            took: self.started.elapsed(),
        }
    }
}

impl Progress for Loading {
    fn begin(&self, what: &str, rows: u64, _bytes: u64) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Some(Current::new(what, rows));
        self.ratio.set(0.0);
    }

    fn add(&self, rows: u64, bytes: u64) {
        if let Some(current) = &mut *self.current.lock().unwrap_or_else(PoisonError::into_inner) {
            current.add(rows, bytes);
            self.ratio.set(current.ratio());
        }
        let rows = self.rows.fetch_add(rows, Ordering::Relaxed) + rows;
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        if !self.bar.is_hidden() {
            self.bar.set_message(HumanCount(rows).to_string());
            self.bar.inc(bytes);
        }
    }
}

fn is_shown(show: ShowProgress) -> bool {
    match show {
        ShowProgress::Auto => io::stderr().is_terminal(),
        ShowProgress::Always => true,
        ShowProgress::Never => false,
    }
}

fn visible(doing: &str, bytes: u64) -> ProgressBar {
    const LINE: &str = "{prefix} {bar:30} {binary_bytes} of {binary_total_bytes}, {msg} rows, {eta} left";
    let bar = ProgressBar::with_draw_target(Some(bytes), ProgressDrawTarget::stderr());
    let bar = bar.with_prefix(doing.to_owned()).with_message("0");
    match ProgressStyle::with_template(LINE) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// The bytes of the newest version of every table. Only the bar's end depends on it: what can't be read counts
/// nothing here, and is reported where it is loaded.
fn table_bytes(repository: &Path) -> u64 {
    let folders = |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten();
    let newest = |table: fs::DirEntry| {
        let versions =
            folders(&table.path()).filter_map(|version| version.file_name().to_str()?.parse::<u32>().ok());
        Some(table.path().join(versions.max()?.to_string()))
    };
    let files = folders(&repository.join("tables")).filter_map(newest).flat_map(|version| folders(&version));
    let rows = files.filter(|file| table::is_of_rows(&file.path()));
    rows.filter_map(|file| Some(file.metadata().ok()?.len())).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_the_newest_versions_files() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (version, file, bytes) in
            [("1", "a.parquet", 9), ("2", "a.parquet", 5), ("2", "b.arrow", 2), ("2", "table.json", 7)]
        {
            let version = folder.path().join("tables").join("ads").join(version);
            fs::create_dir_all(&version).expect("makes");
            fs::write(version.join(file), vec![0; bytes]).expect("writes");
        }
        assert_eq!(table_bytes(folder.path()), 7);
        assert_eq!(table_bytes(Path::new("no/such/repository")), 0);
    }

    #[test]
    fn adds_up_what_was_loaded() {
        let loading = Loading::start(Path::new("none"), ShowProgress::Never);
        loading.add(3, 10);
        loading.add(4, 20);
        let loaded = loading.finish();
        assert_eq!((loaded.rows, loaded.bytes), (7, 30));
    }
}
