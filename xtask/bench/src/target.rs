//! The target: one nginx in one process, on free ports of this machine. Its own counter measures every client, and no
//! client's counter is used.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use ureq::Agent;
use xtask::step;

use crate::process::{end, now, on_cores, open_files, reason, spawn};
use crate::setup::Setup;
use crate::tools::Tool;

/// The padding that makes the reply, which is JSON, 128 bytes long.
const PADDING: usize = 72;

/// The size of the file under [`Target::file_url`].
pub(crate) const FILE_BYTES: usize = 5_000_000;

/// More connections than any section opens.
const CONNECTIONS: u64 = 20_000;

/// The time that a target has to listen, and to reply to a question about its counters.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running nginx. Dropping it ends the process.
pub(crate) struct Target {
    process: Option<Child>,
    ports: [u16; 3],
    /// The folder of all files that nginx writes. Several may run at a time, each with a folder of its own.
    folder: PathBuf,
}

/// The counters of nginx.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Count {
    /// The number of accepted connections.
    pub(crate) connections: u64,
    /// The number of requests read.
    pub(crate) requests: u64,
}

impl Target {
    /// Starts nginx on one core or on all, and waits until it replies. With `secure` it speaks TLS as well.
    pub(crate) fn start(setup: &Setup, core: Option<&str>, secure: bool) -> Result<Self> {
        if secure {
            write_certificate(setup)?;
        }
        setup.write("file", vec![b'x'; FILE_BYTES])?;
        let nginx = setup.path(Tool::Nginx)?;
        // Another program may take a port between its choice and its use.
        let attempt = || Self::attempt(setup, on_cores(nginx, core), secure);
        attempt().or_else(|_| attempt())
    }

    fn attempt(setup: &Setup, mut command: Command, secure: bool) -> Result<Self> {
        let ports = free_ports().context("there is no free port")?;
        let folder = setup.folder().join(format!("nginx-{}", ports[0]));
        let mut target = Self { process: None, ports, folder };
        let log = target.folder.join("stderr.log");
        fs::create_dir_all(&target.folder)
            .and_then(|()| fs::write(target.folder.join("nginx.conf"), configuration(setup.folder(), ports, secure)))
            .with_context(|| format!("cannot write into `{}`", target.folder.display()))?;
        command.args(["-e", "error.log", "-c", "nginx.conf", "-p"]).arg(&target.folder);
        target.process = Some(spawn(&mut command, &log)?);
        target.wait_until_ready(&log)?;
        Ok(target)
    }

    fn wait_until_ready(&mut self, log: &Path) -> Result<()> {
        let start = now();
        while self.count().is_err() {
            let ended = self.process.as_mut().is_none_or(|process| !matches!(process.try_wait(), Ok(None)));
            if ended || start.elapsed() > PATIENCE {
                bail!("nginx does not serve: {}", reason(log));
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// Returns the URL of the reply over plain HTTP/1.1.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.ports[0])
    }

    /// Returns the URL of the reply over TLS, with HTTP/1.1.
    pub(crate) fn tls_url(&self) -> String {
        format!("https://127.0.0.1:{}/", self.ports[1])
    }

    /// Returns the URL of the reply over TLS, with HTTP/2.
    pub(crate) fn h2_url(&self) -> String {
        format!("https://127.0.0.1:{}/", self.ports[2])
    }

    /// Returns the URL of a file of [`FILE_BYTES`].
    pub(crate) fn file_url(&self) -> String {
        format!("{}file", self.url())
    }

    /// Returns the counters so far, which include this question.
    pub(crate) fn count(&self) -> Result<Count> {
        let status = get(&format!("{}status", self.url())).context("nginx does not tell its counters")?;
        parse(&status).with_context(|| format!("the counters of nginx have another form: {status}"))
    }
}

/// Returns the content of a reply. Each question has a connection of its own.
pub(crate) fn get(url: &str) -> Result<String> {
    let agent: Agent = Agent::config_builder().proxy(None).timeout_global(Some(PATIENCE)).build().into();
    Ok(agent.get(url).call()?.body_mut().read_to_string()?)
}

impl Drop for Target {
    fn drop(&mut self) {
        self.process.take().into_iter().for_each(end);
        // A folder that cannot be removed does no harm.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Count {
    /// Returns the difference to an earlier count, without the question that this count was read by.
    pub(crate) fn since(self, earlier: Self) -> Self {
        Self {
            connections: (self.connections - earlier.connections).saturating_sub(1),
            requests: (self.requests - earlier.requests).saturating_sub(1),
        }
    }
}

/// Returns ports that were free a moment ago, all different.
fn free_ports() -> io::Result<[u16; 3]> {
    let bind = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let listeners = [bind()?, bind()?, bind()?];
    let mut ports = [0; 3];
    for (port, listener) in ports.iter_mut().zip(&listeners) {
        *port = listener.local_addr()?.port();
    }
    Ok(ports)
}

/// Parses the third line of a status page: connections accepted and handled, and requests.
fn parse(status: &str) -> Option<Count> {
    let figures = status.lines().skip_while(|line| !line.starts_with("server accepts")).nth(1)?;
    let mut figures = figures.split_whitespace().map(|figure| figure.parse().ok());
    Some(Count { connections: figures.next()??, requests: figures.nth(1)?? })
}

/// Returns the configuration of one process, so that ending it ends all of nginx. The files that it serves are in
/// `folder`.
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

fn write_certificate(setup: &Setup) -> Result<()> {
    let mut openssl = Command::new(setup.path(Tool::Openssl)?);
    openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "7"]);
    openssl.args(["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]);
    openssl.args(["-keyout", "key.pem", "-out", "cert.pem"]).current_dir(setup.folder());
    step::output("certificate", &mut openssl)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUS: &str =
        "Active connections: 2 \nserver accepts handled requests\n 16 15 801 \nReading: 0 Writing: 1 Waiting: 1 \n";

    #[test]
    fn the_status_page_has_connections_and_requests() {
        assert_eq!(parse(STATUS), Some(Count { connections: 16, requests: 801 }));
        assert_eq!(parse("404 Not Found"), None);
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
