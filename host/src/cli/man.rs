//! `man`: the man page, generated from the definitions of the parser.

use std::io::{self, Write};

use clap::CommandFactory;
use clap_mangen::Man;

use super::Cli;

/// Writes the man page in roff.
pub fn man(out: &mut dyn Write) -> io::Result<()> {
    Man::new(Cli::command()).render(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_flags_variables_and_exit_codes() {
        let mut page = Vec::new();
        man(&mut page).expect("memory can be written to");
        let page = String::from_utf8(page).expect("text");
        for part in ["graceful\\-stop", "STAMPEDE_GRACEFUL_STOP", "no user signed in", "completions"] {
            assert!(page.contains(part), "{part}");
        }
    }
}
