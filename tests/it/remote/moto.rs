//! moto's server: S3 on a free port, in a Python environment of its own.

use std::{
    env,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
};

const PACKAGE: &str = "moto[s3,server]==5.2.5";

pub struct Moto {
    pub endpoint: String,
    /// Its output is read no further; it must stay open.
    _process: Child,
}

impl Moto {
    /// One server for all tests; none where it can't be had, which is said aloud, and a failure where
    /// `QUIVER_REQUIRE_MOTO` is set.
    pub fn shared() -> Option<&'static Self> {
        static MOTO: OnceLock<Option<Moto>> = OnceLock::new();
        let moto = MOTO.get_or_init(|| match Self::start() {
            Ok(moto) => Some(moto),
            Err(why) => {
                let required = env::var_os("QUIVER_REQUIRE_MOTO").is_some_and(|value| !value.is_empty());
                assert!(!required, "QUIVER_REQUIRE_MOTO is set: {why}");
                eprintln!("object stores were not tested: {why}");
                None
            }
        });
        moto.as_ref()
    }

    fn start() -> Result<Self, String> {
        let server = install()?;
        let mut process = Command::new(&server)
            .args(["-H", "127.0.0.1", "-p", "0"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{}: {error}", server.display()))?;
        end_with_tests(&process);
        let output = process.stderr.take().ok_or("no output")?;
        let mut lines = BufReader::new(output).lines();
        let address = lines.find_map(|line| Some(line.ok()?.split_once("Running on ")?.1.trim().to_owned()));
        // It would end at a closed pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(Self { endpoint: address.ok_or("moto's server did not start")?, _process: process })
    }

    pub fn make_bucket(&self, name: &str) {
        let address = self.endpoint.trim_start_matches("http://");
        let mut connection = TcpStream::connect(address).expect("connects");
        let request = format!(
            "PUT /{name} HTTP/1.1\r\nHost: {address}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
        connection.write_all(request.as_bytes()).expect("writes");
        let mut answer = String::new();
        connection.read_to_string(&mut answer).expect("answers");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}

/// Nothing drops a static: a shell ends the server once this process, whose end of a pipe it holds, is gone.
fn end_with_tests(process: &Child) {
    let waits = format!("read -r _; kill {}", process.id());
    let watcher = Command::new("sh")
        .args(["-c", &waits])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("starts a shell");
    // Its standard input closes with this process.
    std::mem::forget(watcher);
}

/// The server's program, installed on first use.
fn install() -> Result<PathBuf, String> {
    let environment = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/moto");
    let server = environment.join("bin/moto_server");
    if !server.exists() {
        let folder = environment.display().to_string();
        run("python3", &["-m", "venv", &folder])?;
        run(&format!("{folder}/bin/pip"), &["install", "-q", "--disable-pip-version-check", PACKAGE])?;
    }
    Ok(server)
}

fn run(program: &str, arguments: &[&str]) -> Result<(), String> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("{program}: {error}"))?;
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    output.status.success().then_some(()).ok_or(format!("{program}: {errors}"))
}
