//! Load-time results that several versions need, each kept once for as long as one of them is there.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use super::{coded::CodedPart, digest::Digest, prepare::PreparedRows};
use crate::table::RowNumber;

/// All load-time results that are in use, by what they were computed from.
#[derive(Debug, Default)]
pub struct Shelf {
    pub resolved: Shared<Vec<RowNumber>>,
    pub coded: Shared<Option<CodedPart>>,
    pub rows: Shared<PreparedRows>,
}

/// Results of one kind.
#[derive(Debug)]
pub struct Shared<T>(Mutex<HashMap<Digest, Weak<T>>>);

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Shared<T> {
    /// The result of this digest; made now unless somebody has it. Others may look up results meanwhile.
    pub fn get(&self, digest: Digest, make: impl FnOnce() -> T) -> Arc<T> {
        let found = self.lock().get(&digest).and_then(Weak::upgrade);
        found.unwrap_or_else(|| self.put(digest, Arc::new(make())))
    }

    /// How many results are in use.
    pub fn in_use(&self) -> usize {
        self.lock().values().filter(|kept| kept.strong_count() > 0).count()
    }

    /// Puts a result down; where another thread was faster, its result is taken.
    fn put(&self, digest: Digest, made: Arc<T>) -> Arc<T> {
        let mut all = self.lock();
        all.retain(|_, kept| kept.strong_count() > 0);
        if let Some(kept) = all.get(&digest).and_then(Weak::upgrade) {
            return kept;
        }
        all.insert(digest, Arc::downgrade(&made));
        made
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Digest, Weak<T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::digest::Digester;

    #[test]
    fn results_are_kept_while_they_are_in_use() {
        let shared = Shared::<String>::default();
        let digest = |text: &str| Digester::new("test").text(text).finish();
        let first = shared.get(digest("a"), || "made".to_owned());
        let second = shared.get(digest("a"), || panic!("it is there"));
        assert!(Arc::ptr_eq(&first, &second));
        drop((first, second));
        assert_eq!(*shared.get(digest("a"), || "made again".to_owned()), "made again");
        assert_eq!(shared.lock().len(), 1);
    }
}
