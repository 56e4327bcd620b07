//! Checks that every variable that a template or a condition reads is set by a capture or a plugin.

use std::collections::HashSet;

use super::Step;
use super::step_draft::StepDraft;
use crate::diagnostic::{Diagnostic, Diagnostics, Span, suggest};
use crate::plugin::load::plugin_set::PluginSet;
use crate::script::model::Script;
use crate::template::{VariableId, VariableNames};

/// Returns the variables that captures and actions set; `None` if the script has an action whose variables are not
/// known before the run.
pub(crate) fn set_variables(
    names: &VariableNames,
    steps: &[Step],
    drafts: &[StepDraft<'_>],
    plugins: &PluginSet,
) -> Option<HashSet<VariableId>> {
    let by_actions: Vec<_> = drafts.iter().map(|draft| draft.variables_set(plugins)).collect::<Option<_>>()?;
    let captured = steps.iter().flat_map(|step| &step.captures).map(|capture| capture.variable);
    Some(captured.chain(by_actions.concat().into_iter().filter_map(|name| names.lookup(name))).collect())
}

/// Reports variables that are read but are not among those that are `set`.
pub(crate) fn report_unset_variables(
    script: &Script,
    names: &VariableNames,
    set: &HashSet<VariableId>,
    diagnostics: &mut Diagnostics,
) {
    let known: Vec<&str> = names.iter().filter(|(id, _)| set.contains(id)).map(|(_, name)| name).collect();
    for (id, name) in names.iter() {
        if set.contains(&id) {
            continue;
        }
        let mut diagnostic = Diagnostic::new("script::unknown-variable", format!("nothing sets the variable `{name}`"));
        let all = script.sources();
        if let Some((source, span)) = all.iter().find_map(|source| Some((source, first_use(&source.text, name)?))) {
            diagnostic = diagnostic.at(source, span, "read here");
        }
        diagnostics.push(diagnostic.help(match suggest(name, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("capture it from a reply first: `capture: {{{name}: {{json: $.{name}}}}}`"),
        }));
    }
}

/// Returns the place where a template (`{{var name}}`) or a condition (`vars.name`) first reads the variable. Headers
/// of flags are not in the script's text.
fn first_use(text: &str, name: &str) -> Option<Span> {
    text.match_indices("var").find_map(|(at, word)| {
        let rest = &text[at + word.len()..];
        let trimmed = rest.strip_prefix("s.").unwrap_or(rest.trim_start());
        let start = at + word.len() + rest.len() - trimmed.len();
        let ends =
            !trimmed.strip_prefix(name)?.starts_with(|next: char| next.is_alphanumeric() || "_-.".contains(next));
        (start > at + word.len() && ends).then(|| Span { start, end: start + name.len() })
    })
}
