//! Versions that change under traffic: nothing fails, nothing is mixed, and what is wrong changes nothing.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch};
use arrow_ipc::writer::FileWriter;
use quiver::{
    app::Server,
    policy::{self, Policy, Serve},
    proto::{
        self, ChangeKind, FeatureSetState, GetFeaturesRequest, GetFeaturesResponse, Latest,
        ListVersionsRequest, ListVersionsResponse, ReloadRequest, RollbackRequest, SetTrafficRequest,
        TableState, TrafficPolicy, UpsertRequest, VersionState, VersionWeight, WeightedSplit,
        admin_service_client::AdminServiceClient, table_service_client::TableServiceClient, target::Name,
        traffic_policy,
    },
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tonic::{Code, transport::Channel};

use crate::{
    operations::page,
    setup::{Client, connect, doubles, int64s, serve},
};

/// Rows of the tables.
const ADS: i64 = 50;

/// A repository whose answers say which versions made them: `dense` is `[version, table version, ad]`.
struct World {
    folder: TempDir,
    aside: TempDir,
}

impl World {
    /// With version 1 of the feature set `ads` and of its table `ads`.
    fn new() -> Self {
        let world = Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
            aside: tempfile::tempdir().expect("a temporary folder"),
        };
        world.add_table(1);
        world.add_spec(1);
        world
    }

    fn path(&self, kind: &str, version: u32) -> PathBuf {
        self.folder.path().join(kind).join("ads").join(version.to_string())
    }

    /// Writes a version aside and renames it into place.
    fn add(&self, kind: &str, version: u32, write: impl FnOnce(&Path)) {
        let aside = self.aside.path().join(format!("{kind}-{version}"));
        fs::create_dir_all(&aside).expect("makes");
        write(&aside);
        let place = self.path(kind, version);
        fs::create_dir_all(place.parent().expect("a folder")).expect("makes");
        fs::rename(aside, place).expect("renames");
    }

    fn add_spec(&self, version: u32) {
        self.add_spec_with(version, |_| ());
    }

    fn add_spec_with(&self, version: u32, change: impl FnOnce(&mut Value)) {
        let mut spec = spec(version);
        change(&mut spec);
        self.add("feature_sets", version, |folder| {
            fs::write(folder.join("spec.json"), spec.to_string()).expect("writes");
        });
    }

    fn add_table(&self, version: u32) {
        self.add("tables", version, |folder| write_table(folder, version, "score"));
    }

    fn remove(&self, kind: &str, version: u32) {
        let gone = self.aside.path().join(format!("{kind}-{version}-removed"));
        fs::rename(self.path(kind, version), gone).expect("renames");
    }

    fn policy(&self, kind: &str) -> Policy {
        let folder = self.folder.path().join(kind).join("ads");
        policy::read(&folder).expect("a good policy").expect("a policy")
    }
}

fn spec(version: u32) -> Value {
    let constant = json!([{"op": "constant", "value": version, "dtype": "float64"}]);
    json!({
        "format": "quiver.spec/1", "name": "ads", "version": version,
        "inputs": [
            {"name": "user_id", "dtype": "int64", "scope": "request", "required": true},
            {"name": "ad_id", "dtype": "int64", "scope": "row", "required": true},
        ],
        "lookups": [{"name": "ad", "table": "ads", "key": "ad_id"}],
        "features": [
            {"name": "version", "input": "user_id", "steps": constant},
            {"name": "table", "input": "ad.score", "default": -1},
            {"name": "ad", "input": "ad.number", "default": -1},
        ],
        "outputs": [{"name": "dense", "dtype": "float64", "features": ["version", "table", "ad"]}],
    })
}

