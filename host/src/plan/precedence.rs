//! One value out of several places: a flag or `STAMPEDE_*` variable (the command line has merged these already) wins
//! over the script, the script over the default.

use std::time::Duration;

use stampede_time::{Nanos, nanos};
use url::Url;

use crate::cli::RunArgs;
use crate::diagnostic::Diagnostic;
use crate::plugin::contract::request::{UrlError, parse_url};
use crate::script::model::{FailOn, Script, Spanned};

/// How long a step may take unless the script says otherwise.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
/// The timeout of steps that give none.
pub fn timeout(args: &RunArgs, script: &Script) -> Nanos {
    nanos(flag_or_script(args.timeout, script.settings.timeout.as_ref()).unwrap_or(DEFAULT_TIMEOUT))
}

/// The seed. Without one every run differs; the report says which it was.
pub fn seed(args: &RunArgs, script: &Script) -> u64 {
    flag_or_script(args.seed, script.settings.seed.as_ref()).unwrap_or_else(rand::random)
}

/// Worker threads: as many as cores, and no more than users.
pub fn workers(args: &RunArgs, users: u32) -> usize {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    args.workers.map_or_else(cores, |workers| workers as usize).min(users as usize)
}

/// The cap on the requests per second of all users together.
pub fn rps_total(args: &RunArgs, script: &Script) -> Option<f64> {
    flag_or_script(args.rps_total, script.settings.rps_total.as_ref())
}

/// The time at the start in which nothing counts.
pub fn warm_up(args: &RunArgs, script: &Script) -> Duration {
    flag_or_script(args.warm_up, script.settings.warm_up.as_ref()).unwrap_or_default()
}

/// When failed requests fail the run.
pub fn fail_on(args: &RunArgs, script: &Script) -> FailOn {
    flag_or_script(args.fail_on, script.settings.fail_on.as_ref()).unwrap_or_default()
}

/// What relative URLs are resolved against.
///
/// # Errors
/// It is no absolute http or https URL, or holds a user name or password.
pub fn base_url(args: &RunArgs, script: &Script) -> Result<Option<Url>, Diagnostic> {
    let (code, text, place) = match (&args.base_url, &script.base_url) {
        (Some(flag), _) => ("usage::base-url", flag, None),
        (None, Some(typed)) => ("script::base-url", &typed.value, Some(typed.span)),
        (None, None) => return Ok(None),
    };
    let fault = match parse_url(text, None) {
        Ok(url) => return Ok(Some(url)),
        Err(fault) => fault,
    };
    // An `@` may follow a password: neither the text nor its line is shown then.
    if fault == UrlError::UserInfo || text.contains('@') {
        let what = if fault == UrlError::UserInfo { "has a user name or password in it" } else { "is no URL" };
        let help = "write it as `https://site`, and give credentials with `auth` in each step, or as a header";
        return Err(Diagnostic::new(code, format!("the base URL {what}")).help(help));
    }
    let wrong = Diagnostic::new(code, format!("the base URL `{text}` is no absolute http or https URL"));
    let wrong = wrong.help("write it whole, such as `https://site`");
    Err(match place {
        Some(span) => wrong.at(&script.source, span, "not an absolute URL"),
        None => wrong,
    })
}

fn flag_or_script<T: Copy>(flag: Option<T>, typed: Option<&Spanned<T>>) -> Option<T> {
    flag.or_else(|| typed.map(|typed| typed.value))
}
