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
//! | `connector` | the settings with which a worker opens connections |
//! | `connect` | resolve, connect, TLS: a connection for HTTP |
//! | `stream` | byte streams for protocols other than HTTP |
//! | `version` | the versions of HTTP that a connection is opened for |
//! | `meter` | time and bytes of one exchange |
//! | `failure` | classification of failures |

mod connect;
mod connector;
mod dns;
mod failure;
mod grants;
mod meter;
mod origin;
mod stream;
mod tls;
mod version;

pub use connect::{Transport, open};
pub use connector::{Connector, Dial};
pub use failure::Failure;
pub use grants::{Grant, Grants};
pub use meter::{Measurements, Meter, MeteredStream, Traffic, TrafficGuard};
pub use origin::{Origin, OriginError, not_granted, same_origin, target};
pub use stream::{Destination, Stream, StreamTls};
pub use tls::Tls;
pub use version::Version;
