//! `quiver admin traffic`.

use clap::{ArgGroup, Args};

use super::{Named, Server, warn_of};
use crate::{
    cli::{Failure, client::refused, print},
    proto::{
        Latest, SetTrafficRequest, Shadow, TrafficPolicy, VersionWeight, WeightedSplit, traffic_policy::Serve,
    },
};

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("serve").required(true).args(["latest", "pin", "split"])))]
pub struct Arguments {
    #[command(flatten)]
    server: Server,
    #[command(flatten)]
    named: Named,
    /// The highest version that can be served answers
    #[arg(long)]
    latest: bool,
    /// This version answers and no other
    #[arg(long, value_name = "VERSION")]
    pin: Option<u32>,
    /// Several versions answer, by weight: 7=99,8=1
    #[arg(long, value_name = "VERSION=WEIGHT", value_delimiter = ',', value_parser = weight, requires = "by")]
    split: Vec<VersionWeight>,
    /// The input whose hash chooses the version: requests with the same value get the same version
    #[arg(long, value_name = "INPUT")]
    by: Option<String>,
    /// The hash's seed; splits with different seeds are independent
    #[arg(long, default_value_t = 0, requires = "by")]
    seed: u64,
    /// This version is computed beside the answers and compared with them
    #[arg(long, value_name = "VERSION", requires = "sample")]
    shadow: Option<u32>,
    /// The share of the requests that the shadow computes, above 0 and at most 1
    #[arg(long, value_name = "SHARE", requires = "shadow")]
    sample: Option<f64>,
    /// How many of the highest versions stay in memory beside those named here; 2 if left out
    #[arg(long, value_name = "COUNT")]
    keep: Option<u32>,
}

/// Sets the policy and prints which version answers.
pub async fn run(arguments: &Arguments) -> Result<(), Failure> {
    let policy = TrafficPolicy {
        serve: Some(serve(arguments)),
        shadow: arguments
            .shadow
            .zip(arguments.sample)
            .map(|(version, sample_rate)| Shadow { version, sample_rate }),
        keep: arguments.keep.unwrap_or_default(),
    };
    let request = SetTrafficRequest { target: Some(arguments.named.target()), policy: Some(policy) };
    let mut client = arguments.server.connect().await?;
    let set = client.set_traffic(request).await.map_err(refused)?.into_inner();
    warn_of(&set.not_persisted);
    let most = if arguments.split.is_empty() { "answers" } else { "answers the largest share" };
    print(&format!("{}: version {} {most}\n", arguments.named.name, set.default_version))
}

fn serve(arguments: &Arguments) -> Serve {
    match arguments.pin {
        Some(version) => Serve::Pinned(version),
        None if arguments.latest => Serve::Latest(Latest {}),
        None => Serve::Weighted(WeightedSplit {
            weights: arguments.split.clone(),
            routing_key: arguments.by.clone().unwrap_or_default(),
            seed: arguments.seed,
        }),
    }
}

/// `7=99`.
fn weight(text: &str) -> Result<VersionWeight, String> {
    let numbers = text.split_once('=').and_then(|(version, weight)| {
        Some(VersionWeight { version: version.trim().parse().ok()?, weight: weight.trim().parse().ok()? })
    });
    numbers.ok_or_else(|| format!("{text:?} is no version with its weight; write 7=99"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights() {
        assert_eq!(weight("7=99"), Ok(VersionWeight { version: 7, weight: 99 }));
        assert!(["7", "=1", "7=-1", "7=0.5", "a=b"].iter().all(|text| weight(text).is_err()));
    }
}
