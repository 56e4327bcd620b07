//! When requests start. A pacer is a pure function of times it is told: it reads no clock and never sleeps, so that its
//! schedule can be tested exactly; the one wait stands in `plugin::session`.

mod limiter;

pub use limiter::Limiter;
