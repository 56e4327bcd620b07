//! Conditions of `when` and `while`, in the Common Expression Language (CEL, <https://cel.dev>): compiled once,
//! evaluated where a user comes to one. A library implements the language; this module defines its names and their
//! meaning.
//!
//! | name | value |
//! |---|---|
//! | `vars.NAME` | a variable's text; empty if it is not set |
//! | `passed` | true if the step before passed, or there was none |
//! | `reply.status` `reply.size` | of the last exchange: its status, 0 without a reply; bytes of its content |
//! | `reply.latency` | its response time in milliseconds |
//! | `reply.body` `reply.json` `reply.headers` | its content as text and as JSON; its fields, by names in lower case |
//! | `user` `iteration` `round` | the user's number; its walks so far; the rounds so far of the loop around it |

mod error;
mod inputs;
mod references;
mod reply_part;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use cel::{Context, Env, ExecutionError, Program, Value};

use crate::diagnostic::Span;
use crate::template::{VariableId, VariableNames};
use reply_part::ReplyPart;

pub(crate) use error::ExpressionError;
pub(crate) use inputs::{ExpressionInputs, LastExchange, MAX_REMEMBERED_BODY};

/// A compiled condition.
pub struct Expression {
    program: Program,
    text: String,
    /// The variables that it reads.
    variables: Box<[(String, VariableId)]>,
    /// The parts of the last reply that it reads.
    reply: Box<[ReplyPart]>,
    warned: AtomicBool,
}

/// The parts of replies that must be kept for the expressions of a scenario. Each includes those before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReplyDetail {
    /// Nothing.
    #[default]
    Nothing,
    /// Status, response time and size.
    Numbers,
    /// The header fields, too.
    Headers,
    /// The content, too.
    Content,
}

/// The functions of the language. Each worker has one, since creating it costs more than evaluating a condition.
pub struct CelContext(Context<'static, 'static>);

impl Default for CelContext {
    fn default() -> Self {
        Self(Context::with_env(Arc::new(Env::stdlib())))
    }
}

impl Expression {
    /// Compiles a condition, and adds the variables that it reads to the names.
    ///
    /// # Errors
    /// The text is not an expression, or reads a name that does not exist.
    pub fn compile(text: &str, names: &mut VariableNames) -> Result<Self, ExpressionError> {
        let program = Program::compile(text).map_err(|errors| syntax_error(text, &errors))?;
        let references = references::collect_references(&program, text)?;
        let variables =
            references.variables.into_iter().map(|name| (names.intern(&name), name)).map(|(id, name)| (name, id));
        let variables = variables.collect();
        let (reply, warned) = (references.reply.into_boxed_slice(), AtomicBool::new(false));
        Ok(Self { program, text: text.to_owned(), variables, reply, warned })
    }

    /// Returns the parts of the last reply that must be kept for it.
    pub fn reply_detail(&self) -> ReplyDetail {
        let detail = |part: &ReplyPart| match part {
            ReplyPart::Status | ReplyPart::Latency | ReplyPart::Size => ReplyDetail::Numbers,
            ReplyPart::Headers => ReplyDetail::Headers,
            ReplyPart::Body | ReplyPart::Json => ReplyDetail::Content,
        };
        self.reply.iter().map(detail).max().unwrap_or_default()
    }

    /// Returns `true` if the condition holds. One that cannot be evaluated does not hold; `warn` gets its text and the
    /// reason the first time.
    pub fn holds(&self, cel: &CelContext, inputs: &ExpressionInputs<'_>, warn: impl FnOnce(&str, &str)) -> bool {
        let mut context = cel.0.new_inner_scope();
        inputs.declare(&mut context, &self.variables, &self.reply);
        let why = match self.program.execute(&context) {
            Ok(Value::Bool(holds)) => return holds,
            Ok(_) => "it is neither true nor false".to_owned(),
            Err(error) => execution_error_text(&error),
        };
        if !self.warned.swap(true, Ordering::Relaxed) {
            warn(&self.text, &why);
        }
        false
    }
}

/// Says why an expression has no value. The library's own texts show the values, which may be secrets.
fn execution_error_text(error: &ExecutionError) -> String {
    match error {
        ExecutionError::NoSuchKey(key) => format!("there is no `{key}`"),
        ExecutionError::IndexOutOfBounds(_) => "a list is shorter than that".into(),
        ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => "it divides by zero".into(),
        ExecutionError::FunctionError { function, .. } => format!("`{function}` does not take such a value"),
        ExecutionError::NoSuchOverload(_)
        | ExecutionError::ValuesNotComparable(..)
        | ExecutionError::UnsupportedBinaryOperator(..)
        | ExecutionError::UnexpectedType { .. } => {
            "the values are of types that do not go together; `int(…)`, `double(…)` and `string(…)` convert them".into()
        }
        _ => "a value is not of the type that is needed".into(),
    }
}

/// Converts the first error of the parser, at its place.
fn syntax_error(text: &str, errors: &cel::ParseErrors) -> ExpressionError {
    let first = errors.errors.first();
    let at = first.map_or(0, |error| offset(text, error.pos.0, error.pos.1));
    let message = "this is not an expression".to_owned();
    let help = "for example `vars.state == \"pending\" && reply.status == 200`; the language is CEL".to_owned();
    ExpressionError { message, span: Span { start: at, end: text.len() }, help: Some(help) }
}

/// Returns the byte at a line from 1 and a column from 1, or the last byte before the end.
fn offset(text: &str, line: isize, column: isize) -> usize {
    let line = usize::try_from(line - 1).unwrap_or(0);
    let before: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let rest = &text[before..];
    let column = usize::try_from(column - 1).unwrap_or(0);
    let within = rest.char_indices().nth(column).map_or(rest.len(), |(at, _)| at);
    let last = text.char_indices().next_back().map_or(0, |(at, _)| at);
    (before + within).min(last)
}

/// Shows the condition as it was typed.
impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text.trim())
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expression").field(&self.text).finish()
    }
}

#[cfg(test)]
mod tests;
