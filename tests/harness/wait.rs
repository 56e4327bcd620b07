//! Waiting for something that can be observed.

use std::thread::sleep;
use std::time::Duration;

/// Time between two looks.
const LOOK: Duration = Duration::from_millis(2);

/// The number of attempts before a wait is given up, after a minute or more. Only a failing test reaches it.
const LOOKS: u32 = 30_000;

/// Waits until a condition holds.
///
/// # Panics
/// The condition does not hold after a minute. `what` names it in the message.
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
