//! Submits one request after the other, each with a body of 16 MiB, and gives up none. Without a limit the host would
//! hold the largest body times the operations of a task.

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

    /// Ends with the fifth request, which is one too many and fails at once.
    fn resume(_: u32, operation: u32) -> Progress {
        match (operation, http::reply(operation)) {
            (4, Err(_)) => Progress::Failed,
            _ => Progress::Pending,
        }
    }
}

guest!(HoldsTooMuch);
