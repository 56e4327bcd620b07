//! From what was typed to a plan. Every stage says all its errors at once; nothing is sent and nothing is started but
//! the plugins, which are asked what they offer and given each step to check.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::cli::RunArgs;
use crate::diagnostic::{Diagnostic, Diagnostics, reason};
use crate::http::Tls;
use crate::metrics::aggregate::RowInfo;
use crate::plugin::family::Names;
use crate::plugin::state::Scripting;
use crate::script::model::{Script, Spanned};
use crate::template::{Environment, VariableNames};

use super::data::{self, DataSets};
use super::own::Policy;
use super::plugins::Plugins;
use super::steps::{self, Checked, Draft};
use super::{Plan, Step, groups, header, login, merge, terms, variables};

/// Builds the plan of a run.
///
/// # Errors
/// Everything that is wrong with the script, the flags, the data and the plugins, as far as one depends not on another.
pub fn build(args: &RunArgs, script: &Script) -> Result<Plan, Diagnostics> {
    let mut found = Diagnostics::default();
    let scripting = found.absorb(scripting(args, script));
    let Some(scripting) = scripting.map(Arc::new) else { return Err(found) };
    let mut names = VariableNames::default();
    let headers = found.absorb(header::compile(args, script, &scripting, &mut names)).unwrap_or_default();
    let drafts = drafts(args, script);
    let needed = |action: &str| drafts.iter().any(|draft| draft.action == action);
    let allowed = found.absorb(terms::allowed(&args.allow_host)).unwrap_or_default();
    let plugins = found.absorb(Plugins::load(script, &scripting, policy(args), needed));
    let Some(mut plugins) = plugins else { return Err(found) };
    plugins.allowed = allowed;

    let names = Names::from(names);
    let timeout = merge::timeout(args, script);
    let Checked { steps, used, origins } = match steps::check(&drafts, &plugins, &scripting, &names, timeout) {
        Ok(checked) => checked,
        Err(more) => {
            found.0.extend(more.0);
            return Err(found);
        }
    };
    let mut metrics = names.metrics.borrow().list().to_vec();
    let groups = found.absorb(groups::groups(script, &mut metrics)).unwrap_or_default();
    let names = names.variables.borrow().clone();
    let sets_variables = drafts.iter().any(|draft| {
        let offer = plugins.offering(&draft.action).and_then(|plugin| plugin.action(&draft.action));
        offer.is_some_and(|action| action.sets_variables)
    });
    if !sets_variables {
        variables::unset(script, &names, &steps.iter().collect::<Vec<&Step>>(), &mut found);
    }
    let tls = Tls::load(args.insecure_tls).map_err(|error| Diagnostic::new("internal::tls", error.to_string()))?;
    let workload = merge::workload(args, script);
    found.absorb(data::too_few_rows(&scripting.data, workload.users, &script.data, &script.source));
    let rows = drafts.iter().map(|draft| RowInfo { name: draft.name.clone(), action: draft.action.clone() }).collect();
    let mut steps = steps;
    let login = has_login(args, script).then(|| steps.remove(0));
    found.into_result(Plan {
        script: script.source.name.clone(),
        workload,
        workers: merge::workers(args, workload.users),
        seed: merge::seed(args, script),
        timeout,
        insecure_tls: args.insecure_tls,
        tls,
        dial: None,
        login,
        steps,
        groups,
        rows,
        plugins: used,
        native: plugins.native().map(str::to_owned).collect(),
        scripting,
        variables: names,
        metrics,
        headers,
        origins,
    })
}

const fn policy(args: &RunArgs) -> Policy {
    Policy { locked: args.locked, allow_native: args.native.allow_native }
}

/// What templates and requests are made from.
fn scripting(args: &RunArgs, script: &Script) -> Result<Scripting, Diagnostics> {
    let mut found = Diagnostics::default();
    let folder = folder(&script.source.name);
    let data = found.absorb(data(args, script, &folder));
    let environment = found.absorb(environment(args.env_file.as_deref()).map_err(Diagnostics::from));
    let base_url = found.absorb(merge::base_url(args, script).map_err(Diagnostics::from));
    match (data, environment, base_url) {
        (Some(data), Some(environment), Some(base_url)) => {
            found.into_result(Scripting { data, environment, base_url, folder })
        }
        _ => Err(found),
    }
}

fn data(args: &RunArgs, script: &Script, folder: &Path) -> Result<DataSets, Diagnostics> {
    let files: Vec<_> = args.data.iter().map(|data| (data.name.clone(), data.file.clone())).collect();
    data::load(&script.data, &files, folder, &script.source)
}

/// The folder that the paths of a script are relative to.
pub(super) fn folder(script: &str) -> PathBuf {
    Path::new(script).parent().map(Path::to_path_buf).unwrap_or_default()
}

fn environment(file: Option<&Path>) -> Result<Environment, Diagnostic> {
    let Some(path) = file else { return Ok(Environment::of_process([])) };
    // dotenvy repeats the line in its message, and the line may be a secret.
    let unreadable = |error: dotenvy::Error| {
        let why = match error {
            dotenvy::Error::Io(error) => reason(&error),
            dotenvy::Error::LineParse(_, at) => format!("a line is not `NAME=VALUE` (at its byte {at})"),
            _ => "it is not made of `NAME=VALUE` lines".into(),
        };
        Diagnostic::new("usage::env-file", format!("cannot read `{}`: {why}", path.display()))
    };
    let pairs: Result<Vec<_>, _> = dotenvy::from_path_iter(path).map_err(unreadable)?.collect();
    Ok(Environment::of_process(pairs.map_err(unreadable)?))
}

fn has_login(args: &RunArgs, script: &Script) -> bool {
    args.login_url.is_some() || script.login.is_some()
}

/// The steps as typed, the sign-in first.
fn drafts<'a>(args: &RunArgs, script: &'a Script) -> Vec<Draft<'a>> {
    let typed_login = script.login.as_ref().map(|step| Draft::typed(&script.source, step, "login"));
    let login = login::params(args).map(Draft::login_from_flags).or(typed_login);
    login.into_iter().chain(script.steps.iter().map(|step| Draft::typed(&script.source, step, "http"))).collect()
}

/// The value of an optional setting that was typed.
pub(super) fn typed<T: Copy>(setting: Option<&Spanned<T>>) -> Option<T> {
    setting.map(|setting| setting.value)
}
