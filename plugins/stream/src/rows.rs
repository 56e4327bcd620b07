//! The rows of the report below a step's: one for each kind of request, `Watch/segment`.

use stampede_plugin::ConfigError;
use stampede_plugin::http::ReportRow;
use viewer_core::{TrackKind, What};

/// The rows of a step.
#[derive(Clone, Copy)]
pub(crate) struct Rows {
    manifest: ReportRow,
    playlist: ReportRow,
    reload: ReportRow,
    init: ReportRow,
    segment: ReportRow,
    audio: ReportRow,
    subtitles: ReportRow,
    part: ReportRow,
    index: ReportRow,
    key: ReportRow,
    time: ReportRow,
    steering: ReportRow,
    /// Requests that the player had no use for any more.
    pub(crate) left: ReportRow,
}

impl Rows {
    /// Defines the rows.
    pub(crate) fn new() -> Result<Self, ConfigError> {
        Ok(Self {
            manifest: ReportRow::new("manifest")?,
            playlist: ReportRow::new("playlist")?,
            reload: ReportRow::by_design("reload")?,
            init: ReportRow::new("init")?,
            segment: ReportRow::new("segment")?,
            audio: ReportRow::new("audio")?,
            subtitles: ReportRow::new("subtitles")?,
            part: ReportRow::by_design("part")?,
            index: ReportRow::new("index")?,
            key: ReportRow::new("key")?,
            time: ReportRow::new("time")?,
            steering: ReportRow::new("steering")?,
            left: ReportRow::by_design("left")?,
        })
    }

    /// Returns the row of a kind of request.
    pub(crate) fn of(&self, what: What) -> ReportRow {
        match what {
            What::Manifest => self.manifest,
            What::Playlist(_) => self.playlist,
            What::Reload(_) => self.reload,
            What::Init(_) => self.init,
            What::Segment(TrackKind::Video) => self.segment,
            What::Segment(TrackKind::Audio) => self.audio,
            What::Segment(TrackKind::Subtitles) => self.subtitles,
            What::Part(_) => self.part,
            What::Index(_) => self.index,
            What::Key => self.key,
            What::Clock => self.time,
            What::Steering => self.steering,
        }
    }
}
