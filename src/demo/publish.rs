//! Puts features together to feature sets, and writes their specs and golden rows.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::{Map, Value, json};

use super::{
    FEATURE_SETS, GenerateError, Recipe,
    features::{DemoFeature, Fitter},
    golden,
    impression::Impression,
    traffic::{DemoRequest, Traffic},
    world::World,
};

/// Candidates of the requests that specs are fitted on.
const FITTED_CANDIDATES: usize = 10;

/// Every input with its type and scope.
const INPUTS: [(&str, &str, &str, bool); 6] = [
    ("user_id", "int64", "request", true),
    ("placement", "string", "request", true),
    ("hour", "int64", "request", false),
    ("query", "list<string>", "request", false),
    ("ad_id", "string", "row", true),
    ("bid", "float64", "row", false),
];

/// For each key column of a table what holds it.
type Key = &'static [(&'static str, &'static str)];

/// Every lookup with its table and the parts of its key; a lookup stands after those that its key needs.
const LOOKUPS: [(&str, &str, Key); 6] = [
    ("user", "users", &[("user_id", "user_id")]),
    ("recent_ad", "ads", &[("ad_id", "user.recent_ads")]),
    ("context", "contexts", &[("placement", "placement")]),
    ("ad", "ads", &[("ad_id", "ad_id")]),
    ("advertiser", "advertisers", &[("advertiser_id", "ad.advertiser_id")]),
    ("taste", "user_category", &[("user_id", "user_id"), ("category", "ad.category")]),
];

/// The features of one feature set.
pub struct Composition {
    pub dense: Vec<DemoFeature>,
    pub ids: Vec<DemoFeature>,
}

/// Fits and writes version 1 of every feature set.
pub fn write(world: &World, recipe: &Recipe, feature_sets: &Path) -> Result<(), GenerateError> {
    let mut traffic = Traffic::new(recipe.sizes, recipe.seed);
    let requests: Vec<DemoRequest> =
        (0..recipe.sizes.fitted_requests).map(|_| traffic.request(FITTED_CANDIDATES)).collect();
    let impressions: Vec<Impression<'_>> =
        requests.iter().flat_map(|request| Impression::of_request(world, request)).collect();
    let fitter = Fitter { impressions: &impressions };
    for (name, width) in FEATURE_SETS {
        let composition = compose(&fitter, name, width)?;
        let spec = spec(name, &composition);
        let golden = golden::of(world, recipe, &spec, &composition);
        let folder = feature_sets.join(name).join("1");
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("spec.json"), serde_json::to_string_pretty(&spec)? + "\n")?;
        fs::write(folder.join("golden.json"), serde_json::to_string(&golden)? + "\n")?;
    }
    Ok(())
}

/// Chooses a feature set's features; the hashed query fills what is left of the width.
fn compose(fitter: &Fitter<'_>, name: &'static str, width: usize) -> Result<Composition, GenerateError> {
    let [user_vector, ad_vector] = fitter.unit_vectors();
    let mut dense = vec![ad_vector];
    dense.extend(fitter.ad());
    dense.extend(fitter.match_of_both());
    let mut ids = Vec::new();
    if name != "ads_small" {
        dense.push(user_vector);
        dense.extend(fitter.user());
        dense.extend(fitter.user_rate());
        dense.extend(fitter.context());
        dense.push(fitter.recent_categories());
        ids = fitter.identifiers();
    }
    if name == "ads_large" {
        dense.extend(fitter.user_age_bins());
        dense.push(fitter.hour());
        dense.push(fitter.product());
        dense.extend(fitter.recent_ads());
    }
    let of_features = dense.iter().map(|feature| feature.width).sum();
    if of_features >= width {
        return Err(GenerateError::TooWide { feature_set: name, width, of_features });
    }
    dense.push(fitter.query(width - of_features));
    Ok(Composition { dense, ids })
}

fn spec(name: &str, composition: &Composition) -> Value {
    let features: Vec<&Value> =
        composition.dense.iter().chain(&composition.ids).map(|feature| &feature.document).collect();
    let (inputs, lookups) = used(&features);
    let mut outputs = vec![output("dense", "float32", &composition.dense)];
    if !composition.ids.is_empty() {
        outputs.push(output("ids", "int64", &composition.ids));
    }
    json!({
        "format": "quiver.spec/1", "name": name, "version": 1,
        "producer": {"library": "quiver demo", "version": env!("CARGO_PKG_VERSION"), "exporter": "quiver demo"},
        "inputs": inputs, "lookups": lookups, "features": features, "outputs": outputs,
    })
}

