//! `quiver table stat`: what a table holds, in numbers.

use std::path::PathBuf;

use clap::Args;
use comfy_table::Cell;
use indicatif::{BinaryBytes, HumanCount};

use super::super::{
    Failure,
    grid::{grid, right},
    print,
};
use crate::{
    batch::Element,
    table::{ColumnSchema, ColumnType, Silent, Spread, Table},
};

#[derive(Debug, Args)]
pub struct Arguments {
    /// A table's folder, or that of one version: REPOSITORY/tables/NAME[/VERSION]
    #[arg(value_name = "TABLE")]
    table: PathBuf,
}

/// Loads the table as the server would and shows each column.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let folder = super::version_folder(&arguments.table)?;
    let table = Table::load(&folder, &Silent).map_err(|problems| Failure::Failed(problems.to_string()))?;
    let schema = table.schema();
    let mut shown = grid(["column", "type", "memory", "nulls", "distinct", "values"]);
    for key in &schema.key {
        let of = format!("{} (key)", key.stored());
        shown.add_row([
            Cell::new(&key.name),
            Cell::new(of),
            Cell::new(""),
            right(0),
            Cell::new(""),
            Cell::new(""),
        ]);
    }
    for (position, column) in schema.columns.iter().enumerate() {
        let statistics = table.statistics(position);
        let is_scalar = column.of.width.is_none() && !column.of.list;
        let distinct = match statistics.distinct {
            Some(distinct) => HumanCount(distinct as u64).to_string(),
            None if is_scalar => "over a million".to_owned(),
            None => String::new(),
        };
        shown.add_row([
            Cell::new(&column.name),
            Cell::new(type_of(column)),
            right(BinaryBytes(table.column_memory(position) as u64)),
            right(HumanCount(statistics.nulls)),
            right(distinct),
            Cell::new(
                statistics.spread.map(|spread| shown_spread(&spread, column.of.element)).unwrap_or_default(),
            ),
        ]);
    }
    print(&format!(
        "{} version {}: {} rows, {} in memory ({} of keys and values)\n{shown}\n",
        schema.name,
        schema.version,
        HumanCount(table.rows().into()),
        BinaryBytes(table.memory() as u64),
        BinaryBytes(table.raw_bytes() as u64),
    ))
}

fn type_of(column: &ColumnSchema) -> String {
    ColumnType::of_column(column).to_string()
}

fn shown_spread(spread: &Spread, element: Element) -> String {
    match spread {
        Spread::Integers { least, most } if let Element::Time(time) = element => {
            let text = |count: i128| i64::try_from(count).map(|count| time.text(count)).unwrap_or_default();
            format!("{} to {}", text(*least), text(*most))
        }
        Spread::Integers { least, most } => format!("{least} to {most}"),
        Spread::Floats { least, most, nans: 0 } => format!("{least:?} to {most:?}"),
        Spread::Floats { least, most, nans } => format!("{least:?} to {most:?}, {nans} NaN"),
        Spread::Truths { truths, all } => format!("{} true, {} false", truths, all - truths),
        Spread::Texts { shortest, longest } => format!("{shortest} to {longest} bytes"),
        Spread::Lists { shortest, longest, mean } => {
            format!("{shortest} to {longest} elements, {mean:.2} on average")
        }
        Spread::Norms { least, most, mean } => format!("norms {least:.4} to {most:.4}, {mean:.4} on average"),
    }
}
