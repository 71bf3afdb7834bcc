//! A token by which long work is called off from another thread.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use crate::problem::Problems;

/// Shared between who works and who may call it off; clones are the same token.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// A token that is not cancelled.
    pub fn new() -> Self {
        Self::default()
    }

    /// Calls the work off. It ends at its next look at the token.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the work was called off.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// An error once the work was called off.
    pub fn check(&self) -> Result<(), Problems> {
        if self.is_cancelled() { Err(Problems::one("", "cancelled")) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_are_one_token() {
        let cancel = Cancel::new();
        let other = cancel.clone();
        assert_eq!(other.check(), Ok(()));
        cancel.cancel();
        assert!(other.is_cancelled());
        assert_eq!(other.check(), Err(Problems::one("", "cancelled")));
    }
}
