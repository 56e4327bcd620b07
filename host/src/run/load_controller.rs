//! Requests to a run while it lasts: another load, a pause, its end, its status. Keys at the terminal and the control
//! socket send a [`ControlCall`] to the main thread, which carries it out between two other events and answers.
//!
//! A load is a multiple of the plan's, one for each scenario. A pause is kept apart from it, so that the load is the
//! same after it.

use serde::Serialize;
use stampede_time::Nanos;
use tokio::sync::{mpsc, oneshot};

use super::scale::{CHANGE_DELAY, MAX_SCALE, Scales};
use crate::metrics::aggregate::Snapshot;

/// The greatest number of changes in a run: all of them are in its report.
const MAX_CHANGES: usize = 10_000;

/// A request to a run.
#[derive(Clone, Debug, PartialEq)]
pub enum ControlRequest {
    /// Sets the load to a multiple of the plan's, of one scenario or of all.
    Scale(f64, Option<String>),
    /// Adds a multiple of the plan's load to that of all scenarios, as far as the limits allow.
    Shift(f64),
    /// Pauses the run, so that no iteration begins, or resumes it.
    Pause(bool),
    /// Pauses the run, or resumes it if it is paused.
    TogglePause,
    /// Sets the load of all scenarios, and whether it is paused, from an instant on that other machines have agreed on.
    Steer(SteeredLoad),
    /// Lets nothing be due from an instant on, at which the run will be stopped.
    EndArrivals(Nanos),
    /// Ends the run as if its time were over.
    Stop,
    /// Ends the run, and gives up what is under way if it is ending already.
    Abort,
    /// Changes nothing; the status is in the answer.
    Status,
}

/// A load that all machines of a run have from the same instant on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SteeredLoad {
    /// The instant, from the start of the load. One that has passed means at once.
    pub at: Nanos,
    /// The multiple of the plan's load.
    pub scale: f64,
    /// `true` if no iteration begins.
    pub is_paused: bool,
}

/// A request, with the channel for its answer.
pub struct ControlCall {
    /// The request.
    pub request: ControlRequest,
    /// Receives the status after the request, or the reason why it was rejected.
    pub reply: oneshot::Sender<Result<RunStatus, String>>,
}

/// The sending end of requests.
pub(crate) type ControlSender = mpsc::Sender<ControlCall>;

/// The status of a run.
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
    /// Requests that failed, among these.
    pub errors: u64,
    /// `true` while no iteration begins.
    pub paused: bool,
    /// `true` if it is ending.
    pub ending: bool,
    /// The scenarios; one without a name in the plain form.
    pub scenarios: Vec<ScenarioScale>,
}

/// A scenario's load.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScenarioScale {
    /// Its name.
    pub name: Option<String>,
    /// Multiple of the plan's load; during a pause, the one that applies after it.
    pub scale: f64,
}

/// A change of the load.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadChange {
    /// Time since the load began.
    pub at: Nanos,
    /// The change.
    pub kind: LoadChangeKind,
}

/// The kinds of changes.
#[derive(Clone, Debug, PartialEq)]
pub enum LoadChangeKind {
    /// The load of a scenario, or of all, became this multiple of the plan's.
    Scale(f64, Option<String>),
    /// The run was paused.
    Paused,
    /// The run was resumed.
    Resumed,
    /// The run was stopped.
    Stopped,
}

/// The state of the section when a request arrives.
pub(super) struct Moment<'a> {
    /// Time since the section began.
    pub(super) now: Nanos,
    /// `true` if the load is over or ending.
    pub(super) is_ending: bool,
    /// The scales of the load while it is under way.
    pub(super) scales: Option<&'a Scales>,
}

/// The difference between the load and the plan's.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LoadState {
    /// `true` while no iteration begins.
    pub paused: bool,
    /// Multiples of the plan's load, by scenario; during a pause, those that apply after it.
    pub scales: Vec<f64>,
}

