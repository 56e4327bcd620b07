//! Fetches a page and waits, in turn, more often than a task may have operations at a time; gives up the outcomes or
//! keeps them.

use std::cell::RefCell;

use stampede_guests::{ConfigError, Misbehaviour, Progress, get, guest, http, operations, text, timer};

/// The guest.
pub struct ManyInTurn;

/// Pages of each task.
const PAGES: u32 = 500;

thread_local! {
    static URL: RefCell<String> = const { RefCell::new(String::new()) };
    static KEEP: RefCell<bool> = const { RefCell::new(false) };
}

fn fetch() -> Progress {
    URL.with_borrow(|url| http::send_dynamic(&get(url)));
    Progress::Pending
}

impl Misbehaviour for ManyInTurn {
    fn configure(params: &str) -> Result<u32, ConfigError> {
        URL.set(text(params, "url").to_owned());
        KEEP.set(text(params, "keep") == "yes");
        Ok(0)
    }

    fn start(_: u32, _: u32) -> Progress {
        fetch()
    }

    fn resume(_: u32, operation: u32) -> Progress {
        // Pages have even numbers, waits odd ones.
        if operation == 2 * PAGES - 1 {
            return Progress::Passed;
        }
        if operation % 2 == 1 {
            return fetch();
        }
        if !KEEP.with_borrow(|keep| *keep) {
            operations::cancel(operation);
        }
        timer::sleep(0);
        Progress::Pending
    }
}

guest!(ManyInTurn);
