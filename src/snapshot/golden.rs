//! Holds a plan to its golden rows: the cases run over the rows of tables that the golden file itself brings.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value;

use crate::{
    batch::{Column, Mark, Type, json::column_of, time::instant},
    plan::{
        Plan,
        bound::Bound,
        fetch::{InputColumn, Inputs},
        graph::nan_is_null,
        job::Wanted,
        layout::check_golden_names,
        program::Program,
        run::Target,
        segments::Part,
        shelf::Shelf,
    },
    problem::Problems,
    spec::{
        Input, ScalarType, Scope,
        golden::{Case, Expected, ExpectedRow, Golden},
    },
    table::{EventTime, Table, TableSchema},
};

mod differences;
mod record;
mod rows;

pub use record::{Observed, record};

use differences::Differences;
use rows::Served;

/// Runs every case over the program that is to serve, and reports what differs: how much of each feature, and the first
/// values with their places in `golden.json`. `tables` are those that it is to be served with.
pub fn check(
    plan: &Arc<Plan>,
    program: &Arc<Program>,
    golden: &Golden,
    tables: &[Arc<Table>],
) -> Result<(), Problems> {
    check_golden_names(golden, &plan.spec)?;
    let now = golden.now.as_deref().map(clock).transpose()?;
    let tables = golden_tables(plan, golden, tables)?;
    let bound = &Bound::bind(plan.clone(), program.clone(), tables, &Shelf::default())?;
    let mut problems = Problems::none();
    let mut differences: Vec<Differences> = plan.outputs.iter().map(|_| Differences::default()).collect();
    for (position, case) in golden.cases.iter().enumerate() {
        let place = format!("cases[{position}]");
        let inputs = match check_rows(case).and_then(|()| inputs_of(plan, case, now)) {
            Ok(inputs) => inputs,
            Err(found) => {
                problems.add_below(&place, found);
                continue;
            }
        };
        for (name, expected) in &case.outputs {
            let output = plan.outputs.iter().position(|output| &output.name == name).unwrap_or_default();
            match served(bound, &inputs, output, expected) {
                Ok(served) => differences[output].add(position, &plan.outputs[output], expected, &served),
                Err(found) => problems.add_below(&format!("{place}.outputs.{name}"), found),
            }
        }
    }
    for (output, of) in plan.outputs.iter().zip(&differences) {
        of.summarize(output, &mut problems);
    }
    for (output, of) in plan.outputs.iter().zip(&differences) {
        of.show_values(output, &mut problems);
    }
    problems.or(())
}

/// The clock that a golden file states.
fn clock(written: &str) -> Result<i64, Problems> {
    instant(written).ok_or_else(|| {
        let message = format!("{written:?} is no time with its offset, such as 2026-11-25T10:00:00Z");
        Problems::one("now", message)
    })
}

/// A small table of the golden rows for each table of the plan.
fn golden_tables(plan: &Plan, golden: &Golden, tables: &[Arc<Table>]) -> Result<Vec<Arc<Table>>, Problems> {
    let mut problems = Problems::none();
    for name in golden.tables.keys().filter(|name| !plan.graph.tables.contains(*name)) {
        problems.add(format!("tables.{name}"), "is not a table that the spec looks up");
    }
    let none = BTreeMap::new();
    let mut made = Vec::new();
    for (name, table) in plan.graph.tables.iter().zip(tables) {
        match golden_table(table.schema(), golden.tables.get(name).unwrap_or(&none)) {
            Ok(table) => made.push(Arc::new(table)),
            Err(found) => problems.add_below(&format!("tables.{name}"), found),
        }
    }
    problems.or(made)
}

