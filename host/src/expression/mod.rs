//! Conditions of `when` and `while`, in the Common Expression Language (CEL, <https://cel.dev>): compiled once, evaluated
//! where a user comes to one. The language is a library's; what stands here is which names there are, and what they mean.
//!
//! | name | is |
//! |---|---|
//! | `vars.NAME` | a variable's text; empty if it is not set |
//! | `passed` | whether the step before passed |
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

pub use error::ExpressionError;
pub use inputs::{ExpressionInputs, LastExchange, MAX_REMEMBERED_BODY};

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

/// What has to be known of replies, for all expressions of a scenario.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReplyDetail {
    /// Nothing.
    #[default]
    Nothing,
    /// Numbers.
    Numbers,
    /// The fields, too.
    Headers,
    /// The content, too.
    Content,
}

/// What the language knows; one for each worker, since making it costs more than a condition does.
pub struct CelContext(Context<'static, 'static>);

impl Default for CelContext {
    fn default() -> Self {
        Self(Context::with_env(Arc::new(Env::stdlib())))
    }
}

impl Expression {
    /// Compiles a condition; the variables that it reads are added to the names.
    ///
    /// # Errors
    /// The text is no expression, or reads a name that there is not.
    pub fn compile(text: &str, names: &mut VariableNames) -> Result<Self, ExpressionError> {
        let program = Program::compile(text).map_err(|errors| syntax_error(text, &errors))?;
        let references = references::collect_references(&program, text)?;
        let variables =
            references.variables.into_iter().map(|name| (names.intern(&name), name)).map(|(id, name)| (name, id));
        let variables = variables.collect();
        let (reply, warned) = (references.reply.into_boxed_slice(), AtomicBool::new(false));
        Ok(Self { program, text: text.to_owned(), variables, reply, warned })
    }

    /// What has to be known of the replies before it.
    pub fn reply_detail(&self) -> ReplyDetail {
        let remembers = |part: &ReplyPart| match part {
            ReplyPart::Status | ReplyPart::Latency | ReplyPart::Size => ReplyDetail::Numbers,
            ReplyPart::Headers => ReplyDetail::Headers,
            ReplyPart::Body | ReplyPart::Json => ReplyDetail::Content,
        };
        self.reply.iter().map(remembers).max().unwrap_or_default()
    }

    /// Whether it holds. What cannot be told does not hold; `warn` is told why the first time.
    pub fn holds(&self, language: &CelContext, facts: &ExpressionInputs<'_>, warn: impl FnOnce(&str, &str)) -> bool {
        let mut context = language.0.new_inner_scope();
        facts.declare(&mut context, &self.variables, &self.reply);
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

/// Why an expression has no value. The library's own texts show the values, which may be secrets.
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

/// The first error of the parser, at its place.
fn syntax_error(text: &str, errors: &cel::ParseErrors) -> ExpressionError {
    let first = errors.errors.first();
    let at = first.map_or(0, |error| offset(text, error.pos));
    let message = "this is not an expression".to_owned();
    let help = "for example `vars.state == \"pending\" && reply.status == 200`; the language is CEL".to_owned();
    ExpressionError { message, span: Span { start: at, end: text.len() }, help: Some(help) }
}

/// The byte at a line from 1 and a column from 1, or the last byte before the end.
fn offset(text: &str, (line, column): (isize, isize)) -> usize {
    let line = usize::try_from(line - 1).unwrap_or(0);
    let before: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let rest = &text[before..];
    let column = usize::try_from(column - 1).unwrap_or(0);
    let within = rest.char_indices().nth(column).map_or(rest.len(), |(at, _)| at);
    let last = text.char_indices().next_back().map_or(0, |(at, _)| at);
    (before + within).min(last)
}

/// As typed.
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
