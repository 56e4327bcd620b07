//! `plugin test --conformance`: any component held against the contract, in whatever language it is written. Its cases
//! say which steps are lawful and what the target does then; everything else, it has to bear: nonsense, a target that
//! never answers or hangs up at every point, many users, ten thousand tasks. Each rule is a name and what broke it.

use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::cases::{Case, Part, Reply};
use super::target::Target;
use super::{Walked, judge, perform, plan, rehearse};
use crate::cli::NativeArgs;
use crate::diagnostic::Diagnostics;
use crate::metrics::sample::FailureKind;
use crate::plan::{Plan, UsedPlugin};
use crate::plugin::instance::error_text::error_text;
use crate::plugin::instance::worker_plugin::{Family, Names};
use crate::plugin::instance::{ConfigureError, Instance};
use crate::plugin::scripting::StepParams;
use crate::script::model::steps;

/// Tasks after which memory is looked at, and again: a heap that is collected takes its time to find its size.
const TASKS: [u64; 2] = [40_000, 50_000];
/// Bytes that may come to it in between.
const BREATH: usize = 1 << 20;
/// Bytes that an instance may have meanwhile: what it settles at is the script's to allow.
const AMPLE: usize = 256 << 20;
/// Users at once.
const USERS: u32 = 8;
/// Longer than any timeout of a step.
const NEVER: Duration = Duration::from_secs(1_000_000);
/// Parts of a case at which the target is made to fail.
const MOST_PARTS: usize = 32;

/// A rule, and what broke it; nothing if it holds.
pub struct Finding {
    /// Its name.
    pub rule: &'static str,
    /// What broke it.
    pub faults: Vec<String>,
}

/// What is held against the rules.
struct Subject<'a> {
    component: &'a Path,
    native: NativeArgs,
    /// The cases whose steps pass.
    lawful: Vec<&'a Case>,
}

/// Holds a component against every rule.
///
/// # Errors
/// The component does not load, or a step of a case is wrong.
pub fn conform(cases: &[Case], component: &Path, native: NativeArgs) -> Result<Vec<Finding>, Diagnostics> {
    let passes = |case: &&Case| !case.expected.fails && case.times.is_none();
    let subject = Subject { component, native, lawful: cases.iter().filter(passes).collect() };
    let rules: [(&'static str, Rule<'_>); 7] = [
        ("describes itself alike each time", Subject::describes),
        ("refuses nonsense without a trap", Subject::refuses),
        ("passes its lawful cases", Subject::passes),
        ("bears a target that never answers", Subject::bears_silence),
        ("bears a target that hangs up", Subject::bears_failure),
        ("serves users side by side", Subject::serves),
        ("keeps no memory of 10,000 tasks", Subject::forgets),
    ];
    rules.into_iter().map(|(rule, check)| Ok(Finding { rule, faults: check(&subject)? })).collect()
}

type Rule<'a> = fn(&Subject<'a>) -> Result<Vec<String>, Diagnostics>;

impl<'a> Subject<'a> {
    fn plan(&self, case: &Case) -> Result<Plan, Diagnostics> {
        plan(&case.script, self.component, self.native, Walked { users: 1, times: 1 })
    }

    /// Walks a case's steps against another target; what broke a promise, and the memory at the end.
    fn walked(&self, case: &Case, walked: Walked, target: Vec<Part>) -> Result<Trial, Diagnostics> {
        Ok(Trial::of(plan(&case.script, self.component, self.native, walked)?, target))
    }

