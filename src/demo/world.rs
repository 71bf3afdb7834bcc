//! The demo's world: users, ads, advertisers, tastes and placements, made from a seed.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

use super::Sizes;

/// Lanes of the users' and ads' embeddings.
pub const EMBEDDING: usize = 64;

/// The ads' categories, the most frequent first.
pub const CATEGORIES: [&str; 16] = [
    "fashion",
    "electronics",
    "travel",
    "food",
    "games",
    "beauty",
    "home",
    "sports",
    "finance",
    "autos",
    "books",
    "music",
    "pets",
    "health",
    "toys",
    "garden",
];

/// The ads' formats.
pub const FORMATS: [&str; 4] = ["image", "video", "carousel", "text"];

/// The users' devices.
pub const DEVICES: [&str; 4] = ["android", "ios", "desktop", "tv"];

/// The users' countries, the most frequent first; the last ones are too rare for a column of their own.
pub const COUNTRIES: [&str; 12] = ["us", "in", "br", "de", "jp", "fr", "gb", "mx", "es", "it", "se", "fi"];

/// The places that ads are shown at.
pub const PLACEMENTS: [&str; 6] = ["feed", "search", "sidebar", "story", "checkout", "email"];

/// Everything that the tables hold, and the impressions are drawn from.
#[derive(Debug)]
pub struct World {
    pub users: Vec<User>,
    pub ads: Vec<Ad>,
    pub advertisers: Vec<Advertiser>,
    pub placements: Vec<Placement>,
}

/// An embedding as stored.
pub type Embedding = Box<[f32; EMBEDDING]>;

/// A row of `users`, with the user's rows of `user_category`.
#[derive(Debug)]
pub struct User {
    pub id: i64,
    pub age: Option<f64>,
    pub tenure_days: f64,
    pub spend_30d: Option<f64>,
    pub clicks_30d: i64,
    pub impressions_30d: i64,
    pub country: Option<&'static str>,
    pub device: &'static str,
    pub recent_categories: Option<Vec<&'static str>>,
    pub recent_ads: Vec<String>,
    pub embedding: Option<Embedding>,
    pub tastes: Vec<Taste>,
}

/// A row of `user_category`.
#[derive(Debug)]
pub struct Taste {
    pub category: &'static str,
    pub clicks: i64,
    pub ctr: Option<f64>,
}

/// A row of `ads`. A cold ad has neither an embedding nor a click-through rate yet.
#[derive(Debug)]
pub struct Ad {
    pub id: String,
    pub advertiser_id: i64,
    pub category: Option<&'static str>,
    pub format: &'static str,
    pub price: Option<f64>,
    pub ctr_7d: Option<f64>,
    pub age_days: f64,
    pub embedding: Option<Embedding>,
}

/// A row of `advertisers`.
#[derive(Debug)]
pub struct Advertiser {
    pub id: i64,
    pub budget: Option<f64>,
    pub quality: f64,
}

/// A row of `contexts`.
#[derive(Debug)]
pub struct Placement {
    pub name: &'static str,
    pub ctr: f64,
    pub area: f64,
}

impl World {
    /// Makes the world of a seed; each part draws from a stream of its own, so that one part's size does not change
    /// the others.
    pub fn generate(sizes: &Sizes, seed: u64) -> Self {
        let centres = centres(&mut stream(seed, 0));
        let placements = placements(&mut stream(seed, 1));
        let advertisers = advertisers(sizes, &mut stream(seed, 2));
        let ads = ads(sizes, &centres, &mut stream(seed, 3));
        let users = users(sizes, &centres, &mut stream(seed, 4));
        Self { users, ads, advertisers, placements }
    }

    /// The user of an id.
    pub fn user(&self, id: i64) -> Option<&User> {
        let position = usize::try_from(id).ok()?.checked_sub(FIRST_USER as usize)?;
        self.users.get(position)
    }

    /// The ad of an id.
    pub fn ad(&self, id: &str) -> Option<&Ad> {
        self.ads.get(id.strip_prefix("ad-")?.parse::<usize>().ok()?)
    }

    /// The advertiser of an id.
    pub fn advertiser(&self, id: i64) -> Option<&Advertiser> {
        self.advertisers.get(usize::try_from(id).ok()?)
    }

    /// The placement of a name.
    pub fn placement(&self, name: &str) -> Option<&Placement> {
        self.placements.iter().find(|placement| placement.name == name)
    }
}

