//! Repositories with something wrong: what is good is served, what is bad is reported with its file.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use quiver::{
    config::Repository,
    proto::{FeatureSetVersions, GetFeatureSetRequest, ListFeatureSetsRequest, StatusDetail},
    snapshot::{self, Options, Outcome},
    table::Silent,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tonic::Code;

use crate::{
    operations::page,
    setup::{Client, connect, demo_copy, request, serve, start_with},
};

/// Changes a JSON file.
fn change(file: &Path, change: impl FnOnce(&mut Value)) {
    let text = fs::read_to_string(file).expect("reads");
    let mut document: Value = serde_json::from_str(&text).expect("JSON");
    change(&mut document);
    fs::write(file, document.to_string()).expect("writes");
}

/// The folder of a version.
fn version(repository: &TempDir, feature_set: &str, number: u32) -> PathBuf {
    repository.path().join("feature_sets").join(feature_set).join(number.to_string())
}

/// Adds version 2 of `ads_small`, whose spec is the first one's after `change`.
fn add_version_2(repository: &TempDir, change_spec: impl FnOnce(&mut Value)) {
    let (first, second) = (version(repository, "ads_small", 1), version(repository, "ads_small", 2));
    fs::create_dir(&second).expect("makes");
    for file in ["spec.json", "golden.json"] {
        fs::copy(first.join(file), second.join(file)).expect("copies");
    }
    change(&second.join("spec.json"), |spec| {
        spec["version"] = 2.into();
        change_spec(spec);
    });
}

fn load(repository: &TempDir) -> Outcome {
    snapshot::load(repository.path(), &Options { unread_tables: true, ..Options::default() }, &Silent)
}

fn problems(repository: &TempDir) -> Vec<String> {
    load(repository).problems.iter().map(ToString::to_string).collect()
}

/// The versions that are served, as `ads_small 1`.
fn served(repository: &TempDir) -> Vec<String> {
    let snapshot = load(repository).snapshot;
    let sets = snapshot.feature_sets();
    sets.flat_map(|(name, versions)| versions.keys().map(move |version| format!("{name} {version}")))
        .collect()
}

async fn listed(client: &mut Client, name: &str) -> FeatureSetVersions {
    let listed = client.list_feature_sets(ListFeatureSetsRequest {}).await.expect("a list").into_inner();
    listed.feature_sets.into_iter().find(|set| set.name == name).expect("it is listed")
}

fn quiver(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_quiver")).args(arguments).output().expect("runs")
}

fn check(repository: &TempDir) -> (bool, String) {
    let checked = quiver(&["check", repository.path().to_str().expect("UTF-8")]);
    let text = [checked.stdout, checked.stderr].concat();
    (checked.status.success(), String::from_utf8(text).expect("UTF-8"))
}

#[tokio::test]
async fn a_bad_version_is_reported_and_the_good_ones_are_served() {
    let repository = demo_copy();
    add_version_2(&repository, |spec| spec["outputs"][0]["dtype"] = "float31".into());
    fs::write(version(&repository, "ads_large", 1).join("spec.json"), "{").expect("writes");
    let server = serve(repository.path(), &[]).await;
    let mut client = connect(&server).await;

    let answer = client.get_features(request(StatusDetail::Off)).await.expect("an answer").into_inner();
    assert_eq!(answer.version, 1, "the highest that is served");
    let small = listed(&mut client, "ads_small").await;
    assert_eq!((small.versions.as_slice(), small.default_version), (&[1][..], 1));
    assert_eq!(small.failed_versions.len(), 1);
    assert_eq!(small.failed_versions[0].version, 2);
    let problem = &small.failed_versions[0].problem;
    assert!(problem.starts_with("feature_sets/ads_small/2/spec.json: outputs[0]"), "{problem}");
    let large = listed(&mut client, "ads_large").await;
    assert_eq!((large.versions.len(), large.default_version, large.failed_versions.len()), (0, 0, 1));

    for (name, number, expect) in [
        ("ads_small", 2, "version 2 of feature set \"ads_small\" failed to load: feature_sets/ads_small/2/"),
        ("ads_large", 0, "version 1 of feature set \"ads_large\" failed to load: feature_sets/ads_large/1/"),
        ("ads_large", 9, "feature set \"ads_large\" has no version 9"),
        ("ads", 0, "there is no feature set \"ads\"; the feature sets are: ads_ctr, ads_small"),
    ] {
        let asked = GetFeatureSetRequest { feature_set: name.to_owned(), version: number };
        let status = client.get_feature_set(asked).await.expect_err("it is not served");
        assert_eq!(status.code(), Code::NotFound);
        assert!(status.message().starts_with(expect), "{status}");
    }

    let (_, metrics) = page(server.admin, "/metrics").await;
    for expect in
        ["{feature_set=\"ads_small\"} 1", "{feature_set=\"ads_large\"} 1", "{feature_set=\"ads_ctr\"} 0"]
    {
        assert!(metrics.contains(&format!("quiver_feature_set_failed_versions{expect}")), "{metrics}");
    }
    let address = format!("http://{}", server.listen);
    let described = tokio::task::spawn_blocking(move || quiver(&["describe", "--server", &address]));
    let described = described.await.expect("runs");
    let text = String::from_utf8(described.stdout).expect("UTF-8");
    assert!(
        text.contains("\nads_small version 2 failed to load:\n  feature_sets/ads_small/2/spec.json"),
        "{text}"
    );
}

