//! Native plugins: shared libraries that speak the contract over a C header, for code that cannot become WebAssembly.
//! They run outside the sandbox, so they are loaded only if the user allows it. Their calls to the host go to the
//! methods that serve components, on the same [`StoreData`](crate::plugin::contract::state::StoreData), so that grants
//! and limits of what the host does are the same.
//!
//! This is the only module that follows pointers of strangers. Each pointer is checked for null, each length against a
//! limit and each text for UTF-8 before it is used; that a pointer leads to what the contract says is up to the
//! library.
//!
//! | file | contents |
//! |---|---|
//! | `abi` | the contract in C, from which the header is generated |
//! | `library` | an opened file, and its description of itself |
//! | `instance` | one instance: the calls into the library |
//! | `pointer_reader` | copies of the data behind a library's pointers |
//! | `bridge` | the host's side of an instance: data lent to the library, violations of the contract |
//! | `table` | the functions that a library may call |
//! | `http` | functions of the HTTP client |
//! | `sockets` | functions of sockets |

mod abi;
mod bridge;
mod http;
mod instance;
mod library;
mod pointer_reader;
mod sockets;
mod table;

pub(crate) use instance::NativeInstance;
pub(crate) use library::{NativeLibrary, is_native};
