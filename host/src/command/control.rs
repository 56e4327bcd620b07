//! `control`: sends a request to a run that is under way, through its socket.

use crate::cli::{ControlArgs, ControlCommand};
use crate::command::output::print;
use crate::control;
use crate::diagnostic::Diagnostics;
use crate::exit::Exit;
use crate::run::load_controller::ControlRequest;

/// Sends a request, and prints the state of the run after it, as a line of JSON.
///
/// # Errors
/// No run answers, or it rejects the request.
pub(super) fn control(args: &ControlArgs) -> Result<Exit, Diagnostics> {
    let request = match args.command.clone() {
        ControlCommand::Scale { scale, scenario } => ControlRequest::Scale(scale, scenario),
        ControlCommand::Pause => ControlRequest::Pause(true),
        ControlCommand::Resume => ControlRequest::Pause(false),
        ControlCommand::Stop => ControlRequest::Stop,
        ControlCommand::Status => ControlRequest::Status,
    };
    let answer = control::send_line(&args.socket, &control::encode_request(&request))?;
    print(format!("{answer}\n").as_bytes())
}
