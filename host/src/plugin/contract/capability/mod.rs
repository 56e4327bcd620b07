//! The capabilities of a guest, one file per interface of the contract. An implementation acts on the current session
//! or on the step being configured. It checks every number that a guest gives before it is used, and traps if the
//! contract is broken. Expected failures are values of the contract, never traps.

mod convert;
mod files;
mod http;
mod lifetime;
mod log;
mod operations;
mod report;
mod sockets;
mod streams;
mod task;
mod templates;
mod timer;
mod transfers;
mod user;

impl super::bindings::types::Host for super::state::StoreData {}
