//! `control`: asks something of a run that is under way, through its socket.

use crate::cli::{ControlArgs, Wanted};
use crate::control;
use crate::diagnostic::Diagnostics;
use crate::exit::Exit;
use crate::run::control::Request;

/// Asks, and prints how the run stands then, as a line of JSON.
///
/// # Errors
/// No run answers, or it does not do it.
pub fn control(args: &ControlArgs) -> Result<Exit, Diagnostics> {
    let request = match args.what.clone() {
        Wanted::Scale { scale, scenario } => Request::Scale(scale, scenario),
        Wanted::Pause => Request::Pause(true),
        Wanted::Resume => Request::Pause(false),
        Wanted::Stop => Request::Stop,
        Wanted::Status => Request::Status,
    };
    let answer = control::ask(&args.socket, &control::request(&request))?;
    super::print(format!("{answer}\n").as_bytes())
}
