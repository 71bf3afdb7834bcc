//! Hashes are those of the libraries: fixtures that TensorFlow, Keras, Spark, scikit-learn and libstdc++ themselves
//! wrote (`tests/fixtures/hashes/generate.py`), against the operations.

use std::{fs, path::Path};

use quiver::{
    batch::{Column, Element, ListRows, Mark, Strings, Type, Values},
    transform::{Compiled, Derived, Operation as _, Transform},
};
use serde_json::{Value, json};

/// A fixture, with its inputs in `inputs`.
fn fixture(name: &str) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/hashes");
    let text = fs::read_to_string(folder.join(format!("{name}.json"))).expect("reads a fixture");
    serde_json::from_str(&text).expect("JSON")
}

fn array(value: &Value) -> &[Value] {
    value.as_array().expect("an array")
}

fn integers(value: &Value) -> Vec<i64> {
    array(value).iter().map(|value| value.as_i64().expect("an integer")).collect()
}

fn floats(value: &Value) -> Vec<f64> {
    array(value).iter().map(|value| value.as_f64().expect("a number")).collect()
}

/// A column of JSON values; null is null.
fn column(element: Element, values: &[Value]) -> (Type, Column) {
    let marks = values.iter().map(|value| if value.is_null() { Mark::NULL } else { Mark::PRESENT });
    let column = Column { marks: marks.collect(), values: typed(element, values), list: None };
    (Type::scalar(element), column)
}

fn typed(element: Element, values: &[Value]) -> Values {
    let text = |value: &Value| value.as_str().unwrap_or("of no meaning").to_owned();
    match element {
        Element::String => Values::String(Strings::from_values(values.iter().map(text))),
        Element::Int64 => Values::Int64(values.iter().map(|value| value.as_i64().unwrap_or(9)).collect()),
        Element::Bool => Values::Bool(values.iter().map(|value| value.as_bool().unwrap_or(true)).collect()),
        Element::Float64 => {
            let float = |value: &Value| match value.as_str() {
                Some(digits) => digits.parse().expect("a float"),
                None => value.as_f64().unwrap_or(9.0),
            };
            Values::Float64(values.iter().map(float).collect())
        }
        Element::Uint64 | Element::Time(_) => panic!("no fixture has {}", element.name()),
    }
}

/// Rows of lists.
fn lists(element: Element, rows: &[&[Value]]) -> (Type, Column) {
    let mut offsets = vec![0];
    offsets.extend(rows.iter().scan(0, |end, row| {
        *end += row.len() as u32;
        Some(*end)
    }));
    let (of, values) = column(element, &rows.concat());
    let list = ListRows { offsets, marks: vec![Mark::PRESENT; rows.len()] };
    (of.listed(), Column { list: Some(list), ..values })
}

fn strings() -> (Type, Column) {
    column(Element::String, array(&fixture("inputs")["strings"]))
}

fn longs() -> (Type, Column) {
    column(Element::Int64, array(&fixture("inputs")["longs"]))
}

/// Runs a step, its parts first, as a plan does.
fn run(step: Value, inputs: &[(Type, Column)]) -> Column {
    let step: Transform = serde_json::from_value(step).expect("a step");
    let types: Vec<Type> = inputs.iter().map(|(of, _)| *of).collect();
    let Compiled { output, kernel, derived, reads, .. } =
        step.compile(&types).unwrap_or_else(|problems| panic!("{problems}"));
    let mut columns: Vec<Column> = inputs.iter().map(|(_, column)| column.clone()).collect();
    for Derived { reads, compiled, .. } in derived {
        let read: Vec<&Column> = reads.iter().map(|&position| &columns[position]).collect();
        let mut out = Column::new(compiled.output);
        compiled.kernel.run(&read, &mut out);
        out.list.clone_from(&read[0].list);
        columns.push(out);
    }
    let reads = reads.unwrap_or_else(|| (0..columns.len()).collect());
    let read: Vec<&Column> = reads.iter().map(|&position| &columns[position]).collect();
    let mut out = Column::new(output);
    kernel.run(&read, &mut out);
    if !matches!(out.values, Values::Sparse(_)) {
        return out;
    }
    let mut dense = Column::new(output);
    dense.expand(&out, output.lanes());
    dense
}

fn hash_bucket(family: &str, seed: Value, buckets: u64, map: &str) -> Value {
    json!({"op": "hash_bucket", "family": family, "seed": seed, "key": "decimal", "buckets": buckets, "map": map})
}

fn farm(buckets: u64) -> Value {
    hash_bucket("farm_fingerprint64", json!(0), buckets, "unsigned_modulo")
}

fn siphash(key: &Value, buckets: u64) -> Value {
    let words: Vec<String> = integers(key).iter().map(i64::to_string).collect();
    hash_bucket("siphash24", json!(words), buckets, "unsigned_modulo")
}

