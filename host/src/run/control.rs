//! What may be asked of a run while it goes on: another load, a pause, its end, how it stands. Whoever asks, at a terminal
//! or through a socket, sends an [`Ask`] to the main thread, which does it between two other things and answers.
//!
//! A load is a multiple of the plan's, one for each scenario; a pause is beside it, so that the load is the same after it.

use serde::Serialize;
use stampede_time::Nanos;
use tokio::sync::{mpsc, oneshot};

use super::scale::{MOST, NOTICE, Scales};
use crate::metrics::aggregate::Snapshot;

/// How many changes a run takes: they are all in its report.
const MOST_CHANGES: usize = 10_000;

/// Something that is asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// So many times the plan's load, of one scenario or of all.
    Scale(f64, Option<String>),
    /// More or less by so many times the plan's load, of all scenarios; as far as it goes.
    Shift(f64),
    /// No iteration begins from now on, or they begin again.
    Pause(bool),
    /// The one if it is the other now.
    TogglePause,
    /// The run ends as it does when its time is over.
    Stop,
    /// Nothing but the answer.
    Status,
}

/// A request, and where its answer goes.
pub struct Ask {
    /// What is asked for.
    pub request: Request,
    /// How the run stands then, or why it was not done.
    pub reply: oneshot::Sender<Result<Status, String>>,
}

/// Where asks come from.
pub type Asks = mpsc::Sender<Ask>;

/// How a run stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Status {
    /// Time since the run, or its set-up or teardown, began, in microseconds.
    pub elapsed_us: u64,
    /// Users under way, at the end of the last second.
    pub users: u32,
    /// Requests per second over the last second.
    pub rps: f64,
    /// Requests until the end of the last second.
    pub requests: u64,
    /// Those of them that failed.
    pub errors: u64,
    /// Whether no iteration begins.
    pub paused: bool,
    /// Whether it is ending.
    pub ending: bool,
    /// The scenarios; one without a name in the plain form.
    pub scenarios: Vec<Scaled>,
}

/// A scenario's load.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Scaled {
    /// Its name.
    pub name: Option<String>,
    /// So many times the plan's; while paused, that after it.
    pub scale: f64,
}

/// Something that was changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// When.
    pub at: Nanos,
    /// What.
    pub what: Changed,
}

/// What was changed.
#[derive(Clone, Debug, PartialEq)]
pub enum Changed {
    /// The load of a scenario, or of all.
    Scale(f64, Option<String>),
    /// It was paused.
    Paused,
    /// It went on.
    Resumed,
    /// It was stopped.
    Stopped,
}

/// The load as it was asked for so far.
#[derive(Default)]
pub struct Control {
    /// Where requests come from, if they may.
    asks: Option<mpsc::Receiver<Ask>>,
    /// The names of the scenarios.
    pub(super) names: Vec<Option<String>>,
    /// What was asked for, by scenario; 1 beyond the end.
    scales: Vec<f64>,
    paused: bool,
    changes: Vec<Change>,
}

impl Control {
    /// A run that hears on the one end what is sent to the other.
    pub fn new() -> (Asks, Self) {
        // Whoever asks waits for the answer: as many asks as there are who ask.
        let (sender, asks) = mpsc::channel(16);
        (sender, Self { asks: Some(asks), ..Self::default() })
    }

    /// The next request, if there ever is one.
    pub(super) async fn next(&mut self) -> Ask {
        if let Some(asks) = &mut self.asks {
            if let Some(ask) = asks.recv().await {
                return ask;
            }
            self.asks = None;
        }
        std::future::pending().await
    }

    /// The load is about to begin, as it was asked for during the set-up.
    pub(super) fn begin(&self, scales: &Scales) {
        if self.asks.is_some() {
            scales.open();
        }
        let as_planned = !self.paused && self.scales.iter().all(|scale| *scale == 1.0);
        if !as_planned {
            (0..self.names.len()).for_each(|scenario| scales.set(scenario, self.effective(scenario), 0));
        }
    }

