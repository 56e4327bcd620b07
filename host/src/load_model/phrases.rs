//! Phrases that sentences about a plan are made of.

use std::time::Duration;

use stampede_time::Nanos;

/// Returns a number of things, such as `1 user` or `2 users`.
pub(crate) fn count(number: u64, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// Returns a length of time, such as `1m 30s`.
pub(crate) fn time(length: Nanos) -> humantime::FormattedDuration {
    humantime::format_duration(Duration::from_nanos(length))
}

/// Returns the users of a closed model and a verb for what they do.
pub(super) fn users_walk(users: u32, ramp_up: Duration) -> String {
    let verb = if users == 1 { "walks" } else { "walk" };
    let users = count(users.into(), "virtual user");
    if ramp_up.is_zero() {
        return format!("{users} {verb}");
    }
    format!("{users}, begun over {}, {verb}", humantime::format_duration(ramp_up))
}
