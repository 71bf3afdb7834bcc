//! `quiver table get`: the rows of keys.

use std::path::PathBuf;

use clap::Args;
use comfy_table::Cell;
use serde_json::Value;

use super::super::{Failure, grid::grid, literal, print};
use crate::{
    batch::{Column, Element, Mark, Strings, Type, Values},
    problem::Problems,
    table::{RowNumber, Silent, Table, TableSchema},
};

#[derive(Debug, Args)]
#[command(after_help = "A composite key is a list in the order of the key's columns: '[10017,shoes]'.")]
pub struct Arguments {
    /// A table's folder, or that of one version: REPOSITORY/tables/NAME[/VERSION]
    #[arg(value_name = "TABLE")]
    table: PathBuf,
    /// Keys
    #[arg(value_name = "KEY", required = true, allow_negative_numbers = true)]
    keys: Vec<String>,
}

/// Loads the table and shows the keys' rows, a column of the table in each line.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let folder = super::version_folder(&arguments.table)?;
    let table = Table::load(&folder, &Silent).map_err(|problems| Failure::Failed(problems.to_string()))?;
    let schema = table.schema();
    let keys = key_columns(schema, &arguments.keys).map_err(Failure::usage)?;
    let mut rows = Vec::new();
    table.find(&keys.iter().collect::<Vec<_>>(), &mut rows);
    let mut shown = grid([]);
    shown.set_header(std::iter::once("").chain(arguments.keys.iter().map(String::as_str)));
    for (position, column) in schema.columns.iter().enumerate() {
        let mut values = Column::new(column.of);
        table.gather(position, &rows, &mut values);
        let text = |(place, &row): (usize, &RowNumber)| match values.text(
            column.of,
            column.stored.is_narrow_float(),
            place,
        ) {
            Some(text) => text,
            None if row == RowNumber::NOT_FOUND => "key not found".to_owned(),
            None => "null".to_owned(),
        };
        let cells = rows.iter().enumerate().map(|cell| Cell::new(text(cell)));
        shown.add_row(std::iter::once(Cell::new(&column.name)).chain(cells));
    }
    print(&format!("{shown}\n"))?;
    match rows.iter().filter(|row| **row == RowNumber::NOT_FOUND).count() {
        0 => Ok(()),
        missing => Err(Failure::Failed(format!("{missing} of {} keys not found", rows.len()))),
    }
}

/// The keys as columns of the table's types.
fn key_columns(schema: &TableSchema, keys: &[String]) -> Result<Vec<Column>, Problems> {
    let mut problems = Problems::none();
    let mut parts: Vec<Vec<String>> = vec![Vec::new(); schema.key.len()];
    for key in keys {
        match parts_of(key, schema.key.len()) {
            Ok(texts) => parts.iter_mut().zip(texts).for_each(|(part, text)| part.push(text)),
            Err(why) => problems.add(key, why),
        }
    }
    let mut columns = Vec::new();
    for (key, texts) in schema.key.iter().zip(parts) {
        let mut column = Column::new(Type::scalar(key.element));
        column.marks = vec![Mark::PRESENT; texts.len()];
        let mut wrong = |text: &String| {
            problems.add(text, format!("is not {}, the type of {}", key.stored(), key.name));
        };
        column.values = match key.element {
            Element::String => Values::String(Strings::from_values(texts)),
            Element::Uint64 => Values::Uint64(parsed(&texts, &mut wrong)),
            _ => Values::Int64(parsed(&texts, &mut wrong)),
        };
        columns.push(column);
    }
    problems.or(columns)
}

/// The values of a key's columns.
fn parts_of(key: &str, columns: usize) -> Result<Vec<String>, String> {
    if columns == 1 {
        return Ok(vec![key.to_owned()]);
    }
    let parts = match literal::parse(key)? {
        Value::Array(parts) => parts,
        other => vec![other],
    };
    let parts: Vec<String> = parts.into_iter().filter_map(|part| part.as_str().map(str::to_owned)).collect();
    if parts.len() == columns {
        Ok(parts)
    } else {
        Err(format!("must be a list of {columns} values, as in '[10017,shoes]'"))
    }
}

fn parsed<T: std::str::FromStr + Default>(texts: &[String], wrong: &mut impl FnMut(&String)) -> Vec<T> {
    let value = |text: &String| {
        text.parse().unwrap_or_else(|_| {
            wrong(text);
            T::default()
        })
    };
    texts.iter().map(value).collect()
}
