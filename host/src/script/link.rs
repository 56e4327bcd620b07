//! `link`: the way of a user's replies to it, as of a person with a phone. A rate, a mapping of rate and round-trip
//! time, or several of them, of which each user has one.

use std::time::Duration;

use super::bit_rate::{BIT_RATES, BitRateError, format_bit_rate, parse_bit_rate};
use super::spanned::{Node, NodeValue, Spanned};
use super::value_reader::{DiagnosticText, Entries, ValueReader};
use crate::diagnostic::Span;

/// The value of `link`.
#[derive(Clone, Debug)]
pub struct LinkSpec {
    /// The links of which each user has one; none with `link: none`.
    pub options: Vec<LinkOption>,
}

/// One link.
#[derive(Clone, Debug)]
pub struct LinkOption {
    /// `weight`: its share of the users, relative to the other links.
    pub weight: f64,
    /// The rate.
    pub down: LinkDown,
    /// `rtt`: the time of a round trip.
    pub rtt: Duration,
}

/// The rate of a link towards the user.
#[derive(Clone, Debug)]
pub enum LinkDown {
    /// `down`, in bits per second.
    Constant(u64),
    /// `trace`: a file of rates over time.
    Trace(Spanned<String>),
}

/// The keys of a link.
const KEYS: [&str; 4] = ["down", "trace", "rtt", "choose"];
/// The keys of a link that is a choice.
#[cfg(test)]
pub(super) const CHOICE_KEYS: [&str; 1] = ["choose"];
/// The keys of a link of `choose`.
pub(super) const OPTION_KEYS: [&str; 4] = ["weight", "down", "trace", "rtt"];
/// The longest round trip: that of a satellite is 0.6 s.
const MAX_RTT: Duration = Duration::from_secs(10);
const LINK_HELP: &str = "for example `link: 2Mbit/s`, `link: {down: 25Mbit/s, rtt: 40ms}` or \
                         `link: {trace: lte.csv, rtt: 70ms}`";
const CHOOSE_HELP: &str = "for example `link: {choose: [{weight: 3, down: 25Mbit/s}, {down: 2Mbit/s, rtt: 70ms}]}`";

/// Reads `link`.
pub(super) fn link(reader: &mut ValueReader, node: Node) -> Option<Spanned<LinkSpec>> {
    let span = node.span;
    let NodeValue::Map(entries) = node.value else {
        if matches!(&node.value, NodeValue::String(text) if text == "none") {
            return Some(Spanned { value: LinkSpec { options: Vec::new() }, span });
        }
        let down = LinkDown::Constant(rate(reader, "link", &node)?);
        let option = LinkOption { weight: 1.0, down, rtt: Duration::ZERO };
        return Some(Spanned { value: LinkSpec { options: vec![option] }, span });
    };
    let is_choice = entries.iter().any(|(key, _)| key.value == "choose");
    let options = if is_choice { choice(reader, entries)? } else { vec![option(reader, span, entries, &KEYS)?] };
    Some(Spanned { value: LinkSpec { options }, span })
}

/// Reads `{choose: […]}`.
fn choice(reader: &mut ValueReader, entries: Entries) -> Option<Vec<LinkOption>> {
    let mut options = Vec::new();
    for (key, node) in entries {
        if key.value != "choose" {
            let message = format!("`{}` does not go with `choose`", key.value);
            let (code, label) = ("script::link", "beside `choose`");
            let help = "write it in each link of `choose`";
            reader.report(key.span, &DiagnosticText { code, message: &message, label, help });
            continue;
        }
        let span = node.span;
        let NodeValue::List(items) = node.value else {
            reader.wrong_type("choose", &node, "a list", CHOOSE_HELP);
            return None;
        };
        if items.is_empty() {
            let (code, message, label) = ("script::empty", "`choose` must not be empty", "no links");
            reader.report(span, &DiagnosticText { code, message, label, help: CHOOSE_HELP });
        }
        for item in items {
            let span = item.span;
            let NodeValue::Map(entries) = item.value else {
                reader.type_mismatch("a link of `choose` must be a mapping", &item, CHOOSE_HELP);
                continue;
            };
            options.extend(option(reader, span, entries, &OPTION_KEYS));
        }
    }
    Some(options)
}

/// Reads the mapping of one link.
fn option(reader: &mut ValueReader, span: Span, entries: Entries, keys: &[&str]) -> Option<LinkOption> {
    let (mut weight, mut downs, mut rtt) = (Some(1.0), Vec::new(), Some(Duration::ZERO));
    for (key, node) in entries {
        match key.value.as_str() {
            "weight" if keys.contains(&"weight") => {
                weight = reader.positive("weight", &node).map(|weight| weight.value);
            }
            "down" => downs.push((key.span, rate(reader, "down", &node).map(LinkDown::Constant))),
            "trace" => {
                downs.push((key.span, reader.non_empty_text("trace", node, "lte.csv").map(LinkDown::Trace)));
            }
            "rtt" => rtt = round_trip(reader, &node),
            _ => reader.unknown_key(&key, "a link", keys),
        }
    }
    if let Some((second, _)) = downs.get(1) {
        let (code, message) = ("script::link", "a link has both `down` and `trace`");
        let help = "remove one of them: `trace` is the rate over time";
        reader.report(*second, &DiagnosticText { code, message, label: "second rate", help });
        return None;
    }
    let Some((_, down)) = downs.pop() else {
        let (code, message) = ("script::missing-key", "a link needs `down` or `trace`");
        reader.report(span, &DiagnosticText { code, message, label: "no rate", help: LINK_HELP });
        return None;
    };
    Some(LinkOption { weight: weight?, down: down?, rtt: rtt? })
}

/// Reads a rate that a link can have all the time.
fn rate(reader: &mut ValueReader, key: &str, node: &Node) -> Option<u64> {
    let typed = reader.source.text[node.span.start..node.span.end].to_owned();
    let parsed = match &node.value {
        NodeValue::String(text) => parse_bit_rate(text),
        NodeValue::Int(_) | NodeValue::Float(_) => parse_bit_rate(&typed),
        _ => {
            let wanted = if key == "link" { "a rate or a mapping" } else { "a rate with a unit" };
            reader.wrong_type(key, node, wanted, LINK_HELP);
            return None;
        }
    };
    let parsed = parsed.and_then(|rate| {
        let lowest = *BIT_RATES.start();
        let too_low = || BitRateError {
            message: "is too low".into(),
            label: "too low",
            help: format!("the lowest rate is {}", format_bit_rate(lowest)),
        };
        if rate < lowest { Err(too_low()) } else { Ok(rate) }
    });
    match parsed {
        Ok(rate) => Some(rate),
        Err(BitRateError { message, label, help }) => {
            let (code, message) = ("script::bit-rate", format!("`{key}` {message}"));
            reader.report(node.span, &DiagnosticText { code, message: &message, label, help: &help });
            None
        }
    }
}

/// Reads `rtt`.
fn round_trip(reader: &mut ValueReader, node: &Node) -> Option<Duration> {
    let rtt = reader.duration("rtt", node)?;
    if rtt.value > MAX_RTT {
        let message = format!("`rtt` must be at most {}", humantime::format_duration(MAX_RTT));
        let help = "it is the time from a request to its reply on an idle link, such as `40ms`";
        let text = DiagnosticText { code: "script::range", message: &message, label: "too long", help };
        reader.report(rtt.span, &text);
        return None;
    }
    Some(rtt.value)
}
