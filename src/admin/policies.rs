//! Policies in the wire's words.

use crate::{
    policy::{Policy, Serve, Shadow, Split},
    problem::Problems,
    proto::{self, traffic_policy},
};

/// The policy of a message, not yet checked; none where it lacks something, which is noted.
pub fn read(message: proto::TrafficPolicy, problems: &mut Problems) -> Option<Policy> {
    let proto::TrafficPolicy { serve, shadow, keep } = message;
    let serve = match serve {
        Some(traffic_policy::Serve::Latest(proto::Latest {})) => Serve::Latest,
        Some(traffic_policy::Serve::Pinned(version)) => Serve::Pinned(version),
        Some(traffic_policy::Serve::Weighted(split)) => Serve::Weighted(read_split(split, problems)?),
        None => {
            problems.add("policy.serve", "is missing: latest, pinned or weighted");
            return None;
        }
    };
    let shadow = shadow.map(|proto::Shadow { version, sample_rate }| Shadow { version, sample_rate });
    Some(Policy { shadow, keep: (keep > 0).then_some(keep), ..Policy::serving(serve) })
}

fn read_split(message: proto::WeightedSplit, problems: &mut Problems) -> Option<Split> {
    let proto::WeightedSplit { weights, routing_key, seed } = message;
    let mut split = Split { versions: Default::default(), routing_key, seed };
    for (place, proto::VersionWeight { version, weight }) in weights.into_iter().enumerate() {
        if split.versions.insert(version, weight).is_some() {
            let place = format!("policy.serve.weighted.weights[{place}].version");
            problems.add(place, format!("version {version} is there twice"));
        }
    }
    problems.is_empty().then_some(split)
}

/// The message of a policy.
pub fn write(policy: &Policy) -> proto::TrafficPolicy {
    let serve = match &policy.serve {
        Serve::Latest => traffic_policy::Serve::Latest(proto::Latest {}),
        Serve::Pinned(version) => traffic_policy::Serve::Pinned(*version),
        Serve::Weighted(split) => traffic_policy::Serve::Weighted(write_split(split)),
    };
    let shadow = policy.shadow.as_ref();
    proto::TrafficPolicy {
        serve: Some(serve),
        shadow: shadow.map(|of| proto::Shadow { version: of.version, sample_rate: of.sample_rate }),
        keep: policy.keep.unwrap_or_default(),
    }
}

fn write_split(split: &Split) -> proto::WeightedSplit {
    let weight = |(&version, &weight): (&u32, &u32)| proto::VersionWeight { version, weight };
    proto::WeightedSplit {
        weights: split.versions.iter().map(weight).collect(),
        routing_key: split.routing_key.clone(),
        seed: split.seed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let split = Split { versions: [(7, 99), (8, 1)].into(), routing_key: "user".to_owned(), seed: 3 };
        let shadow = Some(Shadow { version: 9, sample_rate: 0.5 });
        let mut problems = Problems::none();
        for serve in [Serve::Latest, Serve::Pinned(4), Serve::Weighted(split)] {
            let policy = Policy { shadow: shadow.clone(), keep: Some(3), ..Policy::serving(serve) };
            assert_eq!(read(write(&policy), &mut problems), Some(policy));
        }
        assert_eq!(problems, Problems::none());
    }

    #[test]
    fn a_version_stands_once() {
        let weight = proto::VersionWeight { version: 7, weight: 1 };
        let weighted = proto::WeightedSplit { weights: vec![weight; 2], ..Default::default() };
        let serve = Some(traffic_policy::Serve::Weighted(weighted));
        let mut problems = Problems::none();
        let read = read(proto::TrafficPolicy { serve, ..Default::default() }, &mut problems);
        assert_eq!(read, None);
        assert_eq!(
            problems.to_string(),
            "policy.serve.weighted.weights[1].version: version 7 is there twice"
        );
    }
}
