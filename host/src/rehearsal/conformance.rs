//! `plugin test --conformance`: tests a component against the contract, in whatever language it is written. Its cases
//! define valid steps and the target's behaviour for them. The component must also survive everything else: nonsense, a
//! target that never answers or hangs up at any point, many users, ten thousand tasks. A rule has a name and its
//! faults.

use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::byte_pattern::BytePattern;
use super::cases::{Case, TargetPart, TargetReply};
use super::scripted_target::ScriptedTarget;
use super::{RehearsalLoad, build_plan, evaluate, rehearse, run_in_virtual_time};
use crate::cli::NativeArgs;
use crate::diagnostic::Diagnostics;
use crate::metrics::sample::FailureKind;
use crate::plan::{Plan, PlannedPlugin};
use crate::plugin::instance::error_text::error_text;
use crate::plugin::instance::worker_plugin::{SharedNames, WorkerPlugin};
use crate::plugin::instance::{ConfigureError, Instance};
use crate::plugin::script_context::StepParams;
use crate::script::model::steps;

/// The numbers of tasks after which memory is measured: a garbage-collected heap needs time to reach its size.
const TASK_COUNTS: [u64; 2] = [40_000, 50_000];
/// The bytes by which memory may grow in between.
const MAX_GROWTH: usize = 1 << 20;
/// The bytes that an instance may use in this test: a script may allow as much as the instance settles at.
const MEMORY_LIMIT: usize = 256 << 20;
/// The number of concurrent users.
const CONCURRENT_USERS: u32 = 8;
/// A delay that is longer than any timeout of a step.
const NEVER_REPLIES: Duration = Duration::from_secs(1_000_000);
/// The number of parts of a case at which the target is made to fail.
const MAX_PARTS: usize = 32;
/// The number of tasks that time out in a row: more than the sockets that a user may have.
const CANCELLED_TASKS: u64 = 65;

/// The result of a rule.
pub(crate) struct RuleResult {
    /// Its name.
    pub rule: &'static str,
    /// The ways in which it was broken; none if it holds. `None` if the cases give nothing to try it with.
    pub faults: Option<Vec<String>>,
}

/// The component that is tested against the rules.
struct ConformanceSubject<'a> {
    component: &'a Path,
    native: NativeArgs,
    /// The cases whose steps pass.
    passing_cases: Vec<&'a Case>,
}

/// Tests a component against every rule.
///
/// # Errors
/// The component does not load, or a step of a case is wrong.
pub(crate) fn check_conformance(
    cases: &[Case],
    component: &Path,
    native: NativeArgs,
) -> Result<Vec<RuleResult>, Diagnostics> {
    let passes = |case: &&Case| !case.expectation.expects_failure && case.times.is_none() && case.ends_after.is_none();
    let subject = ConformanceSubject { component, native, passing_cases: cases.iter().filter(passes).collect() };
    let rules: [(&'static str, ConformanceRule<'_>); 8] = [
        ("describes itself identically each time", ConformanceSubject::check_describe),
        ("refuses nonsense without a trap", ConformanceSubject::check_bad_params),
        ("passes its valid cases", ConformanceSubject::check_cases),
        ("survives a target that never answers", ConformanceSubject::check_silent_target),
        ("survives a target that hangs up", ConformanceSubject::check_closing_target),
        ("closes the sockets of cancelled tasks", ConformanceSubject::check_cancelled_sockets),
        ("serves concurrent users", ConformanceSubject::check_concurrent_users),
        ("leaks no memory over 10,000 tasks", ConformanceSubject::check_memory),
    ];
    rules.into_iter().map(|(rule, check)| Ok(RuleResult { rule, faults: check(&subject)? })).collect()
}

type ConformanceRule<'a> = fn(&ConformanceSubject<'a>) -> Result<Option<Vec<String>>, Diagnostics>;

impl<'a> ConformanceSubject<'a> {
    fn plan(&self, case: &Case) -> Result<Plan, Diagnostics> {
        build_plan(&case.script, self.component, self.native, RehearsalLoad::one(1))
    }

    /// Walks a case's steps against another target, and returns the faults and the memory at the end.
    fn run_case(
        &self,
        case: &Case,
        walked: RehearsalLoad,
        target: Vec<TargetPart>,
    ) -> Result<RehearsalTrial, Diagnostics> {
        let plan = build_plan(&case.script, self.component, self.native, walked)?;
        Ok(RehearsalTrial::run(plan, ScriptedTarget::new(target, &case.alpn)))
    }

    fn check_describe(&self) -> Result<Option<Vec<String>>, Diagnostics> {
        let Some(case) = self.passing_cases.first() else {
            return Ok(Some(vec!["no case passes: a conformance test needs a valid step of each action".into()]));
        };
        let plan = self.plan(case)?;
        let mut faults = Vec::new();
        for used in &plan.runtime.plugins {
            let known = &used.plugin.description;
            match new_instance(&plan, used).and_then(|mut instance| instance.describe()) {
                Ok(again) if format!("{again:?}") != format!("{known:?}") => {
                    faults.push("`describe` returns something else the second time".into());
                }
                Ok(_) => {}
                Err(trap) => faults.push(format!("`describe` traps the second time: {}", error_text(&trap))),
            }
            let tried = |action: &str| self.passing_cases.iter().any(|case| uses_action(case, action));
            let untried = known.actions.iter().filter(|action| !tried(&action.name));
            faults.extend(untried.map(|action| format!("no passing case uses `{}`", action.name)));
        }
        Ok(Some(faults))
    }

