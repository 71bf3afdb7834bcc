//! Rows of equal size side by side, aligned to cache lines.

use super::memory::{LINE, Pages, prefetch};

/// Fixed-size rows of bytes in one allocation that begins on a cache line, on huge pages where the system gives them.
#[derive(Debug)]
pub struct RowMatrix {
    bytes: Pages<u8>,
    row_bytes: usize,
    stride: usize,
    rows: usize,
}

/// Bytes from one row's beginning to the next's: rows begin on cache lines of their own where that costs at most an
/// eighth of the memory.
fn stride_of(row_bytes: usize) -> usize {
    let padded = row_bytes.next_multiple_of(LINE);
    if padded - row_bytes <= row_bytes / 8 { padded } else { row_bytes }
}

/// Bytes of a matrix of `rows` rows of `row_bytes` bytes.
pub fn memory_for(rows: u64, row_bytes: usize) -> u64 {
    rows.saturating_mul(stride_of(row_bytes) as u64)
}

impl RowMatrix {
    /// Allocates `rows` zeroed rows of `row_bytes` bytes.
    pub fn new(rows: usize, row_bytes: usize) -> Self {
        let stride = stride_of(row_bytes);
        Self { bytes: Pages::zeroed(rows * stride), row_bytes, stride, rows }
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Bytes of one row's content.
    pub fn row_bytes(&self) -> usize {
        self.row_bytes
    }

    /// Bytes from one row's beginning to the next's.
    pub fn stride(&self) -> usize {
        self.stride
    }

    /// Bytes in memory.
    pub fn memory(&self) -> usize {
        self.bytes.memory()
    }

    /// The content of row `row`.
    #[inline]
    pub fn row(&self, row: usize) -> &[u8] {
        let start = row * self.stride;
        &self.bytes[start..start + self.row_bytes]
    }

    /// The content of row `row`, to be written.
    #[inline]
    pub fn row_mut(&mut self, row: usize) -> &mut [u8] {
        let start = row * self.stride;
        &mut self.bytes[start..start + self.row_bytes]
    }

    /// Asks the processor to fetch the first kilobyte of row `row`, whose hardware prefetcher goes on from there; a row
    /// outside of the matrix is allowed.
    #[inline]
    pub fn prefetch(&self, row: usize) {
        let start = row.wrapping_mul(self.stride);
        for line in 0..self.row_bytes.div_ceil(LINE).min(16) {
            prefetch(&self.bytes, start.wrapping_add(line * LINE));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_padded_only_where_it_is_cheap() {
        let strides =
            [(256, 256), (250, 256), (60, 64), (57, 64), (56, 56), (40, 40), (8, 8), (0, 0), (900, 960)];
        for (row_bytes, stride) in strides {
            assert_eq!(RowMatrix::new(3, row_bytes).stride(), stride, "{row_bytes}");
        }
    }

    #[test]
    fn rows_hold_what_was_written() {
        let mut matrix = RowMatrix::new(3, 60);
        matrix.row_mut(1).fill(5);
        matrix.row_mut(2)[59] = 9;
        assert_eq!(matrix.row(0), [0; 60]);
        assert_eq!(matrix.row(1), [5; 60]);
        assert_eq!(matrix.row(2)[59], 9);
        matrix.prefetch(2);
        matrix.prefetch(usize::MAX);
        assert_eq!(matrix.memory(), 192);
    }
}
