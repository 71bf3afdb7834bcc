//! A connection to a running server, and its refusals in words.

use std::time::Duration;

use clap::Args;
use tonic::{
    Code, Status,
    transport::{Channel, Endpoint},
};
use tonic_types::StatusExt;

use super::Failure;
use crate::proto::feature_service_client::FeatureServiceClient;

/// The largest answer that is taken; the server has its own limit.
pub const MAX_ANSWER_BYTES: usize = 1 << 30;

/// Where the server is.
#[derive(Debug, Args)]
pub struct Server {
    /// The server's address
    #[arg(long, env = "QUIVER_SERVER", default_value = "http://127.0.0.1:50051")]
    server: String,
    /// Timeout in seconds
    #[arg(long, default_value_t = 10.0)]
    timeout: f64,
}

impl Server {
    /// Connects.
    pub async fn connect(&self) -> Result<FeatureServiceClient<Channel>, Failure> {
        let channel = channel(&self.server, self.timeout, "QUIVER_SERVER").await?;
        Ok(FeatureServiceClient::new(channel).max_decoding_message_size(MAX_ANSWER_BYTES))
    }
}

/// Connects to what `--server` or the environment's `variable` says.
pub async fn channel(server: &str, timeout: f64, variable: &str) -> Result<Channel, Failure> {
    let address = if server.contains("://") { server.to_owned() } else { format!("http://{server}") };
    let timeout = Duration::try_from_secs_f64(timeout)
        .map_err(|_| Failure::Usage("--timeout: must be a number of seconds from 0".to_owned()))?;
    let endpoint = Endpoint::from_shared(address.clone())
        .map_err(|error| Failure::Usage(format!("--server: {address}: {error}")))?
        .connect_timeout(timeout)
        .timeout(timeout);
    endpoint.connect().await.map_err(|error| {
        let cause = std::error::Error::source(&error).map(|cause| format!(" ({cause})")).unwrap_or_default();
        let hint = format!("; --server or {variable} say where one is, `quiver serve` starts one");
        Failure::Failed(format!("{address}: no server answers there: {error}{cause}{hint}"))
    })
}

/// A refusal; of several violations each on a line of its own.
pub fn refused(status: Status) -> Failure {
    let code = code_name(status.code());
    let violations = status.get_details_bad_request().map(|details| details.field_violations);
    let violations = violations.unwrap_or_default();
    if violations.len() < 2 {
        return Failure::Failed(format!("{code}: {}", status.message()));
    }
    // The message repeats the first of them.
    let lines =
        violations.iter().map(|violation| format!("\n  {}: {}", violation.field, violation.description));
    Failure::Failed(format!("{code}:{}", lines.collect::<String>()))
}

/// The code as the table of errors writes it: `INVALID_ARGUMENT`.
fn code_name(code: Code) -> String {
    let mut name = String::new();
    for letter in format!("{code:?}").chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.extend(letter.to_uppercase());
    }
    name
}

/// Runs a client's few calls.
pub fn block_on<T>(calls: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(calls)
}

#[cfg(test)]
mod tests {
    use tonic_types::{ErrorDetails, FieldViolation};

    use super::*;

    #[test]
    fn violations_are_shown_once() {
        let shown = |fields: &[&str]| {
            let violations: Vec<FieldViolation> =
                fields.iter().map(|field| FieldViolation::new(*field, "is missing")).collect();
            let message =
                fields.iter().map(|field| format!("{field}: is missing")).collect::<Vec<_>>().join("; ");
            let details = ErrorDetails::with_bad_request(violations);
            let status = Status::with_error_details(Code::InvalidArgument, message, details);
            match refused(status) {
                Failure::Failed(text) => text,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(shown(&["a"]), "INVALID_ARGUMENT: a: is missing");
        assert_eq!(shown(&["a", "b"]), "INVALID_ARGUMENT:\n  a: is missing\n  b: is missing");
    }

    #[test]
    fn codes_have_their_written_names() {
        assert_eq!(code_name(Code::InvalidArgument), "INVALID_ARGUMENT");
        assert_eq!(code_name(Code::NotFound), "NOT_FOUND");
    }
}