#[test]
fn tensorflow_buckets() {
    let expected = fixture("tensorflow");
    for buckets in [1000, u64::from(u32::MAX)] {
        let name = buckets.to_string();
        assert_eq!(run(farm(buckets), &[strings()]).int64(), integers(&expected["fast"][&name]));
        assert_eq!(run(farm(buckets), &[longs()]).int64(), integers(&expected["fast_of_longs"][&name]));
    }
    for strong in array(&expected["strong"]) {
        let step = siphash(&strong["key"], strong["buckets"].as_u64().expect("a number"));
        assert_eq!(run(step, &[strings()]).int64(), integers(&strong["hashed"]), "{}", strong["key"]);
    }
}

#[test]
fn tensorflow_crosses_of_lists() {
    let (inputs, expected) = (fixture("inputs"), fixture("tensorflow"));
    let rows = array(&inputs["crossed"]);
    let of_column = |position: usize, element: Element| {
        lists(element, &rows.iter().map(|row| array(&row[position])).collect::<Vec<_>>())
    };
    let inputs = [of_column(0, Element::String), of_column(1, Element::String), of_column(2, Element::Int64)];
    for buckets in [1000, u32::MAX] {
        let out = run(cross(buckets), &inputs);
        let list = out.list.as_ref().expect("lists");
        let of_rows = (0..rows.len()).map(|row| out.int64()[list.range(row)].to_vec());
        let wanted = array(&expected["crossed"][&buckets.to_string()]).iter().map(integers);
        assert_eq!(of_rows.collect::<Vec<_>>(), wanted.collect::<Vec<_>>());
    }
}

fn cross(buckets: u32) -> Value {
    json!({"op": "hash_cross", "method": {"fingerprint_cat64": {}}, "buckets": buckets, "map": "unsigned_modulo"})
}

#[test]
fn keras_hashing_with_salt_and_mask() {
    let expected = fixture("keras");
    let steps = [
        ("plain", farm(1000)),
        ("salted", siphash(&json!([1337, 1337]), 1000)),
        ("two_salts", siphash(&json!([137, 42]), 1000)),
    ];
    for (name, step) in steps {
        assert_eq!(run(step.clone(), &[strings()]).int64(), integers(&expected[name]["strings"]), "{name}");
        assert_eq!(run(step, &[longs()]).int64(), integers(&expected[name]["longs"]), "{name}");
    }
    let masked = ordinal(json!(["abc"]), 0, 1, farm(999));
    assert_eq!(run(masked, &[strings()]).int64(), integers(&expected["masked"]));
}

/// An ordinal step whose unknown categories go to buckets.
fn ordinal(categories: Value, offset: i64, first: i64, mut hash: Value) -> Value {
    hash.as_object_mut().expect("a step").remove("op");
    let unknown = json!({"buckets": {"first": first, "hash": hash}});
    json!({"op": "ordinal", "categories": categories, "offset": offset, "unknown": unknown, "null": "null"})
}

#[test]
fn keras_lookups_with_out_of_vocabulary_buckets() {
    let expected = fixture("keras");
    // The mask is 0, five buckets follow, then the vocabulary.
    let mut categories: Vec<String> = (0..5).map(|unused| format!("unused {unused}")).collect();
    categories.insert(0, "1".to_owned());
    categories.extend(["abc", "é", "x😀"].map(str::to_owned));
    let lookup = ordinal(json!(categories), 0, 1, farm(5));
    assert_eq!(run(lookup, &[strings()]).int64(), integers(&expected["string_lookup"]));
    let identity = hash_bucket("identity", json!(0), 5, "floor_modulo");
    let lookup = ordinal(json!([42, -7, "9007199254740993"]), 5, 0, identity);
    assert_eq!(run(lookup, &[longs()]).int64(), integers(&expected["integer_lookup"]));
}

#[test]
fn keras_crosses() {
    let expected = fixture("keras");
    let side = |position: usize| {
        let values = array(&expected["pairs"]).iter().map(|pair| pair[position].clone());
        column(Element::String, &values.collect::<Vec<_>>())
    };
    let crossed = run(cross(1000), &[side(0), side(1)]);
    assert_eq!(crossed.int64(), integers(&expected["crossed_pairs"]));
    let longs = longs();
    let letters = column(Element::String, &vec![json!("b"); longs.1.marks.len()]);
    let crossed = run(cross(1000), &[longs, letters]);
    assert_eq!(crossed.int64(), integers(&expected["crossed_longs_with_b"]));
}

fn spark_hash(family: &str, types: &[&str], buckets: Value) -> Value {
    json!({"op": "spark_hash", "family": family, "seed": 42, "types": types, "buckets": buckets})
}

/// The name of Spark's function for each family.
const SPARKS: [(&str, &str); 2] = [("murmur3", "hash"), ("xxhash64", "xxhash64")];

#[test]
fn spark_hashes_of_each_type() {
    let (inputs, expected) = (fixture("inputs"), fixture("spark"));
    let types = [
        ("int", "ints", Element::Int64),
        ("long", "longs", Element::Int64),
        ("double", "doubles", Element::Float64),
        ("float", "doubles", Element::Float64),
        ("string", "strings", Element::String),
        ("boolean", "bools", Element::Bool),
    ];
    for (of, values, element) in types {
        let mut values = array(&inputs[values]).to_vec();
        values.push(Value::Null);
        for (family, function) in SPARKS {
            let out = run(spark_hash(family, &[of], json!("none")), &[column(element, &values)]);
            assert_eq!(out.int64(), integers(&expected[of][function]), "{function} of {of}");
        }
    }
}

