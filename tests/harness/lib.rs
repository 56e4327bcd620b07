//! Support for the suites: targets on free ports, the real binary in a folder of its own, and its reports as values to
//! compare with the target's own counts. Nothing here sleeps and hopes: every wait is for something that can be
//! observed.

mod authority;
mod browser;
mod events;
mod fault;
mod grpc;
mod guests;
mod hostile;
pub mod http2;
mod http_client;
#[cfg(unix)]
mod httpbin;
mod influx;
mod nats;
mod nginx;
mod otlp;
mod prometheus;
mod raw;
mod registry;
mod report;
mod run;
mod silent;
mod site;
mod smtp;
#[cfg(unix)]
mod terminal;
mod wait;
mod websocket;

pub use authority::{Authority, Identity};
pub use browser::Browser;
pub use events::EventStreams;
pub use fault::{Act, FaultServer, Received};
pub use grpc::{GrpcServer, Reflection, descriptors};
pub use guests::guest;
pub use hostile::{heavy_component, large_component};
pub use http_client::{http_get, http_post};
pub use http2::{Http2Counts, Http2Request, Http2Server, Part};
#[cfg(unix)]
pub use httpbin::HttpBin;
pub use influx::InfluxDb;
pub use nats::{NatsClient, NatsServer};
pub use nginx::{Logged, Nginx};
pub use otlp::{OtlpCollector, decode_otlp};
pub use prometheus::{Prometheus, promtool_check};
pub use raw::{RawReply, RawRequest, RawServer};
pub use registry::Registry;
pub use report::{Report, Row};
pub use run::{Finished, Run, Running, Signal};
pub use silent::{Dropping, Refusing, Silent};
pub use site::{settled, site};
pub use smtp::{SmtpCommands, SmtpServer, StartTls};
#[cfg(unix)]
pub use terminal::Terminal;
pub use wait::wait_for;
pub use websocket::{Counted, WebSockets, switching};
