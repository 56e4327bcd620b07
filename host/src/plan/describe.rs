//! The output of `check`: a plan in sentences, with its requirements.

use std::fmt::Write as _;

use super::data_summary::data_summary;
use super::links;
use super::outline::outline;
use super::requirements::Requirements;
use super::workload::Workload;
use super::{Plan, PlannedPlugin, Scenario};
use crate::http::{Lifespan, Retention};
use crate::load_model::phrases::{count, time};
use crate::load_model::{IterationRule, SelfPacedRule, UserCount};
use crate::net::Grant;
use crate::plugin::script_context::ScriptContext;
use crate::user::BodyNeed;
use crate::user::limits::SOCKETS;

/// Describes a plan and its requirements.
pub(crate) fn describe(plan: &Plan, needs: &Requirements) -> String {
    let mut out = String::new();
    // Writing to a `String` cannot fail.
    let alone = if plan.segment.is_whole() { "one user" } else { "one user of each segment" };
    if let Some(setup) = &plan.setup {
        let _ = writeln!(out, "Before all load, {alone} takes {}:", steps(setup));
        out += &outline(plan, &setup.flow);
    }
    for scenario in &plan.scenarios {
        let named = scenario.name.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
        let _ = writeln!(out, "{named}{}.", describe_load(scenario));
        if let (Some(login), true) = (&plan.login, scenario.first_user == 0) {
            let row = &plan.rows[login.row as usize];
            let _ = writeln!(out, "Before its first step each user signs in: {} (action `{}`).", row.name, row.action);
        }
        let _ = writeln!(out, "Each walk takes {}:", steps(scenario));
        out += &outline(plan, &scenario.flow);
        retention(&mut out, scenario.workload.retention);
        out += &links::describe(&scenario.workload);
    }
    if let Some(teardown) = &plan.teardown {
        let _ = writeln!(out, "After all load, {alone} takes {}:", steps(teardown));
        out += &outline(plan, &teardown.flow);
    }
    let ScriptContext { data, secrets, .. } = &*plan.runtime.script_context;
    for set in data.iter() {
        let _ = writeln!(out, "{}", data_summary(set, secrets));
    }
    if !plan.origins.is_empty() {
        let origins = secrets.redact(&plan.origins.join(", "), &[]);
        let _ = writeln!(out, "Requests go to {origins}.");
    }
    out += &granted_hosts(plan);
    if let Some(all) = plan.rps_total {
        let _ = writeln!(out, "All users together send at most {all} requests a second.");
    }
    if !plan.warm_up.is_zero() {
        let _ = writeln!(
            out,
            "Requests that begin within the first {} are not counted.",
            humantime::format_duration(plan.warm_up)
        );
    }
    let _ = writeln!(out, "At the end requests in flight get {} to finish.", time(plan.graceful_stop()));
    if !plan.checks.is_empty() {
        let _ = writeln!(out, "Replies are tested by {}.", count(plan.checks.len() as u64, "check"));
    }
    for threshold in &plan.thresholds {
        let abort = if threshold.abort.is_some() { ", or the run ends" } else { "" };
        let _ = writeln!(out, "The run passes if {}: {}{abort}.", threshold.metric, threshold.expression);
    }
    if plan.insecure_tls {
        let _ = writeln!(out, "Any TLS certificate is accepted.");
    }
    if plan.steps.iter().any(|step| step.body_need > BodyNeed::Unread) {
        let most = plan.runtime.body_budget.size() >> 20;
        let _ = writeln!(out, "Contents of replies that are kept may take {most} MiB in all; more fail their step.");
    }
    out += &segment(plan);
    let limit = needs.file_limit.map_or_else(|| "there is no limit".into(), |limit| format!("the limit is {limit}"));
    let _ = writeln!(
        out,
        "Needs: {} on {}, up to {}{}, about {} MiB of memory, {} open files ({limit}).",
        count(plan.own_users().into(), "user"),
        count(plan.workers as u64, "worker thread"),
        count(needs.connections, "connection"),
        more_connections(plan),
        needs.memory >> 20,
        needs.files
    );
    out
}

