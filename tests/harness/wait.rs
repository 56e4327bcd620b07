//! Waiting for something that can be seen.

use std::thread::sleep;
use std::time::Duration;

/// How often to look.
const LOOK: Duration = Duration::from_millis(2);

/// How many looks in vain mean that it will never be; a minute or more. Only a test that fails gets there.
const LOOKS: u32 = 30_000;

/// Waits until a condition holds.
///
/// # Panics
/// It does not, not even after a minute. `what` says what was waited for.
#[track_caller]
pub fn wait_for(what: &str, mut condition: impl FnMut() -> bool) {
    for _ in 0..LOOKS {
        if condition() {
            return;
        }
        sleep(LOOK);
    }
    panic!("waited a minute in vain for {what}");
}
