//! The secrets of a script, which are never shown: environment variables, and secret columns of data sets.

use super::step_draft::StepDraft;
use crate::cli::RunArgs;
use crate::diagnostic::{Diagnostic, Diagnostics, LabeledSpan};
use crate::plugin::script_context::ScriptContext;
use crate::script::model::Script;
use crate::secrets::Secrets;
use crate::template::environment_names;

/// Collects the secrets of a run. Of the environment, only variables that a template reads are secrets.
pub(super) fn collect_secrets(
    args: &RunArgs,
    script: &Script,
    script_context: &ScriptContext,
    drafts: &[StepDraft<'_>],
) -> Secrets {
    let environment = &script_context.environment;
    let typed = script.settings.headers.iter().map(|header| &header.value.value);
    let given = args.header.iter().chain(&args.login_hdr).map(|header| &header.value);
    let names = typed.chain(given).flat_map(|text| environment_names(text));
    let in_headers = names.filter_map(|name| environment.secret(&name).map(str::to_owned));
    let in_steps = drafts.iter().flat_map(|draft| draft.secret_values(environment));
    let credentials = drafts.iter().filter(|draft| draft.action == "login").flat_map(credentials);
    Secrets::new(in_headers.chain(in_steps).chain(credentials), &script_context.data)
}

/// Returns the values of a sign-in's own headers, whole and each part between spaces. The user keeps those of every
/// request.
fn credentials(login: &StepDraft<'_>) -> impl Iterator<Item = String> {
    let headers = login.params()["headers"].as_object().cloned().unwrap_or_default();
    let values = headers.into_iter().filter_map(|(_, value)| value.as_str().map(str::to_owned));
    let typed = values.filter(|value| !value.contains("{{"));
    typed.flat_map(|value| value.split(' ').chain([value.as_str()]).map(str::to_owned).collect::<Vec<_>>())
}

/// Removes secrets from messages. Lines of the script are shown as they are.
pub(super) fn redact(diagnostics: Diagnostics, secrets: &Secrets) -> Diagnostics {
    let hidden = |text: String| secrets.redact(&text, &[]);
    let one = |one: Diagnostic| Diagnostic {
        message: hidden(one.message),
        help: one.help.map(hidden),
        location: one.location.map(|place| LabeledSpan { label: hidden(place.label), ..place }),
        ..one
    };
    Diagnostics(diagnostics.0.into_iter().map(one).collect())
}
