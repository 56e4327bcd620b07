//! Waits for a line on standard input.

use stampede_guests::{FailureKind, Misbehaviour, Progress, guest, report};

/// The guest.
pub struct ReadsStandardInput;

impl Misbehaviour for ReadsStandardInput {
    fn start(_: u32, _: u32) -> Progress {
        let mut line = String::new();
        match std::io::stdin().read_line(&mut line) {
            Ok(0) => Progress::Passed,
            other => {
                report::fail(FailureKind::Check, &format!("read {other:?}"));
                Progress::Failed
            }
        }
    }
}

guest!(ReadsStandardInput);
