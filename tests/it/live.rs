//! Live rows: written by clients while they are served, seen by the next request, kept by a journal.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use quiver::app::Server;
use quiver::proto::{
    AppendRequest, Column, DeleteRequest, EventTimes, FloatValues, GetFeaturesRequest, ListOffsets, Options,
    StatusDetail, TimeUnit, UpsertRequest, WriteRequest, WriteResponse, column::Values,
    feature_service_client::FeatureServiceClient, table_service_client::TableServiceClient,
    write_request::Write,
};
use serde_json::json;
use tempfile::TempDir;
use tonic::{Code, transport::Channel};
use tonic_types::StatusExt as _;

use crate::setup::{Client, column, connect, int64s, serve};

type Tables = TableServiceClient<Channel>;

/// A repository with one live table of three rows and a feature set that reads it in every way.
fn repository() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let rows = "id,clicks,price\n1,10,0.5\n2,20,1.5\n3,30,2.5\n";
    fs::write(folder.path().join("items.csv"), rows).expect("writes");
    let arguments =
        ["table", "import", "items.csv", "--key", "id", "--name", "items", "--repository", ".", "--live"];
    let imported =
        Command::new(env!("CARGO_BIN_EXE_quiver")).args(arguments).current_dir(folder.path()).output();
    let imported = imported.expect("runs");
    assert!(imported.status.success(), "{}", String::from_utf8_lossy(&imported.stderr));
    let spec = json!({
        "format": "quiver.spec/1", "name": "things", "version": 1,
        "inputs": [{"name": "id", "dtype": "int64", "scope": "row", "required": true}],
        "lookups": [{"name": "item", "table": "items", "key": "id"}],
        "features": [
            {"name": "clicks", "input": "item.clicks", "default": -1.0},
            {"name": "price", "input": "item.price", "steps": [{"op": "log1p", "undefined": "ieee"}], "default": -1.0},
        ],
        "outputs": [{"name": "all", "dtype": "float32", "features": ["clicks", "price"]}],
    });
    let version = folder.path().join("feature_sets/things/1");
    fs::create_dir_all(&version).expect("makes");
    fs::write(version.join("spec.json"), spec.to_string()).expect("writes");
    folder
}

async fn tables(server: &Server) -> Tables {
    let channel = Channel::from_shared(format!("http://{}", server.listen)).expect("an address");
    Tables::new(channel.connect().await.expect("connects"))
}

fn at(seconds: i64) -> Option<EventTimes> {
    Some(EventTimes { unit: TimeUnit::Seconds.into(), values: vec![seconds] })
}

fn upsert(ids: &[i64], clicks: &[i64], seconds: i64) -> UpsertRequest {
    let columns = vec![int64s("id", ids), int64s("clicks", clicks)];
    UpsertRequest { table: "items".to_owned(), columns, event_times: at(seconds) }
}

fn delete(ids: &[i64], seconds: i64) -> DeleteRequest {
    DeleteRequest { table: "items".to_owned(), keys: vec![int64s("id", ids)], event_times: at(seconds) }
}

/// The tensor's rows.
async fn features(client: &mut Client, ids: &[i64]) -> Vec<[f32; 2]> {
    let request = GetFeaturesRequest {
        feature_set: "things".to_owned(),
        columns: vec![int64s("id", ids)],
        options: Some(Options { status: StatusDetail::Rows.into(), ..Options::default() }),
        ..GetFeaturesRequest::default()
    };
    let answer = client.get_features(request).await.expect("an answer").into_inner();
    let values: Vec<f32> =
        answer.outputs[0].data.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
    values.as_chunks().0.to_vec()
}

fn log1p(value: f64) -> f32 {
    value.ln_1p() as f32
}

#[tokio::test]
async fn a_written_row_is_seen_by_the_next_request() {
    let folder = repository();
    let server = serve(folder.path(), &[]).await;
    let (mut client, mut tables) = (connect(&server).await, tables(&server).await);
    assert_eq!(features(&mut client, &[1, 9]).await, [[10.0, log1p(0.5)], [-1.0, -1.0]]);
    let done = tables.upsert(upsert(&[1, 9], &[11, 99], 100)).await.expect("written").into_inner();
    assert_eq!(done, WriteResponse { applied: 2, ignored: 0, durable: false, table_version: 1 });
    let seen = features(&mut client, &[1, 9, 2]).await;
    assert_eq!(seen, [[11.0, log1p(0.5)], [99.0, -1.0], [20.0, log1p(1.5)]]);
    let done = tables.upsert(upsert(&[1, 2], &[12, 21], 99)).await.expect("written").into_inner();
    assert_eq!((done.applied, done.ignored), (1, 1), "an older write never replaces a newer row");
    tables.delete(delete(&[2, 3], 100)).await.expect("written");
    assert_eq!(features(&mut client, &[1, 2, 3]).await, [[11.0, log1p(0.5)], [-1.0, -1.0], [-1.0, -1.0]]);
    let prices = column("price", Values::Floats(FloatValues { values: vec![7.5] }));
    let columns = vec![prices, int64s("id", &[9])];
    tables
        .upsert(UpsertRequest { table: "items".to_owned(), columns, event_times: None })
        .await
        .expect("written");
    assert_eq!(features(&mut client, &[9]).await, [[99.0, log1p(7.5)]]);
}

