//! Holds a plan to its golden rows: the cases run over the rows of tables that the golden file itself brings.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value;

use crate::{
    batch::{Column, Mark, Type},
    plan::{
        Plan, Tables,
        fetch::{InputColumn, Inputs},
        graph::nan_is_null,
        layout::{Output, check_golden_names},
        prepare::Prepared,
        run::Target,
        segments::Part,
        write::write_default,
    },
    problem::Problems,
    spec::{
        Input, OutputType, ScalarType, Scope,
        golden::{Case, Expected, ExpectedRow, Golden},
    },
    table::{Table, TableSchema},
};

mod record;
mod rows;
mod values;

pub use record::{Observed, record};
pub use values::values_of;

use rows::{Pair, Served};
use values::column_of;

/// The most differences that are told of one output of one case.
const TOLD: usize = 10;

/// Runs every case and tells every difference with its place in `golden.json`.
pub fn check(plan: &Plan, golden: &Golden, tables: &BTreeMap<String, Arc<Table>>) -> Result<(), Problems> {
    check_golden_names(golden, &plan.spec)?;
    let tables = golden_tables(plan, golden, tables)?;
    let tables = Tables(&tables);
    let prepared = Prepared::build(plan, &plan.prepared, tables);
    let mut problems = Problems::none();
    for (position, case) in golden.cases.iter().enumerate() {
        let checked = inputs_of(plan, case).and_then(|inputs| {
            let mut found = Problems::none();
            for (name, expected) in &case.outputs {
                let place = format!("outputs.{name}");
                let output = plan.outputs.iter().position(|output| &output.name == name).unwrap_or_default();
                check_output(plan, tables, &prepared, &inputs, output, expected, &place, &mut found);
            }
            found.or(())
        });
        if let Err(found) = checked {
            problems.add_below(&format!("cases[{position}]"), found);
        }
    }
    problems.or(())
}

/// A small table of the golden rows for each table of the plan.
fn golden_tables(
    plan: &Plan,
    golden: &Golden,
    tables: &BTreeMap<String, Arc<Table>>,
) -> Result<Vec<Arc<Table>>, Problems> {
    let mut problems = Problems::none();
    for name in golden.tables.keys().filter(|name| !plan.graph.tables.contains(*name)) {
        problems.add(format!("tables.{name}"), "is not a table that the spec looks up");
    }
    let none = BTreeMap::new();
    let mut made = Vec::new();
    for name in &plan.graph.tables {
        let Some(table) = tables.get(name) else { continue };
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
    Table::from_columns(schema.clone(), columns, values)
}

fn nulls(of: Type, rows: usize) -> Column {
    let mut column = Column::new(of);
    column.fill_null(of.lanes(), rows, Mark::NULL);
    column
}

fn inputs_of(plan: &Plan, case: &Case) -> Result<Inputs, Problems> {
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
    problems.or(Inputs { columns, rows: case.rows })
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

#[expect(clippy::too_many_arguments, reason = "a run's parts and where its problems go")]
fn check_output(
    plan: &Plan,
    tables: Tables<'_>,
    prepared: &Prepared,
    inputs: &Inputs,
    position: usize,
    expected: &Expected,
    place: &str,
    problems: &mut Problems,
) {
    let output = &plan.outputs[position];
    let (rows, width) = (inputs.rows, output.width);
    if expected.rows.len() != rows {
        let message = format!("has {} rows, the case {rows}", expected.rows.len());
        return problems.add(format!("{place}.rows"), message);
    }
    let misfit = |(row, expected): (usize, &ExpectedRow)| Some((row, expected.problem(width)?));
    if let Some((row, message)) = expected.rows.iter().enumerate().find_map(misfit) {
        return problems.add(format!("{place}.rows[{row}]"), message);
    }
    let served = Served::fill(&expected.rows, width * output.dtype.size(), |elements| {
        let target =
            Target { output: position, part: Part::All, dtype: output.dtype, elements, status: &mut [] };
        plan.run(tables, prepared, inputs, &mut [target], usize::MAX, &|| false).map(|_| ())
    });
    compare(output, expected, &served, place, problems);
}

fn compare(output: &Output, expected: &Expected, served: &Served, place: &str, problems: &mut Problems) {
    let size = output.dtype.size();
    let zero = vec![0; size];
    let pairs = expected.rows.iter().enumerate().flat_map(|(row, expected)| {
        served.pairs(row, expected, output.width, &zero).into_iter().map(move |pair| (row, pair))
    });
    let mut differing = 0;
    for (row, Pair { column, wanted, got }) in pairs {
        let mut rounded = vec![0; size];
        write_default(&[wanted], output.dtype, &mut rounded);
        let (wanted_value, got_value) = (value_of(&rounded, output.dtype), value_of(got, output.dtype));
        let apart = ulps(&rounded, got, output.dtype);
        if (wanted_value.is_nan() && got_value.is_nan()) || apart <= u128::from(expected.max_ulp) {
            continue;
        }
        differing += 1;
        if differing <= TOLD {
            let feature = feature_at(output, column);
            let message = format!(
                "is {got_value}, expected {wanted_value} ({apart} units in the last place apart, {} allowed), feature {feature}",
                expected.max_ulp
            );
            problems.add(format!("{place}.rows[{row}][{column}]"), message);
        }
    }
    if differing > TOLD {
        problems.add(place, format!("and {} more values differ", differing - TOLD));
    }
}

/// The name of the feature that holds a column of an output.
fn feature_at(output: &Output, column: usize) -> &str {
    let within = |offset: usize, width: usize| (offset..offset + width).contains(&column);
    let feature = output.features.iter().find(|feature| within(feature.offset, feature.width));
    feature.map_or("", |feature| &feature.name)
}

/// How many values of the type lie between two; numbers are ordered by their bits once the negative ones are turned.
fn ulps(one: &[u8], other: &[u8], dtype: OutputType) -> u128 {
    let ordered = |bytes: &[u8]| {
        let bits = bits(bytes);
        let sign = 1_u64 << (bytes.len() * 8 - 1);
        match dtype {
            // Golden rows hold float64, so that integers beyond 2^53 are compared as their nearest ones.
            OutputType::Int64 => i128::from(bits as i64 as f64 as i64),
            _ if bits & sign != 0 => -i128::from(bits & !sign),
            _ => i128::from(bits),
        }
    };
    ordered(one).abs_diff(ordered(other))
}

fn bits(bytes: &[u8]) -> u64 {
    let mut wide = [0; 8];
    wide[..bytes.len()].copy_from_slice(bytes);
    u64::from_le_bytes(wide)
}

fn value_of(bytes: &[u8], dtype: OutputType) -> f64 {
    let bits = bits(bytes);
    match dtype {
        OutputType::Float32 => f32::from_bits(bits as u32).into(),
        OutputType::Float64 => f64::from_bits(bits),
        OutputType::Float16 => half::f16::from_bits(bits as u16).into(),
        OutputType::Bfloat16 => half::bf16::from_bits(bits as u16).into(),
        OutputType::Int64 => bits as i64 as f64,
    }
}
