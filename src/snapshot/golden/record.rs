//! Makes golden rows of observed requests: their inputs, the tables' rows that they read, and the values expected.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::inputs_of;
use crate::{
    batch::{Column, json::values_of},
    plan::graph::Source,
    problem::Problems,
    snapshot::FeatureSet,
    spec::{
        Scope, Spec,
        golden::{Case, Expected, ExpectedRow, FORMAT, Golden},
    },
    table::{RowNumber, Table},
    transform::parameters::Real,
};

/// Requests of one row each, and what the fitting library makes of them.
#[derive(Debug)]
pub struct Observed {
    pub rows: usize,
    /// For each input that is known its value in each row, as golden files write it.
    pub inputs: BTreeMap<String, Vec<Value>>,
    /// For each output that is known its rows.
    pub outputs: BTreeMap<String, Vec<Vec<f64>>>,
}

/// The golden rows of a version. `flat` is the version for rows that bring every input of their own, `spec` as it is
/// written: rows that follow one another and agree in the inputs of request scope become one case.
pub fn record(flat: &FeatureSet, spec: &Spec, observed: &Observed, max_ulp: u32) -> Result<Golden, Problems> {
    let shared: BTreeSet<&str> =
        spec.inputs.iter().filter(|input| input.scope == Scope::Request).map(|input| &*input.name).collect();
    let cases = grouped(observed, &shared).map(|rows| case(observed, &shared, rows, max_ulp)).collect();
    Ok(Golden { format: FORMAT.to_owned(), tables: tables_read(flat, observed)?, now: None, cases })
}

/// The ranges of rows that make one request.
fn grouped<'a>(
    observed: &'a Observed,
    shared: &'a BTreeSet<&str>,
) -> impl Iterator<Item = std::ops::Range<usize>> + 'a {
    let of_request = |row: usize| {
        let inputs = observed.inputs.iter().filter(|(name, _)| shared.contains(name.as_str()));
        inputs.map(|(_, values)| &values[row]).collect::<Vec<_>>()
    };
    let mut start = 0;
    std::iter::from_fn(move || {
        if start >= observed.rows {
            return None;
        }
        let first = of_request(start);
        let end = (start + 1..observed.rows).find(|&row| of_request(row) != first).unwrap_or(observed.rows);
        Some(std::mem::replace(&mut start, end)..end)
    })
}

fn case(observed: &Observed, shared: &BTreeSet<&str>, rows: std::ops::Range<usize>, max_ulp: u32) -> Case {
    let inputs = observed.inputs.iter().map(|(name, values)| {
        let end = if shared.contains(name.as_str()) { rows.start + 1 } else { rows.end };
        (name.clone(), values[rows.start..end].to_vec())
    });
    let outputs = observed.outputs.iter().map(|(name, values)| {
        let rows = values[rows.clone()]
            .iter()
            .map(|row| ExpectedRow::Dense(row.iter().copied().map(Real).collect()));
        (name.clone(), Expected { rows: rows.collect(), max_ulp })
    });
    Case { rows: rows.len(), inputs: inputs.collect(), outputs: outputs.collect() }
}

/// The rows of tables that the requests read, key columns and those columns that a feature reads.
fn tables_read(
    flat: &FeatureSet,
    observed: &Observed,
) -> Result<BTreeMap<String, BTreeMap<String, Vec<Value>>>, Problems> {
    let case = Case { rows: observed.rows, inputs: observed.inputs.clone(), outputs: BTreeMap::new() };
    let (bound, graph, tables) = (flat.bound(), &flat.plan().graph, flat.bound().tables());
    let inputs = inputs_of(bound.plan(), &case, None)?;
    let found = bound.find_rows(&inputs);
    let (mut rows, mut columns) = (vec![BTreeSet::new(); tables.len()], vec![BTreeSet::new(); tables.len()]);
    for (lookup, numbers) in graph.lookups.iter().zip(&found.numbers) {
        rows[lookup.table].extend(numbers.iter().copied().filter(|row| row.is_found()).map(RowNumber::index));
    }
    for node in &graph.nodes {
        if let Source::Column { lookup, column } = node.source {
            columns[graph.lookups[lookup].table].insert(column);
        }
    }
    let of_tables = tables.iter().zip(rows).zip(columns);
    Ok(of_tables
        .map(|((table, rows), columns)| (table.schema().name.clone(), written(table, rows, columns)))
        .collect())
}

fn written(table: &Table, rows: BTreeSet<usize>, columns: BTreeSet<usize>) -> BTreeMap<String, Vec<Value>> {
    let rows: Vec<RowNumber> = rows.into_iter().map(|row| RowNumber::row(row as u32)).collect();
    let schema = table.schema();
    let keys = schema.key.iter().zip(table.keys(&rows));
    let keys = keys.map(|(key, values)| (key.name.clone(), values_of(&values, None)));
    let values = columns.into_iter().map(|column| {
        let of = &schema.columns[column];
        let mut values = Column::new(of.of);
        table.gather(column, &rows, &mut values);
        (of.name.clone(), values_of(&values, of.of.width))
    });
    keys.chain(values).collect()
}
