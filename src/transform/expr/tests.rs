//! Expressions compiled and run: values, types, problems.

use super::*;
use crate::{
    batch::{Column, Element, ListRows, Mark, Strings, Values},
    transform::check::{floats, results},
};

const FLOAT: Type = Type { element: Element::Float64, width: None, list: false, nullable: true };

fn expr(expression: &str, names: &[&str]) -> Expr {
    let names = names.iter().map(|&name| name.to_owned()).collect();
    Expr { expression: expression.to_owned(), names, zero_division: ExprZeroDivision::Ieee }
}

/// Computes parts and whole as a plan does.
fn run_compiled(compiled: &Compiled, inputs: &[&Column]) -> Column {
    let mut parts: Vec<Column> = Vec::new();
    for part in &compiled.derived {
        let all: Vec<&Column> = inputs.iter().copied().chain(&parts).collect();
        parts.push(run_part(&part.compiled, &part.reads.iter().map(|&read| all[read]).collect::<Vec<_>>()));
    }
    let all: Vec<&Column> = inputs.iter().copied().chain(&parts).collect();
    let reads = compiled.reads.as_ref().expect("expressions state what they read");
    run_part(compiled, &reads.iter().map(|&read| all[read]).collect::<Vec<_>>())
}

fn run_part(compiled: &Compiled, inputs: &[&Column]) -> Column {
    let mut out = Column::new(compiled.output);
    compiled.kernel.run(inputs, &mut out);
    if compiled.output.list && !compiled.kernel.gives_lists() {
        out.list = inputs.iter().find_map(|input| input.list.clone());
    }
    out
}

fn run(expression: &str, names: &[&str], types: &[Type], inputs: &[&Column]) -> Column {
    let compiled = expr(expression, names).compile(types);
    run_compiled(&compiled.unwrap_or_else(|problems| panic!("{expression}: {problems}")), inputs)
}

fn ints(values: &[i64]) -> Column {
    Column { values: Values::Int64(values.to_vec()), marks: vec![Mark::PRESENT; values.len()], list: None }
}

#[test]
fn formulas_give_what_they_say() {
    let (x, y) = (floats(&[Some(4.0), Some(-1.5), None]), floats(&[Some(2.0), Some(0.0), Some(8.0)]));
    for (expression, expected) in [
        ("x", [Some(4.0), Some(-1.5), None]),
        ("x / y", [Some(2.0), Some(f64::NEG_INFINITY), None]),
        ("-x ** 2 + 1", [Some(-15.0), Some(-1.25), None]),
        ("2 - y * 3 % 4", [Some(0.0), Some(2.0), Some(2.0)]),
        ("max(x, y, 3) // 2", [Some(2.0), Some(1.0), None]),
        ("log1p(y - 1)", [Some(2f64.ln()), Some(f64::NEG_INFINITY), Some(8f64.ln())]),
        ("clip(x, -1, 2 * 1.5)", [Some(3.0), Some(-1.0), None]),
        ("coalesce(x, y) - 0.5", [Some(3.5), Some(-2.0), Some(7.5)]),
        ("1 if is_null(x) else 2", [Some(2.0), Some(2.0), Some(1.0)]),
        ("x if y > 1 and not x < 0 else y", [Some(4.0), Some(0.0), None]),
        ("7.5", [Some(7.5); 3]),
        ("1 + 2 * 3", [Some(7.0); 3]),
    ] {
        let out = run(expression, &["x", "y"], &[FLOAT, FLOAT], &[&x, &y]);
        let got = match &out.values {
            Values::Int64(values) => values.iter().map(|&value| Some(value as f64)).collect(),
            _ => results(&out),
        };
        assert_eq!(got, expected, "{expression}");
    }
}

#[test]
fn integers_stay_exact_where_they_are_compared_and_chosen() {
    let int = Type::scalar(Element::Int64);
    let n = ints(&[9_007_199_254_740_993, -3]);
    let out = run("n == 9007199254740992 or n == -3", &["n"], &[int], &[&n]);
    assert_eq!(out.bool(), [false, true]);
    assert_eq!(run("n if n > 0 else 0", &["n"], &[int], &[&n]).int64(), [9_007_199_254_740_993, 0]);
    assert_eq!(run("n / 2", &["n"], &[int], &[&n]).float64()[1], -1.5);
    assert_eq!(run("n < 0.5", &["n"], &[int], &[&n]).bool(), [false, true]);
    let uint = Type::scalar(Element::Uint64);
    let u = Column { values: Values::Uint64(vec![u64::MAX]), marks: vec![Mark::PRESENT], list: None };
    assert_eq!(run("u == 18446744073709551615", &["u"], &[uint], &[&u]).bool(), [true]);
    assert_eq!(run("u > -1", &["u"], &[uint], &[&u]).bool(), [true]);
}

#[test]
fn strings_are_compared_and_chosen() {
    let text = Type::scalar(Element::String);
    let t = Column {
        values: Values::String(Strings::from_values(["a", "b"])),
        marks: vec![Mark::PRESENT; 2],
        list: None,
    };
    let out = run("t if t != 'b' else \"other\"", &["t"], &[text], &[&t]);
    assert_eq!(out.strings().iter().collect::<Vec<_>>(), ["a", "other"]);
}

