//! Multivariant playlists: variants become the rungs of the track with pictures, renditions the rungs of tracks by
//! language.

use viewer_core::{Format, Presentation, Rung, Source, Steering, Track, TrackKind, resolve};

use super::lines::{Attributes, LineKind, lines};
use super::variables::Variables;
use crate::instant::seconds;
use crate::note::{ManifestError, Warning, WithWarnings};

/// The names of codecs that have pictures, as RFC 6381 begins them.
const PICTURES: [&str; 9] = ["avc1", "avc3", "hvc1", "hev1", "av01", "vp09", "vp08", "dvh1", "dvhe"];

/// The most variants, and the most renditions, that are read.
const MOST: usize = 1000;

/// The state of the reader.
struct Multivariant<'a> {
    url: &'a str,
    variables: Variables,
    variants: Vec<Rung>,
    renditions: Vec<Rendition>,
    /// Names of groups; their places are the groups' numbers. Each kind has its own.
    groups: Vec<Group>,
    start: Option<i64>,
    steering: Option<Steering>,
    warnings: Vec<Warning>,
}

/// A group of renditions.
#[derive(PartialEq)]
struct Group {
    kind: TrackKind,
    name: String,
}

/// A rendition (`EXT-X-MEDIA`).
struct Rendition {
    kind: TrackKind,
    /// The name; renditions of one kind and name in several groups are one track.
    name: String,
    language: Option<Box<str>>,
    is_default: bool,
    rung: Rung,
}

/// Reads a multivariant playlist.
pub(super) fn read(text: &str, url: &str) -> Result<WithWarnings<Presentation>, ManifestError> {
    let mut reader = Multivariant {
        url,
        variables: Variables::default(),
        variants: Vec::new(),
        renditions: Vec::new(),
        groups: Vec::new(),
        start: None,
        steering: None,
        warnings: Vec::new(),
    };
    let mut pending = None;
    let mut last = 1;
    for line in lines(text) {
        last = line.number;
        match line.kind {
            LineKind::Tag { name: "EXT-X-STREAM-INF", value } => pending = Some(Attributes(value)),
            LineKind::Tag { name, value } => reader.tag(line.number, name, Attributes(value))?,
            LineKind::Reference(reference) => match pending.take() {
                Some(_) if reader.variants.len() >= MOST => return Err(too_many(line.number, "variants")),
                Some(attributes) => reader.variant(line.number, attributes, reference)?,
                None => reader.warn(line.number, "a reference without `EXT-X-STREAM-INF` is skipped"),
            },
            LineKind::Comment => {}
        }
    }
    if reader.variants.is_empty() {
        return Err(ManifestError::new(last, "the playlist has no variant and no segment"));
    }
    Ok(reader.finish())
}