#[tokio::test]
async fn writes_over_a_stream_are_answered_in_order() {
    let folder = repository();
    let server = serve(folder.path(), &[]).await;
    let (mut client, mut tables) = (connect(&server).await, tables(&server).await);
    let write = |write| WriteRequest { write: Some(write) };
    let mut messages: Vec<WriteRequest> = (0..200)
        .map(|step| write(Write::Upsert(upsert(&[step % 7, 1000 + step], &[step, step], step))))
        .collect();
    messages.push(write(Write::Delete(delete(&[1000], 500))));
    let answers = tables.write(tokio_stream::iter(messages)).await.expect("a stream").into_inner();
    let answers: Vec<_> = tokio_stream::StreamExt::collect(answers).await;
    assert_eq!(answers.len(), 201);
    assert!(answers.iter().take(200).all(|answer| answer.as_ref().expect("written").applied == 2));
    assert_eq!(firsts(&features(&mut client, &[0, 6, 1000, 1199]).await), [196.0, 195.0, -1.0, 199.0]);
    let wrong = write(Write::Upsert(upsert(&[1], &[1, 2], 600)));
    let after = write(Write::Upsert(upsert(&[1], &[77], 600)));
    let first = write(Write::Upsert(upsert(&[5], &[55], 600)));
    let answers =
        tables.write(tokio_stream::iter([first, wrong, after])).await.expect("a stream").into_inner();
    let answers: Vec<_> = tokio_stream::StreamExt::collect(answers).await;
    assert_eq!(answers.len(), 2);
    assert_eq!(answers[0].as_ref().expect("written").applied, 1);
    assert_eq!(answers[1].as_ref().expect_err("wrong").code(), Code::InvalidArgument);
}

/// The first feature of each row.
fn firsts(rows: &[[f32; 2]]) -> Vec<f32> {
    rows.iter().map(|row| row[0]).collect()
}

#[tokio::test]
async fn a_wrong_write_changes_nothing_and_names_every_problem() {
    let folder = repository();
    let server = serve(folder.path(), &[]).await;
    let (mut client, mut tables) = (connect(&server).await, tables(&server).await);
    let keys = Column { nulls: vec![1], ..int64s("id", &[1, 2]) };
    let columns = vec![keys, int64s("clicks", &[5, 6]), int64s("colour", &[1, 2])];
    let request = UpsertRequest { table: "items".to_owned(), columns, event_times: at(5_000_000_000) };
    let status = tables.upsert(request).await.expect_err("wrong");
    assert_eq!(status.code(), Code::InvalidArgument);
    let details = status.get_error_details();
    let violations = &details.bad_request().expect("violations").field_violations;
    let fields: Vec<&str> = violations.iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(fields, ["columns[0].nulls", "columns[2].name", "event_times.values[0]"]);
    assert_eq!(firsts(&features(&mut client, &[1, 2]).await), [10.0, 20.0]);
    let unknown = UpsertRequest { table: "people".to_owned(), ..upsert(&[1], &[1], 1) };
    let status = tables.upsert(unknown).await.expect_err("unknown");
    assert_eq!(status.code(), Code::NotFound);
    assert!(status.message().contains("the tables that take writes: items"), "{}", status.message());
    let lists = ListOffsets { offsets: vec![0, 1] };
    let append = Column { list: Some(lists), ..int64s("clicks", &[1]) };
    let append = AppendRequest {
        table: "items".to_owned(),
        columns: vec![int64s("id", &[1]), append],
        ..AppendRequest::default()
    };
    assert_eq!(tables.append(append).await.expect_err("no list").code(), Code::InvalidArgument);
}

#[tokio::test]
async fn a_table_that_does_not_say_so_takes_no_writes() {
    let folder = repository();
    let file = folder.path().join("tables/items/1/table.json");
    let text = fs::read_to_string(&file).expect("reads").replace("\"live\": true", "\"live\": false");
    fs::write(&file, text).expect("writes");
    let server = serve(folder.path(), &[]).await;
    let status = tables(&server).await.upsert(upsert(&[1], &[1], 1)).await.expect_err("not live");
    assert_eq!(status.code(), Code::NotFound);
    assert!(status.message().contains("takes no writes"), "{}", status.message());
}