fn output(name: &str, dtype: &str, features: &[DemoFeature]) -> Value {
    let served = features.iter().filter(|feature| feature.width > 0);
    json!({"name": name, "dtype": dtype, "features": served.map(|feature| feature.name.as_str()).collect::<Vec<_>>()})
}

/// The inputs and lookups that features read, and those that the keys of these lookups need.
fn used(features: &[&Value]) -> (Vec<Value>, Vec<Value>) {
    let several = |feature: &Value| feature["inputs"].as_array().cloned().unwrap_or_default();
    let references =
        features.iter().flat_map(|feature| [vec![feature["input"].clone()], several(feature)].concat());
    let mut needed: Vec<String> =
        references.filter_map(|reference| Some(reference.as_str()?.to_owned())).collect();
    let is_needed = |needed: &[String], name: &str| {
        needed.iter().any(|reference| reference.split('.').next() == Some(name))
    };
    let mut lookups = Vec::new();
    for (name, table, key) in LOOKUPS.iter().rev() {
        if is_needed(&needed, name) {
            needed.extend(key.iter().map(|(_, part)| (*part).to_owned()));
            let key = if let [(_, part)] = key { json!(part) } else { named(key) };
            lookups.push(json!({"name": name, "table": table, "key": key}));
        }
    }
    lookups.reverse();
    let inputs = INPUTS.iter().filter(|(name, ..)| is_needed(&needed, name));
    (inputs.map(|&(name, dtype, scope, required)| input(name, dtype, scope, required)).collect(), lookups)
}

/// What holds each key column, by the column's name.
fn named(key: &[(&str, &str)]) -> Value {
    object(key.iter().map(|&(column, part)| (column.to_owned(), json!(part))))
}

fn input(name: &str, dtype: &str, scope: &str, required: bool) -> Value {
    let mut document = json!({"name": name, "dtype": dtype, "scope": scope, "required": required});
    if dtype == "float64" {
        document["nan"] = json!("null");
    }
    document
}

/// A request's inputs as golden rows write them, by name.
pub fn input_values(request: &DemoRequest) -> BTreeMap<&'static str, Value> {
    BTreeMap::from([
        ("user_id", json!([request.user_id])),
        ("placement", json!([request.placement])),
        ("hour", json!([request.hour])),
        ("query", json!([request.query])),
        ("ad_id", json!(request.ad_ids)),
        ("bid", json!(request.bids)),
    ])
}

/// The names of a spec's inputs.
pub fn input_names(spec: &Value) -> impl Iterator<Item = &str> {
    spec["inputs"].as_array().into_iter().flatten().filter_map(|input| input["name"].as_str())
}

/// The names of the tables that a spec looks up.
pub fn table_names(spec: &Value) -> Vec<&str> {
    let lookups = spec["lookups"].as_array().into_iter().flatten();
    lookups.filter_map(|lookup| lookup["table"].as_str()).collect()
}

/// An object from pairs.
pub fn object(pairs: impl IntoIterator<Item = (String, Value)>) -> Value {
    Value::Object(pairs.into_iter().collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::Sizes;

    #[test]
    fn feature_sets_have_their_widths_and_golden_rows_the_same() {
        let recipe = Recipe::new(Sizes::SMALL, 9);
        let world = World::generate(&recipe.sizes, recipe.seed);
        let folder = tempfile::tempdir().expect("a temporary folder");
        write(&world, &recipe, folder.path()).expect("writes");
        for (name, width) in FEATURE_SETS {
            let read = |file: &str| -> Value {
                let text =
                    fs::read_to_string(folder.path().join(name).join("1").join(file)).expect("written");
                serde_json::from_str(&text).expect("JSON")
            };
            let cases = read("golden.json");
            let rows = cases["cases"]
                .as_array()
                .expect("cases")
                .iter()
                .map(|case| &case["outputs"]["dense"]["rows"]);
            for row in rows.flat_map(|rows| rows.as_array().expect("rows")) {
                assert_eq!(row.as_array().map(Vec::len), Some(width), "{name}");
                assert!(
                    row.as_array().is_some_and(|lanes| lanes.iter().all(Value::is_number)),
                    "{name}: {row}"
                );
            }
            assert_eq!(read("spec.json")["name"], name);
        }
    }
}
