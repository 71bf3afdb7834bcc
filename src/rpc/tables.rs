//! TableService: rows from their messages to a table's writer, and its answers.

use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::time;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use super::{decode, response::framed, status};
use crate::{
    metrics::Method,
    proto,
    writes::{
        Done, Refusal, Waiting, Writers,
        sent::{Kind, Sent},
    },
};

/// The most values of one column of a write: of a megabyte of zeros each can be one.
const VALUES: usize = 16 << 20;

/// How long a call waits for room before it is refused, and between looks.
const PATIENCE: Duration = Duration::from_millis(100);
const PAUSE: Duration = Duration::from_millis(2);

/// The delay that RetryInfo asks of a client.
const RETRY: Duration = Duration::from_millis(200);

/// Reads one message: the table's name and the rows.
pub fn read(method: Method, message: &Bytes) -> Result<(String, Sent), Status> {
    let read = match method {
        Method::Upsert => decode::write(message, Kind::Upsert, VALUES),
        Method::Delete => decode::write(message, Kind::Delete, VALUES),
        Method::Append => decode::write(message, Kind::Append { cap: 0 }, VALUES),
        _ => decode::stream_write(message, VALUES),
    };
    read.map_err(|problems| status::invalid(&problems))
}

/// Waits until a table's writer has room, within the deadline and for a short time.
pub async fn wait_for_room(writers: &Writers, table: &str, deadline: Option<Instant>) {
    let patience = Instant::now() + PATIENCE;
    let patience = deadline.map_or(patience, |deadline| deadline.min(patience));
    while !writers.has_room(table) && Instant::now() < patience {
        time::sleep(PAUSE).await;
    }
}

/// Hands rows over to a table's writer.
pub fn begin(writers: &Writers, table: &str, sent: Sent) -> Result<Waiting, Status> {
    writers.write(table, sent).map_err(of_refusal)
}

/// The framed answer, once the rows are visible.
pub async fn finish(waiting: Waiting) -> Result<Bytes, Status> {
    let done = waiting.await.map_err(|_| of_refusal(Refusal::NotReady))?;
    let Done { applied, ignored, durable, table_version } = done.map_err(of_refusal)?;
    let (applied, ignored) = (applied as u64, ignored as u64);
    Ok(framed(&proto::WriteResponse { applied, ignored, durable, table_version }))
}

fn of_refusal(refusal: Refusal) -> Status {
    match refusal {
        Refusal::Invalid(problems) => status::invalid(&problems),
        Refusal::NotFound(message) => {
            let details = ErrorDetails::with_resource_info("table", "", "", message.clone());
            Status::with_error_details(Code::NotFound, message, details)
        }
        Refusal::NotReady => Status::unavailable("no table takes writes now; call again"),
        Refusal::Busy => exhausted("too many rows wait to be written; try again".to_owned()),
        Refusal::NoMemory(message) => exhausted(message),
        Refusal::Journal(cause) => status::internal("TableService", &format!("the journal: {cause}")),
    }
}

fn exhausted(message: String) -> Status {
    Status::with_error_details(Code::ResourceExhausted, message, ErrorDetails::with_retry_info(Some(RETRY)))
}