    fn describes(&self) -> Result<Vec<String>, Diagnostics> {
        let Some(case) = self.lawful.first() else {
            return Ok(vec!["no case passes: a conformance test needs a lawful step of each action".into()]);
        };
        let plan = self.plan(case)?;
        let mut faults = Vec::new();
        for used in &plan.plugins {
            let known = &used.plugin.description;
            match instance(&plan, used).and_then(|mut instance| instance.describe()) {
                Ok(again) if format!("{again:?}") != format!("{known:?}") => {
                    faults.push("`describe` says something else the second time".into());
                }
                Ok(_) => {}
                Err(trap) => faults.push(format!("`describe` traps the second time: {}", error_text(&trap))),
            }
            let tried = |action: &str| self.lawful.iter().any(|case| uses(case, action));
            let untried = known.actions.iter().filter(|action| !tried(&action.name));
            faults.extend(untried.map(|action| format!("no case passes that names `{}`", action.name)));
        }
        Ok(faults)
    }

    fn refuses(&self) -> Result<Vec<String>, Diagnostics> {
        let mut faults = Vec::new();
        for case in &self.lawful {
            let plan = self.plan(case)?;
            for used in &plan.plugins {
                faults.extend(used.steps.iter().filter_map(|step| refuses(&plan, used, step)));
            }
        }
        Ok(faults)
    }

    fn passes(&self) -> Result<Vec<String>, Diagnostics> {
        let mut faults = Vec::new();
        for case in &self.lawful {
            let verdict = rehearse(case, self.component, self.native)?;
            faults.extend(verdict.faults.into_iter().map(|fault| format!("{}: {fault}", case.name.value)));
        }
        Ok(faults)
    }

    fn bears_silence(&self) -> Result<Vec<String>, Diagnostics> {
        self.bears(|part| match part.clone() {
            Part::Http(wanted, reply) => vec![Part::Http(wanted, Reply { after: NEVER, ..reply })],
            Part::Bytes { receives, sends, .. } => vec![Part::Bytes { receives, sends, after: NEVER }],
            Part::Closes => vec![Part::Bytes { receives: Vec::new(), sends: Vec::new(), after: NEVER }],
        })
    }

    fn bears_failure(&self) -> Result<Vec<String>, Diagnostics> {
        // A connection that was idle is opened anew without a word, so it takes two.
        self.bears(|_| vec![Part::Closes, Part::Closes])
    }

    /// Has the target fail at each part of each case, then walks the case as it is: the instance must still do its work.
    fn bears(&self, broken: impl Fn(&Part) -> Vec<Part>) -> Result<Vec<String>, Diagnostics> {
        let mut faults = Vec::new();
        for case in &self.lawful {
            for at in 0..case.target.len().min(MOST_PARTS) {
                let mut target = case.target[..at].to_vec();
                target.extend(broken(&case.target[at]));
                // The first of these may go wrong with what is left of the broken one.
                (0..3).for_each(|_| target.extend_from_slice(&case.target));
                let trial = self.walked(case, Walked { users: 1, times: 3 }, target)?;
                let name = &case.name.value;
                faults.extend(trial.faults.iter().map(|fault| format!("{name}, part {}: {fault}", at + 1)));
                if trial.passed == 0 && trial.faults.is_empty() {
                    faults.push(format!("{name}, part {}: nothing passes afterwards", at + 1));
                }
            }
        }
        faults.dedup();
        Ok(faults)
    }

    fn serves(&self) -> Result<Vec<String>, Diagnostics> {
        let mut faults = Vec::new();
        for case in &self.lawful {
            let target = repeated(&case.target, u64::from(USERS) * 4);
            faults.extend(self.walked(case, Walked { users: USERS, times: 4 }, target)?.faults);
        }
        Ok(faults)
    }

    fn forgets(&self) -> Result<Vec<String>, Diagnostics> {
        let Some(case) = self.lawful.first() else { return Ok(Vec::new()) };
        // One that is lost each time would take an hour.
        let few = self.walked(case, Walked { users: 1, times: 10 }, repeated(&case.target, 10))?;
        if !few.faults.is_empty() {
            return Ok(few.faults);
        }
        let (mut faults, mut memory) = (Vec::new(), [0; 2]);
        for (memory, times) in memory.iter_mut().zip(TASKS) {
            let mut plan = plan(&case.script, self.component, self.native, Walked { users: 1, times })?;
            plan.plugins.iter_mut().for_each(|used| used.terms.limits.memory = AMPLE);
            let trial = Trial::of(plan, repeated(&case.target, times));
            faults.extend(trial.faults);
            *memory = trial.memory;
        }
        let [before, after] = memory.map(|bytes| bytes >> 10);
        if memory[1] > memory[0] + BREATH {
            faults.push(format!("{before} KiB after {} tasks, {after} KiB after {}", TASKS[0], TASKS[1]));
        }
        Ok(faults)
    }
}

