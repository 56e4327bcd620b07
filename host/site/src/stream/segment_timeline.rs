//! The list of segments in a DASH manifest: an element for every run of segments of one duration.

use std::fmt::Write;
use std::ops::Range;

use super::micros::Micros;
use super::track::Track;

/// Adds an element for every run of segments of one duration.
pub(crate) fn add_timeline(text: &mut String, track: &Track, numbers: Range<u64>) {
    let mut run: Option<TimelineRun> = None;
    for segment in numbers.map(|number| track.segment(number)) {
        match &mut run {
            Some(run) if run.duration == segment.duration => run.repeats += 1,
            _ => {
                let begun = TimelineRun { start: segment.start, duration: segment.duration, repeats: 0 };
                run.replace(begun).into_iter().for_each(|run| run.add_to(text));
            }
        }
    }
    run.into_iter().for_each(|run| run.add_to(text));
}

/// Segments of one duration, one after another.
struct TimelineRun {
    start: Micros,
    duration: Micros,
    repeats: u64,
}

impl TimelineRun {
    fn add_to(&self, text: &mut String) {
        let Self { start, duration, repeats } = self;
        let _ = writeln!(text, "          <S t=\"{start}\" d=\"{duration}\" r=\"{repeats}\"/>");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::filler_track::FillerTrack;
    use crate::stream::spec::StreamSpec;

    #[test]
    fn segments_of_one_duration_are_one_element() {
        let track = Track::Filler(FillerTrack::find(&StreamSpec::default(), "800k").unwrap());
        let text = |numbers| {
            let mut text = String::new();
            add_timeline(&mut text, &track, numbers);
            text
        };
        assert_eq!(text(2..5).trim(), "<S t=\"8000000\" d=\"4000000\" r=\"2\"/>");
        assert_eq!(text(2..2), "");
    }
}