#[tokio::test]
async fn strict_serves_nothing_where_anything_is_wrong() {
    let repository = demo_copy();
    add_version_2(&repository, |spec| spec["format"] = "quiver.spec/9".into());
    let strict = start_with(&[("strict", "true")]).await;
    let folder = Repository::Folder(repository.path().to_owned());
    let refused = strict.load(&folder).await.expect_err("one version is bad").to_string();
    assert!(refused.contains("feature_sets/ads_small/2/spec.json: format: is"), "{refused}");
    let status = connect(&strict).await.get_features(request(StatusDetail::Off)).await.expect_err("nothing");
    assert_eq!(status.code(), Code::Unavailable);
}

#[tokio::test]
async fn a_repository_of_nothing_good_is_not_served() {
    let repository = demo_copy();
    for name in ["ads_small", "ads_ctr", "ads_large"] {
        fs::remove_file(version(&repository, name, 1).join("spec.json")).expect("removes");
    }
    let server = start_with(&[]).await;
    let refused =
        server.load(&Repository::Folder(repository.path().to_owned())).await.expect_err("all are bad");
    assert_eq!(refused.to_string().matches("/1/spec.json: can't be read").count(), 3, "{refused}");
}

#[test]
fn a_bad_table_fails_the_versions_that_look_it_up_and_is_reported_once() {
    let repository = demo_copy();
    let table = repository.path().join("tables/contexts/1");
    fs::write(table.join("part-0.arrow"), "no Arrow").expect("writes");
    assert_eq!(served(&repository), ["ads_small 1"]);
    let reported = problems(&repository);
    assert_eq!(reported.len(), 1, "{reported:?}");
    assert!(reported[0].starts_with("tables/contexts/1/part-0.arrow: "), "{reported:?}");
    let snapshot = load(&repository).snapshot;
    let (_, of_large) = snapshot.failed("ads_large").next().expect("it failed");
    assert_eq!(of_large.to_string(), reported[0], "the version's problem is the table's");
}

#[test]
fn what_else_is_wrong_with_a_spec_is_found_beside_a_bad_table() {
    let repository = demo_copy();
    fs::write(repository.path().join("tables/contexts/1/table.json"), "{}").expect("writes");
    change(&version(&repository, "ads_ctr", 1).join("spec.json"), |spec| {
        spec["lookups"][0]["table"] = "nowhere".into();
    });
    let reported = problems(&repository);
    assert_eq!(reported.len(), 2, "{reported:?}");
    assert!(reported[0].starts_with("tables/contexts/1/table.json: missing field"), "{reported:?}");
    let known =
        "there is no table \"nowhere\"; the tables are: ads, advertisers, contexts, user_category, users";
    assert!(reported[1].starts_with("feature_sets/ads_ctr/1/spec.json: lookups[0]"), "{reported:?}");
    assert!(reported[1].ends_with(known), "{reported:?}");
}

#[test]
fn check_finds_what_is_wrong_with_tables_that_nothing_looks_up() {
    let repository = demo_copy();
    let copy = repository.path().join("tables/spare/1");
    fs::create_dir_all(&copy).expect("makes");
    for file in fs::read_dir(repository.path().join("tables/contexts/1")).expect("reads") {
        let file = file.expect("reads").path();
        fs::copy(&file, copy.join(file.file_name().expect("a name"))).expect("copies");
    }
    change(&copy.join("table.json"), |table| table["name"] = "spare".into());
    let (good, text) = check(&repository);
    assert!(good, "{text}");
    let line = text.lines().find(|line| line.contains("spare")).expect("it is shown");
    assert!(line.contains("no"), "nothing looks it up: {line}");

    fs::create_dir_all(repository.path().join("tables/empty/1")).expect("makes");
    fs::write(repository.path().join("tables/empty/1/table.json"), "{}").expect("writes");
    let (good, text) = check(&repository);
    assert!(!good);
    assert!(text.starts_with("tables/empty/1/table.json: missing field `format`"), "{text}");
    assert_eq!(served(&repository).len(), 3, "no version needs it");
}

