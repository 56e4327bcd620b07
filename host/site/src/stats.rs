//! Exact counts of what was served. A report is checked against these numbers, so every request counts exactly once,
//! when its status is known: the sums over routes and over statuses are equal at any time.
//!
//! Plain atomic counters in tables indexed by route and status: no lock, no map, nothing allocated per request.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use serde::Serialize;

use super::route::Route;

/// Status codes have three digits; 0 stands for no reply.
const STATUS_SLOTS: usize = 1000;

/// The live counters of one site, shared by all its connections.
#[derive(Debug)]
pub struct SiteStats {
    routes: [RouteCounters; Route::ALL.len()],
    statuses: Box<[AtomicU64]>,
    connections: AtomicU64,
    in_flight: AtomicU64,
}

#[derive(Debug, Default)]
struct RouteCounters {
    requests: AtomicU64,
    body_bytes_sent: AtomicU64,
    body_bytes_received: AtomicU64,
}

/// The counters at one moment; the JSON of `/stats`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SiteCounts {
    /// Requests whose status is known: answered, rejected or left without a reply. Bytes that cannot be parsed as HTTP
    /// are not a request.
    pub requests: u64,
    /// Requests whose reply has not been passed on in full yet. Wait for 0 before comparing.
    pub in_flight: u64,
    /// TCP connections accepted, including those that requested `/stats`.
    pub connections: u64,
    /// Bytes of reply bodies passed to the connections, frame by frame, before transfer coding.
    pub body_bytes_sent: u64,
    /// Bytes of request bodies received, after transfer coding was removed.
    pub body_bytes_received: u64,
    /// Requests by status code; 0 for those without a reply. Only codes that occurred.
    pub statuses: BTreeMap<u16, u64>,
    /// Counts by [`Route::pattern`]. Only routes that occurred.
    pub routes: BTreeMap<&'static str, RouteCounts>,
}

/// One route's part of [`SiteCounts`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RouteCounts {
    /// Requests, counted as in [`SiteCounts::requests`].
    pub requests: u64,
    /// Bytes, counted as in [`SiteCounts::body_bytes_sent`].
    pub body_bytes_sent: u64,
    /// Bytes, counted as in [`SiteCounts::body_bytes_received`].
    pub body_bytes_received: u64,
}

impl Default for SiteStats {
    fn default() -> Self {
        Self {
            routes: std::array::from_fn(|_| RouteCounters::default()),
            statuses: std::iter::repeat_with(AtomicU64::default).take(STATUS_SLOTS).collect(),
            connections: AtomicU64::default(),
            in_flight: AtomicU64::default(),
        }
    }
}

impl SiteStats {
    /// Reads all counters. When nothing is in flight they are exact together; otherwise each is exact on its own, but
    /// they may be of different moments.
    pub fn snapshot(&self) -> SiteCounts {
        let mut snapshot = SiteCounts {
            in_flight: self.in_flight.load(Acquire),
            connections: self.connections.load(Relaxed),
            statuses: (0..).zip(self.statuses.iter().map(load)).filter(|(_, count)| *count > 0).collect(),
            ..SiteCounts::default()
        };
        for (route, counters) in Route::ALL.iter().zip(&self.routes) {
            snapshot.add(route.pattern(), counters.read());
        }
        snapshot
    }

    /// Zeroes all counters except the requests in flight. Reset only when there are none: requests in flight go on
    /// counting.
    pub fn reset(&self) {
        let routes = self.routes.iter().flat_map(RouteCounters::all);
        for counter in routes.chain(self.statuses.iter()).chain([&self.connections]) {
            counter.store(0, Relaxed);
        }
    }

    pub(super) fn connection_opened(&self) {
        self.connections.fetch_add(1, Relaxed);
    }

    pub(super) fn request_begun(&self) {
        self.in_flight.fetch_add(1, Relaxed);
    }

    /// Counts the status of a request that has begun; 0 if it gets no reply.
    pub(super) fn status_known(&self, route: Route, status: u16) {
        self.routes[route as usize].requests.fetch_add(1, Relaxed);
        if let Some(counter) = self.statuses.get(usize::from(status)) {
            counter.fetch_add(1, Relaxed);
        }
    }

    /// Counts the end of an answered request. A reader that sees none in flight also sees all their counts.
    pub(super) fn request_finished(&self) {
        self.in_flight.fetch_sub(1, Release);
    }

    pub(super) fn body_sent(&self, route: Route, bytes: usize) {
        self.routes[route as usize].body_bytes_sent.fetch_add(bytes as u64, Relaxed);
    }

    pub(super) fn body_received(&self, route: Route, bytes: usize) {
        self.routes[route as usize].body_bytes_received.fetch_add(bytes as u64, Relaxed);
    }
}

impl RouteCounters {
    fn all(&self) -> [&AtomicU64; 3] {
        [&self.requests, &self.body_bytes_sent, &self.body_bytes_received]
    }

    fn read(&self) -> RouteCounts {
        let [requests, body_bytes_sent, body_bytes_received] = self.all().map(load);
        RouteCounts { requests, body_bytes_sent, body_bytes_received }
    }
}

impl SiteCounts {
    fn add(&mut self, pattern: &'static str, count: RouteCounts) {
        self.requests += count.requests;
        self.body_bytes_sent += count.body_bytes_sent;
        self.body_bytes_received += count.body_bytes_received;
        if count != RouteCounts::default() {
            self.routes.insert(pattern, count);
        }
    }
}

fn load(counter: &AtomicU64) -> u64 {
    counter.load(Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ended_request_counts_under_its_route_and_status() {
        let stats = SiteStats::default();
        stats.request_begun();
        assert_eq!(stats.snapshot(), SiteCounts { in_flight: 1, ..SiteCounts::default() });
        stats.body_received(Route::Echo, 7);
        stats.body_sent(Route::Echo, 11);
        stats.status_known(Route::Echo, 200);
        stats.request_finished();
        let echo = RouteCounts { requests: 1, body_bytes_sent: 11, body_bytes_received: 7 };
        let expected = SiteCounts {
            requests: 1,
            body_bytes_sent: 11,
            body_bytes_received: 7,
            statuses: BTreeMap::from([(200, 1)]),
            routes: BTreeMap::from([("/echo", echo)]),
            ..SiteCounts::default()
        };
        assert_eq!(stats.snapshot(), expected);
    }

    #[test]
    fn a_reset_zeroes_all_but_what_is_in_flight() {
        let stats = SiteStats::default();
        stats.connection_opened();
        stats.request_begun();
        stats.request_begun();
        stats.status_known(Route::Close, 0);
        stats.request_finished();
        stats.reset();
        assert_eq!(stats.snapshot(), SiteCounts { in_flight: 1, ..SiteCounts::default() });
    }

    #[test]
    fn counting_is_exact_with_many_threads() {
        let stats = SiteStats::default();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for status in (200..600).cycle().take(10_000) {
                        stats.request_begun();
                        stats.body_sent(Route::Status, 3);
                        stats.status_known(Route::Status, status);
                        stats.request_finished();
                    }
                });
            }
        });
        let snapshot = stats.snapshot();
        assert_eq!((snapshot.requests, snapshot.in_flight, snapshot.body_bytes_sent), (80_000, 0, 240_000));
        assert_eq!(snapshot.statuses.values().sum::<u64>(), 80_000);
        assert_eq!(snapshot.statuses[&200], 200);
    }
}
