//! When requests, iterations and users start. A pacer is a pure function of times it is told: it reads no clock and never
//! sleeps, so that its schedule can be tested exactly; the waits stand in `plugin::session` and `run::turns`.
//!
//! | what starts | when | file |
//! |---|---|---|
//! | a request of a user under a cap | an interval after the last one, or later | `limiter` |
//! | an iteration of an open workload | when the area under the rate says so | `arrivals` on `shape` |
//! | the step after a step | when its user has thought | `think` |
//! | what failed, again | when the target was left alone for a while | `retry` |
//! | a user of a ramp | as long as the shape is above its number | `shape` |

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
