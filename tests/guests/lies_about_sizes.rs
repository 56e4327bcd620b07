//! Passes a text to the host that is longer than its own memory, past everything that the bindings would check.

use stampede_guests::{Misbehaviour, Progress, guest};

/// The guest.
pub struct LiesAboutSizes;

#[cfg(target_arch = "wasm32")]
#[link(wasm_import_module = "stampede:plugin/log@0.1.0")]
unsafe extern "C" {
    /// `log.write` as the canonical ABI has it: level, place and length of the text.
    #[link_name = "write"]
    fn raw_write(level: i32, text: usize, length: usize);
}

impl Misbehaviour for LiesAboutSizes {
    fn start(_: u32, _: u32) -> Progress {
        #[cfg(target_arch = "wasm32")]
        // SAFETY: the host is to refuse it before anything is read.
        unsafe {
            raw_write(0, 16, usize::MAX - 32);
        }
        Progress::Passed
    }
}

guest!(LiesAboutSizes);
