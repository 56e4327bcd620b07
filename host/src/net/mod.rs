//! Byte streams to the network: names, addresses, grants, TLS, and the time and bytes that each part takes. HTTP and
//! the sockets of plugins are built on this module, which knows neither, so that both obey the same grants and are
//! measured in the same way.
//!
//! | file | contents |
//! |---|---|
//! | `grants` | the hosts that a script lets a plugin reach |
//! | `origin` | scheme, host and port of a URL, granted |
//! | `dns` | resolution of names, once per worker |
//! | `tls` | trusted certificates, offered protocols (ALPN), the handshake |
//! | `p521` | the exchange of keys on one more curve, for servers that use no other |
//! | `connector` | the settings with which a worker opens connections |
//! | `connect` | TCP, then TLS: a connection for HTTP |
//! | `tcp` | a TCP connection to one of the addresses of a name |
//! | `address_order` | the order in which a user tries addresses |
//! | `slow_addresses` | addresses that are tried last for a while |
//! | `link/` | the link of a user: when what a site has sent would have come over it |
//! | `stream` | byte streams for protocols other than HTTP |
//! | `version` | the versions of HTTP that a connection is opened for |
//! | `meter` | time and bytes of one exchange |
//! | `failure` | classification of failures |

mod address_order;
mod connect;
mod connector;
mod dns;
mod failure;
mod grants;
mod link;
mod meter;
mod open_connections;
mod origin;
mod p521;
mod slow_addresses;
mod stream;
mod tcp;
mod tls;
mod version;

pub(crate) use connect::{Transport, open};
pub(crate) use connector::{Connector, Dial, NetworkOptions};
pub(crate) use failure::Failure;
pub(crate) use grants::{Grant, Grants};
pub(crate) use link::{
    ActiveOnLink, Link, LinkChoice, LinkProfile, LinkSpeed, LinkTrace, PassageSchedule, TraceInterval, WeightedLink,
};
pub(crate) use meter::{Measurements, Meter, MeteredStream, Traffic, TrafficGuard};
pub(crate) use origin::{Origin, OriginError, not_granted, same_origin, target};
pub(crate) use stream::{Destination, Stream, StreamTls};
pub(crate) use tcp::ConnectionOwner;
pub(crate) use tls::{Tls, Trust, read_certificates};
pub(crate) use version::Version;
