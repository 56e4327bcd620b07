//! Turns a parsed template into one that renders: looks up helpers, checks arguments, resolves names, and writes out
//! the text that is known already.

use super::arguments::{arguments, integer, name, number, wrong_kind};
use super::compiled::Template;
use super::error::TemplateError;
use super::helpers::{Helper, HelperKind, Variation, helpers};
use super::parse::{Argument, ArgumentValue, HelperCall, TemplateSegment, parse};
use super::render::{Piece, ResolvedCall};
use super::resolve::{did_you_mean, enumerate};
use super::scope::CompileScope;
use crate::diagnostic::{Span, suggest};

impl Template {
    /// Compiles a text. One without `{{` renders as itself.
    ///
    /// # Errors
    /// Returns the first error in the text.
    pub fn compile(source: &str, scope: &mut CompileScope<'_>) -> Result<Self, TemplateError> {
        Self::compile_with(helpers(), source, scope)
    }

    /// Compiles a text with the helpers of a table.
    pub(super) fn compile_with(
        helpers: &'static [Helper],
        source: &str,
        scope: &mut CompileScope<'_>,
    ) -> Result<Self, TemplateError> {
        let mut compiler = Compiler { helpers, scope, varying_call: None };
        let mut pieces = PieceBuilder::default();
        for segment in parse(source)? {
            match segment {
                TemplateSegment::Literal(text) => pieces.text.push_str(text),
                TemplateSegment::Expression(expression) => pieces.push(compiler.expression(expression)?),
            }
        }
        Ok(Self { pieces: pieces.finish(), varying_call: compiler.varying_call })
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

/// The compilation of one template.
struct Compiler<'c, 's> {
    helpers: &'static [Helper],
    scope: &'c mut CompileScope<'s>,
    /// The place of the first call so far that varies per step.
    varying_call: Option<Span>,
}

impl Compiler<'_, '_> {
    /// Compiles a helper and its arguments to a piece. An error about the values of arguments underlines all of them.
    fn expression(&mut self, expression: HelperCall<'_>) -> Result<Piece, TemplateError> {
        let helper = self.helpers.iter().find(|helper| helper.name == expression.name);
        let helper = helper.ok_or_else(|| self.unknown_helper(&expression))?;
        let call_span = expression.span;
        if helper.varies == Variation::PerStep {
            self.varying_call.get_or_insert(call_span);
        }
        let at = match (expression.arguments.first(), expression.arguments.last()) {
            (Some(first), Some(last)) => Span { start: first.span.start, end: last.span.end },
            _ => expression.span,
        };
        let call = match &helper.kind {
            HelperKind::NoArguments(render) => {
                let [] = arguments(helper, expression)?;
                ResolvedCall::Plain(*render)
            }
            HelperKind::Integer { check, render, .. } => {
                let [a] = arguments(helper, expression)?;
                let a = integer(helper, 0, &a)?;
                check(a).map_err(|error| error.at(at))?;
                ResolvedCall::Integer(*render, a)
            }
            HelperKind::Integers { check, render, .. } => {
                let [a, b] = arguments(helper, expression)?;
                let (a, b) = (integer(helper, 0, &a)?, integer(helper, 1, &b)?);
                check(a, b).map_err(|error| error.at(at))?;
                ResolvedCall::Integers(*render, a, b)
            }
            HelperKind::Numbers { check, render, .. } => {
                let [a, b] = arguments(helper, expression)?;
                let (a, b) = (number(helper, 0, &a)?, number(helper, 1, &b)?);
                check(a, b).map_err(|error| error.at(at))?;
                ResolvedCall::Numbers(*render, a, b)
            }
            HelperKind::Name { resolve, .. } => {
                let [a] = arguments(helper, expression)?;
                return resolve(name(helper, &a)?, self.scope).map_err(|error| error.at(at));
            }
            HelperKind::Text(encode) => {
                let [a] = arguments(helper, expression)?;
                return Ok(self.text(helper, a)?.encoded(*encode));
            }
        };
        Ok(Piece::Call(call, Vec::new()))
    }

    /// Compiles an argument that must be a text. A bare word is rejected: it could mean the word or the variable of
    /// that name.
    fn text(&mut self, helper: &Helper, argument: Argument<'_>) -> Result<Piece, TemplateError> {
        match argument.value {
            ArgumentValue::Expression(inner) => self.expression(inner),
            ArgumentValue::Text(text) => Ok(Piece::Text(text.into())),
            ArgumentValue::Integer(_, typed) | ArgumentValue::Float(_, typed) => Ok(Piece::Text(typed.into())),
            ArgumentValue::Name(word) => {
                let call = if self.helpers.iter().any(|other| other.name == word) {
                    format!("`({word})` for what the helper renders")
                } else {
                    format!("`(var {word})` for the variable")
                };
                Err(wrong_kind(helper, 0, &argument).help(format!("write {call}, or `'{word}'` for the word itself")))
            }
        }
    }

    /// Suggests the nearest helper; if none is near, `{{name}}` was most likely meant as a variable.
    fn unknown_helper(&self, expression: &HelperCall<'_>) -> TemplateError {
        let name = expression.name;
        let all = || self.helpers.iter().map(|helper| helper.name);
        let help = match suggest(name, all()) {
            Some(near) => did_you_mean(near),
            None if expression.arguments.is_empty() => {
                format!("write `{{{{var {name}}}}}` for a variable; the helpers are {}", enumerate(all(), "and"))
            }
            None => format!("the helpers are {}", enumerate(all(), "and")),
        };
        TemplateError { message: format!("`{name}` is not a helper"), help: Some(help), span: expression.name_span }
    }
}
