//! What is wrong with a document or a request, and where: always reported all at once.

use std::fmt;

/// One thing that is wrong, at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where it is: `features[2].steps[0].mean`; empty for the whole document.
    pub path: String,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl Problem {
    /// Makes a problem from its place and its description.
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into() }
    }

    /// Puts this problem's place below `parent`: `mean` below `steps[0]` is `steps[0].mean`.
    pub fn below(mut self, parent: &str) -> Self {
        if self.path.is_empty() {
            self.path = parent.to_owned();
        } else if self.path.starts_with('[') {
            self.path.insert_str(0, parent);
        } else if !parent.is_empty() {
            self.path = format!("{parent}.{}", self.path);
        }
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "{}: {}", self.path, self.message)
        }
    }
}

/// Every problem of one document or request; as an error it is never empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Starts without a problem.
    pub fn none() -> Self {
        Self::default()
    }

    /// Makes the error of a single problem.
    pub fn one(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self(vec![Problem::new(path, message)])
    }

    /// Notes one more problem.
    pub fn add(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.0.push(Problem::new(path, message));
    }

    /// Notes all problems of `other`, their places put below `parent`.
    pub fn add_below(&mut self, parent: &str, other: Problems) {
        self.0.extend(other.0.into_iter().map(|problem| problem.below(parent)));
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The problems in the order in which they were found.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Gives `value` where nothing is wrong, else all problems as the error.
    pub fn or<T>(self, value: T) -> Result<T, Self> {
        if self.is_empty() { Ok(value) } else { Err(self) }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, problem) in self.0.iter().enumerate() {
            if position > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_nest() {
        let mut all = Problems::none();
        all.add_below("steps[0]", Problems::one("mean", "not finite"));
        all.add_below("edges", Problems::one("[3]", "not increasing"));
        all.add_below("inputs", Problems::one("", "empty"));
        assert_eq!(all.to_string(), "steps[0].mean: not finite\nedges[3]: not increasing\ninputs: empty");
    }
}
