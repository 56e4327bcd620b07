//! The arguments of `cargo xtask bench`.

use std::path::PathBuf;

use super::sections::SECTIONS;
use crate::step::Failure;

/// What was asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Short runs of the sections that need not be long.
    pub quick: bool,
    /// Only these sections; all if empty.
    pub only: Vec<String>,
    /// A release binary to measure as it is.
    pub binary: Option<PathBuf>,
}

impl Options {
    /// Reads them.
    pub fn parse(arguments: &[&str]) -> Result<Self, Failure> {
        let mut options = Self::default();
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let mut value = || rest.next().ok_or_else(|| Failure(format!("`{argument}` needs a value")));
            match *argument {
                "--quick" => options.quick = true,
                "--only" => options.only = value()?.split(',').map(section).collect::<Result<_, _>>()?,
                "--binary" => options.binary = Some(value()?.into()),
                _ => return Err(Failure(format!("`bench` has no argument `{argument}`"))),
            }
        }
        Ok(options)
    }
}

fn section(name: &str) -> Result<String, Failure> {
    let mut names = SECTIONS.iter().map(|section| section.name);
    if names.any(|known| known == name) {
        return Ok(name.to_owned());
    }
    let names: Vec<_> = SECTIONS.iter().map(|section| section.name).collect();
    Err(Failure(format!("no such section: `{name}`; there are {}", names.join(", "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_read_in_any_order() {
        let options = Options::parse(&["--only", "http64,start", "--binary", "b", "--quick"]).unwrap();
        let only = vec!["http64".to_owned(), "start".to_owned()];
        assert_eq!(options, Options { quick: true, only, binary: Some("b".into()) });
        assert_eq!(Options::parse(&[]).unwrap(), Options::default());
    }

    #[test]
    fn what_is_wrong_is_named() {
        let why = |arguments: &[&str]| Options::parse(arguments).unwrap_err().0;
        assert!(why(&["--only", "http64,htp"]).starts_with("no such section: `htp`; there are http64, "));
        assert_eq!(why(&["--only"]), "`--only` needs a value");
        assert_eq!(why(&["--fast"]), "`bench` has no argument `--fast`");
    }
}
