//! Asks for the page in its parameter `url` and gives it up after a moment; reports the reason in its parameter `why`,
//! if there is one.

use std::cell::RefCell;

use stampede_guests::{
    ConfigError, FailureKind, Misbehaviour, Progress, get, guest, http, operations, report, text, timer,
};

/// The guest.
pub struct LosesPatience;

thread_local! {
    static PARAMS: RefCell<(String, String)> = const { RefCell::new((String::new(), String::new())) };
}

impl Misbehaviour for LosesPatience {
    fn configure(params: &str) -> Result<u32, ConfigError> {
        PARAMS.set((text(params, "url").to_owned(), text(params, "why").to_owned()));
        Ok(0)
    }

    fn start(_: u32, _: u32) -> Progress {
        http::send_dynamic(&get(&PARAMS.with_borrow(|(url, _)| url.clone())));
        timer::sleep(50_000_000);
        Progress::Pending
    }

    fn resume(_: u32, operation: u32) -> Progress {
        assert_eq!(operation, 1, "the page takes longer");
        operations::cancel(0);
        let why = PARAMS.with_borrow(|(_, why)| why.clone());
        if why.is_empty() {
            return Progress::Passed;
        }
        report::fail(FailureKind::Timeout, &why);
        Progress::Failed
    }
}

guest!(LosesPatience);