/// A version of the table `ads`, each of whose rows holds the version in `column`.
fn write_table(folder: &Path, version: u32, column: &str) {
    let float = |name: &str| json!({"name": name, "dtype": "float64", "shape": "scalar", "nan": "value"});
    let schema = json!({
        "format": "quiver.table/1", "name": "ads", "version": version,
        "key": [{"name": "ad_id", "dtype": "int64"}],
        "columns": [float(column), float("number")],
    });
    fs::write(folder.join("table.json"), schema.to_string()).expect("writes");
    let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(0..ADS));
    let versions: ArrayRef = Arc::new(Float64Array::from_iter_values((0..ADS).map(|_| f64::from(version))));
    let numbers: ArrayRef = Arc::new(Float64Array::from_iter_values((0..ADS).map(|ad| ad as f64)));
    let rows = RecordBatch::try_from_iter([("ad_id", ids), (column, versions), ("number", numbers)]);
    let rows = rows.expect("columns of one length");
    let file = File::create(folder.join("rows.arrow")).expect("creates");
    let mut writer = FileWriter::try_new(file, &rows.schema()).expect("starts");
    writer.write(&rows).expect("writes");
    writer.finish().expect("ends");
}

type Admin = AdminServiceClient<Channel>;

async fn admin(server: &Server) -> Admin {
    let channel = Channel::from_shared(format!("http://{}", server.admin)).expect("an address");
    AdminServiceClient::new(channel.connect().await.expect("connects"))
}

/// A server that looks for changes only when it is asked to.
async fn start(world: &World) -> (Server, Client, Admin) {
    let server = serve(world.folder.path(), &[("watch", "off")]).await;
    let (client, admin) = (connect(&server).await, admin(&server).await);
    (server, client, admin)
}

fn asked(user: i64, version: u32) -> GetFeaturesRequest {
    GetFeaturesRequest {
        feature_set: "ads".to_owned(),
        version,
        columns: vec![int64s("user_id", &[user]), int64s("ad_id", &[3, 7, 49])],
        ..GetFeaturesRequest::default()
    }
}

/// The versions of feature set and table that an answer was made of; every row must say the same.
fn made_of(answer: &GetFeaturesResponse) -> (u32, u32) {
    let data = &answer.outputs[0].data;
    let values: Vec<f64> =
        data.chunks_exact(8).map(|bytes| f64::from_le_bytes(bytes.try_into().expect("8 bytes"))).collect();
    for (row, ad) in values.chunks_exact(3).zip([3.0, 7.0, 49.0]) {
        assert_eq!((row[0], row[1]), (values[0], values[1]), "a mixed answer: {values:?}");
        assert_eq!(row[2], ad);
    }
    assert_eq!(values[0], f64::from(answer.version), "it claims another version");
    (values[0] as u32, values[1] as u32)
}

async fn ask(client: &mut Client, user: i64, version: u32) -> (u32, u32) {
    made_of(&client.get_features(asked(user, version)).await.expect("an answer").into_inner())
}

async fn reload(admin: &mut Admin) -> Vec<(u32, ChangeKind)> {
    let reloaded = admin.reload(ReloadRequest {}).await.expect("reloads").into_inner();
    reloaded.changes.iter().map(|change| (change.version, change.kind())).collect()
}

async fn listed(admin: &mut Admin) -> ListVersionsResponse {
    admin.list_versions(ListVersionsRequest {}).await.expect("lists").into_inner()
}

async fn feature_set(admin: &mut Admin) -> FeatureSetState {
    listed(admin).await.feature_sets.remove(0)
}

async fn table(admin: &mut Admin) -> TableState {
    listed(admin).await.tables.remove(0)
}

fn states(of: &FeatureSetState) -> Vec<(u32, VersionState)> {
    of.versions.iter().map(|version| (version.version, version.state())).collect()
}

fn target() -> Option<proto::Target> {
    Some(proto::Target { name: Some(Name::FeatureSet("ads".to_owned())) })
}

fn table_target() -> Option<proto::Target> {
    Some(proto::Target { name: Some(Name::Table("ads".to_owned())) })
}

