//! Uses numbers that the host never issued, or that are no longer valid: of operations, templates and requests, as its
//! parameter `forge` names.

use std::cell::Cell;

use stampede_guests::{ConfigError, Misbehaviour, Progress, guest, http, templates, timer};

/// The guest.
pub struct ForgesNumbers;

/// The values of `forge`; a step's number is its index here.
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