impl LoadState {
    /// Describes the difference in a few words, such as `load × 1.5`; empty if there is none.
    pub fn summary(&self) -> String {
        if self.paused {
            return "paused".into();
        }
        let first = self.scales.first().copied().unwrap_or(1.0);
        match self.scales.iter().all(|scale| *scale == first) {
            true if first == 1.0 => String::new(),
            true => format!("load × {first}"),
            false => "load changed".into(),
        }
    }
}

/// The requested load, and the source of requests.
#[derive(Default)]
pub struct LoadController {
    /// The receiver of requests, if the run takes any.
    calls: Option<mpsc::Receiver<ControlCall>>,
    /// The names of the scenarios.
    pub(super) scenario_names: Vec<Option<String>>,
    /// The requested multiples, by scenario; 1 beyond the end.
    scales: Vec<f64>,
    paused: bool,
    changes: Vec<LoadChange>,
}

impl LoadController {
    /// Creates a controller, and the sending end of its requests.
    pub fn new() -> (ControlSender, Self) {
        // Each sender waits for its answer, so there are never more calls than senders.
        let (sender, calls) = mpsc::channel(16);
        (sender, Self { calls: Some(calls), ..Self::default() })
    }

    /// Waits for the next call, forever if there is no sender.
    pub(super) async fn next_call(&mut self) -> ControlCall {
        if let Some(calls) = &mut self.calls {
            if let Some(call) = calls.recv().await {
                return call;
            }
            self.calls = None;
        }
        std::future::pending().await
    }

    /// Sets the scales of a load that is about to begin to those requested during the set-up.
    pub(super) fn apply_to_load(&self, scales: &Scales) {
        if self.calls.is_some() {
            scales.allow_changes();
        }
        let as_planned = !self.paused && self.scales.iter().all(|scale| *scale == 1.0);
        if !as_planned {
            (0..self.scenario_names.len()).for_each(|scenario| scales.set(scenario, self.effective_scale(scenario), 0));
        }
    }

    // The effect of a request, by the state of the load. A scale is a multiple of the plan's load, by scenario.
    //
    // | request       | running                      | paused                      | ending    |
    // |---------------|------------------------------|-----------------------------|-----------|
    // | `Scale`       | the load is the scale        | the scale is kept for later | rejected  |
    // | `Shift`       | the load is the next step    | the step is kept for later  | rejected  |
    // | `Pause(true)` | becomes paused: the load is 0| nothing                     | rejected  |
    // | `Pause(false)`| nothing                      | becomes running             | rejected  |
    // | `TogglePause` | becomes paused               | becomes running             | rejected  |
    // | `Steer`       | the load is that             | the load is that            | rejected  |
    // | `EndArrivals` | nothing is due from then on  | nothing                     | rejected  |
    // | `Stop`        | becomes ending               | becomes ending              | rejected  |
    // | `Abort`       | becomes ending               | becomes ending              | is over   |
    // | `Status`      | nothing                      | nothing                     | nothing   |
    //
    // A request during the set-up takes effect when the load begins. In the teardown the load is over, so the run
    // counts as ending. A request that changes nothing is not listed among the changes in the report.

    /// Carries out a request. Returns `true` if the run is to end.
    ///
    /// # Errors
    /// The reason why the request is rejected.
    pub(super) fn apply(&mut self, request: &ControlRequest, moment: Moment) -> Result<bool, String> {
        if *request == ControlRequest::Status {
            return Ok(false);
        }
        if *request == ControlRequest::Abort {
            return Ok(true);
        }
        if moment.is_ending {
            return Err("the run is ending".into());
        }
        // A request that ends a pause, or the run, is never rejected for the number of changes.
        let is_way_out = matches!(request, ControlRequest::Stop | ControlRequest::Pause(false));
        if self.changes.len() >= MAX_CHANGES && !is_way_out {
            return Err(format!("a run takes {MAX_CHANGES} changes"));
        }
        let changes = match request {
            ControlRequest::Scale(scale, name) => self.scale_to(*scale, name.as_deref())?,
            ControlRequest::Shift(step) => self.shift_by(*step),
            ControlRequest::Pause(paused) => self.set_paused(*paused),
            ControlRequest::TogglePause => self.set_paused(!self.paused),
            ControlRequest::Stop => vec![LoadChangeKind::Stopped],
            ControlRequest::Steer(load) => return Ok(self.steer(*load, &moment)),
            ControlRequest::EndArrivals(at) => return Ok(moment.scales.is_some_and(|scales| scales.end_arrivals(*at))),
            ControlRequest::Status | ControlRequest::Abort => Vec::new(),
        };
        if !changes.is_empty() {
            self.record_changes(changes, &moment);
        }
        Ok(*request == ControlRequest::Stop)
    }