fn golden_table(schema: &TableSchema, written: &BTreeMap<String, Vec<Value>>) -> Result<Table, Problems> {
    let mut problems = Problems::none();
    let keys = schema.key.iter().map(|key| (key.name.as_str(), Type::scalar(key.element)));
    let values = schema.columns.iter().map(|column| (column.name.as_str(), column.of));
    let all: Vec<(&str, Type)> = keys.chain(values).collect();
    for name in written.keys().filter(|name| all.iter().all(|(known, _)| known != name)) {
        problems.add(name, "is not a column of this table");
    }
    let rows = written.values().next().map_or(0, Vec::len);
    let mut columns = Vec::new();
    for (position, (name, of)) in all.iter().enumerate() {
        match written.get(*name) {
            Some(values) if values.len() != rows => {
                problems.add(*name, format!("has {} rows, another column {rows}", values.len()));
            }
            Some(values) => match column_of(*of, values) {
                Ok(column) => columns.push(column),
                Err(found) => problems.add_below(name, found),
            },
            None if position < schema.key.len() && rows > 0 => {
                problems.add(*name, "is missing: it is part of the key")
            }
            None => columns.push(nulls(*of, rows)),
        }
    }
    problems.or(())?;
    let values = columns.split_off(schema.key.len());
    // The rows of a file are as they were when it was made, whatever the version's event time.
    let event_time = schema.event_time.filter(|of| matches!(of, EventTime::Column(_)));
    Table::from_columns(TableSchema { event_time, ..schema.clone() }, columns, values)
}

fn nulls(of: Type, rows: usize) -> Column {
    let mut column = Column::new(of);
    column.fill_null(of.lanes(), rows, Mark::NULL);
    column
}

/// Checks that a case has the rows that it states: columns that it does not bring are made as long.
fn check_rows(case: &Case) -> Result<(), Problems> {
    let mut problems = Problems::none();
    if case.outputs.is_empty() {
        problems.add("outputs", "must have at least one");
    }
    for (name, expected) in case.outputs.iter().filter(|(_, expected)| expected.rows.len() != case.rows) {
        let message = format!("has {} rows, the case {}", expected.rows.len(), case.rows);
        problems.add(format!("outputs.{name}.rows"), message);
    }
    problems.or(())
}

fn inputs_of(plan: &Plan, case: &Case, now: Option<i64>) -> Result<Inputs, Problems> {
    let mut problems = Problems::none();
    let mut columns = Vec::new();
    for (position, input) in plan.spec.inputs.iter().enumerate() {
        let rows = if input.scope == Scope::Request { 1 } else { case.rows };
        match input_of(input, case.inputs.get(&input.name), rows) {
            Ok(mut column) => {
                if nan_is_null(&plan.spec, position) {
                    column.null_nans();
                }
                columns.push(InputColumn { column, indices: None });
            }
            Err(found) => problems.add_below(&format!("inputs.{}", input.name), found),
        }
    }
    problems.or(Inputs { columns, rows: case.rows, now })
}

fn input_of(input: &Input, written: Option<&Vec<Value>>, rows: usize) -> Result<Column, Problems> {
    let of = input.column_type();
    let Some(written) = written else {
        let missing = || Problems::one("", "is missing: the input is required");
        return if input.required { Err(missing()) } else { Ok(nulls(of, rows)) };
    };
    if written.len() != rows {
        return Err(Problems::one("", format!("has {} values, must have {rows}", written.len())));
    }
    let mut column = column_of(of, written)?;
    if input.dtype.scalar == ScalarType::Float32 {
        column.round_to_float32();
    }
    Ok(column)
}

/// Serves what an output of a case is compared with.
fn served(bound: &Bound, inputs: &Inputs, position: usize, expected: &Expected) -> Result<Served, Problems> {
    let plan = bound.plan();
    let output = &plan.outputs[position];
    let misfit = |(row, expected): (usize, &ExpectedRow)| Some((row, expected.problem(output)?));
    if let Some((row, message)) = expected.rows.iter().enumerate().find_map(misfit) {
        return Err(Problems::one(format!("rows[{row}]"), message));
    }
    let served = Served::fill(&expected.rows, output, |elements| {
        let target =
            Target { output: position, part: Part::All, dtype: output.dtype, elements, status: &mut [] };
        let wanted = Wanted::of(plan, std::iter::once((position, output.dtype)));
        let fetched = bound.fetch(inputs, wanted, &|| false)?;
        bound.run(inputs, fetched, &mut [target], usize::MAX, &|| false).map(|_| ())
    });
    match served.wrong_length(&expected.rows) {
        Some((row, message)) => Err(Problems::one(format!("rows[{row}]"), message)),
        None => Ok(served),
    }
}
