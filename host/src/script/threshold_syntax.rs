//! The grammar of thresholds, which are conditions for a run to pass.
//!
//! ```text
//! METRIC[{TAG:VALUE, …}]: AGGREGATION COMPARISON LIMIT[UNIT] [for DURATION]
//! http_duration{step:Catalog}: p(95)<200ms for 30s
//! ```
//!
//! This is syntax only. The plan knows which metrics and tags exist, and in which unit their limits are.

use std::fmt;
use std::ops::Range;
use std::time::Duration;

use super::duration::parse_duration;
use super::spanned::{NamedText, Spanned};
use crate::diagnostic::{Span, suggest};

/// The metric that a threshold measures, and the tags that restrict it.
#[derive(Clone, Debug, PartialEq)]
pub struct Selector {
    /// The metric's name.
    pub metric: Spanned<String>,
    /// Tags and the values that they must have, all of them.
    pub tags: Vec<NamedText>,
}

/// The condition on a metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Criterion {
    /// The aggregation of the metric's values into one number.
    pub aggregation: Spanned<Aggregation>,
    /// The comparison of that number with the limit.
    pub comparison: Comparison,
    /// The limit.
    pub limit: Spanned<Limit>,
    /// `for`: the number covers a window of this length, up to now, and is compared each second; `None` covers the
    /// whole run.
    pub window: Option<Spanned<Duration>>,
}

/// The aggregation of many values into one number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Aggregation {
    /// The value that this share of the values, in percent, does not exceed.
    Percentile(f64),
    /// The mean.
    Avg,
    /// The smallest value.
    Min,
    /// The median.
    Med,
    /// The largest value.
    Max,
    /// The number of values, or their sum.
    Count,
    /// The share of values that are true, or the sum per second.
    Rate,
    /// The last value.
    Value,
}

/// A comparison of a number with a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the meanings")]
pub enum Comparison {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    NotEqual,
}

/// A limit as typed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limit {
    /// The number, in its unit.
    pub number: f64,
    /// The unit, if one was typed.
    pub unit: Option<Unit>,
}

/// A unit of a limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unit {
    /// The quantity that it measures.
    pub quantity: Quantity,
    /// Base units in one of it.
    pub factor: f64,
}

/// The quantity that a number measures, which has one base unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// Microseconds.
    Time,
    /// A share of 1.
    Share,
    /// Bytes.
    Bytes,
    /// A plain number.
    Number,
    /// A plain number from 0 to 1.
    Score,
}

/// An error in a text, and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ThresholdSyntaxError {
    /// The bytes of the text that are wrong.
    pub range: Range<usize>,
    /// The error in a sentence.
    pub message: String,
    /// The error in a few words.
    pub label: &'static str,
    /// The way to correct it.
    pub help: String,
}

const COMPARISONS: [(&str, Comparison); 6] = [
    ("<=", Comparison::LessOrEqual),
    (">=", Comparison::GreaterOrEqual),
    ("==", Comparison::Equal),
    ("!=", Comparison::NotEqual),
    ("<", Comparison::Less),
    (">", Comparison::Greater),
];

/// The aggregations that are a single word.
const AGGREGATIONS: [(&str, Aggregation); 7] = [
    ("avg", Aggregation::Avg),
    ("min", Aggregation::Min),
    ("med", Aggregation::Med),
    ("max", Aggregation::Max),
    ("count", Aggregation::Count),
    ("rate", Aggregation::Rate),
    ("value", Aggregation::Value),
];

const UNITS: [(&str, Quantity, f64); 14] = [
    ("us", Quantity::Time, 1.0),
    ("µs", Quantity::Time, 1.0),
    ("ms", Quantity::Time, 1e3),
    ("s", Quantity::Time, 1e6),
    ("m", Quantity::Time, 60e6),
    ("h", Quantity::Time, 3_600e6),
    ("%", Quantity::Share, 0.01),
    ("B", Quantity::Bytes, 1.0),
    ("KB", Quantity::Bytes, 1e3),
    ("MB", Quantity::Bytes, 1e6),
    ("GB", Quantity::Bytes, 1e9),
    ("KiB", Quantity::Bytes, 1024.0),
    ("MiB", Quantity::Bytes, 1_048_576.0),
    ("GiB", Quantity::Bytes, 1_073_741_824.0),
];

