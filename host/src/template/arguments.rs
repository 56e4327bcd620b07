//! Checks the arguments of a helper against its row in the table: their number and their types. Each check returns the
//! value that it has checked, so nothing is looked at twice.

use super::error::TemplateError;
use super::helpers::Helper;
use super::parse::{Argument, ArgumentValue, HelperCall};

/// Returns the arguments, if there are exactly as many as the helper takes.
pub(super) fn arguments<'e, const COUNT: usize>(
    helper: &Helper,
    expression: HelperCall<'e>,
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

/// Returns the argument at `index`, if it is a whole number.
pub(super) fn integer(helper: &Helper, index: usize, argument: &Argument<'_>) -> Result<i64, TemplateError> {
    match argument.value {
        ArgumentValue::Integer(number, _) => Ok(number),
        _ => Err(wrong_kind(helper, index, argument)),
    }
}

/// Returns the argument at `index`, if it is a number; whole ones beyond 2^53 are rounded.
pub(super) fn number(helper: &Helper, index: usize, argument: &Argument<'_>) -> Result<f64, TemplateError> {
    match argument.value {
        ArgumentValue::Integer(number, _) => Ok(number as f64),
        ArgumentValue::Float(number, _) => Ok(number),
        _ => Err(wrong_kind(helper, index, argument)),
    }
}

/// Returns the only argument, if it is a name. A number has the characters of a name too, but is more often a typing
/// error.
pub(super) fn name<'a>(helper: &Helper, argument: &'a Argument<'_>) -> Result<&'a str, TemplateError> {
    match &argument.value {
        ArgumentValue::Name(word) => Ok(word),
        ArgumentValue::Text(text) => Ok(text),
        ArgumentValue::Integer(_, typed) | ArgumentValue::Float(_, typed) => {
            Err(wrong_kind(helper, 0, argument).help(format!("write `'{typed}'` if it is a name")))
        }
        ArgumentValue::Expression(_) => Err(wrong_kind(helper, 0, argument)),
    }
}

/// Returns the error for an argument at `index` that has another type than the table says.
pub(super) fn wrong_kind(helper: &Helper, index: usize, argument: &Argument<'_>) -> TemplateError {
    let (parameter, kind) = helper.parameters()[index];
    let actual = match &argument.value {
        ArgumentValue::Integer(..) => "an integer",
        ArgumentValue::Float(..) => "a decimal number",
        ArgumentValue::Name(_) => "a bare word",
        ArgumentValue::Text(_) => "a quoted text",
        ArgumentValue::Expression(_) => "a helper in parentheses",
    };
    let message = format!("`{parameter}` of `{}` must be {kind}, not {actual}", helper.name);
    TemplateError { message, help: Some(usage(helper)), span: argument.span }
}

/// Returns the help that shows the whole call as it should look.
fn usage(helper: &Helper) -> String {
    format!("write `{{{{{}}}}}`", helper.signature())
}
