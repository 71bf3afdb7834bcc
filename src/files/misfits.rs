//! The values of a batch that are not exact in their targets: the first in full, the others counted.

use std::{collections::BTreeMap, fmt};

use super::{Misfit, Refusals};
use crate::problem::Problems;

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

    /// Rejects all of them, each at the place of its row and with the option that reads it nevertheless.
    pub fn refuse(&self, option: &str, refusals: &mut Refusals, place: impl Fn(usize) -> String) {
        for (row, misfit) in &self.kept {
            refusals.add(|| place(*row), || misfit.with_way_out(option));
        }
        refusals.add_more(self.count - self.kept.len() as u64);
    }
}

/// Values of a column that are shown.
const SHOWN: usize = 3;

/// What lossy reading lost, or would lose, by column.
#[derive(Debug, Default)]
pub struct Losses(BTreeMap<String, Loss>);

#[derive(Debug, Default)]
struct Loss {
    values: u64,
    /// Where the first of them are, and what is wrong with each.
    first: Vec<(String, Misfit)>,
}

impl Losses {
    /// Adds what a batch's column lost; `place` is that of a row in the batch.
    pub fn add(&mut self, column: &str, misfits: &Misfits, place: impl Fn(usize) -> String) {
        if misfits.count == 0 {
            return;
        }
        let loss = self.0.entry(column.to_owned()).or_default();
        loss.values += misfits.count;
        let more = misfits.kept.iter().take(SHOWN - loss.first.len());
        loss.first.extend(more.map(|(row, misfit)| (place(*row), misfit.clone())));
    }

    /// Whether nothing is lost.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A problem for each column, with the first values and what --lossy would do.
    pub fn refused(&self) -> Problems {
        let mut problems = Problems::none();
        for (column, Loss { values, first }) in &self.0 {
            let shown =
                first.iter().map(|(place, misfit)| format!("{place}: {}", misfit.with_way_out("--lossy")));
            let shown = shown.collect::<Vec<_>>().join("; ");
            let noun = if *values == 1 { "value does not fit" } else { "values don't fit" };
            let rest = if *values > first.len() as u64 { "; …" } else { "" };
            problems.add(format!("column {column}"), format!("{values} {noun}: {shown}{rest}"));
        }
        problems
    }
}

impl fmt::Display for Losses {
    /// A line for each column.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (column, Loss { values, first }) in &self.0 {
            let noun = if *values == 1 { "value" } else { "values" };
            if let Some((place, Misfit { why, lossy })) = first.first() {
                writeln!(
                    f,
                    "column {column}: {values} {noun} with loss, the first in {place}: {why}; --lossy {lossy}"
                )?;
            }
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
        let refused = losses.refused().to_string();
        assert!(
            refused.starts_with("column price: 200 values don't fit: a.csv, row 3: 0.1 is not"),
            "{refused}"
        );
        assert!(refused.ends_with("row 5: 0.1 is not exact in float32 (--lossy rounds it); …"), "{refused}");
        let mut refusals = Refusals::default();
        misfits.refuse("--lossy", &mut refusals, |row| format!("row {row}"));
        let text = refusals.or(()).expect_err("a hundred").to_string();
        assert!(text.ends_with("and 80 more problems"), "{text}");
    }
}
