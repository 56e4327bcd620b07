//! Turns a parsed template into one that renders: helpers looked up, arguments checked, names resolved, all that is
//! known now written out.

use super::helpers::{Definition, Shape, helpers};
use super::parse::{Argument, ArgumentValue, Expression, Segment, parse};
use super::render::{Call, Piece};
use super::resolve::{did_you_mean, enumerate};
use super::scope::Scope;
use super::variables::VariableId;
use super::{Template, TemplateError};
use crate::diagnostic::{Span, suggest};

/// See [`Template::compile`].
pub(super) fn compile(source: &str, scope: &mut Scope<'_>) -> Result<Template, TemplateError> {
    let mut compiler = Compiler { scope, reads: Vec::new() };
    let mut pieces = Vec::new();
    for segment in parse(source)? {
        let piece = match segment {
            Segment::Literal(text) => Piece::Text(text.into()),
            Segment::Expression(expression) => compiler.expression(expression)?,
        };
        push(&mut pieces, piece);
    }
    Ok(Template { pieces: pieces.into(), reads: compiler.reads.into() })
}

/// Joins texts, and drops empty ones.
fn push(pieces: &mut Vec<Piece>, piece: Piece) {
    match (pieces.last_mut(), piece) {
        (_, Piece::Text(text)) if text.is_empty() => {}
        (Some(Piece::Text(before)), Piece::Text(text)) => *before = [&**before, &*text].concat().into(),
        (_, piece) => pieces.push(piece),
    }
}

/// What compiling needs and finds on its way.
struct Compiler<'c, 's> {
    scope: &'c mut Scope<'s>,
    reads: Vec<(VariableId, Span)>,
}

impl Compiler<'_, '_> {
    fn expression(&mut self, expression: Expression<'_>) -> Result<Piece, TemplateError> {
        let helper = helpers().iter().find(|helper| helper.name == expression.name);
        let helper = helper.ok_or_else(|| unknown_helper(&expression))?;
        let at = match (expression.arguments.first(), expression.arguments.last()) {
            (Some(first), Some(last)) => Span { start: first.span.start, end: last.span.end },
            _ => expression.span,
        };
        match &helper.shape {
            Shape::Nothing(call) => arguments(helper, expression).map(|[]| plain(call.clone())),
            Shape::Integer(_, make) => {
                let [a] = arguments(helper, expression)?;
                make(integer(helper, 0, &a)?).map(plain).map_err(|mistake| mistake.at(at))
            }
            Shape::Integers(_, make) => {
                let [a, b] = arguments(helper, expression)?;
                make(integer(helper, 0, &a)?, integer(helper, 1, &b)?).map(plain).map_err(|mistake| mistake.at(at))
            }
            Shape::Numbers(_, make) => {
                let [a, b] = arguments(helper, expression)?;
                make(number(helper, 0, &a)?, number(helper, 1, &b)?).map(plain).map_err(|mistake| mistake.at(at))
            }
            Shape::Name(_, make) => {
                let [a] = arguments(helper, expression)?;
                let piece = make(name(helper, &a)?, self.scope).map_err(|mistake| mistake.at(at))?;
                if let Piece::Call(Call::Variable(id), _) = piece {
                    self.reads.push((id, at));
                }
                Ok(piece)
            }
            Shape::Text(encoding) => {
                let [a] = arguments(helper, expression)?;
                Ok(self.text(helper, a)?.encoded(*encoding))
            }
        }
    }

    /// A text as an argument. A bare word could mean the word or the variable of that name, so it is neither.
    fn text(&mut self, helper: &Definition, argument: Argument<'_>) -> Result<Piece, TemplateError> {
        match argument.value {
            ArgumentValue::Expression(inner) => self.expression(inner),
            ArgumentValue::Text(text) => Ok(Piece::Text(text.into())),
            ArgumentValue::Integer(_, typed) | ArgumentValue::Float(_, typed) => Ok(Piece::Text(typed.into())),
            ArgumentValue::Name(word) => {
                let call = if helpers().iter().any(|other| other.name == word) {
                    format!("`({word})` for what the helper renders")
                } else {
                    format!("`(var {word})` for the variable")
                };
                Err(wrong_kind(helper, 0, &argument).help(format!("write {call}, or `'{word}'` for the word itself")))
            }
        }
    }
}

