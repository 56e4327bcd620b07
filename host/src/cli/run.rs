//! The flags of a run, which `check` and `demo` take too. Each one's long help gives unit, range and default; the
//! defaults themselves are applied by the plan, after the script has had its say. Numbers and durations may begin with a
//! minus sign: their parsers say what is wrong with that, where clap would take it for an unknown flag.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::BoolishValueParser;

use super::value::{HeaderParser, at_least_one, data, positive, positive_duration, seed, tolerance, zero_or_more};
use super::{ConsoleArgs, DataArg, HeaderArg, NativeArgs};

/// What to run and how. `None`, `false` and an empty list mean that neither flag nor variable was given.
#[derive(Clone, Debug, Default, PartialEq, Args)]
pub struct RunArgs {
    /// Concurrent virtual users
    ///
    /// At least 1. One user if not given.
    #[arg(
        long,
        value_name = "N",
        env = "STAMPEDE_USERS",
        hide_env_values = true,
        help_heading = "Load",
        allow_negative_numbers = true,
        value_parser = at_least_one::<u32>
    )]
    pub users: Option<u32>,
    /// Most requests per second of each user
    ///
    /// More than 0, a decimal such as 0.5 is fine. No limit if not given.
    #[arg(
        long,
        value_name = "R",
        env = "STAMPEDE_RPS",
        hide_env_values = true,
        help_heading = "Load",
        allow_negative_numbers = true,
        value_parser = positive
    )]
    pub rps: Option<f64>,
    /// How long to keep the users active
    ///
    /// A number with a unit (ms, s, m, h), more than 0. With neither --duration nor --iterations each user walks the
    /// script once.
    #[arg(
        long,
        value_name = "D",
        env = "STAMPEDE_DURATION",
        hide_env_values = true,
        help_heading = "Load",
        allow_hyphen_values = true,
        value_parser = positive_duration
    )]
    pub duration: Option<Duration>,
    /// How often each user walks the script
    ///
    /// At least 1. With --duration as well, whichever comes first ends a user.
    #[arg(
        long,
        value_name = "N",
        env = "STAMPEDE_ITERATIONS",
        hide_env_values = true,
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
        hide_env_values = true,
        help_heading = "Load",
        allow_hyphen_values = true,
        value_parser = zero_or_more
    )]
    pub ramp_up: Option<Duration>,
    /// How long requests in flight may take at the end
    ///
    /// A number with a unit, 0s or more. 5s if not given.
    #[arg(
        long,
        value_name = "D",
        env = "STAMPEDE_GRACEFUL_STOP",
        hide_env_values = true,
        help_heading = "Load",
        allow_hyphen_values = true,
        value_parser = zero_or_more
    )]
    pub graceful_stop: Option<Duration>,
    /// How long a step may take, unless it says so itself
    ///
    /// A number with a unit, more than 0. 30s if not given.
    #[arg(
        long,
        value_name = "D",
        env = "STAMPEDE_TIMEOUT",
        hide_env_values = true,
        help_heading = "Load",
        allow_hyphen_values = true,
        value_parser = positive_duration
    )]
    pub timeout: Option<Duration>,
    /// Worker threads
    ///
    /// At least 1. One for each core if not given.
    #[arg(
        long,
        value_name = "N",
        env = "STAMPEDE_WORKERS",
        hide_env_values = true,
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
        hide_env_values = true,
        help_heading = "Load",
        allow_negative_numbers = true,
        value_parser = seed
    )]
    pub seed: Option<u64>,

    /// The script to run; `-` reads standard input
    #[arg(long, value_name = "FILE", env = "STAMPEDE_SCRIPT", hide_env_values = true, help_heading = "Script")]
    pub script: Option<PathBuf>,
    /// A data set from a file, for `{{pick NAME}}` and `{{next NAME}}` (repeatable)
    ///
    /// The extension says the format: .csv, .json, .ndjson or .txt. Wins over a data set of the same name in the
    /// script. Several are separated by line breaks in the variable.
    #[arg(
        long,
        value_name = "NAME=FILE",
        env = "STAMPEDE_DATA",
        hide_env_values = true,
        help_heading = "Script",
        value_delimiter = '\n',
        value_parser = data
    )]
    pub data: Vec<DataArg>,
    /// A file of NAME=value lines for `{{env NAME}}`
    ///
    /// Variables of the environment itself win.
    #[arg(long, value_name = "FILE", env = "STAMPEDE_ENV_FILE", hide_env_values = true, help_heading = "Script")]
    pub env_file: Option<PathBuf>,
    /// Refuse plugins that are not in `stampede.lock` as they are
    ///
    /// The lock lies beside the script; `stampede-shooter plugin lock` writes it.
    #[arg(
        long,
        env = "STAMPEDE_LOCKED",
        hide_env_values = true,
        help_heading = "Script",
        value_parser = BoolishValueParser::new()
    )]
    pub locked: bool,
    /// Whether native plugins may be loaded.
    #[command(flatten)]
    pub native: NativeArgs,

    /// What relative URLs of the script are resolved against
    #[arg(long, value_name = "URL", env = "STAMPEDE_BASE_URL", hide_env_values = true, help_heading = "Target")]
    pub base_url: Option<String>,
    /// A header sent with every request (repeatable)
    ///
    /// The value may hold templates such as `{{userId}}`; it is rendered once for each user. Several are separated by line breaks in the variable.
    #[arg(
        long,
        value_name = "NAME:VALUE",
        env = "STAMPEDE_HEADER",
        hide_env_values = true,
        help_heading = "Target",
        value_delimiter = '\n',
        value_parser = HeaderParser
    )]
    pub header: Vec<HeaderArg>,
    /// A host that requests may go to besides those the script names (repeatable)
    ///
    /// `host`, `*.domain`, an address or a network such as `10.0.0.0/8`, each with `:port` or without. Requests and redirects to any other host fail. It is for the built-in actions; the script grants hosts to its own plugins with `allow`. Several are separated by line breaks in the variable.
    #[arg(
        long,
        value_name = "HOST[:PORT]",
        env = "STAMPEDE_ALLOW_HOST",
        hide_env_values = true,
        help_heading = "Target",
        value_delimiter = '\n'
    )]
    pub allow_host: Vec<String>,
    /// Accept any TLS certificate
    ///
    /// Anyone on the way can then read and change what is sent. A warning says so.
    #[arg(
        long,
        env = "STAMPEDE_INSECURE_TLS",
        hide_env_values = true,
        help_heading = "Target",
        value_parser = BoolishValueParser::new()
    )]
    pub insecure_tls: bool,
    /// Sign each user in at this URL, before the script
    ///
    /// Any 2xx answer is success. The headers of --login-hdr are sent with it and with every request after it.
    #[arg(long, value_name = "URL", env = "STAMPEDE_LOGIN_URL", hide_env_values = true, help_heading = "Target")]
    pub login_url: Option<String>,
    /// A credential header (repeatable)
    ///
    /// Sent with the sign-in and with every request after it; without --login-url simply with every request. The value
    /// may hold templates, rendered once for each user, so that each can have its own. It is a secret: it is never printed, logged or written
    /// to a report. Several are separated by line breaks in the variable.
    #[arg(
        long,
        value_name = "NAME:VALUE",
        env = "STAMPEDE_LOGIN_HDR",
        hide_env_values = true,
        help_heading = "Target",
        value_delimiter = '\n',
        value_parser = HeaderParser
    )]
    pub login_hdr: Vec<HeaderArg>,

    /// Write the report to this file as well (repeatable)
    ///
    /// The extension says the format: .json or .csv. An existing pipe or device needs none and gets JSON. Several are separated by line breaks in the variable.
    #[arg(
        long,
        value_name = "FILE",
        env = "STAMPEDE_OUT",
        hide_env_values = true,
        help_heading = "Report",
        value_delimiter = '\n'
    )]
    pub out: Vec<PathBuf>,
    /// Compare with this earlier report at the end; exit 99 if the run was worse
    ///
    /// A JSON report of the same script. As `stampede-shooter compare` does.
    #[arg(long, value_name = "FILE", env = "STAMPEDE_BASELINE", hide_env_values = true, help_heading = "Report")]
    pub baseline: Option<PathBuf>,
    /// How much worse than the baseline is still good
    ///
    /// A share in percent, such as 10%. 5% if not given.
    #[arg(
        long,
        value_name = "P%",
        env = "STAMPEDE_TOLERANCE",
        hide_env_values = true,
        help_heading = "Report",
        value_parser = tolerance
    )]
    pub tolerance: Option<f64>,
    /// Show the progress every second
    ///
    /// Users active, current rps, error rate, time elapsed and remaining: a bar on a terminal, plain lines elsewhere.
    #[arg(
        long,
        env = "STAMPEDE_VERBOSE",
        hide_env_values = true,
        help_heading = "Report",
        value_parser = BoolishValueParser::new()
    )]
    pub verbose: bool,
    /// Print neither progress nor the table at the end
    ///
    /// Wins over --verbose. Errors and warnings are still shown, and the files of --out are written.
    #[arg(
        long,
        env = "STAMPEDE_QUIET",
        hide_env_values = true,
        help_heading = "Report",
        value_parser = BoolishValueParser::new()
    )]
    pub quiet: bool,
    /// What is shown, and how.
    #[command(flatten)]
    pub console: ConsoleArgs,
}