/// Describes the part of the run that this process carries out; empty if it is the whole run.
fn segment(plan: &Plan) -> String {
    if plan.segment.is_whole() {
        return String::new();
    }
    let (number, all) = (plan.segment.number(), plan.segment.count());
    let (own, users) = (plan.own_users(), count(plan.users().into(), "user"));
    let setup = if plan.setup.is_some() || plan.teardown.is_some() {
        " Set-up and teardown are walked in every segment, for its own users."
    } else {
        ""
    };
    format!("This is segment {number} of {all}: {own} of {users}, their iterations and their rows of data.{setup}\n")
}

/// Describes which hosts the script's own plugins may reach, and which the built-in ones may reach beside those of the
/// script's URLs.
fn granted_hosts(plan: &Plan) -> String {
    let mut out = String::new();
    let secrets = &plan.runtime.script_context.secrets;
    for PlannedPlugin { plugin, policy, .. } in &plan.runtime.plugins {
        let mut hosts: Vec<String> = policy.grants.iter().map(Grant::to_string).collect();
        if plugin.is_builtin {
            hosts.retain(|host| !plan.origins.iter().any(|origin| origin_is(origin, host)));
        }
        hosts.dedup();
        let (name, hosts) = (&policy.name, secrets.redact(&hosts.join(", "), &[]));
        match hosts.is_empty() {
            true if plugin.is_builtin || plugin.is_native() => {}
            // Writing to a `String` cannot fail.
            true => _ = writeln!(out, "Plugin `{name}` may reach no host: `allow` in its entry grants some."),
            false => _ = writeln!(out, "Plugin `{name}` may reach {hosts}."),
        }
    }
    out
}

/// Returns `true` if an origin is of this host and port.
fn origin_is(origin: &str, host: &str) -> bool {
    let Some((scheme, rest)) = origin.split_once("://") else { return false };
    rest == host || host.strip_suffix(if scheme == "https" { ":443" } else { ":80" }) == Some(rest)
}

/// Names the script's own plugins that may open connections by themselves, whose number is not known before the run.
fn more_connections(plan: &Plan) -> String {
    let opening = plan.runtime.plugins.iter().filter(|used| !used.plugin.is_builtin && used.plugin.opens_sockets);
    let names: Vec<String> = opening.map(|used| format!("`{}`", used.policy.name)).collect();
    match names.as_slice() {
        [] => String::new(),
        [name] => format!(" and those that plugin {name} opens (up to {SOCKETS} a user)"),
        names => format!(" and those that plugins {} open (up to {SOCKETS} a user each)", names.join(", ")),
    }
}

/// Describes a load in a sentence without its period.
pub(crate) fn describe_load(scenario: &Scenario) -> String {
    let workload = &scenario.workload;
    let mut text = workload.model.describe();
    if !workload.start.is_zero() {
        let _ = write!(text, ", from {} on", humantime::format_duration(workload.start));
    }
    text + &limits(workload, scenario.flow.has_think_time())
}

/// Describes the limits on a load's users, or the lack of any.
fn limits(workload: &Workload, has_think_time: bool) -> String {
    if let Some(rps) = workload.rps {
        let all = rps * f64::from(workload.users());
        return format!(", each at {rps} rps at most ({all:.1} rps in all)");
    }
    if !workload.pace.is_zero() {
        return format!(", each beginning an iteration every {} at most", humantime::format_duration(workload.pace));
    }
    match workload.rule() {
        IterationRule::SelfPaced(SelfPacedRule { users: UserCount::Constant { .. }, .. }) => {
            if has_think_time {
                String::new()
            } else {
                ", as fast as replies come".into()
            }
        }
        IterationRule::SelfPaced(SelfPacedRule { users: UserCount::Profile(_), .. }) | IterationRule::Arrivals(_) => {
            String::new()
        }
    }
}

/// Describes what users do not keep from one iteration or request to the next.
fn retention(out: &mut String, retention: Retention) {
    if retention.cookies != Lifespan::User {
        let _ = writeln!(out, "An iteration begins with the cookies of the sign-in alone.");
    }
    match retention.connections {
        Lifespan::User => {}
        Lifespan::Iteration => {
            let _ = writeln!(out, "A user's connections are closed when an iteration begins.");
        }
        Lifespan::Request => {
            let _ = writeln!(out, "Each request has a connection of its own.");
        }
    }
}

fn steps(scenario: &Scenario) -> String {
    count(scenario.flow.steps() as u64, "step")
}
