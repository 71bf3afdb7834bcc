//! Reading several pieces of files at once. Each lane reads its own pieces one after the other; batches are taken from the
//! lanes in turn, so that the order of rows depends on the files and the number of lanes alone.

use std::{
    collections::VecDeque,
    num::NonZero,
    ops::ControlFlow,
    sync::mpsc::{SyncSender, sync_channel},
    thread,
};

use super::{DataSource, priority::lower_priority};
use crate::{
    cancel::Cancel,
    files::{Batch, Checksum, Piece, Target, rows_at_once},
};

/// Batches of one lane that wait to be taken.
const WAITING: usize = 2;

/// What came of a file: some of its rows, none where its checksum was right, or what is wrong.
pub struct Read {
    /// The file's position.
    pub source: usize,
    /// The number in the file of the first row.
    pub first_row: u64,
    pub batch: Result<Option<Batch>, String>,
}

/// Work on the file of a position.
struct Task {
    source: usize,
    work: Work,
    /// How long it takes, in rows.
    rows: u64,
}

enum Work {
    Rows(Piece),
    /// Holding the file to its checksum; this reads it once more, mostly from the system's cache.
    Checksum(Checksum),
}

/// Hashing takes about as long as reading this part of a file's rows.
const HASHED_SHARE: u64 = 3;

/// Gives `take` what the files have until it has enough; with one lane in the files' order and on this thread.
pub fn read(
    sources: &[DataSource],
    targets: &[Target],
    lanes: NonZero<usize>,
    cancel: &Cancel,
    mut take: impl FnMut(Read) -> ControlFlow<()>,
) {
    let mut shares = share(sources, lanes);
    let run = |tasks: &[Task], take: &mut dyn FnMut(Read) -> ControlFlow<()>| {
        let _ = tasks.iter().try_for_each(|task| run_task(sources, task, targets, cancel, take));
    };
    if let [tasks] = &mut shares[..] {
        return run(tasks, &mut take);
    }
    thread::scope(|scope| {
        let start = |tasks: Vec<Task>| {
            let (send, receive) = sync_channel(WAITING);
            scope.spawn(move || {
                lower_priority();
                run(&tasks, &mut |read| pass(&send, read));
            });
            receive
        };
        let mut lanes: VecDeque<_> = shares.into_iter().map(start).collect();
        while let Some(lane) = lanes.pop_front() {
            // An error says that the lane has ended.
            let Ok(read) = lane.recv() else { continue };
            if take(read).is_break() {
                return;
            }
            lanes.push_back(lane);
        }
    });
}

fn pass(send: &SyncSender<Read>, read: Read) -> ControlFlow<()> {
    match send.send(read) {
        Ok(()) => ControlFlow::Continue(()),
        Err(_) => ControlFlow::Break(()),
    }
}

/// The pieces of all files, each given to the lane that has the fewest rows so far.
fn share(sources: &[DataSource], lanes: NonZero<usize>) -> Vec<Vec<Task>> {
    let tasks = sources.iter().enumerate().flat_map(|(source, of)| {
        let pieces = of.file.pieces().into_iter();
        let pieces = pieces.map(move |piece| Task { source, rows: piece.rows, work: Work::Rows(piece) });
        let rows = of.file.rows() / HASHED_SHARE;
        let sum = of.listed.clone().map(|sum| Task { source, rows, work: Work::Checksum(sum) });
        pieces.chain(sum)
    });
    let tasks: Vec<Task> = tasks.collect();
    let lanes = lanes.get().min(tasks.len()).max(1);
    let mut shares: Vec<(u64, Vec<Task>)> = (0..lanes).map(|_| (0, Vec::new())).collect();
    for task in tasks {
        let Some((rows, tasks)) = shares.iter_mut().min_by_key(|(rows, _)| *rows) else { break };
        *rows += task.rows;
        tasks.push(task);
    }
    shares.into_iter().map(|(_, tasks)| tasks).collect()
}

fn run_task(
    sources: &[DataSource],
    task: &Task,
    targets: &[Target],
    cancel: &Cancel,
    take: &mut dyn FnMut(Read) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let (source, of) = (task.source, &sources[task.source]);
    let piece = match &task.work {
        Work::Rows(piece) => piece,
        Work::Checksum(sum) => {
            let batch = sum.check(&of.path, cancel).map(|()| None);
            return take(Read { source, first_row: 0, batch });
        }
    };
    let mut first_row = piece.first_row;
    let batches = match of.file.piece_batches(piece, targets.to_vec(), rows_at_once(targets)) {
        Ok(batches) => batches,
        Err(why) => return take(Read { source, first_row, batch: Err(why) }),
    };
    for batch in batches {
        if cancel.is_cancelled() {
            return ControlFlow::Break(());
        }
        let rows = batch.as_ref().map_or(0, |batch| batch.rows as u64);
        take(Read { source, first_row, batch: batch.map(Some) })?;
        first_row += rows;
    }
    ControlFlow::Continue(())
}

#[cfg(test)]
mod tests;
