//! Repositories in object stores: a real S3-compatible server, moto's, which the tests start.

mod cutting;
mod moto;

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};

use object_store::{ObjectStore, ObjectStoreExt as _, PutPayload, parse_url_opts};
use quiver::{
    cancel::Cancel,
    demo::{self, Recipe, Sizes},
    files::Checksum,
    remote::{Changed, Mirror},
    table::{Loader, Silent},
};
use serde_json::json;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use self::{cutting::Cutting, moto::Moto};
use crate::setup::demo_folder;

/// All files in a folder and those in it.
fn files_in(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).expect("reads").map(|entry| entry.expect("reads").path());
    paths.flat_map(|path| if path.is_dir() { files_in(&path) } else { vec![path] }).collect()
}

/// The variables that a client of `endpoint` has.
fn variables(endpoint: &str) -> Vec<(String, String)> {
    let variables = [
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_ALLOW_HTTP", "true"),
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_REGION", "us-east-1"),
        ("REGION", "no setting of ours"),
    ];
    variables.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
}

/// A bucket of its own for one test.
struct Bucket {
    url: String,
    store: Arc<dyn ObjectStore>,
    runtime: Runtime,
    moto: &'static Moto,
}

impl Bucket {
    /// None where no server could be started.
    fn new(name: &str) -> Option<Self> {
        let moto = Moto::shared()?;
        moto.make_bucket(name);
        // As the mirror does it, for the test's own client.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let url = format!("s3://{name}/repository");
        let (store, _) =
            parse_url_opts(&url.parse().expect("a URL"), variables(&moto.endpoint)).expect("a store");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("starts");
        Some(Self { url, store: store.into(), runtime, moto })
    }

    fn put(&self, path: &str, content: impl Into<PutPayload>) {
        let path = format!("repository/{path}").into();
        self.runtime.block_on(self.store.put(&path, content.into())).expect("puts");
    }

    fn delete(&self, path: &str) {
        self.runtime.block_on(self.store.delete(&format!("repository/{path}").into())).expect("deletes");
    }

    /// Puts all files of a folder below a path.
    fn put_folder(&self, folder: &Path, below: &str) {
        for file in files_in(folder) {
            let inside = file.strip_prefix(folder).expect("inside").to_str().expect("UTF-8");
            self.put(&format!("{below}{inside}"), fs::read(&file).expect("reads"));
        }
    }

    fn mirror(&self, folder: &Path) -> Mirror {
        Mirror::open(&self.url, folder, variables(&self.moto.endpoint)).unwrap_or_else(|why| panic!("{why}"))
    }
}

/// Answers with the files of a folder below `/repository/`, and gives its address.
fn web_server(folder: PathBuf) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    thread::spawn(move || {
        for mut client in listener.incoming().map(|client| client.expect("a client")) {
            let request = BufReader::new(&client).lines().map_while(Result::ok);
            let request: Vec<String> = request.take_while(|line| !line.is_empty()).collect();
            let path =
                request[0].split_whitespace().nth(1).and_then(|path| path.strip_prefix("/repository/"));
            let content = fs::read(folder.join(path.expect("a path"))).expect("a file");
            let length = content.len();
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
            client.write_all(&[head.as_bytes(), &content].concat()).expect("writes");
        }
    });
    address
}

fn sync(mirror: &Mirror) -> Changed {
    mirror.sync(&Cancel::new()).unwrap_or_else(|problems| panic!("{problems}"))
}

/// A table's version: its document and one file of rows.
fn table(number: u32) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    demo::ensure(&folder.path().join("demo"), &Recipe::new(Sizes::SMALL, u64::from(number))).expect("writes");
    folder
}

#[test]
fn a_repository_is_mirrored_and_followed() {
    let Some(bucket) = Bucket::new("followed") else { return };
    let cache = tempfile::tempdir().expect("a folder");
    bucket.put_folder(demo_folder(), "");
    let mirror = bucket.mirror(cache.path());
    let first = sync(&mirror);
    assert!(first.problems.is_empty(), "{}", first.problems);
    let copied = |below: &str| fs::read(cache.path().join(below)).ok();
    for file in files_in(demo_folder()) {
        let below = file.strip_prefix(demo_folder()).expect("inside").to_str().expect("UTF-8");
        if below.matches('/').count() >= 3 {
            assert_eq!(copied(below), fs::read(&file).ok(), "{below}");
        }
    }
    assert_eq!(sync(&mirror), Changed { added: Vec::new(), removed: Vec::new(), ..first.clone() });
    bucket.put("tables/extra/1/rows.parquet", "rows");
    assert!(sync(&mirror).is_empty(), "a version without its document is not complete");
    for number in 1..=5 {
        bucket.put(&format!("tables/extra/{number}/table.json"), "{}");
    }
    bucket.put(
        "feature_sets/pins/1/spec.json",
        json!({"lookups": [{"table": "extra", "version": 1}]}).to_string(),
    );
    let changed = sync(&mirror);
    let versions = ["tables/extra/1", "tables/extra/3", "tables/extra/4", "tables/extra/5"];
    assert_eq!(changed.added, [&["feature_sets/pins/1"][..], &versions].concat(), "{}", changed.problems);
    bucket.delete("feature_sets/pins/1/spec.json");
    bucket.put("tables/extra/4/table.json", "{ }");
    let changed = sync(&mirror);
    assert_eq!(changed.added, ["tables/extra/4"], "its content is another");
    assert_eq!(changed.removed, ["feature_sets/pins/1", "tables/extra/1"]);
    assert_eq!(copied("tables/extra/4/table.json").as_deref(), Some(&b"{ }"[..]));
    assert!(copied("tables/extra/1/table.json").is_none());
}

