//! The names that an expression reads. They are found in its tree before the run, so that a name that does not exist is
//! an error in the script and not a surprise in the middle of the load, and so that only replies that are read are
//! kept.

use cel::Program;
use cel::common::ast::{EntryExpr, Expr, IdedExpr, LiteralValue};

use super::error::ExpressionError;
use super::reply_part::ReplyPart;
use crate::diagnostic::{Span, suggest};

/// The names that stand without a point.
const PLAIN_NAMES: [&str; 4] = ["passed", "user", "iteration", "round"];
/// All names, for messages.
const ROOT_NAMES: [&str; 6] = ["vars", "reply", "passed", "user", "iteration", "round"];
const REPLY_PARTS: [(&str, ReplyPart); 6] = [
    ("status", ReplyPart::Status),
    ("latency", ReplyPart::Latency),
    ("size", ReplyPart::Size),
    ("body", ReplyPart::Body),
    ("json", ReplyPart::Json),
    ("headers", ReplyPart::Headers),
];

/// The names that an expression reads.
#[derive(Default)]
pub(super) struct References {
    /// Variables.
    pub variables: Vec<String>,
    /// Parts of the last reply.
    pub reply: Vec<ReplyPart>,
}

/// Collects the names that a program reads.
///
/// # Errors
/// It reads a name that does not exist, or has a loop within a loop.
pub(super) fn collect_references(program: &Program, text: &str) -> Result<References, ExpressionError> {
    let mut reader = ReferenceCollector { program, text, references: References::default(), locals: Vec::new() };
    reader.visit(program.expression())?;
    Ok(reader.references)
}

struct ReferenceCollector<'a> {
    program: &'a Program,
    text: &'a str,
    references: References,
    /// Names that macros such as `exists` introduce.
    locals: Vec<&'a str>,
}

impl<'a> ReferenceCollector<'a> {
    fn visit(&mut self, expression: &'a IdedExpr) -> Result<(), ExpressionError> {
        if let Some((root, name)) = member(expression) {
            if root == "vars" && !self.locals.contains(&root) {
                self.visit_variable(name);
                return Ok(());
            }
            if root == "reply" && !self.locals.contains(&root) {
                return self.visit_reply_part(name, expression);
            }
        }
        match &expression.expr {
            Expr::Ident(name) => self.check_name(name, expression),
            Expr::Select(select) => self.visit(&select.operand),
            Expr::Call(call) => {
                call.target.iter().map(|target| &**target).chain(&call.args).try_for_each(|part| self.visit(part))
            }
            Expr::List(list) => list.elements.iter().try_for_each(|part| self.visit(part)),
            Expr::Map(map) => self.visit_entries(map.entries.iter().map(|entry| &entry.expr)),
            Expr::Struct(made) => self.visit_entries(made.entries.iter().map(|entry| &entry.expr)),
            Expr::Comprehension(comprehension) => {
                if !self.locals.is_empty() {
                    // A list from the target would be walked as many times as it is long.
                    let help = "loop over one list only: a condition must take no time".to_owned();
                    return Err(self.error_at(expression, "a loop is within another loop".into(), Some(help)));
                }
                self.visit(&comprehension.iter_range)?;
                let before = self.locals.len();
                self.locals.extend(
                    [&*comprehension.iter_var, &*comprehension.accu_var]
                        .into_iter()
                        .chain(comprehension.iter_var2.as_deref()),
                );
                let parts = [
                    &comprehension.accu_init,
                    &comprehension.loop_cond,
                    &comprehension.loop_step,
                    &comprehension.result,
                ];
                let result = parts.into_iter().try_for_each(|part| self.visit(part));
                self.locals.truncate(before);
                result
            }
            Expr::Literal(_) | Expr::Unspecified => Ok(()),
        }
    }

    fn visit_entries(&mut self, entries: impl Iterator<Item = &'a EntryExpr>) -> Result<(), ExpressionError> {
        for entry in entries {
            match entry {
                EntryExpr::StructField(field) => self.visit(&field.value)?,
                EntryExpr::MapEntry(entry) => {
                    self.visit(&entry.key)?;
                    self.visit(&entry.value)?;
                }
            }
        }
        Ok(())
    }

    fn visit_variable(&mut self, name: &str) {
        if !self.references.variables.iter().any(|known| known == name) {
            self.references.variables.push(name.to_owned());
        }
    }

    fn visit_reply_part(&mut self, name: &str, at: &IdedExpr) -> Result<(), ExpressionError> {
        let Some((_, part)) = REPLY_PARTS.iter().find(|(known, _)| *known == name) else {
            let names = REPLY_PARTS.map(|(name, _)| name);
            let help = suggest(name, names).map_or_else(
                || format!("there are `reply.{}`", names.join("`, `reply.")),
                |near| format!("did you mean `reply.{near}`?"),
            );
            return Err(self.error_at(at, format!("a reply has no `{name}`"), Some(help)));
        };
        if !self.references.reply.contains(part) {
            self.references.reply.push(*part);
        }
        Ok(())
    }

    fn check_name(&self, name: &str, at: &IdedExpr) -> Result<(), ExpressionError> {
        if self.locals.contains(&name) || PLAIN_NAMES.contains(&name) || name.starts_with('@') {
            return Ok(());
        }
        let (message, help) = match name {
            "vars" => ("`vars` is not a value by itself".to_owned(), "name the variable: `vars.token`".to_owned()),
            "reply" => ("`reply` is not a value by itself".to_owned(), "name a part of it: `reply.status`".to_owned()),
            _ => {
                let message = format!("`{name}` is not a name of an expression");
                let near = suggest(name, ROOT_NAMES);
                let help = near
                    .map_or_else(|| format!("a variable is `vars.{name}`"), |near| format!("did you mean `{near}`?"));
                (message, help)
            }
        };
        Err(self.error_at(at, message, Some(help)))
    }

    fn error_at(&self, at: &IdedExpr, message: String, help: Option<String>) -> ExpressionError {
        // The library counts in characters, the last one included; the place of a select is that of its dot.
        let (start, stop) = self.program.source_info().offset_for(at.id).unwrap_or_default();
        let byte =
            |character: u32| self.text.char_indices().nth(character as usize).map_or(self.text.len(), |(at, _)| at);
        let (mut start, mut end) = (byte(start), byte(stop.max(start) + 1));
        if let Expr::Select(select) = &at.expr {
            let ends = |character: char| !(character.is_alphanumeric() || character == '_');
            end = self.text.ceil_char_boundary((end + select.field.len()).min(self.text.len()));
            start = self.text[..start].rfind(ends).map_or(0, |before| self.text.ceil_char_boundary(before + 1));
        }
        ExpressionError { message, span: Span { start, end }, help }
    }
}

/// Returns root and name of `root.name` or `root["name"]`, within `has` too.
fn member(expression: &IdedExpr) -> Option<(&str, &str)> {
    match &expression.expr {
        Expr::Select(select) => match &select.operand.expr {
            Expr::Ident(root) => Some((root, &select.field)),
            _ => None,
        },
        Expr::Call(call) if call.func_name == "_[_]" => match (&call.args[..], &call.target) {
            ([of, at], None) => match (&of.expr, &at.expr) {
                (Expr::Ident(root), Expr::Literal(LiteralValue::String(name))) => Some((root, name.inner())),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}
