//! How old the rows of a table are, all together: for people and alarms, not for requests.

use super::{EventTime, RowNumber, Table, event_time_unit};
use crate::batch::{Column, Mark, time::TimeUnit};

/// Rows that are looked at together.
const BLOCK: u32 = 1 << 13;

/// Rows whose event times are kept, evenly spaced: shares are exact to a few thousandths.
const SAMPLE: u32 = 1 << 12;

/// The event times of a table's rows, in nanoseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowAges {
    pub oldest: i64,
    pub newest: i64,
    /// How many rows have an event time.
    pub rows: u64,
    /// The event times of some of them, increasing.
    sample: Vec<i64>,
}

impl RowAges {
    /// Looks at all rows of the version; none where no row has an event time.
    pub fn of(table: &Table) -> Option<Self> {
        let column = match table.schema().event_time? {
            EventTime::Column(column) => column,
            EventTime::Version(at) if table.rows() > 0 => {
                return Some(Self { oldest: at, newest: at, rows: table.rows().into(), sample: vec![at] });
            }
            EventTime::Version(_) => return None,
        };
        let of = table.schema().columns[column].of;
        let unit = event_time_unit(of).map_or(1, TimeUnit::nanoseconds);
        let every = table.rows().div_ceil(SAMPLE).max(1);
        let mut ages = Self { oldest: i64::MAX, newest: i64::MIN, rows: 0, sample: Vec::new() };
        let mut times = Column::new(of);
        for start in (0..table.rows()).step_by(BLOCK as usize) {
            let rows: Vec<RowNumber> =
                (start..table.rows().min(start.saturating_add(BLOCK))).map(RowNumber::row).collect();
            table.gather(column, &rows, &mut times);
            let present = (start..).zip(times.int64()).zip(&times.marks);
            for ((row, &at), _) in present.filter(|(_, mark)| **mark == Mark::PRESENT) {
                ages.add(at.saturating_mul(unit), row % every == 0);
            }
        }
        ages.sample.sort_unstable();
        (ages.rows > 0).then_some(ages)
    }

    fn add(&mut self, at: i64, sampled: bool) {
        self.oldest = self.oldest.min(at);
        self.newest = self.newest.max(at);
        self.rows += 1;
        if sampled {
            self.sample.push(at);
        }
    }

    /// About how many rows are at most `age` nanoseconds old at `now`.
    pub fn within(&self, age: i64, now: i64) -> f64 {
        let earliest = now.saturating_sub(age);
        if self.sample.is_empty() || earliest <= self.oldest {
            return if earliest <= self.oldest { self.rows as f64 } else { 0.0 };
        }
        let older = self.sample.partition_point(|&at| at < earliest);
        (self.rows as f64 * (self.sample.len() - older) as f64 / self.sample.len() as f64).round()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{batch::Values, table::TableSchema};

    fn table(times: &[i64]) -> Table {
        let schema = TableSchema::from_json(
            r#"{"format": "quiver.table/1", "name": "t", "version": 1, "key": [{"name": "id", "dtype": "int64"}],
            "columns": [{"name": "at", "dtype": "timestamp[s]", "shape": "scalar"}], "event_time": "at"}"#,
        )
        .expect("a schema");
        let marks = vec![Mark::PRESENT; times.len()];
        let ids = Values::Int64((0..times.len() as i64).collect());
        let keys = vec![Column { values: ids, marks: marks.clone(), list: None }];
        let at = Column { values: Values::Int64(times.to_vec()), marks, list: None };
        Table::from_columns(schema, keys, vec![at]).expect("a table")
    }

    #[test]
    fn ages_are_counted_from_the_sample() {
        let ages = RowAges::of(&table(&[10, 20, 30, 40])).expect("ages");
        assert_eq!((ages.oldest, ages.newest, ages.rows), (10_000_000_000, 40_000_000_000, 4));
        let within = |seconds: i64| ages.within(seconds * 1_000_000_000, 45_000_000_000);
        assert_eq!([1, 5, 16, 35, 40].map(within), [0.0, 1.0, 2.0, 4.0, 4.0]);
        let many: Vec<i64> = (0..20_000).collect();
        let ages = RowAges::of(&table(&many)).expect("ages");
        assert!((ages.within(5_000_000_000_000, 20_000_000_000_000) - 5_000.0).abs() < 20.0);
        assert_eq!(RowAges::of(&table(&[])), None);
    }
}
