//! What may be asked of a run while it goes on: another load, a pause, its end, how it stands. Whoever asks, at a terminal
//! or through a socket, sends an [`Ask`] to the main thread, which does it between two other things and answers.
//!
//! A load is a multiple of the plan's, one for each scenario; a pause is beside it, so that the load is the same after it.

use serde::Serialize;
use stampede_time::Nanos;
use tokio::sync::{mpsc, oneshot};

use super::scale::{CHANGE_DELAY, MAX_SCALE, Scales};
use crate::metrics::aggregate::Snapshot;

/// How many changes a run takes: they are all in its report.
const MAX_CHANGES: usize = 10_000;

/// Something that is asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum ControlRequest {
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
pub struct ControlCall {
    /// What is asked for.
    pub request: ControlRequest,
    /// How the run stands then, or why it was not done.
    pub reply: oneshot::Sender<Result<RunStatus, String>>,
}

/// Where asks come from.
pub type ControlSender = mpsc::Sender<ControlCall>;

/// How a run stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunStatus {
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
    pub scenarios: Vec<ScenarioScale>,
}

/// A scenario's load.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScenarioScale {
    /// Its name.
    pub name: Option<String>,
    /// So many times the plan's; while paused, that after it.
    pub scale: f64,
}

/// Something that was changed.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadChange {
    /// When.
    pub at: Nanos,
    /// What.
    pub kind: LoadChangeKind,
}

/// What was changed.
#[derive(Clone, Debug, PartialEq)]
pub enum LoadChangeKind {
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
pub struct LoadController {
    /// Where requests come from, if they may.
    calls: Option<mpsc::Receiver<ControlCall>>,
    /// The names of the scenarios.
    pub(super) scenario_names: Vec<Option<String>>,
    /// What was asked for, by scenario; 1 beyond the end.
    scales: Vec<f64>,
    paused: bool,
    changes: Vec<LoadChange>,
}

impl LoadController {
    /// A run that hears on the one end what is sent to the other.
    pub fn new() -> (ControlSender, Self) {
        // Whoever asks waits for the answer: as many asks as there are who ask.
        let (sender, asks) = mpsc::channel(16);
        (sender, Self { calls: Some(asks), ..Self::default() })
    }

    /// The next request, if there ever is one.
    pub(super) async fn next_call(&mut self) -> ControlCall {
        if let Some(asks) = &mut self.calls {
            if let Some(ask) = asks.recv().await {
                return ask;
            }
            self.calls = None;
        }
        std::future::pending().await
    }

    /// The load is about to begin, as it was asked for during the set-up.
    pub(super) fn apply_to_load(&self, scales: &Scales) {
        if self.calls.is_some() {
            scales.allow_changes();
        }
        let as_planned = !self.paused && self.scales.iter().all(|scale| *scale == 1.0);
        if !as_planned {
            (0..self.scenario_names.len()).for_each(|scenario| scales.set(scenario, self.effective_scale(scenario), 0));
        }
    }

