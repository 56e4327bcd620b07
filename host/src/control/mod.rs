//! Ways to change a run while it goes on: keys at its terminal ([`Keys`]), and a socket on this machine ([`Socket`]) that
//! the command `control` speaks to ([`ask`]). What may be asked for, and what comes of it, is `run::control`.

#[cfg(unix)]
mod client;
#[cfg(unix)]
mod keys;
mod other;
mod protocol;
#[cfg(unix)]
mod socket;

#[cfg(unix)]
pub use client::ask;
#[cfg(unix)]
pub use keys::Keys;
#[cfg(not(unix))]
pub use other::{Keys, Socket, ask};
pub use protocol::request;
#[cfg(unix)]
pub use socket::Socket;
