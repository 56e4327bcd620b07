//! Native plugins: shared libraries that speak the contract over a C header, for what cannot become WebAssembly. No
//! sandbox holds them, so they are loaded only if the user says so. What they ask of the host is done by the very methods
//! that serve components, on the same [`State`](crate::plugin::contract::state::State), so that grants and limits of what the host does
//! are the same.
//!
//! This is the one place where pointers of strangers are followed. Each is checked for null, each length against a limit
//! and each text for UTF-8 before anything is done with it; that they point at what they say is the library's word.
//!
//! | file | what it holds |
//! |---|---|
//! | `abi` | the contract in C; the header is made from it |
//! | `library` | a file that was opened, and what it says it is |
//! | `instance` | one instance: the calls into the library |
//! | `incoming` | what a library's pointers lead to |
//! | `bridge` | the host's side of an instance: what is lent to the library, and what it broke |
//! | `table` | the functions that a library may call |
//! | `http` | those of the HTTP client |
//! | `sockets` | those of sockets |

mod abi;
mod bridge;
mod http;
mod instance;
mod library;
mod pointer_reader;
mod sockets;
mod table;

pub use instance::NativeInstance;
pub use library::{NativeLibrary, is_native};