    /// Does what is asked for; true if the run is to end. `scales` are those of the load while it is under way.
    ///
    /// # Errors
    /// Why it is not done.
    pub(super) fn take(
        &mut self,
        request: &Request,
        scales: Option<&Scales>,
        (now, is_ending): (Nanos, bool),
    ) -> Result<bool, String> {
        if *request == Request::Status {
            return Ok(false);
        }
        if is_ending {
            return Err("the run is ending".into());
        }
        // What ends a pause, or the run, is taken whatever was before.
        let is_way_out = matches!(request, Request::Stop | Request::Pause(false));
        if self.changes.len() >= MOST_CHANGES && !is_way_out {
            return Err(format!("a run takes {MOST_CHANGES} changes"));
        }
        let whose: Vec<usize> = match request {
            Request::Scale(_, Some(name)) => vec![self.named(name)?],
            Request::Scale(..) | Request::Shift(_) => (0..self.names.len()).collect(),
            _ => Vec::new(),
        };
        let scale = match *request {
            Request::Scale(scale, _) => scale,
            _ => 1.0,
        };
        if !(0.0..=MOST).contains(&scale) {
            return Err(format!("a scale is from 0 to {MOST}"));
        }
        self.scales.resize(self.names.len(), 1.0);
        let before = self.scales.clone();
        for scenario in &whose {
            let own = &mut self.scales[*scenario];
            *own = if let Request::Shift(by) = *request { shifted(*own, by) } else { scale };
        }
        if !whose.is_empty() && before == self.scales {
            return Ok(false);
        }
        let what = match request {
            Request::Scale(_, name) => Changed::Scale(scale, name.clone()),
            Request::Shift(_) => {
                let together = self.scales.iter().all(|scale| *scale == self.scales[0]);
                let each =
                    self.names.iter().zip(&self.scales).map(|(name, scale)| Changed::Scale(*scale, name.clone()));
                let all = if together { vec![Changed::Scale(self.scales[0], None)] } else { each.collect() };
                self.changed(all, (whose, scales, now));
                return Ok(false);
            }
            Request::Stop => Changed::Stopped,
            Request::Pause(_) | Request::TogglePause | Request::Status => {
                let was = std::mem::replace(&mut self.paused, *request != Request::Pause(false));
                if *request == Request::TogglePause {
                    self.paused = !was;
                }
                if was == self.paused {
                    return Ok(false);
                }
                if self.paused { Changed::Paused } else { Changed::Resumed }
            }
        };
        let touched = if whose.is_empty() { (0..self.names.len()).collect() } else { whose };
        self.changed(vec![what], (touched, scales, now));
        Ok(*request == Request::Stop)
    }

    /// Notes what was changed, and tells those whose load it is.
    fn changed(&mut self, what: Vec<Changed>, (whose, scales, now): (Vec<usize>, Option<&Scales>, Nanos)) {
        // Before the load it is the load's first moment that is changed.
        let at = if scales.is_some() { now } else { 0 };
        self.changes.extend(what.into_iter().map(|what| Change { at, what }));
        let Some(scales) = scales else { return };
        for scenario in whose {
            if scales.of(scenario) != self.effective(scenario) {
                scales.set(scenario, self.effective(scenario), now.saturating_add(NOTICE));
            }
        }
    }

    fn named(&self, name: &str) -> Result<usize, String> {
        let found = self.names.iter().position(|known| known.as_deref() == Some(name));
        found.ok_or_else(|| format!("there is no scenario `{name}`"))
    }

    fn scale(&self, scenario: usize) -> f64 {
        self.scales.get(scenario).copied().unwrap_or(1.0)
    }

    /// What a load is multiplied by.
    fn effective(&self, scenario: usize) -> f64 {
        if self.paused { 0.0 } else { self.scale(scenario) }
    }

    /// How the run stands.
    pub(super) fn status(&self, snapshot: &Snapshot, ending: bool) -> Status {
        let scaled =
            |(scenario, name): (usize, &Option<String>)| Scaled { name: name.clone(), scale: self.scale(scenario) };
        Status {
            elapsed_us: snapshot.elapsed / 1000,
            users: snapshot.users_active,
            rps: snapshot.rps,
            requests: snapshot.requests,
            errors: snapshot.errors,
            paused: self.paused,
            ending,
            scenarios: self.names.iter().enumerate().map(scaled).collect(),
        }
    }

