//! A NATS server on this machine, for a first try: it listens on the loopback address alone, and keeps what it stores
//! in a folder that goes with it.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::diagnostic::{Diagnostic, io_reason};

/// The program, and the folders in which it is looked for beside those of the PATH.
const PROGRAM: &str = "nats-server";
const FOLDERS: [&str; 3] = ["/usr/sbin", "/usr/local/sbin", "/usr/local/bin"];

/// The attempts to find a free port, since another process may take one first.
const ATTEMPTS: usize = 10;

/// The looks for a server that starts, and the time between two of them.
const LOOKS: usize = 500;
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A running server. Dropping it ends it.
pub(crate) struct LocalServer {
    child: Child,
    port: u16,
    /// The folder of what it stores.
    _folder: tempfile::TempDir,
}

impl LocalServer {
    /// Starts a server on a free port.
    ///
    /// # Errors
    /// There is no such program, or it does not start.
    pub(crate) fn start() -> Result<Self, Diagnostic> {
        let program = find().ok_or_else(|| {
            Diagnostic::new("fleet::server", format!("`{PROGRAM}` is not installed"))
                .help("install it (Debian and Ubuntu: `apt-get install nats-server`), or use a server with `fleet run`")
        })?;
        let failed = |reason: String| Diagnostic::new("fleet::server", format!("`{PROGRAM}` does not start: {reason}"));
        for _ in 0..ATTEMPTS {
            let folder = tempfile::Builder::new().prefix("stampede-nats-").tempdir();
            let folder = folder.map_err(|error| failed(io_reason(&error)))?;
            let port = free_port().map_err(|error| failed(io_reason(&error)))?;
            let child = spawn(&program, folder.path(), port).map_err(|error| failed(io_reason(&error)))?;
            let mut server = Self { child, port, _folder: folder };
            if server.listens() {
                return Ok(server);
            }
        }
        Err(failed("it does not listen".into()))
    }

    /// Returns its address.
    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Waits until it listens. Returns `false` if it has ended or takes too long.
    fn listens(&mut self) -> bool {
        for _ in 0..LOOKS {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return false;
            }
            if TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok() {
                return true;
            }
            std::thread::sleep(LOOK_EVERY);
        }
        false
    }
}

impl Drop for LocalServer {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn find() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(FOLDERS.iter().map(PathBuf::from));
    let name = format!("{PROGRAM}{}", std::env::consts::EXE_SUFFIX);
    folders.map(|folder| folder.join(&name)).find(|program| program.is_file())
}

/// Returns a port that was free a moment ago.
fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

fn spawn(program: &Path, folder: &Path, port: u16) -> std::io::Result<Child> {
    let mut command = Command::new(program);
    command.args(["-a", "127.0.0.1", "-p", &port.to_string(), "-js", "-sd"]).arg(folder);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt;
        // Ctrl-C ends the run, which still needs the server.
        command.process_group(0);
    }
    command.spawn()
}
