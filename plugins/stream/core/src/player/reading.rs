//! The parts of a viewer's state that its driver reads replies with: a delta update is read on top of the playlist
//! before, a segment index by what the manifest says of its file.

use std::rc::Rc;

use super::Viewer;
use crate::event::FetchId;
use crate::playlist::Playlist;
use crate::presentation::{Indexed, Presentation, Source};

impl Viewer {
    /// Returns the presentation that is played, once it is known.
    #[must_use]
    pub fn presentation(&self) -> Option<&Rc<Presentation>> {
        self.presentation.as_ref()
    }

    /// Returns the playlist that a fetch in flight brings anew; `None` if it is the first one of its rung.
    #[must_use]
    pub fn playlist_before(&self, id: FetchId) -> Option<&Rc<Playlist>> {
        let flight = self.flights.iter().find(|flight| flight.id == id)?;
        let lane = self.lanes.get(flight.lane?)?;
        lane.lists.get(flight.rung)?.as_ref().map(|placed| &placed.list)
    }

    /// Returns the file whose segment index a fetch in flight brings.
    #[must_use]
    pub fn index_of(&self, id: FetchId) -> Option<&Indexed> {
        let flight = self.flights.iter().find(|flight| flight.id == id)?;
        let lane = self.lanes.get(flight.lane?)?;
        let rung = self.presentation.as_ref()?.tracks.get(lane.track)?.rungs.get(flight.rung)?;
        match &rung.source {
            Source::Indexed(indexed) => Some(indexed),
            _ => None,
        }
    }
}