#[test]
fn a_version_that_is_not_as_listed_is_named_and_left_out() {
    let Some(bucket) = Bucket::new("listed") else { return };
    let cache = tempfile::tempdir().expect("a folder");
    let listing = json!({"rows.parquet": Checksum { bytes: 4, sha256: "0".repeat(64) }});
    let document = json!({"format": "quiver.table/1", "name": "ads", "version": 1, "columns": [],
        "key": [{"name": "id", "dtype": "int64"}], "files": listing});
    bucket.put("tables/ads/1/rows.parquet", "rows");
    bucket.put("tables/ads/1/table.json", document.to_string());
    let changed = sync(&bucket.mirror(cache.path()));
    let problem = changed.problems.to_string();
    assert!(
        problem.starts_with("s3://listed/repository/tables/ads/1/rows.parquet: has the SHA-256"),
        "{problem}"
    );
    assert!(changed.is_empty() && !cache.path().join("tables/ads/1").exists());
}

#[test]
fn a_read_that_is_cut_off_goes_on_from_where_it_stopped() {
    const NAME: &str = "tables/ads/1/rows.parquet";
    let Some(bucket) = Bucket::new("cut") else { return };
    let cache = tempfile::tempdir().expect("a folder");
    let rows: Vec<u8> = (0..400_000_u32).flat_map(u32::to_le_bytes).collect();
    bucket.put(NAME, rows.clone());
    bucket.put("tables/ads/1/table.json", "{}");
    let proxy = Cutting::start(&bucket.moto.endpoint, NAME, 3);
    let mirror = Mirror::open(&bucket.url, cache.path(), variables(&proxy.endpoint)).expect("opens");
    let changed = sync(&mirror);
    assert_eq!(
        (changed.added, changed.problems.to_string()),
        (vec!["tables/ads/1".to_owned()], String::new())
    );
    assert_eq!(fs::read(cache.path().join(NAME)).expect("there"), rows);
    let ranges = proxy.ranges();
    assert!(ranges.len() > 3 && ranges[0].is_none(), "{ranges:?}");
    let starts: Vec<u64> = ranges[1..].iter().map(|range| range.expect("a part")).collect();
    assert!(starts.is_sorted() && starts[0] > 0, "{starts:?}");
}

#[test]
fn a_web_server_lists_its_files_in_an_index() {
    let (cache, made) = (tempfile::tempdir().expect("a folder"), table(3));
    let repository = made.path().join("demo");
    let sum = |file: &Path| Checksum::of(file, &Cancel::new()).expect("reads").expect("whole");
    let files = files_in(&repository).into_iter().map(|file| {
        (file.strip_prefix(&repository).expect("inside").display().to_string(), json!(sum(&file)))
    });
    let index = json!({"format": "quiver.index/1", "files": files.collect::<serde_json::Map<_, _>>()});
    fs::write(repository.join("index.json"), index.to_string()).expect("writes");
    let url = format!("{}/repository", web_server(repository));
    let mirror = Mirror::open(&url, cache.path(), []).expect("opens");
    let changed = sync(&mirror);
    assert!(changed.problems.is_empty() && !changed.added.is_empty(), "{}", changed.problems);
    let tables = fs::read_dir(cache.path().join("tables")).expect("lists");
    for table in tables.map(|table| table.expect("lists").path().join("1")) {
        assert!(Loader::new(&Silent).load(&table).is_ok_and(|table| table.rows() > 0));
    }
}

#[test]
fn what_can_not_be_reached_is_named() {
    let cache = tempfile::tempdir().expect("a folder");
    let Some(bucket) = Bucket::new("named") else { return };
    let url = "s3://no-such-bucket/repository";
    let mirror = Mirror::open(url, cache.path(), variables(&bucket.moto.endpoint)).expect("opens");
    let problems = mirror.sync(&Cancel::new()).expect_err("no such bucket").to_string();
    assert!(problems.starts_with(&format!("{url}: can't be listed: ")), "{problems}");
}
