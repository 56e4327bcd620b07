//! The links of a scenario's users: reads their traces, and describes them for `check`.

use std::fmt::Write as _;
use std::sync::Arc;

use stampede_time::nanos;

use super::link_trace;
use super::workload::Workload;
use crate::diagnostic::{Diagnostic, Diagnostics, SourceText, io_reason};
use crate::load_model::phrases::time;
use crate::net::{LinkChoice, LinkProfile, LinkSpeed, WeightedLink};
use crate::script::bit_rate::format_bit_rate;
use crate::script::model::{LinkDown, LinkOption, LinkSpec, Script, Spanned};

/// Returns the links of which each user has one; `None` with `link: none`.
///
/// # Errors
/// A trace cannot be read, or is not one.
pub(super) fn choice(spec: &LinkSpec, script: &Script) -> Result<Option<Arc<LinkChoice>>, Diagnostics> {
    let mut diagnostics = Diagnostics::default();
    let options = spec.options.iter().filter_map(|option| diagnostics.absorb(link(option, script))).collect::<Vec<_>>();
    let choice = (!options.is_empty()).then(|| Arc::new(LinkChoice { options }));
    diagnostics.into_result(choice)
}

fn link(option: &LinkOption, script: &Script) -> Result<WeightedLink, Diagnostics> {
    let (speed, trace) = match &option.down {
        LinkDown::Constant(rate) => (LinkSpeed::Constant(*rate), None),
        LinkDown::Trace(file) => {
            let source = read_trace(file, script)?;
            (LinkSpeed::Trace(Arc::new(link_trace::parse(&source)?)), Some(file.value.clone()))
        }
    };
    Ok(WeightedLink { weight: option.weight, profile: LinkProfile { speed, rtt: nanos(option.rtt) }, trace })
}

/// Reads the file of a trace, whose path is relative to the script.
fn read_trace(file: &Spanned<String>, script: &Script) -> Result<Arc<SourceText>, Diagnostic> {
    let path = script.folder().join(&file.value);
    let text = std::fs::read_to_string(&path).map_err(|error| {
        let message = format!("cannot read the trace `{}`: {}", file.value, io_reason(&error));
        Diagnostic::new("script::link-trace", message)
            .at(&script.source, file.span, "this file")
            .help("the path is relative to the script")
    })?;
    Ok(Arc::new(SourceText { name: path.display().to_string(), text }))
}

/// Describes the links of a scenario's users in sentences, each on a line.
pub(super) fn describe(workload: &Workload) -> String {
    let Some(choice) = &workload.link else { return String::new() };
    let mut out = "Each user has a link of its own; times of replies include it.\n".to_owned();
    let total = choice.total();
    for option in &choice.options {
        let share = if choice.options.len() > 1 {
            format!("{:.1} % of the users: ", 100.0 * option.weight / total).replace(".0 %", " %")
        } else {
            String::new()
        };
        // Writing to a `String` cannot fail.
        let _ = writeln!(out, "  {share}{}", describe_link(option));
    }
    out
}

/// Describes one link.
fn describe_link(option: &WeightedLink) -> String {
    let LinkProfile { speed, rtt } = &option.profile;
    let mut text = match speed {
        LinkSpeed::Constant(rate) => format_bit_rate(*rate),
        LinkSpeed::Trace(trace) => format!(
            "`{}` ({} on average, again and again every {})",
            option.trace.as_deref().unwrap_or_default(),
            format_bit_rate((trace.mean() + 500) / 1_000 * 1_000),
            time(trace.length())
        ),
    };
    if *rtt > 0 {
        let _ = write!(text, ", a round trip of {}", time(*rtt));
    }
    text
}
