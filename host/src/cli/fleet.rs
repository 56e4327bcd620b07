//! `fleet`: many machines as one run.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::BoolishValueParser;
use clap::{Args, Subcommand, ValueEnum};

use super::value::{fleet_nodes, lost_share, positive_duration};
use super::{ConsoleArgs, NativeArgs, RunArgs};
use crate::segment::Segment;

/// Arguments of `fleet`.
#[derive(Clone, Debug, Args)]
pub struct FleetArgs {
    /// The command.
    #[command(subcommand)]
    pub command: FleetCommand,
}

/// The commands about fleets.
#[derive(Clone, Debug, Subcommand)]
pub enum FleetCommand {
    /// Run a script on other machines, and report as for one
    #[command(
        long_about = "Puts a script, its data and its plugins on a NATS server, waits for the machines that run `fleet \
                      node`, starts them at one instant, and adds up what they count. Thresholds, outputs, progress, \
                      page, report and exit code are those of a run. Takes the flags of a run. Exits with 10 if the \
                      counts are not about the whole run, and with 11 if the machines did not come together."
    )]
    Run(Box<FleetRunArgs>),
    /// Be one of the machines of a run
    #[command(
        long_about = "Waits for a run on a NATS server, fetches what it needs, carries out one segment of it and ends. \
                      The segment is that of --segment, or that of the variable JOB_COMPLETION_INDEX, which counts \
                      from 0, or one that is free."
    )]
    Node(FleetNodeArgs),
    /// Run a script as several processes of this machine
    #[command(
        long_about = "Starts a NATS server and the processes of a fleet on this machine, runs the script on them, and \
                      ends them: a fleet for a first try. `nats-server` must be installed. Takes the flags of a run."
    )]
    Local(Box<FleetLocalArgs>),
    /// Print the state of a run, as a line of JSON
    Status(FleetAskArgs),
    /// End a run as at the end of its duration
    Stop(FleetAskArgs),
    /// Change the load of a run
    Scale(FleetScaleArgs),
    /// Begin no more iterations; those under way go on to their end
    Pause(FleetAskArgs),
    /// Begin iterations again
    Resume(FleetAskArgs),
    /// Print what starts the machines of a run
    #[command(
        long_about = "Prints a manifest of Kubernetes (an Indexed Job), a job of Nomad, a unit of systemd or a file of \
                      Compose that starts the machines of a run. Only outgoing connections to NATS are needed."
    )]
    Manifest(FleetManifestArgs),
}

/// The connection to NATS.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
#[command(next_help_heading = "NATS")]
pub struct BusArgs {
    /// The NATS server
    ///
    /// `nats://HOST:PORT`, or `tls://HOST:PORT` to insist on TLS. `nats://127.0.0.1:4222` if not given. Over a network
    /// it must be 2.11.16, 2.12.7, 2.14.0 or later.
    #[arg(long, value_name = "URL", env = "STAMPEDE_NATS")]
    pub nats: Option<String>,
    /// A file with a user's JWT and nkey
    ///
    /// The `.creds` file that `nsc` writes.
    #[arg(long, value_name = "FILE", env = "STAMPEDE_NATS_CREDS")]
    pub nats_creds: Option<PathBuf>,
    /// A file with a user name and a password, a line each
    #[arg(long, value_name = "FILE", env = "STAMPEDE_NATS_LOGIN", conflicts_with = "nats_creds")]
    pub nats_login: Option<PathBuf>,
    /// A file with the certificates of authorities to trust, in PEM
    #[arg(long, value_name = "FILE", env = "STAMPEDE_NATS_CA")]
    pub nats_ca: Option<PathBuf>,
    /// A file with the certificate to show to the server, in PEM
    #[arg(long, value_name = "FILE", env = "STAMPEDE_NATS_CERT", requires = "nats_key")]
    pub nats_cert: Option<PathBuf>,
    /// A file with the key of that certificate, in PEM
    #[arg(long, value_name = "FILE", env = "STAMPEDE_NATS_KEY", requires = "nats_cert")]
    pub nats_key: Option<PathBuf>,
}

/// The division of a run among machines.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Fleet")]
pub struct FleetDivisionArgs {
    /// The number of machines
    ///
    /// 1 to 1,000. Each carries out one of as many parts of the run; the load is that of the script, not a multiple.
    #[arg(long, value_name = "N", env = "STAMPEDE_NODES", value_parser = fleet_nodes)]
    pub nodes: u32,
    /// The longest wait for the machines
    ///
    /// Then the run fails and names the missing ones. 5m if not given.
    #[arg(long, value_name = "D", env = "STAMPEDE_WAIT", value_parser = positive_duration)]
    pub wait: Option<Duration>,
    /// Go on while at most this share of the machines is lost
    ///
    /// Such as `1%`. The verdict is about what was counted. Without it the run ends when a machine is lost.
    #[arg(long, value_name = "SHARE", env = "STAMPEDE_TOLERATE_LOSS", value_parser = lost_share)]
    pub tolerate_loss: Option<f64>,
    /// Accept clocks that are known less precisely than to 5 ms
    ///
    /// For machines that are far apart. A warning names them.
    #[arg(long, env = "STAMPEDE_ANY_CLOCK", value_parser = BoolishValueParser::new())]
    pub any_clock: bool,
}

