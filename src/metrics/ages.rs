//! How old the rows of tables are, as gauges that are set whenever somebody asks.

use std::sync::{Mutex, PoisonError};

use metrics::{Gauge, Label};

use super::{Metrics, label};
use crate::{
    batch::time::now,
    snapshot::Snapshot,
    table::{RowAges, Table},
};

/// Ages up to which rows are counted, in seconds, and what the label says.
const EDGES: [(i64, &str); 8] = [
    (60, "60"),
    (300, "300"),
    (900, "900"),
    (3_600, "3600"),
    (21_600, "21600"),
    (86_400, "86400"),
    (604_800, "604800"),
    (2_592_000, "2592000"),
];

const SECOND: i64 = 1_000_000_000;

/// The ages of all tables with event times.
#[derive(Default)]
pub struct Ages(Mutex<Vec<OfTable>>);

/// One table's ages, of the rows of its version, and its gauges.
struct OfTable {
    name: String,
    version: u32,
    ages: RowAges,
    oldest: Gauge,
    newest: Gauge,
    /// Rows up to each of the edges, then all.
    within: Vec<Gauge>,
}

impl Metrics {
    /// Looks at the event times of tables that were not there before; each version's once.
    pub(super) fn take_ages(&self, snapshot: &Snapshot) {
        let mut known = self.ages.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut kept: Vec<OfTable> = Vec::new();
        for table in snapshot.tables() {
            let schema = table.schema();
            let same = |of: &OfTable| of.name == schema.name && of.version == schema.version;
            let of_table = match known.iter().position(same) {
                Some(position) => Some(known.swap_remove(position)),
                None => RowAges::of(table).map(|ages| self.of_ages(table, ages)),
            };
            // Of several versions the newest comes last, and is the one that is shown.
            kept.retain(|of| of.name != schema.name);
            kept.extend(of_table);
        }
        *known = kept;
    }

    /// Sets the gauges by the clock.
    pub(super) fn show_ages(&self) {
        let now = now();
        for of in self.ages.0.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            of.oldest.set(of.ages.oldest as f64 / SECOND as f64);
            of.newest.set(of.ages.newest as f64 / SECOND as f64);
            let counts = EDGES.iter().map(|(seconds, _)| of.ages.within(seconds * SECOND, now));
            let counts = counts.chain([of.ages.rows as f64]);
            of.within.iter().zip(counts).for_each(|(gauge, count)| gauge.set(count));
        }
    }

    fn of_ages(&self, table: &Table, ages: RowAges) -> OfTable {
        let name = &table.schema().name;
        let edges = EDGES.iter().map(|&(_, edge)| edge).chain(["+Inf"]);
        let within = edges.map(|edge| {
            self.gauge("quiver_table_row_age_rows", vec![label("table", name), Label::new("le", edge)])
        });
        OfTable {
            name: name.clone(),
            version: table.schema().version,
            ages,
            oldest: self.gauge("quiver_table_oldest_row_timestamp_seconds", vec![label("table", name)]),
            newest: self.gauge("quiver_table_newest_row_timestamp_seconds", vec![label("table", name)]),
            within: within.collect(),
        }
    }
}
