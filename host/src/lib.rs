//! A load runner whose every action is a sandboxed WebAssembly component.

pub mod demo;
pub mod diagnostic;
pub mod http;
pub mod metrics;
pub mod plan;
pub mod report;
pub mod run;
pub mod script;
pub mod template;
