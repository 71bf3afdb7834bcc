//! `quiver admin rollback`.

use clap::Args;

use super::{Named, Server, warn_of};
use crate::{
    cli::{Failure, client::refused, print},
    proto::RollbackRequest,
};

#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    server: Server,
    #[command(flatten)]
    named: Named,
}

/// Rolls back and prints which version answers now.
pub async fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut client = arguments.server.connect().await?;
    let request = RollbackRequest { target: Some(arguments.named.target()) };
    let rolled_back = client.rollback(request).await.map_err(refused)?.into_inner();
    warn_of(&rolled_back.not_persisted);
    let (name, now, before) = (&arguments.named.name, rolled_back.version, rolled_back.rolled_back_version);
    print(&format!("{name}: version {now} answers again in place of {before}, and is pinned\n"))
}
