//! Writes the world's tables: `table.json` and the files of rows beside it.

use std::{fs, fs::File, path::Path, sync::Arc};

use arrow_array::{
    ArrayRef, FixedSizeListArray, Float64Array, Int64Array, ListArray, RecordBatch, StringArray,
    builder::StringBuilder, types::Float32Type,
};
use parquet::{arrow::ArrowWriter, basic::Compression, file::properties::WriterProperties};
use serde_json::{Value, json};

use super::{
    GenerateError,
    world::{Ad, Advertiser, EMBEDDING, Embedding, Placement, Taste, User, World},
};

/// Writes all tables below `tables`, each as version 1.
pub fn write(world: &World, tables: &Path) -> Result<(), GenerateError> {
    let halves = world.users.split_at(world.users.len() / 2);
    let users = [users(halves.0)?, users(halves.1)?];
    Table { name: "users", key: key("user_id", "int64"), columns: user_columns() }.parquet(tables, &users)?;
    Table { name: "ads", key: key("ad_id", "string"), columns: ad_columns() }
        .parquet(tables, &[ads(&world.ads)?])?;
    Table { name: "advertisers", key: key("advertiser_id", "int64"), columns: advertiser_columns() }
        .parquet(tables, &[advertisers(&world.advertisers)?])?;
    let taste_key = json!([{"name": "user_id", "dtype": "int64"}, {"name": "category", "dtype": "string"}]);
    Table { name: "user_category", key: taste_key, columns: taste_columns() }
        .arrow(tables, &tastes(&world.users)?)?;
    Table { name: "contexts", key: key("placement", "string"), columns: placement_columns() }
        .arrow(tables, &placements(&world.placements)?)
}

/// What `table.json` says.
struct Table {
    name: &'static str,
    key: Value,
    columns: Value,
}

impl Table {
    fn folder(&self, tables: &Path) -> Result<std::path::PathBuf, GenerateError> {
        let folder = tables.join(self.name).join("1");
        fs::create_dir_all(&folder)?;
        let schema = json!({
            "format": "quiver.table/1", "name": self.name, "version": 1, "key": self.key, "columns": self.columns,
        });
        fs::write(folder.join("table.json"), format!("{schema:#}\n"))?;
        Ok(folder)
    }

    fn parquet(&self, tables: &Path, files: &[RecordBatch]) -> Result<(), GenerateError> {
        let folder = self.folder(tables)?;
        for (position, rows) in files.iter().enumerate() {
            let file = File::create(folder.join(format!("part-{position}.parquet")))?;
            let properties = WriterProperties::builder()
                .set_compression(Compression::SNAPPY)
                .set_max_row_group_row_count(Some(50_000))
                .set_column_dictionary_enabled("embedding.list.element".into(), false)
                .build();
            let mut writer = ArrowWriter::try_new(file, rows.schema(), Some(properties))?;
            writer.write(rows)?;
            writer.close()?;
        }
        Ok(())
    }

    fn arrow(&self, tables: &Path, rows: &RecordBatch) -> Result<(), GenerateError> {
        let file = File::create(self.folder(tables)?.join("part-0.arrow"))?;
        let mut writer = arrow_ipc::writer::FileWriter::try_new_buffered(file, &rows.schema())?;
        writer.write(rows)?;
        Ok(writer.finish()?)
    }
}

fn key(name: &str, dtype: &str) -> Value {
    json!([{"name": name, "dtype": dtype}])
}

fn scalar(name: &str, dtype: &str) -> Value {
    json!({"name": name, "dtype": dtype, "shape": "scalar"})
}

fn float(name: &str) -> Value {
    json!({"name": name, "dtype": "float64", "shape": "scalar", "nan": "null"})
}

fn list(name: &str) -> Value {
    json!({"name": name, "dtype": "string", "shape": "list"})
}

fn embedding() -> Value {
    json!({"name": "embedding", "dtype": "float32", "shape": {"vector": EMBEDDING}, "nan": "value"})
}

fn user_columns() -> Value {
    json!([
        float("age"),
        float("tenure_days"),
        float("spend_30d"),
        scalar("clicks_30d", "int64"),
        scalar("impressions_30d", "int64"),
        scalar("country", "string"),
        scalar("device", "string"),
        list("recent_categories"),
        list("recent_ads"),
        embedding(),
    ])
}

fn users(users: &[User]) -> Result<RecordBatch, GenerateError> {
    let recent_ads = users.iter().map(|user| Some(user.recent_ads.iter().map(String::as_str)));
    let recent_categories =
        users.iter().map(|user| user.recent_categories.as_ref().map(|list| list.iter().copied()));
    batch([
        ("user_id", integers(users, |user| user.id)),
        ("age", floats(users, |user| user.age)),
        ("tenure_days", floats(users, |user| Some(user.tenure_days))),
        ("spend_30d", floats(users, |user| user.spend_30d)),
        ("clicks_30d", integers(users, |user| user.clicks_30d)),
        ("impressions_30d", integers(users, |user| user.impressions_30d)),
        ("country", strings(users, |user| user.country)),
        ("device", strings(users, |user| Some(user.device))),
        ("recent_categories", lists(recent_categories)),
        ("recent_ads", lists(recent_ads)),
        ("embedding", embeddings(users.iter().map(|user| user.embedding.as_ref()))),
    ])
}

