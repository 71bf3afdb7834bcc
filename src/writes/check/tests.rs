use super::*;
use crate::batch::Strings;
use crate::table::{ColumnSchema, KeyColumn, Stored};

const CLOCK: Clock = Clock { now: 1_000_000_000_000, most_ahead: 60_000_000_000 };

fn schema() -> TableSchema {
    TableSchema {
        name: "ads".to_owned(),
        version: 1,
        key: vec![KeyColumn { name: "id".to_owned(), element: Element::String }],
        columns: vec![
            ColumnSchema::scalar("clicks", Stored::Int8),
            ColumnSchema { nan_is_null: true, ..ColumnSchema::vector("vector", Stored::Float32, 2) },
            ColumnSchema::list("seen", Stored::Int64),
        ],
        event_time: None,
        live: true,
    }
}

fn column(name: &str, scalar: ScalarType, values: Values) -> RequestColumn {
    RequestColumn {
        name: name.to_owned(),
        scalar,
        time_unit: None,
        values,
        indices: None,
        offsets: None,
        nulls: Vec::new(),
        null_elements: Vec::new(),
    }
}

fn ids(values: &[&str]) -> RequestColumn {
    column("id", ScalarType::String, Values::String(Strings::from_values(values)))
}

fn clicks(values: &[i64]) -> RequestColumn {
    column("clicks", ScalarType::Int64, Values::Int64(values.to_vec()))
}

fn vector(values: &[f64]) -> RequestColumn {
    column("vector", ScalarType::Float32, Values::Float64(values.to_vec()))
}

fn seen(values: &[i64], offsets: &[u32]) -> RequestColumn {
    let values = column("seen", ScalarType::Int64, Values::Int64(values.to_vec()));
    RequestColumn { offsets: Some(offsets.to_vec()), ..values }
}

fn sent(kind: Kind, columns: Vec<RequestColumn>) -> Sent {
    Sent { kind, columns, event_times: None }
}

fn problems(sent: Sent) -> Vec<String> {
    let found = check(&schema(), sent, CLOCK).expect_err("something is wrong");
    found.iter().map(ToString::to_string).collect()
}

