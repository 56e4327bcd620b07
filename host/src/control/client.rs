//! The client end of the control socket, for the `control` command.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use super::protocol::decode_error;
use crate::diagnostic::{Diagnostic, io_reason};

/// The time that a run has to answer. A run answers between two other events.
const REPLY_TIMEOUT: Duration = Duration::from_secs(30);

/// Sends a line and returns the line of the answer.
///
/// # Errors
/// No run answers, or the run rejects the request.
pub(crate) fn send_line(path: &Path, line: &str) -> Result<String, Diagnostic> {
    let name = path.display();
    let failed = |what: &str, why: String| Diagnostic::new("usage::control", format!("{what} `{name}`: {why}"));
    let mut stream = UnixStream::connect(path).map_err(|error| {
        failed("cannot reach a run at", io_reason(&error))
            .help("a run that was started with `--control PATH` listens there")
    })?;
    let mut answer = String::new();
    let result = stream
        .set_read_timeout(Some(REPLY_TIMEOUT))
        .and_then(|()| stream.write_all(format!("{line}\n").as_bytes()))
        .and_then(|()| BufReader::new(&stream).read_line(&mut answer));
    result.map_err(|error| failed("no answer from the run at", io_reason(&error)))?;
    let answer = answer.trim_end();
    if answer.is_empty() {
        return Err(failed("no answer from the run at", "it has ended".into()));
    }
    match decode_error(answer) {
        Some(why) => Err(failed("not done by the run at", why)),
        None => Ok(answer.to_owned()),
    }
}
