//! The counting of a request, from its arrival to the last byte of its reply or its early end.

use std::fmt;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::StatusCode;
use hyper::body::Incoming;

use super::route::Route;
use super::stats::SiteStats;

/// Maximum size of a request body that is kept for a page. Larger ones are received and counted, and answered with 413.
const MAX_KEPT_BYTES: usize = 1 << 20;

/// The error of a page that does not reply: it closes the connection (HTTP/1) or resets the stream (HTTP/2).
#[derive(Debug)]
pub(crate) struct NoReply;

impl fmt::Display for NoReply {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("left without a reply on purpose")
    }
}

impl std::error::Error for NoReply {}

/// The error for a request body that is larger than [`MAX_KEPT_BYTES`] on a route that keeps it.
pub(crate) struct BodyTooLarge;

/// A request in flight until dropped. It counts once: under the status of its reply, or 0 if it is dropped before that.
pub(crate) struct CountedExchange {
    stats: Arc<SiteStats>,
    route: Route,
    answered: bool,
}

impl CountedExchange {
    /// Begins counting a request whose header section has arrived.
    pub(crate) fn begin(stats: &Arc<SiteStats>, route: Route) -> Self {
        stats.request_begun();
        Self { stats: Arc::clone(stats), route, answered: false }
    }

    /// Receives the body to its end, counts it, and keeps it if the route needs it.
    pub(crate) async fn receive(&self, mut content: Incoming) -> Result<Result<Bytes, BodyTooLarge>, NoReply> {
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

    /// Counts the status of a reply whose header section is about to be sent.
    pub(crate) fn count_status(&mut self, status: StatusCode) {
        self.answered = true;
        self.stats.status_known(self.route, status.as_u16());
    }

    /// Counts bytes of the reply's body that were passed to the connection.
    pub(crate) fn count_sent(&self, bytes: usize) {
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
