//! The flags of a run, which `check` and `demo` take too. The long help of each gives unit, range and default; the plan
//! applies the defaults, after the values of the script. Numbers and durations may begin with a minus sign, so that
//! their parsers can explain the error, where clap would take it for an unknown flag.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::BoolishValueParser;
use clap::{Args, ValueEnum};

use super::listen_address::{ListenAddress, listen_address};
use super::value::{
    HeaderParser, StageList, at_least_one, body_memory, data, fail_on, positive, positive_duration, rate, seed, stages,
    tolerance, zero_or_more,
};
use super::{
    ConsoleArgs, DataArg, DivisionArgs, HeaderArg, NativeArgs, OpenTelemetryArgs, PageArgs, SamplesArgs, TimesArgs,
};
use crate::script::model::FailOn;

/// The forms of StatsD's lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum StatsdFormat {
    /// Names as tags.
    #[default]
    Dogstatsd,
    /// Names in the name of the metric.
    Plain,
}

/// The flags of a run. `None`, `false` and an empty list mean that neither flag nor variable was given.
#[derive(Clone, Debug, Default, PartialEq, Args)]
pub struct RunArgs {
    /// The script to run, `-` for standard input, or a URL to get
    ///
    /// A URL begins with `http://` or `https://` and may hold templates such as `{{randInt 1 9}}`. It is a script of
    /// one step.
    #[arg(value_name = "SCRIPT|URL")]
    pub source: Option<PathBuf>,
    /// Concurrent virtual users
    ///
    /// At least 1. One user if not given.
    #[arg(
        short,
        long,
        value_name = "N",
        env = "STAMPEDE_USERS",
        help_heading = "Load",
        allow_negative_numbers = true,
        value_parser = at_least_one::<u32>
    )]
    pub users: Option<u32>,
    /// Most requests per second of each user
    ///
    /// More than 0, a decimal such as 0.5 is fine. No limit if not given.
    #[arg(
        short,
        long,
        value_name = "R",
        env = "STAMPEDE_RPS",
        help_heading = "Load",
        allow_negative_numbers = true,
        value_parser = positive
    )]
    pub rps: Option<f64>,
    /// Time for which users are active
    ///
    /// A number with a unit (ms, s, m, h), more than 0. With neither --duration nor --iterations each user walks the
    /// script once.
    #[arg(
        short,
        long,
        value_name = "D",
        env = "STAMPEDE_DURATION",
        help_heading = "Load",
        allow_hyphen_values = true,
        value_parser = positive_duration
    )]
    pub duration: Option<Duration>,
    /// Iterations of the script per user
    ///
    /// At least 1. With --duration as well, whichever comes first ends a user.
    #[arg(
        long,
        value_name = "N",
        env = "STAMPEDE_ITERATIONS",
        help_heading = "Load",
        allow_negative_numbers = true,
        value_parser = at_least_one::<u64>
    )]
    pub iterations: Option<u64>,
    /// Spread the start of the users over this time
    ///
    /// A number with a unit, 0s or more. All start at once if not given.
    #[arg(
        long,
        value_name = "D",
        env = "STAMPEDE_RAMP_UP",
        help_heading = "Load",
        allow_hyphen_values = true,
        value_parser = zero_or_more
    )]
    pub ramp_up: Option<Duration>,
    /// Users over time: `1m:100,5m:100,30s:0` goes to 100 within a minute, stays, and ends
    ///
    /// Each stage is a time and the number that it leads to in a straight line, from 0 at first; a stage of 0s is a
    /// jump. With rates, such as `1m:100/s`, iterations begin at that rate instead, even if users are busy. Replaces
    /// --users, --duration, --iterations and --ramp-up.
    #[arg(
        long,
        value_name = "D:N,...",
        env = "STAMPEDE_STAGES",
        help_heading = "Load",
        value_parser = stages
    )]
    pub stages: Option<StageList>,
    /// Begin iterations at this rate, even if users are busy
    ///
    /// A number with a unit: 500/s, 30/m, 10/h. For --duration, or as the first rate of --stages. Response times count
    /// from when an iteration should have begun.
    #[arg(
        long,
        value_name = "N/s",
        env = "STAMPEDE_ARRIVAL_RATE",
        help_heading = "Load",
        value_parser = rate
    )]
    pub arrival_rate: Option<f64>,
    /// Most users that arrivals may keep busy
    ///
    /// At least 1. An arrival that finds no free user is dropped, and counted. Ten seconds' worth of arrivals, at most
    /// 10,000, if not given.
    #[arg(
        long,
        value_name = "N",
        env = "STAMPEDE_MAX_USERS",
        help_heading = "Load",
        allow_negative_numbers = true,
        value_parser = at_least_one::<u32>
    )]
    pub max_users: Option<u32>,
    /// Most requests per second of all users together
    ///
    /// More than 0. No limit if not given.
    #[arg(
        long,
        value_name = "R",
        env = "STAMPEDE_RPS_TOTAL",
        help_heading = "Load",
        allow_negative_numbers = true,
        value_parser = positive
    )]
    pub rps_total: Option<f64>,
    /// Do not count requests that begin within this time after the start
    ///
    /// A number with a unit, 0s or more. Everything counts if not given.
    #[arg(
        long,
        value_name = "D",
        env = "STAMPEDE_WARM_UP",
        help_heading = "Load",
        allow_hyphen_values = true,
        value_parser = zero_or_more
    )]
    pub warm_up: Option<Duration>,
    /// Time that requests in flight may take at the end
    ///
    /// A number with a unit, 0s or more. 5s if not given.
    #[arg(
        long,
        value_name = "D",
        env = "STAMPEDE_GRACEFUL_STOP",
        help_heading = "Load",
        allow_hyphen_values = true,
        value_parser = zero_or_more
    )]
    pub graceful_stop: Option<Duration>,
    /// Timeout of a step that sets none itself
    ///
    /// A number with a unit, more than 0. 30s if not given.
    #[arg(
        long,
        value_name = "D",
        env = "STAMPEDE_TIMEOUT",
        help_heading = "Load",
        allow_hyphen_values = true,
        value_parser = positive_duration
    )]
    pub timeout: Option<Duration>,
    /// Response time that satisfies, of steps that set none themselves
    ///
    /// A number with a unit, more than 0. The target of their Apdex score, which they do not have if not given.
    #[arg(
        long,
        value_name = "D",
        env = "STAMPEDE_APDEX",
        help_heading = "Load",
        allow_hyphen_values = true,
        value_parser = positive_duration
    )]
    pub apdex: Option<Duration>,
    /// Time for which the addresses of a name are used before it is looked up again
    ///
    /// A number with a unit, 0s or more. 30s if not given. A name none of whose addresses accepts a connection is
    /// looked up again at once.
    #[arg(
        long,
        value_name = "D",
        env = "STAMPEDE_DNS_TTL",
        help_heading = "Load",
        allow_hyphen_values = true,
        value_parser = zero_or_more
    )]
    pub dns_ttl: Option<Duration>,
    /// Most memory that the contents of replies may take over all users
    ///
    /// A number with a unit, such as 2GiB, from 1MiB to 1TiB. 512MiB if not given. Contents are kept for captures,
    /// checks and plugins; a step whose content has no room fails.
    #[arg(
        long,
        value_name = "SIZE",
        env = "STAMPEDE_BODY_MEMORY",
        help_heading = "Load",
        allow_negative_numbers = true,
        value_parser = body_memory
    )]
    pub body_memory: Option<u64>,
    /// Worker threads
    ///
    /// At least 1. One for each core if not given.
    #[arg(
        long,
        value_name = "N",
        env = "STAMPEDE_WORKERS",
        help_heading = "Load",
        allow_negative_numbers = true,
        value_parser = at_least_one::<u32>
    )]
    pub workers: Option<u32>,
    /// Seed of the users' random streams
    ///
    /// 0 to 2^64 - 1. The same seed gives the same requests. A random one, shown in the report, if not given.
    #[arg(
        long,
        value_name = "N",
        env = "STAMPEDE_SEED",
        help_heading = "Load",
        allow_negative_numbers = true,
        value_parser = seed
    )]
    pub seed: Option<u64>,
    /// The flag that divides the run.
    #[command(flatten)]
    pub division: DivisionArgs,

    /// The script to run, where it is not the first argument; `-` reads standard input
    #[arg(long, value_name = "FILE", env = "STAMPEDE_SCRIPT", help_heading = "Script")]
    pub script: Option<PathBuf>,
    /// A data set from a file, for `{{pick NAME}}` and `{{next NAME}}` (repeatable)
    ///
    /// The extension selects the format: .csv, .tsv, .json, .ndjson or .txt. Replaces a data set of the same name in
    /// the script. Several are separated by line breaks in the variable.
    #[arg(
        long,
        value_name = "NAME=FILE",
        env = "STAMPEDE_DATA",
        help_heading = "Script",
        value_delimiter = '\n',
        value_parser = data
    )]
    pub data: Vec<DataArg>,
    /// A file of NAME=value lines for `{{env NAME}}`
    ///
    /// A value is the text after `=` as it stands; in quotes it may have several lines. Variables of the environment
    /// itself take precedence.
    #[arg(long, value_name = "FILE", env = "STAMPEDE_ENV_FILE", help_heading = "Script")]
    pub env_file: Option<PathBuf>,
    /// Refuse plugins whose digest is not in `stampede.lock`
    ///
    /// The lock file is beside the script; `stampede-shooter plugin lock` writes it.
    #[arg(
        long,
        env = "STAMPEDE_LOCKED",
        help_heading = "Script",
        value_parser = BoolishValueParser::new()
    )]
    pub locked: bool,
    /// The flag that allows native plugins.
    #[command(flatten)]
    pub native: NativeArgs,

    /// URL that relative URLs of the script are resolved against
    #[arg(long, value_name = "URL", env = "STAMPEDE_BASE_URL", help_heading = "Target")]
    pub base_url: Option<String>,
    /// A header sent with every request (repeatable)
    ///
    /// The value may hold templates such as `{{userId}}`; it is rendered once for each user. Several are separated by
    /// line breaks in the variable.
    #[arg(
        short = 'H',
        long,
        value_name = "NAME:VALUE",
        env = "STAMPEDE_HEADER",
        help_heading = "Target",
        value_delimiter = '\n',
        value_parser = HeaderParser
    )]
    pub header: Vec<HeaderArg>,
    /// A host that requests may go to besides those the script names (repeatable)
    ///
    /// `host`, `*.domain`, an address or a network such as `10.0.0.0/8`, each with `:port` or without. Requests and
    /// redirects to any other host fail. It is for the built-in actions; the script grants hosts to its own plugins
    /// with `allow`. Several are separated by line breaks in the variable.
    #[arg(
        long,
        value_name = "HOST[:PORT]",
        env = "STAMPEDE_ALLOW_HOST",
        help_heading = "Target",
        value_delimiter = '\n'
    )]
    pub allow_host: Vec<String>,
    /// Trust the TLS certificates in this file too
    ///
    /// Certificates of authorities in PEM, in addition to those of the system, or of `SSL_CERT_FILE`.
    #[arg(long, value_name = "FILE", env = "STAMPEDE_CACERT", help_heading = "Target")]
    pub cacert: Option<PathBuf>,
    /// Accept any TLS certificate
    ///
    /// Anyone between here and the target can then read and change the traffic. A warning says so.
    #[arg(
        long,
        env = "STAMPEDE_INSECURE_TLS",
        help_heading = "Target",
        value_parser = BoolishValueParser::new()
    )]
    pub insecure_tls: bool,
    /// Sign each user in at this URL, before the script
    ///
    /// Any 2xx answer is success. The headers of --login-hdr are sent with it and with every request after it.
    #[arg(long, value_name = "URL", env = "STAMPEDE_LOGIN_URL", help_heading = "Target")]
    pub login_url: Option<String>,
    /// A credential header (repeatable)
    ///
    /// Sent with the sign-in and with every request after it; without --login-url with every request. The value may
    /// hold templates, rendered once for each user, so that each can have its own. It is a secret: it is never printed,
    /// logged or written to a report. Several are separated by line breaks in the variable.
    #[arg(
        long,
        value_name = "NAME:VALUE",
        env = "STAMPEDE_LOGIN_HDR",
        help_heading = "Target",
        value_delimiter = '\n',
        value_parser = HeaderParser
    )]
    pub login_hdr: Vec<HeaderArg>,

    /// A threshold that must hold for the run to pass (repeatable)
    ///
    /// As in a script: `http_duration{step:Catalog}: p(95)<200ms`, `http_failed: rate<1%`, `checks: rate>99% for 30s`.
    /// If one does not hold, the exit code is 99. Several are separated by line breaks in the variable.
    #[arg(
        long,
        value_name = "METRIC: EXPR",
        env = "STAMPEDE_THRESHOLD",
        help_heading = "Verdict",
        value_delimiter = '\n'
    )]
    pub threshold: Vec<String>,
    /// Failed requests that alone make the exit code nonzero
    ///
    /// `never`: none; `all-failed`: if there were some and all of them failed; `any-error`: if any failed. `all-failed`
    /// if not given.
    #[arg(
        long,
        value_name = "WHEN",
        env = "STAMPEDE_FAIL_ON",
        help_heading = "Verdict",
        value_parser = fail_on()
    )]
    pub fail_on: Option<FailOn>,

    /// Write the report to this file as well (repeatable)
    ///
    /// The extension selects the format. An existing pipe or device needs none and gets JSON. Several are separated by
    /// line breaks in the variable.
    #[arg(long, value_name = "FILE", env = "STAMPEDE_OUT", help_heading = "Report", value_delimiter = '\n')]
    pub out: Vec<PathBuf>,
    /// The flags about times.
    #[command(flatten)]
    pub times: TimesArgs,
    /// Compare with this earlier report at the end; exit 99 if the run was worse
    ///
    /// A JSON report of the same script. As `stampede-shooter compare` does.
    #[arg(long, value_name = "FILE", env = "STAMPEDE_BASELINE", help_heading = "Report")]
    pub baseline: Option<PathBuf>,
    /// The largest change for the worse that still passes
    ///
    /// A share in percent, such as 10%. 5% if not given.
    #[arg(
        long,
        value_name = "P%",
        env = "STAMPEDE_TOLERANCE",
        help_heading = "Report",
        value_parser = tolerance
    )]
    pub tolerance: Option<f64>,
    /// Show progress every second, and failed exchanges at the end
    ///
    /// On a terminal a table that is drawn again every second: each action with its rate, errors, percentiles and a
    /// chart of the last 20 seconds; thresholds as they stand, the last errors, the health of the generator. Elsewhere
    /// a plain line with users, rps, share of errors, time elapsed and remaining. After the table at the end, the first
    /// failed exchanges of each action and kind are shown in full, without their secrets.
    #[arg(
        long,
        env = "STAMPEDE_VERBOSE",
        help_heading = "Report",
        value_parser = BoolishValueParser::new()
    )]
    pub verbose: bool,
    /// Listen on a socket at this path for changes of the load
    ///
    /// A Unix domain socket that only its owner may open, removed at the end. `stampede-shooter control PATH` speaks to
    /// it, and so can any program that writes lines of JSON such as `{"scale": 1.5}`, `{"pause": true}` or
    /// `{"status": true}`.
    #[arg(long, value_name = "PATH", env = "STAMPEDE_CONTROL", help_heading = "Load")]
    pub control: Option<PathBuf>,
    /// Serve the numbers of the run for Prometheus
    ///
    /// At http://ADDR/metrics, as OpenMetrics or Prometheus' older text, from before the run until --linger is over.
    /// A port alone is one of 127.0.0.1, `:PORT` is one of all interfaces, `[::1]:PORT` one of an address; port 0 picks
    /// a free one, which is printed. 127.0.0.1:9100 if the flag has no value.
    #[arg(
        long,
        value_name = "ADDR",
        env = "STAMPEDE_PROMETHEUS",
        help_heading = "Report",
        num_args = 0..=1,
        default_missing_value = "9100",
        value_parser = listen_address
    )]
    pub prometheus: Option<ListenAddress>,
    /// Keep the last values readable for this time after the run
    ///
    /// For --prometheus and --page. A number with a unit, 0s or more; a signal ends the wait. If not given: the longest
    /// interval between two reads of Prometheus, 15s at most and after a single read, and not at all if nothing has
    /// read them.
    #[arg(
        long,
        value_name = "D",
        env = "STAMPEDE_LINGER",
        help_heading = "Report",
        allow_hyphen_values = true,
        value_parser = zero_or_more
    )]
    pub linger: Option<Duration>,
    /// The flags of OpenTelemetry.
    #[command(flatten)]
    pub opentelemetry: OpenTelemetryArgs,
    /// Send the counts of every second to this StatsD server
    ///
    /// HOST:PORT, over UDP: counts, and percentiles of the response times as gauges. What cannot be sent is counted and
    /// named at the end; it never stops the run.
    #[arg(long, value_name = "ADDR", env = "STAMPEDE_STATSD", help_heading = "Report")]
    pub statsd: Option<String>,
    /// The form of what --statsd sends
    ///
    /// `dogstatsd` has the names of scenario and step as tags, `plain` has them in the name of the metric, for servers
    /// that know no tags. `dogstatsd` if not given.
    #[arg(long, value_name = "FORM", env = "STAMPEDE_STATSD_FORMAT", help_heading = "Report")]
    pub statsd_format: Option<StatsdFormat>,
    /// Write the counts of every second to this InfluxDB
    ///
    /// The whole URL for writing: `http://HOST:8086/write?db=DB`, `https://HOST/api/v2/write?org=ORG&bucket=BUCKET` or
    /// `udp://HOST:PORT`. The token is read from the variable INFLUX_TOKEN; without it, user name and password of the
    /// URL are sent. What cannot be written is counted and named at the end; it never stops the run.
    #[arg(long, value_name = "URL", env = "STAMPEDE_INFLUX", help_heading = "Report")]
    pub influx: Option<String>,
    /// The flags of the file of samples.
    #[command(flatten)]
    pub samples: SamplesArgs,
    /// The flags of the page.
    #[command(flatten)]
    pub live_page: PageArgs,
    /// Print neither progress nor the table at the end
    ///
    /// Overrides --verbose. Errors and warnings are still shown, and the files of --out are written.
    #[arg(
        long,
        env = "STAMPEDE_QUIET",
        help_heading = "Report",
        value_parser = BoolishValueParser::new()
    )]
    pub quiet: bool,
    /// The flags about the terminal.
    #[command(flatten)]
    pub console: ConsoleArgs,
}
