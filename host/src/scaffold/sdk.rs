//! The plugin SDK and the contract as they were when this program was built. `host/build/sdk.rs` generates the list.

include!(concat!(env!("OUT_DIR"), "/sdk.rs"));
