//! What a guest may do, one file per interface of the contract. An implementation looks at the current session or at
//! the step being configured; it checks every number a guest gives before it is used, and traps where the contract
//! was broken. Expected failures are values of the contract, never traps.

mod convert;
mod files;
mod http;
mod log;
mod operations;
mod report;
mod sockets;
mod streams;
mod templates;
mod timer;
mod user;

impl super::bindings::types::Host for super::state::StoreData {}
