//! The table that is being loaded: a log line every few seconds, and the share that is in memory.

use std::time::{Duration, Instant};

/// Time between two lines about one table.
const BETWEEN: Duration = Duration::from_secs(5);

/// How far one table is.
#[derive(Debug)]
pub struct Current {
    what: String,
    rows: u64,
    read_rows: u64,
    read_bytes: u64,
    started: Instant,
    shown: Instant,
}

impl Current {
    /// Starts with none of the rows.
    pub fn new(what: &str, rows: u64) -> Self {
        let now = Instant::now();
        Self { what: what.to_owned(), rows, read_rows: 0, read_bytes: 0, started: now, shown: now }
    }

    /// Notes what came, and shows it now and then.
    pub fn add(&mut self, rows: u64, bytes: u64) {
        self.read_rows += rows;
        self.read_bytes += bytes;
        if self.shown.elapsed() >= BETWEEN {
            self.shown = Instant::now();
            let megabytes_per_second = self.read_bytes as f64 / 1e6 / self.started.elapsed().as_secs_f64();
            let (what, read_rows, rows) = (&self.what, self.read_rows, self.rows);
            tracing::info!(what, read_rows, rows, megabytes_per_second, "loading");
        }
    }

    /// The share of the rows that came, 1 for no rows.
    pub fn ratio(&self) -> f64 {
        if self.rows == 0 { 1.0 } else { self.read_rows as f64 / self.rows as f64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ratio_is_that_of_the_rows() {
        let mut current = Current::new("table ads 1", 8);
        assert_eq!(current.ratio(), 0.0);
        current.add(2, 100);
        assert_eq!(current.ratio(), 0.25);
        assert_eq!(Current::new("table none 1", 0).ratio(), 1.0);
    }
}
