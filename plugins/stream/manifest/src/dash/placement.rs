//! The places of periods on the timeline of the presentation, and what each representation inherits.

use std::rc::Rc;

use viewer_core::{Micros, TrackKind, resolve};

use super::document::{Addressing, MediaAttributes, MpdBase, MpdDocument, MpdPeriod, MpdSet};
use super::warnings::DashWarnings;
use crate::note::ManifestError;

/// Alternatives of one file: those of a level multiply with those above it.
const MOST_BASES: usize = 16;

/// A period with its place.
#[derive(Debug)]
pub(super) struct PlacedPeriod {
    /// Counts the periods of the manifest.
    pub(super) number: u32,
    pub(super) start: Micros,
    /// `None` if it goes on until the manifest says otherwise.
    pub(super) end: Option<Micros>,
    pub(super) sets: Vec<PlacedSet>,
}

/// An adaptation set that can be played.
#[derive(Debug)]
pub(super) struct PlacedSet {
    pub(super) kind: TrackKind,
    pub(super) language: Option<Rc<str>>,
    pub(super) role: Option<Rc<str>>,
    /// By ascending bandwidth; never empty.
    pub(super) representations: Vec<PlacedRepresentation>,
}

/// A representation with what it inherits.
#[derive(Debug)]
pub(super) struct PlacedRepresentation {
    pub(super) line: usize,
    /// The number of representations that its set lists before it.
    pub(super) listed: usize,
    pub(super) id: Rc<str>,
    pub(super) bandwidth: u64,
    pub(super) media: MediaAttributes,
    pub(super) base: InheritedBase,
    pub(super) addressing: Addressing,
}

/// The base URLs of a level.
#[derive(Debug, Clone)]
pub(super) struct InheritedBase {
    /// Absolute URLs, of which the first that works is used.
    pub(super) urls: Rc<[String]>,
    /// The `availabilityTimeOffset` of all levels together.
    pub(super) ahead: Micros,
    /// `availabilityTimeComplete`.
    pub(super) is_complete: Option<bool>,
}

/// The place of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct PeriodPlace {
    index: usize,
    start: Micros,
    end: Option<Micros>,
}

impl PlacedSet {
    /// Returns the family of its codec, such as `avc1`.
    pub(super) fn codec(&self) -> &str {
        let codecs = self.representations.first().and_then(|first| first.media.codecs.as_deref()).unwrap_or_default();
        codecs.split(['.', ',']).next().unwrap_or_default()
    }

    /// Returns `true` if one decoder plays both.
    fn is_like(&self, other: &Self) -> bool {
        self.kind == other.kind && self.codec() == other.codec()
    }
}

impl InheritedBase {
    /// Returns the base URL of the whole manifest.
    pub(super) fn of_manifest(
        url: &str,
        mpd: &MpdDocument,
        warnings: &mut DashWarnings,
    ) -> Result<Self, ManifestError> {
        let outside = Self { urls: Rc::from([url.to_owned()]), ahead: 0, is_complete: None };
        outside.below(&mpd.bases, mpd.line, warnings)
    }

    /// Returns the base URLs of a level with base URLs of its own.
    fn below(&self, bases: &[MpdBase], line: usize, warnings: &mut DashWarnings) -> Result<Self, ManifestError> {
        let Some(first) = bases.first() else { return Ok(self.clone()) };
        let mut urls = Vec::new();
        for outer in &*self.urls {
            for base in bases {
                let url = resolve(outer, &base.url);
                warnings.copy(line, url.len())?;
                if urls.len() < MOST_BASES && !urls.contains(&url) {
                    urls.push(url);
                }
            }
        }
        Ok(Self {
            urls: urls.into(),
            ahead: self.ahead.saturating_add(first.ahead.unwrap_or(0)),
            is_complete: first.is_complete.or(self.is_complete),
        })
    }
}

