//! The demo's features: what the specs say, beside plain code that computes the same.

use serde_json::{Value, json};

use super::{
    chain::Chain,
    fit,
    impression::Impression,
    plain::{self, Lanes},
    world::{CATEGORIES, COUNTRIES, DEVICES, EMBEDDING, FORMATS, PLACEMENTS},
};

/// One feature twice over.
pub struct DemoFeature {
    pub name: String,
    /// As the spec writes it.
    pub document: Value,
    pub width: usize,
    /// The values that an output holds, by plain code; empty for features that only other features read.
    pub plain: Lanes,
}

/// Fits features on impressions.
pub struct Fitter<'a> {
    pub impressions: &'a [Impression<'a>],
}

impl<'a> Fitter<'a> {
    /// A chain of scalar steps that starts at a reference.
    fn chain(&self, reference: &str, value: fn(&Impression<'_>) -> Option<f64>) -> Chain<'a> {
        Chain::new(self.impressions, reference, value)
    }

    /// What is known of the user, without vectors.
    pub fn user(&self) -> Vec<DemoFeature> {
        vec![
            self.chain("user.age", |row| row.user?.age).impute_median().standardize().named("user_age"),
            missing("user_age_missing", "user.age", |row| row.user.and_then(|user| user.age).is_none()),
            self.chain("user.tenure_days", |row| Some(row.user?.tenure_days))
                .log1p()
                .min_max()
                .named("user_tenure"),
            self.chain("user.spend_30d", |row| row.user?.spend_30d)
                .impute(0.0)
                .log1p()
                .robust_scale()
                .named("user_spend"),
            self.chain("user.clicks_30d", |row| Some(row.user?.clicks_30d as f64))
                .cast()
                .log1p()
                .standardize()
                .named("user_clicks"),
            self.one_hot("user_device", "user.device", 4, |row| Some(row.user?.device)),
            self.one_hot("user_country", "user.country", 6, |row| row.user?.country),
        ]
    }

    /// The user's rate of clicks: a division of two counts, which are features that no output holds.
    pub fn user_rate(&self) -> Vec<DemoFeature> {
        let counted = |name: &str, column: &str| DemoFeature {
            name: name.to_owned(),
            document: json!({"name": name, "input": format!("user.{column}"), "steps": [{"op": "cast", "to": "float64"}]}),
            width: 0,
            plain: Box::new(|_| Vec::new()),
        };
        let rate: fn(&Impression<'_>) -> Option<f64> = |row| {
            let user = row.user?;
            (user.impressions_30d != 0).then(|| user.clicks_30d as f64 / user.impressions_30d as f64)
        };
        let divided = self
            .chain("feature.user_click_count", rate)
            .of_two(["feature.user_click_count", "feature.user_impression_count"])
            .step(json!({"op": "arithmetic", "function": "divide", "zero_division": "null"}))
            .impute_mean()
            .standardize()
            .named("user_ctr");
        vec![
            counted("user_click_count", "clicks_30d"),
            counted("user_impression_count", "impressions_30d"),
            divided,
        ]
    }

    /// The user's age in fitted bins, one column for each.
    pub fn user_age_bins(&self) -> Vec<DemoFeature> {
        let ages: Vec<f64> = self.impressions.iter().filter_map(|row| row.user?.age).collect();
        let mut edges: Vec<f64> =
            [0.1, 0.3, 0.5, 0.7, 0.9].iter().map(|&at| fit::quantile(&ages, at)).collect();
        edges.dedup();
        let bins = edges.len() + 1;
        let document = json!({"name": "user_age_bin", "input": "user.age", "steps": [
            {"op": "bucketize", "edges": edges, "side": "left", "nan": "null", "outside": "present"},
            {"op": "one_hot", "categories": (0..bins).collect::<Vec<_>>(), "drop": "none", "infrequent": [],
             "unknown": "zeros", "null": "zeros"},
        ]});
        let plain: Lanes = Box::new(move |row| {
            let age = row.user.and_then(|user| user.age);
            plain::hot(bins, age.map(|age| edges.iter().filter(|&&edge| edge <= age).count()))
        });
        vec![DemoFeature { name: "user_age_bin".to_owned(), document, width: bins, plain }]
    }

    /// Where and when the ad is shown.
    pub fn context(&self) -> Vec<DemoFeature> {
        vec![
            self.one_hot("placement", "placement", 4, |row| Some(row.request.placement)),
            self.chain("context.ctr", |row| Some(row.placement?.ctr)).standardize().named("placement_ctr"),
            self.chain("context.area", |row| Some(row.placement?.area)).max_abs().named("placement_area"),
        ]
    }

    /// The hour, one column for each.
    pub fn hour(&self) -> DemoFeature {
        let document = json!({"name": "hour", "input": "hour", "steps": [
            {"op": "one_hot", "categories": (0..24).collect::<Vec<_>>(), "drop": "none", "infrequent": [],
             "unknown": "zeros", "null": "zeros"},
        ]});
        let plain: Lanes = Box::new(|row| plain::hot(24, usize::try_from(row.request.hour).ok()));
        DemoFeature { name: "hour".to_owned(), document, width: 24, plain }
    }

    /// What is known of the ad, without vectors.
    pub fn ad(&self) -> Vec<DemoFeature> {
        vec![
            self.one_hot("ad_category", "ad.category", CATEGORIES.len(), |row| row.ad?.category),
            self.one_hot("ad_format", "ad.format", FORMATS.len(), |row| Some(row.ad?.format)),
            self.chain("ad.price", |row| row.ad?.price)
                .impute_median()
                .clip_to_quantiles()
                .log1p()
                .standardize()
                .named("ad_price"),
            self.chain("ad.ctr_7d", |row| row.ad?.ctr_7d).impute_mean().standardize().named("ad_ctr"),
            missing("ad_ctr_missing", "ad.ctr_7d", |row| row.ad.and_then(|ad| ad.ctr_7d).is_none()),
            self.chain("ad.age_days", |row| Some(row.ad?.age_days)).log1p().min_max().named("ad_age"),
            self.chain("advertiser.budget", |row| row.advertiser?.budget)
                .impute_median()
                .log1p()
                .standardize()
                .named("advertiser_budget"),
            self.chain("advertiser.quality", |row| Some(row.advertiser?.quality))
                .standardize()
                .named("advertiser_quality"),
        ]
    }

    /// What depends on the candidate alone, and on user and candidate together.
    pub fn match_of_both(&self) -> Vec<DemoFeature> {
        vec![
            self.chain("bid", |row| row.bid).impute_median().log1p().standardize().named("bid"),
            missing("bid_missing", "bid", |row| row.bid.is_none()),
            self.chain("taste.ctr", |row| row.taste?.ctr).impute_mean().standardize().named("taste_ctr"),
            self.chain("taste.clicks", |row| Some(row.taste?.clicks as f64))
                .cast()
                .log1p()
                .standardize()
                .named("taste_clicks"),
            pair("match_cosine", json!({"op": "cosine", "zero_norm": "zero"}), plain::cosine),
            self.dot(),
        ]
    }

    fn dot(&self) -> DemoFeature {
        self.chain("user.embedding", |row| Some(plain::dot(row.user_embedding()?, row.ad_embedding()?)))
            .of_two(["user.embedding", "ad.embedding"])
            .step(json!({"op": "dot"}))
            .standardize()
            .named("match_dot")
    }

    /// Both embeddings at length 1.
    pub fn unit_vectors(&self) -> [DemoFeature; 2] {
        [
            unit("user_vector", "user.embedding", |row| row.user_embedding().map(plain::wide)),
            unit("ad_vector", "ad.embedding", |row| row.ad_embedding().map(plain::wide)),
        ]
    }

    /// Lane by lane products of both embeddings.
    pub fn product(&self) -> DemoFeature {
        let step = json!({"op": "arithmetic", "function": "multiply"});
        let plain: Lanes = Box::new(|row| match (row.user_embedding(), row.ad_embedding()) {
            (Some(user), Some(ad)) => {
                user.iter().zip(ad.iter()).map(|(&one, &other)| f64::from(one) * f64::from(other)).collect()
            }
            _ => vec![0.0; EMBEDDING],
        });
        DemoFeature { width: EMBEDDING, plain, ..pair("match_product", step, |_, _| 0.0) }
    }

    /// The embeddings of the ads that the user saw last, pooled.
    pub fn recent_ads(&self) -> Vec<DemoFeature> {
        let of_function = |function: &'static str, pool: fn(&[Vec<f64>]) -> Vec<f64>| {
            let name = format!("recent_ads_{function}");
            let steps =
                json!([{"op": "pool", "function": function, "null_elements": "skip", "empty": "null"}]);
            let document =
                json!({"name": name, "input": "recent_ad.embedding", "default": 0, "steps": steps});
            let plain: Lanes = Box::new(move |row| {
                let vectors = row.recent_ads.iter().filter_map(|ad| ad.as_ref()?.embedding.as_ref());
                let vectors: Vec<Vec<f64>> = vectors.map(|vector| plain::wide(&vector[..])).collect();
                if vectors.is_empty() { vec![0.0; EMBEDDING] } else { pool(&vectors) }
            });
            DemoFeature { name, document, width: EMBEDDING, plain }
        };
        vec![of_function("mean", plain::mean_of), of_function("max", plain::max_of)]
    }

    /// The categories that the user looked at last: fitted vectors of the categories, pooled.
    pub fn recent_categories(&self) -> DemoFeature {
        let vectors = self.category_vectors();
        let document = json!({"name": "recent_categories", "input": "user.recent_categories", "default": 0, "steps": [
            {"op": "ordinal", "categories": CATEGORIES, "offset": 0, "unknown": "null", "null": "null"},
            {"op": "gather", "vectors": vectors, "unknown": "null"},
            {"op": "pool", "function": "mean", "null_elements": "skip", "empty": "null"},
        ]});
        let plain: Lanes = Box::new(move |row| {
            let names = row.user.and_then(|user| user.recent_categories.as_deref()).unwrap_or_default();
            let positions = names.iter().filter_map(|name| CATEGORIES.iter().position(|known| known == name));
            let found: Vec<Vec<f64>> = positions.map(|position| vectors[position].clone()).collect();
            if found.is_empty() { vec![0.0; CATEGORY_LANES] } else { plain::mean_of(&found) }
        });
        DemoFeature { name: "recent_categories".to_owned(), document, width: CATEGORY_LANES, plain }
    }

    /// For each category the mean of the first lanes of its shown ads' embeddings.
    fn category_vectors(&self) -> Vec<Vec<f64>> {
        let of_category = |category: &str| {
            let ads = self.impressions.iter().filter_map(|row| row.ad);
            let ads = ads.filter(|ad| ad.category == Some(category));
            let vectors: Vec<Vec<f64>> =
                ads.filter_map(|ad| Some(plain::wide(&ad.embedding.as_ref()?[..CATEGORY_LANES]))).collect();
            if vectors.is_empty() { vec![0.0; CATEGORY_LANES] } else { plain::mean_of(&vectors) }
        };
        CATEGORIES.iter().map(|category| of_category(category)).collect()
    }

    /// The words of the query, hashed to `width` columns.
    pub fn query(&self, width: usize) -> DemoFeature {
        let document = json!({"name": "query", "input": "query", "steps": [
            {"op": "feature_hash", "width": width, "prefix": "query=", "alternate_sign": true, "null": "zeros"},
        ]});
        let plain: Lanes = Box::new(move |row| plain::hashed(&row.request.query, "query=", width));
        DemoFeature { name: "query".to_owned(), document, width, plain }
    }

    /// Identifiers for embeddings inside the model.
    pub fn identifiers(&self) -> Vec<DemoFeature> {
        let category = json!({"name": "ad_category_id", "input": "ad.category", "default": 0, "steps": [
            {"op": "ordinal", "categories": CATEGORIES, "offset": 1, "unknown": "null", "null": "null"},
        ]});
        let user = json!({"name": "user_bucket", "input": "user_id", "default": 0, "steps": [
            {"op": "hash_bucket", "family": "murmur3_x86_32", "seed": 42, "key": "decimal", "buckets": 10_000,
             "map": "abs_modulo"},
        ]});
        vec![
            DemoFeature {
                name: "ad_category_id".to_owned(),
                document: category,
                width: 1,
                plain: Box::new(|row| {
                    let name = row.ad.and_then(|ad| ad.category);
                    let position = name.and_then(|name| CATEGORIES.iter().position(|&known| known == name));
                    vec![position.map_or(0.0, |position| (position + 1) as f64)]
                }),
            },
            DemoFeature {
                name: "user_bucket".to_owned(),
                document: user,
                width: 1,
                plain: Box::new(|row| {
                    let hash = plain::murmur3(row.request.user_id.to_string().as_bytes(), 42);
                    vec![f64::from(hash.unsigned_abs() % 10_000)]
                }),
            },
        ]
    }

    /// One column for each of the `columns` most frequent categories; where there are more, the last column stands
    /// for all of those.
    fn one_hot(
        &self,
        name: &str,
        reference: &str,
        columns: usize,
        value: fn(&Impression<'_>) -> Option<&'static str>,
    ) -> DemoFeature {
        let known = known_categories(reference);
        let mut seen = fit::by_frequency(self.impressions.iter().filter_map(value));
        let unseen = known.iter().filter(|name| !seen.iter().any(|seen| seen == *name));
        seen.extend(unseen.map(|&name| name.to_owned()).collect::<Vec<_>>());
        let rare = if seen.len() > columns { seen.split_off(columns - 1) } else { Vec::new() };
        let unknown = if rare.is_empty() { "zeros" } else { "infrequent" };
        let document = json!({"name": name, "input": reference, "steps": [
            {"op": "one_hot", "categories": seen, "drop": "none", "infrequent": rare, "unknown": unknown, "null": "zeros"},
        ]});
        let frequent = seen.len();
        let others = if rare.is_empty() { None } else { Some(frequent) };
        let width = frequent + usize::from(others.is_some());
        let plain: Lanes = Box::new(move |row| {
            let position = value(row).and_then(|name| seen.iter().position(|seen| seen == name).or(others));
            plain::hot(width, position)
        });
        DemoFeature { name: name.to_owned(), document, width, plain }
    }
}

/// Lanes of the categories' fitted vectors.
const CATEGORY_LANES: usize = 8;

fn known_categories(reference: &str) -> &'static [&'static str] {
    match reference {
        "ad.category" => &CATEGORIES,
        "ad.format" => &FORMATS,
        "user.device" => &DEVICES,
        "user.country" => &COUNTRIES,
        _ => &PLACEMENTS,
    }
}

fn missing(name: &str, reference: &str, is_missing: fn(&Impression<'_>) -> bool) -> DemoFeature {
    let steps = json!([{"op": "missing_indicator", "nan": "missing"}]);
    DemoFeature {
        name: name.to_owned(),
        document: json!({"name": name, "input": reference, "steps": steps}),
        width: 1,
        plain: Box::new(move |row| vec![f64::from(u8::from(is_missing(row)))]),
    }
}

fn unit(name: &str, reference: &str, vector: fn(&Impression<'_>) -> Option<Vec<f64>>) -> DemoFeature {
    let steps = json!([{"op": "normalize", "norm": "l2"}]);
    DemoFeature {
        name: name.to_owned(),
        document: json!({"name": name, "input": reference, "default": 0, "steps": steps}),
        width: EMBEDDING,
        plain: Box::new(move |row| vector(row).map_or(vec![0.0; EMBEDDING], plain::unit)),
    }
}

/// A feature of both embeddings; 0 where either is missing.
fn pair(name: &str, step: Value, function: fn(&[f32], &[f32]) -> f64) -> DemoFeature {
    DemoFeature {
        name: name.to_owned(),
        document: json!({"name": name, "inputs": ["user.embedding", "ad.embedding"], "default": 0, "steps": [step]}),
        width: 1,
        plain: Box::new(move |row| match (row.user_embedding(), row.ad_embedding()) {
            (Some(user), Some(ad)) => vec![function(user, ad)],
            _ => vec![0.0],
        }),
    }
}