impl Multivariant<'_> {
    fn tag(&mut self, line: usize, name: &str, attributes: Attributes<'_>) -> Result<(), ManifestError> {
        match name {
            "EXT-X-MEDIA" if self.renditions.len() >= MOST => return Err(too_many(line, "renditions")),
            "EXT-X-MEDIA" => self.rendition(line, attributes)?,
            "EXT-X-DEFINE" => self.variables.define(line, attributes, self.url, &[])?,
            "EXT-X-START" => self.start = attributes.get("TIME-OFFSET").and_then(seconds),
            "EXT-X-CONTENT-STEERING" => {
                if let Some(reference) = attributes.get("SERVER-URI") {
                    let url = resolve(self.url, &self.variables.substitute(line, reference)?).into();
                    self.steering = Some(Steering { url, pathway: attributes.get("PATHWAY-ID").map(Into::into) });
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn variant(&mut self, line: usize, attributes: Attributes<'_>, reference: &str) -> Result<(), ManifestError> {
        let bandwidth = attributes.number("BANDWIDTH").unwrap_or_else(|| {
            self.warn(line, "a variant without a `BANDWIDTH` counts as the lowest");
            0
        });
        let url = resolve(self.url, &self.variables.substitute(line, reference)?).into();
        let pathway = attributes.get("PATHWAY-ID").unwrap_or(".").into();
        let (width, height) = attributes.get("RESOLUTION").and_then(resolution).unzip();
        let codecs = attributes.get("CODECS").map(|codecs| self.variables.substitute(line, codecs)).transpose()?;
        let mut group = |kind, name| attributes.get(name).map(|name| self.group(kind, name));
        let (audio, subtitles) = (group(TrackKind::Audio, "AUDIO"), group(TrackKind::Subtitles, "SUBTITLES"));
        let rung = Rung {
            bandwidth,
            average: attributes.number("AVERAGE-BANDWIDTH"),
            width,
            height,
            codecs: codecs.unwrap_or_default().into(),
            audio,
            subtitles,
            ..Rung::of(Source::Remote { url, pathway })
        };
        // Variants that differ in their URL alone are redundant; those that differ in their groups alone are one rung.
        let same = self.variants.iter_mut().find(|known| {
            (known.bandwidth, known.width, known.height) == (rung.bandwidth, rung.width, rung.height)
                && known.codecs == rung.codecs
        });
        match same {
            Some(known) if known.source == rung.source || known.backups.contains(&rung.source) => {}
            Some(known) if (known.audio, known.subtitles) == (rung.audio, rung.subtitles) => {
                known.backups.push(rung.source);
            }
            _ => self.variants.push(rung),
        }
        Ok(())
    }

    fn rendition(&mut self, line: usize, attributes: Attributes<'_>) -> Result<(), ManifestError> {
        let kind = match attributes.get("TYPE") {
            Some("AUDIO") => TrackKind::Audio,
            Some("SUBTITLES") => TrackKind::Subtitles,
            // Closed captions are in the pictures' segments, and alternative pictures are not played.
            Some("CLOSED-CAPTIONS" | "VIDEO") => return Ok(()),
            _ => {
                self.warn(line, "a rendition of an unknown `TYPE` is skipped");
                return Ok(());
            }
        };
        let Some(group) = attributes.get("GROUP-ID") else {
            self.warn(line, "a rendition without a `GROUP-ID` is skipped");
            return Ok(());
        };
        let group = self.group(kind, group);
        let source = match attributes.get("URI") {
            None => Source::InVariant,
            Some(reference) => {
                let url = resolve(self.url, &self.variables.substitute(line, reference)?).into();
                let pathway = attributes.get("PATHWAY-ID").unwrap_or(".").into();
                Source::Remote { url, pathway }
            }
        };
        let language = attributes.get("LANGUAGE").map(Into::into);
        let name = attributes.get("NAME").or(attributes.get("LANGUAGE")).unwrap_or_default().to_owned();
        let is_default = attributes.is_yes("DEFAULT");
        let rung = Rung { group, ..Rung::of(source) };
        self.renditions.push(Rendition { kind, name, language, is_default, rung });
        Ok(())
    }

    /// Returns the number of a group.
    fn group(&mut self, kind: TrackKind, name: &str) -> u16 {
        let place = self.groups.iter().position(|group| group.kind == kind && group.name == name);
        let place = place.unwrap_or_else(|| {
            self.groups.push(Group { kind, name: name.to_owned() });
            self.groups.len() - 1
        });
        u16::try_from(place).unwrap_or(u16::MAX)
    }

    fn finish(mut self) -> WithWarnings<Presentation> {
        self.drop_missing_groups();
        let shows = |rung: &Rung| {
            rung.height.is_some()
                || rung.codecs.split(',').any(|codec| PICTURES.iter().any(|it| codec.trim().starts_with(it)))
        };
        // Sound alone is not a quality of pictures.
        if self.variants.iter().any(shows) {
            self.variants.retain(|rung| shows(rung) || rung.codecs.is_empty());
        }
        let first = self.variants.first().map(|rung| rung.source.clone());
        self.variants.sort_by_key(|rung| rung.bandwidth);
        let listed_first = self.variants.iter().position(|rung| Some(&rung.source) == first.as_ref()).unwrap_or(0);
        let rungs = self.variants;
        let variants = Track { kind: TrackKind::Video, language: None, is_default: true, rungs, listed_first };
        let mut tracks = vec![variants];
        let mut names = vec![String::new()];
        for Rendition { kind, name, language, is_default, rung } in self.renditions {
            let same = (1..tracks.len()).find(|index| tracks[*index].kind == kind && names[*index] == name);
            match same {
                Some(index) => tracks[index].rungs.push(rung),
                None => {
                    tracks.push(Track { kind, language, is_default, rungs: vec![rung], listed_first: 0 });
                    names.push(name);
                }
            }
        }
        let value = Presentation {
            format: Format::Hls,
            tracks,
            live: None,
            clocks: Vec::new(),
            start: self.start,
            variables: self.variables.list,
            steering: self.steering,
        };
        WithWarnings { value, warnings: self.warnings }
    }

    /// Takes groups without renditions from the variants: those have all their media themselves.
    fn drop_missing_groups(&mut self) {
        let exists = |kind, group: &u16| self.renditions.iter().any(|it| it.kind == kind && it.rung.group == *group);
        let mut missing = 0;
        for variant in &mut self.variants {
            let before = [variant.audio, variant.subtitles];
            variant.audio = variant.audio.filter(|group| exists(TrackKind::Audio, group));
            variant.subtitles = variant.subtitles.filter(|group| exists(TrackKind::Subtitles, group));
            missing += usize::from(before != [variant.audio, variant.subtitles]);
        }
        if missing > 0 {
            self.warn(1, &format!("{missing} variants name groups of renditions that do not exist"));
        }
    }

    fn warn(&mut self, line: usize, text: &str) {
        self.warnings.push(Warning { line, text: text.to_owned() });
    }
}

fn resolution(text: &str) -> Option<(u32, u32)> {
    let (width, height) = text.split_once(['x', 'X'])?;
    Some((width.trim().parse().ok()?, height.trim().parse().ok()?))
}

fn too_many(line: usize, what: &str) -> ManifestError {
    ManifestError::new(line, format!("the playlist has more than {MOST} {what}"))
}
