//! Many machines as one run, over NATS: the drivers of the protocol's state machines (`stampede_fleet`).
//!
//! ```text
//!  fleet run                        NATS                          fleet node, N of them
//!  ─────────                        ────                          ─────────────────────
//!  script, data, plugins ──────▶ objects, plan ──────────────────▶ bundle, plan of segment i/N
//!  coordinator ◀── ready, heartbeats, frames ──────────────────── node ◀─ seconds ─ load (an ordinary run)
//!       │      ──── start, acknowledgements, changes, stop ─────▶   │
//!       │      ◀─── final counts, from a stream ─────────────────   └─ start, changes, stop ─▶ load
//!       └─ windows ─▶ run of remote workers ─▶ thresholds, outputs, progress, report
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `bus`, `records`, `server_version` | the connection, its buckets and streams |
//! | `bundle`, `flags` | what travels, and what must not |
//! | `counts`, `shape`, `schedule` | what the protocol asks of counts and plans |
//! | `node`, `job`, `load` | a machine of the run: driver, and the load it drives |
//! | `leading`, `coordinator`, `notes` | the machine that leads it |
//! | `operator` | requests to a run |
//! | `local_server` | a NATS server for a first try |

mod bundle;
mod bus;
mod coordinator;
mod counts;
mod flags;
mod job;
mod leading;
mod load;
mod local_server;
mod machine;
mod node;
mod notes;
mod operator;
mod records;
mod schedule;
mod server_version;
mod shape;

pub(crate) use bundle::Bundle;
pub(crate) use flags::travelling;
pub(crate) use leading::{FleetOptions, FleetRun};
pub(crate) use load::{NodeOptions, run_node};
pub(crate) use local_server::LocalServer;
pub(crate) use node::NodeRequest;
pub(crate) use operator::ask;