const SELECTOR_HELP: &str = "for example `http_duration{step:Catalog}`";
const CRITERION_HELP: &str = "for example `p(95)<200ms`, `rate<1%` or `p(99)<500ms for 30s`";

/// The longest window. The values in it are kept second by second.
const MAX_WINDOW: Duration = Duration::from_secs(3_600);

impl Aggregation {
    /// Returns the quantile, from 0 to 1, if the aggregation is one.
    pub fn quantile(self) -> Option<f64> {
        match self {
            Self::Percentile(percent) => Some(percent / 100.0),
            Self::Med => Some(0.5),
            _ => None,
        }
    }
}

impl fmt::Display for Aggregation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Percentile(percent) => write!(formatter, "p({percent})"),
            other => {
                let word = AGGREGATIONS.iter().find(|(_, known)| known == other).map_or("", |(word, _)| word);
                formatter.write_str(word)
            }
        }
    }
}

impl Comparison {
    /// Returns true if a number satisfies a limit.
    pub fn holds(self, value: f64, limit: f64) -> bool {
        match self {
            Self::Less => value < limit,
            Self::LessOrEqual => value <= limit,
            Self::Greater => value > limit,
            Self::GreaterOrEqual => value >= limit,
            Self::Equal => value == limit,
            Self::NotEqual => value != limit,
        }
    }

    /// Returns true if every number from `bound` on satisfies a limit.
    pub fn holds_from(self, bound: f64, limit: f64) -> bool {
        match self {
            Self::Less | Self::LessOrEqual | Self::Equal => false,
            Self::Greater | Self::NotEqual => bound > limit,
            Self::GreaterOrEqual => bound >= limit,
        }
    }
}

impl Quantity {
    /// Returns the base unit as reports name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Time => "microseconds",
            Self::Share => "share",
            Self::Bytes => "bytes",
            Self::Number => "number",
            Self::Score => "score",
        }
    }
}

impl Selector {
    /// Returns the selector with its spans mapped to the text that contains it.
    #[must_use]
    pub fn map_spans(mut self, place: &dyn Fn(Span) -> Span) -> Self {
        self.metric.span = place(self.metric.span);
        for tag in &mut self.tags {
            (tag.name.span, tag.value.span) = (place(tag.name.span), place(tag.value.span));
        }
        self
    }
}

impl Criterion {
    /// Returns the criterion with its spans mapped to the text that contains it.
    #[must_use]
    pub fn map_spans(mut self, place: &dyn Fn(Span) -> Span) -> Self {
        self.aggregation.span = place(self.aggregation.span);
        self.limit.span = place(self.limit.span);
        self.window.iter_mut().for_each(|window| window.span = place(window.span));
        self
    }
}

/// Parses `METRIC{TAG:VALUE, …}`. Spans of the result are bytes of the text.
///
/// # Errors
/// The text is not a selector.
pub(crate) fn parse_selector(text: &str) -> Result<Selector, ThresholdSyntaxError> {
    let mut scanner = Scanner { text, at: 0 };
    let metric = scanner.take_until(&['{']);
    if metric.value.is_empty() {
        return Err(syntax_error(0..text.len(), "a threshold needs a metric", "no metric", SELECTOR_HELP));
    }
    let mut tags = Vec::new();
    if scanner.eat("{") {
        loop {
            let name = scanner.take_until(&[':', ',', '}']);
            if !scanner.eat(":") || name.value.is_empty() {
                let range = name.span.start..scanner.at.max(name.span.end);
                return Err(syntax_error(range, "a tag must be `name:value`", "not a tag", SELECTOR_HELP));
            }
            let value = scanner.tag_value()?;
            tags.push(NamedText { name, value });
            if !scanner.eat(",") {
                break;
            }
        }
        if !scanner.eat("}") {
            let end = scanner.at..text.len();
            return Err(syntax_error(end, "the tags of a metric end with `}`", "no `}`", SELECTOR_HELP));
        }
        scanner.expect_end(SELECTOR_HELP)?;
    }
    Ok(Selector { metric, tags })
}

/// Parses `AGGREGATION COMPARISON LIMIT[UNIT] [for DURATION]`. Spans of the result are bytes of the text.
///
/// # Errors
/// The text is not a criterion.
pub(crate) fn parse_criterion(text: &str) -> Result<Criterion, ThresholdSyntaxError> {
    let mut scanner = Scanner { text, at: 0 };
    let aggregation = scanner.aggregation()?;
    let comparison = scanner.comparison()?;
    let limit = scanner.limit()?;
    let window = scanner.window()?;
    scanner.expect_end(CRITERION_HELP)?;
    Ok(Criterion { aggregation, comparison, limit, window })
}

