//! The unit of time. Each machine counts from an instant of its own, so a [`Time`] has a meaning on one machine only,
//! unless it is said to count from the start of the load.

/// Nanoseconds of a monotonic clock.
pub type Time = u64;

/// One millisecond.
pub const MILLISECOND: Time = 1_000_000;

/// One second.
pub const SECOND: Time = 1_000_000_000;

/// Returns an instant rounded up to whole seconds.
pub(crate) const fn whole_seconds_up(time: Time) -> Time {
    time.div_ceil(SECOND).saturating_mul(SECOND)
}

/// Returns the number of the second that an instant is in.
pub(crate) fn second_of(time: Time) -> u32 {
    u32::try_from(time / SECOND).unwrap_or(u32::MAX)
}
