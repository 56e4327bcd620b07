//! A load runner whose every action is a sandboxed WebAssembly component.
//!
//! A run is a pipe: what was typed becomes a plan, the plan becomes load, load becomes samples, samples become a
//! report. The modules form floors, and each imports only from floors below its own; `ARCHITECTURE.md` follows one
//! request all the way through. Modules are public only as far as the binary, the tests and the benchmarks use them.
//!
//! | floor | module | holds |
//! |--:|---|---|
//! | 12 | [`command`] | the commands |
//! | 12 | [`cli`] | their arguments |
//! | 11 | `sinks` | the outputs of a run, each on a thread of its own |
//! | 10 | `report` | the report and its formats |
//! | 10 | `rehearsal` | `plugin test`: a component against a scripted target, in virtual time |
//! | 10 | `control` | keys and a socket that change a run while it goes on |
//! | 9 | [`run`] | workers, users, arrivals, segments |
//! | 8 | [`plan`] | the complete, valid description of a run |
//! | 8 | `scaffold` | the plugin that `plugin new` writes |
//! | 7 | [`plugin`] | the WebAssembly host: loading, contract, instances, native plugins |
//! | 6 | [`user`] | one virtual user: session, task, sockets |
//! | 5 | `http` | the metered client |
//! | 5 | `secrets` | the search for secrets in texts |
//! | 5 | [`template`], `expression` | texts with helpers, and conditions |
//! | 5 | [`pace`], `load_model` | start times as pure functions; the rules by which iterations begin |
//! | 4 | `net` | byte streams: names, addresses, TCP, TLS |
//! | 4 | [`metrics`] | samples and their sums |
//! | 4 | `data` | data sets |
//! | 3 | [`script`] | the script, with the place of each value |
//! | 2 | [`diagnostic`] | errors in the input, in one form |
//! | 1 | [`exit`], `random`, `text` | exit codes, random streams, safe text |

pub mod cli;
pub mod command;
mod control;
mod data;
pub mod diagnostic;
pub mod exit;
mod expression;
mod http;
mod load_model;
pub mod metrics;
mod net;
pub mod pace;
pub mod plan;
pub mod plugin;
mod random;
mod rehearsal;
mod report;
pub mod run;
mod scaffold;
pub mod script;
mod secrets;
mod sinks;
pub mod template;
mod text;
pub mod user;