/// Returns the periods in their order, each with what it inherits.
pub(super) fn place(
    mpd: &MpdDocument,
    base: &InheritedBase,
    warnings: &mut DashWarnings,
) -> Result<Vec<PlacedPeriod>, ManifestError> {
    let mut periods = Vec::new();
    for PeriodPlace { index, start, end } in places(mpd, warnings) {
        let period = &mpd.periods[index];
        let sets = place_sets(period, base, warnings)?;
        let number = u32::try_from(index).unwrap_or(u32::MAX);
        periods.push(PlacedPeriod { number, start, end, sets });
    }
    Ok(periods)
}

fn places(mpd: &MpdDocument, warnings: &mut DashWarnings) -> Vec<PeriodPlace> {
    let mut places = Vec::<PeriodPlace>::new();
    let mut next = Some(0);
    for (index, period) in mpd.periods.iter().enumerate() {
        let Some(start) = period.start.or(next) else {
            warnings.add(period.line, "the period has no start yet: it is left out");
            continue;
        };
        if places.last().is_some_and(|last| start < last.start) {
            warnings.add(period.line, "the period starts before the one before it: it is left out");
            continue;
        }
        next = period.duration.map(|duration| start.saturating_add(duration));
        if let Some(last) = places.last_mut() {
            last.end = Some(last.end.map_or(start, |end| end.min(start)));
        }
        places.push(PeriodPlace { index, start, end: next });
    }
    if let Some(last) = places.last_mut() {
        last.end = last.end.or(mpd.duration);
        if last.end.is_none() && !mpd.is_dynamic {
            warnings.add(mpd.line, "`@mediaPresentationDuration` is missing: the end is not known");
        }
    }
    places.retain(|place| place.end.is_none_or(|end| end > place.start));
    places
}

fn place_sets(
    period: &MpdPeriod,
    base: &InheritedBase,
    warnings: &mut DashWarnings,
) -> Result<Vec<PlacedSet>, ManifestError> {
    let base = base.below(&period.bases, period.line, warnings)?;
    let mut sets = Vec::<PlacedSet>::new();
    let mut written = Vec::<&MpdSet>::new();
    for set in period.sets.iter().filter(|set| !set.is_trick_mode) {
        let Some(kind) = kind(set) else { continue };
        let representations = place_representations(set, period, &base, warnings)?;
        if representations.is_empty() {
            warnings.add(set.line, "the adaptation set has no representation: it is left out");
            continue;
        }
        let placed = PlacedSet { kind, language: set.language.clone(), role: set.role.clone(), representations };
        let joins = |index: &usize| set.switches_with(written[*index]) && placed.is_like(&sets[*index]);
        if let Some(index) = (0..sets.len()).find(joins) {
            sets[index].representations.extend(placed.representations);
        } else {
            sets.push(placed);
            written.push(set);
        }
    }
    for set in &mut sets {
        set.representations.sort_by_key(|representation| representation.bandwidth);
    }
    Ok(sets)
}

fn place_representations(
    set: &MpdSet,
    period: &MpdPeriod,
    base: &InheritedBase,
    warnings: &mut DashWarnings,
) -> Result<Vec<PlacedRepresentation>, ManifestError> {
    let base = base.below(&set.bases, set.line, warnings)?;
    let addressing = period.addressing.inherited_by(&set.addressing);
    let mut representations = Vec::with_capacity(set.representations.len());
    for (listed, representation) in set.representations.iter().enumerate() {
        let base = base.below(&representation.bases, representation.line, warnings)?;
        representations.push(PlacedRepresentation {
            line: representation.line,
            listed,
            id: representation.id.clone().unwrap_or_else(|| "".into()),
            bandwidth: representation.bandwidth.unwrap_or(0),
            media: set.common.inherited_by(&representation.common),
            base,
            addressing: addressing.inherited_by(&representation.addressing),
        });
    }
    Ok(representations)
}

/// Returns the kind of a set's media, which may be written in the set or in its representations.
fn kind(set: &MpdSet) -> Option<TrackKind> {
    let inherited = set.representations.first().map(|first| set.common.inherited_by(&first.common));
    inherited.as_ref().unwrap_or(&set.common).kind(set.content_type.as_deref())
}

#[cfg(test)]
mod tests {
    use viewer_core::SECOND;

