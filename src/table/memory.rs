//! The table store's only unsafe code: zeroed allocations on cache lines and huge pages, and prefetching.
//!
//! Benefit: rows that begin on a cache line cost one fetch less where they are narrow, and huge pages spare a random
//! probe the walk through the page table.

use std::{
    alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error},
    fmt,
    ops::{Deref, DerefMut},
    ptr::NonNull,
};

/// A cache line in bytes, which every allocation begins on.
pub const LINE: usize = 64;

/// From this size on, the system is asked for huge pages.
const HUGE: usize = 4 << 20;

/// A fixed number of zeroed elements, aligned to [`LINE`].
pub struct Pages<T: Plain> {
    start: NonNull<T>,
    length: usize,
}

/// Element types that zero bytes are a value of and that need no drop.
///
/// # Safety
///
/// All zero bytes must be a valid value, and the type must be `Copy` without padding.
pub unsafe trait Plain: Copy + 'static {}

// SAFETY: integers of all bit patterns are valid.
unsafe impl Plain for u8 {}
// SAFETY: as above.
unsafe impl Plain for u32 {}
// SAFETY: as above.
unsafe impl Plain for u64 {}

// SAFETY: `Pages` owns its elements alone, like a `Vec` of plain integers.
unsafe impl<T: Plain + Send> Send for Pages<T> {}
// SAFETY: shared access gives shared slices only.
unsafe impl<T: Plain + Sync> Sync for Pages<T> {}

impl<T: Plain> Pages<T> {
    /// Allocates `length` zeroed elements.
    pub fn zeroed(length: usize) -> Self {
        if length == 0 {
            return Self { start: NonNull::dangling(), length };
        }
        let layout = Self::layout(length);
        // SAFETY: the layout's size is not zero, since `length` is not and no `Plain` type is empty.
        let start = unsafe { alloc_zeroed(layout) };
        let Some(start) = NonNull::new(start.cast::<T>()) else { handle_alloc_error(layout) };
        advise_huge(start.as_ptr().cast(), layout.size());
        Self { start, length }
    }

    /// Bytes in memory.
    pub fn memory(&self) -> usize {
        self.length * size_of::<T>()
    }

    fn layout(length: usize) -> Layout {
        Layout::array::<T>(length)
            .and_then(|layout| layout.align_to(LINE))
            .expect("a table's size in bytes fits into the address space")
    }
}

impl<T: Plain> Deref for Pages<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: `start` is aligned and points to `length` initialized elements (or is dangling for none) that live
        // as long as `self`; writing needs `&mut self`.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.length) }
    }
}

impl<T: Plain> DerefMut for Pages<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as in `deref`, and `&mut self` makes the access exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.length) }
    }
}

impl<T: Plain> Drop for Pages<T> {
    fn drop(&mut self) {
        if self.length > 0 {
            // SAFETY: allocated by `zeroed` with this very layout, and dropped once.
            unsafe { dealloc(self.start.as_ptr().cast(), Self::layout(self.length)) };
        }
    }
}

impl<T: Plain> fmt::Debug for Pages<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pages({} elements)", self.length)
    }
}

/// Asks for huge pages under the whole pages of the range; a refusal costs speed only.
#[cfg(target_os = "linux")]
fn advise_huge(start: *mut u8, size: usize) {
    const PAGE: usize = 4096;
    if size < HUGE {
        return;
    }
    let skip = start.align_offset(PAGE);
    let inside = (size - skip) / PAGE * PAGE;
    // SAFETY: the range lies within the allocation, and this advice changes no content.
    unsafe { libc::madvise(start.wrapping_add(skip).cast(), inside, libc::MADV_HUGEPAGE) };
}

#[cfg(not(target_os = "linux"))]
fn advise_huge(_start: *mut u8, _size: usize) {}

/// Asks the processor to fetch the cache line of element `position`; any position is allowed.
#[inline(always)]
pub fn prefetch<T>(slice: &[T], position: usize) {
    let address = slice.as_ptr().wrapping_add(position).cast::<i8>();
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch is a hint that never faults, whatever the address.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(address);
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: as above; the instruction touches neither memory nor flags.
    unsafe {
        std::arch::asm!("prfm pldl1keep, [{0}]", in(reg) address, options(nostack, readonly, preserves_flags));
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let _ = address;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_zeroed_aligned_and_writable_to_both_ends() {
        for length in [0, 1, 63, 1000, HUGE / 8 + 1] {
            let mut pages = Pages::<u64>::zeroed(length);
            assert!(length == 0 || pages.as_ptr().addr().is_multiple_of(LINE));
            assert!(pages.iter().all(|&element| element == 0));
            if let Some(last) = pages.last_mut() {
                *last = u64::MAX;
            }
            if let Some(first) = pages.first_mut() {
                *first = 7;
            }
            assert_eq!(pages.len(), length);
            assert_eq!(pages.memory(), length * 8);
        }
    }

    #[test]
    fn prefetching_outside_of_a_slice_does_nothing() {
        prefetch(&[1u8, 2], 0);
        prefetch(&[1u8, 2], 1 << 40);
        prefetch::<u64>(&[], usize::MAX);
    }
}