    /// Sets the load of all scenarios from an instant on. Returns `false`: the run goes on.
    fn steer(&mut self, load: SteeredLoad, moment: &Moment) -> bool {
        let scale = load.scale.clamp(0.0, MAX_SCALE);
        let mut kinds = Vec::new();
        if self.rescale(|_, _| scale) {
            kinds.push(LoadChangeKind::Scale(scale, None));
        }
        kinds.extend(self.set_paused(load.is_paused));
        let at = load.at.max(moment.now);
        self.changes.extend(kinds.into_iter().map(|kind| LoadChange { at, kind }));
        if let Some(scales) = moment.scales {
            (0..self.scenario_names.len())
                .for_each(|scenario| scales.set(scenario, self.effective_scale(scenario), at));
        }
        false
    }

    /// Sets the scale of one scenario, or of all.
    fn scale_to(&mut self, scale: f64, name: Option<&str>) -> Result<Vec<LoadChangeKind>, String> {
        let only = name.map(|name| self.scenario_index(name)).transpose()?;
        if !(0.0..=MAX_SCALE).contains(&scale) {
            return Err(format!("a scale is from 0 to {MAX_SCALE}"));
        }
        let has_changed =
            self.rescale(|scenario, old| if only.is_none_or(|only| only == scenario) { scale } else { old });
        let change = has_changed.then(|| LoadChangeKind::Scale(scale, name.map(str::to_owned)));
        Ok(change.into_iter().collect())
    }

    /// Moves the scales of all scenarios by a step.
    fn shift_by(&mut self, step: f64) -> Vec<LoadChangeKind> {
        if !self.rescale(|_, old| step_scale(old, step)) {
            return Vec::new();
        }
        if self.scales.iter().all(|scale| *scale == self.scales[0]) {
            return vec![LoadChangeKind::Scale(self.scales[0], None)];
        }
        let each = self.scenario_names.iter().zip(&self.scales);
        each.map(|(name, scale)| LoadChangeKind::Scale(*scale, name.clone())).collect()
    }

    /// Gives each scenario a new scale, computed from its old one. Returns `true` if one of them differs.
    fn rescale(&mut self, new: impl Fn(usize, f64) -> f64) -> bool {
        self.scales.resize(self.scenario_names.len(), 1.0);
        let mut has_changed = false;
        for (scenario, scale) in self.scales.iter_mut().enumerate() {
            let old = *scale;
            *scale = new(scenario, old);
            has_changed |= old != *scale;
        }
        has_changed
    }

    fn set_paused(&mut self, paused: bool) -> Vec<LoadChangeKind> {
        if std::mem::replace(&mut self.paused, paused) == paused {
            return Vec::new();
        }
        vec![if paused { LoadChangeKind::Paused } else { LoadChangeKind::Resumed }]
    }