    /// Returns the faults of a rule, if there is a passing case to try it with.
    fn with_cases(&self, faults: Vec<String>) -> Option<Vec<String>> {
        (!self.passing_cases.is_empty()).then_some(faults)
    }

    fn check_bad_params(&self) -> Result<Option<Vec<String>>, Diagnostics> {
        let mut faults = Vec::new();
        for case in &self.passing_cases {
            let plan = self.plan(case)?;
            for used in &plan.runtime.plugins {
                faults.extend(used.steps.iter().filter_map(|step| find_configure_trap(&plan, used, step)));
            }
        }
        Ok(self.with_cases(faults))
    }

    fn check_cases(&self) -> Result<Option<Vec<String>>, Diagnostics> {
        let mut faults = Vec::new();
        for case in &self.passing_cases {
            let verdict = rehearse(case, self.component, self.native)?;
            faults.extend(verdict.faults.into_iter().map(|fault| format!("{}: {fault}", case.name.value)));
        }
        Ok(self.with_cases(faults))
    }

    fn check_silent_target(&self) -> Result<Option<Vec<String>>, Diagnostics> {
        self.check_failing_target(|part| vec![unanswered(part)])
    }

    fn check_closing_target(&self) -> Result<Option<Vec<String>>, Diagnostics> {
        // A kept connection that was closed is silently opened again, so it takes two.
        self.check_failing_target(|_| vec![TargetPart::Close, TargetPart::Close])
    }

    /// Makes the target fail at each part of each case, then walks the case unchanged: the instance must still work.
    fn check_failing_target(
        &self,
        broken: impl Fn(&TargetPart) -> Vec<TargetPart>,
    ) -> Result<Option<Vec<String>>, Diagnostics> {
        let (mut faults, mut is_tried) = (Vec::new(), false);
        for case in &self.passing_cases {
            for at in 0..case.target.len().min(MAX_PARTS) {
                is_tried = true;
                let mut target = case.target[..at].to_vec();
                target.extend(broken(&case.target[at]));
                // The first of these may still fail because of the broken one.
                (0..3).for_each(|_| target.extend_from_slice(&case.target));
                let trial = self.run_case(case, RehearsalLoad::one(3), target)?;
                let name = &case.name.value;
                faults.extend(trial.faults.iter().map(|fault| format!("{name}, part {}: {fault}", at + 1)));
                if trial.passed == 0 && trial.faults.is_empty() {
                    faults.push(format!("{name}, part {}: no task passes afterwards", at + 1));
                }
            }
        }
        faults.dedup();
        Ok(is_tried.then_some(faults))
    }

    /// Lets one user's tasks time out more often than it may have sockets, at each part of each case, then walks the
    /// case unchanged.
    fn check_cancelled_sockets(&self) -> Result<Option<Vec<String>>, Diagnostics> {
        let (mut faults, mut is_tried) = (Vec::new(), false);
        for case in self.passing_cases.iter().filter(|case| case.target.iter().any(is_of_socket)) {
            for at in 0..case.target.len().min(MAX_PARTS) {
                let mut round = case.target[..at].to_vec();
                round.push(unanswered(&case.target[at]));
                let mut target = repeated(&round, CANCELLED_TASKS);
                target.extend(repeated(&case.target, 3));
                let walked = RehearsalLoad::one(CANCELLED_TASKS + 3);
                let trial = self.run_case(case, walked, target)?;
                let name = &case.name.value;
                faults.extend(trial.faults.iter().map(|fault| format!("{name}, part {}: {fault}", at + 1)));
                // A plugin that keeps its connection asks for the parts in another order.
                let all_timed_out = trial.timed_out >= CANCELLED_TASKS;
                is_tried |= all_timed_out || !trial.faults.is_empty();
                if all_timed_out && trial.passed == 0 && trial.faults.is_empty() {
                    faults.push(format!("{name}, part {}: no task passes after {CANCELLED_TASKS} timeouts", at + 1));
                }
            }
        }
        faults.dedup();
        Ok(is_tried.then_some(faults))
    }

    fn check_concurrent_users(&self) -> Result<Option<Vec<String>>, Diagnostics> {
        let mut faults = Vec::new();
        for case in &self.passing_cases {
            let target = repeated(&case.target, u64::from(CONCURRENT_USERS) * 4);
            faults.extend(
                self.run_case(case, RehearsalLoad { users: CONCURRENT_USERS, ..RehearsalLoad::one(4) }, target)?.faults,
            );
        }
        Ok(self.with_cases(faults))
    }

