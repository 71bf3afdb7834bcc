//! Seeded traffic: requests of users with their candidate ads, skewed as in life.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::{
    Sizes,
    world::{CATEGORIES, PLACEMENTS, ad_id, scattered, skewed, stream, user_id},
};

/// One request in plain values.
#[derive(Debug, Clone, PartialEq)]
pub struct DemoRequest {
    pub user_id: i64,
    pub placement: &'static str,
    pub hour: i64,
    /// What the user searched for; often empty.
    pub query: Vec<String>,
    pub ad_ids: Vec<String>,
    /// One for each ad; some ads come without.
    pub bids: Vec<Option<f64>>,
}

/// An endless sequence of requests; a seed makes one sequence.
#[derive(Debug)]
pub struct Traffic {
    sizes: Sizes,
    rng: ChaCha8Rng,
}

impl Traffic {
    /// Starts a sequence over a world of these sizes.
    pub fn new(sizes: Sizes, seed: u64) -> Self {
        Self { sizes, rng: stream(seed, 100) }
    }

    /// The next request, with `candidates` ads. About one user in 100 and one ad in 200 is in no table.
    pub fn request(&mut self, candidates: usize) -> DemoRequest {
        DemoRequest {
            user_id: self.user(),
            placement: PLACEMENTS[skewed(&mut self.rng, PLACEMENTS.len())],
            hour: self.rng.random_range(0..24),
            query: self.query(),
            ad_ids: (0..candidates).map(|_| self.ad()).collect(),
            bids: (0..candidates).map(|_| self.bid()).collect(),
        }
    }

    fn user(&mut self) -> i64 {
        if self.rng.random_bool(0.01) {
            return user_id(self.sizes.users + self.rng.random_range(0..1_000));
        }
        user_id(scattered(skewed(&mut self.rng, self.sizes.users), self.sizes.users))
    }

    fn ad(&mut self) -> String {
        if self.rng.random_bool(0.005) {
            return ad_id(self.sizes.ads + self.rng.random_range(0..1_000));
        }
        ad_id(scattered(skewed(&mut self.rng, self.sizes.ads), self.sizes.ads))
    }

    fn query(&mut self) -> Vec<String> {
        const WORDS: [&str; 8] = ["cheap", "best", "near me", "red", "new", "used", "gift", "für zuhause"];
        let count = self.rng.random_range(0..4_usize);
        let word = |position: usize| match position {
            0 => CATEGORIES[skewed(&mut self.rng, CATEGORIES.len())].to_owned(),
            _ => WORDS[skewed(&mut self.rng, WORDS.len())].to_owned(),
        };
        (0..count).map(word).collect()
    }

    /// A bid in currency units, to the cent.
    fn bid(&mut self) -> Option<f64> {
        let cents = (80.0 * (6.0 * self.rng.random::<f64>() - 3.0).exp()).round();
        (!self.rng.random_bool(0.08)).then_some(cents / 100.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_makes_one_sequence() {
        let drawn = |seed| {
            let mut traffic = Traffic::new(Sizes::SMALL, seed);
            (0..5).map(|_| traffic.request(10)).collect::<Vec<_>>()
        };
        assert_eq!(drawn(3), drawn(3));
        assert_ne!(drawn(3), drawn(4));
    }

    #[test]
    fn requests_vary() {
        let mut traffic = Traffic::new(Sizes::FULL, 1);
        let requests: Vec<_> = (0..1_000).map(|_| traffic.request(3)).collect();
        let mut users: Vec<i64> = requests.iter().map(|request| request.user_id).collect();
        users.sort_unstable();
        users.dedup();
        assert!(users.len() > 400, "{} users", users.len());
        assert!(requests.iter().any(|request| request.bids.contains(&None)));
    }
}
