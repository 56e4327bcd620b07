//! Submits waits, requests and connects without end, and gives each up at once. The host must free all that they cost.

use stampede_guests::{Misbehaviour, Progress, get, guest, http, operations, timer};

/// The guest.
pub struct GivesUp;

impl Misbehaviour for GivesUp {
    fn start(_: u32, _: u32) -> Progress {
        for _ in 0..300 {
            operations::cancel(timer::sleep(u64::MAX));
            operations::cancel(http::send_dynamic(&get("/api/v1/catalog")));
        }
        // The host ignores numbers that are not valid.
        operations::cancel(0);
        operations::cancel(u32::MAX);
        timer::sleep(0);
        Progress::Pending
    }

    fn resume(_: u32, operation: u32) -> Progress {
        operations::cancel(operation);
        assert_eq!(operation, 600, "what was given up is not announced");
        Progress::Passed
    }
}

guest!(GivesUp);