    /// Does what is asked for; true if the run is to end. `scales` are those of the load while it is under way.
    ///
    /// # Errors
    /// Why it is not done.
    pub(super) fn apply(
        &mut self,
        request: &ControlRequest,
        scales: Option<&Scales>,
        (now, is_ending): (Nanos, bool),
    ) -> Result<bool, String> {
        if *request == ControlRequest::Status {
            return Ok(false);
        }
        if is_ending {
            return Err("the run is ending".into());
        }
        // What ends a pause, or the run, is taken whatever was before.
        let is_way_out = matches!(request, ControlRequest::Stop | ControlRequest::Pause(false));
        if self.changes.len() >= MAX_CHANGES && !is_way_out {
            return Err(format!("a run takes {MAX_CHANGES} changes"));
        }
        let scenarios: Vec<usize> = match request {
            ControlRequest::Scale(_, Some(name)) => vec![self.scenario_index(name)?],
            ControlRequest::Scale(..) | ControlRequest::Shift(_) => (0..self.scenario_names.len()).collect(),
            _ => Vec::new(),
        };
        let scale = match *request {
            ControlRequest::Scale(scale, _) => scale,
            _ => 1.0,
        };
        if !(0.0..=MAX_SCALE).contains(&scale) {
            return Err(format!("a scale is from 0 to {MAX_SCALE}"));
        }
        self.scales.resize(self.scenario_names.len(), 1.0);
        let before = self.scales.clone();
        for scenario in &scenarios {
            let scale_of_scenario = &mut self.scales[*scenario];
            *scale_of_scenario =
                if let ControlRequest::Shift(by) = *request { step_scale(*scale_of_scenario, by) } else { scale };
        }
        if !scenarios.is_empty() && before == self.scales {
            return Ok(false);
        }
        let what = match request {
            ControlRequest::Scale(_, name) => LoadChangeKind::Scale(scale, name.clone()),
            ControlRequest::Shift(_) => {
                let all_equal = self.scales.iter().all(|scale| *scale == self.scales[0]);
                let each = self
                    .scenario_names
                    .iter()
                    .zip(&self.scales)
                    .map(|(name, scale)| LoadChangeKind::Scale(*scale, name.clone()));
                let all = if all_equal { vec![LoadChangeKind::Scale(self.scales[0], None)] } else { each.collect() };
                self.record_changes(all, (scenarios, scales, now));
                return Ok(false);
            }
            ControlRequest::Stop => LoadChangeKind::Stopped,
            ControlRequest::Pause(_) | ControlRequest::TogglePause | ControlRequest::Status => {
                let was = std::mem::replace(&mut self.paused, *request != ControlRequest::Pause(false));
                if *request == ControlRequest::TogglePause {
                    self.paused = !was;
                }
                if was == self.paused {
                    return Ok(false);
                }
                if self.paused { LoadChangeKind::Paused } else { LoadChangeKind::Resumed }
            }
        };
        let touched = if scenarios.is_empty() { (0..self.scenario_names.len()).collect() } else { scenarios };
        self.record_changes(vec![what], (touched, scales, now));
        Ok(*request == ControlRequest::Stop)
    }

    /// Notes what was changed, and tells those whose load it is.
    fn record_changes(
        &mut self,
        what: Vec<LoadChangeKind>,
        (scenarios, scales, now): (Vec<usize>, Option<&Scales>, Nanos),
    ) {
        // Before the load it is the load's first moment that is changed.
        let at = if scales.is_some() { now } else { 0 };
        self.changes.extend(what.into_iter().map(|what| LoadChange { at, kind: what }));
        let Some(scales) = scales else { return };
        for scenario in scenarios {
            if scales.get(scenario) != self.effective_scale(scenario) {
                scales.set(scenario, self.effective_scale(scenario), now.saturating_add(CHANGE_DELAY));
            }
        }
    }

    fn scenario_index(&self, name: &str) -> Result<usize, String> {
        let index = self.scenario_names.iter().position(|candidate| candidate.as_deref() == Some(name));
        index.ok_or_else(|| format!("there is no scenario `{name}`"))
    }

    fn asked_scale(&self, scenario: usize) -> f64 {
        self.scales.get(scenario).copied().unwrap_or(1.0)
    }

    /// What a load is multiplied by.
    fn effective_scale(&self, scenario: usize) -> f64 {
        if self.paused { 0.0 } else { self.asked_scale(scenario) }
    }

    /// How the run stands.
    pub(super) fn status(&self, snapshot: &Snapshot, ending: bool) -> RunStatus {
        let scaled = |(scenario, name): (usize, &Option<String>)| ScenarioScale {
            name: name.clone(),
            scale: self.asked_scale(scenario),
        };
        RunStatus {
            elapsed_us: snapshot.elapsed / 1000,
            users: snapshot.users_active,
            rps: snapshot.rps,
            requests: snapshot.requests,
            errors: snapshot.errors,
            paused: self.paused,
            ending,
            scenarios: self.scenario_names.iter().enumerate().map(scaled).collect(),
        }
    }

    /// How the load differs from the plan's, for the progress line; nothing if it does not.
    pub(super) fn summary(&self) -> String {
        if self.paused {
            return "paused".into();
        }
        let first = self.asked_scale(0);
        match (0..self.scenario_names.len()).all(|scenario| self.asked_scale(scenario) == first) {
            true if first == 1.0 => String::new(),
            true => format!("load × {first}"),
            false => "load changed".into(),
        }
    }

