//! A real NATS server, and a client that says what no program of ours would say.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::wait_for;

/// Attempts to find a port; another process may take a free one first.
const ATTEMPTS: usize = 10;

/// Paths of the program. Debian keeps it in a folder that only root has on the PATH.
const PROGRAMS: [&str; 2] = ["nats-server", "/usr/sbin/nats-server"];

/// A running server with JetStream. Dropping it stops it.
pub struct NatsServer {
    child: Child,
    addr: SocketAddr,
    /// The folder of what it stores.
    _folder: TempDir,
}

/// A client that publishes what it is given, and reads what it has subscribed to.
pub struct NatsClient {
    reader: BufReader<TcpStream>,
}

impl NatsServer {
    /// Starts a server on a free port of the loopback address.
    ///
    /// # Panics
    /// The program is not installed, or does not start.
    pub fn start() -> Self {
        for _ in 0..ATTEMPTS {
            let folder = TempDir::new().expect("a temporary folder");
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
            let addr = listener.local_addr().expect("a bound listener has an address");
            drop(listener);
            let mut child = spawn(folder.path(), addr.port());
            let mut ended = false;
            wait_for("the NATS server to listen", || {
                ended = child.try_wait().expect("it can be waited for").is_some();
                ended || TcpStream::connect(addr).is_ok()
            });
            if !ended {
                return Self { child, addr, _folder: folder };
            }
        }
        panic!("no port stayed free for the NATS server");
    }

    /// Returns `nats://host:port`.
    pub fn url(&self) -> String {
        format!("nats://{}", self.addr)
    }

    /// Connects a client that has subscribed to a subject.
    ///
    /// # Panics
    /// The server does not answer.
    pub fn client(&self, subject: &str) -> NatsClient {
        let stream = TcpStream::connect(self.addr).expect("the server listens");
        let mut client = NatsClient { reader: BufReader::new(stream) };
        client.send(&format!("CONNECT {{\"verbose\":false}}\r\nSUB {subject} 1\r\nPING\r\n"));
        while client.line() != "PONG" {}
        client
    }
}

fn spawn(folder: &Path, port: u16) -> Child {
    let spawned = PROGRAMS.iter().find_map(|program| {
        let mut command = Command::new(program);
        command.args(["-a", "127.0.0.1", "-p", &port.to_string(), "-js", "-sd"]).arg(folder);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()
    });
    spawned.expect("nats-server is missing: install it (Debian and Ubuntu: `apt-get install nats-server`)")
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        // If the process has ended on its own, nothing is left to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl NatsClient {
    fn send(&mut self, text: &str) {
        self.reader.get_mut().write_all(text.as_bytes()).expect("the server reads");
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.reader.read_line(&mut line).expect("the server writes");
        assert!(!line.is_empty(), "the server has closed the connection");
        line.trim_end().to_owned()
    }

    /// Publishes a message.
    pub fn publish(&mut self, subject: &str, message: &Value) {
        let text = message.to_string();
        self.send(&format!("PUB {subject} {}\r\n{text}\r\n", text.len()));
    }

    /// Waits for the next message of the subject, which is JSON.
    ///
    /// # Panics
    /// It is not.
    pub fn next_message(&mut self) -> Value {
        loop {
            let line = self.line();
            if line == "PING" {
                self.send("PONG\r\n");
            }
            if line.starts_with("MSG ") {
                return serde_json::from_str(&self.line()).expect("the message is JSON");
            }
        }
    }
}
