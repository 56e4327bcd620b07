//! The reader of DASH (ISO/IEC 23009-1): from an MPD to its elements ([`document`]), to periods with what each
//! representation inherits ([`placement`]), to tracks across periods ([`tracks`]), to playlists ([`rung`]).

mod addressing;
mod document;
mod identifiers;
mod index;
mod list;
mod live;
mod parse;
mod placement;
mod rung;
mod rung_builder;
mod timeline;
mod tracks;
mod value;
mod warnings;
mod xml;

use std::rc::Rc;

use viewer_core::{Format, Presentation, Rung, Source, Track};

pub(crate) use index::read_index;

use crate::Manifest;
use crate::note::{ManifestError, WithWarnings};
use document::MpdDocument;
use placement::{InheritedBase, place};
use rung::source;
use rung_builder::MpdRules;
use tracks::{RungPlan, TrackPlan, plan_tracks};
use warnings::DashWarnings;

/// Reads an MPD. `url` is the absolute URL that answered; playlists that have not changed are shared with `previous`.
pub(crate) fn read_manifest(
    text: &str,
    url: &str,
    previous: Option<&Rc<Presentation>>,
) -> Result<WithWarnings<Manifest>, ManifestError> {
    let mut warnings = DashWarnings::new(text.len());
    let mpd = parse::read_document(text, &mut warnings)?;
    let mut presentation = present(&mpd, url, &mut warnings)?;
    if let Some(previous) = previous {
        share(&mut presentation, previous);
    }
    Ok(WithWarnings { value: Manifest { presentation, entry: None }, warnings: warnings.into_list() })
}

fn present(mpd: &MpdDocument, url: &str, warnings: &mut DashWarnings) -> Result<Presentation, ManifestError> {
    let base = InheritedBase::of_manifest(url, mpd, warnings)?;
    let live = live::live(mpd, url, warnings);
    let rules = MpdRules { longest: mpd.longest, availability: live.as_ref().map(live::availability) };
    let periods = place(mpd, &base, warnings)?;
    let mut tracks = Vec::new();
    for plan in plan_tracks(&periods, warnings)? {
        tracks.push(track(&plan, &rules, warnings)?);
    }
    if tracks.is_empty() {
        return Err(ManifestError::new(mpd.line, "no period has media that can be played")
            .help("an `AdaptationSet` of video, audio or text with a `Representation` is needed"));
    }
    let clocks = live::clocks(mpd, &base, warnings);
    let format = Format::Dash;
    Ok(Presentation { format, tracks, live, clocks, start: None, variables: Vec::new(), steering: None })
}

fn track(plan: &TrackPlan<'_>, rules: &MpdRules, warnings: &mut DashWarnings) -> Result<Track, ManifestError> {
    let TrackPlan { kind, language, is_main, rungs, listed_first } = plan;
    let mut read = Vec::with_capacity(rungs.len());
    for RungPlan { model, media } in rungs {
        read.push(Rung {
            bandwidth: model.bandwidth,
            average: None,
            width: model.media.width,
            height: model.media.height,
            codecs: model.media.codecs.as_deref().unwrap_or_default().into(),
            group: 0,
            audio: None,
            subtitles: None,
            source: source(media, *kind, rules, warnings)?,
            backups: Vec::new(),
        });
    }
    let language = language.map(Into::into);
    Ok(Track { kind: *kind, language, is_default: *is_main, rungs: read, listed_first: *listed_first })
}

/// Shares the playlists of a refreshed manifest that have not changed.
fn share(presentation: &mut Presentation, previous: &Presentation) {
    for (track, before) in presentation.tracks.iter_mut().zip(&previous.tracks) {
        for (rung, before) in track.rungs.iter_mut().zip(&before.rungs) {
            share_source(&mut rung.source, &before.source);
        }
    }
}

fn share_source(source: &mut Source, before: &Source) {
    match (source, before) {
        (Source::Listed(playlist), Source::Listed(before)) if playlist == before => *playlist = Rc::clone(before),
        (Source::Parts(parts), Source::Parts(before)) => {
            for (part, before) in parts.iter_mut().zip(before) {
                share_source(part, before);
            }
        }
        _ => {}
    }
}
