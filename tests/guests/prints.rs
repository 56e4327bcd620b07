//! Prints to standard output and standard error, of which the first belongs to the report.

use stampede_guests::{Misbehaviour, Progress, guest};

/// The guest.
pub struct Prints;

impl Misbehaviour for Prints {
    fn start(_: u32, _: u32) -> Progress {
        println!("printed by a guest");
        eprintln!("complained by a guest");
        Progress::Passed
    }
}

guest!(Prints);
