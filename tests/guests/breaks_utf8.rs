//! Hands the host a text that is not UTF-8.

use std::hint::black_box;

use stampede_guests::{Misbehaviour, Progress, guest, log};

/// The guest.
pub struct BreaksUtf8;

impl Misbehaviour for BreaksUtf8 {
    fn start(_: u32, _: u32) -> Progress {
        let bytes = black_box(vec![b'x', 0xff, 0xfe, b'x']);
        // SAFETY: unsound on purpose. Nothing in the guest reads the text; the host must check it.
        log::write(log::Level::Error, unsafe { std::str::from_utf8_unchecked(&bytes) });
        Progress::Passed
    }
}

guest!(BreaksUtf8);