const FIRST_USER: i64 = 1;

/// The generator of one part of the world.
pub fn stream(seed: u64, part: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(part);
    rng
}

/// Draws a position below `count`, position `k` about as often as `1 / (k + 1)`: Zipf's law with exponent 1.
pub fn skewed(rng: &mut ChaCha8Rng, count: usize) -> usize {
    let drawn = ((count + 1) as f64).powf(rng.random::<f64>()) as usize;
    drawn.clamp(1, count) - 1
}

/// The id of ad number `position`.
pub fn ad_id(position: usize) -> String {
    format!("ad-{position:06}")
}

/// The id of user number `position`.
pub fn user_id(position: usize) -> i64 {
    FIRST_USER + position as i64
}

/// Popular positions lie scattered over the tables, as they do in life: the ids' order is not that of popularity.
pub fn scattered(rank: usize, count: usize) -> usize {
    const PRIME: usize = 2_147_483_647;
    (rank * (PRIME % count.max(1)) + 17) % count.max(1)
}

fn normal(rng: &mut ChaCha8Rng) -> f64 {
    rng.sample(StandardNormal)
}

fn log_normal(rng: &mut ChaCha8Rng, middle: f64, spread: f64) -> f64 {
    let factor = (spread * normal(rng)).exp();
    (middle * factor * 100.0).round() / 100.0
}

/// `None` for a share of the values.
fn missing<T>(rng: &mut ChaCha8Rng, share: f64, value: T) -> Option<T> {
    (rng.random::<f64>() >= share).then_some(value)
}

fn rate(rng: &mut ChaCha8Rng, middle: f64) -> f64 {
    let exact = middle * (0.5 * normal(rng)).exp();
    (exact.min(0.9) * 1e6).round() / 1e6
}

/// Embeddings of one category lie around one centre.
fn centres(rng: &mut ChaCha8Rng) -> Vec<[f32; EMBEDDING]> {
    CATEGORIES.iter().map(|_| std::array::from_fn(|_| rng.sample(StandardNormal))).collect()
}

fn around(rng: &mut ChaCha8Rng, centre: &[f32; EMBEDDING]) -> Embedding {
    let mut lanes = Box::new(*centre);
    for lane in lanes.iter_mut() {
        let noise: f32 = rng.sample(StandardNormal);
        *lane = *lane * 0.5 + noise;
    }
    lanes
}

fn placements(rng: &mut ChaCha8Rng) -> Vec<Placement> {
    let of_name = |&name| Placement {
        name,
        ctr: rate(rng, 0.02),
        area: f64::from(rng.random_range(2..20_u32)) * 5_000.0,
    };
    PLACEMENTS.iter().map(of_name).collect()
}

fn advertisers(sizes: &Sizes, rng: &mut ChaCha8Rng) -> Vec<Advertiser> {
    let of_position = |position: usize| {
        let budget = log_normal(rng, 5_000.0, 1.5);
        Advertiser {
            id: position as i64,
            budget: missing(rng, 0.1, budget),
            quality: (rng.random::<f64>() * 1e4).round() / 1e4,
        }
    };
    (0..sizes.advertisers).map(of_position).collect()
}

fn ads(sizes: &Sizes, centres: &[[f32; EMBEDDING]], rng: &mut ChaCha8Rng) -> Vec<Ad> {
    (0..sizes.ads).map(|position| ad(position, sizes, centres, rng)).collect()
}

fn ad(position: usize, sizes: &Sizes, centres: &[[f32; EMBEDDING]], rng: &mut ChaCha8Rng) -> Ad {
    let cold = rng.random::<f64>() < 0.06;
    let category = skewed(rng, CATEGORIES.len());
    let embedding = (!cold).then(|| around(rng, &centres[category]));
    let ctr = rate(rng, 0.015);
    let age = if cold { rng.random_range(0.0..2.0) } else { rng.random_range(0.0..365.0) };
    let price = log_normal(rng, 25.0, 1.0);
    Ad {
        id: ad_id(position),
        advertiser_id: skewed(rng, sizes.advertisers) as i64,
        category: missing(rng, 0.01, CATEGORIES[category]),
        format: FORMATS[skewed(rng, FORMATS.len())],
        price: missing(rng, 0.12, price),
        ctr_7d: (!cold).then_some(ctr),
        age_days: f64::floor(age * 10.0) / 10.0,
        embedding,
    }
}

