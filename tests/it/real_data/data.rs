//! The data as it lies in its files.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::Read as _,
    path::Path,
};

/// One shown item.
pub struct Impression {
    pub item: i64,
    pub position: i64,
    pub propensity: f64,
    /// The user's affinity to the item; none where the log has 0, which is nearly everywhere.
    pub affinity: Option<f64>,
    /// The first of the user's hashed features.
    pub group: String,
}

/// One item of the context file.
pub struct Item {
    pub number: f64,
    pub categories: [String; 3],
}

/// Everything that the test uses.
pub struct Real {
    pub impressions: Vec<Impression>,
    pub items: HashMap<i64, Item>,
    /// Trained vectors by row number.
    pub users: Vec<Vec<f32>>,
    pub movies: Vec<Vec<f32>>,
}

impl Real {
    pub fn read(folder: &Path) -> Self {
        let bandit = folder.join("open_bandit/random_men");
        let embeddings = folder.join("embeddings");
        Self {
            impressions: impressions(&bandit.join("men.csv.gz")),
            items: items(&bandit.join("item_context.csv")),
            users: vectors(&embeddings.join("ml1m_user_emb_6040x32_f32.npy"), 32),
            movies: vectors(&embeddings.join("ml1m_item_emb_3706x32_f32.npy"), 32),
        }
    }
}

/// The lines of a CSV file as maps from the header's names; the first header cell is empty.
fn records(text: &str) -> impl Iterator<Item = HashMap<&str, &str>> {
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().expect("a header").split(',').collect();
    lines.map(move |line| header.iter().copied().zip(line.split(',')).collect())
}

fn impressions(file: &Path) -> Vec<Impression> {
    let mut text = String::new();
    flate2::read::GzDecoder::new(File::open(file).expect("opens")).read_to_string(&mut text).expect("reads");
    let impression = |record: HashMap<&str, &str>| {
        let item = record["item_id"];
        let affinity: f64 = record[format!("user-item_affinity_{item}").as_str()].parse().expect("a number");
        Impression {
            item: item.parse().expect("a number"),
            position: record["position"].parse().expect("a number"),
            propensity: record["propensity_score"].parse().expect("a number"),
            affinity: (affinity != 0.0).then_some(affinity),
            group: record["user_feature_0"].to_owned(),
        }
    };
    records(&text).map(impression).collect()
}

fn items(file: &Path) -> HashMap<i64, Item> {
    let text = fs::read_to_string(file).expect("reads");
    let item = |record: HashMap<&str, &str>| {
        let category = |number: usize| record[format!("item_feature_{number}").as_str()].to_owned();
        let number = record["item_feature_0"].parse().expect("a number");
        let id = record["item_id"].parse().expect("a number");
        (id, Item { number, categories: [category(1), category(2), category(3)] })
    };
    records(&text).map(item).collect()
}

/// A numpy file of float32 rows.
pub fn vectors(file: &Path, width: usize) -> Vec<Vec<f32>> {
    let bytes = fs::read(file).expect("reads");
    let header = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let floats =
        bytes[10 + header..].chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().expect("4")));
    floats.collect::<Vec<f32>>().chunks_exact(width).map(<[f32]>::to_vec).collect()
}
