//! `demo`: the embedded site, alone or with a run against it.

use std::net::{Ipv4Addr, SocketAddr};

use clap::Args;
use clap::builder::BoolishValueParser;

use super::RunArgs;

/// The port with `--serve`, fixed so that the address is known beforehand.
const SERVE_PORT: u16 = 8080;

/// Arguments of `demo`.
#[derive(Clone, Debug, Default, PartialEq, Args)]
pub struct DemoArgs {
    /// Only serve the site, until interrupted
    #[arg(
        long,
        env = "STAMPEDE_SERVE",
        value_parser = BoolishValueParser::new(),
        help_heading = "Site"
    )]
    pub serve: bool,
    /// The address that the site listens on
    ///
    /// Port 0 picks a free port. 127.0.0.1:8080 with `--serve`, otherwise a free port of 127.0.0.1, if not given.
    #[arg(long, value_name = "HOST:PORT", env = "STAMPEDE_ADDR", help_heading = "Site")]
    pub addr: Option<SocketAddr>,
    /// The flags of the run against the site.
    #[command(flatten)]
    pub run: RunArgs,
}

impl DemoArgs {
    /// Returns the address that the site listens on.
    pub fn address(&self) -> SocketAddr {
        let port = if self.serve { SERVE_PORT } else { 0 };
        self.addr.unwrap_or_else(|| (Ipv4Addr::LOCALHOST, port).into())
    }
}
