//! The settings with which one worker opens connections: clock, resolved names, TLS trust.

use std::sync::Arc;

use stampede_time::{Clock, Nanos};
use tokio::io::DuplexStream;

use super::dns::DnsCache;
use super::slow_addresses::SlowAddresses;
use super::tls::Tls;

/// Stands in for the network in a rehearsal: no name is resolved and TLS is left out.
pub trait Dial: Send + Sync {
    /// Returns a connection whose other end is served in the current runtime.
    fn dial(self: Arc<Self>) -> DuplexStream;
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
}

impl Connector {
    /// Creates a connector that has resolved nothing yet.
    pub fn new(clock: Clock, tls: Tls, dial: Option<Arc<dyn Dial>>) -> Self {
        Self { clock, tls, dial, names: DnsCache::default(), slow_addresses: SlowAddresses::default() }
    }

    /// Returns the time.
    pub fn now(&self) -> Nanos {
        self.clock.now()
    }
}
