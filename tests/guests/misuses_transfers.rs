//! Breaks the rules of transfers, and of the lifetime of a task, in the way that its parameter names.

use std::cell::RefCell;

use stampede_guests::{
    ConfigError, Misbehaviour, Progress, get, guest, http, lifetime, operations, text, timer, transfers,
};

/// The guest.
pub struct MisusesTransfers;

/// A configured step: the way, the URL, and its row.
#[derive(Clone)]
struct Step {
    what: String,
    url: String,
    row: u32,
}

thread_local! {
    static STEPS: RefCell<Vec<Step>> = const { RefCell::new(Vec::new()) };
}

fn defined(name: &str, times: transfers::RowTimes) -> Result<u32, ConfigError> {
    let rejected = |message| ConfigError { pointer: "/what".into(), message, help: None };
    transfers::define_row(name, times).map_err(rejected)
}

impl Misbehaviour for MisusesTransfers {
    fn configure(params: &str) -> Result<u32, ConfigError> {
        use transfers::RowTimes::{ByDesign, Counted};
        let (what, url) = (text(params, "what").to_owned(), text(params, "url").to_owned());
        let row = defined("row", Counted)?;
        match what.as_str() {
            "a slash in a name" => defined("a/b", Counted)?,
            "other times" => defined("row", ByDesign)?,
            "many rows" => (0..16).try_fold(0, |_, number| defined(&format!("{number}"), Counted))?,
            "ending too early" => lifetime::ending(),
            _ => 0,
        };
        Ok(STEPS.with_borrow_mut(|steps| {
            steps.push(Step { what, url, row });
            steps.len() as u32 - 1
        }))
    }

    fn start(step: u32, _: u32) -> Progress {
        let Step { what, url, row } = STEPS.with_borrow(|steps| steps[step as usize].clone());
        let request = get(&url);
        match what.as_str() {
            "no row" => {
                transfers::begin(&request, 4_000_000_000);
            }
            "a row of another step" => {
                transfers::begin(&request, 0);
            }
            "a row too late" => {
                let _ = transfers::define_row("late", transfers::RowTimes::Counted);
            }
            "lasts too late" => lifetime::lasts(1),
            "connections too late" => lifetime::connections(2),
            "no exchange" => {
                transfers::progress(timer::sleep(0));
            }
            "made up" => {
                transfers::progress(4_000_000_000);
            }
            "times too early" => {
                transfers::times(transfers::begin(&request, row));
            }
            "given up" => {
                let exchange = transfers::begin(&request, row);
                operations::cancel(exchange);
                transfers::progress(exchange);
            }
            "left twice" => {
                let exchange = transfers::begin(&request, row);
                transfers::leave(exchange, row);
                transfers::leave(exchange, row);
            }
            "left in no row" => {
                transfers::leave(transfers::begin(&request, row), 4_000_000_000);
            }
            "left a wait" => transfers::leave(timer::sleep(0), row),
            _ => {
                http::send_dynamic(&request);
            }
        }
        Progress::Pending
    }

    /// Asks an ordinary exchange for its fingerprint.
    fn resume(_: u32, operation: u32) -> Progress {
        transfers::fingerprint(operation);
        Progress::Passed
    }
}

guest!(MisusesTransfers);
