//! The completion scripts of shells, generated from the definitions of the parser.

use std::io::Write;

use clap_complete::Shell;

use super::NAME;

/// Writes the completion script.
///
/// # Panics
/// Panics if `out` cannot be written to, so give it a buffer.
pub fn completions(shell: Shell, mut definition: clap::Command, out: &mut dyn Write) {
    clap_complete::generate(shell, &mut definition, NAME, out);
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::super::definition;
    use super::*;

    #[test]
    fn every_shell_gets_a_script_that_knows_the_flags() {
        for shell in Shell::value_variants() {
            let mut script = Vec::new();
            completions(*shell, definition(".json"), &mut script);
            let script = String::from_utf8(script).expect("text");
            assert!(script.contains("graceful-stop") && script.contains(NAME), "{shell}");
        }
    }
}
