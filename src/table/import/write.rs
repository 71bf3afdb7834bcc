//! Writes a table's folder.

use std::{fs, path::Path};

use super::{DroppedRows, NamedFile};
use crate::{
    batch::Column,
    cancel::Cancel,
    files::{Batch, Checksum, Losses, RowWriter, Target, rows_at_once},
    problem::Problems,
    table::{Progress, TableSchema},
};

/// The file of rows.
const ROWS: &str = "rows.parquet";

/// Writes `rows.parquet` and `table.json` with its checksum, without the rows that are dropped; gives what was lost.
pub fn write(
    schema: &TableSchema,
    files: &[NamedFile],
    targets: &[Target],
    dropped: &DroppedRows,
    folder: &Path,
    progress: &dyn Progress,
) -> Result<Losses, Problems> {
    let of_folder = |why: String| Problems::one(folder.display().to_string(), why);
    let file = folder.join(ROWS);
    let writer = RowWriter::create(&file, targets.to_vec()).map_err(of_folder)?;
    let (losses, refused) = (Losses::default(), Losses::default());
    let mut rows = Rows { targets, dropped, writer, next: 0, losses, refused };
    let mut problems = Problems::none();
    for named in files {
        if let Err(why) = rows.add(named, progress) {
            problems.add(&named.name, why);
        }
    }
    problems.add_below("", rows.refused.refused());
    problems.or(())?;
    rows.writer.finish().map_err(of_folder)?;
    let sum = Checksum::of(&file, &Cancel::new()).map_err(of_folder)?;
    let document = schema.to_json_with(sum.map(|sum| [(ROWS.to_owned(), sum)].into()));
    fs::write(folder.join("table.json"), document).map_err(|error| of_folder(error.to_string()))?;
    Ok(rows.losses)
}

/// The rows on their way into the file.
struct Rows<'a> {
    targets: &'a [Target],
    dropped: &'a DroppedRows,
    writer: RowWriter,
    /// The number of the next row, over all files.
    next: u64,
    losses: Losses,
    /// What would be lost, and was not asked for.
    refused: Losses,
}

impl Rows<'_> {
    fn add(&mut self, named: &NamedFile, progress: &dyn Progress) -> Result<(), String> {
        let mut first_row = 0;
        for batch in named.file.batches(self.targets, rows_at_once(self.targets))? {
            let batch = batch?;
            self.sort_misfits(named, &batch, first_row);
            if self.refused.is_empty() {
                self.writer.write(&self.kept(&batch))?;
            }
            self.next += batch.rows as u64;
            first_row += batch.rows;
            progress.add(batch.rows as u64, batch.bytes);
        }
        Ok(())
    }

    fn sort_misfits(&mut self, named: &NamedFile, batch: &Batch, first_row: usize) {
        for (target, misfits) in self.targets.iter().zip(&batch.misfits) {
            let place = |row: usize| format!("{}, row {}", named.name, first_row + row);
            let losses = if target.lossy { &mut self.losses } else { &mut self.refused };
            losses.add(&target.name, misfits, place);
        }
    }

    /// The columns of the rows that stay.
    fn kept(&self, batch: &Batch) -> Vec<Column> {
        let last = self.next + batch.rows as u64;
        if self.dropped.rows.range(self.next..last).next().is_none() {
            return batch.columns.clone();
        }
        let rows =
            (0..batch.rows as u32).filter(|row| !self.dropped.rows.contains(&(self.next + u64::from(*row))));
        let rows: Vec<u32> = rows.collect();
        let columns = batch.columns.iter().zip(self.targets);
        columns.map(|(column, target)| gathered(column, target, &rows)).collect()
    }
}

fn gathered(column: &Column, target: &Target, rows: &[u32]) -> Column {
    let mut out = Column::new(target.of);
    out.gather(column, target.of.lanes(), rows);
    out
}