fn uses(case: &Case, action: &str) -> bool {
    steps(&case.script.steps).iter().any(|step| step.action.as_ref().is_some_and(|named| named.value == action))
}

fn repeated(target: &[Part], times: u64) -> Vec<Part> {
    (0..times).flat_map(|_| target).cloned().collect()
}

fn instance(plan: &Plan, used: &UsedPlugin) -> wasmtime::Result<Instance> {
    let family = Family::new(used.terms.clone(), plan.scripting.clone(), &Names::default());
    Instance::new(&used.plugin.code, Rc::clone(&family))
}

/// Configures one instance with a step whose values are wrong in every way, one after the other.
fn refuses(plan: &Plan, used: &UsedPlugin, step: &StepParams) -> Option<String> {
    let mut instance = match instance(plan, used) {
        Ok(instance) => instance,
        Err(trap) => return Some(format!("it does not start: {}", error_text(&trap))),
    };
    let trapped = |instance: &mut Instance, params: Value| {
        let shown: String = params.to_string().chars().take(80).collect();
        let (name, action) = (step.step.clone(), step.action.clone());
        let step = StepParams { step: name, action, params, environment: None };
        match instance.configure(&step) {
            Err(ConfigureError::Trap(trap)) => Some(format!("`configure` with `{shown}` traps: {}", error_text(&trap))),
            Ok(()) | Err(ConfigureError::Params(_)) => None,
        }
    };
    if let Some(fault) = trapped(&mut instance, json!({})).or_else(|| trapped(&mut instance, json!({"nonsense": 1}))) {
        return Some(fault);
    }
    let keys: Vec<String> = step.params.as_object().into_iter().flat_map(|map| map.keys().cloned()).collect();
    for key in keys {
        for wrong in [
            json!(null),
            json!(true),
            json!(-1),
            json!(1e300),
            json!(""),
            json!("{{nonsense}}"),
            json!("\u{1F600}\\\"\n".repeat(10_000)),
            json!([]),
            json!({"deep": [{"er": null}]}),
        ] {
            let mut params = step.params.clone();
            params[&key] = wrong;
            if let Some(fault) = trapped(&mut instance, params) {
                return Some(fault);
            }
        }
    }
    trapped(&mut instance, step.params.clone()).map(|fault| format!("after nonsense, {fault}"))
}

/// What came of walks against a target that does not say what it thinks of them.
#[derive(Default)]
struct Trial {
    /// Promises that the component broke.
    faults: Vec<String>,
    /// Tasks that passed.
    passed: u64,
    /// Bytes of its memory at the end.
    memory: usize,
}

impl Trial {
    fn of(mut plan: Plan, target: Vec<Part>) -> Self {
        plan.dial = Some(Target::new(target));
        let counted = match perform(&Arc::new(plan)).0 {
            Ok(counted) => counted,
            Err(why) => return Self { faults: vec![why], ..Self::default() },
        };
        let examples = judge::examples(&counted.aggregate).into_iter();
        let broken = examples.filter(|(kind, _)| *kind == FailureKind::Plugin);
        let mut faults: Vec<String> = broken.map(|(_, text)| text).collect();
        if faults.is_empty() && counted.traps > 0 {
            faults.push("it traps when a task is cancelled or a user goes".into());
        }
        Self { faults, passed: counted.aggregate.total().tasks.passed, memory: counted.memory }
    }
}
