//! Measuring.

pub mod sample;