/// Arguments of `fleet run`.
#[derive(Clone, Debug, Args)]
pub struct FleetRunArgs {
    /// The connection.
    #[command(flatten)]
    pub bus: BusArgs,
    /// The division.
    #[command(flatten)]
    pub division: FleetDivisionArgs,
    /// The name of the run, which the machines are given
    ///
    /// Letters, digits, `-` and `_`. A random one, which is printed, if not given.
    #[arg(long = "run", id = "run", value_name = "ID", env = "STAMPEDE_RUN", help_heading = "Fleet")]
    pub id: Option<String>,
    /// The flags of the run.
    #[command(flatten)]
    pub run: RunArgs,
}

/// Arguments of `fleet local`.
#[derive(Clone, Debug, Args)]
pub struct FleetLocalArgs {
    /// The division.
    #[command(flatten)]
    pub division: FleetDivisionArgs,
    /// The flags of the run.
    #[command(flatten)]
    pub run: RunArgs,
}

/// Arguments of `fleet node`.
#[derive(Clone, Debug, Args)]
pub struct FleetNodeArgs {
    /// The connection.
    #[command(flatten)]
    pub bus: BusArgs,
    /// The name of the run
    #[arg(long = "run", id = "run", value_name = "ID", env = "STAMPEDE_RUN", help_heading = "Fleet")]
    pub id: String,
    /// The segment to carry out, such as 2/3
    ///
    /// That of the variable JOB_COMPLETION_INDEX, which counts from 0, if not given; without that, a free one.
    #[arg(
        long,
        value_name = "I/N",
        env = "STAMPEDE_SEGMENT",
        help_heading = "Fleet",
        value_parser = str::parse::<Segment>
    )]
    pub segment: Option<Segment>,
    /// The longest wait for the run, for a free segment and for its start
    ///
    /// 10m if not given.
    #[arg(
        long,
        value_name = "D",
        env = "STAMPEDE_WAIT",
        help_heading = "Fleet",
        value_parser = positive_duration
    )]
    pub wait: Option<Duration>,
    /// Read variables from this file, `NAME=value` a line
    ///
    /// They are this machine's; those of the script's templates are resolved here.
    #[arg(long, value_name = "FILE", env = "STAMPEDE_ENV_FILE", help_heading = "Script")]
    pub env_file: Option<PathBuf>,
    /// The flag that allows native plugins.
    #[command(flatten)]
    pub native: NativeArgs,
    /// The flags about the terminal.
    #[command(flatten)]
    pub console: ConsoleArgs,
}

/// Arguments of the commands that ask a run for something.
#[derive(Clone, Debug, Args)]
pub struct FleetAskArgs {
    /// The connection.
    #[command(flatten)]
    pub bus: BusArgs,
    /// The name of the run
    #[arg(long = "run", id = "run", value_name = "ID", env = "STAMPEDE_RUN", help_heading = "Fleet")]
    pub id: String,
    /// The flags about the terminal.
    #[command(flatten)]
    pub console: ConsoleArgs,
}

/// Arguments of `fleet scale`.
#[derive(Clone, Debug, Args)]
pub struct FleetScaleArgs {
    /// The load as a multiple of the plan's, 0 to 10
    #[arg(value_name = "SCALE", allow_negative_numbers = true)]
    pub scale: f64,
    /// The run.
    #[command(flatten)]
    pub ask: FleetAskArgs,
}

/// The systems that start machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FleetLauncher {
    /// An Indexed Job
    Kubernetes,
    /// A batch job
    Nomad,
    /// A unit of which each instance is a machine
    Systemd,
    /// A service with as many replicas
    Compose,
}

/// Arguments of `fleet manifest`.
#[derive(Clone, Debug, Args)]
pub struct FleetManifestArgs {
    /// The system that starts the machines
    #[arg(value_name = "SYSTEM", value_enum)]
    pub launcher: FleetLauncher,
    /// The NATS server
    ///
    /// `nats://HOST:PORT` or `tls://HOST:PORT`.
    #[arg(long, value_name = "URL", env = "STAMPEDE_NATS", help_heading = "NATS")]
    pub nats: String,
    /// The name of the run
    #[arg(long = "run", id = "run", value_name = "ID", env = "STAMPEDE_RUN", help_heading = "Fleet")]
    pub id: String,
    /// The number of machines
    #[arg(long, value_name = "N", env = "STAMPEDE_NODES", help_heading = "Fleet", value_parser = fleet_nodes)]
    pub nodes: u32,
    /// The image of the container, by its digest at best
    #[arg(long, value_name = "IMAGE", env = "STAMPEDE_IMAGE", help_heading = "Fleet")]
    pub image: Option<String>,
    /// The longest time that a machine may take, the wait for the others included
    ///
    /// 2h if not given.
    #[arg(
        long,
        value_name = "D",
        env = "STAMPEDE_DEADLINE",
        help_heading = "Fleet",
        value_parser = positive_duration
    )]
    pub deadline: Option<Duration>,
    /// The flags about the terminal.
    #[command(flatten)]
    pub console: ConsoleArgs,
}

impl FleetCommand {
    /// Returns the flags about the terminal.
    pub const fn console(&self) -> &ConsoleArgs {
        match self {
            Self::Run(args) => &args.run.console,
            Self::Local(args) => &args.run.console,
            Self::Node(args) => &args.console,
            Self::Status(args) | Self::Stop(args) | Self::Pause(args) | Self::Resume(args) => &args.console,
            Self::Scale(args) => &args.ask.console,
            Self::Manifest(args) => &args.console,
        }
    }
}
