//! Load-time results that several versions need, each kept once for as long as one of them is there.

use std::{
    collections::HashMap,
    ops::Deref,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use super::{coded::CodedPart, digest::Digest, prepare::PreparedRows};
use crate::{
    budget::{Budget, Kind, OverBudget, Reserved},
    table::RowNumber,
};

/// All load-time results that are in use, by what they were computed from. Their memory is part of a budget.
#[derive(Debug, Default)]
pub struct Shelf {
    pub resolved: Shared<Vec<RowNumber>>,
    pub coded: Shared<Option<CodedPart>>,
    pub rows: Shared<PreparedRows>,
    budget: Budget,
}

impl Shelf {
    /// An empty shelf.
    pub fn within(budget: Budget) -> Self {
        Self { budget, ..Self::default() }
    }

    /// What the results are part of.
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// Reserves what results over `table` will take.
    pub fn reserve(&self, table: &str, bytes: usize) -> Result<Reserved, OverBudget> {
        self.budget.reserve(Kind::Records, format_args!("features computed over table {table}"), bytes as u64)
    }
}

/// A result with its memory.
#[derive(Debug)]
pub struct Held<T> {
    value: T,
    _reserved: Reserved,
}

impl<T> Deref for Held<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// Results of one kind.
#[derive(Debug)]
pub struct Shared<T>(Mutex<HashMap<Digest, Weak<Held<T>>>>);

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Shared<T> {
    /// The result of this digest; made now, once its memory is reserved, unless somebody has it. `memory` is what a result
    /// takes in the end. Others may look up results meanwhile.
    pub fn get(
        &self,
        digest: Digest,
        reserve: impl FnOnce() -> Result<Reserved, OverBudget>,
        make: impl FnOnce() -> T,
        memory: impl FnOnce(&T) -> usize,
    ) -> Result<Arc<Held<T>>, OverBudget> {
        if let Some(found) = self.lock().get(&digest).and_then(Weak::upgrade) {
            return Ok(found);
        }
        let mut reserved = reserve()?;
        let value = make();
        reserved.settle(memory(&value) as u64);
        Ok(self.put(digest, Arc::new(Held { value, _reserved: reserved })))
    }

    /// How many results are in use.
    pub fn in_use(&self) -> usize {
        self.lock().values().filter(|kept| kept.strong_count() > 0).count()
    }

    /// Puts a result down; where another thread was faster, its result is taken.
    fn put(&self, digest: Digest, made: Arc<Held<T>>) -> Arc<Held<T>> {
        let mut all = self.lock();
        all.retain(|_, kept| kept.strong_count() > 0);
        if let Some(kept) = all.get(&digest).and_then(Weak::upgrade) {
            return kept;
        }
        all.insert(digest, Arc::downgrade(&made));
        made
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Digest, Weak<Held<T>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::digest::Digester;

    #[test]
    fn results_are_kept_while_they_are_in_use() {
        let shelf = Shelf::within(Budget::new(Some(1000)));
        let shared = Shared::<String>::default();
        let get = |name: &str, bytes: usize, made: &dyn Fn() -> String| {
            let digest = Digester::new("test").text(name).finish();
            shared.get(digest, || shelf.reserve("ads", bytes), made, String::len)
        };
        let first = get("a", 600, &|| "made".to_owned()).expect("fits");
        assert_eq!(shelf.budget.taken(), 4, "what it takes in the end");
        let second = get("a", 600, &|| panic!("it is there")).expect("fits");
        assert!(Arc::ptr_eq(&first, &second));
        let over = get("b", 997, &|| panic!("there is no room")).expect_err("4 of 1000 are taken");
        assert!(over.to_string().starts_with("features computed over table ads needs 997 B"), "{over}");
        drop((first, second));
        assert_eq!(shelf.budget.taken(), 0);
        assert_eq!(**get("a", 1000, &|| "made again".to_owned()).expect("fits"), *"made again");
    }
}