fn plain(call: Call) -> Piece {
    Piece::Call(call, Vec::new())
}

/// As many arguments as the helper takes.
fn arguments<'e, const COUNT: usize>(
    helper: &Definition,
    expression: Expression<'e>,
) -> Result<[Argument<'e>; COUNT], TemplateError> {
    let span = expression.span;
    expression.arguments.try_into().map_err(|given: Vec<_>| {
        let takes = match COUNT {
            0 => "no arguments".to_owned(),
            1 => "1 argument".to_owned(),
            _ => format!("{COUNT} arguments"),
        };
        let message = format!("`{}` takes {takes}, but {} given", helper.name, was_or_were(given.len()));
        TemplateError { message, help: Some(usage(helper)), span }
    })
}

fn was_or_were(count: usize) -> String {
    match count {
        0 => "none is".to_owned(),
        1 => "1 is".to_owned(),
        _ => format!("{count} are"),
    }
}

fn integer(helper: &Definition, index: usize, argument: &Argument<'_>) -> Result<i64, TemplateError> {
    match argument.value {
        ArgumentValue::Integer(number, _) => Ok(number),
        _ => Err(wrong_kind(helper, index, argument)),
    }
}

fn number(helper: &Definition, index: usize, argument: &Argument<'_>) -> Result<f64, TemplateError> {
    match argument.value {
        ArgumentValue::Integer(number, _) => Ok(number as f64),
        ArgumentValue::Float(number, _) => Ok(number),
        _ => Err(wrong_kind(helper, index, argument)),
    }
}

fn name<'a>(helper: &Definition, argument: &'a Argument<'_>) -> Result<&'a str, TemplateError> {
    match &argument.value {
        ArgumentValue::Name(word) => Ok(word),
        ArgumentValue::Text(text) => Ok(text),
        ArgumentValue::Integer(_, typed) | ArgumentValue::Float(_, typed) => {
            Err(wrong_kind(helper, 0, argument).help(format!("write `'{typed}'` if it is a name")))
        }
        ArgumentValue::Expression(_) => Err(wrong_kind(helper, 0, argument)),
    }
}

fn wrong_kind(helper: &Definition, index: usize, argument: &Argument<'_>) -> TemplateError {
    let (parameter, kind) = helper.parameters()[index];
    let found = match &argument.value {
        ArgumentValue::Integer(..) => "an integer",
        ArgumentValue::Float(..) => "a decimal number",
        ArgumentValue::Name(_) => "a bare word",
        ArgumentValue::Text(_) => "a quoted text",
        ArgumentValue::Expression(_) => "a helper in parentheses",
    };
    let message = format!("`{parameter}` of `{}` must be {kind}, not {found}", helper.name);
    TemplateError { message, help: Some(usage(helper)), span: argument.span }
}

fn usage(helper: &Definition) -> String {
    format!("write `{{{{{}}}}}`", helper.signature())
}

/// `{{name}}` for a variable is the likeliest slip where nothing is similar.
fn unknown_helper(expression: &Expression<'_>) -> TemplateError {
    let name = expression.name;
    let all = || helpers().iter().map(|helper| helper.name);
    let help = match suggest(name, all()) {
        Some(near) => did_you_mean(near),
        None if expression.arguments.is_empty() => {
            format!("write `{{{{var {name}}}}}` for a variable; the helpers are {}", enumerate(all(), "and"))
        }
        None => format!("the helpers are {}", enumerate(all(), "and")),
    };
    TemplateError { message: format!("`{name}` is not a helper"), help: Some(help), span: expression.name_span }
}
