//! The file of a link's rates over time. Lines are `TIME,RATE`: from that time on, counted from the beginning of the
//! trace, the link has that rate. Both have units, or the first line names the units of all. Measured traces come in
//! this form, but for the units.

use std::sync::Arc;
use std::time::Duration;

use stampede_time::{Nanos, nanos};

use crate::diagnostic::{Diagnostic, Diagnostics, SourceText, Span};
use crate::net::{LinkTrace, TraceInterval};
use crate::script::bit_rate::{BitRateError, in_range, parse_bit_rate, parse_unit};
use crate::script::duration::{DurationParseError, parse_duration};

/// The maximum number of lines with a rate.
const MAX_INTERVALS: usize = 100_000;
/// The number of errors after which the rest of a file is not read: it is of another format.
const MAX_ERRORS: usize = 10;
/// The longest time in a trace, in seconds: as long as any duration may be.
const MAX_SECONDS: f64 = 366.0 * 86_400.0;
/// The word in place of a rate with which a trace ends.
const END: &str = "end";
/// The units of times that a first line can name, in seconds.
const TIME_UNITS: [(&str, f64); 2] = [("s", 1.0), ("ms", 1e-3)];

/// The units of all lines.
#[derive(Clone, Copy)]
struct Units {
    /// Seconds.
    time: f64,
    /// Bits per second.
    rate: f64,
}

/// A line with its place, without blanks around it.
#[derive(Clone, Copy)]
struct TraceLine<'a> {
    text: &'a str,
    span: Span,
}

/// Reads the lines of one file.
struct TraceReader<'a> {
    source: &'a Arc<SourceText>,
    units: Option<Units>,
    intervals: Vec<TraceInterval>,
    /// The end, if a line names it.
    end: Option<Nanos>,
    diagnostics: Diagnostics,
}

/// Parses a trace.
///
/// # Errors
/// Lines are not a time and a rate, the times do not ascend from 0, or no rate is above 0.
pub(super) fn parse(source: &Arc<SourceText>) -> Result<LinkTrace, Diagnostics> {
    let (units, diagnostics) = (None, Diagnostics::default());
    let mut reader = TraceReader { source, units, intervals: Vec::new(), end: None, diagnostics };
    for (index, line) in lines(&source.text).enumerate() {
        if index == 0 && reader.read_units(line) {
            continue;
        }
        reader.read(line);
        if reader.diagnostics.0.len() >= MAX_ERRORS || reader.intervals.len() > MAX_INTERVALS {
            break;
        }
    }
    reader.finish()
}

/// Iterates over the lines that are neither empty nor comments.
fn lines(text: &str) -> impl Iterator<Item = TraceLine<'_>> {
    let mut offset = 0;
    let all = text.split_inclusive('\n').map(move |line| {
        let start = offset + (line.len() - line.trim_start().len());
        offset += line.len();
        let text = line.trim();
        TraceLine { text, span: Span { start, end: start + text.len() } }
    });
    all.filter(|line| !line.text.is_empty() && !line.text.starts_with('#'))
}

