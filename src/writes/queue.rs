//! Calls that wait for a table's writer: bounded by their bytes, so that a slow disk never fills the memory.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot;

use super::{Done, Refusal};
use crate::table::{TableSchema, Write};

/// Bytes of rows that may wait.
const MOST_BYTES: usize = 64 << 20;

/// Rows that the writer takes at a time: more would make the first of them wait too long.
const AT_ONCE: usize = 16 * 1024;

/// Where the outcome of a call will be.
pub type Waiting = oneshot::Receiver<Result<Done, Refusal>>;

/// The calls of one table.
#[derive(Debug, Default)]
pub struct Queue {
    state: Mutex<State>,
    filled: Condvar,
}

#[derive(Debug, Default)]
struct State {
    calls: VecDeque<Call>,
    bytes: usize,
    closed: bool,
}

/// Rows to write, and who waits for the outcome.
#[derive(Debug)]
pub struct Call {
    pub write: Write,
    /// The version of the table's schema that the rows were held against.
    pub version: u32,
    pub waiter: Waiter,
    bytes: usize,
}

/// Who waits for the outcome of some rows.
#[derive(Debug)]
pub struct Waiter {
    pub rows: usize,
    done: oneshot::Sender<Result<Done, Refusal>>,
}

impl Waiter {
    /// Sends the outcome.
    pub fn answer(self, outcome: Result<Done, Refusal>) {
        // Who asked may have gone.
        let _ = self.done.send(outcome);
    }
}

impl Queue {
    /// Adds a call that was held against `schema`, unless too much waits already.
    pub fn push(&self, write: Write, schema: &TableSchema) -> Result<Waiting, Refusal> {
        let bytes = write.memory();
        let mut state = self.lock();
        if state.closed {
            return Err(Refusal::NotReady);
        }
        if state.bytes + bytes > MOST_BYTES && !state.calls.is_empty() {
            return Err(Refusal::Busy);
        }
        let (done, waiting) = oneshot::channel();
        state.bytes += bytes;
        let waiter = Waiter { rows: write.rows(), done };
        state.calls.push_back(Call { write, version: schema.version, waiter, bytes });
        drop(state);
        self.filled.notify_one();
        Ok(waiting)
    }

    /// Whether there is room for more.
    pub fn has_room(&self) -> bool {
        let state = self.lock();
        state.closed || state.bytes < MOST_BYTES
    }

    /// Waits for calls and takes those that there are, up to a good many rows; none once the queue is closed and empty.
    pub fn take(&self) -> Option<Vec<Call>> {
        let mut state = self.lock();
        while state.calls.is_empty() && !state.closed {
            state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let (mut taken, mut rows) = (Vec::new(), 0);
        while rows < AT_ONCE
            && let Some(call) = state.calls.pop_front()
        {
            rows += call.waiter.rows;
            state.bytes -= call.bytes;
            taken.push(call);
        }
        (!taken.is_empty()).then_some(taken)
    }

    /// Takes no more calls.
    pub fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
