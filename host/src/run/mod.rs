//! The load engine.

pub mod clock;
