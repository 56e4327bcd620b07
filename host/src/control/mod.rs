//! Ways to change a run while it goes on: keys at its terminal ([`Keys`]), and a socket on this machine ([`Socket`]) that
//! the command `control` speaks to ([`ask`]). What may be asked for, and what comes of it, is `run::control`.

#[cfg(unix)]
mod client;
mod protocol;
#[cfg(unix)]
mod socket;
#[cfg(unix)]
mod terminal_keys;
mod unsupported;

#[cfg(unix)]
pub use client::send_line;
pub use protocol::encode_request;
#[cfg(unix)]
pub use socket::ControlSocket;
#[cfg(unix)]
pub use terminal_keys::TerminalKeys;
#[cfg(not(unix))]
pub use unsupported::{ControlSocket, TerminalKeys, send_line};
