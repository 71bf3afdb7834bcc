//! Servers for tests: on free ports, with a small demo.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use quiver::{
    app::Server,
    config::{Config, Repository},
    demo::{self, Recipe, Sizes},
    proto::{
        Column, DictionaryValues, DoubleValues, GetFeaturesRequest, Int64Values, Options, StatusDetail,
        StringValues, column::Values, feature_service_client::FeatureServiceClient,
    },
};
use tempfile::TempDir;
use tonic::transport::Channel;

/// A client of the service.
pub type Client = FeatureServiceClient<Channel>;

/// A small demo, written once for all tests.
pub fn demo_folder() -> &'static Path {
    static DEMO: OnceLock<TempDir> = OnceLock::new();
    let folder = DEMO.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        demo::ensure(&folder.path().join("demo"), &Recipe::new(Sizes::SMALL, 5)).expect("writes the demo");
        folder
    });
    Box::leak(folder.path().join("demo").into_boxed_path())
}

/// A copy of the small demo that a test may change.
pub fn demo_copy() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    copy(demo_folder(), folder.path());
    folder
}

/// Copies a folder with all that is in it.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("makes a folder");
    for entry in fs::read_dir(from).expect("reads a folder").map(|entry| entry.expect("reads a folder")) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("copies a file");
        }
    }
}

/// A server that has nothing loaded, with further settings by flag.
pub async fn start_with(settings: &[(&str, &str)]) -> Server {
    let flag = |name: &str| {
        let given = settings.iter().find(|(flag, _)| *flag == name).map(|(_, value)| (*value).to_owned());
        let default = match name {
            "listen" | "admin" => Some("127.0.0.1:0".to_owned()),
            "demo" => Some("true".to_owned()),
            "progress" => Some("never".to_owned()),
            _ => None,
        };
        given.or(default)
    };
    let config = Config::read(&flag, &|_| None, None).expect("settings");
    Server::start(&config).await.expect("starts")
}

/// A server of a repository.
pub async fn serve(folder: &Path, settings: &[(&str, &str)]) -> Server {
    let server = start_with(settings).await;
    server.load(&Repository::Folder(PathBuf::from(folder))).await.unwrap_or_else(|error| panic!("{error}"));
    server
}

/// A server of the small demo.
pub async fn serve_demo() -> Server {
    serve(demo_folder(), &[]).await
}

/// Connects.
pub async fn connect(server: &Server) -> Client {
    let channel = Channel::from_shared(format!("http://{}", server.listen)).expect("an address");
    FeatureServiceClient::new(channel.connect().await.expect("connects"))
}

/// A named column.
pub fn column(name: &str, values: Values) -> Column {
    Column { name: name.to_owned(), values: Some(values), ..Column::default() }
}

pub fn int64s(name: &str, values: &[i64]) -> Column {
    column(name, Values::Int64s(Int64Values { values: values.to_vec() }))
}

pub fn doubles(name: &str, values: &[f64]) -> Column {
    column(name, Values::Doubles(DoubleValues { values: values.to_vec() }))
}

pub fn strings(name: &str, values: &[&str]) -> Column {
    let values = values.iter().map(|&value| value.to_owned()).collect();
    column(name, Values::Strings(StringValues { values }))
}

pub fn dictionary(name: &str, distinct: &[&str], indices: &[u32]) -> Column {
    let dictionary = distinct.iter().map(|&value| value.to_owned()).collect();
    column(name, Values::Dictionary(DictionaryValues { dictionary, indices: indices.to_vec() }))
}

/// One user with three ads: one in the table, one that is not, one more without a bid.
pub fn request(status: StatusDetail) -> GetFeaturesRequest {
    let bids = Column { nulls: vec![2], ..doubles("bid", &[1.5, 0.25, 0.0]) };
    GetFeaturesRequest {
        feature_set: "ads_small".to_owned(),
        columns: vec![
            int64s("user_id", &[demo_user()]),
            strings("ad_id", &["ad-000000", "no such ad", "ad-000001"]),
            bids,
        ],
        options: Some(Options { status: status.into(), ..Options::default() }),
        ..GetFeaturesRequest::default()
    }
}

/// A user of the demo.
pub fn demo_user() -> i64 {
    let mut traffic = demo::traffic::Traffic::new(Sizes::SMALL, 1);
    traffic.request(1).user_id
}
