//! What a guest can see: the bindings of the contract, the state behind them, the capabilities, and the inert WASI.

pub mod bindings;
pub mod capability;
pub mod header_fields;
pub mod link;
pub mod prepare;
pub mod request;
pub mod state;
pub mod wasi;
