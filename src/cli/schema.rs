//! `quiver schema`: the published JSON Schemas.

use clap::{Args, ValueEnum};

use super::{Failure, print};
use crate::spec;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Which document's schema
    #[arg(value_enum, default_value_t = Document::Spec)]
    document: Document,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Document {
    /// spec.json
    Spec,
    /// golden.json
    Golden,
}

/// Prints the schema.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let schema = match arguments.document {
        Document::Spec => spec::json_schema(),
        Document::Golden => schemars::schema_for!(spec::golden::Golden),
    };
    print(&format!("{:#}\n", schema.as_value()))
}
