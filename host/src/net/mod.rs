//! Byte streams to the network: names, addresses, grants, TLS, and the time and bytes each part takes. HTTP stands on it,
//! and so do the sockets of plugins; it knows neither.
//!
//! | file | contents |
//! |---|---|
//! | `grants` | the hosts that a script lets a plugin reach |
//! | `origin` | scheme, host and port of a URL, granted |
//! | `dns` | names to addresses, once per worker |
//! | `tls` | whom connections trust, and what they offer |
//! | `connector` | what a worker opens connections with |
//! | `connect` | resolve, connect, TLS: a connection for HTTP |
//! | `stream` | the same for protocols that are not HTTP |
//! | `version` | the versions of HTTP that a connection is opened for |
//! | `meter` | time and bytes of one exchange |
//! | `failure` | why it failed |

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
