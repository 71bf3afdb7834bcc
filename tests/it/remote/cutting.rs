//! A proxy that cuts answers off in the middle.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread,
};

/// Bytes of an answer that still come.
const COMES: usize = 200_000;

/// Passes bytes on, but for the first answers with one object.
pub struct Cutting {
    pub endpoint: String,
    asked: Arc<Asked>,
}

#[derive(Default)]
struct Asked {
    object: String,
    /// Answers that are still to be cut off.
    cuts: AtomicU32,
    /// Where each request for the object wanted to begin.
    ranges: Mutex<Vec<Option<u64>>>,
}

impl Cutting {
    /// Starts in front of the server at `endpoint`; the first `cuts` answers with `object` are cut off.
    pub fn start(endpoint: &str, object: &str, cuts: u32) -> Self {
        let server = endpoint.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let asked = Arc::new(Asked { object: object.to_owned(), cuts: cuts.into(), ..Asked::default() });
        let shared = asked.clone();
        thread::spawn(move || {
            for client in listener.incoming() {
                let (client, server) =
                    (client.expect("a client"), TcpStream::connect(&server).expect("connects"));
                pass(client, server, shared.clone());
            }
        });
        Self { endpoint, asked }
    }

    /// Where each request for the object began; none for the whole.
    pub fn ranges(&self) -> Vec<Option<u64>> {
        self.asked.ranges.lock().expect("whole").clone()
    }
}

fn pass(client: TcpStream, server: TcpStream, asked: Arc<Asked>) {
    let (mut requests, mut to_server) =
        (client.try_clone().expect("clones"), server.try_clone().expect("clones"));
    let (mut answers, mut to_client) = (server, client);
    let is_cut = Arc::new(AtomicBool::new(false));
    let cut = is_cut.clone();
    thread::spawn(move || {
        let mut bytes = vec![0; 1 << 16];
        while let Ok(read @ 1..) = requests.read(&mut bytes) {
            asked.note(&String::from_utf8_lossy(&bytes[..read]), &cut);
            if to_server.write_all(&bytes[..read]).is_err() {
                break;
            }
        }
        let _ = to_server.shutdown(Shutdown::Both);
    });
    thread::spawn(move || {
        let (mut bytes, mut passed) = (vec![0; 1 << 14], 0);
        while let Ok(read @ 1..) = answers.read(&mut bytes) {
            passed = if is_cut.load(Ordering::SeqCst) { passed + read } else { 0 };
            if passed > COMES || to_client.write_all(&bytes[..read]).is_err() {
                break;
            }
        }
        let _ = to_client.shutdown(Shutdown::Both);
    });
}

impl Asked {
    /// Notes a request for the object, and whether its answer is to be cut off. Requests of tests fit into one read.
    fn note(&self, request: &str, cut: &AtomicBool) {
        if !request.starts_with("GET ")
            || !request.lines().next().is_some_and(|line| line.contains(&self.object))
        {
            return;
        }
        let range = request.to_ascii_lowercase();
        let range =
            range.split("range: bytes=").nth(1).and_then(|range| range.split('-').next()?.parse().ok());
        self.ranges.lock().expect("whole").push(range);
        let left = self.cuts.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |cuts| cuts.checked_sub(1));
        cut.store(left.is_ok(), Ordering::SeqCst);
    }
}