    use super::*;

    /// Returns the places of `start/duration` periods as `index:start-end`, in seconds.
    fn placed(periods: &str, duration: Option<Micros>, is_dynamic: bool) -> (String, usize) {
        let mut mpd =
            MpdDocument { duration: duration.map(|seconds| seconds * SECOND), is_dynamic, ..MpdDocument::default() };
        mpd.periods.extend(periods.split_whitespace().map(|period| {
            let mut numbers =
                period.split('/').map(|number| number.parse().ok().map(|seconds: Micros| seconds * SECOND));
            let (start, duration) = (numbers.next().flatten(), numbers.next().flatten());
            MpdPeriod { start, duration, ..MpdPeriod::default() }
        }));
        let mut warnings = DashWarnings::new(0);
        let text = places(&mpd, &mut warnings)
            .iter()
            .map(|place| {
                let end = place.end.map_or(String::new(), |end| (end / SECOND).to_string());
                format!("{}:{}-{end}", place.index, place.start / SECOND)
            })
            .collect::<Vec<_>>()
            .join(" ");
        (text, warnings.into_list().len())
    }

    #[test]
    fn periods_have_places() {
        for (case, periods, duration, expected, warnings) in [
            ("one, of the whole duration", "-/-", Some(60), "0:0-60", 0),
            ("one, of its own duration", "-/10", Some(60), "0:0-10", 0),
            ("by durations", "-/10 -/20", None, "0:0-10 1:10-30", 0),
            ("by starts", "0/- 10/- 30/-", Some(60), "0:0-10 1:10-30 2:30-60", 0),
            ("a gap", "0/9 10/-", Some(60), "0:0-9 1:10-60", 0),
            ("an overlap is cut", "0/12 10/-", Some(60), "0:0-10 1:10-60", 0),
            ("an empty one", "0/- 0/- 10/-", Some(60), "1:0-10 2:10-60", 0),
            ("no end", "-/-", None, "0:0-", 1),
            ("no start", "-/- -/10", Some(60), "0:0-60", 1),
            ("back", "10/- 0/- 20/-", Some(60), "0:10-20 2:20-60", 1),
            ("behind the end", "0/- 70/-", Some(60), "0:0-70", 0),
            ("none", "", Some(60), "", 0),
        ] {
            assert_eq!(placed(periods, duration, false), (expected.into(), warnings), "{case}");
        }
        assert_eq!(placed("100/50 -/-", None, true), ("0:100-150 1:150-".into(), 0), "dynamic");
    }

    #[test]
    fn base_urls_are_resolved_at_each_level() {
        let base = |urls: &[&str]| -> Vec<MpdBase> {
            let base = |url: &&str| MpdBase { url: (*url).into(), priority: 1, ahead: Some(SECOND), is_complete: None };
            urls.iter().map(base).collect()
        };
        let outside = InheritedBase { urls: Rc::from(["http://a/b/c.mpd?d".to_owned()]), ahead: 0, is_complete: None };
        for (case, own, expected) in [
            ("none", &[][..], &["http://a/b/c.mpd?d"][..]),
            ("relative", &["d/"], &["http://a/b/d/"]),
            ("a root", &["/d/"], &["http://a/d/"]),
            ("several", &["http://x/", "y/", "http://x/"], &["http://x/", "http://a/b/y/"]),
        ] {
            let below = outside.below(&base(own), 1, &mut DashWarnings::new(0)).unwrap();
            assert_eq!(*below.urls, *expected, "{case}");
            assert_eq!(below.ahead, if own.is_empty() { 0 } else { SECOND });
        }
        let two = outside.below(&base(&["http://x/", "http://y/"]), 1, &mut DashWarnings::new(0)).unwrap();
        let four = two.below(&base(&["1/", "2/"]), 1, &mut DashWarnings::new(0)).unwrap();
        assert_eq!(*four.urls, ["http://x/1/", "http://x/2/", "http://y/1/", "http://y/2/"]);
        assert_eq!(four.ahead, 2 * SECOND);
    }
}