async fn set(admin: &mut Admin, policy: TrafficPolicy) -> Result<u32, tonic::Status> {
    let request = SetTrafficRequest { target: target(), policy: Some(policy) };
    admin.set_traffic(request).await.map(|set| {
        let set = set.into_inner();
        assert_eq!(set.not_persisted, "");
        set.default_version
    })
}

fn pinned(version: u32) -> TrafficPolicy {
    TrafficPolicy { serve: Some(traffic_policy::Serve::Pinned(version)), ..TrafficPolicy::default() }
}

fn latest() -> TrafficPolicy {
    TrafficPolicy { serve: Some(traffic_policy::Serve::Latest(Latest {})), ..TrafficPolicy::default() }
}

fn split(weights: &[(u32, u32)]) -> TrafficPolicy {
    let weights = weights.iter().map(|&(version, weight)| VersionWeight { version, weight }).collect();
    let split = WeightedSplit { weights, routing_key: "user_id".to_owned(), seed: 5 };
    TrafficPolicy { serve: Some(traffic_policy::Serve::Weighted(split)), ..TrafficPolicy::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn versions_change_while_clients_call_and_no_answer_is_lost_or_mixed() {
    let world = World::new();
    let (server, _, mut admin) = start(&world).await;
    let (stop, answers) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut callers = Vec::new();
    for caller in 0..3 {
        let (mut client, stop, answers) = (connect(&server).await, stop.clone(), answers.clone());
        callers.push(tokio::spawn(async move {
            let mut last = (0, 0);
            while !stop.load(Ordering::Relaxed) {
                let now = ask(&mut client, caller, 0).await;
                assert!(now.0 >= last.0 && now.1 >= last.1, "{now:?} after {last:?}");
                last = now;
                answers.fetch_add(1, Ordering::Relaxed);
            }
        }));
    }
    for version in 2..=12 {
        let before = answers.load(Ordering::Relaxed);
        if version % 2 == 0 {
            world.add_table(version)
        } else {
            world.add_spec(version)
        }
        if version % 3 == 0 {
            world.add_spec(version + 100);
            world.add_table(version + 100);
            world.remove("feature_sets", version + 100);
            world.remove("tables", version + 100);
        }
        reload(&mut admin).await;
        let deadline = Instant::now() + Duration::from_secs(30);
        while answers.load(Ordering::Relaxed) < before + 3 && Instant::now() < deadline {
            tokio::task::yield_now().await;
        }
    }
    stop.store(true, Ordering::Relaxed);
    for caller in callers {
        caller.await.expect("every answer was good");
    }
    assert_eq!(ask(&mut connect(&server).await, 1, 0).await, (11, 12));
}

#[tokio::test]
async fn a_table_version_rebinds_its_readers_and_the_old_one_is_freed() {
    let world = World::new();
    let (_server, mut client, mut admin) = start(&world).await;
    assert_eq!(ask(&mut client, 1, 0).await, (1, 1));
    assert_eq!(reload(&mut admin).await, [], "nothing changed");
    world.add_table(2);
    let changes = reload(&mut admin).await;
    assert_eq!(
        changes,
        [(2, ChangeKind::Loaded), (1, ChangeKind::Rebound), (1, ChangeKind::Retired)],
        "the table, its reader, the table before it"
    );
    assert_eq!(ask(&mut client, 1, 0).await, (1, 2));
    let versions = table(&mut admin).await.versions;
    let states: Vec<_> = versions.iter().map(|of| (of.version, of.state(), of.bytes > 0)).collect();
    assert_eq!(states, [(1, VersionState::Retired, false), (2, VersionState::Serving, true)]);
    assert_eq!(versions[1].read_by.len(), 1);
}

#[tokio::test]
async fn the_newest_two_stay_in_memory_and_a_request_can_name_one() {
    let world = World::new();
    let (_server, mut client, mut admin) = start(&world).await;
    world.add_spec(2);
    world.add_spec(3);
    reload(&mut admin).await;
    let expect = [(1, VersionState::Retired), (2, VersionState::Candidate), (3, VersionState::Serving)];
    assert_eq!(states(&feature_set(&mut admin).await), expect);
    assert_eq!(ask(&mut client, 1, 0).await.0, 3);
    assert_eq!(ask(&mut client, 1, 2).await.0, 2);
    let refused = client.get_features(asked(1, 1)).await.expect_err("it is not in memory");
    assert_eq!(refused.code(), Code::NotFound);
    assert!(refused.message().contains("has no version 1; it has: 2, 3"), "{refused}");
    world.remove("feature_sets", 3);
    assert!(reload(&mut admin).await.contains(&(3, ChangeKind::Removed)));
    assert_eq!(ask(&mut client, 1, 0).await.0, 2);
}

#[tokio::test]
async fn a_version_that_fails_changes_nothing_and_says_why_until_it_changes() {
    let world = World::new();
    let (server, mut client, mut admin) = start(&world).await;
    world.add_spec_with(2, |spec| spec["features"][1]["input"] = "ad.no_such_column".into());
    world.add("tables", 2, |folder| fs::write(folder.join("table.json"), "{}").expect("writes"));
    let failed = reload(&mut admin).await;
    assert_eq!(failed, [(2, ChangeKind::Failed), (2, ChangeKind::Failed)]);
    assert_eq!(ask(&mut client, 1, 0).await, (1, 1));
    let of = feature_set(&mut admin).await;
    assert_eq!(states(&of), [(1, VersionState::Serving), (2, VersionState::Failed)]);
    assert!(of.versions[1].problems[0].contains("feature_sets/ads/2/spec.json: features[1]"), "{of:?}");
    assert_eq!(table(&mut admin).await.versions[1].state(), VersionState::Failed);
    let (_, metrics) = page(server.admin, "/metrics").await;
    assert!(metrics.contains("quiver_feature_set_failed_versions{feature_set=\"ads\"} 1"), "{metrics}");
    assert!(metrics.contains("quiver_table_failed_versions{table=\"ads\"} 1"), "{metrics}");

    fs::write(world.path("feature_sets", 2).join("spec.json"), spec(2).to_string()).expect("writes");
    assert_eq!(reload(&mut admin).await, [(2, ChangeKind::Failed), (2, ChangeKind::Loaded)]);
    assert_eq!(ask(&mut client, 1, 0).await, (2, 1));
    let (_, metrics) = page(server.admin, "/metrics").await;
    assert!(metrics.contains("quiver_feature_set_failed_versions{feature_set=\"ads\"} 0"), "{metrics}");
}

#[tokio::test]
async fn a_reader_that_does_not_fit_the_new_table_is_served_on_with_the_old_one() {
    let world = World::new();
    let (_server, mut client, mut admin) = start(&world).await;
    world.add("tables", 2, |folder| write_table(folder, 2, "another_name"));
    reload(&mut admin).await;
    assert_eq!(ask(&mut client, 1, 0).await, (1, 1));
    let of = feature_set(&mut admin).await;
    assert_eq!(states(&of), [(1, VersionState::Serving)]);
    assert!(of.versions[0].problems[0].contains("score"), "{of:?}");
    world.add_table(3);
    reload(&mut admin).await;
    assert_eq!(ask(&mut client, 1, 0).await, (1, 3));
    assert_eq!(feature_set(&mut admin).await.versions[0].problems, [""; 0]);
}

#[tokio::test]
async fn at_start_the_newest_good_version_of_a_table_is_taken() {
    let world = World::new();
    world.add("tables", 2, |folder| fs::write(folder.join("table.json"), "{}").expect("writes"));
    let (_server, mut client, _) = start(&world).await;
    assert_eq!(ask(&mut client, 1, 0).await, (1, 1));
}

#[tokio::test]
async fn a_spec_can_name_a_table_version() {
    let world = World::new();
    world.add_table(2);
    world.add_spec_with(2, |spec| spec["lookups"][0]["version"] = 1.into());
    let (_server, mut client, mut admin) = start(&world).await;
    assert_eq!(ask(&mut client, 1, 2).await, (2, 1));
    assert_eq!(ask(&mut client, 1, 1).await, (1, 2));
    let versions = table(&mut admin).await.versions;
    let states: Vec<_> = versions.iter().map(|of| (of.version, of.state())).collect();
    assert_eq!(states, [(1, VersionState::Candidate), (2, VersionState::Serving)]);
}

#[tokio::test]
async fn a_split_follows_the_hash_of_the_routing_key() {
    let world = World::new();
    world.add_spec(2);
    let (_server, mut client, mut admin) = start(&world).await;
    assert_eq!(set(&mut admin, split(&[(1, 80), (2, 20)])).await.expect("sets"), 1);
    let by_hash = policy::Split { versions: [(1, 80), (2, 20)].into(), routing_key: String::new(), seed: 5 };
    let mut of_canary = 0;
    for user in 0..300_i64 {
        let expect = by_hash.version(Some(&user.to_le_bytes())).expect("weights");
        assert_eq!(ask(&mut client, user, 0).await.0, expect, "user {user}");
        of_canary += usize::from(expect == 2);
    }
    assert!((30..90).contains(&of_canary), "{of_canary}");
    assert_eq!(ask(&mut client, 1, 2).await.0, 2, "a request may name one");
    let of = feature_set(&mut admin).await;
    assert_eq!(of.versions.iter().map(|version| version.share).collect::<Vec<_>>(), [0.8, 0.2]);
}

#[tokio::test]
async fn a_policy_is_checked_and_names_every_problem() {
    let world = World::new();
    let (_server, mut client, mut admin) = start(&world).await;
    let refused = set(&mut admin, pinned(9)).await.expect_err("no such version");
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(
        refused.message().contains("policy.serve.pinned: there is no version 9; there are: 1"),
        "{refused}"
    );
    let mut by_row = split(&[(1, 1)]);
    if let Some(traffic_policy::Serve::Weighted(split)) = &mut by_row.serve {
        split.routing_key = "ad_id".to_owned();
    }
    let refused = set(&mut admin, by_row).await.expect_err("of row scope");
    assert!(refused.message().contains("\"ad_id\" is of row scope"), "{refused}");
    let unknown = Some(proto::Target { name: Some(Name::FeatureSet("none".to_owned())) });
    let refused = admin.rollback(RollbackRequest { target: unknown }).await.expect_err("unknown");
    assert_eq!(refused.code(), Code::NotFound);
    assert_eq!(ask(&mut client, 1, 0).await.0, 1);
}

#[tokio::test]
async fn a_policy_outlives_the_server_and_a_bad_one_leaves_the_one_before_it() {
    let world = World::new();
    world.add_spec(2);
    {
        let (_server, mut client, mut admin) = start(&world).await;
        assert_eq!(set(&mut admin, pinned(1)).await.expect("sets"), 1);
        assert_eq!(ask(&mut client, 1, 0).await.0, 1);
    }
    assert_eq!(world.policy("feature_sets").serve, Serve::Pinned(1));
    let (_server, mut client, mut admin) = start(&world).await;
    assert_eq!(ask(&mut client, 1, 0).await.0, 1);
    let file = world.folder.path().join("feature_sets/ads/policy.json");
    fs::write(file, r#"{"format": "quiver.policy/1", "serve": "newest"}"#).expect("writes");
    assert_eq!(reload(&mut admin).await, [(0, ChangeKind::PolicyFailed)]);
    assert_eq!(ask(&mut client, 1, 0).await.0, 1);
    let problems = feature_set(&mut admin).await.policy_problems;
    assert!(problems[0].starts_with("feature_sets/ads/policy.json: serve"), "{problems:?}");
    assert_eq!(set(&mut admin, latest()).await.expect("sets"), 2);
    assert_eq!(feature_set(&mut admin).await.policy_problems, [""; 0]);
}

#[tokio::test]
async fn rollback_returns_to_the_version_before_and_pins_it() {
    let world = World::new();
    let (_server, mut client, mut admin) = start(&world).await;
    let refused = admin.rollback(RollbackRequest { target: target() }).await.expect_err("none before");
    assert_eq!(refused.code(), Code::FailedPrecondition);
    for version in [2, 3] {
        world.add_spec(version);
        reload(&mut admin).await;
    }
    for (from, to) in [(3, 2), (2, 1)] {
        let rolled_back =
            admin.rollback(RollbackRequest { target: target() }).await.expect("rolls back").into_inner();
        assert_eq!((rolled_back.rolled_back_version, rolled_back.version), (from, to));
        assert_eq!(ask(&mut client, 1, 0).await.0, to);
        assert_eq!(world.policy("feature_sets").serve, Serve::Pinned(to));
    }
    world.add_spec(4);
    reload(&mut admin).await;
    assert_eq!(ask(&mut client, 1, 0).await.0, 1, "it is pinned");
    world.add_spec(5);
    assert_eq!(set(&mut admin, pinned(5)).await.expect("it is found by the call"), 5);
    assert_eq!(ask(&mut client, 1, 0).await.0, 5);
    assert_eq!(set(&mut admin, pinned(2)).await.expect("it is loaded by the call"), 2);
    assert_eq!(ask(&mut client, 1, 0).await.0, 2);
    let expect = [1, 2, 3, 4, 5].map(|version| match version {
        2 => (version, VersionState::Serving),
        4 | 5 => (version, VersionState::Candidate),
        _ => (version, VersionState::Retired),
    });
    reload(&mut admin).await;
    assert_eq!(states(&feature_set(&mut admin).await), expect);
}

#[tokio::test]
async fn a_policy_in_a_folder_that_can_not_be_written_is_in_force_and_says_so() {
    let world = World::new();
    world.add_spec(2);
    let (_server, mut client, mut admin) = start(&world).await;
    // A folder in the file's place can't be replaced, whoever the user is.
    fs::create_dir(world.folder.path().join("feature_sets/ads/.policy.json")).expect("makes");
    let request = SetTrafficRequest { target: target(), policy: Some(pinned(1)) };
    let set = admin.set_traffic(request).await.expect("sets").into_inner();
    assert!(set.not_persisted.contains("feature_sets/ads/policy.json"), "{set:?}");
    reload(&mut admin).await;
    assert_eq!(ask(&mut client, 1, 0).await.0, 1);
}

#[tokio::test]
async fn a_table_rolls_back_too() {
    let world = World::new();
    let (_server, mut client, mut admin) = start(&world).await;
    world.add_table(2);
    reload(&mut admin).await;
    assert_eq!(ask(&mut client, 1, 0).await, (1, 2));
    let rolled_back =
        admin.rollback(RollbackRequest { target: table_target() }).await.expect("rolls back").into_inner();
    assert_eq!((rolled_back.rolled_back_version, rolled_back.version), (2, 1));
    assert_eq!(ask(&mut client, 1, 0).await, (1, 1));
    assert_eq!(world.policy("tables").serve, Serve::Pinned(1));
}

#[tokio::test]
async fn a_shadow_counts_differences_by_feature_and_keeps_the_first() {
    let world = World::new();
    world.add_spec(2);
    let (server, mut client, mut admin) = start(&world).await;
    let shadow = Some(proto::Shadow { version: 2, sample_rate: 1.0 });
    set(&mut admin, TrafficPolicy { shadow, ..pinned(1) }).await.expect("sets");
    for user in 0..20 {
        assert_eq!(ask(&mut client, user, 0).await.0, 1);
    }
    let deadline = Instant::now() + Duration::from_secs(30);
    let report = loop {
        let report = feature_set(&mut admin).await.shadow.expect("a shadow");
        if report.compared + report.dropped == 20 || Instant::now() > deadline {
            break report;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!((report.version, report.compared, report.rejected, report.rows), (2, 20, 0, 60), "{report:?}");
    let [of] = report.features.as_slice() else { panic!("{report:?}") };
    assert_eq!((of.output.as_str(), of.feature.as_str(), of.rows), ("dense", "version", 60));
    let first = &report.first[0];
    assert_eq!((first.row, first.column, first.served, first.shadow), (0, 0, 1.0, 2.0));
    let (_, metrics) = page(server.admin, "/metrics").await;
    assert!(metrics.contains("quiver_shadow_different_rows_total{"), "{metrics}");
}

#[tokio::test]
async fn the_watcher_finds_new_versions_by_itself() {
    let world = World::new();
    let server = serve(world.folder.path(), &[("watch", "20ms")]).await;
    let (mut client, mut admin) = (connect(&server).await, admin(&server).await);
    world.add_table(2);
    world.add_spec(2);
    let deadline = Instant::now() + Duration::from_secs(30);
    while feature_set(&mut admin).await.default_version < 2 || table(&mut admin).await.default_version < 2 {
        assert!(Instant::now() < deadline, "{:?}", listed(&mut admin).await);
        tokio::task::yield_now().await;
    }
    assert_eq!(ask(&mut client, 1, 0).await, (2, 2));
}

#[tokio::test]
async fn a_disk_that_is_gone_takes_nothing_out_of_service() {
    let world = World::new();
    let (_server, mut client, mut admin) = start(&world).await;
    let gone = world.aside.path().join("gone");
    fs::rename(world.folder.path().join("feature_sets"), &gone).expect("renames");
    assert_eq!(reload(&mut admin).await, []);
    assert_eq!(ask(&mut client, 1, 0).await, (1, 1));
}

#[tokio::test]
async fn the_commands_show_and_change_versions() {
    let world = World::new();
    let (server, mut client, _) = start(&world).await;
    world.add_spec(2);
    world.add_spec_with(3, |spec| spec["outputs"][0]["dtype"] = "float31".into());
    let admin = format!("http://{}", server.admin);
    let run = async |arguments: &[&str]| {
        let arguments: Vec<String> = ["admin"]
            .iter()
            .chain(arguments)
            .chain(&["--server", &admin])
            .map(|of| (*of).to_owned())
            .collect();
        let ran = tokio::task::spawn_blocking(move || {
            Command::new(env!("CARGO_BIN_EXE_quiver")).args(arguments).output().expect("runs")
        });
        let Output { status, stdout, stderr } = ran.await.expect("runs");
        (status.success(), String::from_utf8([stdout, stderr].concat()).expect("UTF-8"))
    };
    let (ok, shown) = run(&["reload"]).await;
    assert!(ok && shown.contains("loaded") && shown.contains("feature_sets/ads/3/spec.json"), "{shown}");
    let (ok, shown) = run(&["traffic", "ads", "--split", "1=1,2=3", "--by", "user_id"]).await;
    assert!(ok && shown.contains("ads: version 2 answers the largest share"), "{shown}");
    let (ok, shown) = run(&["versions"]).await;
    for expect in ["serving", "failed", "75 %", "1=1, 2=3 by user_id", "feature set ads version 3:"] {
        assert!(ok && shown.contains(expect), "{expect} in\n{shown}");
    }
    let (ok, shown) = run(&["versions", "ads", "--json"]).await;
    let document: Value = serde_json::from_str(&shown).expect("JSON");
    assert!(ok, "{shown}");
    assert_eq!(document["feature_sets"][0]["versions"][1]["share"], 0.75);
    assert_eq!(document["feature_sets"][0]["policy"]["serve"]["weighted"]["versions"]["2"], 3);
    let (ok, shown) = run(&["traffic", "ads", "--pin", "9"]).await;
    assert!(!ok && shown.contains("there is no version 9"), "{shown}");
    assert!(run(&["traffic", "ads", "--pin", "1"]).await.0);
    assert_eq!(ask(&mut client, 1, 0).await.0, 1);
    let (ok, shown) = run(&["rollback", "ads"]).await;
    assert!(ok && shown.contains("ads: version 2 answers again in place of 1"), "{shown}");
    assert_eq!(ask(&mut client, 1, 0).await.0, 2);
}

#[test]
fn check_reports_a_bad_policy() {
    let world = World::new();
    let folder = world.folder.path().join("feature_sets/ads");
    policy::write(&folder, &Policy::serving(Serve::Pinned(7))).expect("writes");
    let options = quiver::snapshot::Options::default();
    let problems = quiver::snapshot::load(world.folder.path(), &options, &quiver::table::Silent).problems;
    assert_eq!(
        problems.to_string(),
        "feature_sets/ads/policy.json: serve.pinned: there is no version 7; there are: 1"
    );
}

#[tokio::test]
async fn a_request_without_its_routing_key_gets_the_largest_version() {
    let world = World::new();
    let optional = |spec: &mut Value| spec["inputs"][0]["required"] = false.into();
    world.add_spec_with(2, optional);
    world.add_spec_with(3, optional);
    let (_server, mut client, mut admin) = start(&world).await;
    set(&mut admin, split(&[(2, 1), (3, 2)])).await.expect("sets");
    let mut without = asked(1, 0);
    without.columns.remove(0);
    let answer = client.get_features(without).await.expect("an answer").into_inner();
    assert_eq!(made_of(&answer).0, 3);
}

/// The scores that the rows of an answer have.
async fn scores(client: &mut Client) -> Vec<f64> {
    let answer = client.get_features(asked(1, 0)).await.expect("an answer").into_inner();
    let values = answer.outputs[0].data.chunks_exact(8);
    values.map(|bytes| f64::from_le_bytes(bytes.try_into().expect("8 bytes"))).skip(1).step_by(3).collect()
}

#[tokio::test]
async fn written_rows_stay_when_versions_change() {
    let world = World::new();
    let live = |folder: &Path, version: u32| {
        write_table(folder, version, "score");
        let file = folder.join("table.json");
        let mut schema: Value = serde_json::from_slice(&fs::read(&file).expect("reads")).expect("JSON");
        schema["live"] = true.into();
        fs::write(file, schema.to_string()).expect("writes");
    };
    world.add("tables", 2, |folder| live(folder, 2));
    let (server, mut client, mut admin) = start(&world).await;
    let channel = Channel::from_shared(format!("http://{}", server.listen)).expect("an address");
    let mut tables = TableServiceClient::new(channel.connect().await.expect("connects"));
    let columns = vec![int64s("ad_id", &[7]), doubles("score", &[77.0])];
    let written = UpsertRequest { table: "ads".to_owned(), columns, event_times: None };
    tables.upsert(written).await.expect("writes");
    assert_eq!(scores(&mut client).await, [2.0, 77.0, 2.0]);
    world.add_spec(2);
    reload(&mut admin).await;
    assert_eq!(scores(&mut client).await, [2.0, 77.0, 2.0], "a new version of the feature set");
    world.add("tables", 3, |folder| live(folder, 3));
    reload(&mut admin).await;
    assert_eq!(scores(&mut client).await, [3.0, 77.0, 3.0], "a new version of the table");
    let of = table(&mut admin).await.versions.remove(2);
    assert_eq!((of.version, of.live_rows, of.live_bytes > 0), (3, 1, true));
}