/// Adds version 2 of the table: the rows of version 1 as they were 100 seconds after 1970 began.
fn add_version(repository: &Path) {
    let tables = repository.join("tables/items");
    let aside = repository.join("aside");
    crate::setup::copy(&tables.join("1"), &aside);
    let file = aside.join("table.json");
    let mut schema: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(&file).expect("reads")).expect("JSON");
    schema["version"] = json!(2);
    schema["event_time"] = json!("1970-01-01T00:01:40Z");
    fs::write(&file, schema.to_string()).expect("writes");
    fs::rename(aside, tables.join("2")).expect("renames");
}

#[tokio::test]
async fn a_new_version_absorbs_what_it_contains() {
    let folder = repository();
    let server = serve(folder.path(), &[("watch", "50ms")]).await;
    let (mut client, mut tables) = (connect(&server).await, tables(&server).await);
    tables.upsert(upsert(&[1, 9], &[11, 99], 50)).await.expect("written");
    tables.upsert(upsert(&[2, 8], &[22, 88], 150)).await.expect("written");
    assert_eq!(firsts(&features(&mut client, &[1, 2, 8, 9]).await), [11.0, 22.0, 88.0, 99.0]);
    add_version(folder.path());
    let mut step = 0;
    loop {
        // A write while the version is swapped is refused or counts: it is never lost.
        step += 1;
        let done = tables.upsert(upsert(&[7], &[step], 1000 + step)).await;
        let version = done.map_or(0, |done| done.into_inner().table_version);
        if version == 2 {
            break;
        }
        assert!(step < 100_000, "version 2 is not served");
    }
    assert_eq!(firsts(&features(&mut client, &[1, 2, 8, 9, 7]).await), [10.0, 22.0, 88.0, -1.0, step as f32]);
}

/// A server's process, killed at the end.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts the real server with a journal and waits until it serves.
async fn start(folder: &Path, journal: &Path) -> (Process, String) {
    let port =
        std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound").port();
    let address = format!("127.0.0.1:{port}");
    let mut command = Command::new(env!("CARGO_BIN_EXE_quiver"));
    command.args([
        "serve",
        "--listen",
        &address,
        "--admin",
        "127.0.0.1:0",
        "--threads",
        "1",
        "--progress",
        "never",
    ]);
    command.arg("--repository").arg(folder).arg("--journal").arg(journal);
    let process = Process(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts"));
    (process, format!("http://{address}"))
}

/// Connects as soon as the server serves.
async fn ready(address: &str) -> (Tables, Client) {
    for _ in 0..2000 {
        let channel = Channel::from_shared(address.to_owned()).expect("an address").connect().await;
        if let Ok(channel) = channel {
            let mut client = FeatureServiceClient::new(channel.clone());
            let request =
                quiver::proto::GetFeatureSetRequest { feature_set: "things".to_owned(), version: 0 };
            if client.get_feature_set(request).await.is_ok() {
                return (Tables::new(channel), client);
            }
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("the server at {address} does not serve");
}

/// How often the server is killed.
const KILLS: i64 = 50;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_rows_survive_being_killed() {
    let folder = repository();
    let journal = tempfile::tempdir().expect("a temporary folder");
    let acknowledged = Arc::new(AtomicI64::new(0));
    for kill in 1..=KILLS {
        let (process, address) = start(folder.path(), journal.path()).await;
        let (mut tables, mut client) = ready(&address).await;
        let before = acknowledged.load(Ordering::SeqCst);
        let seen = features(&mut client, &[1]).await[0][0];
        assert!(before == 0 || seen >= before as f32, "after {kill} kills {before} is lost: {seen}");
        let writes = {
            let acknowledged = acknowledged.clone();
            tokio::spawn(async move {
                let mut next = acknowledged.load(Ordering::SeqCst);
                loop {
                    next += 1;
                    let write = upsert(&[1, 100 + next % 50], &[next, next], next);
                    let Ok(done) = tables.upsert(write).await else { return };
                    assert!(done.into_inner().durable);
                    acknowledged.store(next, Ordering::SeqCst);
                }
            })
        };
        // At another moment each time: after some number of acknowledged writes.
        let until = before + 1 + (kill * 7) % 23;
        while acknowledged.load(Ordering::SeqCst) < until {
            tokio::task::yield_now().await;
        }
        drop(process);
        writes.await.expect("ends");
    }
    let (_process, address) = start(folder.path(), journal.path()).await;
    let (_, mut client) = ready(&address).await;
    let last = acknowledged.load(Ordering::SeqCst);
    let ids: Vec<i64> = (0..50).map(|row| 100 + row).collect();
    let seen = firsts(&features(&mut client, &ids).await);
    assert!(last >= KILLS);
    for (row, seen) in (0..50).zip(seen) {
        let newest = (1..=last).rev().find(|step| step % 50 == row);
        assert!(
            newest.is_none_or(|newest| seen >= newest as f32),
            "row {row}: {seen} for {newest:?} of {last}"
        );
    }
}
