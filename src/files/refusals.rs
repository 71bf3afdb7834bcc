//! What is wrong with a table's files: the first problems in full, the others counted.

use crate::problem::Problems;

/// Problems told in full.
const TOLD: usize = 20;

/// Collects problems that may be as many as there are rows.
#[derive(Debug, Default)]
pub struct Refusals {
    told: Problems,
    more: u64,
}

impl Refusals {
    /// Notes a problem; the texts are made only if it is told.
    pub fn add(&mut self, path: impl FnOnce() -> String, message: impl FnOnce() -> String) {
        if self.told.len() < TOLD {
            self.told.add(path(), message());
        } else {
            self.more += 1;
        }
    }

    /// Notes problems found elsewhere.
    pub fn add_all(&mut self, path: &str, found: &Problems) {
        for problem in found.iter() {
            let problem = problem.clone().below(path);
            self.add(|| problem.path, || problem.message);
        }
    }

    /// Counts further problems that are not kept in full.
    pub fn add_more(&mut self, count: u64) {
        self.more += count;
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.told.is_empty()
    }

    /// Gives `value` where nothing is wrong, else the problems.
    pub fn or<T>(mut self, value: T) -> Result<T, Problems> {
        if self.more > 0 {
            self.told.add("", format!("and {} more problems", self.more));
        }
        self.told.or(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_is_counted() {
        let mut refusals = Refusals::default();
        for row in 0..1000 {
            refusals.add(|| format!("row {row}"), || "wrong".to_owned());
        }
        let text = refusals.or(()).expect_err("a thousand problems").to_string();
        assert_eq!(text.lines().count(), TOLD + 1);
        assert!(text.ends_with("row 19: wrong\nand 980 more problems"), "{text}");
    }
}
