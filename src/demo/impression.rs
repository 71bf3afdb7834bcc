//! One ad shown to one user: the rows of all tables that lie behind it, found by plain code.

use super::{
    traffic::DemoRequest,
    world::{Ad, Advertiser, Placement, Taste, User, World},
};

/// What one row of a request leads to; what is in no table is `None`.
#[derive(Debug, Clone)]
pub struct Impression<'a> {
    pub request: &'a DemoRequest,
    pub bid: Option<f64>,
    pub user: Option<&'a User>,
    pub recent_ads: Vec<Option<&'a Ad>>,
    pub placement: Option<&'a Placement>,
    pub ad: Option<&'a Ad>,
    pub advertiser: Option<&'a Advertiser>,
    pub taste: Option<&'a Taste>,
}

impl<'a> Impression<'a> {
    /// The impressions of a request, one for each ad.
    pub fn of_request(world: &'a World, request: &'a DemoRequest) -> Vec<Self> {
        let user = world.user(request.user_id);
        let recent = user.map(|user| user.recent_ads.iter().map(|id| world.ad(id)).collect());
        let shared = Impression {
            request,
            bid: None,
            user,
            recent_ads: recent.unwrap_or_default(),
            placement: world.placement(request.placement),
            ad: None,
            advertiser: None,
            taste: None,
        };
        let rows = request.ad_ids.iter().zip(&request.bids);
        rows.map(|(id, &bid)| shared.clone().with_ad(world, id, bid)).collect()
    }

    fn with_ad(self, world: &'a World, id: &str, bid: Option<f64>) -> Self {
        let ad = world.ad(id);
        let category = ad.and_then(|ad| ad.category);
        let tastes = self.user.map(|user| user.tastes.as_slice()).unwrap_or_default();
        Self {
            bid,
            ad,
            advertiser: ad.and_then(|ad| world.advertiser(ad.advertiser_id)),
            taste: tastes.iter().find(|taste| Some(taste.category) == category),
            ..self
        }
    }

    /// The user's embedding, where there is one.
    pub fn user_embedding(&self) -> Option<&'a [f32]> {
        Some(&self.user?.embedding.as_ref()?[..])
    }

    /// The ad's embedding, where there is one.
    pub fn ad_embedding(&self) -> Option<&'a [f32]> {
        Some(&self.ad?.embedding.as_ref()?[..])
    }
}
