//! Turns a parsed template into one that renders: helpers looked up, arguments checked, names resolved, all that is
//! known now written out.

use super::arguments::{arguments, integer, name, number, wrong_kind};
use super::compiled::Template;
use super::error::TemplateError;
use super::helpers::{Helper, HelperKind, helpers};
use super::parse::{Argument, ArgumentValue, HelperCall, TemplateSegment, parse};
use super::render::{Piece, ResolvedCall};
use super::resolve::{did_you_mean, enumerate};
use super::scope::CompileScope;
use super::variables::VariableId;
use crate::diagnostic::{Span, suggest};

impl Template {
    /// Compiles a text. One without `{{` is a template of itself.
    ///
    /// # Errors
    /// The first mistake in the text.
    pub fn compile(source: &str, scope: &mut CompileScope<'_>) -> Result<Self, TemplateError> {
        let mut compiler = Compiler { scope, reads: Vec::new() };
        let mut pieces = PieceBuilder::default();
        for segment in parse(source)? {
            match segment {
                TemplateSegment::Literal(text) => pieces.text.push_str(text),
                TemplateSegment::Expression(expression) => pieces.push(compiler.expression(expression)?),
            }
        }
        Ok(Self { pieces: pieces.finish(), variable_reads: compiler.reads.into() })
    }
}

/// Collects pieces, joining neighbouring texts and dropping empty ones, so that a template without calls ends up as the
/// one text that [`Template::constant`] looks for.
#[derive(Default)]
struct PieceBuilder {
    done: Vec<Piece>,
    /// Text since the last call.
    text: String,
}

impl PieceBuilder {
    fn push(&mut self, piece: Piece) {
        match piece {
            Piece::Text(text) => self.text.push_str(&text),
            Piece::Call(..) => {
                self.flush();
                self.done.push(piece);
            }
        }
    }

    fn flush(&mut self) {
        if !self.text.is_empty() {
            self.done.push(Piece::Text(std::mem::take(&mut self.text).into()));
        }
    }

    fn finish(mut self) -> Box<[Piece]> {
        self.flush();
        self.done.into()
    }
}

/// What compiling needs and finds on its way.
struct Compiler<'c, 's> {
    scope: &'c mut CompileScope<'s>,
    /// Every `var` so far, nested ones included.
    reads: Vec<(VariableId, Span)>,
}

impl Compiler<'_, '_> {
    /// Makes a piece of a helper and its arguments. What a helper says about their values is underlined from the first
    /// to the last of them.
    fn expression(&mut self, expression: HelperCall<'_>) -> Result<Piece, TemplateError> {
        let helper = helpers().iter().find(|helper| helper.name == expression.name);
        let helper = helper.ok_or_else(|| unknown_helper(&expression))?;
        let at = match (expression.arguments.first(), expression.arguments.last()) {
            (Some(first), Some(last)) => Span { start: first.span.start, end: last.span.end },
            _ => expression.span,
        };
        match &helper.kind {
            HelperKind::NoArguments(call) => arguments(helper, expression).map(|[]| unencoded(call.clone())),
            HelperKind::Integer(_, make) => {
                let [a] = arguments(helper, expression)?;
                make(integer(helper, 0, &a)?).map(unencoded).map_err(|error| error.at(at))
            }
            HelperKind::Integers(_, make) => {
                let [a, b] = arguments(helper, expression)?;
                make(integer(helper, 0, &a)?, integer(helper, 1, &b)?).map(unencoded).map_err(|mistake| mistake.at(at))
            }
            HelperKind::Numbers(_, make) => {
                let [a, b] = arguments(helper, expression)?;
                make(number(helper, 0, &a)?, number(helper, 1, &b)?).map(unencoded).map_err(|mistake| mistake.at(at))
            }
            HelperKind::Name(_, make) => {
                let [a] = arguments(helper, expression)?;
                let piece = make(name(helper, &a)?, self.scope).map_err(|mistake| mistake.at(at))?;
                if let Piece::Call(ResolvedCall::Variable(id), _) = piece {
                    self.reads.push((id, at));
                }
                Ok(piece)
            }
            HelperKind::Text(encoding) => {
                let [a] = arguments(helper, expression)?;
                Ok(self.text(helper, a)?.encoded(*encoding))
            }
        }
    }

    /// A text as an argument. A bare word could mean the word or the variable of that name, so it is neither.
    fn text(&mut self, helper: &Helper, argument: Argument<'_>) -> Result<Piece, TemplateError> {
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

/// A call whose text is not encoded.
fn unencoded(call: ResolvedCall) -> Piece {
    Piece::Call(call, Vec::new())
}

/// `{{name}}` for a variable is the likeliest slip where nothing is similar.
fn unknown_helper(expression: &HelperCall<'_>) -> TemplateError {
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
