//! The values of a batch that are not exact in their targets: the first in full, the others counted.

use std::{collections::BTreeMap, fmt};

use super::{Misfit, Refusals};

/// Values of one column of one batch that are kept in full.
const KEPT: usize = 20;

/// What one column of a batch has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Misfits {
    /// The row in the batch, and what is wrong with its value.
    kept: Vec<(usize, Misfit)>,
    count: u64,
}

impl Misfits {
    /// Notes the value of row `row`; the texts are made only if it is kept.
    pub fn add(&mut self, row: usize, misfit: &dyn Fn() -> Misfit) {
        if self.kept.len() < KEPT {
            self.kept.push((row, misfit()));
        }
        self.count += 1;
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The row in the batch and the misfit of the first ones.
    pub fn iter(&self) -> impl Iterator<Item = &(usize, Misfit)> {
        self.kept.iter()
    }

    /// Refuses all of them, each at the place of its row and with the option that reads it nevertheless.
    pub fn refuse(&self, option: &str, refusals: &mut Refusals, place: impl Fn(usize) -> String) {
        for (row, misfit) in &self.kept {
            refusals.add(|| place(*row), || misfit.with_way_out(option));
        }
        refusals.add_more(self.count - self.kept.len() as u64);
    }
}

/// What lossy reading lost, by column.
#[derive(Debug, Default)]
pub struct Losses(BTreeMap<String, Loss>);

#[derive(Debug)]
struct Loss {
    values: u64,
    /// Where the first of them is, and what became of it.
    first: String,
}

impl Losses {
    /// Adds what a batch's column lost; `place` is that of a row in the batch.
    pub fn add(&mut self, column: &str, misfits: &Misfits, place: impl Fn(usize) -> String) {
        let Some((row, Misfit { why, lossy })) = misfits.kept.first() else { return };
        let first = || format!("{}: {why}; --lossy {lossy}", place(*row));
        match self.0.get_mut(column) {
            Some(loss) => loss.values += misfits.count,
            None => {
                self.0.insert(column.to_owned(), Loss { values: misfits.count, first: first() });
            }
        }
    }
}

impl fmt::Display for Losses {
    /// A line for each column.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (column, Loss { values, first }) in &self.0 {
            let noun = if *values == 1 { "value" } else { "values" };
            writeln!(f, "column {column}: {values} {noun} with loss, the first in {first}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_are_summed_by_column() {
        let mut misfits = Misfits::default();
        let misfit = || Misfit { why: "0.1 is not exact in float32".into(), lossy: "rounds it".into() };
        (3..103).for_each(|row| misfits.add(row, &misfit));
        let mut losses = Losses::default();
        losses.add("price", &misfits, |row| format!("a.csv, row {row}"));
        losses.add("price", &misfits, |row| format!("b.csv, row {row}"));
        assert_eq!(
            losses.to_string(),
            "column price: 200 values with loss, the first in a.csv, row 3: 0.1 is not exact in float32; \
             --lossy rounds it\n"
        );
        let mut refusals = Refusals::default();
        misfits.refuse("--lossy", &mut refusals, |row| format!("row {row}"));
        let text = refusals.or(()).expect_err("a hundred").to_string();
        assert!(text.ends_with("and 80 more problems"), "{text}");
    }
}
