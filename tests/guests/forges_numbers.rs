//! Uses numbers that nobody gave it, or that mean nothing any more: of operations, templates and requests. Its parameter
//! `forge` says of which.

use std::cell::Cell;

use stampede_guests::{ConfigError, Misbehaviour, Progress, guest, http, templates, timer};

/// The guest.
pub struct ForgesNumbers;

/// What `forge` may say; a step's number is its place in here.
const KINDS: [&str; 4] = ["operation", "template", "request", "past"];

thread_local! {
    /// An operation of a task that is over.
    static PAST: Cell<Option<u32>> = const { Cell::new(None) };
}

impl Misbehaviour for ForgesNumbers {
    fn configure(params: &str) -> Result<u32, ConfigError> {
        let kind = KINDS.iter().position(|kind| params.contains(&format!("\"{kind}\"")));
        Ok(kind.expect("`forge` says a kind") as u32)
    }

    fn start(step: u32, _: u32) -> Progress {
        match KINDS[step as usize] {
            "operation" => drop(http::body(7)),
            "template" => drop(templates::render(7)),
            "request" => drop(http::send(7)),
            _ => match PAST.get() {
                None => PAST.set(Some(timer::sleep(0))),
                Some(past) => drop(http::body(past)),
            },
        }
        Progress::Passed
    }
}

guest!(ForgesNumbers);
