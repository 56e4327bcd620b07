//! nginx as a target: an independent server with an access log of its own.

use std::collections::BTreeMap;
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::wait_for;

/// Attempts to find a port; another process may take a free one first.
const ATTEMPTS: usize = 10;

/// Paths of the program. Debian keeps it in a folder that only root has on the PATH.
const PROGRAMS: [&str; 2] = ["nginx", "/usr/sbin/nginx"];

/// A running nginx. Dropping it stops it.
pub struct Nginx {
    child: Child,
    folder: TempDir,
    addr: SocketAddr,
    tls: bool,
}

/// One line of the access log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// The status of the reply.
    pub status: u16,
    /// Length of the reply's body in bytes.
    pub body_bytes: u64,
    /// `GET /path HTTP/1.1`.
    pub request: String,
}

impl Nginx {
    /// Serves these `location` blocks without TLS.
    pub fn start(locations: &str) -> Self {
        Self::serve(locations, None)
    }

    /// Serves these `location` blocks over TLS, with a self-signed certificate for `127.0.0.1`, and over HTTP/2 if the
    /// client asks for it.
    pub fn start_tls(locations: &str) -> Self {
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
        Self::start_with_certificate(locations, &(made.cert.pem(), made.signing_key.serialize_pem()))
    }

    /// Serves as [`Self::start_tls`] does, with this certificate and its key, both in PEM.
    pub fn start_with_certificate(locations: &str, certificate: &(String, String)) -> Self {
        Self::serve(locations, Some(certificate))
    }

    fn serve(locations: &str, certificate: Option<&(String, String)>) -> Self {
        let (folder, tls) = (TempDir::new().expect("a temporary folder"), certificate.is_some());
        if let Some((certificate, key)) = certificate {
            fs::write(folder.path().join("cert.pem"), certificate).expect("a certificate file");
            fs::write(folder.path().join("key.pem"), key).expect("a key file");
        }
        for _ in 0..ATTEMPTS {
            let addr = free_port();
            fs::write(folder.path().join("nginx.conf"), configuration(addr, locations, tls)).expect("a config file");
            let mut child = spawn(folder.path());
            // nginx writes its process number once it listens.
            let pid = folder.path().join("nginx.pid");
            let mut ended = false;
            wait_for("nginx to listen", || {
                ended = child.try_wait().expect("nginx can be waited for").is_some();
                ended || fs::read(&pid).is_ok_and(|number| !number.is_empty())
            });
            if !ended {
                return Self { child, folder, addr, tls };
            }
            let why = fs::read_to_string(folder.path().join("error.log")).unwrap_or_default();
            assert!(why.contains("Address already in use"), "nginx did not start: {why}");
        }
        panic!("no port stayed free for nginx");
    }

    /// Returns `http://host:port` or `https://host:port`.
    pub fn base_url(&self) -> String {
        format!("{}://{}", if self.tls { "https" } else { "http" }, self.addr)
    }

    /// Returns the path of the certificate that a server with TLS presents.
    pub fn certificate(&self) -> PathBuf {
        self.folder.path().join("cert.pem")
    }

    /// Waits until the log has `expected` lines or more, stops the server and returns the log.
    ///
    /// # Panics
    /// The log never has that many lines.
    #[track_caller]
    pub fn log(self, expected: u64) -> Vec<Logged> {
        let file = self.folder.path().join("access.log");
        let read = || fs::read_to_string(&file).unwrap_or_default();
        wait_for("nginx to have logged every request", || read().lines().count() as u64 >= expected);
        let file = file.clone();
        let folder = self.stop();
        let text = fs::read_to_string(&file).expect("nginx has written a log");
        drop(folder);
        text.lines().map(Logged::parse).collect()
    }

    fn stop(mut self) -> TempDir {
        self.kill();
        std::mem::replace(&mut self.folder, TempDir::new().expect("a temporary folder"))
    }

    fn kill(&mut self) {
        // If the process has ended on its own, nothing is left to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Logged {
    fn parse(line: &str) -> Self {
        let mut parts = line.splitn(3, ' ');
        let mut next = || parts.next().unwrap_or_default();
        Self {
            status: next().parse().unwrap_or_else(|_| panic!("a status begins the line `{line}`")),
            body_bytes: next().parse().unwrap_or_else(|_| panic!("a size is second in the line `{line}`")),
            request: next().to_owned(),
        }
    }

    /// Counts the lines of a log by status.
    pub fn statuses(log: &[Self]) -> BTreeMap<u16, u64> {
        let mut statuses = BTreeMap::new();
        log.iter().for_each(|line| *statuses.entry(line.status).or_default() += 1);
        statuses
    }
}

/// Returns a port that was free a moment ago.
fn free_port() -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("a bound listener has an address")
}

fn spawn(folder: &Path) -> Child {
    let spawned = PROGRAMS.iter().find_map(|program| {
        let mut command = Command::new(program);
        command.args(["-e", "error.log", "-c", "nginx.conf", "-p"]).arg(folder);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()
    });
    spawned.expect("nginx is missing: install it (Debian and Ubuntu: `apt-get install nginx-light`)")
}

/// Returns the configuration: one process, which logs a request before it reads the next, and writes only into its own
/// folder.
fn configuration(addr: SocketAddr, locations: &str, tls: bool) -> String {
    let (listen, certificate) =
        if tls { ("ssl http2", "ssl_certificate cert.pem; ssl_certificate_key key.pem;") } else { ("", "") };
    format!(
        "daemon off; master_process off; pid nginx.pid;
events {{ worker_connections 4096; }}
http {{
    log_format counted '$status $body_bytes_sent $request';
    access_log access.log counted;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    keepalive_requests 1000000;
    server {{
        listen {addr} {listen};
        {certificate}
        {locations}
    }}
}}
"
    )
}
