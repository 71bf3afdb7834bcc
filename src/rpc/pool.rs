//! Buffers for answers, used again once the connection has sent them.
//!
//! A fresh buffer of megabytes costs its page faults and its zeroing at every call; a pooled one is warm. Buffers keep
//! their full length, so that taking one touches nothing.

use std::{
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;

use crate::budget::{Budget, Kind, Reserved};

/// The smallest buffer made: answers of a few kilobytes share one size.
const SMALLEST: usize = 16 * 1024;

/// Kept buffers, up to a number of bytes in all.
#[derive(Debug, Clone)]
pub struct Pool(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    kept: Mutex<Kept>,
    limit: usize,
}

#[derive(Debug, Default)]
struct Kept {
    buffers: Vec<Vec<u8>>,
    bytes: usize,
    /// The kept bytes, as part of a budget.
    reserved: Option<Reserved>,
}

/// A buffer on loan; it goes back when it is dropped.
#[derive(Debug)]
pub struct Pooled {
    buffer: Vec<u8>,
    pool: Pool,
}

/// The part of a buffer that is sent.
struct Sent {
    buffer: Pooled,
    range: Range<usize>,
}

impl Pool {
    /// Makes a pool that keeps at most `limit` bytes of buffers that nobody uses.
    pub fn new(limit: usize) -> Self {
        Self(Arc::new(Shared { kept: Mutex::default(), limit }))
    }

    /// The same, as part of a budget: where it has no room, buffers are freed instead of kept.
    pub fn within(limit: usize, budget: &Budget) -> Self {
        let reserved = budget.reserve(Kind::Answers, "kept buffers of answers", 0).ok();
        let kept = Kept { reserved, ..Kept::default() };
        Self(Arc::new(Shared { kept: Mutex::new(kept), limit }))
    }

    /// Gives a buffer of at least `length` bytes, which hold anything.
    pub fn take(&self, length: usize) -> Pooled {
        let kept = self.take_kept(length);
        let buffer = kept.unwrap_or_else(|| vec![0; length.max(SMALLEST).next_multiple_of(4096)]);
        Pooled { buffer, pool: self.clone() }
    }

    /// Bytes of the buffers that nobody uses.
    pub fn kept_bytes(&self) -> usize {
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner).bytes
    }

    /// The buffer given back last among those that are long enough: the one most likely in the caches.
    fn take_kept(&self, length: usize) -> Option<Vec<u8>> {
        let mut kept = self.0.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let position = kept.buffers.iter().rposition(|buffer| buffer.len() >= length)?;
        let buffer = kept.buffers.remove(position);
        let bytes = kept.bytes - buffer.len();
        kept.resize(bytes);
        Some(buffer)
    }

    fn give_back(&self, buffer: Vec<u8>) {
        let mut kept = self.0.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = kept.bytes + buffer.len();
        if bytes <= self.0.limit && kept.resize(bytes) {
            kept.buffers.push(buffer);
        }
    }
}

impl Kept {
    /// Notes how many bytes are kept, unless the budget has no room for more.
    fn resize(&mut self, bytes: usize) -> bool {
        let has_room = self.reserved.as_mut().is_none_or(|reserved| reserved.resize(bytes as u64).is_ok());
        if has_room {
            self.bytes = bytes;
        }
        has_room
    }
}

impl Pooled {
    /// All bytes.
    pub fn bytes(&mut self) -> &mut [u8] {
        &mut self.buffer
    }

    /// Makes it at least `length` bytes long.
    pub fn grow(&mut self, length: usize) {
        if self.buffer.len() < length {
            self.buffer.resize(length.next_multiple_of(4096), 0);
        }
    }

    /// Shares a part of it without a copy; the buffer goes back to its pool with the last share.
    pub fn share(self, range: Range<usize>) -> Bytes {
        Bytes::from_owner(Sent { buffer: self, range })
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        self.pool.give_back(std::mem::take(&mut self.buffer));
    }
}

impl AsRef<[u8]> for Sent {
    fn as_ref(&self) -> &[u8] {
        &self.buffer.buffer[self.range.clone()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_back_with_the_last_share() {
        let pool = Pool::new(1 << 20);
        let mut taken = pool.take(100_000);
        taken.bytes()[5] = 7;
        let place = taken.bytes().as_ptr();
        let shared = taken.share(5..6);
        let other = shared.clone();
        drop(shared);
        assert_eq!((pool.kept_bytes(), &other[..]), (0, &[7][..]));
        drop(other);
        assert_eq!(pool.take(50).bytes().as_ptr(), place);
    }

    #[test]
    fn no_more_is_kept_than_the_limit() {
        let pool = Pool::new(100_000);
        let (first, second, third) = (pool.take(40_000), pool.take(40_000), pool.take(40_000));
        drop((first, second, third));
        assert_eq!(pool.kept_bytes(), 2 * 40_960);
    }

    #[test]
    fn no_more_is_kept_than_the_budget_has_room_for() {
        let budget = Budget::new(Some(100_000));
        let pool = Pool::within(1 << 20, &budget);
        let (first, second, third) = (pool.take(40_000), pool.take(40_000), pool.take(40_000));
        drop((first, second, third));
        assert_eq!((pool.kept_bytes(), budget.taken()), (2 * 40_960, 2 * 40_960));
        let taken = pool.take(40_000);
        assert_eq!(budget.taken(), 40_960);
        drop((taken, pool));
        assert_eq!(budget.taken(), 0);
    }
}
