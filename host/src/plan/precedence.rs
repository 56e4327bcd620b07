//! The precedence of settings: a flag or `STAMPEDE_*` variable (the command line has already merged these) wins over
//! the script, and the script over the default.

use std::time::Duration;

use stampede_time::{Nanos, nanos};
use url::Url;

use crate::cli::RunArgs;
use crate::diagnostic::Diagnostic;
use crate::metrics::trace::{DEFAULT_ONE_IN, TraceSettings};
use crate::plugin::contract::request_url::{UrlError, parse_url};
use crate::script::model::{FailOn, Script, Spanned};

/// The timeout of steps if neither the script nor a flag has one.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// The lifetime of resolved addresses if neither the script nor a flag has one.
const DEFAULT_DNS_TTL: Duration = Duration::from_secs(30);

/// The most bytes of contents of replies that are kept at any time, over all users, if neither the script nor a flag
/// says it.
const DEFAULT_BODY_MEMORY: u64 = 512 << 20;

/// Returns the timeout of steps without one.
fn timeout(args: &RunArgs, script: &Script) -> Nanos {
    nanos(flag_or_script(args.timeout, script.settings.timeout.as_ref()).unwrap_or(DEFAULT_TIMEOUT))
}

/// Returns the target of the Apdex score of steps without one.
fn apdex(args: &RunArgs, script: &Script) -> Option<Duration> {
    flag_or_script(args.apdex, script.settings.apdex.as_ref())
}

/// Returns the lifetime of resolved addresses.
pub(super) fn dns_ttl(args: &RunArgs, script: &Script) -> Duration {
    flag_or_script(args.dns_ttl, script.settings.dns_ttl.as_ref()).unwrap_or(DEFAULT_DNS_TTL)
}

/// Returns the most bytes that kept contents of replies may take.
pub(super) fn body_memory(args: &RunArgs, script: &Script) -> usize {
    let bytes = flag_or_script(args.body_memory, script.settings.body_memory.as_ref()).unwrap_or(DEFAULT_BODY_MEMORY);
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

/// Returns the seed: a random one if none is given. The report shows it.
pub(super) fn seed(args: &RunArgs, script: &Script) -> u64 {
    flag_or_script(args.seed, script.settings.seed.as_ref()).unwrap_or_else(rand::random)
}

/// Returns the settings of traces. Requests carry their place in a trace if the script says so, or if spans are
/// exported and the script does not forbid it.
pub(super) fn tracing(args: &RunArgs, script: &Script) -> Option<TraceSettings> {
    let exports = args.opentelemetry.otlp.is_some();
    let sends_context = script.settings.traceparent.unwrap_or(exports);
    let one_in = args.opentelemetry.trace_sample.unwrap_or(DEFAULT_ONE_IN);
    (exports || sends_context).then_some(TraceSettings { sends_context, exports, one_in })
}

/// The values of steps that do not have their own.
pub(super) struct StepDefaults {
    /// The timeout.
    pub timeout: Nanos,
    /// The target of response times.
    pub apdex: Option<Duration>,
}

/// Returns the values of steps that do not have their own.
pub(super) fn step_defaults(args: &RunArgs, script: &Script) -> StepDefaults {
    StepDefaults { timeout: timeout(args, script), apdex: apdex(args, script) }
}

/// Returns the number of worker threads: that of the cores, and at most that of the users.
pub(super) fn workers(args: &RunArgs, users: u32) -> usize {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    args.workers.map_or_else(cores, |workers| workers as usize).min(users as usize)
}

/// Returns the limit of requests per second of all users together.
pub(super) fn rps_total(args: &RunArgs, script: &Script) -> Option<f64> {
    flag_or_script(args.rps_total, script.settings.rps_total.as_ref())
}

/// Returns the time at the start in which requests are not counted.
pub(super) fn warm_up(args: &RunArgs, script: &Script) -> Duration {
    flag_or_script(args.warm_up, script.settings.warm_up.as_ref()).unwrap_or_default()
}

/// Returns the condition under which failed requests fail the run.
pub(super) fn fail_on(args: &RunArgs, script: &Script) -> FailOn {
    flag_or_script(args.fail_on, script.settings.fail_on.as_ref()).unwrap_or_default()
}

/// Returns the URL that relative URLs are resolved against.
///
/// # Errors
/// It is not an absolute http or https URL, or contains a user name or password.
pub(super) fn base_url(args: &RunArgs, script: &Script) -> Result<Option<Url>, Diagnostic> {
    let (code, text, place) = match (&args.base_url, &script.base_url) {
        (Some(flag), _) => ("usage::base-url", flag, None),
        (None, Some(typed)) => ("script::base-url", &typed.value, Some(typed.span)),
        (None, None) => return Ok(None),
    };
    let error = match parse_url(text, None) {
        Ok(url) => return Ok(Some(url)),
        Err(error) => error,
    };
    // An `@` may follow a password: then neither the text nor its line is shown.
    if error == UrlError::UserInfo || text.contains('@') {
        let reason = if error == UrlError::UserInfo { "contains a user name or password" } else { "is not a URL" };
        let help = "write it as `https://site`, and give credentials with `auth` in each step, or as a header";
        return Err(Diagnostic::new(code, format!("the base URL {reason}")).help(help));
    }
    let diagnostic = Diagnostic::new(code, format!("the base URL `{text}` is not an absolute http or https URL"));
    let diagnostic = diagnostic.help("write the whole URL, such as `https://site`");
    Err(match place {
        Some(span) => diagnostic.at(&script.source, span, "not an absolute URL"),
        None => diagnostic,
    })
}

fn flag_or_script<T: Copy>(flag: Option<T>, typed: Option<&Spanned<T>>) -> Option<T> {
    flag.or_else(|| typed.map(|typed| typed.value))
}
