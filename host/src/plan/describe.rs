//! The plan in sentences, with what it needs: what `check` prints, before any load.

use std::fmt::Write as _;
use std::time::Duration;

use super::outline::outline;
use super::requirements::Requirements;
use super::workload::{LoadModel, Workload};
use super::{Plan, Scenario};
use crate::http::{Lifespan, Retention};
use crate::pace::ArrivalProcess;

/// Describes a plan.
pub fn describe(plan: &Plan, needs: &Requirements) -> String {
    let mut out = String::new();
    // Writing to a `String` cannot fail.
    if let Some(setup) = &plan.setup {
        let _ = writeln!(out, "Before all load, one user takes {}:", steps(setup));
        out += &outline(plan, &setup.flow);
    }
    for scenario in &plan.scenarios {
        let named = scenario.name.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
        let _ = writeln!(out, "{named}{}.", describe_load(&scenario.workload));
        if let (Some(login), true) = (&plan.login, scenario.first_user == 0) {
            let row = &plan.rows[login.row as usize];
            let _ = writeln!(out, "Before its first step each user signs in: {} (action `{}`).", row.name, row.action);
        }
        let _ = writeln!(out, "Each walk takes {}:", steps(scenario));
        out += &outline(plan, &scenario.flow);
        retention(&mut out, scenario.workload.retention);
    }
    if let Some(teardown) = &plan.teardown {
        let _ = writeln!(out, "After all load, one user takes {}:", steps(teardown));
        out += &outline(plan, &teardown.flow);
    }
    if !plan.origins.is_empty() {
        let origins = plan.script_context.secrets.redact(&plan.origins.join(", "), &[]);
        let _ = writeln!(out, "Requests go to {origins}.");
    }
    if let Some(all) = plan.rps_total {
        let _ = writeln!(out, "All users together send at most {all} requests a second.");
    }
    if !plan.warm_up.is_zero() {
        let _ =
            writeln!(out, "What begins within the first {} is not counted.", humantime::format_duration(plan.warm_up));
    }
    let _ = writeln!(out, "At the end requests in flight get {} to finish.", time(plan.graceful_stop()));
    if !plan.checks.is_empty() {
        let _ = writeln!(out, "Replies are asked {}.", count(plan.checks.len() as u64, "check"));
    }
    for threshold in &plan.thresholds {
        let abort = if threshold.abort.is_some() { ", or the run ends" } else { "" };
        let _ = writeln!(out, "The run passes if {}: {}{abort}.", threshold.metric, threshold.expression);
    }
    if plan.insecure_tls {
        let _ = writeln!(out, "Any TLS certificate is accepted.");
    }
    let _ = writeln!(
        out,
        "Needs: {} on {}, up to {}, about {} MiB of memory, {} open files (the limit is {}).",
        count(plan.users().into(), "user"),
        count(plan.workers as u64, "worker thread"),
        count(needs.connections, "connection"),
        needs.memory >> 20,
        needs.files,
        needs.file_limit
    );
    out
}

/// A load in a sentence, without its full stop.
pub fn describe_load(workload: &Workload) -> String {
    let mut text = match &workload.model {
        LoadModel::Constant { users, spare_users: room, duration, iterations, ramp_up } => {
            let length = match (duration.map(humantime::format_duration), iterations) {
                (Some(duration), None) => format!("the script for {duration}"),
                (Some(duration), Some(most)) => format!("the script {}, for {duration} at most", times(*most)),
                (None, most) => format!("the script {}", times(most.unwrap_or(1))),
            };
            let more = if *room > 0 { format!(", with room for {room} more") } else { String::new() };
            format!("{} {length}{more}", users_phrase(*users, *ramp_up))
        }
        LoadModel::Shared { users, iterations, duration, ramp_up } => {
            let most = duration.map(|most| format!(", for {} at most", humantime::format_duration(most)));
            let all = count(*iterations, "iteration");
            format!("{} {all} of the script between them{}", users_phrase(*users, *ramp_up), most.unwrap_or_default())
        }
        LoadModel::Ramping { users } => {
            format!("up to {} walk the script for {}", count(users.peak() as u64, "virtual user"), time(users.end()))
        }
        LoadModel::Arrivals { rate, spread, max_users, max_wait } => {
            let all = count(rate.area().ceil() as u64, "iteration");
            let about = if *spread == ArrivalProcess::Even { "" } else { "about " };
            let most = format!("{} a second", per_second(rate.peak()));
            let wait = (!max_wait.is_zero())
                .then(|| format!(", for whom they wait {}", humantime::format_duration(*max_wait)));
            let users = count((*max_users).into(), "virtual user");
            format!(
                "{about}{all} of the script begin within {}, up to {most}, with up to {users}{}",
                time(rate.end()),
                wait.unwrap_or_default()
            )
        }
    };
    if !workload.start.is_zero() {
        let _ = write!(text, ", from {} on", humantime::format_duration(workload.start));
    }
    text + &rate(workload)
}

fn users_phrase(users: u32, ramp_up: Duration) -> String {
    let verb = if users == 1 { "walks" } else { "walk" };
    let who = count(users.into(), "virtual user");
    if ramp_up.is_zero() {
        return format!("{who} {verb}");
    }
    format!("{who}, begun over {}, {verb}", humantime::format_duration(ramp_up))
}

fn rate(workload: &Workload) -> String {
    match (workload.rps, &workload.model) {
        (Some(rps), _) => {
            let all = rps * f64::from(workload.users());
            format!(", each at {rps} rps at most ({all:.1} rps in all)")
        }
        (None, LoadModel::Constant { .. } | LoadModel::Shared { .. }) if workload.pace.is_zero() => {
            ", as fast as replies come".into()
        }
        (None, _) if !workload.pace.is_zero() => {
            format!(", each beginning an iteration every {} at most", humantime::format_duration(workload.pace))
        }
        (None, _) => String::new(),
    }
}

fn per_second(rate: f64) -> String {
    format!("{}", (rate * 100.0).round() / 100.0)
}

/// What its users do not keep as long as they are there.
fn retention(out: &mut String, keeps: Retention) {
    if keeps.cookies != Lifespan::User {
        let _ = writeln!(out, "An iteration begins with the cookies of the sign-in alone.");
    }
    match keeps.connections {
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

fn times(number: u64) -> String {
    if number == 1 { "once".into() } else { format!("{number} times") }
}

fn count(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

fn time(nanos: u64) -> humantime::FormattedDuration {
    humantime::format_duration(Duration::from_nanos(nanos))
}
