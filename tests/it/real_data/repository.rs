//! The repository of the real data: tables, a spec fitted here, and the same features in plain code.

use std::{fs, fs::File, path::Path, sync::Arc};

use arrow_array::{
    ArrayRef, FixedSizeListArray, Float64Array, Int64Array, RecordBatch, StringArray, types::Float32Type,
};
use parquet::arrow::ArrowWriter;
use quiver::proto::Status;
use serde_json::{Value, json};

use super::{
    Expected, by_frequency,
    data::{Impression, Real},
};

/// Items whose vector is left out, as for new ones.
const COLD: i64 = 30;

/// What is fitted on the data.
pub struct Fitted {
    mean: f64,
    deviation: f64,
    edges: Vec<f64>,
    categories: Vec<String>,
    groups: Vec<String>,
    least: f64,
    scale: f64,
    fill: f64,
}

impl Fitted {
    fn fit(real: &Real) -> Self {
        let mut numbers: Vec<f64> = real.items.values().map(|item| item.number).collect();
        numbers.sort_by(f64::total_cmp);
        let mean = numbers.iter().sum::<f64>() / numbers.len() as f64;
        let variance = numbers.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / numbers.len() as f64;
        let mut edges: Vec<f64> =
            [1, 2, 3].iter().map(|quarter| numbers[numbers.len() * quarter / 4]).collect();
        edges.dedup();
        let propensities = real.impressions.iter().map(|impression| impression.propensity);
        let (least, most) =
            propensities.fold((f64::MAX, f64::MIN), |(least, most), x| (least.min(x), most.max(x)));
        let affinities: Vec<f64> =
            real.impressions.iter().filter_map(|impression| impression.affinity).collect();
        let mut groups = by_frequency(real.impressions.iter().map(|impression| impression.group.as_str()));
        // The rarest group stays out of the vocabulary.
        groups.pop();
        Self {
            mean,
            deviation: variance.sqrt(),
            edges,
            categories: by_frequency(real.items.values().map(|item| item.categories[0].as_str())),
            groups,
            least,
            scale: if most > least { 1.0 / (most - least) } else { 1.0 },
            fill: affinities.iter().sum::<f64>() / affinities.len().max(1) as f64,
        }
    }

    /// Columns of the output.
    pub fn width(&self) -> usize {
        2 + self.categories.len() + 1 + 3 + 1 + 2 + 32 + 1
    }

    fn spec(&self) -> Value {
        let input = |name: &str, dtype: &str, scope: &str| json!({"name": name, "dtype": dtype, "scope": scope, "required": true});
        let float = |name: &str| json!({"name": name, "dtype": "float64", "scope": "row", "required": false, "nan": "null"});
        let (mean, deviation) = (self.mean, self.deviation);
        json!({
            "format": "quiver.spec/1", "name": "open_bandit", "version": 1,
            "inputs": [
                input("user_id", "int64", "request"), input("item_id", "int64", "row"), input("position", "int64", "row"),
                float("propensity"), float("affinity"), input("group", "string", "row"),
            ],
            "lookups": [
                {"name": "item", "table": "items", "key": "item_id"},
                {"name": "user", "table": "users", "key": "user_id"},
            ],
            "features": [
                {"name": "number", "input": "item.number", "default": 0, "steps": [
                    {"op": "standardize", "mean": mean, "scale": deviation, "form": "divide", "precision": "float64"}]},
                {"name": "number_bin", "input": "item.number", "default": -1, "steps": [
                    {"op": "bucketize", "edges": self.edges, "side": "left", "nan": "null", "outside": "present"}]},
                {"name": "category", "input": "item.category_0", "steps": [
                    {"op": "one_hot", "categories": self.categories, "infrequent": [], "drop": "none",
                     "unknown": "zeros", "null": "zeros"}]},
                {"name": "group", "input": "group", "default": 0, "steps": [
                    {"op": "ordinal", "categories": self.groups, "offset": 1, "unknown": {"value": 0}, "null": "null"}]},
                {"name": "position", "input": "position", "steps": [
                    {"op": "one_hot", "categories": [1, 2, 3], "infrequent": [], "drop": "none",
                     "unknown": "zeros", "null": "zeros"}]},
                {"name": "propensity", "input": "propensity", "default": 0, "steps": [
                    {"op": "min_max", "scale": self.scale, "min": -self.least * self.scale, "clip": "none", "form": "multiply_add", "precision": "float64"}]},
                {"name": "affinity", "input": "affinity", "steps": [
                    {"op": "impute", "value": self.fill, "nan": "impute"}, {"op": "log1p", "undefined": "ieee"}]},
                {"name": "affinity_missing", "input": "affinity", "steps": [{"op": "missing_indicator", "nan": "missing"}]},
                {"name": "vector", "input": "item.vector", "default": 0, "steps": [{"op": "normalize", "norm": "max"}]},
                {"name": "match", "inputs": ["user.vector", "item.vector"], "default": 0, "steps": [
                    {"op": "cosine", "zero_norm": "zero"}]},
            ],
            "outputs": [{"name": "dense", "dtype": "float32", "features": [
                "number", "number_bin", "category", "group", "position", "propensity", "affinity", "affinity_missing",
                "vector", "match"]}],
        })
    }