impl TraceReader<'_> {
    /// Takes the line for one of units, if it is one.
    fn read_units(&mut self, line: TraceLine<'_>) -> bool {
        let Some((time, rate)) = line.text.split_once(',') else { return false };
        let time = TIME_UNITS.iter().find(|(unit, _)| *unit == time.trim()).map(|(_, seconds)| *seconds);
        self.units = time.zip(parse_unit(rate)).map(|(time, rate)| Units { time, rate });
        self.units.is_some()
    }

    /// Reads a time and a rate.
    fn read(&mut self, line: TraceLine<'_>) {
        let Some((time, rate)) = line.text.split_once(',').filter(|(_, rate)| !rate.contains(',')) else {
            return self.report(line.span, "a line of a trace must be a time and a rate", "such as `10s,4Mbit/s`");
        };
        if self.end.is_some() {
            return self.report(line.span, "a line follows the end of the trace", "remove it, or the line before it");
        }
        let from = match self.time(time.trim()) {
            Ok(from) => from,
            Err(error) => return self.report(line.span, &format!("the time {}", error.message), &error.help),
        };
        let last = self.intervals.last().map(|last| last.from);
        if last.is_none() && from != 0 {
            return self.report(line.span, "a trace must begin at the time 0", "let its first line begin with `0s`");
        }
        if last.is_some_and(|last| from <= last) {
            let help = "each line has a later time than the one before it";
            return self.report(line.span, "the times of a trace must ascend", help);
        }
        if rate.trim() == END && last.is_some() {
            self.end = Some(from);
            return;
        }
        match self.rate(rate.trim()) {
            Ok(rate) => self.intervals.push(TraceInterval { from, rate }),
            Err(error) => self.report(line.span, &format!("the rate {}", error.message), &error.help),
        }
    }

    /// Parses a time in the units of the file, or with a unit of its own.
    fn time(&self, text: &str) -> Result<Nanos, DurationParseError> {
        let seconds = text.parse::<f64>().ok().zip(self.units).map(|(number, units)| number * units.time);
        let seconds = seconds.filter(|seconds| (0.0..=MAX_SECONDS).contains(seconds));
        match seconds {
            Some(seconds) => Ok(nanos(Duration::from_secs_f64(seconds))),
            None => parse_duration(text).map(nanos),
        }
    }

    /// Parses a rate in the units of the file, or with a unit of its own.
    fn rate(&self, text: &str) -> Result<u64, BitRateError> {
        match text.parse::<f64>().ok().zip(self.units) {
            Some((number, units)) if number >= 0.0 => in_range(number * units.rate),
            _ => parse_bit_rate(text),
        }
    }

    fn report(&mut self, span: Span, message: &str, help: &str) {
        let diagnostic = Diagnostic::new("script::link-trace", message).at(self.source, span, "this line");
        self.diagnostics.push(diagnostic.help(help));
    }

    /// Returns the trace. Without a line for its end, the last rate lasts as long as the one before it.
    fn finish(mut self) -> Result<LinkTrace, Diagnostics> {
        if !self.diagnostics.0.is_empty() {
            return Err(self.diagnostics);
        }
        let whole = Span { start: 0, end: self.source.text.find('\n').unwrap_or(self.source.text.len()) };
        if self.intervals.len() > MAX_INTERVALS {
            let help = "leave out lines: most links do not change within 100ms";
            self.report(whole, &format!("a trace has more than {MAX_INTERVALS} lines"), help);
            return Err(self.diagnostics);
        }
        let length = match (self.end, self.intervals.as_slice()) {
            (Some(end), _) => end,
            (None, [.., before, last]) => last.from + (last.from - before.from),
            (None, _) => {
                let help = "write at least two times, or the end of the only one, such as `10s,end`";
                self.report(whole, "a trace needs more lines", help);
                return Err(self.diagnostics);
            }
        };
        match LinkTrace::new(std::mem::take(&mut self.intervals), length) {
            Some(trace) => Ok(trace),
            None => {
                self.report(whole, "no rate of the trace is above 0", "nothing would ever pass over the link");
                Err(self.diagnostics)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<LinkTrace, Vec<String>> {
        let source = Arc::new(SourceText { name: "lte.csv".into(), text: text.into() });
        parse(&source).map_err(|diagnostics| {
            let line =
                |diagnostic: &Diagnostic| diagnostic.location.as_ref().map_or(0, |at| source.line(at.span.start));
            diagnostics.0.iter().map(|diagnostic| format!("{}: {}", line(diagnostic), diagnostic.message)).collect()
        })
    }

    fn trace(intervals: &[(u64, u64)], length: u64) -> LinkTrace {
        let interval = |(millis, rate): &(u64, u64)| TraceInterval { from: millis * 1_000_000, rate: *rate };
        LinkTrace::new(intervals.iter().map(interval).collect(), length * 1_000_000).unwrap()
    }

    #[test]
    fn lines_are_times_and_rates() {
        let expected = || Ok(trace(&[(0, 4_000_000), (10_000, 400_000)], 30_000));
        for text in [
            "0s,4Mbit/s\n10s,400kbit/s\n30s,end\n",
            "# a tunnel\n\n 0s , 4 Mbit/s\r\n10s,400kbit/s\r\n30s,end",
            "s,kbit/s\n0,4000\n10,400\n30,end\n",
            "ms,Mbit/s\n0,4\n10s,0.4\n30000,end\n",
        ] {
            assert_eq!(read(text), expected(), "{text}");
        }
        assert_eq!(read("s,bit/s\n0,5\n0.5,0\n1,7\n"), Ok(trace(&[(0, 5), (500, 0), (1_000, 7)], 1_500)));
    }

    #[test]
    fn each_line_that_is_neither_is_reported() {
        for (text, expected) in [
            ("", &["1: a trace needs more lines"][..]),
            ("0s,1Mbit/s\n", &["1: a trace needs more lines"]),
            ("0s,0bit/s\n5s,end\n", &["1: no rate of the trace is above 0"]),
            ("0s;1Mbit/s\n", &["1: a line of a trace must be a time and a rate"]),
            ("0s,1Mbit/s,x\n", &["1: a line of a trace must be a time and a rate"]),
            ("5s,1Mbit/s\n6s,end", &["1: a trace must begin at the time 0", "2: a trace must begin at the time 0"]),
            ("0s,1Mbit/s\n\n0s,2Mbit/s\n", &["3: the times of a trace must ascend"]),
            ("0,1\n", &["1: the time needs a unit"]),
            ("0s,1\n1s,2MB/s\n", &["1: the rate needs a unit", "2: a trace must begin at the time 0"]),
            ("s,kbit/s\n0,1\n-1,5\n2,-5\n", &["3: the time is negative", "4: the rate is negative"]),
            ("0s,1Mbit/s\n5s,end\n6s,1Mbit/s\n", &["3: a line follows the end of the trace"]),
            ("s,Gbit/s\n0,101\n", &["2: the rate is too high"]),
        ] {
            assert_eq!(read(text), Err(expected.iter().map(ToString::to_string).collect()), "{text}");
        }
        assert_eq!(read(&"x\n".repeat(1_000)).map_err(|errors| errors.len()), Err(MAX_ERRORS));
    }
}
