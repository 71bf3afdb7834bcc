//! One memory budget for the whole process: whatever takes much memory reserves it before it allocates.

mod limit;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

pub use limit::available_memory;

use crate::problem::Problems;

/// Reservations that an error names.
const NAMED: usize = 3;

/// What memory is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Tables' keys, indexes and columns.
    Tables,
    /// Rows written since a table's version was made.
    Deltas,
    /// Load-time results.
    Records,
    /// What calls compute in.
    Scratches,
    /// Answers' buffers.
    Answers,
    /// What loading holds for a short time.
    Loading,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 6] =
        [Self::Tables, Self::Deltas, Self::Records, Self::Scratches, Self::Answers, Self::Loading];

    /// The name in metrics and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tables => "tables",
            Self::Deltas => "deltas",
            Self::Records => "records",
            Self::Scratches => "scratches",
            Self::Answers => "answers",
            Self::Loading => "loading",
        }
    }
}

/// The process' memory for data. Clones are the same budget.
#[derive(Debug, Clone, Default)]
pub struct Budget(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// In bytes; none for no limit.
    limit: Option<u64>,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    bytes: u64,
    by_kind: [u64; Kind::ALL.len()],
    /// By the reservations' numbers.
    reservations: BTreeMap<u64, Entry>,
    next: u64,
}

#[derive(Debug)]
struct Entry {
    what: String,
    kind: Kind,
    bytes: u64,
}

/// Reserved bytes; they are free again when this is dropped.
#[derive(Debug)]
pub struct Reserved {
    budget: Budget,
    number: u64,
}

/// Why bytes were not reserved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverBudget {
    /// What asked.
    pub what: String,
    /// Bytes that it asked for.
    pub asked: u64,
    /// Bytes that are taken already.
    pub taken: u64,
    pub limit: u64,
    /// The largest reservations and their bytes.
    pub largest: Vec<(String, u64)>,
}

impl Budget {
    /// Starts a budget of `limit` bytes; none for no limit.
    pub fn new(limit: Option<u64>) -> Self {
        Self(Arc::new(Shared { limit, taken: Mutex::default() }))
    }

    /// The limit in bytes.
    pub fn limit(&self) -> Option<u64> {
        self.0.limit
    }

    /// Bytes that are reserved.
    pub fn taken(&self) -> u64 {
        self.lock().bytes
    }

    /// Bytes that are reserved for one kind of thing.
    pub fn taken_by(&self, kind: Kind) -> u64 {
        self.lock().by_kind[kind as usize]
    }

    /// Reserves `bytes` bytes for `what`, or returns what stands in the way.
    pub fn reserve(&self, kind: Kind, what: impl fmt::Display, bytes: u64) -> Result<Reserved, OverBudget> {
        let mut taken = self.lock();
        let number = taken.next;
        taken.next += 1;
        taken.reservations.insert(number, Entry { what: what.to_string(), kind, bytes: 0 });
        let reserved = Reserved { budget: self.clone(), number };
        let resized = taken.resize(number, bytes, self.0.limit);
        // Dropping a refused reservation takes the lock.
        drop(taken);
        resized.map(|()| reserved)
    }

    /// The lock is never held where code could panic, so a poisoned one holds good numbers.
    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    fn resize(&mut self, number: u64, bytes: u64, limit: Option<u64>) -> Result<(), OverBudget> {
        let Some(entry) = self.reservations.get_mut(&number) else { return Ok(()) };
        let asked = bytes.saturating_sub(entry.bytes);
        if let Some(limit) = limit.filter(|limit| asked > 0 && self.bytes.saturating_add(asked) > *limit) {
            let what = entry.what.clone();
            return Err(OverBudget { what, asked, taken: self.bytes, limit, largest: self.largest() });
        }
        let of_kind = &mut self.by_kind[entry.kind as usize];
        *of_kind = of_kind.saturating_sub(entry.bytes).saturating_add(bytes);
        self.bytes = self.bytes.saturating_sub(entry.bytes).saturating_add(bytes);
        entry.bytes = bytes;
        Ok(())
    }

    fn largest(&self) -> Vec<(String, u64)> {
        let entries = self.reservations.values().filter(|entry| entry.bytes > 0);
        let mut all: Vec<_> = entries.map(|entry| (entry.what.clone(), entry.bytes)).collect();
        all.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
        all.truncate(NAMED);
        all
    }
}

