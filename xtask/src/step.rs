//! Steps: a name, something to do, and how long it took. The first that fails ends the command.

use std::process::Command;
use std::time::Instant;

/// Why a command ended, as one message for the person who called it.
#[derive(Debug)]
pub struct Failure(pub String);

/// Does something under a name, and prints the name before and the duration after.
#[allow(clippy::disallowed_methods, reason = "the clock of the load runner is not to be had here, nor needed")]
pub fn step(name: &str, work: impl FnOnce() -> Result<(), Failure>) -> Result<(), Failure> {
    eprintln!("── {name}");
    let start = Instant::now();
    work()?;
    eprintln!("── {name}: {:.1} s", start.elapsed().as_secs_f64());
    Ok(())
}

/// Runs a command as a step. It fails unless the command ends with 0.
pub fn run(name: &str, command: &mut Command) -> Result<(), Failure> {
    step(name, || succeed(name, command))
}

/// The standard output of a command that must end with 0.
pub fn output(name: &str, command: &mut Command) -> Result<Vec<u8>, Failure> {
    let output = command.output().map_err(|error| cannot_start(name, command, &error))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(Failure(format!("step `{name}` failed: {}: {}", output.status, said.trim_end())))
}

fn succeed(name: &str, command: &mut Command) -> Result<(), Failure> {
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
    fn a_command_that_ends_with_0_passes_and_its_output_is_had() {
        let version = output("version", &mut rustc("--version")).unwrap();
        assert!(version.starts_with(b"rustc "));
    }

    #[test]
    fn a_failure_names_the_step_and_the_status() {
        let Err(Failure(why)) = output("nonsense", &mut rustc("--no-such-flag")) else { panic!("it passed") };
        assert!(why.starts_with("step `nonsense` failed: exit "), "{why}");
        let Err(Failure(why)) = run("missing", &mut Command::new("no-such-program-at-all")) else {
            panic!("it passed")
        };
        assert!(why.starts_with("step `missing` failed: cannot start \"no-such-program-at-all\": "), "{why}");
    }
}
