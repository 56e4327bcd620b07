//! The arguments of `cargo xtask bench`.

use std::path::PathBuf;

use clap::Parser;
use clap::builder::PossibleValuesParser;

use crate::sections::SECTIONS;

/// Measures the cost of the load runner beside wrk, oha, k6 and curl, into host/benches/RESULTS.md
#[derive(Debug, Default, Parser, PartialEq, Eq)]
#[command(name = "cargo xtask bench", bin_name = "cargo xtask bench")]
pub(crate) struct Options {
    /// Measure the short sections alone, in two minutes; writes no file
    #[arg(long)]
    pub(crate) quick: bool,
    /// Measure these sections only; writes no file
    #[arg(long, value_name = "SECTION,...", value_delimiter = ',')]
    #[arg(value_parser = PossibleValuesParser::new(SECTIONS.map(|section| section.name)))]
    pub(crate) only: Vec<String>,
    /// Measure this release binary as it is, instead of building one
    #[arg(long, value_name = "PATH")]
    pub(crate) binary: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_have_any_order() {
        let options = Options::parse_from(["bench", "--only", "http64,start", "--binary", "b", "--quick"]);
        let only = vec!["http64".to_owned(), "start".to_owned()];
        assert_eq!(options, Options { quick: true, only, binary: Some("b".into()) });
        assert_eq!(Options::parse_from(["bench"]), Options::default());
    }

    #[test]
    fn an_unknown_section_is_rejected_with_the_list_of_sections() {
        let error = Options::try_parse_from(["bench", "--only", "http64,htp"]).unwrap_err().to_string();
        assert!(error.starts_with("error: invalid value 'htp' for '--only <SECTION,...>'"), "{error}");
        assert!(SECTIONS.iter().all(|section| error.contains(section.name)), "{error}");
    }
}
