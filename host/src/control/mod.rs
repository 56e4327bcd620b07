//! Ways to change a run in progress: keys at its terminal ([`TerminalKeys`]), and a socket on this machine
//! ([`ControlSocket`]) to which the `control` command connects ([`send_line`]). The requests and their effects are in
//! `run::load_controller`.

#[cfg(unix)]
mod client;
mod protocol;
#[cfg(unix)]
mod socket;
#[cfg(unix)]
mod terminal;
#[cfg(unix)]
mod terminal_crash;
#[cfg(unix)]
mod terminal_keys;
#[cfg(unix)]
mod terminal_modes;
mod unsupported;

#[cfg(unix)]
pub(crate) use client::send_line;
pub(crate) use protocol::{decode_request, encode_reply, encode_request};
#[cfg(unix)]
pub(crate) use socket::ControlSocket;
#[cfg(unix)]
pub(crate) use terminal_crash::restore_terminal_after_crashes;
#[cfg(unix)]
pub(crate) use terminal_keys::TerminalKeys;
#[cfg(not(unix))]
pub use unsupported::{ControlSocket, TerminalKeys, restore_terminal_after_crashes, send_line};
