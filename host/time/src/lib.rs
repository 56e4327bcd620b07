//! Time for the load engine: one clock, timers, the phases of a run. Everything that needs the time is given a
//! [`Clock`]; no other file of the project reads it.
//!
//! There are two kinds of timers, because their callers differ. [`Timers`] serves the users of one worker: it lives on
//! one thread, needs no lock, follows a virtual clock, and is woken by one timer of the operating system in the
//! worker's own event loop. [`DelayTimer`] serves the embedded site, whose connections are on several threads and must
//! be able to move between them: its queue is behind a lock, and a thread of its own waits. The site is also run where
//! tokio's timer is not enabled, and its delays must be exact to a fraction of a millisecond while the workers load it.
//!
//! | file | contents |
//! |---|---|
//! | `clock` | the clock and its unit, nanoseconds since the start of a run |
//! | `alarm` | one timer of the operating system |
//! | `timers` | timers of one worker: a heap above one alarm |
//! | `thread_timer` | delays shared by several threads, for the embedded site; a time that its tests move on |
//! | `phase` | the phase of a run: running, draining, stopped |

mod alarm;
mod clock;
mod phase;
mod thread_timer;
mod timers;

pub use clock::{Clock, Nanos, SECOND, nanos};
pub use phase::{RunPhase, SharedPhase};
pub use thread_timer::{Delay, DelayTimer, ManualTime};
pub use timers::{TimerGuard, Timers};
