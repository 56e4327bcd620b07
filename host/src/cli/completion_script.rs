//! The completion scripts of shells, generated from the definitions of the parser.

use clap_complete::Shell;

use super::NAME;

/// Appends the completion script.
pub fn completions(shell: Shell, mut definition: clap::Command, out: &mut Vec<u8>) {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut definition, NAME, &mut script);
    if shell == Shell::Bash {
        // The library writes the state after a sub-command in two ways if the name has a hyphen, so that nothing is
        // completed there (clap-rs/clap#6421).
        let text = String::from_utf8_lossy(&script);
        script = text.replace(&NAME.replace('-', "__subcmd__"), &NAME.replace('-', "__")).into_bytes();
    }
    if shell == Shell::Zsh {
        script = with_commands_first(&String::from_utf8_lossy(&script)).into_bytes();
    }
    out.extend(script);
}

/// Changes the script for zsh so that the first word is a command or a file. The library takes a command for the second
/// word, since it does not know that an argument and a command exclude each other.
fn with_commands_first(script: &str) -> String {
    let Some((before, rest)) = script.split_once("'::source -- ") else { return script.to_owned() };
    let after = rest.split_once('\n').map_or("", |(_, after)| after);
    let (commands, both) = (":: :_stampede-shooter_commands", ":: :{_stampede-shooter_commands; _files}");
    // The word of the command is named three times: where it is taken, in the context, and in the choice.
    before.to_owned() + &after.replacen(commands, both, 1).replacen("$line[2]", "$line[1]", 3)
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
