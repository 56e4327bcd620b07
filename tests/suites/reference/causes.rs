//! Cause and cure of the errors that no golden file shows: they depend on the machine, or have tests of their own.

/// The cause and the cure of a code without an example.
pub(super) struct Cause {
    /// The code.
    pub code: &'static str,
    /// The error.
    pub cause: &'static str,
    /// The fix.
    pub cure: &'static str,
}

const fn cause(code: &'static str, cause: &'static str, cure: &'static str) -> Cause {
    Cause { code, cause, cure }
}

/// The cure of errors that never occur with an intact binary on an intact machine.
const REPORT_IT: &str = "Please report it.";

/// Every code without an example, in order.
pub(super) const CAUSES: &[Cause] = &[
    cause(
        "fleet::barrier",
        "Machines of a fleet are missing or were refused, or the run was stopped before its load began.",
        "Start a machine for each segment, all of the same version, or wait longer with `--wait`.",
    ),
    cause(
        "fleet::connection",
        "The NATS server cannot be reached, or does not allow what a fleet needs.",
        "Look at the reason. The server needs JetStream (`nats-server -js`).",
    ),
    cause(
        "fleet::coordinator",
        "No process leads the run, or another one does.",
        "Ask a run that goes on by its `--run`, and give each run a name of its own.",
    ),
    cause(
        "fleet::node",
        "This machine takes no part in the run, or its counts did not reach the report.",
        "Look at the reason. All machines need the version of the leading one.",
    ),
    cause(
        "fleet::server",
        "The NATS server is too old to be reached over a network, or is not installed.",
        "Use NATS 2.11.16, 2.12.7, 2.14.0 or later.",
    ),
    cause("internal::engine", "The WebAssembly engine could not be set up.", REPORT_IT),
    cause("internal::run", "The run could not go on.", REPORT_IT),
    cause("internal::schema", "The schema of scripts in the binary is damaged.", REPORT_IT),
    cause("internal::signals", "The system does not let the program wait for signals.", "Look at the reason."),
    cause("internal::sink", "An output of the run could not be started, or failed at the end.", "Look at the reason."),
    cause("internal::stdout", "Standard output cannot be written.", "Look at the reason, such as a full disk."),
    cause("internal::tls", "The certificates that the system trusts cannot be loaded.", "Look at the reason."),
    cause("plugin::engine", "The WebAssembly engine could not be set up.", REPORT_IT),
    cause(
        "plugin::lock",
        "`stampede.lock` cannot be read or written, or is not as `plugin lock` writes it.",
        "Remove it and run `stampede-shooter plugin lock --script FILE`.",
    ),
    cause(
        "plugin::locked",
        "With `--locked`, a plugin is not in `stampede.lock`; or a component has another digest than the lock says.",
        "If the component is the one you mean, run `stampede-shooter plugin lock --script FILE`.",
    ),
    cause(
        "plugin::trap",
        "A plugin trapped while it was configured.",
        "The text names the trap. It is a fault of the plugin; `plugin test --conformance` may find it.",
    ),
    cause("report::write", "After the run, a report could not be written.", "Look at the reason, such as a full disk."),
    cause(
        "script::data-share",
        "A data set with `partition: user` has fewer rows than there are users.",
        "Use more rows or fewer users.",
    ),
    cause("script::data-unreadable", "A data file of the script cannot be read.", "Look at the reason."),
    cause("script::groups", "The script has more than 128 groups and trends of plugins.", "Use fewer groups."),
    cause(
        "script::host",
        "An entry of `allow` is not a host.",
        "Write a name, `*.domain`, an address or a network, each with `:port` or without; `*` is every host.",
    ),
    cause("script::plugin", "A built-in plugin was given a `source`.", "Give your plugin another name."),
    cause(
        "script::rps-total",
        "A step lasts by design, so that its requests take no turns, and `rps_total` limits the requests of all users.",
        "Leave `rps_total` out: the number of users limits the requests of such a step.",
    ),
    cause(
        "usage::addr",
        "`demo`, or an output such as `--prometheus`, cannot listen on this address; or `--statsd` cannot send to it.",
        "Use another address; port 0 picks a free port to listen on.",
    ),
    cause(
        "usage::allow-host",
        "A value of `--allow-host` is not a host.",
        "Write a name, `*.domain`, an address or a network, each with `:port` or without.",
    ),
    cause(
        "usage::cacert",
        "The file of `--cacert` cannot be read, or has no certificate in PEM.",
        "Give a file with the certificates of authorities, each between `BEGIN CERTIFICATE` and `END CERTIFICATE`.",
    ),
    cause(
        "usage::control",
        "`control` reaches no run, or the run rejects the request; or the socket of `--control` cannot be created.",
        "Start the run with `--control PATH`. If the socket exists and no run uses it, remove it.",
    ),
    cause(
        "usage::data-format",
        "A file of `--data` is not what its extension says.",
        "Look at the line that it names.",
    ),
    cause("usage::data-unreadable", "A file of `--data` cannot be read.", "Look at the reason."),
    cause(
        "usage::fleet",
        "A run cannot be divided among machines as it is: too few users, a set-up, a secret in the script, or a name in use.",
        "Look at the message.",
    ),
    cause(
        "usage::header",
        "A header of a flag uses `var` or `iteration`, or can get a character that HTTP does not allow.",
        "Move it into a step's `headers`, or encode the value with `urlencode` or `base64`.",
    ),
    cause(
        "usage::influx",
        "The URL of `--influx` is not one that lines can be written to.",
        "Name the whole URL, such as `http://HOST:8086/write?db=DB` or `udp://HOST:8089`.",
    ),
    cause(
        "usage::load",
        "Flags of the load do not go together; or they change nothing, since every scenario has a load of its own.",
        "Take one of them away.",
    ),
    cause(
        "usage::nats",
        "The address of the NATS server is not one, has a password in it, or a file of credentials cannot be read.",
        "Write `nats://HOST:PORT`, and put credentials into a file for `--nats-creds` or `--nats-login`.",
    ),
    cause(
        "usage::open-files",
        "The script needs more connections than the system lets the program open files.",
        "Use fewer users, or raise the hard limit: `ulimit -Hn` as root, `LimitNOFILE` in a systemd unit.",
    ),
    cause(
        "usage::otlp",
        "The endpoint of `--otlp`, or a variable of OpenTelemetry, cannot be used.",
        "Correct the variable that the message names, or unset it.",
    ),
    cause(
        "usage::page",
        "The program was built on a machine without npm, which builds the page of `--page` and of `.html` files.",
        "Install Node.js with npm and build again.",
    ),
    cause(
        "usage::plugin-kind",
        "`plugin new` has no template of this kind in this language.",
        "Take another language or `--kind http`.",
    ),
    cause(
        "usage::plugin-name",
        "`plugin new` was given a name that no plugin can have.",
        "Use lower case letters, digits, `-` and `_`, a letter first, and no name that is taken.",
    ),
    cause(
        "usage::report",
        "A report cannot be read, or is not of the same script.",
        "Give JSON reports of the same script, written by `--out`.",
    ),
    cause(
        "usage::rps-total",
        "A step lasts by design, so that its requests take no turns, and `--rps-total` limits the requests of all users.",
        "Leave the flag out: the number of users limits the requests of such a step.",
    ),
];
