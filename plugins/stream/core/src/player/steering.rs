//! Content steering of HLS: a server says which pathway viewers take, and says it again after a while.

use super::Viewer;
use super::flight::Flight;
use super::lane::bit;
use super::parts::source_of;
use super::replies::Trouble;
use crate::command::{Command, What};
use crate::event::SteeringReply;
use crate::micros::{Micros, SECOND};
use crate::playlist::Resource;
use crate::presentation::{Presentation, Source};
use crate::reference::with_query;

/// The time to the next request where the server gives none.
const DEFAULT_TTL: Micros = 300 * SECOND;

/// The state of steering.
#[derive(Debug, Default)]
pub(super) struct SteeringState {
    /// The instant of the next request; `None` without steering, and after the server has ended it.
    pub(super) fetch_at: Option<Micros>,
    url: String,
    /// The pathway that is taken.
    pathway: Option<Box<str>>,
}

impl Viewer {
    /// Begins with the pathway that a multivariant playlist names, and asks the steering server at once.
    pub(super) fn begin_steering(&mut self, presentation: &Presentation) {
        let Some(steering) = &presentation.steering else { return };
        self.steering.url = steering.url.to_string();
        self.steering.fetch_at = Some(self.now);
        if let Some(pathway) = &steering.pathway {
            self.take_pathway(std::slice::from_ref(pathway), presentation);
        }
    }

    /// Asks the steering server, if it is time.
    pub(super) fn fetch_steering(&mut self, out: &mut Vec<Command>) {
        if self.steering.fetch_at.is_none_or(|at| at > self.now) {
            return;
        }
        self.steering.fetch_at = None;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "rates are positive and below 2^53"
        )]
        let throughput = self.abr.rate() as u64;
        let pathway = self.steering.pathway.as_ref().map(|it| format!("_HLS_pathway=\"{it}\"&")).unwrap_or_default();
        let url = with_query(&self.steering.url, &format!("{pathway}_HLS_throughput={throughput}"));
        self.fetch(self.flight(What::Steering, None), Resource { url, range: None }, out);
    }

    /// Takes what the steering server says.
    pub(super) fn took_steering(&mut self, reply: &SteeringReply) {
        self.steering.fetch_at = Some(self.now.saturating_add(reply.ttl.max(SECOND)));
        if let Some(url) = &reply.reload {
            self.steering.url = url.to_string();
        }
        if let Some(presentation) = self.presentation.clone() {
            self.take_pathway(&reply.priority, &presentation);
        }
    }

    /// Takes a failure of the steering server: `410 Gone` ends steering, others are tried again later.
    pub(super) fn steering_failed(&mut self, trouble: Trouble, retry_after: Option<Micros>) {
        let is_gone = trouble == Trouble::Status(410);
        self.steering.fetch_at = (!is_gone).then(|| self.now.saturating_add(retry_after.unwrap_or(DEFAULT_TTL)));
    }

    /// Makes the first pathway that the presentation has the one that is taken.
    fn take_pathway(&mut self, priority: &[Box<str>], presentation: &Presentation) {
        let is_of =
            |source: &Source, wanted: &str| matches!(source, Source::Remote { pathway, .. } if &**pathway == wanted);
        let has = |wanted: &str| {
            let rungs = presentation.tracks[0].rungs.iter();
            rungs
                .flat_map(|rung| std::iter::once(&rung.source).chain(&rung.backups))
                .any(|source| is_of(source, wanted))
        };
        let Some(pathway) = priority.iter().find(|it| has(it)).filter(|it| self.steering.pathway.as_ref() != Some(*it))
        else {
            return;
        };
        self.steering.pathway = Some(pathway.clone());
        for lane in &mut self.lanes {
            let rungs = &presentation.tracks[lane.track].rungs;
            for (index, rung) in rungs.iter().enumerate() {
                let place = (0..=rung.backups.len()).find(|place| is_of(source_of(rung, *place), pathway));
                if let Some(place) = place.filter(|place| *place != lane.sources[index]) {
                    lane.sources[index] = place;
                    if index == lane.rung {
                        lane.forget_list(index, self.now);
                    } else {
                        lane.lists[index] = None;
                    }
                }
            }
        }
    }

    /// Returns another source of a rung that has not failed; the one in use has.
    pub(super) fn other_source(&mut self, flight: &Flight, backups: usize) -> Option<usize> {
        let lane = self.lanes.get_mut(flight.lane?)?;
        lane.failed_sources[flight.rung] |= bit(lane.sources[flight.rung]);
        (0..=backups.min(63)).find(|place| lane.failed_sources[flight.rung] & bit(*place) == 0)
    }
}
