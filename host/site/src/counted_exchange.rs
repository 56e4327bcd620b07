//! A request being counted, from its arrival to the last byte of its reply or its early end.

use std::fmt;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::StatusCode;
use hyper::body::Incoming;

use super::route::Route;
use super::stats::SiteStats;

/// The largest request body that is kept for a page. Larger ones are received and counted, and answered with 413.
const MAX_KEPT_BYTES: usize = 1 << 20;

/// The page decided not to answer: closes the connection (HTTP/1) or resets the stream (HTTP/2).
#[derive(Debug)]
pub struct NoReply;

impl fmt::Display for NoReply {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("left without a reply on purpose")
    }
}

impl std::error::Error for NoReply {}

/// The request's body is larger than [`KEPT`] on a route that keeps it.
pub struct BodyTooLarge;

/// In flight until dropped. Counts once: under the status it was answered with, or 0 if it is dropped before that.
pub struct CountedExchange {
    stats: Arc<SiteStats>,
    route: Route,
    answered: bool,
}

impl CountedExchange {
    /// The header section of the request has arrived.
    pub fn begin(stats: &Arc<SiteStats>, route: Route) -> Self {
        stats.request_begun();
        Self { stats: Arc::clone(stats), route, answered: false }
    }

    /// Receives the body to its end, counts it, and keeps it if the route wants it.
    pub async fn receive(&self, mut content: Incoming) -> Result<Result<Bytes, BodyTooLarge>, NoReply> {
        let (mut kept, mut size) = (BytesMut::new(), 0);
        while let Some(frame) = content.frame().await {
            let Ok(data) = frame.map_err(|_| NoReply)?.into_data() else { continue };
            self.stats.body_received(self.route, data.len());
            size += data.len();
            if self.route.keeps_body() && size <= MAX_KEPT_BYTES {
                kept.extend_from_slice(&data);
            }
        }
        Ok(if self.route.keeps_body() && size > MAX_KEPT_BYTES { Err(BodyTooLarge) } else { Ok(kept.freeze()) })
    }

    /// The reply is decided; its header section is about to be sent.
    pub fn count_status(&mut self, status: StatusCode) {
        self.answered = true;
        self.stats.status_known(self.route, status.as_u16());
    }

    /// So much of the reply's body was handed to the connection.
    pub fn count_sent(&self, bytes: usize) {
        self.stats.body_sent(self.route, bytes);
    }
}

impl Drop for CountedExchange {
    fn drop(&mut self) {
        if !self.answered {
            self.stats.status_known(self.route, 0);
        }
        self.stats.request_finished();
    }
}
