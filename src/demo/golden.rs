//! Golden rows of the demo: a few hand-made and a few drawn requests, with the rows of tables that they lead to.

use serde_json::{Value, json};

use super::{
    Recipe,
    features::DemoFeature,
    impression::Impression,
    publish::{Composition, input_names, input_values, object, table_names},
    traffic::{DemoRequest, Traffic},
    world::{Ad, Advertiser, Embedding, Placement, User, World, ad_id, user_id},
};

/// The document beside a spec.
pub fn of(world: &World, recipe: &Recipe, spec: &Value, composition: &Composition) -> Value {
    let requests = requests(world, recipe);
    let cases: Vec<Value> = requests.iter().map(|request| case(world, request, spec, composition)).collect();
    let all = Rows::behind(world, &requests);
    let tables = table_names(spec).into_iter().map(|name| (name.to_owned(), all.table(name)));
    json!({"format": "quiver.golden/1", "tables": object(tables), "cases": cases})
}

/// Drawn ones, and one of everything that can be missing.
fn requests(world: &World, recipe: &Recipe) -> Vec<DemoRequest> {
    let mut traffic = Traffic::new(recipe.sizes, recipe.seed + 1);
    let mut requests: Vec<DemoRequest> = (0..4).map(|_| traffic.request(4)).collect();
    let cold = world.ads.iter().find(|ad| ad.embedding.is_none()).map(|ad| ad.id.clone());
    let strange = ad_id(recipe.sizes.ads);
    let new = world.users.iter().find(|user| user.embedding.is_none()).map_or(1, |user| user.id);
    let ad_ids: Vec<String> = cold.into_iter().chain([strange, ad_id(0)]).collect();
    for user_id in [new, user_id(recipe.sizes.users)] {
        let bids = ad_ids.iter().enumerate().map(|(position, _)| (position != 1).then_some(0.75)).collect();
        let ad_ids = ad_ids.clone();
        requests.push(DemoRequest { user_id, placement: "email", hour: 23, query: Vec::new(), ad_ids, bids });
    }
    requests
}

fn case(world: &World, request: &DemoRequest, spec: &Value, composition: &Composition) -> Value {
    let rows = Impression::of_request(world, request);
    let values = input_values(request);
    let inputs = input_names(spec).filter_map(|name| Some((name.to_owned(), values.get(name)?.clone())));
    let mut outputs = vec![("dense".to_owned(), expected(&rows, &composition.dense, 1))];
    if !composition.ids.is_empty() {
        outputs.push(("ids".to_owned(), expected(&rows, &composition.ids, 0)));
    }
    json!({"rows": rows.len(), "inputs": object(inputs), "outputs": object(outputs)})
}

fn expected(rows: &[Impression<'_>], features: &[DemoFeature], max_ulp: u32) -> Value {
    let of_row = |row| features.iter().flat_map(|feature| (feature.plain)(row)).collect::<Vec<f64>>();
    json!({"rows": rows.iter().map(of_row).collect::<Vec<_>>(), "max_ulp": max_ulp})
}

/// The rows of all tables that some requests lead to, each once.
struct Rows<'a> {
    users: Vec<&'a User>,
    ads: Vec<&'a Ad>,
    advertisers: Vec<&'a Advertiser>,
    placements: &'a [Placement],
}

impl<'a> Rows<'a> {
    fn behind(world: &'a World, requests: &[DemoRequest]) -> Self {
        let mut users: Vec<&User> =
            requests.iter().filter_map(|request| world.user(request.user_id)).collect();
        users.sort_by_key(|user| user.id);
        users.dedup_by_key(|user| user.id);
        let asked = requests.iter().flat_map(|request| &request.ad_ids);
        let recent = users.iter().flat_map(|user| &user.recent_ads);
        let mut ads: Vec<&Ad> = asked.chain(recent).filter_map(|id| world.ad(id)).collect();
        ads.sort_by_key(|ad| &ad.id);
        ads.dedup_by_key(|ad| &ad.id);
        let mut advertisers: Vec<&Advertiser> =
            ads.iter().filter_map(|ad| world.advertiser(ad.advertiser_id)).collect();
        advertisers.sort_by_key(|advertiser| advertiser.id);
        advertisers.dedup_by_key(|advertiser| advertiser.id);
        Self { users, ads, advertisers, placements: &world.placements }
    }

    fn table(&self, name: &str) -> Value {
        match name {
            "users" => self.users(),
            "ads" => self.ads(),
            "advertisers" => json!({
                "advertiser_id": column(&self.advertisers, |row| json!(row.id)),
                "budget": column(&self.advertisers, |row| json!(row.budget)),
                "quality": column(&self.advertisers, |row| json!(row.quality)),
            }),
            "contexts" => json!({
                "placement": column(self.placements, |row| json!(row.name)),
                "ctr": column(self.placements, |row| json!(row.ctr)),
                "area": column(self.placements, |row| json!(row.area)),
            }),
            _ => self.tastes(),
        }
    }

    fn users(&self) -> Value {
        json!({
            "user_id": column(&self.users, |row| json!(row.id)),
            "age": column(&self.users, |row| json!(row.age)),
            "tenure_days": column(&self.users, |row| json!(row.tenure_days)),
            "spend_30d": column(&self.users, |row| json!(row.spend_30d)),
            "clicks_30d": column(&self.users, |row| json!(row.clicks_30d)),
            "impressions_30d": column(&self.users, |row| json!(row.impressions_30d)),
            "country": column(&self.users, |row| json!(row.country)),
            "device": column(&self.users, |row| json!(row.device)),
            "recent_categories": column(&self.users, |row| json!(row.recent_categories)),
            "recent_ads": column(&self.users, |row| json!(row.recent_ads)),
            "embedding": column(&self.users, |row| embedding(row.embedding.as_ref())),
        })
    }

    fn ads(&self) -> Value {
        json!({
            "ad_id": column(&self.ads, |row| json!(row.id)),
            "advertiser_id": column(&self.ads, |row| json!(row.advertiser_id)),
            "category": column(&self.ads, |row| json!(row.category)),
            "format": column(&self.ads, |row| json!(row.format)),
            "price": column(&self.ads, |row| json!(row.price)),
            "ctr_7d": column(&self.ads, |row| json!(row.ctr_7d)),
            "age_days": column(&self.ads, |row| json!(row.age_days)),
            "embedding": column(&self.ads, |row| embedding(row.embedding.as_ref())),
        })
    }

    fn tastes(&self) -> Value {
        let rows: Vec<_> =
            self.users.iter().flat_map(|user| user.tastes.iter().map(|taste| (user.id, taste))).collect();
        json!({
            "user_id": column(&rows, |(user, _)| json!(user)),
            "category": column(&rows, |(_, taste)| json!(taste.category)),
            "clicks": column(&rows, |(_, taste)| json!(taste.clicks)),
            "ctr": column(&rows, |(_, taste)| json!(taste.ctr)),
        })
    }
}

fn column<T>(rows: &[T], value: impl Fn(&T) -> Value) -> Vec<Value> {
    rows.iter().map(value).collect()
}

/// The lanes as exact float64.
fn embedding(lanes: Option<&Embedding>) -> Value {
    json!(lanes.map(|lanes| lanes.iter().map(|&lane| f64::from(lane)).collect::<Vec<_>>()))
}
