//! Pacers, which decide when requests, iterations and users start. A pacer is a pure function of the times that it is
//! given: it reads no clock and never sleeps, so that its schedule can be tested exactly. The waits are in
//! `user::session` and `run::iteration_source`.
//!
//! | what starts | when | file |
//! |---|---|---|
//! | a request of a rate-limited user | an interval after the last one, or later | `rate_limiter` |
//! | an arrival | when the area under the rate passes its number | `arrivals` on `load_profile` |
//! | the step after a step | after the think time | `think_time` |
//! | a retry | after a wait that doubles | `backoff` |
//! | a user of a ramp | while the profile is above its number | `load_profile` |

mod arrivals;
mod backoff;
mod load_profile;
mod rate_limiter;
mod think_time;

pub use arrivals::{ArrivalProcess, Arrivals};
pub use backoff::Backoff;
pub use load_profile::{LoadProfile, Stage};
pub use rate_limiter::RateLimiter;
pub use think_time::ThinkTime;
