//! What is loaded: one nginx in one process, on free ports of this machine. It also counts, so that every client is
//! measured by the same counter, and none by its own.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread;
use std::time::Duration;

use super::lab::Lab;
use super::process::{end, now, on_cores, open_files, spawn, why};
use super::tools::Tool;
use crate::step::{self, Failure};

/// What it replies, JSON of 128 bytes.
const PADDING: usize = 72;

/// The size of the file under [`Target::file_url`].
pub const FILE_BYTES: usize = 5_000_000;

/// More connections than any section opens.
const CONNECTIONS: u64 = 20_000;

/// nginx has this long to listen, and to reply to a question about its counters.
const PATIENCE: Duration = Duration::from_secs(10);

/// An nginx that serves. Dropping it ends it.
pub struct Target {
    process: Option<Child>,
    ports: [u16; 3],
    /// All that it writes. Several may serve at a time, each with a folder of its own.
    folder: PathBuf,
}

/// What nginx has counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// Connections accepted.
    pub connections: u64,
    /// Requests read.
    pub requests: u64,
}

impl Target {
    /// Starts it on a core, or wherever there is room, and waits until it replies. `secure` has it speak TLS as well.
    pub fn start(lab: &Lab, core: Option<&str>, secure: bool) -> Result<Self, Failure> {
        if secure {
            write_certificate(lab)?;
        }
        lab.write("file", &vec![b'x'; FILE_BYTES])?;
        let nginx = lab.path(Tool::Nginx)?;
        // Another program may take a port between its choice and its use.
        let attempt = || Self::attempt(lab, on_cores(nginx, core), secure);
        attempt().or_else(|_| attempt())
    }

    fn attempt(lab: &Lab, mut command: Command, secure: bool) -> Result<Self, Failure> {
        let ports = free_ports().map_err(|error| Failure(format!("there is no free port: {error}")))?;
        let folder = lab.folder().join(format!("nginx-{}", ports[0]));
        let mut target = Self { process: None, ports, folder };
        let log = target.folder.join("stderr.log");
        let written = fs::create_dir_all(&target.folder)
            .and_then(|()| fs::write(target.folder.join("nginx.conf"), configuration(lab.folder(), ports, secure)));
        written.map_err(|error| Failure(format!("cannot write into `{}`: {error}", target.folder.display())))?;
        command.args(["-e", "error.log", "-c", "nginx.conf", "-p"]).arg(&target.folder);
        target.process = Some(spawn(&mut command, &log)?);
        target.wait_until_ready(&log)?;
        Ok(target)
    }

    fn wait_until_ready(&mut self, log: &Path) -> Result<(), Failure> {
        let start = now();
        while self.count().is_err() {
            let ended = self.process.as_mut().is_none_or(|process| !matches!(process.try_wait(), Ok(None)));
            if ended || start.elapsed() > PATIENCE {
                return Err(Failure(format!("nginx does not serve: {}", why(log))));
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// Where the reply is had over plain HTTP/1.1.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.ports[0])
    }

    /// Where it is had over TLS, with HTTP/1.1.
    pub fn tls_url(&self) -> String {
        format!("https://127.0.0.1:{}/", self.ports[1])
    }

    /// Where it is had over TLS, with HTTP/2.
    pub fn h2_url(&self) -> String {
        format!("https://127.0.0.1:{}/", self.ports[2])
    }

    /// Where a file of [`FILE_BYTES`] is had.
    pub fn file_url(&self) -> String {
        format!("{}file", self.url())
    }

    /// What it has counted so far, this question included.
    pub fn count(&self) -> Result<Count, Failure> {
        let failed = |error| Failure(format!("nginx does not say what it counted: {error}"));
        let status = self.status().map_err(failed)?;
        parse(&status).ok_or_else(|| Failure(format!("nginx counts in another way: {status}")))
    }

    fn status(&self) -> io::Result<String> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.ports[0]));
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(b"GET /status HTTP/1.0\r\n\r\n")?;
        let mut reply = String::new();
        stream.read_to_string(&mut reply)?;
        Ok(reply)
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        self.process.take().into_iter().for_each(end);
        // What is left of it is in nobody's way.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Count {
    /// What came since an earlier count, the question that ends it not included.
    pub fn since(self, earlier: Self) -> Self {
        Self {
            connections: (self.connections - earlier.connections).saturating_sub(1),
            requests: (self.requests - earlier.requests).saturating_sub(1),
        }
    }
}

