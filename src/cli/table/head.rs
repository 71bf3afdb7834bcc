//! `quiver table head`: the first rows of a table.

use std::path::PathBuf;

use clap::Args;
use comfy_table::Cell;

use super::super::{Failure, grid::grid, print};
use crate::{
    batch::{Column, Type},
    table,
};

#[derive(Debug, Args)]
pub struct Arguments {
    /// A table's folder, or that of one version: REPOSITORY/tables/NAME[/VERSION]
    #[arg(value_name = "TABLE")]
    table: PathBuf,
    /// How many rows
    #[arg(short = 'n', long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rows: u32,
}

/// Reads the first rows alone, so that this is quick for any table.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let folder = super::version_folder(&arguments.table)?;
    let head = table::head(&folder, arguments.rows as usize);
    let (schema, columns) = head.map_err(|problems| Failure::Failed(problems.to_string()))?;
    let of_keys = schema.key.iter().map(|key| (key.name.as_str(), Type::scalar(key.element), false));
    let of_columns = schema.columns.iter();
    let of_columns =
        of_columns.map(|column| (column.name.as_str(), column.of, column.stored.is_narrow_float()));
    let names = of_keys.chain(of_columns);
    let mut shown = grid([]);
    shown.set_header(names.clone().map(|(name, ..)| name));
    let rows = columns.first().map_or(0, Column::rows);
    for row in 0..rows {
        let cells = columns.iter().zip(names.clone());
        let texts = cells.map(|(column, (_, of, narrow))| column.text(of, narrow, row));
        shown.add_row(texts.map(|text| Cell::new(text.unwrap_or_else(|| "null".to_owned()))));
    }
    print(&format!("{shown}\n"))
}
