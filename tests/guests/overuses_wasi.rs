//! Asks WASI for too much, as its parameter `what` names: random bytes at once, or output without bound.

use std::cell::RefCell;
use std::io::Write;

use stampede_guests::{ConfigError, Misbehaviour, Progress, guest, text};

/// Imports of WASI that the standard library does not call in this way.
#[allow(missing_docs, reason = "WASI's own")]
#[cfg(target_arch = "wasm32")]
mod wasi_parts {
    wit_bindgen::generate!({
        inline: "
            package guest:wasi-parts;
            world parts {
                import wasi:random/random@0.2.0;
            }
            package wasi:random@0.2.0 {
                interface random {
                    get-random-bytes: func(len: u64) -> list<u8>;
                    get-random-u64: func() -> u64;
                }
            }
        ",
        generate_all,
    });
    pub(crate) use wasi::random::random::get_random_bytes;
}

/// Stands in for the imports on other targets than WebAssembly, where clippy checks the guest.
#[cfg(not(target_arch = "wasm32"))]
mod wasi_parts {
    pub(crate) fn get_random_bytes(length: u64) -> Vec<u8> {
        vec![0; length as usize]
    }
}

/// The guest.
pub struct OverusesWasi;

thread_local! {
    static WHAT: RefCell<String> = const { RefCell::new(String::new()) };
}

impl Misbehaviour for OverusesWasi {
    fn configure(params: &str) -> Result<u32, ConfigError> {
        WHAT.set(text(params, "what").to_owned());
        Ok(0)
    }

    fn start(_: u32, _: u32) -> Progress {
        match WHAT.with_borrow(Clone::clone).as_str() {
            "random" => drop(wasi_parts::get_random_bytes(1 << 20)),
            _ => {
                let line = [b"x".repeat(1023), b"\n".to_vec()].concat();
                (0..20_000).for_each(|_| std::io::stdout().write_all(&line).expect("the host takes it"));
            }
        }
        Progress::Passed
    }
}

guest!(OverusesWasi);
