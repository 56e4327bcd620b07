//! What was typed.

pub mod model;
