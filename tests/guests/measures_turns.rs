//! Asks twice for the page in its parameter `url`, each time after its turn. Measures each exchange by the clock of the
//! run, and the whole task by the clock that stands still during waits.

use std::cell::{Cell, RefCell};

use stampede_guests::{ConfigError, Misbehaviour, Progress, get, guest, http, report, task, text, timer};

/// The guest.
pub struct MeasuresTurns;

/// The state of the current task; the test has one user.
#[derive(Clone, Copy, Default)]
struct Measured {
    began: u64,
    sent: u64,
    replies: u32,
    turn: Option<u32>,
}

thread_local! {
    static URL: RefCell<String> = const { RefCell::new(String::new()) };
    static METRICS: Cell<(u32, u32)> = const { Cell::new((0, 0)) };
    static MEASURED: Cell<Measured> = const { Cell::new(Measured { began: 0, sent: 0, replies: 0, turn: None }) };
}

impl Misbehaviour for MeasuresTurns {
    fn configure(params: &str) -> Result<u32, ConfigError> {
        URL.set(text(params, "url").to_owned());
        let define =
            |name| {
                report::define(name, report::MetricKind::Trend, report::MetricUnit::Number)
                    .map_err(|message| ConfigError { pointer: String::new(), message, help: None })
            };
        METRICS.set((define("exchange")?, define("task")?));
        Ok(0)
    }

    fn start(_: u32, _: u32) -> Progress {
        ask(Measured { began: task::active_time(), ..Measured::default() })
    }

    fn resume(_: u32, operation: u32) -> Progress {
        let mut measured = MEASURED.get();
        if measured.turn.take_if(|turn| *turn == operation).is_some() {
            assert!(task::turn().is_none(), "the task holds its turn");
            return send(measured);
        }
        let (exchange, whole) = METRICS.get();
        report::add(exchange, (timer::now() - measured.sent) as f64);
        measured.replies += 1;
        if measured.replies < 2 {
            return ask(measured);
        }
        report::add(whole, (task::active_time() - measured.began) as f64);
        Progress::Passed
    }
}

fn ask(measured: Measured) -> Progress {
    match task::turn() {
        None => send(measured),
        turn => {
            MEASURED.set(Measured { turn, ..measured });
            Progress::Pending
        }
    }
}

fn send(measured: Measured) -> Progress {
    http::send_dynamic(&get(&URL.with_borrow(String::clone)));
    MEASURED.set(Measured { sent: timer::now(), ..measured });
    Progress::Pending
}

guest!(MeasuresTurns);
