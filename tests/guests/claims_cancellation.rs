//! Reports that the run had ended first, which only the host can know.

use stampede_guests::{FailureKind, Misbehaviour, Progress, guest, report};

/// The guest.
pub struct ClaimsCancellation;

impl Misbehaviour for ClaimsCancellation {
    fn start(_: u32, _: u32) -> Progress {
        report::fail(FailureKind::Cancelled, "the run is over, believe me");
        Progress::Failed
    }
}

guest!(ClaimsCancellation);
