//! A site on threads of its own, so that it does not share a runtime with the load runner.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use tokio::sync::watch;

use super::server::{Site, SiteConfig};
use super::stats::SiteStats;

/// A site that is being served. Dropping it stops it.
pub struct RunningSite {
    addr: SocketAddr,
    stats: Arc<SiteStats>,
    /// The sender that ends the threads when dropped; `None` while they end.
    running: Option<watch::Sender<()>>,
    threads: Vec<JoinHandle<()>>,
}

impl Site {
    /// Binds and serves on `threads` threads (at least one), each with a current-thread runtime of its own. All accept
    /// from the same socket and count into the same [`SiteStats`].
    pub fn spawn(addr: SocketAddr, threads: usize) -> io::Result<RunningSite> {
        Self::spawn_with(addr, threads, &SiteConfig::default())
    }

    /// Binds and serves as [`Site::spawn`] does, with these settings.
    pub fn spawn_with(addr: SocketAddr, threads: usize, config: &SiteConfig) -> io::Result<RunningSite> {
        let site = Self::bind_with(addr, config)?;
        let (running, ended) = watch::channel(());
        let running = Some(running);
        let mut spawned = RunningSite { addr: site.addr(), stats: site.stats(), running, threads: Vec::new() };
        for _ in 0..threads.max(1) {
            spawned.threads.push(serve_on_thread(site.share()?, ended.clone())?);
        }
        Ok(spawned)
    }
}

fn serve_on_thread(site: Site, mut running: watch::Receiver<()>) -> io::Result<JoinHandle<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let work = async move {
        // Nothing is ever sent: the wait ends when the sender is dropped. Serving fails only if the socket does, which
        // clients notice.
        let _ = site.serve(async move { running.changed().await.unwrap_or_default() }).await;
    };
    thread::Builder::new().name("demo-site".into()).spawn(move || runtime.block_on(work))
}

impl RunningSite {
    /// Returns the address on which it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Returns `http://` and the address, for a script's `base_url`.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Returns the live counters; they outlive the site.
    pub fn stats(&self) -> Arc<SiteStats> {
        Arc::clone(&self.stats)
    }

    /// Drops all connections, frees the port and waits for the threads to end.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for RunningSite {
    fn drop(&mut self) {
        self.running = None;
        for thread in self.threads.drain(..) {
            // A panic was printed by its own thread.
            let _ = thread.join();
        }
    }
}
