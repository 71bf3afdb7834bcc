//! What goes wrong as gRPC statuses with google.rpc details.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt as _};

use crate::{problem::Problems, serve::outcome::Refusal};

/// Bytes of violations that one status carries: clients refuse headers of 8 or 16 KiB, and the details travel in one,
/// half as long again by its encoding.
const VIOLATION_BYTES: usize = 4096;

/// Bytes of a status's message, which names the first problems.
const MESSAGE_BYTES: usize = 512;

/// Bytes of the message for what is not found, which lists what is available and travels twice.
const NOT_FOUND_BYTES: usize = 1024;

/// The status of a refusal.
pub fn of_refusal(refusal: Refusal) -> Status {
    match refusal {
        Refusal::Invalid(problems) => invalid(&problems),
        Refusal::TooLarge(problems) => invalid(&problems),
        Refusal::NotFound(message) => {
            let message = shortened(&message, NOT_FOUND_BYTES);
            let details = ErrorDetails::with_resource_info("feature set", "", "", message.clone());
            Status::with_error_details(Code::NotFound, message, details)
        }
        Refusal::NotReady => Status::unavailable("nothing is served yet: the first snapshot is being loaded"),
        Refusal::DeadlineExceeded => deadline_exceeded(),
    }
}

/// INVALID_ARGUMENT with a violation for each problem; what would not fit in a header is counted.
pub fn invalid(problems: &Problems) -> Status {
    let mut violations = Vec::new();
    let mut bytes = 0;
    for problem in problems.iter() {
        let (path, message) =
            (shortened(&problem.path, VIOLATION_BYTES / 4), shortened(&problem.message, VIOLATION_BYTES / 2));
        bytes += path.len() + message.len();
        if bytes > VIOLATION_BYTES {
            break;
        }
        violations.push(FieldViolation::new(path, message));
    }
    let left = problems.len() - violations.len();
    if left > 0 {
        violations.push(FieldViolation::new("", format!("and {left} more problems")));
    }
    Status::with_error_details(
        Code::InvalidArgument,
        message_of(problems),
        ErrorDetails::with_bad_request(violations),
    )
}

/// The first problems in one line.
fn message_of(problems: &Problems) -> String {
    let mut message = String::new();
    for problem in problems.iter() {
        if message.len() > MESSAGE_BYTES {
            break;
        }
        if !message.is_empty() {
            message.push_str("; ");
        }
        message.push_str(&problem.to_string());
    }
    shortened(&message, MESSAGE_BYTES)
}

/// The caller's deadline passed.
pub fn deadline_exceeded() -> Status {
    Status::deadline_exceeded("the deadline passed before the answer was ready")
}

/// A bug: the caller gets an id, the log the cause.
pub fn internal(method: &str, cause: &str) -> Status {
    let id = format!("{:016x}", RandomState::new().build_hasher().finish());
    tracing::error!(id, method, cause, "a call failed by a bug");
    let details = ErrorDetails::with_request_info(id.clone(), "");
    Status::with_error_details(
        Code::Internal,
        format!("internal error {id}; details are in the server's log"),
        details,
    )
}

/// At most `bytes` bytes of a text.
fn shortened(text: &str, bytes: usize) -> String {
    if text.len() <= bytes {
        return text.to_owned();
    }
    let mut end = bytes;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}...", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_is_a_violation() {
        let mut problems = Problems::none();
        problems.add("columns[0].name", "there is no input \"é\"");
        problems.add("rows", "too many");
        let status = invalid(&problems);
        assert_eq!(status.code(), Code::InvalidArgument);
        let details = status.get_error_details();
        let violations = &details.bad_request().expect("violations").field_violations;
        assert_eq!(violations.len(), 2);
        assert_eq!(violations[1].field, "rows");
    }

    #[test]
    fn a_flood_of_problems_fits_a_header() {
        let mut problems = Problems::none();
        for position in 0..100_000 {
            problems.add(format!("columns[{position}].name"), "é".repeat(100));
        }
        let status = invalid(&problems);
        let response = status.into_http::<()>();
        let bytes: usize = response.headers().values().map(|value| value.len()).sum();
        assert!(bytes < 8000, "{bytes}");
    }
}
