//! Writes hundreds of lines to the log with every task.

use stampede_guests::{Misbehaviour, Progress, guest, log};

/// The guest.
pub struct FloodsTheLog;

impl Misbehaviour for FloodsTheLog {
    fn start(_: u32, _: u32) -> Progress {
        for number in 0..300 {
            log::write(log::Level::Error, &format!("line {number} of a flood"));
        }
        Progress::Passed
    }
}

guest!(FloodsTheLog);
