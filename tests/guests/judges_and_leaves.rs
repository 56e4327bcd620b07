//! Fetches two pages at once; gives up the one in flight, and then reports the other's failure.

use std::cell::RefCell;

use stampede_guests::{ConfigError, FailureKind, Misbehaviour, Progress, get, guest, http, operations, report, text};

/// The guest.
pub struct JudgesAndLeaves;

thread_local! {
    static BASE: RefCell<String> = const { RefCell::new(String::new()) };
}

impl Misbehaviour for JudgesAndLeaves {
    fn configure(params: &str) -> Result<u32, ConfigError> {
        BASE.set(text(params, "base").to_owned());
        Ok(0)
    }

    fn start(_: u32, _: u32) -> Progress {
        let base = BASE.with_borrow(Clone::clone);
        http::send_dynamic(&get(&format!("{base}/status/500")));
        http::send_dynamic(&get(&format!("{base}/delay/60000")));
        Progress::Pending
    }

    fn resume(_: u32, _: u32) -> Progress {
        operations::cancel(1);
        report::fail(FailureKind::Status, "a status of 500");
        Progress::Failed
    }
}

guest!(JudgesAndLeaves);
