//! Texts to values; errors state what would be valid, and follow "must be".

use std::{net::SocketAddr, num::NonZero, str::FromStr, thread, time::Duration};

use super::ShowProgress;
use crate::budget;

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Human,
    Json,
}

/// An address with its port.
pub fn address(text: &str) -> Result<SocketAddr, String> {
    let spelled = text.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
    spelled
        .as_deref()
        .unwrap_or(text)
        .parse()
        .map_err(|_| "an address with a port, 127.0.0.1:50051 or the like".to_owned())
}

/// A number from 1.
pub fn positive<T: FromStr + Default + PartialEq>(text: &str) -> Result<T, String> {
    let number = text.replace('_', "").parse().ok().filter(|number| *number != T::default());
    number.ok_or_else(|| "a number from 1".to_owned())
}

/// A number of threads; 0 is one for each core.
pub fn threads(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Ok(thread::available_parallelism().map_or(1, NonZero::get)),
        Ok(count) if count <= 1024 => Ok(count),
        _ => Err("a number from 0 to 1024".to_owned()),
    }
}

/// A number of loading threads; 0 is half the cores, at least 1.
pub fn load_threads(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Ok((threads("0")? / 2).max(1)),
        _ => threads(text),
    }
}

/// A size, or a share of the memory that the process can have; 0 is no limit.
pub fn memory_budget(text: &str) -> Result<Option<u64>, String> {
    let expected =
        || "a size such as 20GiB, a share of the memory from 1% to 100%, or 0 for no limit".to_owned();
    let Some(share) = text.strip_suffix('%') else {
        return any_size(text).map(|bytes| (bytes > 0).then_some(bytes)).map_err(|_| expected());
    };
    let share: Option<u64> = share.trim().parse().ok().filter(|share| (1..=100).contains(share));
    let share = share.ok_or_else(expected)?;
    Ok(budget::available_memory().map(|bytes| bytes / 100 * share))
}

/// A number of bytes from 1.
pub fn size(text: &str) -> Result<usize, String> {
    let bytes = any_size(text)?;
    usize::try_from(bytes).ok().filter(|&bytes| bytes > 0).ok_or_else(|| "a size from 1 byte".to_owned())
}

/// A number of bytes.
pub fn any_size(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, u64); 4] = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("B", 1)];
    let unit = UNITS.into_iter().find_map(|(name, bytes)| Some((text.strip_suffix(name)?, bytes)));
    let (number, bytes) = unit.unwrap_or((text, 1));
    let number: Option<u64> = number.trim().replace('_', "").parse().ok();
    let size = number.and_then(|number| number.checked_mul(bytes));
    size.ok_or_else(|| "a size: a number of bytes, or with KiB, MiB or GiB".to_owned())
}

/// A time with its unit.
pub fn duration(text: &str) -> Result<Duration, String> {
    const UNITS: [(&str, u64); 3] = [("ms", 1), ("s", 1_000), ("min", 60_000)];
    let found = UNITS.into_iter().find_map(|(name, millis)| {
        let number: u64 = text.strip_suffix(name)?.trim().parse().ok()?;
        number.checked_mul(millis)
    });
    found.map(Duration::from_millis).ok_or_else(|| "a time with its unit: 500ms, 30s or 2min".to_owned())
}

/// A time above 0 with its unit, or off.
pub fn watch(text: &str) -> Result<Option<Duration>, String> {
    match text {
        "off" => Ok(None),
        _ => match duration(text) {
            Ok(time) if !time.is_zero() => Ok(Some(time)),
            _ => Err("a time above 0 with its unit, such as 5s, or off".to_owned()),
        },
    }
}

/// On or off.
pub fn switch(text: &str) -> Result<bool, String> {
    match text {
        "" | "false" | "0" => Ok(false),
        "true" | "1" => Ok(true),
        _ => Err("true or false".to_owned()),
    }
}

/// A log format's name.
pub fn log_format(text: &str) -> Result<LogFormat, String> {
    match text {
        "human" => Ok(LogFormat::Human),
        "json" => Ok(LogFormat::Json),
        _ => Err("human or json".to_owned()),
    }
}

/// A filter of log lines.
pub fn filter(text: &str) -> Result<String, String> {
    let parsed = tracing_subscriber::EnvFilter::builder().parse(text);
    parsed.map(|_| text.to_owned()).map_err(|_| "a level, or levels by target: quiver=debug,info".to_owned())
}

/// When bars are shown.
pub fn progress(text: &str) -> Result<ShowProgress, String> {
    match text {
        "auto" => Ok(ShowProgress::Auto),
        "always" => Ok(ShowProgress::Always),
        "never" => Ok(ShowProgress::Never),
        _ => Err("auto, always or never".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        let cases = [("0", Some(0)), ("1_000", Some(1000)), ("2KiB", Some(2048)), ("3 MiB", Some(3 << 20))];
        let wrong = [("", None), ("-1", None), ("1MB", None), ("99999999999GiB", None)];
        for (text, expected) in cases.into_iter().chain(wrong) {
            assert_eq!(any_size(text).ok(), expected, "{text:?}");
        }
    }

    #[test]
    fn memory_budgets() {
        assert_eq!(memory_budget("0"), Ok(None));
        assert_eq!(memory_budget("3GiB"), Ok(Some(3 << 30)));
        let (half, all) = (memory_budget("50%").expect("a share"), memory_budget("100%").expect("all"));
        assert!(half < all || all.is_none());
        assert!(["", "0%", "101%", "-1%", "much"].iter().all(|text| memory_budget(text).is_err()));
    }

    #[test]
    fn times() {
        let cases =
            [("500ms", Some(500)), ("30s", Some(30_000)), ("2min", Some(120_000)), ("30", None), ("s", None)];
        for (text, expected) in cases {
            assert_eq!(duration(text).ok(), expected.map(Duration::from_millis), "{text:?}");
        }
    }

    #[test]
    fn watches() {
        assert_eq!(watch("off"), Ok(None));
        assert_eq!(watch("5s"), Ok(Some(Duration::from_secs(5))));
        assert!(["0s", "5", "never"].iter().all(|text| watch(text).is_err()));
    }

    #[test]
    fn addresses() {
        assert!(["127.0.0.1:0", "[::]:50051", "localhost:1"].iter().all(|text| address(text).is_ok()));
        assert!(["127.0.0.1", "50051", "host:1"].iter().all(|text| address(text).is_err()));
    }
}
