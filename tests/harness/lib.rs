//! Support for the suites: targets on free ports, the real binary in a folder of its own, and its reports as values to
//! compare with the target's own counts. Nothing here sleeps and hopes: every wait is for something that can be
//! observed.

mod events;
mod grpc;
mod guests;
mod hostile;
mod http2;
mod nginx;
mod raw;
mod registry;
mod report;
mod run;
mod silent;
mod site;
#[cfg(unix)]
mod terminal;
mod wait;
mod websocket;

pub use events::EventStreams;
pub use grpc::{GrpcServer, Reflection, descriptors};
pub use guests::guest;
pub use hostile::heavy_component;
pub use http2::{Http2Counts, Http2Request, Http2Server, Part};
pub use nginx::{Logged, Nginx};
pub use raw::{RawRequest, RawServer};
pub use registry::Registry;
pub use report::{Report, Row};
pub use run::{Finished, Run, Running, Signal};
pub use silent::{Dropping, Refusing, Silent};
pub use site::{settled, site};
#[cfg(unix)]
pub use terminal::Terminal;
pub use wait::wait_for;
pub use websocket::{Counted, WebSockets, switching};
