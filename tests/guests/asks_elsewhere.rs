//! Asks for the URL in its parameter `url`, on any host.

use std::cell::RefCell;

use stampede_guests::{ConfigError, Misbehaviour, Progress, get, guest, http, text};

/// The guest.
pub struct AsksElsewhere;

thread_local! {
    static URL: RefCell<String> = const { RefCell::new(String::new()) };
}

impl Misbehaviour for AsksElsewhere {
    fn configure(params: &str) -> Result<u32, ConfigError> {
        URL.set(text(params, "url").to_owned());
        Ok(0)
    }

    fn start(_: u32, _: u32) -> Progress {
        http::send_dynamic(&get(&URL.with_borrow(Clone::clone)));
        Progress::Pending
    }

    fn resume(_: u32, operation: u32) -> Progress {
        if http::reply(operation).is_ok() { Progress::Passed } else { Progress::Failed }
    }
}

guest!(AsksElsewhere);
