//! The settings with which one worker opens connections: clock, resolved names, TLS trust.

use std::pin::Pin;
use std::sync::Arc;

use stampede_time::{Clock, Nanos};
use tokio::io::DuplexStream;

use super::dns::DnsCache;
use super::failure::Failure;
use super::open_connections::OpenConnections;
use super::slow_addresses::SlowAddresses;
use super::tls::Tls;
use crate::random::UserRandom;

/// Stands in for the network in a rehearsal: no name is resolved and TLS is left out.
pub trait Dial: Send + Sync {
    /// Returns a connection whose other end is served in the current runtime.
    fn dial(self: Arc<Self>) -> DuplexStream;

    /// Stands in for the TLS handshake on a connection in clear.
    fn secure(&self) -> Pin<Box<dyn Future<Output = Result<(), Failure>> + '_>> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// Returns the protocol that the peer picks from those offered in a TLS handshake (ALPN, RFC 7301); `None` if it
    /// picks none. The same answer tells whether it speaks HTTP/2 in clear.
    fn pick_protocol(&self, _offered: &[Vec<u8>]) -> Option<Vec<u8>> {
        None
    }
}

/// Settings of a [`Connector`].
#[derive(Clone)]
pub struct NetworkOptions {
    /// TLS settings.
    pub tls: Tls,
    /// Stands in for the network, if set.
    pub dial: Option<Arc<dyn Dial>>,
    /// Lifetime of resolved addresses.
    pub dns_ttl: Nanos,
    /// Seed of the choice between several addresses.
    pub seed: u64,
}

/// Opens connections for the users of one worker.
pub struct Connector {
    /// Times the phases of a connection.
    pub clock: Clock,
    /// Secures connections.
    pub tls: Tls,
    /// Stands in for the network, if set.
    pub dial: Option<Arc<dyn Dial>>,
    /// Names resolved before.
    pub names: DnsCache,
    /// Addresses that were slow to answer.
    pub slow_addresses: SlowAddresses,
    /// The turn of the first user among the addresses of a host; the other users follow by their numbers.
    pub first_turn: u64,
    /// The connections that are open.
    pub open: OpenConnections,
}

impl Connector {
    /// Creates a connector that has resolved nothing yet.
    pub fn new(options: NetworkOptions, clock: Clock) -> Self {
        let NetworkOptions { tls, dial, dns_ttl, seed } = options;
        let first_turn = UserRandom::new(seed, u32::MAX).next_u64();
        let (names, slow_addresses) = (DnsCache::new(dns_ttl), SlowAddresses::default());
        Self { clock, tls, dial, names, slow_addresses, first_turn, open: OpenConnections::default() }
    }

    /// Returns the time.
    pub fn now(&self) -> Nanos {
        self.clock.now()
    }
}
