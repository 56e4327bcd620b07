//! Prints on standard output and standard error, where the report belongs to somebody else.

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
