//! The caller's deadline, as `grpc-timeout` states it.

use std::time::{Duration, Instant};

use http::HeaderMap;

/// When the call is over, counted from now; none without a timeout, or with one that can't be read.
pub fn deadline(headers: &HeaderMap) -> Option<Instant> {
    let timeout = parse(headers.get("grpc-timeout")?.to_str().ok()?)?;
    Instant::now().checked_add(timeout)
}

/// At most eight digits and a unit.
fn parse(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let count: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(count * 3600)),
        "M" => Some(Duration::from_secs(count * 60)),
        "S" => Some(Duration::from_secs(count)),
        "m" => Some(Duration::from_millis(count)),
        "u" => Some(Duration::from_micros(count)),
        "n" => Some(Duration::from_nanos(count)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_unit_and_rejects_the_rest() {
        let good =
            [("1H", 3_600_000), ("2M", 120_000), ("3S", 3000), ("45m", 45), ("7000u", 7), ("8000000n", 8)];
        for (text, millis) in good {
            assert_eq!(parse(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "S", "1", "1x", "-1S", "123456789S", "1 S", "é"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