/// Parses `COMPARISON LIMIT[UNIT]`, as in checks of a size or a latency.
///
/// # Errors
/// The text is not a comparison with a limit.
pub(crate) fn parse_bound(text: &str) -> Result<(Comparison, Spanned<Limit>), ThresholdSyntaxError> {
    let mut scanner = Scanner { text, at: 0 };
    let mut read = || {
        let (comparison, limit) = (scanner.comparison()?, scanner.limit()?);
        scanner.expect_end(CRITERION_HELP)?;
        Ok((comparison, limit))
    };
    read().map_err(|error: ThresholdSyntaxError| {
        let help = if error.help == CRITERION_HELP { "for example `< 200ms` or `<= 10KB`".into() } else { error.help };
        ThresholdSyntaxError { help, ..error }
    })
}

/// A text, and how far it has been read.
struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl Scanner<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn skip_blanks(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    /// Skips these characters if they come next; returns true if they did.
    fn eat(&mut self, signs: &str) -> bool {
        self.skip_blanks();
        let matches = self.rest().starts_with(signs);
        self.at += if matches { signs.len() } else { 0 };
        matches
    }

    /// Reads up to one of these characters, without the blanks around the text.
    fn take_until(&mut self, stops: &[char]) -> Spanned<String> {
        self.skip_blanks();
        let length = self.rest().find(stops).unwrap_or(self.rest().len());
        let start = self.at;
        let value = self.rest()[..length].trim_end().to_owned();
        self.at += length;
        let end = start + value.len();
        Spanned { value, span: Span { start, end } }
    }

    /// Reads the characters that fit.
    fn take_while(&mut self, fits: impl Fn(char) -> bool) -> Spanned<String> {
        self.skip_blanks();
        let start = self.at;
        let length = self.rest().find(|sign| !fits(sign)).unwrap_or(self.rest().len());
        self.at += length;
        Spanned { value: self.text[start..self.at].to_owned(), span: Span { start, end: self.at } }
    }

    /// Reads the value of a tag, which is in quotes if it contains `,` or `}`.
    fn tag_value(&mut self) -> Result<Spanned<String>, ThresholdSyntaxError> {
        self.skip_blanks();
        let start = self.at;
        let Some(quote) = self.rest().chars().next().filter(|first| ['"', '\''].contains(first)) else {
            let value = self.take_until(&[',', '}']);
            if value.value.is_empty() {
                return Err(syntax_error(start..start, "a tag must be `name:value`", "no value", SELECTOR_HELP));
            }
            return Ok(value);
        };
        self.at += 1;
        let Some(length) = self.rest().find(quote) else {
            return Err(syntax_error(start..self.text.len(), "a quote is not closed", "no end", SELECTOR_HELP));
        };
        let value = self.rest()[..length].to_owned();
        self.at += length + 1;
        Ok(Spanned { value, span: Span { start, end: self.at } })
    }

    fn aggregation(&mut self) -> Result<Spanned<Aggregation>, ThresholdSyntaxError> {
        let word = self.take_while(|sign| sign.is_alphanumeric() || sign == '_' || sign == '.');
        let mut span = word.span;
        let value = if word.value == "p" && self.eat("(") {
            let percent = self.take_until(&[')', '<', '>', '=', '!']);
            let number = percent.value.parse::<f64>().ok().filter(|number| (0.0..=100.0).contains(number));
            let closed = self.eat(")");
            span.end = self.at;
            number.filter(|_| closed).map(Aggregation::Percentile)
        } else {
            AGGREGATIONS.iter().find(|(known, _)| *known == word.value).map(|(_, value)| *value)
        };
        value.map(|value| Spanned { value, span }).ok_or_else(|| self.unknown_aggregation(&word.value, span))
    }

    fn unknown_aggregation(&self, word: &str, span: Span) -> ThresholdSyntaxError {
        let percentile = word.strip_prefix('p').filter(|digits| digits.parse::<f64>().is_ok());
        let help = match (word, percentile) {
            ("p", _) => "a percentile is `p(0)` to `p(100)`, such as `p(99.9)`".into(),
            (_, Some(digits)) => format!("did you mean `p({digits})`?"),
            ("mean" | "average", _) => "did you mean `avg`?".into(),
            ("median", _) => "did you mean `med`?".into(),
            _ => match suggest(word, AGGREGATIONS.map(|(word, _)| word)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => {
                    "the aggregations are p(N), avg, min, med, max, count, rate and value; for example `p(95)<200ms`"
                        .into()
                }
            },
        };
        let typed = self.text[span.start..span.end].trim_end();
        let message = match typed {
            "" => "a threshold begins with an aggregation, such as `p(95)`".into(),
            typed => format!("unknown aggregation `{typed}`"),
        };
        syntax_error(span.start..span.end, &message, "not an aggregation", &help)
    }

    fn comparison(&mut self) -> Result<Comparison, ThresholdSyntaxError> {
        let start = self.at;
        let signs = self.take_while(|sign| "<>=!~".contains(sign));
        let entry = COMPARISONS.iter().find(|(known, _)| *known == signs.value);
        entry.map(|(_, comparison)| *comparison).ok_or_else(|| match signs.value.as_str() {
            "" => syntax_error(start..self.text.len(), "a comparison is missing", "no comparison", CRITERION_HELP),
            typed => {
                let message = format!("unknown comparison `{typed}`");
                let help = "the comparisons are `<`, `<=`, `>`, `>=`, `==` and `!=`";
                syntax_error(signs.span.start..signs.span.end, &message, "not a comparison", help)
            }
        })
    }

    fn limit(&mut self) -> Result<Spanned<Limit>, ThresholdSyntaxError> {
        let typed = self.take_while(|sign| sign.is_ascii_digit() || sign == '.' || sign == '-');
        let mut span = typed.span;
        let Ok(number) = typed.value.parse::<f64>() else {
            let range = span.start..if typed.value.is_empty() { self.text.len() } else { span.end };
            return Err(syntax_error(range, "the limit must be a number", "not a number", CRITERION_HELP));
        };
        let before = self.at;
        let unit = self.take_while(|sign| sign.is_alphabetic() || sign == '%');
        if unit.value.is_empty() || unit.value == "for" {
            self.at = before;
            return Ok(Spanned { value: Limit { number, unit: None }, span });
        }
        span.end = unit.span.end;
        match UNITS.iter().find(|(name, ..)| name.eq_ignore_ascii_case(&unit.value)) {
            Some(&(_, quantity, factor)) => {
                Ok(Spanned { value: Limit { number, unit: Some(Unit { quantity, factor }) }, span })
            }
            None => {
                let message = format!("`{}` is not a unit", unit.value);
                let help = "units are `us`, `ms`, `s`, `m` and `h` for times, `%` for shares, `KB`, `KiB` and the \
                            like for sizes";
                Err(syntax_error(unit.span.start..unit.span.end, &message, "unknown unit", help))
            }
        }
    }

    fn window(&mut self) -> Result<Option<Spanned<Duration>>, ThresholdSyntaxError> {
        let before = self.at;
        let word = self.take_while(char::is_alphabetic);
        if word.value != "for" {
            self.at = before;
            return Ok(None);
        }
        let typed = self.take_until(&[]);
        let range = typed.span.start..typed.span.end;
        let duration = parse_duration(&typed.value).map_err(|error| {
            let message = format!("`for` {}", error.message);
            ThresholdSyntaxError { range: range.clone(), message, label: error.label, help: error.help }
        })?;
        if duration.subsec_nanos() != 0 || duration.is_zero() || duration > MAX_WINDOW {
            let message = "`for` must be whole seconds, from 1s to 1h";
            return Err(syntax_error(range, message, "out of range", "for example `p(99)<500ms for 30s`"));
        }
        Ok(Some(Spanned { value: duration, span: typed.span }))
    }

    /// Rejects any text that is left.
    fn expect_end(&mut self, help: &str) -> Result<(), ThresholdSyntaxError> {
        self.skip_blanks();
        if self.rest().is_empty() {
            return Ok(());
        }
        Err(syntax_error(self.at..self.text.len(), "unexpected text after the end", "unexpected", help))
    }
}

fn syntax_error(range: Range<usize>, message: &str, label: &'static str, help: &str) -> ThresholdSyntaxError {
    ThresholdSyntaxError { range, message: message.to_owned(), label, help: help.to_owned() }
}

#[cfg(test)]
mod tests;