/// Puts something else in the place of a file.
fn replace(file: &Path, with: &str) {
    fs::remove_file(file).expect("removes");
    match with {
        "a pipe" => assert!(Command::new("mkfifo").arg(file).status().expect("runs").success()),
        "a folder" => fs::create_dir(file).expect("makes"),
        to => symlink(to, file).expect("links"),
    }
}

#[test]
fn golden_rows_that_cant_be_read_are_a_gate_that_is_closed() {
    for with in ["nowhere.json", "golden.json", "/dev/null", "a pipe", "a folder"] {
        let repository = demo_copy();
        replace(&version(&repository, "ads_small", 1).join("golden.json"), with);
        let reported = problems(&repository);
        assert_eq!(served(&repository), ["ads_ctr 1", "ads_large 1"], "{with}");
        assert_eq!(reported.len(), 1, "{with}: {reported:?}");
        assert!(
            reported[0].starts_with("feature_sets/ads_small/1/golden.json: can't be read: "),
            "{reported:?}"
        );
    }
}

#[test]
fn golden_rows_without_values_are_rejected_before_room_is_made_for_them() {
    for outputs in [true, false] {
        let repository = demo_copy();
        change(&version(&repository, "ads_small", 1).join("golden.json"), |golden| {
            for case in golden["cases"].as_array_mut().expect("cases") {
                case["rows"] = u64::MAX.into();
                case["inputs"] = json!({});
                if !outputs {
                    case["outputs"] = json!({});
                }
            }
        });
        let found = problems(&repository);
        assert_eq!(served(&repository), ["ads_ctr 1", "ads_large 1"]);
        let expected =
            if outputs { "rows, the case 18446744073709551615" } else { "outputs: must have at least one" };
        assert!(found[0].contains(expected), "{found:?}");
    }
}

#[test]
fn files_that_are_no_files_are_rejected_and_not_waited_for() {
    let files = [
        ("feature_sets/ads_small/1/spec.json", vec!["ads_ctr 1", "ads_large 1"]),
        ("tables/contexts/1/table.json", vec!["ads_small 1"]),
        ("tables/contexts/1/part-0.arrow", vec!["ads_small 1"]),
    ];
    for (file, expect) in files {
        let repository = demo_copy();
        replace(&repository.path().join(file), "a pipe");
        let reported = problems(&repository);
        assert_eq!(reported, [format!("{file}: can't be read: not a regular file")]);
        assert_eq!(served(&repository), expect);
    }
}

#[test]
fn a_folder_without_feature_sets_is_no_repository() {
    let repository = TempDir::new().expect("a temporary folder");
    let place = repository.path().display();
    let expect =
        format!("feature_sets: is missing in {place}, which must have feature_sets/<name>/<version>/");
    assert_eq!(problems(&repository), [expect]);
}

#[test]
fn folders_that_are_no_versions_are_reported_and_concern_no_other() {
    let repository = demo_copy();
    let sets = repository.path().join("feature_sets");
    fs::create_dir(sets.join("ads_small/backup")).expect("makes");
    fs::create_dir(sets.join("ads_small/02")).expect("makes");
    fs::create_dir(sets.join("ads_small/.hidden")).expect("makes");
    fs::write(sets.join("ads_small/README.md"), "notes").expect("writes");
    fs::write(sets.join("ads_small/3"), "a file").expect("writes");
    symlink("nowhere", sets.join("ads_small/4")).expect("links");
    symlink("5", sets.join("ads_small/5")).expect("links");
    symlink("nowhere", sets.join("ads_gone")).expect("links");
    symlink(sets.join("ads_small/1"), sets.join("ads_small/6")).expect("links");
    let reported = problems(&repository);
    let expect = [
        "feature_sets/ads_gone: can't be read: No such file or directory",
        "feature_sets/ads_small/02: is not a version: a number from 1 on",
        "feature_sets/ads_small/backup: is not a version: a number from 1 on",
        "feature_sets/ads_small/3: is not a folder",
        "feature_sets/ads_small/4: can't be read: No such file or directory",
        "feature_sets/ads_small/5: can't be read: Too many levels of symbolic links",
        "feature_sets/ads_small/6/spec.json: version: is 1; the folder's is 6",
    ];
    assert_eq!(reported.len(), expect.len(), "{reported:#?}");
    for (reported, expect) in reported.iter().zip(expect) {
        assert!(reported.starts_with(expect), "{reported}");
    }
    assert_eq!(served(&repository), ["ads_ctr 1", "ads_large 1", "ads_small 1"]);
    let failed: Vec<u32> =
        load(&repository).snapshot.failed("ads_small").map(|(version, _)| version).collect();
    assert_eq!(failed, [3, 4, 5, 6]);
}
