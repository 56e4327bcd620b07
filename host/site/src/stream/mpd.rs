//! The text of DASH manifests (ISO/IEC 23009-1). Times in them are microseconds on the axis of the stream.

use std::fmt::Write;

use super::choices::{Addressing, ManifestUpdate, UtcTiming};
use super::micros::{Micros, SECOND, Seconds};
use super::mpd_period::{MpdPeriod, Presentation, recorded_end};
use super::recording::Recording;
use super::request::StreamRequest;
use super::segment_timeline::add_timeline;
use super::timestamp::IsoTime;
use super::track::Track;
use super::whole_file::FileSections;
use super::window::{LiveEdge, LiveWindow};

/// Distance from the live edge at which a viewer should play, in segments.
const SEGMENTS_HELD_BACK: u64 = 3;

/// Distance from the live edge of a stream in parts, in parts.
const PARTS_HELD_BACK: u64 = 3;

/// Returns the manifest of a stream.
pub(crate) fn text(request: &StreamRequest<'_>, presentation: Presentation) -> String {
    let mut text = String::with_capacity(1 << 12);
    text.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\"");
    add_attributes(&mut text, request, presentation);
    if request.spec.location && presentation != Presentation::Recorded {
        let location = format!("{}{}?session=1", request.origin(), request.page.parts.uri.path());
        let _ = writeln!(text, "  <Location>{}</Location>", escaped(&location));
    }
    if let Presentation::LowLatency(_) = presentation {
        let target = PARTS_HELD_BACK * request.spec.part / 1_000;
        let _ = writeln!(
            text,
            "  <ServiceDescription id=\"0\">\n    <Latency target=\"{target}\"/>\n    \
             <PlaybackRate min=\"0.96\" max=\"1.04\"/>\n  </ServiceDescription>"
        );
    }
    let (audios, videos): (Vec<_>, Vec<_>) = request.tracks().into_iter().partition(Track::is_audio);
    for period in MpdPeriod::all(request, presentation) {
        let start = XmlDuration(period.start);
        let _ = writeln!(text, "  <Period id=\"{}\" start=\"{start}\">", period.number);
        for tracks in [&videos, &audios] {
            add_set(&mut text, request, presentation, period, tracks);
        }
        text.push_str("  </Period>\n");
    }
    if presentation != Presentation::Recorded {
        add_clock(&mut text, request);
    }
    text.push_str("</MPD>\n");
    text
}

/// Adds the attributes of the root.
fn add_attributes(text: &mut String, request: &StreamRequest<'_>, presentation: Presentation) {
    let spec = &request.spec;
    let profile = if spec.addressing == Addressing::Base { "isoff-on-demand" } else { "isoff-live" };
    let _ = write!(
        text,
        " profiles=\"urn:mpeg:dash:profile:{profile}:2011\" minBufferTime=\"{}\"",
        XmlDuration(spec.segment)
    );
    if presentation == Presentation::Recorded {
        let duration = recorded_end(request);
        let _ = writeln!(text, " type=\"static\" mediaPresentationDuration=\"{}\">", XmlDuration(duration));
        return;
    }
    let _ = write!(
        text,
        " type=\"dynamic\" availabilityStartTime=\"{}\" publishTime=\"{}\" timeShiftBufferDepth=\"{}\" \
         maxSegmentDuration=\"{}\"",
        IsoTime(spec.start),
        IsoTime(request.published()),
        XmlDuration(spec.window),
        XmlDuration(spec.segment)
    );
    let is_low_latency = matches!(presentation, Presentation::LowLatency(_));
    let update = match spec.update {
        ManifestUpdate::Default if is_low_latency && spec.addressing == Addressing::Timeline => Some(spec.part),
        ManifestUpdate::Default => Some(spec.segment),
        ManifestUpdate::Every(interval) => Some(interval),
        ManifestUpdate::Never => None,
    };
    if let Some(update) = update {
        let _ = write!(text, " minimumUpdatePeriod=\"{}\"", XmlDuration(update));
    }
    let delay = if is_low_latency { PARTS_HELD_BACK * spec.part } else { SEGMENTS_HELD_BACK * spec.segment };
    let _ = writeln!(text, " suggestedPresentationDelay=\"{}\">", XmlDuration(delay));
}

