//! Passes a text to the host that is longer than the guest's memory, around the checks of the bindings.

use stampede_guests::{Misbehaviour, Progress, guest};

/// The guest.
pub struct LiesAboutSizes;

#[cfg(target_arch = "wasm32")]
#[link(wasm_import_module = "stampede:plugin/log@0.1.0")]
unsafe extern "C" {
    /// `log.write` in the canonical ABI: level, address and length of the text.
    #[link_name = "write"]
    fn raw_write(level: i32, text: usize, length: usize);
}

impl Misbehaviour for LiesAboutSizes {
    fn start(_: u32, _: u32) -> Progress {
        #[cfg(target_arch = "wasm32")]
        // SAFETY: the host must reject it before it reads anything.
        unsafe {
            raw_write(0, 16, usize::MAX - 32);
        }
        Progress::Passed
    }
}

guest!(LiesAboutSizes);