    fn check_memory(&self) -> Result<Option<Vec<String>>, Diagnostics> {
        let Some(case) = self.passing_cases.first() else { return Ok(None) };
        // If the instance were lost each time, this would take an hour.
        let few = self.run_case(case, RehearsalLoad::one(10), repeated(&case.target, 10))?;
        if !few.faults.is_empty() {
            return Ok(Some(few.faults));
        }
        // Each task would take its whole timeout.
        if few.passed == 0 {
            return Ok(None);
        }
        let (mut faults, mut memory) = (Vec::new(), [0; 2]);
        for (memory, times) in memory.iter_mut().zip(TASK_COUNTS) {
            let mut plan = build_plan(&case.script, self.component, self.native, RehearsalLoad::one(times))?;
            plan.runtime.plugins.iter_mut().for_each(|used| used.policy.limits.memory = MEMORY_LIMIT);
            let trial = RehearsalTrial::run(plan, ScriptedTarget::new(repeated(&case.target, times), &case.alpn));
            faults.extend(trial.faults);
            *memory = trial.memory;
        }
        let [before, after] = memory.map(|bytes| bytes >> 10);
        if memory[1] > memory[0] + MAX_GROWTH {
            faults.push(format!("{before} KiB after {} tasks, {after} KiB after {}", TASK_COUNTS[0], TASK_COUNTS[1]));
        }
        Ok(Some(faults))
    }
}

/// Returns a part with which the target falls silent.
fn unanswered(part: &TargetPart) -> TargetPart {
    match part.clone() {
        TargetPart::Http(request, reply) => TargetPart::Http(request, TargetReply { after: NEVER_REPLIES, ..reply }),
        TargetPart::Bytes { receives, sends, .. } => TargetPart::Bytes { receives, sends, after: NEVER_REPLIES },
        TargetPart::Secure { succeeds, .. } => TargetPart::Secure { succeeds, after: NEVER_REPLIES },
        TargetPart::Close => {
            TargetPart::Bytes { receives: BytePattern::default(), sends: BytePattern::default(), after: NEVER_REPLIES }
        }
    }
}

/// Returns `true` if a part is of a conversation over a socket.
fn is_of_socket(part: &TargetPart) -> bool {
    matches!(part, TargetPart::Bytes { .. })
}

fn uses_action(case: &Case, action: &str) -> bool {
    steps(&case.script.steps).iter().any(|step| step.action.as_ref().is_some_and(|named| named.value == action))
}

fn repeated(target: &[TargetPart], times: u64) -> Vec<TargetPart> {
    (0..times).flat_map(|_| target).cloned().collect()
}

fn new_instance(plan: &Plan, used: &PlannedPlugin) -> wasmtime::Result<Instance> {
    let worker_plugin =
        WorkerPlugin::new(used.policy.clone(), plan.runtime.script_context.clone(), &SharedNames::default());
    Instance::new(&used.plugin.code, Rc::clone(&worker_plugin))
}

/// Configures one instance with a step, each of whose values is wrong in every way in turn; returns the first trap.
fn find_configure_trap(plan: &Plan, used: &PlannedPlugin, step: &StepParams) -> Option<String> {
    let mut instance = match new_instance(plan, used) {
        Ok(instance) => instance,
        Err(trap) => return Some(format!("it does not start: {}", error_text(&trap))),
    };
    let trapped = |instance: &mut Instance, params: Value| {
        let shown: String = params.to_string().chars().take(80).collect();
        let (name, action, json) = (step.step.clone(), step.action.clone(), params.to_string());
        let step = StepParams { step: name, row: 0, action, params, json, environment: None };
        match instance.configure(&step) {
            Err(ConfigureError::Trap(trap)) => Some(format!("`configure` with `{shown}` traps: {}", error_text(&trap))),
            Ok(_) | Err(ConfigureError::Params(_)) => None,
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

/// The result of iterations against a target whose own faults do not count.
#[derive(Default)]
struct RehearsalTrial {
    /// Faults of the component.
    faults: Vec<String>,
    /// Tasks that passed.
    passed: u64,
    /// Failures of category `timeout`.
    timed_out: u64,
    /// Its memory at the end, in bytes.
    memory: usize,
}

impl RehearsalTrial {
    fn run(mut plan: Plan, target: Arc<ScriptedTarget>) -> Self {
        plan.runtime.dial = Some(target);
        let counted = match run_in_virtual_time(&Arc::new(plan)).result {
            Ok(counted) => counted,
            Err(why) => return Self { faults: vec![why], ..Self::default() },
        };
        let examples = evaluate::examples(&counted.aggregate).into_iter();
        let broken = examples.filter(|(kind, _)| *kind == FailureKind::Plugin);
        let mut faults: Vec<String> = broken.map(|(_, text)| text).collect();
        if faults.is_empty() && counted.traps > 0 {
            faults.push("it traps when a task is cancelled or a user leaves".into());
        }
        let total = counted.aggregate.total();
        let timed_out = total.err[FailureKind::Timeout as usize];
        Self { faults, passed: total.tasks.passed, timed_out, memory: counted.memory }
    }
}
