//! Time as the load engine sees it: one clock, one heap of waits, the phases of a run. Everything that needs the time is
//! given a [`Clock`]; no other file of the project reads it.
//!
//! | file | contents |
//! |---|---|
//! | `clock` | the clock and its unit, nanoseconds since the start of a run |
//! | `alarm` | one timer of the operating system |
//! | `timers` | the waits of one worker: a heap above one alarm |
//! | `thread_timer` | waits that many threads share, for the embedded site |
//! | `phase` | how far a run has come: running, stopping, stopped |

mod alarm;
mod clock;
mod phase;
mod thread_timer;
mod timers;

pub use clock::{Clock, Nanos, nanos};
pub use phase::{RunPhase, SharedPhase};
pub use thread_timer::{Delay, DelayTimer};
pub use timers::{TimerGuard, Timers};
