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

    /// Puts this problem's place into a file: `inputs[0]` in `spec.json` is `spec.json: inputs[0]`.
    fn in_file(mut self, file: &str) -> Self {
        self.path = if self.path.is_empty() { file.to_owned() } else { format!("{file}: {}", self.path) };
        self
    }

    /// Puts this problem's file into a folder: `spec.json: inputs[0]` in `ads/1` is `ads/1/spec.json: inputs[0]`.
    fn in_folder(mut self, folder: &str) -> Self {
        self.path = if self.path.is_empty() { folder.to_owned() } else { format!("{folder}/{}", self.path) };
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

/// The most problems of one request that are kept; a request of a few bytes for each can have millions.
const KEPT_OF_REQUEST: usize = 32;

/// Every problem of one document or request; as an error it is never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems {
    kept: Vec<Problem>,
    /// How many more there are.
    more: usize,
    /// How many are kept at most.
    most: usize,
}

impl Default for Problems {
    fn default() -> Self {
        Self { kept: Vec::new(), more: 0, most: usize::MAX }
    }
}

impl Problems {
    /// Starts without a problem; all that are noted are kept.
    pub fn none() -> Self {
        Self::default()
    }

    /// Starts without a problem; of those that are noted a few dozen are kept and the others counted, so that no request
    /// takes more memory for its problems than for itself.
    pub fn of_request() -> Self {
        Self { most: KEPT_OF_REQUEST, ..Self::default() }
    }

    /// Makes the error of a single problem.
    pub fn one(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { kept: vec![Problem::new(path, message)], ..Self::default() }
    }

    /// Makes the error of a JSON document that is not as it should be.
    pub fn of_json(error: serde_path_to_error::Error<serde_json::Error>) -> Self {
        let path = error.path().to_string();
        Self::one(if path == "." { String::new() } else { path }, error.inner().to_string())
    }

    /// Notes one more problem.
    pub fn add(&mut self, path: impl Into<String>, message: impl Into<String>) {
        if self.kept.len() < self.most {
            self.kept.push(Problem::new(path, message));
        } else {
            self.more += 1;
        }
    }

    /// Notes a problem unless it is there.
    pub fn add_once(&mut self, problem: &Problem) {
        if !self.kept.contains(problem) {
            self.add(problem.path.clone(), problem.message.clone());
        }
    }

    /// Notes all problems of `other`, their places put below `parent`.
    pub fn add_below(&mut self, parent: &str, other: Problems) {
        let all = self.len() + other.len();
        let room = self.most - self.kept.len();
        self.kept.extend(other.kept.into_iter().take(room).map(|problem| problem.below(parent)));
        self.more = all - self.kept.len();
    }

    /// The same problems with their places in a file.
    pub fn in_file(self, file: &str) -> Self {
        self.each(|problem| problem.in_file(file))
    }

    /// The same problems with their files in a folder.
    pub fn in_folder(self, folder: &str) -> Self {
        self.each(|problem| problem.in_folder(folder))
    }

    /// The same problems, their places replaced where `change` gives another one.
    pub fn with_paths(self, change: impl Fn(&str) -> Option<String>) -> Self {
        self.each(|problem| Problem { path: change(&problem.path).unwrap_or(problem.path), ..problem })
    }

    fn each(self, change: impl FnMut(Problem) -> Problem) -> Self {
        Self { kept: self.kept.into_iter().map(change).collect(), ..self }
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// The problems that are kept, in the order in which they were found.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.kept.iter()
    }

    /// How many there are, those that are not kept included.
    pub fn len(&self) -> usize {
        self.kept.len() + self.more
    }

    /// The first problem, and how many more there are.
    pub fn summary(&self) -> String {
        let first = self.kept.first().map(Problem::to_string).unwrap_or_default();
        match self.len() {
            0 | 1 => first,
            2 => format!("{first}, and one more problem"),
            count => format!("{first}, and {} more problems", count - 1),
        }
    }

    /// Gives `value` where nothing is wrong, else all problems as the error.
    pub fn or<T>(self, value: T) -> Result<T, Self> {
        if self.is_empty() { Ok(value) } else { Err(self) }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, problem) in self.kept.iter().enumerate() {
            if position > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        if self.more > 0 { write!(f, "\nand {} more problems", self.more) } else { Ok(()) }
    }
}

impl std::error::Error for Problems {}

/// Characters of a name that a message repeats.
const NAME_SHOWN: usize = 100;

/// Names that a message lists.
const NAMES_LISTED: usize = 50;

/// A name as messages show it, in quotes; one that a caller made up may be of any length.
pub fn quoted(name: &str) -> String {
    match name.char_indices().nth(NAME_SHOWN) {
        None => format!("{name:?}"),
        Some((end, _)) => format!("{:?}... ({} bytes)", &name[..end], name.len()),
    }
}

/// The available names as messages list them: the first few dozen, and how many more there are.
pub fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut names = names.into_iter();
    let shown: Vec<&str> = names.by_ref().take(NAMES_LISTED).collect();
    match (shown.is_empty(), names.count()) {
        (true, _) => "none".to_owned(),
        (false, 0) => shown.join(", "),
        (false, more) => format!("{} and {more} more", shown.join(", ")),
    }
}

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
        let mut files = all.in_file("spec.json");
        files.add_below("", Problems::one("", "can't be read").in_file("golden.json"));
        files.add("", "is not a folder");
        let expect = "ads/1/spec.json: steps[0].mean: not finite\nads/1/spec.json: edges[3]: not increasing\n\
            ads/1/spec.json: inputs: empty\nads/1/golden.json: can't be read\nads/1: is not a folder";
        assert_eq!(files.in_folder("ads/1").to_string(), expect);
    }
    #[test]
    fn the_first_problems_of_a_request_are_kept_and_the_others_counted() {
        let mut column = Problems::of_request();
        (0..100).for_each(|position| column.add(format!("nulls[{position}]"), "falls"));
        let mut all = Problems::of_request();
        all.add("rows", "too many");
        all.add_below("columns[0]", column);
        all.add("columns[1]", "no values");
        assert_eq!((all.iter().count(), all.len()), (KEPT_OF_REQUEST, 102));
        let text = all.to_string();
        assert!(text.starts_with("rows: too many\ncolumns[0].nulls[0]: falls\n"), "{text}");
        assert!(text.ends_with("\nand 70 more problems"), "{text}");
    }

    #[test]
    fn long_names_and_many_names_are_cut() {
        assert_eq!(quoted("é\n"), "\"é\\n\"");
        let long = quoted(&"é".repeat(1_000_000));
        assert!(long.len() < 300 && long.ends_with("é\"... (2000000 bytes)"), "{long}");
        let names: Vec<String> = (0..60).map(|number| format!("f{number}")).collect();
        assert!(listed(names.iter().map(String::as_str)).ends_with("f48, f49 and 10 more"));
        assert_eq!(listed(["a", "b"]), "a, b");
        assert_eq!(listed([]), "none");
    }
}