#[test]
fn spark_hashes_of_several_columns() {
    let (inputs, expected) = (fixture("inputs"), fixture("spark"));
    let elements = [Element::Int64, Element::String, Element::Float64, Element::Bool];
    let columns: Vec<(Type, Column)> = elements
        .iter()
        .enumerate()
        .map(|(position, &element)| {
            let values = array(&inputs["rows"]).iter().map(|row| row[position].clone());
            column(element, &values.collect::<Vec<_>>())
        })
        .collect();
    let types = ["long", "string", "double", "boolean"];
    for (family, function) in SPARKS {
        let out = run(spark_hash(family, &types, json!("none")), &columns);
        assert_eq!(out.int64(), integers(&expected["rows"][function]), "{function}");
    }
    let out = run(spark_hash("murmur3", &types, json!(1000)), &columns);
    assert_eq!(out.int64(), integers(&expected["rows"]["pmod_1000"]));
}

fn feature_hash(width: u32, alternate_sign: bool, scheme: &str) -> Value {
    json!({"op": "feature_hash", "width": width, "prefix": "", "alternate_sign": alternate_sign, "null": "null",
        "scheme": scheme})
}

/// The names and the weights of the weighted samples.
fn weighted() -> [(Type, Column); 2] {
    let inputs = fixture("inputs");
    let part = |position: usize| -> Vec<Vec<Value>> {
        let samples = array(&inputs["weighted"]).iter();
        samples.map(|sample| array(sample).iter().map(|pair| pair[position].clone()).collect()).collect()
    };
    let lists_of =
        |element, rows: Vec<Vec<Value>>| lists(element, &rows.iter().map(Vec::as_slice).collect::<Vec<_>>());
    [lists_of(Element::String, part(0)), lists_of(Element::Float64, part(1))]
}

#[test]
fn spark_feature_hashing() {
    let expected = fixture("spark");
    let bucket = hash_bucket("murmur3_x86_32", json!(42), 1000, "floor_modulo");
    let buckets = integers(&expected["hashing_tf_1000"]);
    assert_eq!(run(bucket, &[strings()]).int64(), buckets);
    let counts = run(feature_hash(1000, false, "spark"), &[strings()]);
    for (counts, bucket) in counts.float64().chunks_exact(1000).zip(buckets) {
        assert_eq!((counts[bucket as usize], counts.iter().sum::<f64>()), (1.0, 1.0));
    }
    let hashed = run(feature_hash(100, false, "spark"), &weighted());
    let samples = array(&expected["feature_hasher_100"]);
    let run_samples = hashed.float64().chunks_exact(100).zip(samples);
    let compared = run_samples.filter(|(_, wanted)| !wanted.is_null());
    assert_eq!(compared.map(|(lanes, wanted)| assert_eq!(lanes, floats(wanted))).count(), 2);
}

#[test]
fn scikit_learn_feature_hashing() {
    let expected = fixture("scikit_learn");
    for seed in [0, 42] {
        let bucket = hash_bucket("murmur3_x86_32", json!(seed), u32::MAX.into(), "unsigned_modulo");
        let unsigned = integers(&expected[format!("murmur3_{seed}")]).into_iter().map(|hash| hash as u32);
        let unsigned: Vec<i64> = unsigned.map(|hash| i64::from(hash % u32::MAX)).collect();
        assert_eq!(run(bucket, &[strings()]).int64(), unsigned);
    }
    for (name, signed) in [("weighted_signed_10", true), ("weighted_unsigned_10", false)] {
        let hashed = run(feature_hash(10, signed, "scikit_learn"), &weighted());
        let wanted: Vec<f64> = array(&expected[name]).iter().flat_map(floats).collect();
        assert_eq!(hashed.float64().len(), wanted.len());
        for (lane, wanted) in hashed.float64().iter().zip(wanted) {
            // Among more than 16 tokens it adds those of one column in an order of its own.
            assert!((lane - wanted).abs() <= 4e-15, "{name}: {lane} is not {wanted}");
        }
    }
    let hashed = run(feature_hash(1000, true, "scikit_learn"), &[strings()]);
    for (lanes, wanted) in hashed.float64().chunks_exact(1000).zip(array(&expected["strings_1000"])) {
        let (at, value) = (wanted[0].as_u64().expect("a column"), wanted[1].as_f64().expect("a number"));
        assert_eq!(lanes[at as usize], value);
    }
}

#[test]
fn libstdcxx_hash_of_strings() {
    let bucket = hash_bucket("murmur_hash_64a", json!(0xc70f_6907_u64), u32::MAX.into(), "unsigned_modulo");
    assert_eq!(run(bucket, &[strings()]).int64(), integers(&fixture("libstdcxx")["hashed"]));
}