fn users(sizes: &Sizes, centres: &[[f32; EMBEDDING]], rng: &mut ChaCha8Rng) -> Vec<User> {
    (0..sizes.users).map(|position| user(position, sizes, centres, rng)).collect()
}

fn user(position: usize, sizes: &Sizes, centres: &[[f32; EMBEDDING]], rng: &mut ChaCha8Rng) -> User {
    let favourite = skewed(rng, CATEGORIES.len());
    let new = rng.random::<f64>() < 0.04;
    let impressions = if new { 0 } else { (80.0 * (0.9 * normal(rng)).exp()) as i64 };
    let age = f64::round(38.0 + 14.0 * normal(rng)).clamp(13.0, 95.0);
    let spend = log_normal(rng, 30.0, 1.3);
    let country = COUNTRIES[skewed(rng, COUNTRIES.len())];
    User {
        id: user_id(position),
        age: missing(rng, 0.15, age),
        tenure_days: if new { 0.0 } else { f64::from(rng.random_range(1..2_500_u32)) },
        spend_30d: missing(rng, 0.3, spend),
        clicks_30d: (impressions as f64 * rate(rng, 0.03)) as i64,
        impressions_30d: impressions,
        country: missing(rng, 0.03, country),
        device: DEVICES[skewed(rng, DEVICES.len())],
        recent_categories: (!new).then(|| recent_categories(favourite, rng)),
        recent_ads: if new { Vec::new() } else { recent_ads(sizes, rng) },
        embedding: (!new).then(|| around(rng, &centres[favourite])),
        tastes: if new { Vec::new() } else { tastes(favourite, rng) },
    }
}

fn recent_categories(favourite: usize, rng: &mut ChaCha8Rng) -> Vec<&'static str> {
    let count = rng.random_range(0..8_usize);
    let draw = |_| if rng.random_bool(0.5) { favourite } else { skewed(rng, CATEGORIES.len()) };
    (0..count).map(draw).map(|category| CATEGORIES[category]).collect()
}

fn recent_ads(sizes: &Sizes, rng: &mut ChaCha8Rng) -> Vec<String> {
    let count = rng.random_range(0..6_usize);
    (0..count).map(|_| ad_id(scattered(skewed(rng, sizes.ads), sizes.ads))).collect()
}

/// A user's own click-through rate in the categories that were shown often enough, the favourite among them.
fn tastes(favourite: usize, rng: &mut ChaCha8Rng) -> Vec<Taste> {
    let mut categories: Vec<usize> =
        (0..rng.random_range(0..5_usize)).map(|_| skewed(rng, CATEGORIES.len())).collect();
    categories.push(favourite);
    categories.sort_unstable();
    categories.dedup();
    let of_category = |category: usize| {
        let middle = if category == favourite { 0.05 } else { 0.015 };
        let ctr = rate(rng, middle);
        let clicks = rng.random_range(0..30_i64);
        Taste { category: CATEGORIES[category], clicks, ctr: missing(rng, 0.05, ctr) }
    };
    categories.into_iter().map(of_category).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_makes_one_world() {
        let (one, same) = (World::generate(&Sizes::SMALL, 7), World::generate(&Sizes::SMALL, 7));
        assert_eq!(format!("{one:?}"), format!("{same:?}"));
        let other = World::generate(&Sizes::SMALL, 8);
        assert_ne!(format!("{:?}", one.users[0]), format!("{:?}", other.users[0]));
    }

    #[test]
    fn ids_lead_to_their_rows() {
        let world = World::generate(&Sizes::SMALL, 7);
        assert!(world.users.iter().all(|user| world.user(user.id).is_some_and(|found| found.id == user.id)));
        assert!(world.ads.iter().all(|ad| world.ad(&ad.id).is_some_and(|found| found.id == ad.id)));
        assert!(world.user(0).is_none() && world.ad("ad-999999").is_none() && world.ad("nothing").is_none());
    }

    #[test]
    fn keys_are_skewed_and_scattered_over_all() {
        let mut rng = stream(1, 0);
        let drawn: Vec<usize> = (0..10_000).map(|_| skewed(&mut rng, 1_000)).collect();
        let first = drawn.iter().filter(|&&position| position == 0).count();
        assert!((800..1_200).contains(&first), "{first} of 10000");
        let mut all: Vec<usize> = (0..1_000).map(|rank| scattered(rank, 1_000)).collect();
        all.sort_unstable();
        assert!(all.iter().copied().eq(0..1_000));
    }
}
