//! Listening and accepting.

use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use stampede_time::{DelayTimer, ManualTime};
use tokio::task::JoinSet;

use super::connection;
use super::contents::{Catalog, EncodedBodies};
use super::shared::SiteState;
use super::stats::SiteStats;
use super::stream::media::MediaFolder;

/// Maximum number of connections that wait to be accepted. A load run opens thousands at once; one that finds the queue
/// full is retried only after a second. The kernel lowers this to its own limit.
const BACKLOG: i32 = 4096;

/// Pause after a failed accept, most likely for lack of file descriptors, so that some can be closed.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(10);

/// Settings of a site. The default is a site in the time of the system.
#[derive(Clone, Default)]
pub struct SiteConfig {
    /// The time of live streams, delays and bodies in pieces; `None` for the time of the system.
    pub time: Option<ManualTime>,
    /// The folder of media that streams show, see the documentation of the crate; `None` for filler.
    pub media: Option<PathBuf>,
}

/// A site that listens. Connections queue up from the moment it is bound; they are answered once it is served.
pub struct Site {
    listener: TcpListener,
    addr: SocketAddr,
    shared: Arc<SiteState>,
}

impl Site {
    /// Listens on an address, with default settings; port 0 picks a free one. Needs no runtime.
    pub fn bind(addr: SocketAddr) -> io::Result<Self> {
        Self::bind_with(addr, &SiteConfig::default())
    }

    /// Listens on an address; port 0 picks a free one. Needs no runtime.
    ///
    /// # Errors
    /// The address cannot be listened on, or the media cannot be served.
    pub fn bind_with(addr: SocketAddr, config: &SiteConfig) -> io::Result<Self> {
        let listener = listen(addr)?;
        let addr = listener.local_addr()?;
        let shared = SiteState {
            stats: Arc::default(),
            timer: config.time.as_ref().map_or_else(DelayTimer::start, |time| Ok(time.timer()))?,
            media: config.media.as_deref().map(MediaFolder::read).transpose()?,
            catalog: Catalog::default(),
            codings: EncodedBodies::new()?,
        };
        Ok(Self { listener, addr, shared: Arc::new(shared) })
    }

    /// Returns the address on which it listens, with the port that was picked.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Returns the live counters; they outlive the site.
    pub fn stats(&self) -> Arc<SiteStats> {
        Arc::clone(&self.shared.stats)
    }

    /// Serves until `shutdown` is ready, then drops all connections. Runs on the current tokio runtime, which needs
    /// its I/O driver but not its timer.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        let listener = tokio::net::TcpListener::from_std(self.listener)?;
        let mut connections = JoinSet::new();
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => return Ok(()),
                Some(_) = connections.join_next() => {}
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => {
                        // Without it a small reply may wait for the client's delayed acknowledgement.
                        let _ = stream.set_nodelay(true);
                        connections.spawn(connection::serve(Arc::clone(&self.shared), stream));
                    }
                    Err(_) => self.shared.timer.after(ACCEPT_RETRY_DELAY).await,
                },
            }
        }
    }

    /// Returns a second handle with the same socket, counters and contents.
    pub(super) fn share(&self) -> io::Result<Self> {
        Ok(Self { listener: self.listener.try_clone()?, addr: self.addr, shared: Arc::clone(&self.shared) })
    }
}

/// Binds like `TcpListener::bind`, non-blocking and with a longer queue.
fn listen(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    // On Unix this lets a site reuse a port whose last connections linger; on Windows it would let two sites share the
    // port.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&addr.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}