impl Reserved {
    /// The bytes reserved.
    pub fn bytes(&self) -> u64 {
        self.budget.lock().reservations.get(&self.number).map_or(0, |entry| entry.bytes)
    }

    /// Makes it `bytes` bytes. Where the budget has no room for more, it stays as it is.
    pub fn resize(&mut self, bytes: u64) -> Result<(), OverBudget> {
        self.budget.lock().resize(self.number, bytes, self.budget.0.limit)
    }

    /// Makes it at least `bytes` bytes.
    pub fn grow_to(&mut self, bytes: u64) -> Result<(), OverBudget> {
        if bytes > self.bytes() { self.resize(bytes) } else { Ok(()) }
    }

    /// Makes it `bytes` bytes whatever the budget says: for memory that is taken already.
    pub fn settle(&mut self, bytes: u64) {
        // Without a limit nothing is refused.
        let _ = self.budget.lock().resize(self.number, bytes, None);
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        let mut taken = self.budget.lock();
        // Fewer bytes are never refused.
        let _ = taken.resize(self.number, 0, None);
        taken.reservations.remove(&self.number);
    }
}

impl fmt::Display for OverBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, asked, taken, limit, largest } = self;
        let (asked, taken, limit) = (Bytes(*asked), Bytes(*taken), Bytes(*limit));
        write!(
            f,
            "{what} needs {asked}, which is over the memory budget: {taken} of {limit} (--memory-budget) are taken"
        )?;
        for (position, (what, bytes)) in largest.iter().enumerate() {
            let before = if position == 0 { "; the largest: " } else { ", " };
            write!(f, "{before}{what} {}", Bytes(*bytes))?;
        }
        Ok(())
    }
}

impl std::error::Error for OverBudget {}

impl From<OverBudget> for Problems {
    fn from(over: OverBudget) -> Self {
        Self::one("", over.to_string())
    }
}

/// A number of bytes as people read it.
struct Bytes(u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(&str, u64); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
        match UNITS.into_iter().find(|(_, unit)| self.0 >= *unit) {
            Some((name, unit)) => write!(f, "{:.1} {name}", self.0 as f64 / unit as f64),
            None => write!(f, "{} B", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dropped_is_free_again() {
        let budget = Budget::new(Some(100));
        let table = budget.reserve(Kind::Tables, "table ads", 60).expect("fits");
        let mut records = budget.reserve(Kind::Records, "records of ads", 10).expect("fits");
        records.resize(40).expect("fits");
        assert_eq!((budget.taken(), budget.taken_by(Kind::Records)), (100, 40));
        drop(table);
        records.resize(5).expect("fewer always fit");
        assert_eq!((budget.taken(), budget.taken_by(Kind::Tables), records.bytes()), (5, 0, 5));
    }

    #[test]
    fn a_refusal_says_what_is_asked_what_is_taken_and_by_whom() {
        let budget = Budget::new(Some(10 << 20));
        let _small = budget.reserve(Kind::Answers, "answers", 100).expect("fits");
        let mut table = budget.reserve(Kind::Tables, "table ads 3", 6 << 20).expect("fits");
        let over = budget.reserve(Kind::Tables, "table users 1", 5 << 20).expect_err("over");
        assert_eq!(
            over.to_string(),
            "table users 1 needs 5.0 MiB, which is over the memory budget: 6.0 MiB of 10.0 MiB (--memory-budget) are \
             taken; the largest: table ads 3 6.0 MiB, answers 100 B"
        );
        assert!(table.grow_to(11 << 20).is_err());
        assert_eq!(table.bytes(), 6 << 20, "a refused growth changes nothing");
        assert_eq!(budget.taken(), (6 << 20) + 100, "nor does a refused reservation");
        assert!(budget.reserve(Kind::Tables, "everything", u64::MAX).is_err());
    }

    #[test]
    fn without_a_limit_nothing_is_refused() {
        let budget = Budget::new(None);
        let mut all = budget.reserve(Kind::Tables, "all", u64::MAX).expect("no limit");
        all.settle(3);
        assert_eq!(budget.taken(), 3);
        let mut over = Budget::new(Some(1)).reserve(Kind::Tables, "small", 1).expect("fits");
        over.settle(7);
        assert_eq!(over.bytes(), 7, "what is taken already counts");
    }
}
