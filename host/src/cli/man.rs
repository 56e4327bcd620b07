//! `man`: the man page, generated from the definitions of the parser.

use std::io::{self, Write};

use clap_mangen::Man;

/// Writes the man page of the command line in roff.
pub fn man(definition: clap::Command, out: &mut dyn Write) -> io::Result<()> {
    Man::new(definition).render(out)
}

#[cfg(test)]
mod tests {
    use super::super::definition;
    use super::*;

    #[test]
    fn the_page_has_flags_variables_and_exit_codes() {
        let mut page = Vec::new();
        man(definition(".json"), &mut page).expect("memory can be written to");
        let page = String::from_utf8(page).expect("text");
        for part in ["graceful\\-stop", "STAMPEDE_GRACEFUL_STOP", "no user signed in", "completions"] {
            assert!(page.contains(part), "{part}");
        }
    }
}