fn ad_columns() -> Value {
    json!([
        scalar("advertiser_id", "int64"),
        scalar("category", "string"),
        scalar("format", "string"),
        float("price"),
        float("ctr_7d"),
        float("age_days"),
        embedding(),
    ])
}

fn ads(ads: &[Ad]) -> Result<RecordBatch, GenerateError> {
    batch([
        ("ad_id", strings(ads, |ad| Some(&ad.id))),
        ("advertiser_id", integers(ads, |ad| ad.advertiser_id)),
        ("category", strings(ads, |ad| ad.category)),
        ("format", strings(ads, |ad| Some(ad.format))),
        ("price", floats(ads, |ad| ad.price)),
        ("ctr_7d", floats(ads, |ad| ad.ctr_7d)),
        ("age_days", floats(ads, |ad| Some(ad.age_days))),
        ("embedding", embeddings(ads.iter().map(|ad| ad.embedding.as_ref()))),
    ])
}

fn advertiser_columns() -> Value {
    json!([float("budget"), float("quality")])
}

fn advertisers(advertisers: &[Advertiser]) -> Result<RecordBatch, GenerateError> {
    batch([
        ("advertiser_id", integers(advertisers, |advertiser| advertiser.id)),
        ("budget", floats(advertisers, |advertiser| advertiser.budget)),
        ("quality", floats(advertisers, |advertiser| Some(advertiser.quality))),
    ])
}

fn taste_columns() -> Value {
    json!([scalar("clicks", "int64"), float("ctr")])
}

fn tastes(users: &[User]) -> Result<RecordBatch, GenerateError> {
    let tastes: Vec<(i64, &Taste)> =
        users.iter().flat_map(|user| user.tastes.iter().map(|taste| (user.id, taste))).collect();
    batch([
        ("user_id", integers(&tastes, |&(user, _)| user)),
        ("category", strings(&tastes, |&(_, taste)| Some(taste.category))),
        ("clicks", integers(&tastes, |&(_, taste)| taste.clicks)),
        ("ctr", floats(&tastes, |&(_, taste)| taste.ctr)),
    ])
}

fn placement_columns() -> Value {
    json!([float("ctr"), float("area")])
}

fn placements(placements: &[Placement]) -> Result<RecordBatch, GenerateError> {
    batch([
        ("placement", strings(placements, |placement| Some(placement.name))),
        ("ctr", floats(placements, |placement| Some(placement.ctr))),
        ("area", floats(placements, |placement| Some(placement.area))),
    ])
}

/// All files of a table have one schema, whether or not a part happens to hold a null.
fn batch<const N: usize>(columns: [(&str, ArrayRef); N]) -> Result<RecordBatch, GenerateError> {
    let nullable = columns.map(|(name, values)| (name, values, true));
    Ok(RecordBatch::try_from_iter_with_nullable(nullable)?)
}

fn integers<T>(rows: &[T], value: impl Fn(&T) -> i64) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(rows.iter().map(value)))
}

fn floats<T>(rows: &[T], value: impl Fn(&T) -> Option<f64>) -> ArrayRef {
    Arc::new(Float64Array::from_iter(rows.iter().map(value)))
}

fn strings<'a, T>(rows: &'a [T], value: impl Fn(&'a T) -> Option<&'a str>) -> ArrayRef {
    Arc::new(StringArray::from_iter(rows.iter().map(value)))
}

fn lists<'a, L: Iterator<Item = &'a str>>(rows: impl Iterator<Item = Option<L>>) -> ArrayRef {
    let rows = rows.map(|row| row.map(|list| list.map(Some)));
    Arc::new(ListArray::from_nested_iter::<StringBuilder, _, _, _>(rows))
}

fn embeddings<'a>(rows: impl Iterator<Item = Option<&'a Embedding>>) -> ArrayRef {
    let rows = rows.map(|row| row.map(|lanes| lanes.iter().copied().map(Some)));
    Arc::new(FixedSizeListArray::from_iter_primitive::<Float32Type, _, _>(rows, EMBEDDING as i32))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        demo::Sizes,
        table::{Silent, Table as Loaded},
    };

    #[test]
    fn every_table_loads_with_all_its_rows() {
        let world = World::generate(&Sizes::SMALL, 3);
        let folder = tempfile::tempdir().expect("a temporary folder");
        write(&world, folder.path()).expect("writes");
        let tastes: usize = world.users.iter().map(|user| user.tastes.len()).sum();
        let expected = [
            ("users", world.users.len()),
            ("ads", world.ads.len()),
            ("advertisers", world.advertisers.len()),
            ("user_category", tastes),
            ("contexts", world.placements.len()),
        ];
        for (name, rows) in expected {
            let table = Loaded::load(&folder.path().join(name).join("1"), &Silent).expect("loads");
            assert_eq!(table.rows() as usize, rows, "{name}");
        }
    }
}
