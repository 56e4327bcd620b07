//! A load runner whose every action is a sandboxed WebAssembly component.

pub mod cli;
pub mod diagnostic;
pub mod exit;
pub mod metrics;
pub mod run;
pub mod script;
