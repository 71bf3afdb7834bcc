//! The demo: a seeded, realistic ads repository, its specs fitted on generated impressions.
//!
//! It is written once, in seconds, and reused: by `quiver serve --demo`, by the load tests and by the benches. Golden
//! rows are computed by plain code of the demo's own, never by the plan that they guard.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

mod chain;
mod features;
mod fit;
mod golden;
mod impression;
mod plain;
mod publish;
mod tables;
pub mod traffic;
pub mod world;

/// The folder of the demo's repository where none is given.
pub const DEFAULT_FOLDER: &str = "target/quiver-demo";

/// The feature sets with the widths of their float32 output `dense`.
pub const FEATURE_SETS: [(&str, usize); 3] = [("ads_small", 100), ("ads_ctr", 200), ("ads_large", 480)];

/// The seed of the demo that everybody gets.
pub const SEED: u64 = 20_260_101;

/// Counts one up whenever the generator writes something else for the same options.
const GENERATOR: u32 = 3;

/// Marks a complete repository and records what it was made of.
const MARKER: &str = "demo.json";

/// How many rows the tables get, and how many requests the specs are fitted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sizes {
    pub users: usize,
    pub ads: usize,
    pub advertisers: usize,
    pub fitted_requests: usize,
}

impl Sizes {
    /// The demo as served.
    pub const FULL: Self = Self { users: 200_000, ads: 100_000, advertisers: 5_000, fitted_requests: 2_000 };
    /// For tests.
    pub const SMALL: Self = Self { users: 500, ads: 400, advertisers: 40, fitted_requests: 200 };
}

/// What a repository is made of; two equal ones are the same bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipe {
    pub sizes: Sizes,
    pub seed: u64,
    generator: u32,
}

impl Recipe {
    /// A repository of these sizes from this seed.
    pub fn new(sizes: Sizes, seed: u64) -> Self {
        Self { sizes, seed, generator: GENERATOR }
    }
}

impl Default for Recipe {
    fn default() -> Self {
        Self::new(Sizes::FULL, SEED)
    }
}

/// Why the demo could not be written.
#[derive(Debug)]
pub enum GenerateError {
    Io(io::Error),
    Json(serde_json::Error),
    Arrow(arrow_schema::ArrowError),
    Parquet(parquet::errors::ParquetError),
    /// There is something at the folder that the demo did not write.
    Occupied(PathBuf),
    /// A feature set has no room for its features.
    TooWide {
        feature_set: &'static str,
        width: usize,
        of_features: usize,
    },
}

impl fmt::Display for GenerateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::Json(error) => error.fmt(f),
            Self::Arrow(error) => error.fmt(f),
            Self::Parquet(error) => error.fmt(f),
            Self::Occupied(folder) => {
                write!(f, "{} is there and is no demo repository; name another folder", folder.display())
            }
            Self::TooWide { feature_set, width, of_features } => {
                write!(f, "{feature_set} is {width} wide and its features take {of_features}")
            }
        }
    }
}

impl std::error::Error for GenerateError {}

impl From<io::Error> for GenerateError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<serde_json::Error> for GenerateError {
    fn from(error: serde_json::Error) -> Self {
        Self::Json(error)
    }
}

impl From<arrow_schema::ArrowError> for GenerateError {
    fn from(error: arrow_schema::ArrowError) -> Self {
        Self::Arrow(error)
    }
}

impl From<parquet::errors::ParquetError> for GenerateError {
    fn from(error: parquet::errors::ParquetError) -> Self {
        Self::Parquet(error)
    }
}

/// Whether `folder` holds the complete repository of this recipe.
pub fn is_complete(folder: &Path, recipe: &Recipe) -> bool {
    let marker = fs::read_to_string(folder.join(MARKER)).ok();
    marker.and_then(|text| serde_json::from_str::<Recipe>(&text).ok()).is_some_and(|found| found == *recipe)
}

/// Writes the repository to `folder`, unless it is there already. It is written aside and renamed, so that nobody
/// ever sees half of it; an older demo at that place is replaced.
pub fn ensure(folder: &Path, recipe: &Recipe) -> Result<(), GenerateError> {
    if is_complete(folder, recipe) {
        return Ok(());
    }
    let in_use = folder.is_dir() && fs::read_dir(folder)?.next().is_some();
    if in_use && !folder.join(MARKER).is_file() {
        return Err(GenerateError::Occupied(folder.to_owned()));
    }
    let aside = beside(folder, "writing");
    let written = write(&aside, recipe).and_then(|()| Ok(replace(&aside, folder)?));
    // What is left after a failure is of no use to anybody; the failure itself is reported.
    let _ = fs::remove_dir_all(&aside);
    // Another process may have been faster; its repository is as good.
    if is_complete(folder, recipe) { Ok(()) } else { written }
}

/// A folder beside `folder` that no other process uses.
fn beside(folder: &Path, purpose: &str) -> PathBuf {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    folder.with_file_name(format!(".{name}.{purpose}.{}", std::process::id()))
}

fn write(folder: &Path, recipe: &Recipe) -> Result<(), GenerateError> {
    let world = world::World::generate(&recipe.sizes, recipe.seed);
    tables::write(&world, &folder.join("tables"))?;
    publish::write(&world, recipe, &folder.join("feature_sets"))?;
    Ok(fs::write(folder.join(MARKER), serde_json::to_string_pretty(recipe)?)?)
}

fn replace(aside: &Path, folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        let old = beside(folder, "replaced");
        fs::rename(folder, &old)?;
        fs::rename(aside, folder)?;
        return fs::remove_dir_all(&old);
    }
    fs::rename(aside, folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_written_once_and_then_reused() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let demo = folder.path().join("demo");
        let recipe = Recipe::new(Sizes::SMALL, 5);
        ensure(&demo, &recipe).expect("writes");
        let written = fs::metadata(demo.join(MARKER)).and_then(|marker| marker.modified()).expect("marker");
        ensure(&demo, &recipe).expect("is there");
        assert_eq!(
            fs::metadata(demo.join(MARKER)).and_then(|marker| marker.modified()).expect("marker"),
            written
        );
        ensure(&demo, &Recipe::new(Sizes::SMALL, 6)).expect("replaces");
        assert!(!is_complete(&demo, &recipe));
        assert_eq!(fs::read_dir(folder.path()).expect("lists").count(), 1, "nothing is left aside");
    }

    #[test]
    fn leaves_other_folders_alone() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::write(folder.path().join("mine.txt"), "mine").expect("writes");
        let refused = ensure(folder.path(), &Recipe::new(Sizes::SMALL, 5)).expect_err("occupied");
        assert!(matches!(refused, GenerateError::Occupied(_)));
        assert!(folder.path().join("mine.txt").exists());
    }
}
