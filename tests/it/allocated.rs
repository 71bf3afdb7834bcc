//! Counts the bytes that a thread allocates, so that tests can hold a server to what a request may take.
//!
//! A test's server, its connections and its client run on the test's own thread: what other tests do at the same time
//! counts elsewhere.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

thread_local! {
    /// Bytes allocated and not yet freed by this thread; negative where it frees what others allocated.
    static HELD: Cell<isize> = const { Cell::new(0) };
    /// The most bytes held since the last measurement began.
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

// SAFETY: every call is passed on to the system's allocator as it is; counting touches nothing but two cells.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller's promises are the system's demands.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: the caller's promises are the system's demands.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Old and new memory are both held while one is copied to the other.
        count(size as isize);
        count(-(layout.size() as isize));
        // SAFETY: the caller's promises are the system's demands.
        unsafe { System.realloc(memory, layout, size) }
    }
}

fn count(bytes: isize) {
    // A thread that ends has no cells any more.
    let _ = HELD.try_with(|held| {
        held.set(held.get() + bytes);
        PEAK.with(|peak| peak.set(peak.get().max(held.get())));
    });
}

/// Runs a call and gives the most bytes that this thread held meanwhile, beyond those that it held before.
pub async fn peak<T>(call: impl Future<Output = T>) -> (T, usize) {
    let before = HELD.get();
    PEAK.set(before);
    let done = call.await;
    (done, (PEAK.get() - before) as usize)
}