/// Adds the tracks between which a viewer may switch.
fn add_set(
    text: &mut String,
    request: &StreamRequest<'_>,
    presentation: Presentation,
    period: MpdPeriod,
    tracks: &[Track],
) {
    let Some(first) = tracks.first() else { return };
    let is_audio = first.is_audio();
    let (id, content) = if is_audio { (1, "audio") } else { (0, "video") };
    let language = if is_audio { " lang=\"en\"" } else { "" };
    let _ = writeln!(
        text,
        "    <AdaptationSet id=\"{id}\" contentType=\"{content}\" mimeType=\"{content}/mp4\"{language} \
         segmentAlignment=\"true\" startWithSAP=\"1\">"
    );
    if is_audio {
        text.push_str(
            "      <AudioChannelConfiguration \
             schemeIdUri=\"urn:mpeg:dash:23003:3:audio_channel_configuration:2011\" value=\"2\"/>\n",
        );
    }
    if request.spec.addressing != Addressing::Base {
        add_template(text, request, presentation, period, first);
    }
    for track in tracks {
        add_representation(text, request, track);
    }
    text.push_str("    </AdaptationSet>\n");
}

fn add_representation(text: &mut String, request: &StreamRequest<'_>, track: &Track) {
    let (name, bandwidth, codecs) = (track.name(), track.bandwidth(), track.codecs());
    let _ = write!(text, "      <Representation id=\"{name}\" bandwidth=\"{bandwidth}\" codecs=\"{codecs}\"");
    if let Some(size) = track.frame_size() {
        let _ = write!(text, " width=\"{}\" height=\"{}\"", size.width, size.height);
    }
    if request.spec.addressing != Addressing::Base {
        text.push_str("/>\n");
        return;
    }
    let FileSections { init, index, .. } = FileSections::of(&Recording::new(track.clone(), &request.spec));
    let _ = write!(
        text,
        ">\n        <BaseURL>{name}/whole.mp4</BaseURL>\n        <SegmentBase timescale=\"{SECOND}\" \
         indexRange=\"{}-{}\">\n          <Initialization range=\"{}-{}\"/>\n        </SegmentBase>\n      \
         </Representation>\n",
        index.start,
        index.end - 1,
        init.start,
        init.end - 1
    );
}

/// Adds the template of the names of segments.
fn add_template(
    text: &mut String,
    request: &StreamRequest<'_>,
    presentation: Presentation,
    period: MpdPeriod,
    track: &Track,
) {
    let spec = &request.spec;
    let file = match spec.addressing {
        Addressing::Timeline => "$Time$",
        Addressing::PaddedNumber => "$Number%012d$",
        Addressing::Number | Addressing::Base => "$Number$",
    };
    let _ = write!(
        text,
        "      <SegmentTemplate timescale=\"{SECOND}\" initialization=\"$RepresentationID$/init.mp4\" \
         media=\"$RepresentationID$/{file}.m4s\""
    );
    if period.start > 0 {
        let _ = write!(text, " presentationTimeOffset=\"{}\"", period.start);
    }
    if let Presentation::LowLatency(_) = presentation {
        let offset = Seconds(track.mean_segment().saturating_sub(track.part_target()));
        let _ = write!(text, " availabilityTimeOffset=\"{offset}\" availabilityTimeComplete=\"false\"");
    }
    if spec.addressing != Addressing::Timeline {
        let _ =
            writeln!(text, " startNumber=\"{}\" duration=\"{}\"/>", period.numbers(track).start, track.mean_segment());
        return;
    }
    text.push_str(">\n        <SegmentTimeline>\n");
    let numbers = match presentation {
        Presentation::Recorded => Recording::new(track.clone(), spec).numbers(),
        Presentation::Live(position) => LiveWindow::at(track, position, spec.window).numbers(),
        Presentation::LowLatency(position) => {
            let LiveEdge { number, parts } = LiveEdge::at(track, position);
            let first = LiveWindow::at(track, position, spec.window).first;
            first..number + u64::from(parts > 0)
        }
    };
    let within = period.numbers(track);
    add_timeline(text, track, numbers.start.max(within.start)..numbers.end.min(within.end));
    text.push_str("        </SegmentTimeline>\n      </SegmentTemplate>\n");
}

/// Adds the clock against which viewers set theirs.
fn add_clock(text: &mut String, request: &StreamRequest<'_>) {
    let (scheme, value) = match request.spec.utc {
        UtcTiming::Absent => return,
        UtcTiming::Absolute => ("http-iso", format!("{}/dash/time", request.origin())),
        UtcTiming::Relative => ("http-iso", "/dash/time".to_owned()),
        UtcTiming::Direct => ("direct", IsoTime(request.wall).to_string()),
    };
    let _ =
        writeln!(text, "  <UTCTiming schemeIdUri=\"urn:mpeg:dash:utc:{scheme}:2014\" value=\"{}\"/>", escaped(&value));
}

/// Returns a text as XML has it in an element or an attribute.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

/// A duration as in XML Schema.
struct XmlDuration(Micros);

impl std::fmt::Display for XmlDuration {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "PT{}S", Seconds(self.0))
    }
}
