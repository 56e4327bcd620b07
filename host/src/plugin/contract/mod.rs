//! Everything that a guest can see. A guest reaches the host only through the functions of the contract, so the checks
//! of grants, limits and numbers that a guest gives are all here. Native libraries call the same functions.
//!
//! | file | contents |
//! |---|---|
//! | `bindings` | generated bindings of the WIT files |
//! | `link` | the imports that a component may have |
//! | `state` | data of one instance: limits, prepared requests, the current session |
//! | `capability/` | the capabilities, one file per interface of the contract |
//! | `wasi` | the inert part of WASI |
//! | `wasi_sockets` | its sockets, which refuse to be created |
//! | `prepare` | a request template of the guest, with its templates looked up and its files read |
//! | `request` | prepared requests, and requests decided at run time |
//! | `prepared_parts` | content and credentials of prepared requests |
//! | `request_url` | the URLs of requests |
//! | `target_pattern` | URLs that are rendered in part |
//! | `safe_bytes` | bytes that may stand in a part of a request as they are |
//! | `preview` | a request before it is rendered, for `check` |
//! | `header_fields` | header fields of a guest, checked |
//! | `v0_1_1` | adapter for components built for contract 0.1.1 |

pub(crate) mod bindings;
pub(crate) mod capability;
pub(crate) mod header_fields;
pub(crate) mod link;
pub(crate) mod prepare;
mod prepared_parts;
pub(crate) mod preview;
pub(crate) mod request;
pub(crate) mod request_url;
mod safe_bytes;
pub(crate) mod state;
mod target_pattern;
pub(crate) mod v0_1_1;
pub(crate) mod wasi;
mod wasi_sockets;
