//! Names in templates: which data set, column, variable or environment variable they mean.

use super::draw::Draw;
use super::error::TemplateError;
use super::render::{Call, Piece};
use super::scope::Scope;
use crate::data::{DataId, DataSet, DataSets, Order};
use crate::diagnostic::{Span, suggest};

/// What is wrong with a helper's arguments; the compiler knows where they stand.
#[derive(Debug, PartialEq, Eq)]
pub struct Mistake {
    message: String,
    help: Option<String>,
}

impl Mistake {
    /// A mistake whose message says enough.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None }
    }

    fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// Says where.
    pub fn at(self, span: Span) -> TemplateError {
        TemplateError { message: self.message, help: self.help, span }
    }
}

/// `pick LIST`.
pub fn pick(name: &str, scope: &mut Scope<'_>) -> Result<Piece, Mistake> {
    let piece = cell(name, scope.data, Draw::Pick, Draw::PickOfIteration)?;
    match &piece {
        Piece::Call(Call::Cell { set, .. }, _) if scope.data.set(*set).feed().order == Order::Unique => {
            let mistake = Mistake::new(format!("`pick` could give a row of `{}` twice", scope.data.set(*set).name()));
            Err(mistake.help(format!("its `order` is `unique`: write `next {name}`")))
        }
        _ => Ok(piece),
    }
}

/// `next LIST`.
pub fn next(name: &str, scope: &mut Scope<'_>) -> Result<Piece, Mistake> {
    cell(name, scope.data, Draw::Next, Draw::NextOfIteration)
}

/// `var NAME`. Any name will do: the plan judges whether something sets it.
pub fn variable(name: &str, scope: &mut Scope<'_>) -> Result<Piece, Mistake> {
    Ok(Piece::Call(Call::Variable(scope.variables.intern(name)), Vec::new()))
}

/// `env NAME`, a constant from here on. The value is in no message.
pub fn environment(name: &str, scope: &mut Scope<'_>) -> Result<Piece, Mistake> {
    let missing = || {
        let mistake = Mistake::new(format!("environment variable `{name}` is not set"));
        mistake.help(match suggest(name, scope.environment.names()) {
            Some(near) => did_you_mean(near),
            None => format!("set `{name}`, or give it in a file with `--env-file`"),
        })
    };
    scope.environment.get(name).map(|value| Piece::Text(value.into())).ok_or_else(missing)
}

/// A list draws a row each time; columns share the row of an iteration.
fn cell(name: &str, data: &DataSets, each: Draw, iteration: Draw) -> Result<Piece, Mistake> {
    let (set, column) = find(name, data)?;
    let (draw, column) = column.map_or((each, 0), |column| (iteration, column));
    Ok(Piece::Call(Call::Cell { draw, set, column }, Vec::new()))
}

/// The data set, and the column if one is named. Names may hold dots themselves, so the longest set that fits wins.
fn find(name: &str, data: &DataSets) -> Result<(DataId, Option<usize>), Mistake> {
    if let Some(set) = data.find(name) {
        return whole(name, data.set(set)).map(|()| (set, None));
    }
    for (dot, _) in name.rmatch_indices('.') {
        let (list, wanted) = (&name[..dot], &name[dot + 1..]);
        if let Some(set) = data.find(list) {
            return column(list, wanted, data.set(set)).map(|column| (set, Some(column)));
        }
    }
    Err(no_such_set(name.split('.').next().unwrap_or(name), data))
}

/// Without a column, a list may have one column at most.
fn whole(list: &str, table: &DataSet) -> Result<(), Mistake> {
    match table.columns() {
        [] | [_] => Ok(()),
        columns => {
            let choices = columns.iter().map(|column| format!("{list}.{column}"));
            let mistake = Mistake::new(format!("`{list}` has {} columns, and none is named", columns.len()));
            Err(mistake.help(format!("write {}", enumerate(choices, "or"))))
        }
    }
}

/// The position of a column of a list.
fn column(list: &str, wanted: &str, table: &DataSet) -> Result<usize, Mistake> {
    let columns = table.columns();
    let position = columns.iter().position(|column| column == wanted);
    position.ok_or_else(|| match columns {
        [] => Mistake::new(format!("`{list}` has no columns")).help(format!("write `{list}`")),
        _ => Mistake::new(format!("`{list}` has no column `{wanted}`")).help(
            match suggest(wanted, columns.iter().map(String::as_str)) {
                Some(near) => did_you_mean(near),
                None => format!("the columns are {}", enumerate(columns, "and")),
            },
        ),
    })
}

/// Names the nearest set, or all there are, or how to bring one.
fn no_such_set(list: &str, data: &DataSets) -> Mistake {
    let help = match suggest(list, data.names()) {
        Some(near) => did_you_mean(near),
        None if data.names().next().is_none() => {
            format!("declare it under `data`, or give a file with `--data {list}=FILE`")
        }
        None => format!("the data sets are {}", enumerate(data.names(), "and")),
    };
    Mistake::new(format!("there is no data set `{list}`")).help(help)
}

/// The usual words for a suggestion.
pub fn did_you_mean(name: &str) -> String {
    format!("did you mean `{name}`?")
}

/// "`a`, `b` and `c`".
pub fn enumerate<S: AsRef<str>>(names: impl IntoIterator<Item = S>, last: &str) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{}`", name.as_ref())).collect();
    match names.split_last() {
        Some((end, start)) if !start.is_empty() => format!("{} {last} {end}", start.join(", ")),
        _ => names.concat(),
    }
}
