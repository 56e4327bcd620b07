//! The arguments of `cargo xtask dist`.

use clap::Parser;
use clap::builder::PossibleValuesParser;

use crate::targets::{TARGETS, TargetSystem};

/// Builds packages of the load runner into dist/, and tries each one that can run here
#[derive(Debug, Default, Parser, PartialEq, Eq)]
#[command(name = "cargo xtask dist", bin_name = "cargo xtask dist")]
pub(crate) struct PackOptions {
    /// Build for this target only (repeatable); for all of them if not given
    #[arg(long, value_name = "TRIPLE")]
    #[arg(value_parser = PossibleValuesParser::new(TARGETS.map(|target| target.triple)))]
    pub(crate) target: Vec<String>,
    /// Pack the commit a second time, from a clone in another folder, and compare the packages byte by byte
    #[arg(long)]
    pub(crate) reproduce: bool,
    /// Do not try what was packed
    #[arg(long)]
    pub(crate) no_trials: bool,
}

impl PackOptions {
    /// Returns the targets to build for, in the order of [`TARGETS`].
    pub(crate) fn targets(&self) -> Vec<&'static TargetSystem> {
        let is_wanted =
            |target: &&TargetSystem| self.target.is_empty() || self.target.iter().any(|name| name == target.triple);
        TARGETS.iter().filter(is_wanted).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_targets_are_built_unless_some_are_named() {
        assert_eq!(PackOptions::default().targets().len(), TARGETS.len());
        let options = PackOptions::parse_from(["dist", "--target", "x86_64-unknown-linux-musl"]);
        assert_eq!(
            options.targets().iter().map(|target| target.triple).collect::<Vec<_>>(),
            ["x86_64-unknown-linux-musl"]
        );
        let error = PackOptions::try_parse_from(["dist", "--target", "vax"]).unwrap_err().to_string();
        assert!(error.contains("x86_64-unknown-linux-musl"), "{error}");
    }
}
