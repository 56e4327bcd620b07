//! A minimal client that shows everything the site sends.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{HeaderMap, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use stampede_site::{RunningSite, Site, SiteConfig, SiteCounts};
use stampede_time::ManualTime;
use tokio::net::TcpStream;

/// Starts a site on a free port.
pub(crate) fn site() -> RunningSite {
    site_with(1)
}

/// Starts a site on a free port, with that many threads.
pub(crate) fn site_with(threads: usize) -> RunningSite {
    Site::spawn(([127, 0, 0, 1], 0).into(), threads).unwrap()
}

/// Starts a site on a free port whose clock stands at that many seconds after the Unix epoch.
pub(crate) fn site_at(seconds: u64) -> (RunningSite, ManualTime) {
    let time = ManualTime::starting_at(Duration::from_secs(seconds));
    let config = SiteConfig { time: Some(time.clone()), media: None };
    (Site::spawn_with(([127, 0, 0, 1], 0).into(), 1, &config).unwrap(), time)
}

/// A whole reply.
pub(crate) struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Reply {
    pub(crate) async fn read(response: Response<Incoming>) -> hyper::Result<Self> {
        let (parts, body) = response.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok(Self { status: parts.status, headers: parts.headers, body })
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// One keep-alive connection, HTTP/1.1.
pub(crate) struct Client(SendRequest<Full<Bytes>>);

impl Client {
    pub(crate) async fn connect(addr: SocketAddr) -> Self {
        let stream = TcpStream::connect(addr).await.unwrap();
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Self(sender)
    }

    /// Sends a request and reads the header section; the body is still to be read.
    pub(crate) async fn open(&mut self, request: Request<Full<Bytes>>) -> hyper::Result<Response<Incoming>> {
        self.0.ready().await?;
        self.0.send_request(request).await
    }

    pub(crate) async fn try_send(&mut self, request: Request<Full<Bytes>>) -> hyper::Result<Reply> {
        Reply::read(self.open(request).await?).await
    }

    pub(crate) async fn send(&mut self, request: Request<Full<Bytes>>) -> Reply {
        self.try_send(request).await.unwrap()
    }

    pub(crate) async fn get(&mut self, path: &str) -> Reply {
        self.send(request("GET", path, &[], "")).await
    }
}

/// Builds a request with these fields.
pub(crate) fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Request<Full<Bytes>> {
    let builder = Request::builder().method(method).uri(path).header("host", "site");
    let builder = headers.iter().fold(builder, |builder, (name, value)| builder.header(*name, *value));
    builder.body(Full::from(body.to_owned())).unwrap()
}

/// Returns the lines of a playlist that are not tags.
pub(crate) fn uris(playlist: &str) -> Vec<&str> {
    playlist.lines().filter(|line| !line.starts_with('#')).collect()
}

/// Returns the counts once every request has ended: a connection that a client has dropped is noticed a moment later.
pub(crate) async fn settled(site: &RunningSite) -> SiteCounts {
    loop {
        let snapshot = site.stats().snapshot();
        if snapshot.in_flight == 0 {
            return snapshot;
        }
        tokio::task::yield_now().await;
    }
}
