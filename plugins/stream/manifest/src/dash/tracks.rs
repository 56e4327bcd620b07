//! Tracks across periods. Each period has adaptation sets of its own, so those that belong together are found by what
//! they are: the period with the most sets of a kind, and of those the longest, says which tracks there are, and each
//! other period gives the set that resembles most, as a player goes on with the most similar one.

use std::cmp::Reverse;

use viewer_core::{Micros, TrackKind};

use super::placement::{PlacedPeriod, PlacedRepresentation, PlacedSet};
use super::warnings::DashWarnings;
use crate::note::ManifestError;

/// Bytes that a rung takes in each period at least.
const RUNG: usize = 256;

/// A track, with the set of each period that has one.
#[derive(Debug)]
pub(super) struct TrackPlan<'a> {
    pub(super) kind: TrackKind,
    pub(super) language: Option<&'a str>,
    pub(super) is_main: bool,
    /// By ascending bandwidth.
    pub(super) rungs: Vec<RungPlan<'a>>,
    /// The rung that the manifest lists first.
    pub(super) listed_first: usize,
}

/// A rung, with the representation of each period that has one.
#[derive(Debug)]
pub(super) struct RungPlan<'a> {
    /// The representation that describes it.
    pub(super) model: &'a PlacedRepresentation,
    /// In the order of periods.
    pub(super) media: Vec<PeriodMedia<'a>>,
}

/// A representation in its period.
#[derive(Debug, Clone, Copy)]
pub(super) struct PeriodMedia<'a> {
    pub(super) period: &'a PlacedPeriod,
    pub(super) representation: &'a PlacedRepresentation,
}

/// An adaptation set in its period.
#[derive(Debug, Clone, Copy)]
struct PeriodSet<'a> {
    period: &'a PlacedPeriod,
    set: &'a PlacedSet,
}

/// Returns the tracks of all periods; those with pictures come first.
///
/// # Errors
/// There are too many of them.
pub(super) fn plan_tracks<'a>(
    periods: &'a [PlacedPeriod],
    warnings: &mut DashWarnings,
) -> Result<Vec<TrackPlan<'a>>, ManifestError> {
    let mut tracks = Vec::new();
    for kind in [TrackKind::Video, TrackKind::Audio, TrackKind::Subtitles] {
        let sets_of = |period: &'_ PlacedPeriod| period.sets.iter().filter(|set| set.kind == kind).count();
        let Some(model) = periods.iter().rev().max_by_key(|period| (sets_of(period), length(period))) else { continue };
        let models = model.sets.iter().filter(|set| set.kind == kind);
        for (position, model) in models.enumerate() {
            tracks.push(plan_track(periods, model, position, warnings)?);
        }
    }
    if tracks.iter().all(|track| track.kind != TrackKind::Video) {
        // Sound alone takes the place of the pictures.
        for track in tracks.iter_mut().filter(|track| track.kind == TrackKind::Audio) {
            track.kind = TrackKind::Video;
        }
    }
    Ok(tracks)
}

fn plan_track<'a>(
    periods: &'a [PlacedPeriod],
    model: &'a PlacedSet,
    position: usize,
    warnings: &mut DashWarnings,
) -> Result<TrackPlan<'a>, ManifestError> {
    let found = |period: &'a PlacedPeriod| Some(PeriodSet { period, set: similar(period, model, position)? });
    let sets: Vec<PeriodSet<'a>> = periods.iter().filter_map(found).collect();
    let weight = |found: &&PeriodSet<'_>| (found.set.representations.len(), length(found.period));
    let ladder = sets.iter().rev().max_by_key(weight).map_or(model, |found| found.set);
    let listed = |index: &usize| ladder.representations.get(*index).map(|listed| (listed.line, listed.listed));
    let listed_first = (0..ladder.representations.len()).min_by_key(listed).unwrap_or(0);
    let line = ladder.representations.first().map_or(1, |first| first.line);
    warnings.copy(line, ladder.representations.len().saturating_mul(RUNG).saturating_mul(sets.len()))?;
    Ok(TrackPlan {
        kind: model.kind,
        language: model.language.as_deref(),
        is_main: model.role.as_deref() == Some("main"),
        rungs: plan_rungs(ladder, &sets),
        listed_first,
    })
}

/// Returns the duration of a period, of which an advertisement has little.
fn length(period: &PlacedPeriod) -> Micros {
    period.end.map_or(Micros::MAX, |end| end.saturating_sub(period.start))
}

/// Returns the set of a period that resembles a track most. Subtitles of another language are none.
fn similar<'a>(period: &'a PlacedPeriod, model: &PlacedSet, position: usize) -> Option<&'a PlacedSet> {
    let of_kind = period.sets.iter().filter(|set| set.kind == model.kind).enumerate();
    let usable = of_kind.filter(|(_, set)| model.kind != TrackKind::Subtitles || set.language == model.language);
    let likeness = |set: &PlacedSet, at: usize| {
        (set.language == model.language, set.role == model.role, set.codec() == model.codec(), at == position)
    };
    usable.max_by_key(|(at, set)| (likeness(set, *at), Reverse(*at))).map(|(_, set)| set)
}

fn plan_rungs<'a>(ladder: &'a PlacedSet, sets: &[PeriodSet<'a>]) -> Vec<RungPlan<'a>> {
    let rung = |model: &'a PlacedRepresentation| RungPlan { model, media: Vec::with_capacity(sets.len()) };
    let mut rungs: Vec<RungPlan<'a>> = ladder.representations.iter().map(rung).collect();
    for PeriodSet { period, set } in sets {
        let is_same = has_same_ladder(ladder, set);
        for (index, rung) in rungs.iter_mut().enumerate() {
            let same = set.representations.get(index).filter(|_| is_same);
            if let Some(representation) = same.or_else(|| nearest(&set.representations, rung.model.bandwidth)) {
                rung.media.push(PeriodMedia { period, representation });
            }
        }
    }
    rungs
}

/// Returns `true` if the representations of two sets have the same identifiers in the same order. Bandwidths of one
/// encoder may vary by the period; identifiers alone, such as `1`, mean something else in an advertisement.
fn has_same_ladder(one: &PlacedSet, other: &PlacedSet) -> bool {
    let (one, other) = (&one.representations, &other.representations);
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one.id == other.id)
}

/// Returns the representation whose bandwidth is the nearest by its ratio; of two, the lower.
fn nearest(representations: &[PlacedRepresentation], bandwidth: u64) -> Option<&PlacedRepresentation> {
    let above = representations.partition_point(|representation| representation.bandwidth <= bandwidth);
    let (low, high) = (representations.get(above.wrapping_sub(1)), representations.get(above));
    match (low, high) {
        (Some(low), Some(high)) => {
            let product = u128::from(low.bandwidth) * u128::from(high.bandwidth);
            Some(if u128::from(bandwidth).pow(2) <= product { low } else { high })
        }
        (low, high) => low.or(high),
    }
}
