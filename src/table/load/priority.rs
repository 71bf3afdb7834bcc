//! The loading threads' priority.

/// How much a loading thread yields to others: 0 is as usual, 19 the most.
#[cfg(target_os = "linux")]
const NICENESS: libc::c_int = 10;

/// Lowers the calling thread's priority for good: loading must not take the processor from serving. Where the system
/// refuses, loading is only less polite.
#[cfg(target_os = "linux")]
pub fn lower_priority() {
    // SAFETY: the call takes numbers only and changes nothing but the calling thread's niceness, which Linux has for each
    // thread.
    unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, NICENESS) };
}

/// Does nothing: elsewhere the whole process would be lowered.
#[cfg(not(target_os = "linux"))]
pub fn lower_priority() {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::thread;

    use super::*;

    /// The niceness of the calling thread.
    fn niceness() -> i64 {
        let stat = std::fs::read_to_string("/proc/thread-self/stat").expect("reads");
        let behind_the_name = stat.rsplit(')').next().expect("has fields");
        behind_the_name.split_whitespace().nth(16).expect("has a niceness").parse().expect("a number")
    }

    #[test]
    fn one_thread_is_lowered_and_no_other() {
        let before = niceness();
        let lowered = thread::spawn(|| {
            lower_priority();
            niceness()
        });
        assert_eq!(lowered.join().expect("ends"), i64::from(NICENESS).max(before));
        assert_eq!(niceness(), before);
    }
}
