//! A load runner whose every action is a sandboxed WebAssembly component.
//!
//! A run is a pipe: what was typed becomes a plan, the plan becomes load, load becomes samples, samples become a
//! report. The modules form floors, and each imports only from floors below its own; `ARCHITECTURE.md` follows one
//! request all the way through. Modules are public only as far as the binary, the tests and the benchmarks use them.
//!
//! | floor | module | holds |
//! |--:|---|---|
//! | 16 | [`command`] | the commands |
//! | 16 | [`fuzzing`] | the parsers of what comes from elsewhere, for the fuzz targets |
//! | 15 | `machines` | many machines as one run, over NATS |
//! | 14 | `sinks` | the outputs of a run, each on a thread of its own |
//! | 13 | `report` | the report and its formats |
//! | 13 | `rehearsal` | `plugin test`: a component against a scripted target, in virtual time |
//! | 13 | `control` | keys and a socket that change a run while it goes on |
//! | 12 | [`run`] | workers, users, arrivals, sections |
//! | 11 | [`plan`] | the complete, valid description of a run |
//! | 11 | `scaffold` | the plugin that `plugin new` writes |
//! | 10 | [`plugin`] | the WebAssembly host: loading, contract, instances, native plugins |
//! | 9 | [`user`] | one virtual user: session, task, sockets |
//! | 8 | `expression` | conditions |
//! | 8 | `load_model` | the rules by which iterations begin |
//! | 7 | `http` | the metered client |
//! | 7 | `secrets` | the search for secrets in texts |
//! | 7 | [`template`] | texts with helpers |
//! | 7 | [`pace`] | start times as pure functions |
//! | 6 | `net` | byte streams: names, addresses, TCP, TLS |
//! | 5 | [`metrics`] | samples and their sums |
//! | 5 | `data` | data sets |
//! | 4 | [`cli`] | the arguments of the commands |
//! | 3 | [`script`] | the script, with the place of each value |
//! | 2 | [`diagnostic`] | errors in the input, in one form |
//! | 1 | [`exit`], `random`, `stderr`, `temporary` | exit codes, random streams, lines for people, temporary files |
//! | 1 | `text`, `json_text` | safe text, JSON values as they are written |
//! | 1 | `segment` | the division of a run among processes and workers |

pub mod cli;
pub mod command;
mod control;
mod data;
pub mod diagnostic;
pub mod exit;
mod expression;
pub mod fuzzing;
mod http;
mod json_text;
mod load_model;
mod machines;
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
mod segment;
mod sinks;
mod stderr;
pub mod template;
mod temporary;
mod text;
pub mod user;
