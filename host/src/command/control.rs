//! `control`: asks something of a run that is under way, through its socket.

use crate::cli::{ControlArgs, ControlCommand};
use crate::command::output::print;
use crate::control;
use crate::diagnostic::Diagnostics;
use crate::exit::Exit;
use crate::run::load_controller::ControlRequest;

/// Asks, and prints how the run stands then, as a line of JSON.
///
/// # Errors
/// No run answers, or it does not do it.
pub fn control(args: &ControlArgs) -> Result<Exit, Diagnostics> {
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
