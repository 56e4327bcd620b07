//! Submits one request after the other, each with a body of 16 MiB, and lets go of none. What the host holds for one
//! task would be as much as a task has operations, times the largest body.

use stampede_guests::{Misbehaviour, Progress, get, guest, http};

/// The guest.
pub struct HoldsTooMuch;

impl Misbehaviour for HoldsTooMuch {
    fn start(_: u32, _: u32) -> Progress {
        let mut request = get("/api/v1/catalog");
        request.body = vec![b'x'; 16 << 20];
        for _ in 0..5 {
            http::send_dynamic(&request);
        }
        Progress::Pending
    }

    /// The fifth is the one too many. It fails at once, and is the end of it.
    fn resume(_: u32, operation: u32) -> Progress {
        match (operation, http::reply(operation)) {
            (4, Err(_)) => Progress::Failed,
            _ => Progress::Pending,
        }
    }
}

guest!(HoldsTooMuch);
