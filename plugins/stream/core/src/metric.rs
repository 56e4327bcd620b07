//! The quality of experience that a session reports, in the units of its report.

/// A metric of sessions. The driver adds a label to its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Metric {
    /// Sessions that ended. Counts one each.
    Sessions,
    /// 1 for a session whose first frame was shown, else 0.
    Started,
    /// 1 for a session that the viewer left before the first frame although nothing had failed, else 0.
    LeftEarly,
    /// 1 for a session that failed before the first frame, else 0.
    FailedStart,
    /// 1 for a session that failed, else 0.
    Failed,
    /// Milliseconds to the first frame; for a session that never started, those until it ended.
    Startup,
    /// 1 for a started session with a stall, else 0.
    Stalled,
    /// Stalls of a started session.
    Stalls,
    /// Milliseconds of one stall.
    StallTime,
    /// Percent: stalled time of stalled and played time, of a started session.
    StallRatio,
    /// Kilobits per second that were played, weighted by time, of a started session.
    Bitrate,
    /// Pixels of height that were played, weighted by time, of a started session.
    Height,
    /// Changes of rung of a session.
    Switches,
    /// Milliseconds from the live edge's wall clock, or from the end of the playlist, to the playhead; once a segment.
    Latency,
    /// Segments that came after their time: the buffer had run empty. Counts one each.
    Late,
    /// Requests at the live edge that the server answered with 404 or 416. Counts one each.
    EdgeMisses,
    /// Jumps to the live edge because the playhead had left the window, or the playlist had been restarted. Counts one
    /// each.
    Resyncs,
    /// Segments that were left for a lower rung. Counts one each.
    Abandoned,
    /// Bytes that were fetched and not played.
    Wasted,
    /// Milliseconds since a live playlist last had news, with the time in caches, at each reload.
    PlaylistAge,
    /// Milliseconds by which a timer was late.
    WakeLag,
}

/// The ends of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It played as long as the viewer wanted to watch, or to the end of the presentation.
    Watched,
    /// The viewer goes on to another presentation; the driver begins a session with it.
    Zapped,
    /// The viewer left before the first frame, out of patience.
    LeftEarly,
    /// The run ended.
    Stopped,
    /// It failed.
    Failed(FatalError),
}

/// The reasons why a session fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FatalError {
    /// The manifest could not be fetched.
    Manifest,
    /// The manifest, or what it names, is neither HLS nor DASH.
    Format,
    /// A playlist could not be fetched, or a live one does not change any more.
    Playlist,
    /// A segment could not be fetched.
    Segment,
    /// A key could not be fetched.
    Key,
    /// A stall took longer than the viewer bears.
    Stall,
    /// Nothing in it can be played: no track, or no segment.
    Empty,
}
