//! Writes a thousand lines to the log, and prints as many, with every task.

use stampede_guests::{Misbehaviour, Progress, guest, log};

/// The guest.
pub struct FloodsTheLog;

impl Misbehaviour for FloodsTheLog {
    fn start(_: u32, _: u32) -> Progress {
        for number in 0..1000 {
            log::write(log::Level::Error, &format!("line {number} of a flood"));
            println!("print {number} of a flood");
        }
        Progress::Passed
    }
}

guest!(FloodsTheLog);
