//! The types of flag values that clap does not know, and their parsers. A check that needs another flag, a script or a
//! file is made elsewhere.

use std::ffi::OsStr;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use bytesize::ByteSize;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Arg, Command, Error};

use crate::script::duration::parse_duration;
use crate::script::header::{HeaderError, check_header};
use crate::script::is_name;
use crate::script::model::{BODY_MEMORY, FailOn};
use crate::script::outcome::OutcomeFilter;
use crate::script::stage::{StageSpec, parse_rate, parse_stages};
use crate::segment::Segment;

/// The most percentiles that a report shows.
const MAX_PERCENTILES: usize = 12;

/// A header field of the command line. Its value may be a secret and is not shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct HeaderArg {
    /// As typed, a valid field name.
    pub name: String,
    /// As typed, without surrounding white space; may hold `{{templates}}`.
    pub value: String,
}

impl fmt::Debug for HeaderArg {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("HeaderArg").field("name", &self.name).finish_non_exhaustive()
    }
}

/// `NAME=FILE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataArg {
    /// The name of the data set in templates.
    pub name: String,
    /// The file with its rows, relative to the working folder.
    pub file: PathBuf,
}

/// Parses `name:value`. It is a type rather than a function, since clap repeats the value that a function rejects, and
/// the value may be a secret.
#[derive(Clone)]
pub(super) struct HeaderParser;

impl TypedValueParser for HeaderParser {
    type Value = HeaderArg;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<HeaderArg, Error> {
        header(value).map_err(|error| {
            let flag = arg.map(Arg::to_string).unwrap_or_default();
            Error::raw(ErrorKind::ValueValidation, format!("invalid value for '{flag}': {error}\n")).with_cmd(command)
        })
    }
}

fn header(value: &OsStr) -> Result<HeaderArg, String> {
    let text = value.to_str().ok_or("it is not UTF-8")?;
    let (name, value) = text.split_once(':').ok_or("it must be `name:value`")?;
    let (name, value) = (name.trim(), value.trim());
    // The part before the colon is not repeated unless it is a name: the user may have swapped the parts.
    check_header(name, value).map_err(|error| match error {
        HeaderError::Name(_) => "the part before the `:` is not a header name".to_owned(),
        error => error.to_string(),
    })?;
    Ok(HeaderArg { name: name.to_owned(), value: value.to_owned() })
}

/// Parses `NAME=FILE`.
pub(super) fn data(text: &str) -> Result<DataArg, &'static str> {
    let (name, file) = text.split_once('=').ok_or("it must be `NAME=FILE`")?;
    if !is_name(name) {
        return Err("a name has letters, digits, `_`, `-` and `.`, and begins with a letter or `_`");
    }
    if file.is_empty() {
        return Err("the file is missing");
    }
    Ok(DataArg { name: name.to_owned(), file: file.into() })
}

/// The stages of a load, at least one.
#[derive(Clone, Debug, PartialEq)]
pub struct StageList(pub Vec<StageSpec>);

/// Parses stages with commas between them.
pub(super) fn stages(text: &str) -> Result<StageList, String> {
    parse_stages(text).map(StageList).map_err(|why| format!("a stage {why}"))
}

/// Percentiles to show, at least one, each above 0 and below 100.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PercentileList(pub Vec<f64>);

/// Parses percentiles with commas between them.
pub(super) fn percentiles(text: &str) -> Result<PercentileList, String> {
    let mut list = Vec::new();
    for part in text.split(',').map(str::trim) {
        let percentile = part.strip_prefix('p').unwrap_or(part).parse::<f64>().ok();
        let percentile = percentile.filter(|number| *number > 0.0 && *number < 100.0);
        let number = percentile.ok_or_else(|| format!("`{part}` is not a number above 0 and below 100"))?;
        if list.contains(&number) {
            return Err(format!("`{part}` is given twice"));
        }
        list.push(number);
    }
    if list.len() > MAX_PERCENTILES {
        Err(format!("at most {MAX_PERCENTILES} are shown"))
    } else {
        Ok(PercentileList(list))
    }
}

/// Parses a rate with a unit.
pub(super) fn rate(text: &str) -> Result<f64, String> {
    parse_rate(text).map_err(|why| format!("it {why}"))
}