#[test]
fn parts_read_only_what_they_need() {
    let compiled = expr("log1p(a) * 2 + b", &["b", "a"]).compile(&[FLOAT, FLOAT]).expect("good");
    let reads: Vec<&[usize]> = compiled.derived.iter().map(|part| part.reads.as_slice()).collect();
    assert_eq!(reads, [&[1][..], &[2]]);
    assert_eq!(compiled.reads, Some(vec![3, 0]));
}

#[test]
fn a_division_by_zero_is_null_where_it_is_told() {
    let x = floats(&[Some(1.0), Some(0.0)]);
    for expression in ["1 / x", "1 // x", "1 % x"] {
        let null = Expr { zero_division: ExprZeroDivision::Null, ..expr(expression, &["x"]) };
        assert_eq!(run_compiled(&null.compile(&[FLOAT]).expect("good"), &[&x]).marks[1], Mark::NULL);
    }
}

#[test]
fn every_problem_is_told_with_its_column() {
    let types = [FLOAT, Type::scalar(Element::String), Type::scalar(Element::Bool), FLOAT.listed()];
    let names = ["x", "t", "b", "l"];
    for (expression, expected) in [
        ("t + 1", "column 3: takes numbers, not string"),
        ("1 + nope", "column 5: there is no name `nope`; there are: x, t, b, l"),
        ("x and b", "column 3: takes bool, its input 0 is float64"),
        ("x == t", "column 3: takes two scalars of one type, its inputs are float64 and string"),
        ("x if x else 1", "column 3: its first input is float64, must be bool"),
        ("b * 2", "column 3: takes numbers, not bool: `1 if b else 0` makes a number of one"),
        ("clip(x, x, 1)", "column 1: the bounds of `clip` are numbers"),
        ("clip(x, 2, 1)", "column 1: min: 2 must not be above 1"),
        ("l == t", "column 3: takes two scalars of one type, its inputs are list<float64> and string"),
    ] {
        let found = expr(expression, &names).compile(&types).expect_err(expression);
        assert_eq!(found.to_string(), format!("expression: {expected}"));
    }
    let several = expr("(t + 1) * (b + nope)", &names).compile(&types).expect_err("two");
    assert_eq!(several.len(), 2, "{several}");
    let names = expr("x", &["x", "x", "if"]).compile(&[FLOAT; 3]).expect_err("bad names");
    assert_eq!(
        names.iter().map(|problem| problem.path.as_str()).collect::<Vec<_>>(),
        ["names[1]", "names[2]"]
    );
    let null = Expr { zero_division: ExprZeroDivision::Null, ..expr("x + 1 / 0", &["x"]) };
    assert!(null.compile(&[FLOAT]).expect_err("null").to_string().contains("column 7: is null whatever"));
}

#[test]
fn lists_are_computed_by_element_and_chosen_as_a_whole() {
    let rows = |values: &[Option<f64>], offsets: &[u32], second: Mark| {
        let list = ListRows { offsets: offsets.to_vec(), marks: vec![Mark::PRESENT, second] };
        Column { list: Some(list), ..floats(values) }
    };
    let l = rows(&[Some(1.0), None, Some(3.0)], &[0, 2, 3], Mark::PRESENT);
    let m = rows(&[Some(10.0)], &[0, 1, 1], Mark::KEY_NOT_FOUND);
    let x = floats(&[Some(2.0), Some(5.0)]);
    for (expression, expected, offsets) in [
        ("l * x + 1", vec![Some(3.0), None, Some(16.0)], [0, 2, 3]),
        ("-l", vec![Some(-1.0), None, Some(-3.0)], [0, 2, 3]),
        ("0 if is_null(l) else max(l, 2)", vec![Some(2.0), Some(0.0), Some(3.0)], [0, 2, 3]),
        ("coalesce(l, x)", vec![Some(1.0), Some(2.0), Some(3.0)], [0, 2, 3]),
        ("l + m", vec![Some(11.0), None], [0, 2, 2]),
        ("coalesce(m, l)", vec![Some(10.0), Some(3.0)], [0, 1, 2]),
        ("l if x > 3 else m", vec![Some(10.0), Some(3.0)], [0, 1, 2]),
        ("l", vec![Some(1.0), None, Some(3.0)], [0, 2, 3]),
    ] {
        let types = [FLOAT.listed(), FLOAT.listed(), FLOAT];
        let out = run(expression, &["l", "m", "x"], &types, &[&l, &m, &x]);
        assert_eq!(results(&out), expected, "{expression}");
        assert_eq!(out.list.expect("lists").offsets, offsets, "{expression}");
    }
    let sum = run("l + m", &["l", "m"], &[FLOAT.listed(); 2], &[&l, &m]);
    assert_eq!(sum.list.expect("lists").marks, [Mark::PRESENT, Mark::KEY_NOT_FOUND]);
    assert_eq!(run("7.5", &["l"], &[FLOAT.listed()], &[&l]).float64(), [7.5, 7.5]);
}

#[test]
fn vectors_take_scalars_for_every_lane() {
    let vector = crate::transform::check::vectors(2, &[1.0, 2.0, 3.0, 4.0]);
    let out = run(
        "v * x + 1",
        &["v", "x"],
        &[Type::vector(2), FLOAT],
        &[&vector, &floats(&[Some(1.0), Some(10.0)])],
    );
    assert_eq!(out.float64(), [2.0, 3.0, 31.0, 41.0]);
}
