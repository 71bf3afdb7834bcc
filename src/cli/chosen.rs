//! The version of a feature set in a repository, for the commands that load one by themselves.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
pub struct Chosen {
    /// The repository's folder
    #[arg(long, value_name = "DIR")]
    pub repository: PathBuf,
    /// The feature set
    #[arg(long, short, value_name = "NAME")]
    pub feature_set: String,
    /// The version; 0 is the highest
    #[arg(long, default_value_t = 0)]
    pub version: u32,
}
