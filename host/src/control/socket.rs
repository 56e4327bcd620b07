//! The control socket: a Unix domain socket that only its owner may open. Each connection is a task that reads a line,
//! asks the run, and writes the answer before it reads on. So a client that never reads, or never ends its line, takes
//! no more memory than one line, and delays no other client while fewer than [`MAX_CLIENTS`] are connected. One that
//! does nothing for [`IDLE_TIME`] is disconnected.

use std::convert::Infallible;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use std::{fs, io};

use rustix::fs::Mode;
use rustix::process::umask;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;

use super::protocol::{decode_request, encode_reply};
use crate::diagnostic::{Diagnostic, io_reason};
use crate::run::load_controller::{ControlCall, ControlSender, RunStatus};

/// The maximum length of a line, in bytes.
const MAX_LINE_BYTES: u64 = 4096;
/// The delay before the next attempt to accept connections after one has failed.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_secs(1);
/// The time that a client has for its next line, and to take the answer.
const IDLE_TIME: Duration = Duration::from_secs(30);
/// The maximum number of connections at once.
const MAX_CLIENTS: usize = 32;

/// The control socket. Dropping it removes its file.
pub(crate) struct ControlSocket {
    path: PathBuf,
    /// Device and inode of the socket's file, which distinguish it from a later file with that name.
    file: (u64, u64),
    listener: std::os::unix::net::UnixListener,
}

impl ControlSocket {
    /// Creates the socket, which only its owner may open. It replaces one that a dead process has left.
    ///
    /// # Errors
    /// The path already exists, or cannot be created.
    pub(crate) fn create(path: &Path) -> Result<Self, Diagnostic> {
        let mut bound = bind(path);
        if bound.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::AddrInUse) && is_abandoned(path) {
            bound = fs::remove_file(path).and_then(|()| bind(path));
        }
        let created = bound.and_then(|listener| {
            listener.set_nonblocking(true)?;
            let file = file_id(path)?;
            Ok(Self { path: path.to_owned(), file, listener })
        });
        created.map_err(|error| {
            let exists = error.kind() == io::ErrorKind::AddrInUse;
            let why = if exists { "it exists already".to_owned() } else { io_reason(&error) };
            let diagnostic =
                Diagnostic::new("usage::control", format!("cannot create the socket `{}`: {why}", path.display()));
            if exists { diagnostic.help("another run may be using it; if none is, remove it") } else { diagnostic }
        })
    }

    /// Serves all connections forever. Must be called inside a Tokio runtime, because it spawns tasks.
    pub(crate) async fn serve(&self, requests: ControlSender) -> Infallible {
        let listener = self.listener.try_clone().and_then(UnixListener::from_std);
        let free = Arc::new(Semaphore::new(MAX_CLIENTS));
        match listener {
            Ok(listener) => loop {
                match listener.accept().await {
                    Ok((stream, _)) => {
                        let (requests, permit) = (requests.clone(), Arc::clone(&free).try_acquire_owned());
                        tokio::spawn(async move {
                            // If this fails, the client has gone away and needs no answer.
                            let _ = match permit {
                                Ok(_permit) => serve_connection(stream, &requests).await,
                                Err(_) => refuse_connection(stream).await,
                            };
                        });
                    }
                    // For example, no file descriptor is left.
                    Err(error) => {
                        tracing::warn!("the control socket: {error}");
                        tokio::time::sleep(ACCEPT_RETRY_DELAY).await;
                    }
                }
            },
            Err(error) => tracing::error!("the control socket cannot be served: {error}"),
        }
        std::future::pending().await
    }
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        if file_id(&self.path).is_ok_and(|file| file == self.file) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Binds a socket that only its owner may open.
fn bind(path: &Path) -> io::Result<std::os::unix::net::UnixListener> {
    // The mask sets the mode at creation: a file whose mode is narrowed afterwards is open to all for a moment.
    let previous_mask = umask(Mode::from_bits_truncate(0o177));
    let bound = std::os::unix::net::UnixListener::bind(path);
    umask(previous_mask);
    bound
}

/// Returns `true` if the path is a socket that no process listens on.
fn is_abandoned(path: &Path) -> bool {
    let is_socket = fs::symlink_metadata(path).is_ok_and(|file| file.file_type().is_socket());
    let refused = |error: io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
    is_socket && std::os::unix::net::UnixStream::connect(path).err().is_some_and(refused)
}

fn file_id(path: &Path) -> io::Result<(u64, u64)> {
    let metadata = fs::symlink_metadata(path)?;
    Ok((metadata.dev(), metadata.ino()))
}

async fn refuse_connection(mut stream: UnixStream) -> io::Result<()> {
    let line = encode_reply(Err(format!("{MAX_CLIENTS} others are connected, which is the most")));
    stream.write_all(format!("{line}\n").as_bytes()).await
}

/// Serves one connection until the client closes it, sends a line that is too long, or is idle for too long.
async fn serve_connection(stream: UnixStream, requests: &ControlSender) -> io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut read = BufReader::new(read);
    loop {
        let mut line = Vec::new();
        timeout(IDLE_TIME, (&mut read).take(MAX_LINE_BYTES).read_until(b'\n', &mut line)).await??;
        if line.is_empty() {
            return Ok(());
        }
        let is_whole = line.ends_with(b"\n") || (line.len() as u64) < MAX_LINE_BYTES;
        let answer = if is_whole {
            answer(&line, requests).await
        } else {
            Err(format!("a line has {MAX_LINE_BYTES} bytes at most"))
        };
        timeout(IDLE_TIME, write.write_all(format!("{}\n", encode_reply(answer)).as_bytes())).await??;
        if !is_whole {
            return Ok(());
        }
    }
}

async fn answer(line: &[u8], requests: &ControlSender) -> Result<RunStatus, String> {
    let line = std::str::from_utf8(line).map_err(|_| "the line is not UTF-8")?;
    let (reply, answer) = oneshot::channel();
    let over = || "the run is over".to_owned();
    requests.send(ControlCall { request: decode_request(line)?, reply }).await.map_err(|_| over())?;
    answer.await.map_err(|_| over())?
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_client_that_does_nothing_is_disconnected() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let socket = ControlSocket::create(&path).unwrap();
        let (requests, _calls) = mpsc::channel(1);
        let idle = async {
            let mut client = UnixStream::connect(&path).await?;
            client.read(&mut [0]).await
        };
        tokio::select! {
            never = socket.serve(requests) => match never {},
            read = idle => assert_eq!(read.unwrap(), 0, "the end of the connection"),
        }
    }

    #[test]
    fn a_socket_that_a_dead_process_left_is_replaced_and_one_in_use_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let socket = ControlSocket::create(&path).unwrap();
        let error = ControlSocket::create(&path).err().unwrap();
        assert!(error.message.ends_with("it exists already"), "{}", error.message);
        drop(socket);
        assert!(!path.exists());
        fs::write(&path, "a file of someone's").unwrap();
        assert!(ControlSocket::create(&path).is_err());
        assert_eq!(fs::read(&path).unwrap(), b"a file of someone's");
    }
}
