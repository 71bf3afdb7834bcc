//! The repository that changes: every value says which version and row it is of.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow_array::{ArrayRef, FixedSizeListArray, Float32Array, Float64Array, Int64Array, RecordBatch};
use arrow_schema::{DataType, Field};
use parquet::{arrow::ArrowWriter, basic::Compression, file::properties::WriterProperties};
use serde_json::json;
use tempfile::TempDir;

/// Lanes of a vector.
pub const WIDTH: usize = 64;

/// Users, whose rows are written while they are read.
pub const USERS: usize = 1000;

/// Tables of this many contents take turns as versions.
const STAMPS: usize = 3;

/// Rows of one batch of a file.
const BATCH: usize = 1 << 16;

/// A repository in a temporary folder beside the contents that become its tables' versions.
pub struct World {
    folder: TempDir,
    rows: usize,
    table_version: u32,
    spec_version: u32,
}

/// Lane `lane` of an item's vector in the table of stamp `stamp`.
pub fn item_lane(stamp: usize, row: usize, lane: usize) -> f32 {
    (row % 4096) as f32 + stamp as f32 * 0.25 + lane as f32 * 4096.0
}

impl World {
    /// Writes the contents of all stamps, of `rows` rows each, and the first versions.
    pub fn write(rows: usize) -> Self {
        let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/quiver-bench");
        fs::create_dir_all(&place).expect("makes a folder");
        let folder = tempfile::Builder::new().prefix("soak").tempdir_in(place).expect("makes a folder");
        let mut world = Self { folder, rows, table_version: 0, spec_version: 0 };
        (0..STAMPS).for_each(|stamp| world.write_items(stamp));
        world.write_users();
        world.next_table();
        world.next_spec();
        world
    }

    /// The repository's folder.
    pub fn folder(&self) -> PathBuf {
        self.folder.path().join("repository")
    }

    /// Rows of the items' table.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Publishes another version of the items' table, and gives its number.
    pub fn next_table(&mut self) -> u32 {
        self.table_version += 1;
        let stamp = self.table_version as usize % STAMPS;
        let aside = self.aside();
        fs::hard_link(self.items(stamp), aside.join("items.parquet")).expect("links");
        write_json(
            &aside.join("table.json"),
            &json!({
                "format": "quiver.table/1", "name": "items", "version": self.table_version,
                "key": [{"name": "id", "dtype": "int64"}],
                "columns": [scalar("stamp"), vector()],
            }),
        );
        self.publish(&aside, "tables/items", self.table_version);
        self.table_version
    }

    /// Publishes another version of the feature set, and gives its number.
    pub fn next_spec(&mut self) -> u32 {
        self.spec_version += 1;
        let constant = json!({"op": "constant", "value": f64::from(self.spec_version), "dtype": "float64"});
        let aside = self.aside();
        write_json(
            &aside.join("spec.json"),
            &json!({
                "format": "quiver.spec/1", "name": "soak", "version": self.spec_version,
                "inputs": [
                    {"name": "user", "dtype": "int64", "scope": "request", "required": true},
                    {"name": "item", "dtype": "int64", "scope": "row", "required": true}],
                "lookups": [
                    {"name": "user", "table": "users", "key": "user"},
                    {"name": "item", "table": "items", "key": "item"}],
                "features": [
                    {"name": "version", "input": "item", "steps": [constant]},
                    {"name": "stamp", "input": "item.stamp", "default": -1},
                    {"name": "item", "input": "item.vector", "default": -1},
                    {"name": "counter", "input": "user.counter", "default": -1},
                    {"name": "user", "input": "user.vector", "default": -1}],
                "outputs": [{"name": "dense", "dtype": "float32",
                    "features": ["version", "stamp", "item", "counter", "user"]}],
            }),
        );
        self.publish(&aside, "feature_sets/soak", self.spec_version);
        self.spec_version
    }

    fn items(&self, stamp: usize) -> PathBuf {
        self.folder.path().join(format!("items-{stamp}.parquet"))
    }

    fn write_items(&self, stamp: usize) {
        let batches = (0..self.rows).step_by(BATCH).map(|first| {
            let rows = first..(first + BATCH).min(self.rows);
            let lanes = rows.clone().flat_map(|row| (0..WIDTH).map(move |lane| item_lane(stamp, row, lane)));
            let stamps = std::iter::repeat_n(stamp as f64, rows.len());
            batch(rows.map(|row| row as i64), ("stamp", stamps.collect()), lanes.collect())
        });
        write_parquet(&self.items(stamp), batches);
    }

    fn write_users(&self) {
        let aside = self.aside();
        let zeros = vec![0.0; USERS * WIDTH];
        let users = batch(0..USERS as i64, ("counter", vec![0.0; USERS]), zeros);
        write_parquet(&aside.join("users.parquet"), std::iter::once(users));
        write_json(
            &aside.join("table.json"),
            &json!({
                "format": "quiver.table/1", "name": "users", "version": 1, "live": true,
                "key": [{"name": "id", "dtype": "int64"}],
                "columns": [scalar("counter"), vector()],
            }),
        );
        self.publish(&aside, "tables/users", 1);
    }

    /// An empty folder that is no version yet.
    fn aside(&self) -> PathBuf {
        let aside = self.folder.path().join("aside");
        fs::create_dir_all(&aside).expect("makes a folder");
        aside
    }

    /// Makes a folder the version `version` of `of`, and removes the version that is two before it.
    fn publish(&self, aside: &Path, of: &str, version: u32) {
        let versions = self.folder().join(of);
        fs::create_dir_all(&versions).expect("makes a folder");
        fs::rename(aside, versions.join(version.to_string())).expect("renames");
        if let Some(old) = version.checked_sub(3).filter(|old| *old > 0) {
            fs::remove_dir_all(versions.join(old.to_string())).expect("removes an old version");
        }
    }
}

fn scalar(name: &str) -> serde_json::Value {
    json!({"name": name, "dtype": "float64", "shape": "scalar", "nan": "value"})
}

fn vector() -> serde_json::Value {
    json!({"name": "vector", "dtype": "float32", "shape": {"vector": WIDTH}, "nan": "value"})
}

fn batch(ids: impl Iterator<Item = i64>, (name, scalars): (&str, Vec<f64>), lanes: Vec<f32>) -> RecordBatch {
    let lane = Arc::new(Field::new("item", DataType::Float32, false));
    let vectors = FixedSizeListArray::new(lane, WIDTH as i32, Arc::new(Float32Array::from(lanes)), None);
    let columns: [(&str, ArrayRef); 3] = [
        ("id", Arc::new(Int64Array::from_iter_values(ids))),
        (name, Arc::new(Float64Array::from(scalars))),
        ("vector", Arc::new(vectors)),
    ];
    RecordBatch::try_from_iter(columns).expect("columns of one length")
}

fn write_parquet(path: &Path, mut batches: impl Iterator<Item = RecordBatch>) {
    let first = batches.next().expect("a table has rows");
    let file = fs::File::create(path).expect("writes");
    let properties = WriterProperties::builder()
        .set_compression(Compression::UNCOMPRESSED)
        .set_dictionary_enabled(false)
        .set_max_row_group_row_count(Some(1 << 19))
        .build();
    let mut writer = ArrowWriter::try_new(file, first.schema(), Some(properties)).expect("a writer");
    std::iter::once(first).chain(batches).for_each(|batch| writer.write(&batch).expect("writes"));
    writer.close().expect("ends");
}

fn write_json(path: &Path, document: &serde_json::Value) {
    fs::write(path, document.to_string()).expect("writes");
}
