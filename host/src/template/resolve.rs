//! Resolves the names in templates to data sets, columns, variables and values of the environment.

use super::draw::Draw;
use super::error::TemplateError;
use super::render::{Piece, ResolvedCall};
use super::scope::CompileScope;
use crate::data::{DataId, DataSet, DataSets, Order};
use crate::diagnostic::{Span, suggest};

/// The reason why the values of a helper's arguments are rejected. The compiler adds their place.
#[derive(Debug, PartialEq, Eq)]
pub struct ArgumentError {
    message: String,
    help: Option<String>,
}

impl ArgumentError {
    /// Creates an error without help.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None }
    }

    fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// Adds the place.
    pub fn at(self, span: Span) -> TemplateError {
        TemplateError { message: self.message, help: self.help, span }
    }
}

/// Resolves `pick LIST`.
pub(super) fn pick(name: &str, scope: &mut CompileScope<'_>) -> Result<Piece, ArgumentError> {
    let piece = cell(name, scope.data, Draw::Pick, Draw::PickOfIteration)?;
    match &piece {
        Piece::Call(ResolvedCall::Cell { set, .. }, _) if scope.data.set(*set).feed().order == Order::Unique => {
            let error =
                ArgumentError::new(format!("`pick` could give a row of `{}` twice", scope.data.set(*set).name()));
            Err(error.help(format!("its `order` is `unique`: write `next {name}`")))
        }
        _ => Ok(piece),
    }
}

/// Resolves `next LIST`.
pub(super) fn next(name: &str, scope: &mut CompileScope<'_>) -> Result<Piece, ArgumentError> {
    cell(name, scope.data, Draw::Next, Draw::NextOfIteration)
}

/// Resolves `var NAME`. Any name is accepted: the plan checks that something sets it.
pub(super) fn variable(name: &str, scope: &mut CompileScope<'_>) -> Result<Piece, ArgumentError> {
    Ok(Piece::Call(ResolvedCall::Variable(scope.variables.intern(name)), Vec::new()))
}

/// Resolves `env NAME` to its value, a constant. No message has the value.
pub(super) fn environment(name: &str, scope: &mut CompileScope<'_>) -> Result<Piece, ArgumentError> {
    let missing = || {
        let error = ArgumentError::new(format!("environment variable `{name}` is not set"));
        error.help(match suggest(name, scope.environment.names()) {
            Some(near) => did_you_mean(near),
            None => format!("set `{name}`, or give it in a file with `--env-file`"),
        })
    };
    scope.environment.get(name).map(|value| Piece::Text(value.into())).ok_or_else(missing)
}

/// Resolves a list, which draws a row each time, or a column, which shares the row of its iteration.
fn cell(name: &str, data: &DataSets, each: Draw, iteration: Draw) -> Result<Piece, ArgumentError> {
    let (set, column) = find_set_and_column(name, data)?;
    let (draw, column) = column.map_or((each, 0), |column| (iteration, column));
    Ok(Piece::Call(ResolvedCall::Cell { draw, set, column }, Vec::new()))
}

/// Finds the data set, and the column if one is named. Names may hold dots themselves, so the longest set name that
/// fits wins.
fn find_set_and_column(name: &str, data: &DataSets) -> Result<(DataId, Option<usize>), ArgumentError> {
    if let Some(set) = data.find(name) {
        return require_single_column(name, data.set(set)).map(|()| (set, None));
    }
    for (dot, _) in name.rmatch_indices('.') {
        let (list, column_name) = (&name[..dot], &name[dot + 1..]);
        if let Some(set) = data.find(list) {
            return column(list, column_name, data.set(set)).map(|column| (set, Some(column)));
        }
    }
    Err(unknown_set(name.split('.').next().unwrap_or(name), data))
}

/// Rejects a list of several columns of which none is named.
fn require_single_column(list: &str, table: &DataSet) -> Result<(), ArgumentError> {
    match table.columns() {
        [] | [_] => Ok(()),
        columns => {
            let choices = columns.iter().map(|column| format!("{list}.{column}"));
            let error = ArgumentError::new(format!("`{list}` has {} columns, and none is named", columns.len()));
            Err(error.help(format!("write {}", enumerate(choices, "or"))))
        }
    }
}

/// Returns the position of a column of a list.
fn column(list: &str, name: &str, table: &DataSet) -> Result<usize, ArgumentError> {
    let columns = table.columns();
    let position = columns.iter().position(|column| column == name);
    position.ok_or_else(|| match columns {
        [] => ArgumentError::new(format!("`{list}` has no columns")).help(format!("write `{list}`")),
        _ => ArgumentError::new(format!("`{list}` has no column `{name}`")).help(
            match suggest(name, columns.iter().map(String::as_str)) {
                Some(near) => did_you_mean(near),
                None => format!("the columns are {}", enumerate(columns, "and")),
            },
        ),
    })
}

/// Returns an error that names the nearest set, or all sets, or the ways to declare one.
fn unknown_set(list: &str, data: &DataSets) -> ArgumentError {
    let help = match suggest(list, data.names()) {
        Some(near) => did_you_mean(near),
        None if data.names().next().is_none() => {
            format!("declare it under `data`, or give a file with `--data {list}=FILE`")
        }
        None => format!("the data sets are {}", enumerate(data.names(), "and")),
    };
    ArgumentError::new(format!("there is no data set `{list}`")).help(help)
}

/// Returns a suggestion in the usual words.
pub(super) fn did_you_mean(name: &str) -> String {
    format!("did you mean `{name}`?")
}

/// Lists names, as in "`a`, `b` and `c`".
pub(super) fn enumerate<S: AsRef<str>>(names: impl IntoIterator<Item = S>, last: &str) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{}`", name.as_ref())).collect();
    match names.split_last() {
        Some((end, start)) if !start.is_empty() => format!("{} {last} {end}", start.join(", ")),
        _ => names.concat(),
    }
}
