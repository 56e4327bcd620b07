//! Honest latency. A target that stalls keeps an open load's requests from being sent; they were due, and a tool that
//! counts only the requests it sent does not see them. Response times count from the time at which a request should
//! have started, service times from the time at which one of the few users was free; the report gives both.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use stampede_tests::{RawServer, Report};

use crate::shooter;

/// Arrivals per second, and the number of seconds.
const RATE: u64 = 2_000;
const SECONDS: u64 = 10;
/// Requests in flight at a time: connections, as a tool without arrivals would have them.
const USERS: u64 = 64;
/// Length of the target's only stall, in the middle of the run.
const STALL: Duration = Duration::from_millis(1_400);
/// Repetitions of a run whose own figures show that the machine disturbed it.
const TRIES: usize = 5;

/// The target's own record of a run, by its own clock.
#[derive(Clone, Copy, Default)]
struct Done {
    served: u64,
    /// The actual length of the stall, and the time of its end.
    stalled: Duration,
    over: Option<Instant>,
    /// Time from the end of the stall until a hundredth of all requests was answered.
    caught_up: Duration,
}

impl Done {
    /// Serves a request.
    fn serve(&mut self) {
        self.served += 1;
        if self.served == RATE * SECONDS / 2 {
            // The stall itself, not a wait for something: no request is answered meanwhile.
            let began = now();
            thread::sleep(STALL);
            (self.stalled, self.over) = (began.elapsed(), Some(now()));
        }
        if let Some(over) = self.over
            && self.served == RATE * SECONDS / 2 + RATE * SECONDS / 100
        {
            self.caught_up = over.elapsed();
        }
    }
}

/// Returns the time, by which the target measures its stall.
#[allow(clippy::disallowed_methods, reason = "the target's clock is not the load runner's")]
fn now() -> Instant {
    Instant::now()
}

/// Runs against a target that serves one request at a time and stalls once.
fn run() -> (Report, String, Done) {
    let done = Arc::new(Mutex::new(Done::default()));
    let target = RawServer::start({
        let done = Arc::clone(&done);
        move |_| {
            done.lock().unwrap_or_else(PoisonError::into_inner).serve();
            b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok".to_vec()
        }
    });
    let flags = format!("--arrival-rate {RATE}/s --duration {SECONDS}s --max-users {USERS} --latency both");
    let run = shooter().script("{max_wait: 10s, steps: [{name: Page, url: /}]}\n").args(&flags);
    let run = run.arg("--base-url").arg(target.base_url()).report().finish().exits(0);
    let (report, done) = (run.report(), *done.lock().unwrap_or_else(PoisonError::into_inner));
    report.assert_consistent();
    (report, run.stdout, done)
}

/// Returns the response time at p99, from the length of the stall and of the run alone. Arrivals are even, so one that
/// is due `t` after the stall began waits for its rest, `STALL - t`. The requests that wait longer than p99 are a
/// hundredth of all, which are the first that are due in the stall, and which fall due within a hundredth of the run.
/// So p99 is the wait of the request that is due a hundredth of the run after the stall began.
fn from_first_principles(stalled: Duration) -> Duration {
    stalled - Duration::from_secs(SECONDS) / 100
}

#[test]
fn a_stall_shows_in_response_times_as_it_was_and_hides_from_service_times() {
    let mut spoilt = Vec::new();
    for _ in 0..TRIES {
        let (report, table, done) = run();
        let micros = |pointer: &str| report.at(pointer).as_u64().unwrap_or_else(|| panic!("no {pointer}")) as f64;
        let expected = from_first_principles(done.stalled).as_micros() as f64;
        let [response, service] = ["response", "service"].map(|it| micros(&format!("/totals/{it}_time_us/p99")));
        assert_eq!(micros("/scenarios/0/iterations/due"), (RATE * SECONDS) as f64, "the schedule does not stall");
        // The few requests that the target was serving when it stalled have waited for it, and are too few to be seen.
        const { assert!(USERS < RATE * SECONDS / 100) };
        assert!(micros("/totals/service_time_us/max") >= 0.999 * done.stalled.as_micros() as f64);
        if (response / expected - 1.0).abs() < 0.05 && service < expected / 10.0 {
            assert_eq!(micros("/scenarios/0/iterations/completed"), done.served as f64, "what the target served");
            for head in ["p99", "svc p99"] {
                assert!(table.contains(head), "both are in the table:\n{table}");
            }
            return;
        }
        // A machine with other load may be late for its own reasons. Then the generator, or the target, has measured
        // it.
        let late = [
            ("the generator started requests late, in µs at most", micros("/generator/start_delay_us/max")),
            ("requests took long without the stall, in µs at p90", micros("/totals/service_time_us/p90")),
            ("the target caught up slowly, in µs", done.caught_up.as_micros() as f64),
        ];
        let found = format!("p99 {response} µs (service time {service} µs), by the stall {expected} µs; {late:?}");
        assert!(late.iter().any(|(_, micros)| *micros > 0.02 * expected), "wrong on a machine that kept up: {found}");
        spoilt.push(found);
    }
    panic!("the machine kept up in none of {TRIES} tries, so nothing is shown:\n{}", spoilt.join("\n"));
}
