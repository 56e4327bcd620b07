//! The plan in sentences, with what it needs: what `check` prints, before any load.

use std::fmt::Write as _;
use std::time::Duration;

use super::Plan;
use super::needs::Needs;

/// Describes a plan.
pub fn describe(plan: &Plan, needs: &Needs) -> String {
    let mut out = String::new();
    // Writing to a `String` cannot fail.
    let _ = write!(out, "{} walk{} {}", users(plan), if plan.workload.users == 1 { "s" } else { "" }, length(plan));
    let _ = writeln!(out, "{}.", rate(plan));
    if let Some(login) = &plan.login {
        let row = &plan.rows[login.row as usize];
        let _ = writeln!(out, "Before its first step each user signs in: {} (action `{}`).", row.name, row.action);
    }
    let _ = writeln!(out, "Each walk takes {}:", count(plan.steps.len() as u64, "step"));
    for (number, step) in plan.steps.iter().enumerate() {
        let row = &plan.rows[step.row as usize];
        let _ =
            writeln!(out, "  {}. {} (action `{}`, within {})", number + 1, row.name, row.action, time(step.timeout));
    }
    for group in &plan.groups {
        let name = plan.metrics[usize::from(group.duration)].name.trim_end_matches(".duration");
        let _ = writeln!(out, "Steps {} to {} are timed together: {name}.", group.first + 1, group.after);
    }
    if !plan.origins.is_empty() {
        let _ = writeln!(out, "Requests go to {}.", plan.origins.join(", "));
    }
    let grace = humantime::format_duration(plan.workload.graceful_stop);
    let _ = writeln!(out, "At the end requests in flight get {grace} to finish.");
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
        count(plan.workload.users.into(), "user"),
        count(plan.workers as u64, "worker thread"),
        count(needs.connections, "connection"),
        needs.memory >> 20,
        needs.files,
        needs.file_limit
    );
    out
}

fn users(plan: &Plan) -> String {
    let users = count(plan.workload.users.into(), "virtual user");
    if plan.workload.ramp_up.is_zero() {
        return users;
    }
    format!("{users}, begun over {},", humantime::format_duration(plan.workload.ramp_up))
}

fn length(plan: &Plan) -> String {
    let duration = plan.workload.duration.map(humantime::format_duration);
    match (duration, plan.workload.iterations) {
        (Some(duration), None) => format!("the script for {duration}"),
        (Some(duration), Some(most)) => format!("the script {}, for {duration} at most", times(most)),
        (None, most) => format!("the script {}", times(most.unwrap_or(1))),
    }
}

fn rate(plan: &Plan) -> String {
    match plan.workload.rps {
        None => ", as fast as replies come".into(),
        Some(rps) => {
            let all = rps * f64::from(plan.workload.users);
            format!(", each at {rps} rps at most ({all:.1} rps in all)")
        }
    }
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
