//! `quiver schema`: the published JSON Schemas, and the reference page made of them.

use clap::{Args, ValueEnum};

use super::{Failure, print};
use crate::{policy, spec, table};

mod operations;
mod values;

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
    /// table.json
    Table,
    /// policy.json
    Policy,
    /// All operations of a spec's features, as a page in Markdown
    Operations,
}

/// Prints the schema or the page.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let schema = match arguments.document {
        Document::Spec => spec::json_schema(),
        Document::Golden => schemars::schema_for!(spec::golden::Golden),
        Document::Table => table::json_schema(),
        Document::Policy => policy::json_schema(),
        Document::Operations => return print(&operations::page()),
    };
    print(&format!("{:#}\n", schema.as_value()))
}
