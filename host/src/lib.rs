//! A load runner whose every action is a sandboxed WebAssembly component.
//!
//! A run is a pipe: what was typed becomes a plan, the plan becomes load, load becomes samples, samples become a report.
//! Each stage knows its neighbour's type and nothing else; `ARCHITECTURE.md` follows one request all the way through.
//!
//! | module | stage |
//! |---|---|
//! | [`cli`], [`command`], [`exit`] | what was asked for, and how the process ends |
//! | [`diagnostic`] | one shape for every mistake a user can make |
//! | [`script`], [`template`], [`expression`] | what was typed, with its place in the file |
//! | [`plan`] | what to run: complete, valid, described |
//! | [`pace`] | when, as a pure function |
//! | [`run`] | clock, phases, workers, virtual users |
//! | [`control`] | keys and a socket that change a run while it goes on |
//! | [`plugin`] | the WebAssembly host: engine, limits, instances, capabilities |
//! | [`http`] | the metered client |
//! | [`rehearsal`] | a component against a scripted target, in virtual time |
//! | [`scaffold`] | a plugin to begin with |
//! | [`metrics`], [`report`] | samples, what they add up to, and how that is shown |
//! | [`demo`] | the embedded site: the demo's target and the tests' |

pub mod cli;
pub mod command;
pub mod control;
pub mod data;
pub mod diagnostic;
pub mod exit;
pub mod expression;
pub mod http;
pub mod metrics;
pub mod net;
pub mod pace;
pub mod plan;
pub mod plugin;
pub mod random;
pub mod rehearsal;
pub mod report;
pub mod run;
pub mod scaffold;
pub mod script;
pub mod secrets;
pub mod template;
#[allow(warnings)]
pub mod template_old;
pub mod text;
pub mod user;