/// Ports that were free a moment ago, all different.
fn free_ports() -> io::Result<[u16; 3]> {
    let bind = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let listeners = [bind()?, bind()?, bind()?];
    let mut ports = [0; 3];
    for (port, listener) in ports.iter_mut().zip(&listeners) {
        *port = listener.local_addr()?.port();
    }
    Ok(ports)
}

/// The third line of a status page: connections accepted, handled, requests.
fn parse(status: &str) -> Option<Count> {
    let figures = status.lines().skip_while(|line| !line.starts_with("server accepts")).nth(1)?;
    let mut figures = figures.split_whitespace().map(|figure| figure.parse().ok());
    Some(Count { connections: figures.next()??, requests: figures.nth(1)?? })
}

/// One process, so that ending it ends all of it. What it serves is in `folder`.
fn configuration(folder: &Path, ports: [u16; 3], secure: bool) -> String {
    let [plain, tls, h2] = ports;
    let connections = open_files().min(CONNECTIONS) - 50;
    let reply = format!(r#"{{"message":"hello","service":"bench","ok":true,"pad":"{}"}}"#, "x".repeat(PADDING));
    let folder = folder.display();
    let server = |listen: &str| {
        format!("server {{ listen 127.0.0.1:{listen} backlog=65535; location / {{ return 200 '{reply}'; }}")
    };
    let secured = if secure {
        let certificate = format!("ssl_certificate '{folder}/cert.pem'; ssl_certificate_key '{folder}/key.pem'; }}");
        format!("{} {certificate}\n{} {certificate}", server(&format!("{tls} ssl")), server(&format!("{h2} ssl http2")))
    } else {
        String::new()
    };
    format!(
        "daemon off; master_process off; pid nginx.pid;
events {{ worker_connections {connections}; multi_accept on; }}
http {{
    access_log off; default_type application/json; sendfile on; tcp_nodelay on;
    keepalive_requests 1000000000; keepalive_timeout 1h;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    {}
        location = /status {{ stub_status; }}
        location = /file {{ root '{folder}'; }}
    }}
    {secured}
}}
",
        server(&plain.to_string())
    )
}

fn write_certificate(lab: &Lab) -> Result<(), Failure> {
    let mut openssl = Command::new(lab.path(Tool::Openssl)?);
    openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "7"]);
    openssl.args(["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]);
    openssl.args(["-keyout", "key.pem", "-out", "cert.pem"]).current_dir(lab.folder());
    step::output("certificate", &mut openssl).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUS: &str = "HTTP/1.1 200 OK\r\nServer: nginx\r\n\r\nActive connections: 2 \nserver accepts handled requests\n \
                          16 15 801 \nReading: 0 Writing: 1 Waiting: 1 \n";

    #[test]
    fn the_status_page_tells_connections_and_requests() {
        assert_eq!(parse(STATUS), Some(Count { connections: 16, requests: 801 }));
        assert_eq!(parse("HTTP/1.1 404 Not Found\r\n"), None);
        assert_eq!(parse("server accepts handled requests\n 1 2"), None);
    }

    #[test]
    fn the_question_is_not_counted() {
        let (before, after) = (Count { connections: 5, requests: 5 }, Count { connections: 70, requests: 1006 });
        assert_eq!(after.since(before), Count { connections: 64, requests: 1000 });
    }

    #[test]
    fn the_reply_has_128_bytes() {
        let configuration = configuration(Path::new("folder"), [1, 2, 3], true);
        let reply = configuration.split('\'').nth(1).unwrap();
        assert_eq!(reply.len(), 128);
        assert_eq!(configuration.matches('{').count(), configuration.matches('}').count());
    }
}