/// Returns the parser of `--fail-on`.
pub(super) fn fail_on() -> impl TypedValueParser<Value = FailOn> {
    PossibleValuesParser::new(FailOn::NAMES.map(|(name, _)| name))
        .map(|name| FailOn::from_name(&name).unwrap_or_default())
}

/// Parses a selection of requests by their outcome.
pub(super) fn outcome_filter() -> impl TypedValueParser<Value = OutcomeFilter> {
    PossibleValuesParser::new(OutcomeFilter::NAMES.map(|(name, _)| name))
        .map(|name| OutcomeFilter::from_name(&name).unwrap_or_default())
}

/// Parses the memory for contents of replies.
pub(super) fn body_memory(text: &str) -> Result<u64, String> {
    let has_unit = text.ends_with(|last: char| last.is_ascii_alphabetic());
    match text.parse::<ByteSize>() {
        Ok(size) if has_unit && BODY_MEMORY.contains(&size.0) => Ok(size.0),
        Ok(_) if has_unit => {
            Err(format!("it must be from {} to {}", ByteSize(*BODY_MEMORY.start()), ByteSize(*BODY_MEMORY.end())))
        }
        _ => Err("it must be a size with a unit, such as 512MiB".to_owned()),
    }
}

/// Parses a whole number of at least 1 that `T` can hold.
pub(super) fn at_least_one<T: TryFrom<u64>>(text: &str) -> Result<T, &'static str> {
    match text.parse::<u64>() {
        Ok(0) | Err(_) => Err("it must be a whole number, at least 1"),
        Ok(number) => T::try_from(number).map_err(|_| "it is too large"),
    }
}

/// Parses the number that one is taken out of.
pub(super) fn one_in(text: &str) -> Result<u64, &'static str> {
    text.parse().map_err(|_| "it must be a whole number, 0 or more")
}

/// Parses a seed.
pub(super) fn seed(text: &str) -> Result<u64, &'static str> {
    text.parse().map_err(|_| "it must be a whole number from 0 to 2^64 - 1")
}

/// Parses a finite number above zero.
pub(super) fn positive(text: &str) -> Result<f64, &'static str> {
    let number: f64 = text.parse().map_err(|_| "it must be a number")?;
    if number.is_finite() && number > 0.0 { Ok(number) } else { Err("it must be more than 0, and finite") }
}

/// Parses a share in percent and returns it as a part of 1.
pub(super) fn tolerance(text: &str) -> Result<f64, &'static str> {
    let percent = text.strip_suffix('%').and_then(|number| number.trim().parse::<f64>().ok());
    match percent {
        Some(percent) if (0.0..=1_000.0).contains(&percent) => Ok(percent / 100.0),
        _ => Err("it must be a share in percent such as 5%, from 0% to 1000%"),
    }
}

/// Parses the number of machines of a fleet.
pub(super) fn fleet_nodes(text: &str) -> Result<u32, &'static str> {
    match text.parse() {
        Ok(nodes) if (1..=Segment::MAX).contains(&nodes) => Ok(nodes),
        _ => Err("it must be a whole number from 1 to 1000"),
    }
}

/// Parses the share of machines that may be lost, in percent, and returns it as a part of 1.
pub(super) fn lost_share(text: &str) -> Result<f64, &'static str> {
    let percent = text.strip_suffix('%').and_then(|number| number.trim().parse::<f64>().ok());
    match percent {
        Some(percent) if (0.0001..100.0).contains(&percent) => Ok(percent / 100.0),
        _ => Err("it must be a share in percent such as 1%, less than 100%"),
    }
}

/// Parses the share of samples in percent and returns it as a part of 1.
pub(super) fn sample_share(text: &str) -> Result<f64, &'static str> {
    let percent = text.strip_suffix('%').and_then(|number| number.trim().parse::<f64>().ok());
    match percent {
        Some(percent) if (0.0001..=100.0).contains(&percent) => Ok(percent / 100.0),
        _ => Err("it must be a share in percent such as 1%, from 0.0001% to 100%"),
    }
}

/// Parses a duration of zero or more.
pub(super) fn zero_or_more(text: &str) -> Result<Duration, String> {
    parse_duration(text).map_err(|error| error.to_string())
}

/// Parses a duration above zero.
pub(super) fn positive_duration(text: &str) -> Result<Duration, String> {
    match zero_or_more(text)? {
        Duration::ZERO => Err("it must be more than 0".to_owned()),
        duration => Ok(duration),
    }
}
