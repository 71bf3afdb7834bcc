//! What is wrong with a table's files: the first problems in full, the others counted.

use crate::problem::Problems;

/// Problems reported in full.
const LIMIT: usize = 20;

/// Collects problems that may be as many as there are rows.
#[derive(Debug, Default)]
pub struct Refusals {
    reported: Problems,
    more: u64,
}

impl Refusals {
    /// Notes a problem; the texts are made only if it is reported.
    pub fn add(&mut self, path: impl FnOnce() -> String, message: impl FnOnce() -> String) {
        if self.reported.len() < LIMIT {
            self.reported.add(path(), message());
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
        self.reported.is_empty()
    }

    /// Gives `value` where nothing is wrong, else the problems.
    pub fn or<T>(mut self, value: T) -> Result<T, Problems> {
        if self.more > 0 {
            self.reported.add("", format!("and {} more problems", self.more));
        }
        self.reported.or(value)
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
        assert_eq!(text.lines().count(), LIMIT + 1);
        assert!(text.ends_with("row 19: wrong\nand 980 more problems"), "{text}");
    }
}