    /// Every feature of an impression by plain code.
    pub fn features(&self, real: &Real, user: i64, impression: &Impression) -> Vec<Expected> {
        let item = &real.items[&impression.item];
        let exact = |name, lanes| Expected { name, lanes, ulps: 0, status: Status::Present };
        let hot = |count: usize, at: Option<usize>| -> Vec<f64> {
            (0..count).map(|lane| f64::from(u8::from(Some(lane) == at))).collect()
        };
        let category = self.categories.iter().position(|known| *known == item.categories[0]);
        let group = self.groups.iter().position(|known| *known == impression.group);
        let missing = impression.affinity.is_none();
        let missing_status = if missing { Status::Null } else { Status::Present };
        let vector = (impression.item < COLD).then(|| wide(&real.movies[impression.item as usize]));
        let user_vector = real.users.get(user as usize).map(|vector| wide(vector));
        let bin = self.edges.iter().filter(|&&edge| edge <= item.number).count();
        let cold = if vector.is_none() { Status::Null } else { Status::Present };
        vec![
            exact("number", vec![(item.number - self.mean) / self.deviation]),
            exact("number_bin", vec![bin as f64]),
            exact("category", hot(self.categories.len(), category)),
            Expected {
                status: if group.is_none() { Status::UnknownCategory } else { Status::Present },
                ..exact("group", vec![group.map_or(0.0, |at| (at + 1) as f64)])
            },
            exact("position", hot(3, Some(impression.position as usize - 1))),
            exact("propensity", vec![impression.propensity * self.scale + -self.least * self.scale]),
            Expected {
                status: missing_status,
                ulps: 1,
                ..exact("affinity", vec![impression.affinity.unwrap_or(self.fill).ln_1p()])
            },
            Expected {
                status: missing_status,
                ..exact("affinity_missing", vec![f64::from(u8::from(missing))])
            },
            Expected {
                status: cold,
                ..exact("vector", vector.as_deref().map_or(vec![0.0; 32], by_greatest))
            },
            Expected {
                status: if user_vector.is_none() { Status::KeyNotFound } else { cold },
                ulps: 4,
                ..exact("match", vec![cosine(user_vector.as_deref(), vector.as_deref())])
            },
        ]
    }
}

fn wide(vector: &[f32]) -> Vec<f64> {
    vector.iter().map(|&lane| f64::from(lane)).collect()
}

fn by_greatest(vector: &[f64]) -> Vec<f64> {
    let most = vector.iter().map(|lane| lane.abs()).fold(0.0, f64::max);
    vector.iter().map(|lane| if most == 0.0 { *lane } else { lane / most }).collect()
}

fn cosine(one: Option<&[f64]>, other: Option<&[f64]>) -> f64 {
    let (Some(one), Some(other)) = (one, other) else { return 0.0 };
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    dot(one, other) / (dot(one, one).sqrt() * dot(other, other).sqrt())
}

/// Writes tables and spec, and gives what was fitted.
pub fn write(real: &Real, repository: &Path) -> Fitted {
    let fitted = Fitted::fit(real);
    let version = repository.join("feature_sets/open_bandit/1");
    fs::create_dir_all(&version).expect("makes a folder");
    fs::write(version.join("spec.json"), fitted.spec().to_string()).expect("writes");
    let mut ids: Vec<i64> = real.items.keys().copied().collect();
    ids.sort_unstable();
    let category = |number: usize| -> ArrayRef {
        Arc::new(
            ids.iter().map(|id| Some(real.items[id].categories[number].as_str())).collect::<StringArray>(),
        )
    };
    let items: Vec<(&str, ArrayRef)> = vec![
        ("item_id", Arc::new(Int64Array::from(ids.clone()))),
        ("number", Arc::new(ids.iter().map(|id| Some(real.items[id].number)).collect::<Float64Array>())),
        ("category_0", category(0)),
        (
            "vector",
            vector_array(ids.iter().map(|&id| (id < COLD).then(|| real.movies[id as usize].as_slice()))),
        ),
    ];
    let columns = json!([
        {"name": "number", "dtype": "float64", "shape": "scalar", "nan": "null"},
        {"name": "category_0", "dtype": "string", "shape": "scalar"},
        {"name": "vector", "dtype": "float32", "shape": {"vector": 32}, "nan": "value"},
    ]);
    write_table(repository, "items", "item_id", columns, items);
    let users: Vec<(&str, ArrayRef)> = vec![
        ("user_id", Arc::new((0..real.users.len() as i64).map(Some).collect::<Int64Array>())),
        ("vector", vector_array(real.users.iter().map(|vector| Some(vector.as_slice())))),
    ];
    let columns = json!([{"name": "vector", "dtype": "float32", "shape": {"vector": 32}, "nan": "value"}]);
    write_table(repository, "users", "user_id", columns, users);
    fitted
}

fn vector_array<'a>(vectors: impl Iterator<Item = Option<&'a [f32]>>) -> ArrayRef {
    let vectors =
        vectors.map(|vector| vector.map(|lanes| lanes.iter().map(|&lane| Some(lane)).collect::<Vec<_>>()));
    Arc::new(FixedSizeListArray::from_iter_primitive::<Float32Type, _, _>(vectors, 32))
}

fn write_table(repository: &Path, name: &str, key: &str, columns: Value, arrays: Vec<(&str, ArrayRef)>) {
    let folder = repository.join("tables").join(name).join("1");
    fs::create_dir_all(&folder).expect("makes a folder");
    let described = json!({"format": "quiver.table/1", "name": name, "version": 1,
        "key": [{"name": key, "dtype": "int64"}], "columns": columns});
    fs::write(folder.join("table.json"), described.to_string()).expect("writes");
    let rows = RecordBatch::try_from_iter(arrays).expect("columns of one length");
    let file = File::create(folder.join("rows.parquet")).expect("creates");
    let mut writer = ArrowWriter::try_new(file, rows.schema(), None).expect("a writer");
    writer.write(&rows).expect("writes");
    writer.close().expect("ends");
}