    /// Everything that was changed.
    pub(super) fn into_changes(self) -> Vec<LoadChange> {
        self.changes
    }
}

/// One step up or down, on whole steps: tenths do not add up in binary.
fn step_scale(scale: f64, by: f64) -> f64 {
    let steps = ((scale + by) / by.abs()).round() * by.abs();
    ((steps * 1e6).round() / 1e6).clamp(0.0, MAX_SCALE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn control() -> LoadController {
        let names = vec![Some("browse".to_owned()), Some("buy".to_owned())];
        LoadController { scenario_names: names, ..LoadController::default() }
    }

    #[test]
    fn what_is_asked_for_and_what_the_load_is_then() {
        let (mut control, scales) = (control(), Scales::new(2));
        let named = |name: &str| Some(name.to_owned());
        for (request, first, second, words) in [
            (ControlRequest::Status, 1.0, 1.0, ""),
            (ControlRequest::Shift(0.1), 1.1, 1.1, "load × 1.1"),
            (ControlRequest::Shift(0.1), 1.2, 1.2, "load × 1.2"),
            (ControlRequest::Shift(-0.1), 1.1, 1.1, "load × 1.1"),
            (ControlRequest::Scale(2.0, named("buy")), 1.1, 2.0, "load changed"),
            (ControlRequest::TogglePause, 0.0, 0.0, "paused"),
            (ControlRequest::Scale(3.0, None), 0.0, 0.0, "paused"),
            (ControlRequest::Pause(false), 3.0, 3.0, "load × 3"),
            (ControlRequest::Scale(0.0, named("browse")), 0.0, 3.0, "load changed"),
            (ControlRequest::Scale(1.0, None), 1.0, 1.0, ""),
        ] {
            assert_eq!(control.apply(&request, Some(&scales), (7, false)), Ok(false), "{request:?}");
            assert_eq!(
                (scales.get(0), scales.get(1), control.summary().as_str()),
                (first, second, words),
                "{request:?}"
            );
        }
        assert_eq!(control.apply(&ControlRequest::Stop, Some(&scales), (9, false)), Ok(true));
        let changes = control.into_changes();
        assert_eq!(changes.len(), 10, "all but the question");
        assert_eq!(changes[9], LoadChange { at: 9, kind: LoadChangeKind::Stopped });
    }

    #[test]
    fn what_cannot_be_done_changes_nothing() {
        let (mut control, scales) = (control(), Scales::new(2));
        for (request, is_ending, expected) in [
            (ControlRequest::Scale(10.5, None), false, "a scale is from 0 to 10"),
            (ControlRequest::Scale(-1.0, None), false, "a scale is from 0 to 10"),
            (ControlRequest::Scale(f64::NAN, None), false, "a scale is from 0 to 10"),
            (ControlRequest::Scale(1.0, Some("sell".into())), false, "there is no scenario `sell`"),
            (ControlRequest::Stop, true, "the run is ending"),
        ] {
            assert_eq!(control.apply(&request, Some(&scales), (0, is_ending)), Err(expected.into()));
        }
        assert_eq!((control.into_changes().len(), scales.generation()), (0, 0));
    }

    #[test]
    fn steps_stay_between_nothing_and_the_most() {
        let steps = |from: f64, by: f64| (0..200).fold(from, |scale, _| step_scale(scale, by));
        assert_eq!((steps(1.0, 0.1), steps(1.0, -0.1)), (MAX_SCALE, 0.0));
        assert_eq!((step_scale(0.9, 0.1), step_scale(1.25, 0.1), step_scale(0.3, -0.1)), (1.0, 1.4, 0.2));
    }

    #[test]
    fn what_is_asked_for_before_the_load_holds_from_its_first_moment() {
        let mut control = control();
        assert_eq!(control.apply(&ControlRequest::Pause(true), None, (5, false)), Ok(false));
        let scales = Scales::new(2);
        control.apply_to_load(&scales);
        assert_eq!((scales.get(0), scales.get(1)), (0.0, 0.0));
        assert_eq!(control.into_changes(), [LoadChange { at: 0, kind: LoadChangeKind::Paused }]);
    }
}