#[test]
fn a_good_write_has_every_part() {
    let columns = vec![clicks(&[1, -128]), vector(&[1.0, f64::NAN, 2.0, 3.0]), ids(&["a", "b"])];
    let write = check(&schema(), sent(Kind::Upsert, columns), CLOCK).expect("good");
    let Change::Upsert(written) = &write.change else { panic!("an upsert") };
    assert_eq!(written.iter().map(|written| written.column).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(write.event_times, [CLOCK.now; 2]);
    let write =
        check(&schema(), sent(Kind::Append { cap: 3 }, vec![ids(&["a"]), seen(&[1, 2], &[0, 2])]), CLOCK);
    assert!(matches!(write.expect("good").change, Change::Append { cap: 3, .. }));
    let write = check(&schema(), sent(Kind::Delete, vec![ids(&["a"])]), CLOCK).expect("good");
    assert!(matches!(write.change, Change::Delete));
}

#[test]
fn every_wrong_row_is_named() {
    let keys = RequestColumn { nulls: vec![1], ..ids(&["a", "", "c"]) };
    let times = SentTimes { unit: Some(TimeUnit::Seconds), values: vec![1000, 1061, 5000] };
    let columns = vec![keys, clicks(&[127, 128, -129]), vector(&[0.0; 5]), clicks(&[1, 2, 3])];
    let found = problems(Sent { event_times: Some(times), ..sent(Kind::Upsert, columns) });
    assert_eq!(
        found,
        [
            "columns[0].nulls: row 1 has no key",
            "columns[1]: \"clicks\", row 1: 128 does not fit into int8",
            "columns[1]: \"clicks\", row 2: -129 does not fit into int8",
            "columns[2]: \"vector\" has 5 numbers; vectors have 2 each",
            "columns[3].name: \"clicks\" is there twice",
            "event_times.values[1]: is 1970-01-01T00:17:41Z, in the future: the server's clock says 1970-01-01T00:16:40Z",
            "event_times.values[2]: is 1970-01-01T01:23:20Z, in the future: the server's clock says 1970-01-01T00:16:40Z",
        ]
    );
}

#[test]
fn columns_must_be_the_tables() {
    let wrong = vec![
        column("id", ScalarType::Int64, Values::Int64(vec![1])),
        column("clicks", ScalarType::Float64, Values::Float64(vec![1.0])),
        column("seen", ScalarType::Int64, Values::Int64(vec![1])),
        column("price", ScalarType::Float64, Values::Float64(vec![1.0])),
        RequestColumn { time_unit: Some(TimeUnit::Seconds), ..clicks(&[1]) },
        vector(&[1.0, 2.0, 3.0, 4.0]),
    ];
    assert_eq!(
        problems(sent(Kind::Upsert, wrong)),
        [
            "columns[0]: \"id\" is int64; the table's is string",
            "columns[1]: \"clicks\" is float64; the table's is int64",
            "columns[2]: \"seen\" is int64; the table's is list<int64>",
            "columns[3].name: table \"ads\" has no column \"price\"; its columns are: id, clicks, vector, seen",
            "columns[4].name: \"clicks\" is there twice",
            "columns[5]: \"vector\" has 2 rows; the first column has 1",
        ]
    );
    assert_eq!(problems(sent(Kind::Upsert, vec![clicks(&[1])])), ["columns: key column \"id\" is missing"]);
    assert_eq!(
        problems(sent(Kind::Delete, vec![ids(&["a"]), clicks(&[1])])),
        ["keys[1].name: is not a column of the key"]
    );
    assert_eq!(
        problems(sent(Kind::Append { cap: 0 }, vec![ids(&["a"]), clicks(&[1])])),
        ["columns[1]: \"clicks\" is int64; elements are appended to lists"]
    );
    assert_eq!(
        problems(sent(Kind::Append { cap: 0 }, vec![ids(&["a"])])),
        ["columns: no list column is there to append to"]
    );
}

#[test]
fn event_times_have_a_unit_and_fit() {
    let with = |unit, values: &[i64]| {
        let times = SentTimes { unit, values: values.to_vec() };
        Sent { event_times: Some(times), ..sent(Kind::Upsert, vec![ids(&["a", "b"])]) }
    };
    let good = |unit, values: &[i64]| check(&schema(), with(unit, values), CLOCK).expect("good").event_times;
    assert_eq!(good(Some(TimeUnit::Seconds), &[5]), [5_000_000_000; 2]);
    assert_eq!(good(Some(TimeUnit::Microseconds), &[-5, 7]), [-5_000, 7_000]);
    let unit = "event_times.unit: must be seconds, milliseconds, microseconds or nanoseconds";
    assert_eq!(problems(with(None, &[5])), [unit]);
    assert_eq!(problems(with(Some(TimeUnit::Days), &[5])), [unit]);
    assert_eq!(
        problems(with(Some(TimeUnit::Seconds), &[1, 2, 3])),
        ["event_times.values: are 3; must be one, or one for each of 2 rows"]
    );
    assert_eq!(
        problems(with(Some(TimeUnit::Seconds), &[1, i64::MAX])),
        ["event_times.values[1]: 9223372036854775807 is beyond the year 2262"]
    );
}

#[test]
fn a_table_with_event_times_of_its_own_keeps_them() {
    let seconds =
        Stored::Time(crate::batch::time::TimeType { time: Time::Timestamp(TimeUnit::Seconds), zone: None });
    let columns = vec![ColumnSchema::scalar("at", seconds)];
    let schema = TableSchema { columns, event_time: Some(EventTime::Column(0)), ..schema() };
    let at = column("at", ScalarType::Int64, Values::Int64(vec![7, 9]));
    let at = RequestColumn { time_unit: Some(TimeUnit::Seconds), nulls: vec![1], ..at };
    let write = check(&schema, sent(Kind::Upsert, vec![ids(&["a", "b"]), at]), CLOCK).expect("good");
    assert_eq!(write.event_times, [7_000_000_000, CLOCK.now]);
    let times = Some(SentTimes { unit: Some(TimeUnit::Milliseconds), values: vec![2500] });
    let write = Sent { event_times: times, ..sent(Kind::Upsert, vec![ids(&["a"])]) };
    let Change::Upsert(written) = check(&schema, write, CLOCK).expect("good").change else {
        panic!("an upsert")
    };
    assert_eq!(written[0].values.int64(), [2]);
}
