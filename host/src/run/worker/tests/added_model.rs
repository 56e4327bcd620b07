//! A load model added as `docs/internals/extending.md` describes: an entry and a type here, and no change to the run.
//! Its iterations begin at fixed times.

use std::sync::Arc;

use super::{MILLISECOND, worker};
use crate::diagnostic::SourceText;
use crate::load_model::{
    IterationRule, LOAD_MODELS, LoadError, LoadModel, LoadModelEntry, LoadModelHandle, SelfPacedRule, UserCount,
    WeightShare, parse,
};
use crate::pace::{LoadProfile, Stage};
use crate::plan::Scenario;
use crate::plan::describe::describe_load;
use crate::plan::flow::Flow;
use crate::plan::workload::Workload;
use crate::plan::workload::tests::once;
use crate::run::worker::*;
use crate::script;
use crate::script::model::LoadSpec;
use crate::script::stage::StageTarget;

const ENTRY: LoadModelEntry = LoadModelEntry {
    name: "timetable",
    keys: &["stages", "iterations"],
    is_open: false,
    is_selected: |spec| spec.stages.is_some() && spec.iterations.is_some(),
    takes_script_duration: |_| false,
    parse: read,
};

/// At the end of each stage, as many users begin as its target says; each runs a fixed number of iterations.
#[derive(Clone, Debug)]
struct Timetable {
    /// The departures: the wait before each, and its number of users.
    departures: Vec<(Duration, u32)>,
    iterations: u64,
}

fn read(spec: &LoadSpec, _: u64) -> Result<LoadModelHandle, LoadError> {
    let mut departures = Vec::new();
    for stage in spec.stages.iter().flat_map(|stages| &stages.value) {
        let StageTarget::Users(users) = stage.target else {
            let help = "write `1m:100`";
            return Err(LoadError::new("stages", spec.stages.as_ref(), "a timetable has users, not rates", help));
        };
        departures.push((stage.duration, users));
    }
    let iterations = spec.iterations.map_or(1, |iterations| iterations.value);
    Ok(Timetable { departures, iterations }.into())
}

impl LoadModel for Timetable {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn describe(&self) -> String {
        format!("users begin at {} times, {} iterations each", self.departures.len(), self.iterations)
    }

    fn share(&self, share: WeightShare) -> Option<LoadModelHandle> {
        let departures = self.departures.iter().filter_map(|(wait, users)| Some((*wait, share.of_users(*users)?)));
        Some(Self { departures: departures.collect(), ..self.clone() }.into())
    }

    fn rule(&self) -> IterationRule {
        let mut users = 0.0;
        let mut stages = Vec::new();
        for (wait, more) in &self.departures {
            let level = users;
            users += f64::from(*more);
            stages
                .extend([Stage { duration: *wait, target: level }, Stage { duration: Duration::ZERO, target: users }]);
        }
        // The last departure needs time to begin in.
        stages.push(Stage { duration: Duration::from_secs(1), target: users });
        IterationRule::SelfPaced(SelfPacedRule {
            users: UserCount::Profile(LoadProfile::new(0.0, &stages)),
            max_iterations: Some(self.iterations),
            shared_iterations: None,
        })
    }
}

/// The load of a script, read with the program's load models and the one above.
fn load(text: &str) -> Result<LoadModelHandle, LoadError> {
    let source = Arc::new(SourceText { name: "script.yml".into(), text: text.into() });
    let Ok(script) = script::parse(&source) else { panic!("`{text}` is a script") };
    let models: Vec<_> = std::iter::once(ENTRY).chain(LOAD_MODELS.iter().copied()).collect();
    parse(&models, &script.settings.load.spec, 0)
}

#[tokio::test(start_paused = true)]
async fn a_model_is_added_by_an_entry_and_the_run_keeps_to_its_schedule() {
    let model = load("{stages: [1s:2, 500ms:1, 2s:3], iterations: 2, steps: [{name: A, url: /}]}").unwrap();
    let workload = Workload { model, ..once() };
    assert_eq!(workload.model.name(), "timetable");
    let scenario = Scenario { name: None, workload: workload.clone(), first_user: 0, flow: Flow::default() };
    assert_eq!(describe_load(&scenario), "users begin at 3 times, 2 iterations each");
    assert_eq!((workload.users(), workload.end()), (6, Some(4_500 * MILLISECOND)));
    let run = worker(workload.clone(), Some(100 * MILLISECOND), None).await;
    // Two users begin after 1 s, one after 1.5 s, three after 3.5 s; each walks twice, 100 ms each.
    assert_eq!(run.seconds, [(0, 0), (1, 6), (2, 0), (3, 6)]);
    assert_eq!((run.iterations.completed, run.at), (12, 3_700 * MILLISECOND));
    let half = WeightShare { before: 0.0, after: 0.5 };
    assert_eq!(workload.model.share(half).map(|half| half.rule().max_users()), Some(4));
}

#[test]
fn an_added_model_leaves_the_others_as_they_are() {
    for (text, name) in [
        ("{users: 3, iterations: 2, steps: [{name: A, url: /}]}", "constant"),
        ("{stages: [1s:2], steps: [{name: A, url: /}]}", "ramping"),
        ("{stages: [1s:2], iterations: 2, steps: [{name: A, url: /}]}", "timetable"),
    ] {
        assert_eq!(load(text).unwrap().name(), name, "{text}");
    }
    let error = load("{stages: [1s:2/s], iterations: 2, steps: [{name: A, url: /}]}").unwrap_err();
    assert_eq!((error.key.name, error.message.as_str()), ("stages", "a timetable has users, not rates"));
}
