//! Steps: a name, the work, and the time that it took. The first step that fails ends the command.

use std::error::Error;
use std::fmt;
use std::process::Command;
use std::time::Instant;

/// The reason why a command ended early, as one message for its caller.
#[derive(Debug)]
pub struct Failure(pub String);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Failure {}

/// Runs `work`; prints the step's name before it and the duration after it.
///
/// # Errors
/// `work` failed.
#[allow(clippy::disallowed_methods, reason = "the load runner's clock is for the load runner alone")]
pub fn step(name: &str, work: impl FnOnce() -> Result<(), Failure>) -> Result<(), Failure> {
    eprintln!("── {name}");
    let start = Instant::now();
    work()?;
    eprintln!("── {name}: {:.1} s", start.elapsed().as_secs_f64());
    Ok(())
}

/// Runs a command as a step.
///
/// # Errors
/// The command does not start, or does not exit with 0.
pub fn run(name: &str, command: &mut Command) -> Result<(), Failure> {
    step(name, || succeed(name, command))
}

/// Returns the standard output of a command.
///
/// # Errors
/// The command does not start, or does not exit with 0.
pub fn output(name: &str, command: &mut Command) -> Result<Vec<u8>, Failure> {
    let output = command.output().map_err(|error| cannot_start(name, command, &error))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    Err(Failure(format!("step `{name}` failed: {}: {}", output.status, stderr.trim_end())))
}

/// Runs a command without printing a step.
///
/// # Errors
/// The command does not start, or does not exit with 0.
pub fn succeed(name: &str, command: &mut Command) -> Result<(), Failure> {
    let status = command.status().map_err(|error| cannot_start(name, command, &error))?;
    if status.success() { Ok(()) } else { Err(Failure(format!("step `{name}` failed: {status}"))) }
}

fn cannot_start(name: &str, command: &Command, error: &std::io::Error) -> Failure {
    Failure(format!("step `{name}` failed: cannot start {:?}: {error}", command.get_program()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rustc(argument: &str) -> Command {
        let mut command = Command::new("rustc");
        command.arg(argument);
        command
    }

    #[test]
    fn a_command_that_exits_with_0_passes_and_its_output_is_returned() {
        let version = output("version", &mut rustc("--version")).unwrap();
        assert!(version.starts_with(b"rustc "));
    }

    #[test]
    fn a_failure_names_the_step_and_the_status() {
        let Failure(message) = output("nonsense", &mut rustc("--no-such-flag")).unwrap_err();
        assert!(message.starts_with("step `nonsense` failed: exit "), "{message}");
        let Failure(message) = run("missing", &mut Command::new("no-such-program-at-all")).unwrap_err();
        assert!(message.starts_with("step `missing` failed: cannot start \"no-such-program-at-all\": "), "{message}");
    }
}
