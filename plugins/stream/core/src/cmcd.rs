//! Common Media Client Data (CTA-5004): what a player tells the server about itself with each request, as header fields
//! or as one parameter of the query.

use std::fmt::Write as _;

use crate::command::{CmcdField, What};
use crate::micros::{MILLISECOND, Micros};
use crate::presentation::{Format, TrackKind};

/// The ways to send it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CmcdMode {
    /// As header fields, which leave the URL as it is signed.
    Headers,
    /// As the parameter `CMCD` of the query.
    Query,
}

/// The data of one request; what is `None` or 0 is left out.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cmcd {
    /// Kilobits per second of the rung (`br`), and of the highest (`tb`).
    pub(crate) bitrate: u64,
    pub(crate) top_bitrate: u64,
    /// The duration of the segment (`d`).
    pub(crate) duration: Micros,
    /// The buffer (`bl`).
    pub(crate) buffer: Option<Micros>,
    /// Kilobits per second that were measured (`mtp`).
    pub(crate) throughput: u64,
    pub(crate) object: Option<&'static str>,
    pub(crate) format: Option<&'static str>,
    /// `true` for a live stream (`st`).
    pub(crate) is_live: bool,
    /// `true` if the media is needed for a start (`su`), and if the buffer ran empty (`bs`).
    pub(crate) is_startup: bool,
    pub(crate) is_starved: bool,
    pub(crate) session: String,
}

/// A key with its value; the first letter of the field that it belongs to.
struct Pair {
    field: usize,
    key: &'static str,
    /// Empty for a key that is true.
    value: String,
}

/// The header fields.
const FIELDS: [&str; 4] = ["CMCD-Object", "CMCD-Request", "CMCD-Session", "CMCD-Status"];
const OBJECT: usize = 0;
const REQUEST: usize = 1;
const SESSION: usize = 2;
const STATUS: usize = 3;

impl Cmcd {
    /// Returns the header fields.
    pub(crate) fn fields(&self) -> Vec<CmcdField> {
        let pairs = self.pairs();
        let field = |index: usize| {
            let value = join(pairs.iter().filter(|pair| pair.field == index));
            (!value.is_empty()).then_some(CmcdField { name: FIELDS[index], value })
        };
        (0..FIELDS.len()).filter_map(field).collect()
    }

    /// Returns the parameter of the query.
    pub(crate) fn parameter(&self) -> String {
        let mut encoded = "CMCD=".to_owned();
        for byte in join(self.pairs().iter()).bytes() {
            match byte {
                b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'.' | b'_' | b'~' => encoded.push(char::from(byte)),
                // Writing into a string cannot fail.
                _ => _ = write!(encoded, "%{byte:02X}"),
            }
        }
        encoded
    }

    /// Returns all pairs in the order of their keys.
    fn pairs(&self) -> Vec<Pair> {
        let pair = |field, key, value| Some(Pair { field, key, value });
        let number = |field, key, number: u64| (number > 0).then(|| Pair { field, key, value: number.to_string() });
        let flag = |field, key, is_set: bool| is_set.then(|| Pair { field, key, value: String::new() });
        let hundreds = |micros: Micros| (micros.max(0) / (100 * MILLISECOND) * 100).to_string();
        let pairs = [
            self.buffer.and_then(|buffer| pair(REQUEST, "bl", hundreds(buffer))),
            number(OBJECT, "br", self.bitrate),
            flag(STATUS, "bs", self.is_starved),
            number(OBJECT, "d", self.duration.max(0).unsigned_abs() / 1000),
            number(REQUEST, "mtp", self.throughput / 100 * 100),
            self.object.and_then(|object| pair(OBJECT, "ot", object.to_owned())),
            self.format.and_then(|format| pair(SESSION, "sf", format.to_owned())),
            pair(SESSION, "sid", format!("\"{}\"", self.session)),
            pair(SESSION, "st", if self.is_live { "l" } else { "v" }.to_owned()).filter(|_| self.format.is_some()),
            flag(REQUEST, "su", self.is_startup),
            number(OBJECT, "tb", self.top_bitrate),
        ];
        pairs.into_iter().flatten().collect()
    }
}

/// Returns the type of an object (`ot`).
pub(crate) fn object(what: What, has_sound_apart: bool) -> Option<&'static str> {
    Some(match what {
        What::Manifest | What::Playlist(_) | What::Reload(_) => "m",
        What::Segment(kind) | What::Part(kind) => match kind {
            TrackKind::Video if has_sound_apart => "v",
            TrackKind::Video => "av",
            TrackKind::Audio => "a",
            TrackKind::Subtitles => "c",
        },
        What::Init(_) => "i",
        What::Key => "k",
        What::Index(_) | What::Clock | What::Steering => "o",
    })
}

/// Returns the streaming format (`sf`).
pub(crate) fn format(format: Format) -> &'static str {
    match format {
        Format::Hls => "h",
        Format::Dash => "d",
    }
}

fn join<'a>(pairs: impl Iterator<Item = &'a Pair>) -> String {
    let mut joined = String::new();
    for pair in pairs {
        if !joined.is_empty() {
            joined.push(',');
        }
        joined.push_str(pair.key);
        if !pair.value.is_empty() {
            joined.push('=');
            joined.push_str(&pair.value);
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_sent_in_fields_or_in_the_query() {
        let cmcd = Cmcd {
            bitrate: 3200,
            top_bitrate: 6000,
            duration: 4_004_000,
            buffer: Some(21_345_000),
            throughput: 25_480,
            object: object(What::Segment(TrackKind::Video), true),
            format: Some(format(Format::Hls)),
            is_startup: true,
            session: "6e2f".into(),
            ..Cmcd::default()
        };
        let fields: Vec<_> = cmcd.fields().into_iter().map(|it| format!("{}: {}", it.name, it.value)).collect();
        assert_eq!(
            fields,
            [
                "CMCD-Object: br=3200,d=4004,ot=v,tb=6000",
                "CMCD-Request: bl=21300,mtp=25400,su",
                "CMCD-Session: sf=h,sid=\"6e2f\",st=v",
            ]
        );
        let starved = Cmcd { is_starved: true, session: "a".into(), ..Cmcd::default() };
        assert_eq!(starved.parameter(), "CMCD=bs%2Csid%3D%22a%22");
    }
}
