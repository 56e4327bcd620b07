//! Joining of playlists: each period of a DASH manifest may have a file with an index of its own, and the playlist of
//! each is known only once its index has been fetched.

use super::builder::PlaylistBuilder;
use super::listed::{Entry, NONE, SegmentList};
use super::stretch::{Segments, Stretch};
use super::template::Template;
use super::text::TextSpan;
use super::{FileReference, Playlist, Schedule};

/// The places that the files of an appended playlist have got.
#[derive(Clone, Copy)]
struct Shift {
    base: usize,
    init: usize,
    key: usize,
}

impl Playlist {
    /// Joins playlists that follow each other in time to one. Its rules are those of the first, with the longest
    /// target.
    #[must_use]
    pub fn join<'a>(lists: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut builder = PlaylistBuilder::default();
        let mut schedule: Option<Schedule> = None;
        for list in lists {
            builder.append(list);
            let target = schedule.as_ref().map_or(0, |schedule| schedule.target).max(list.schedule.target);
            schedule = Some(Schedule { target, ..schedule.unwrap_or_else(|| list.schedule.clone()) });
        }
        builder.build(schedule.unwrap_or_default(), Vec::new())
    }
}

impl PlaylistBuilder {
    /// Appends the stretches of a playlist, numbered on from those before. Parts are left out: only HLS has them.
    fn append(&mut self, list: &Playlist) {
        let shift = Shift { base: self.bases.len(), init: self.inits.len(), key: self.keys.len() };
        for base in &list.bases {
            let spans = base.iter().map(|span| self.text.push(list.text.get(*span))).collect();
            self.bases.push(spans);
        }
        for located in &list.inits {
            let located = self.located(list, located, shift);
            self.inits.push(located);
        }
        for located in &list.keys {
            let located = self.located(list, located, shift);
            self.keys.push(located);
        }
        for stretch in &list.stretches {
            let segments = self.segments(list, &stretch.segments, shift);
            let number = if self.stretches.is_empty() { stretch.number } else { 0 };
            let (base, init) = (shifted(stretch.base, shift.base), stretch.init.map(|init| shifted(init, shift.init)));
            self.add(Stretch { number, base, init, segments, ..*stretch });
        }
    }

    fn located(&mut self, list: &Playlist, located: &FileReference, shift: Shift) -> FileReference {
        let url = self.text.push(list.text.get(located.url));
        FileReference { base: shifted(located.base, shift.base), url, range: located.range }
    }

    fn segments(&mut self, list: &Playlist, segments: &Segments, shift: Shift) -> Segments {
        match segments {
            Segments::Template(template) => {
                let media = self.text.push(list.text.get(template.media));
                Segments::Template(Template { media, ..template.clone() })
            }
            Segments::Listed(listed) => {
                // Consecutive ranges of one file share their text.
                let (mut before, mut pushed) = (TextSpan::default(), TextSpan::default());
                let entries = listed.entries.iter().map(|entry| {
                    if entry.url != before {
                        pushed = self.text.push(list.text.get(entry.url));
                        before = entry.url;
                    }
                    let (init, key) = (shifted(entry.init, shift.init), shifted(entry.key, shift.key));
                    Entry { url: pushed, init, key, first_part: 0, ..*entry }
                });
                Segments::Listed(SegmentList {
                    entries: entries.collect(),
                    ranges: listed.ranges.clone(),
                    open_part: 0,
                })
            }
        }
    }
}

/// Returns an index behind those that were there before; [`NONE`] stays.
fn shifted(index: u16, by: usize) -> u16 {
    if index == NONE {
        return NONE;
    }
    u16::try_from(usize::from(index) + by).unwrap_or(NONE).min(NONE - 1)
}
