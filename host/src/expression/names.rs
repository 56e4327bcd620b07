//! Which names an expression reads: found in its tree before the run, so that a name that does not exist is a mistake in
//! the script and not a surprise in the middle of the load, and so that no reply is kept that nobody asks for.

use cel::Program;
use cel::common::ast::{EntryExpr, Expr, IdedExpr, LiteralValue};

use super::{ExpressionError, Part};
use crate::diagnostic::{Span, suggest};

/// The names that are there without a point.
const PLAIN: [&str; 4] = ["passed", "user", "iteration", "round"];
/// All names, for messages.
const ROOTS: [&str; 6] = ["vars", "reply", "passed", "user", "iteration", "round"];
const PARTS: [(&str, Part); 6] = [
    ("status", Part::Status),
    ("latency", Part::Latency),
    ("size", Part::Size),
    ("body", Part::Body),
    ("json", Part::Json),
    ("headers", Part::Headers),
];

/// What an expression reads.
#[derive(Default)]
pub struct Read {
    /// Variables.
    pub variables: Vec<String>,
    /// Parts of the last reply.
    pub reply: Vec<Part>,
}

/// Looks through a program.
///
/// # Errors
/// It reads a name that there is not.
pub fn read(program: &Program, text: &str) -> Result<Read, ExpressionError> {
    let mut reader = Reader { program, text, read: Read::default(), local: Vec::new() };
    reader.look(program.expression())?;
    Ok(reader.read)
}

struct Reader<'a> {
    program: &'a Program,
    text: &'a str,
    read: Read,
    /// Names that macros such as `exists` make up.
    local: Vec<&'a str>,
}

impl<'a> Reader<'a> {
    fn look(&mut self, expression: &'a IdedExpr) -> Result<(), ExpressionError> {
        if let Some((root, name)) = member(expression) {
            if root == "vars" && !self.local.contains(&root) {
                self.variable(name);
                return Ok(());
            }
            if root == "reply" && !self.local.contains(&root) {
                return self.part(name, expression);
            }
        }
        match &expression.expr {
            Expr::Ident(name) => self.name(name, expression),
            Expr::Select(select) => self.look(&select.operand),
            Expr::Call(call) => {
                call.target.iter().map(|target| &**target).chain(&call.args).try_for_each(|part| self.look(part))
            }
            Expr::List(list) => list.elements.iter().try_for_each(|part| self.look(part)),
            Expr::Map(map) => self.entries(map.entries.iter().map(|entry| &entry.expr)),
            Expr::Struct(made) => self.entries(made.entries.iter().map(|entry| &entry.expr)),
            Expr::Comprehension(over) => {
                if !self.local.is_empty() {
                    // A list of the target's would be gone through as often as it is long.
                    let help = "go through one list only: a condition must be over in no time".to_owned();
                    return Err(self.wrong(expression, "a loop stands within another".into(), Some(help)));
                }
                self.look(&over.iter_range)?;
                let before = self.local.len();
                self.local.extend([&*over.iter_var, &*over.accu_var].into_iter().chain(over.iter_var2.as_deref()));
                let parts = [&over.accu_init, &over.loop_cond, &over.loop_step, &over.result];
                let looked = parts.into_iter().try_for_each(|part| self.look(part));
                self.local.truncate(before);
                looked
            }
            Expr::Literal(_) | Expr::Unspecified => Ok(()),
        }
    }

    fn entries(&mut self, entries: impl Iterator<Item = &'a EntryExpr>) -> Result<(), ExpressionError> {
        for entry in entries {
            match entry {
                EntryExpr::StructField(field) => self.look(&field.value)?,
                EntryExpr::MapEntry(entry) => {
                    self.look(&entry.key)?;
                    self.look(&entry.value)?;
                }
            }
        }
        Ok(())
    }

    fn variable(&mut self, name: &str) {
        if !self.read.variables.iter().any(|known| known == name) {
            self.read.variables.push(name.to_owned());
        }
    }

    fn part(&mut self, name: &str, at: &IdedExpr) -> Result<(), ExpressionError> {
        let Some((_, part)) = PARTS.iter().find(|(known, _)| *known == name) else {
            let names = PARTS.map(|(name, _)| name);
            let help = suggest(name, names).map_or_else(
                || format!("there are `reply.{}`", names.join("`, `reply.")),
                |near| format!("did you mean `reply.{near}`?"),
            );
            return Err(self.wrong(at, format!("a reply has no `{name}`"), Some(help)));
        };
        if !self.read.reply.contains(part) {
            self.read.reply.push(*part);
        }
        Ok(())
    }

    fn name(&self, name: &str, at: &IdedExpr) -> Result<(), ExpressionError> {
        if self.local.contains(&name) || PLAIN.contains(&name) || name.starts_with('@') {
            return Ok(());
        }
        let (message, help) = match name {
            "vars" => ("`vars` stands alone".to_owned(), "name the variable: `vars.token`".to_owned()),
            "reply" => ("`reply` stands alone".to_owned(), "name a part of it: `reply.status`".to_owned()),
            _ => {
                let message = format!("`{name}` is not a name of an expression");
                let near = suggest(name, ROOTS);
                let help = near
                    .map_or_else(|| format!("a variable is `vars.{name}`"), |near| format!("did you mean `{near}`?"));
                (message, help)
            }
        };
        Err(self.wrong(at, message, Some(help)))
    }

    fn wrong(&self, at: &IdedExpr, message: String, help: Option<String>) -> ExpressionError {
        // The library counts in characters, the last one included; a select has the place of its point.
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

/// `root.name` or `root["name"]`, also where `has` asks for it.
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