    /// How the load differs from the plan's, for the progress line; nothing if it does not.
    pub(super) fn words(&self) -> String {
        if self.paused {
            return "paused".into();
        }
        let first = self.scale(0);
        match (0..self.names.len()).all(|scenario| self.scale(scenario) == first) {
            true if first == 1.0 => String::new(),
            true => format!("load × {first}"),
            false => "load changed".into(),
        }
    }

    /// Everything that was changed.
    pub(super) fn into_changes(self) -> Vec<Change> {
        self.changes
    }
}

/// One step up or down, on whole steps: tenths do not add up in binary.
fn shifted(scale: f64, by: f64) -> f64 {
    let steps = ((scale + by) / by.abs()).round() * by.abs();
    ((steps * 1e6).round() / 1e6).clamp(0.0, MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn control() -> Control {
        let names = vec![Some("browse".to_owned()), Some("buy".to_owned())];
        Control { names, ..Control::default() }
    }

    #[test]
    fn what_is_asked_for_and_what_the_load_is_then() {
        let (mut control, scales) = (control(), Scales::new(2));
        let named = |name: &str| Some(name.to_owned());
        for (request, first, second, words) in [
            (Request::Status, 1.0, 1.0, ""),
            (Request::Shift(0.1), 1.1, 1.1, "load × 1.1"),
            (Request::Shift(0.1), 1.2, 1.2, "load × 1.2"),
            (Request::Shift(-0.1), 1.1, 1.1, "load × 1.1"),
            (Request::Scale(2.0, named("buy")), 1.1, 2.0, "load changed"),
            (Request::TogglePause, 0.0, 0.0, "paused"),
            (Request::Scale(3.0, None), 0.0, 0.0, "paused"),
            (Request::Pause(false), 3.0, 3.0, "load × 3"),
            (Request::Scale(0.0, named("browse")), 0.0, 3.0, "load changed"),
            (Request::Scale(1.0, None), 1.0, 1.0, ""),
        ] {
            assert_eq!(control.take(&request, Some(&scales), (7, false)), Ok(false), "{request:?}");
            assert_eq!((scales.of(0), scales.of(1), control.words().as_str()), (first, second, words), "{request:?}");
        }
        assert_eq!(control.take(&Request::Stop, Some(&scales), (9, false)), Ok(true));
        let changes = control.into_changes();
        assert_eq!(changes.len(), 10, "all but the question");
        assert_eq!(changes[9], Change { at: 9, what: Changed::Stopped });
    }

    #[test]
    fn what_cannot_be_done_changes_nothing() {
        let (mut control, scales) = (control(), Scales::new(2));
        for (request, is_ending, expected) in [
            (Request::Scale(10.5, None), false, "a scale is from 0 to 10"),
            (Request::Scale(-1.0, None), false, "a scale is from 0 to 10"),
            (Request::Scale(f64::NAN, None), false, "a scale is from 0 to 10"),
            (Request::Scale(1.0, Some("sell".into())), false, "there is no scenario `sell`"),
            (Request::Stop, true, "the run is ending"),
        ] {
            assert_eq!(control.take(&request, Some(&scales), (0, is_ending)), Err(expected.into()));
        }
        assert_eq!((control.into_changes().len(), scales.news()), (0, 0));
    }

    #[test]
    fn steps_stay_between_nothing_and_the_most() {
        let steps = |from: f64, by: f64| (0..200).fold(from, |scale, _| shifted(scale, by));
        assert_eq!((steps(1.0, 0.1), steps(1.0, -0.1)), (MOST, 0.0));
        assert_eq!((shifted(0.9, 0.1), shifted(1.25, 0.1), shifted(0.3, -0.1)), (1.0, 1.4, 0.2));
    }

    #[test]
    fn what_is_asked_for_before_the_load_holds_from_its_first_moment() {
        let mut control = control();
        assert_eq!(control.take(&Request::Pause(true), None, (5, false)), Ok(false));
        let scales = Scales::new(2);
        control.begin(&scales);
        assert_eq!((scales.of(0), scales.of(1)), (0.0, 0.0));
        assert_eq!(control.into_changes(), [Change { at: 0, what: Changed::Paused }]);
    }
}
