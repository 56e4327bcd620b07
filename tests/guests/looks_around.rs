//! Tries to read files, environment and arguments, and reports what it finds.

use std::{env, fs};

use stampede_guests::{FailureKind, Misbehaviour, Progress, guest, report};

/// The guest.
pub struct LooksAround;

impl Misbehaviour for LooksAround {
    fn start(_: u32, _: u32) -> Progress {
        let mut found = Vec::new();
        for folder in ["/", ".", "/etc"] {
            found.extend(fs::read_dir(folder).ok().map(|_| format!("the folder {folder}")));
        }
        found.extend(fs::write("written-by-a-guest", "").ok().map(|()| "a file of its own".to_owned()));
        found.extend(env::vars().map(|(name, _)| format!("the variable {name}")));
        found.extend(env::args().map(|argument| format!("the argument {argument}")));
        if found.is_empty() {
            return Progress::Passed;
        }
        report::fail(FailureKind::Check, &found.join(", "));
        Progress::Failed
    }
}

guest!(LooksAround);
