//! What will happen, complete and valid.

pub mod data;
