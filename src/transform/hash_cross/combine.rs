//! All combinations of several columns' values, row by row.

use std::ops::Range;

use super::join::Combination;
use crate::{
    batch::{Column, ListRows, Mark},
    transform::Kernel,
};

/// The most inputs that are crossed.
pub const MOST_INPUTS: usize = 4;

/// The most combinations of one row: a request's lists can't make an answer take forever.
const MOST_COMBINATIONS: usize = 4096;

/// The kernel of a cross.
#[derive(Debug)]
pub struct CrossKernel<C> {
    pub of: C,
    /// Whether any input is a list.
    pub list: bool,
}

impl<C: Combination> Kernel for CrossKernel<C> {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        let mut rows = self.list.then(|| out.list.take().unwrap_or_default());
        let (buckets, marks) = out.int64_mut();
        let mut text = Vec::new();
        let mut push = |at: &[usize]| {
            let mark = inputs.iter().zip(at).fold(Mark::PRESENT, |mark, (input, &at)| mark | input.marks[at]);
            marks.push(mark);
            buckets.push(if mark.is_null() { 0 } else { self.of.bucket(inputs, at, &mut text) });
        };
        match &mut rows {
            None => (0..inputs[0].marks.len()).for_each(|row| push(&[row; MOST_INPUTS][..inputs.len()])),
            Some(rows) => all_combinations(inputs, rows, push),
        }
        out.list = rows;
    }

    fn gives_lists(&self) -> bool {
        self.list
    }
}

/// Pushes each row's combinations, and records where they are.
fn all_combinations(inputs: &[&Column], rows: &mut ListRows, mut push: impl FnMut(&[usize])) {
    rows.offsets.clear();
    rows.offsets.push(0);
    rows.marks.clear();
    let mut end = 0;
    for row in 0..inputs[0].rows() {
        let mut spans = [const { 0..0 }; MOST_INPUTS];
        let spans = &mut spans[..inputs.len()];
        let mut mark = Mark::PRESENT;
        for (span, input) in spans.iter_mut().zip(inputs) {
            let own;
            (*span, own) = span_of(input, row);
            mark |= own;
        }
        let count = spans.iter().fold(1, |count: usize, span| count.saturating_mul(span.len()));
        if count > MOST_COMBINATIONS {
            mark |= Mark::OUT_OF_RANGE.nulled();
        }
        if !mark.is_null() {
            combine(spans, count, &mut push);
            end += count as u32;
        }
        rows.offsets.push(end);
        rows.marks.push(mark);
    }
}

/// A row's values, and the mark of its list; a null scalar is like a null list.
fn span_of(input: &Column, row: usize) -> (Range<usize>, Mark) {
    match &input.list {
        Some(list) => (list.range(row), list.marks[row]),
        None => (row..row + 1, if input.marks[row].is_null() { input.marks[row] } else { Mark::PRESENT }),
    }
}

/// Counts through the spans, the last one fastest.
fn combine(spans: &[Range<usize>], count: usize, push: &mut impl FnMut(&[usize])) {
    let mut at = [0; MOST_INPUTS];
    let at = &mut at[..spans.len()];
    for (at, span) in at.iter_mut().zip(spans) {
        *at = span.start;
    }
    for _ in 0..count {
        push(at);
        for (at, span) in at.iter_mut().zip(spans).rev() {
            *at += 1;
            if *at < span.end {
                break;
            }
            *at = span.start;
        }
    }
}
