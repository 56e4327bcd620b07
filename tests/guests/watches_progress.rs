//! Does nothing wrong: watches a transfer at even intervals, and checks that everything that it is told fits together.

use std::cell::Cell;

use stampede_guests::{
    ConfigError, FailureKind, Misbehaviour, Progress, get, guest, http, number, report, text, timer, transfers,
};

/// The guest.
pub struct WatchesProgress;

/// The state of the only task.
#[derive(Clone, Copy, Default)]
struct Watch {
    transfer: u32,
    last: Seen,
    looks: u32,
}

/// The progress that was seen last.
#[derive(Clone, Copy, Default, PartialEq)]
struct Seen {
    headed: Option<u64>,
    content: u64,
}

thread_local! {
    static URL: Cell<&'static str> = const { Cell::new("") };
    /// The row, the metric of content seen, and the interval in nanoseconds.
    static STEP: Cell<(u32, u32, u64)> = const { Cell::new((0, 0, 0)) };
    static WATCH: Cell<Watch> = Cell::new(Watch::default());
}

impl Misbehaviour for WatchesProgress {
    fn configure(params: &str) -> Result<u32, ConfigError> {
        let rejected = |message| ConfigError { pointer: "/url".into(), message, help: None };
        URL.set(Box::leak(text(params, "url").to_owned().into_boxed_str()));
        let row = transfers::define_row("file", transfers::RowTimes::Counted).map_err(rejected)?;
        let seen = report::define("seen", report::MetricKind::Counter, report::MetricUnit::Bytes).map_err(rejected)?;
        STEP.set((row, seen, number(params, "every_ms") as u64 * 1_000_000));
        Ok(0)
    }

    fn start(_: u32, _: u32) -> Progress {
        let (row, _, every) = STEP.get();
        let transfer = transfers::begin(&get(URL.get()), row);
        WATCH.set(Watch { transfer, ..Watch::default() });
        timer::sleep(every);
        Progress::Pending
    }

    fn resume(_: u32, operation: u32) -> Progress {
        let (_, seen, every) = STEP.get();
        let Watch { transfer, last, looks } = WATCH.get();
        let transfers::TransferProgress { headed, content } = transfers::progress(transfer);
        if headed < last.headed || (last.headed.is_some() && headed != last.headed) || content < last.content {
            return failed("the progress went back");
        }
        if operation != transfer {
            report::add(seen, content as f64);
            WATCH.set(Watch { transfer, last: Seen { headed, content }, looks: looks + 1 });
            timer::sleep(every);
            return Progress::Pending;
        }
        let (times, body) = (transfers::times(transfer), http::body(transfer));
        let is_whole = content == body.len() as u64 && headed == Some(times.headed);
        let in_order = times.start <= times.headed && times.headed <= times.end && times.end <= timer::now();
        match http::reply(transfer) {
            Ok(reply) if reply.duration == times.end - times.start && is_whole && in_order && times.fresh => {
                if looks == 0 { failed("there was no time to look") } else { Progress::Passed }
            }
            _ => failed("the end does not fit the progress"),
        }
    }
}

fn failed(why: &str) -> Progress {
    report::fail(FailureKind::Check, why);
    Progress::Failed
}

guest!(WatchesProgress);
