//! How much memory the machine, or the control group that the process runs in, has.

use std::{fs, path::Path};

/// Bytes of memory that the process can have: the machine's or its control group's; none where neither is known.
pub fn available_memory() -> Option<u64> {
    [of_machine(&read("/proc/meminfo")), of_group()].into_iter().flatten().min()
}

/// Nothing where the file can't be read: then it says nothing about a limit.
fn read(file: impl AsRef<Path>) -> String {
    fs::read_to_string(file).unwrap_or_default()
}

/// The machine's memory in bytes, of `/proc/meminfo`.
fn of_machine(text: &str) -> Option<u64> {
    let kibibytes = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    kibibytes.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// The least limit of the control group and those above it; version 2 and version 1 of control groups.
fn of_group() -> Option<u64> {
    let text = read("/proc/self/cgroup");
    let of_version_2 = text.lines().find_map(|line| line.strip_prefix("0::"));
    let of_version_1 = text.lines().find_map(|line| line.split_once(":memory:"));
    let roots = [
        ("/sys/fs/cgroup", of_version_2, "memory.max"),
        ("/sys/fs/cgroup/memory", of_version_1.map(|(_, path)| path), "memory.limit_in_bytes"),
    ];
    let limits = roots.into_iter().filter_map(|(root, path, file)| {
        let root = Path::new(root);
        let inner = root.join(path?.trim_start_matches('/'));
        // In a container the path may be the host's; the root is then the group itself.
        let groups = inner.ancestors().take_while(|group| group.starts_with(root));
        groups.filter_map(|group| in_bytes(&read(group.join(file)))).min()
    });
    limits.min()
}

/// A limit as control groups write it; `max` is none.
fn in_bytes(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_as_the_system_writes_them() {
        assert_eq!(of_machine("MemFree: 3 kB\nMemTotal:       16 kB\n"), Some(16 << 10));
        assert_eq!(of_machine(""), None);
        assert_eq!(in_bytes("max\n"), None);
        assert_eq!(in_bytes("1073741824\n"), Some(1 << 30));
    }

    #[test]
    fn this_machine_has_memory() {
        if cfg!(target_os = "linux") {
            assert!(available_memory().is_some_and(|bytes| bytes > 64 << 20));
        }
    }
}