    /// Records changes, and applies the new load to each scenario whose load has changed.
    fn record_changes(&mut self, kinds: Vec<LoadChangeKind>, moment: &Moment) {
        // A change before the load begins is recorded at its first moment.
        let at = if moment.scales.is_some() { moment.now } else { 0 };
        self.changes.extend(kinds.into_iter().map(|kind| LoadChange { at, kind }));
        let Some(scales) = moment.scales else { return };
        for scenario in 0..self.scenario_names.len() {
            if scales.get(scenario) != self.effective_scale(scenario) {
                scales.set(scenario, self.effective_scale(scenario), moment.now.saturating_add(CHANGE_DELAY));
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

    /// Returns the multiple that is in effect.
    fn effective_scale(&self, scenario: usize) -> f64 {
        if self.paused { 0.0 } else { self.asked_scale(scenario) }
    }

    /// Returns the status of the run.
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

    /// Returns the load as it stands.
    pub(super) fn load(&self) -> LoadState {
        let scales = (0..self.scenario_names.len()).map(|scenario| self.asked_scale(scenario)).collect();
        LoadState { paused: self.paused, scales }
    }

    /// Returns the changes so far, in order.
    pub(super) fn changes(&self) -> &[LoadChange] {
        &self.changes
    }

    /// Returns all changes.
    pub(super) fn into_changes(self) -> Vec<LoadChange> {
        self.changes
    }
}

/// Returns the scale one step up or down, on whole steps: tenths do not add up in binary.
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
    fn each_request_has_its_load() {
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
            assert_eq!(
                control.apply(&request, Moment { now: 7, is_ending: false, scales: Some(&scales) }),
                Ok(false),
                "{request:?}"
            );
            assert_eq!(
                (scales.get(0), scales.get(1), control.load().summary().as_str()),
                (first, second, words),
                "{request:?}"
            );
        }
        assert_eq!(
            control.apply(&ControlRequest::Stop, Moment { now: 9, is_ending: false, scales: Some(&scales) }),
            Ok(true)
        );
        let changes = control.into_changes();
        assert_eq!(changes.len(), 10, "all but the status");
        assert_eq!(changes[9], LoadChange { at: 9, kind: LoadChangeKind::Stopped });
    }

    #[test]
    fn a_rejected_request_changes_nothing() {
        let (mut control, scales) = (control(), Scales::new(2));
        for (request, is_ending, expected) in [
            (ControlRequest::Scale(10.5, None), false, "a scale is from 0 to 10"),
            (ControlRequest::Scale(-1.0, None), false, "a scale is from 0 to 10"),
            (ControlRequest::Scale(f64::NAN, None), false, "a scale is from 0 to 10"),
            (ControlRequest::Scale(1.0, Some("sell".into())), false, "there is no scenario `sell`"),
            (ControlRequest::Stop, true, "the run is ending"),
        ] {
            assert_eq!(
                control.apply(&request, Moment { now: 0, is_ending, scales: Some(&scales) }),
                Err(expected.into())
            );
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
    fn a_steered_load_holds_from_the_instant_that_was_agreed_on() {
        let (mut control, scales) = (control(), Scales::new(2));
        let moment = || Moment { now: 7, is_ending: false, scales: Some(&scales) };
        let load = SteeredLoad { at: 50, scale: 0.5, is_paused: false };
        assert_eq!(control.apply(&ControlRequest::Steer(load), moment()), Ok(false));
        assert_eq!(control.apply(&ControlRequest::EndArrivals(90), moment()), Ok(false));
        let mut changes = Vec::new();
        scales.changes_since(0, 1, |at, scale| changes.push((at, scale)));
        assert_eq!((changes, scales.get(1)), (vec![(50, 0.5), (90, 0.0)], 0.5), "users go on until they are stopped");
        assert_eq!(control.changes(), [LoadChange { at: 50, kind: LoadChangeKind::Scale(0.5, None) }]);
        let ending = Moment { now: 95, is_ending: true, scales: Some(&scales) };
        assert_eq!(control.apply(&ControlRequest::Abort, ending), Ok(true));
    }

    #[test]
    fn a_request_before_the_load_holds_from_its_first_moment() {
        let mut control = control();
        assert_eq!(
            control.apply(&ControlRequest::Pause(true), Moment { now: 5, is_ending: false, scales: None }),
            Ok(false)
        );
        let scales = Scales::new(2);
        control.apply_to_load(&scales);
        assert_eq!((scales.get(0), scales.get(1)), (0.0, 0.0));
        assert_eq!(control.into_changes(), [LoadChange { at: 0, kind: LoadChangeKind::Paused }]);
    }
}
