//! The binary as a process of its own.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
};

use serde_json::Value;

/// A running server; it ends with the bench.
pub struct Server {
    process: Child,
    /// Where calls and writes go.
    pub listen: String,
    /// Where the admin service is.
    pub admin: String,
}

impl Server {
    /// Starts it on ports of its own, and waits until it serves.
    pub fn start(repository: PathBuf) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_quiver"))
            .args(["serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--log-format", "json"])
            .args(["--threads", "1", "--load-threads", "1", "--watch", "100ms", "--progress", "never"])
            .arg("--repository")
            .arg(repository)
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("starts");
        let mut lines = BufReader::new(process.stderr.take().expect("a pipe")).lines().map_while(Result::ok);
        let serving = lines
            .by_ref()
            .filter_map(|line| serde_json::from_str::<Value>(&line).ok())
            .find(|line| line["message"] == "serving")
            .expect("it serves");
        let address = |field: &str| format!("http://{}", serving[field].as_str().expect("an address"));
        let (listen, admin) = (address("listen"), address("admin"));
        // Warnings are shown; nobody reading would stop the server.
        thread::spawn(move || {
            lines.filter(|line| !line.contains("\"INFO\"")).for_each(|line| eprintln!("{line}"));
        });
        Self { process, listen, admin }
    }

    /// The most memory that it had at any time, in bytes.
    pub fn most_memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap_or_default();
        let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = most.and_then(|most| most.trim().trim_end_matches(" kB").parse::<u64>().ok());
        kib.unwrap_or_default() << 10
    }

    /// Ends it.
    pub fn stop(mut self) {
        self.process.kill().expect("it runs");
        self.process.wait().expect("it ends");
    }
}
