//! `quiver admin`: versions and traffic of a running server.

use clap::{Args, Subcommand};
use tonic::transport::Channel;

use super::{
    Failure,
    client::{self, MAX_ANSWER_BYTES, block_on},
};
use crate::proto::{self, admin_service_client::AdminServiceClient, target::Name};

mod json;
mod reload;
mod rollback;
mod traffic;
mod versions;

#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Shows every version on disk and in memory: state, share of the traffic, memory, problems
    Versions(versions::Arguments),
    /// Looks for new and removed versions and policies now, and tries those again that failed
    Reload(reload::Arguments),
    /// Sets which version answers: the latest, a pinned one, or several by weight; and what is computed beside them
    Traffic(traffic::Arguments),
    /// Returns to the version that answered before, and pins it
    Rollback(rollback::Arguments),
}

/// Runs one of the commands.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    block_on(async {
        match &arguments.command {
            Command::Versions(arguments) => versions::run(arguments).await,
            Command::Reload(arguments) => reload::run(arguments).await,
            Command::Traffic(arguments) => traffic::run(arguments).await,
            Command::Rollback(arguments) => rollback::run(arguments).await,
        }
    })
}

/// Where the server's admin port is.
#[derive(Debug, Args)]
struct Server {
    /// The server's admin address
    #[arg(long, env = "QUIVER_ADMIN_SERVER", default_value = "http://127.0.0.1:9464")]
    server: String,
    /// Timeout in seconds; a reload answers when all versions are loaded
    #[arg(long, default_value_t = 3600.0)]
    timeout: f64,
}

impl Server {
    async fn connect(&self) -> Result<AdminServiceClient<Channel>, Failure> {
        let channel = client::channel(&self.server, self.timeout, "QUIVER_ADMIN_SERVER").await?;
        Ok(AdminServiceClient::new(channel).max_decoding_message_size(MAX_ANSWER_BYTES))
    }
}

/// What a command is about.
#[derive(Debug, Args)]
struct Named {
    /// The feature set's name, or with --table the table's
    name: String,
    /// The name is a table's
    #[arg(long)]
    table: bool,
}

impl Named {
    fn target(&self) -> proto::Target {
        let name = self.name.clone();
        let name = if self.table { Name::Table(name) } else { Name::FeatureSet(name) };
        proto::Target { name: Some(name) }
    }
}

/// Reports a policy that is in force and not written.
fn warn_of(not_persisted: &str) {
    if !not_persisted.is_empty() {
        eprintln!("warning: in force until the server ends, but not written: {not_persisted}");
    }
}
