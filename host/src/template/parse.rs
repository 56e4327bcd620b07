//! Template text as a tree with places. This is syntax only; the compiler knows the helpers and their parameters.
//!
//! ```text
//! template   = { literal | "{{{{" | "{{" expression "}}" }
//! expression = word { argument }
//! argument   = word | number | string | "(" expression ")"
//! ```
//! `{{{{` is a literal `{{`. Blanks, line ends included, separate words; a word is letters, digits, `_`, `-` and `.`.

use std::borrow::Cow;

use super::error::TemplateError;
use crate::diagnostic::Span;

/// The deepest nesting of expressions: far more than makes sense, and too little to exhaust the stack.
const MAX_DEPTH: usize = 16;

/// A part of a template.
#[derive(Debug, PartialEq)]
pub(super) enum TemplateSegment<'s> {
    /// Text that stands for itself.
    Literal(&'s str),
    /// The content of `{{` and `}}`.
    Expression(HelperCall<'s>),
}

/// A helper's name and its arguments.
#[derive(Debug, PartialEq)]
pub(super) struct HelperCall<'s> {
    /// The name, which is not empty and may not exist.
    pub name: &'s str,
    /// The place of the name.
    pub name_span: Span,
    /// The arguments as typed, of any number and kind.
    pub arguments: Vec<Argument<'s>>,
    /// The range from the name to the end of the last argument.
    pub span: Span,
}

/// One argument.
#[derive(Debug, PartialEq)]
pub(super) struct Argument<'s> {
    /// Its type and value.
    pub value: ArgumentValue<'s>,
    /// Its place, quotes and parentheses included.
    pub span: Span,
}

/// An argument as it was typed. Numbers keep their text: where a text is expected, `1.50` stays `1.50`.
#[derive(Debug, PartialEq)]
pub(super) enum ArgumentValue<'s> {
    /// A whole number.
    Integer(i64, &'s str),
    /// Any other number, finite.
    Float(f64, &'s str),
    /// A bare word.
    Name(&'s str),
    /// The text between quotes, escapes resolved.
    Text(Cow<'s, str>),
    /// The call in parentheses.
    Expression(HelperCall<'s>),
}

/// Splits a template into its parts. Empty literals are left out.
pub(super) fn parse(source: &str) -> Result<Vec<TemplateSegment<'_>>, TemplateError> {
    let mut segments = Vec::new();
    let mut at = 0;
    while let Some(offset) = source[at..].find("{{") {
        let open = at + offset;
        push_literal(&mut segments, &source[at..open]);
        if source[open..].starts_with("{{{{") {
            push_literal(&mut segments, &source[open..open + 2]);
            at = open + 4;
        } else {
            let mut cursor = Cursor { source, at: open + 2, open };
            segments.push(TemplateSegment::Expression(cursor.braced_expression()?));
            at = cursor.at;
        }
    }
    push_literal(&mut segments, &source[at..]);
    Ok(segments)
}

/// Adds a literal unless it is empty.
fn push_literal<'s>(segments: &mut Vec<TemplateSegment<'s>>, text: &'s str) {
    if !text.is_empty() {
        segments.push(TemplateSegment::Literal(text));
    }
}

/// Reads one `{{expression}}`. Blanks are skipped before a token, so that a token's span has none.
struct Cursor<'s> {
    source: &'s str,
    /// The next byte to read.
    at: usize,
    /// The position of the `{{`.
    open: usize,
}

impl<'s> Cursor<'s> {
    /// Parses the rest, the `}}` included.
    fn braced_expression(&mut self) -> Result<HelperCall<'s>, TemplateError> {
        self.skip_blanks();
        if self.rest().starts_with("}}") {
            let help = "name a helper, or write `{{{{` for a literal `{{`";
            return Err(self.error("empty `{{}}`", Span { start: self.open, end: self.at + 2 }).help(help));
        }
        let expression = self.expression(0)?;
        if !self.rest().starts_with("}}") {
            return Err(self.unexpected("an argument or `}}`"));
        }
        self.at += 2;
        Ok(expression)
    }

    /// Parses a name and its arguments, up to something that is not an argument.
    fn expression(&mut self, depth: usize) -> Result<HelperCall<'s>, TemplateError> {
        self.skip_blanks();
        let start = self.at;
        let name = self.word();
        if name.is_empty() {
            return Err(self.unexpected("the name of a helper"));
        }
        let name_span = Span { start, end: self.at };
        let mut expression = HelperCall { name, name_span, arguments: Vec::new(), span: name_span };
        loop {
            self.skip_blanks();
            let Some(argument) = self.argument(depth)? else {
                return Ok(expression);
            };
            expression.span.end = argument.span.end;
            expression.arguments.push(argument);
        }
    }

    /// Parses the next argument; `None` if something else follows.
    fn argument(&mut self, depth: usize) -> Result<Option<Argument<'s>>, TemplateError> {
        let start = self.at;
        let value = match self.peek() {
            Some(quote @ ('"' | '\'')) => ArgumentValue::Text(self.string(quote)?),
            Some('(') => ArgumentValue::Expression(self.parenthesis(depth + 1)?),
            Some(c) if is_word(c) => {
                let word = self.word();
                classify(word).ok_or_else(|| {
                    self.error(format!("`{word}` is too large a number"), Span { start, end: self.at })
                })?
            }
            _ => return Ok(None),
        };
        Ok(Some(Argument { value, span: Span { start, end: self.at } }))
    }

    /// Parses `(expression)`.
    fn parenthesis(&mut self, depth: usize) -> Result<HelperCall<'s>, TemplateError> {
        let open = Span { start: self.at, end: self.at + 1 };
        if depth > MAX_DEPTH {
            return Err(self.error(format!("expressions nest deeper than {MAX_DEPTH} levels"), open));
        }
        self.at += 1;
        let expression = self.expression(depth)?;
        match self.peek() {
            Some(')') => self.at += 1,
            None => return Err(self.error("`(` is never closed", open).help("add `)`")),
            _ if self.rest().starts_with("}}") => {
                return Err(self.error("`(` is never closed", open).help("add `)` before `}}`"));
            }
            _ => return Err(self.unexpected("an argument or `)`")),
        }
        Ok(expression)
    }

    /// Parses a quoted text with `\n`, `\r`, `\t`, `\\` and `\` before either quote.
    fn string(&mut self, quote: char) -> Result<Cow<'s, str>, TemplateError> {
        let open = self.at;
        self.at += 1;
        let mut text = Cow::Borrowed("");
        loop {
            let plain = self.rest().find([quote, '\\']).ok_or_else(|| {
                let message = format!("a text that begins with `{quote}` is never closed");
                self.error(message, Span { start: open, end: open + 1 })
            })?;
            let stop = self.at + plain;
            append(&mut text, &self.source[self.at..stop]);
            self.at = stop + 1;
            if self.source[stop..].starts_with(quote) {
                return Ok(text);
            }
            text.to_mut().push(self.escape(stop)?);
        }
    }

    /// Parses the escape of a backslash at `start`.
    fn escape(&mut self, start: usize) -> Result<char, TemplateError> {
        let typed = self.peek();
        self.at += typed.map_or(0, char::len_utf8);
        match typed {
            Some('n') => Ok('\n'),
            Some('r') => Ok('\r'),
            Some('t') => Ok('\t'),
            Some(c @ ('\\' | '"' | '\'')) => Ok(c),
            _ => {
                let span = Span { start, end: self.at };
                let message = format!("`{}` is not an escape", &self.source[start..self.at]);
                Err(self.error(message, span).help(r#"the escapes are `\\`, `\"`, `\'`, `\n`, `\r` and `\t`"#))
            }
        }
    }

    /// Takes the longest word here, which may be empty.
    fn word(&mut self) -> &'s str {
        let rest = self.rest();
        let word = &rest[..rest.find(|c| !is_word(c)).unwrap_or(rest.len())];
        self.at += word.len();
        word
    }

    fn skip_blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Returns the unread text, the literal text behind the expression included.
    fn rest(&self) -> &'s str {
        &self.source[self.at..]
    }

    /// Returns the error for a character that does not belong here, or, at the end of the source, for the missing `}}`.
    fn unexpected(&self, expected: &str) -> TemplateError {
        match self.peek() {
            None => self
                .error("`{{` is never closed", Span { start: self.open, end: self.open + 2 })
                .help("add `}}`, or write `{{{{` for a literal `{{`"),
            Some(next) => {
                let span = Span { start: self.at, end: self.at + next.len_utf8() };
                let shown = if next.is_control() { next.escape_default().to_string() } else { next.to_string() };
                let error = self.error(format!("expected {expected}, found `{shown}`"), span);
                match next {
                    '{' => error.help("write `{{{{` for a literal `{{`"),
                    _ => error,
                }
            }
        }
    }

    fn error(&self, message: impl Into<String>, span: Span) -> TemplateError {
        TemplateError { message: message.into(), help: None, span }
    }
}

/// Adds to a text that is borrowed as long as it has one part.
fn append<'s>(text: &mut Cow<'s, str>, part: &'s str) {
    if text.is_empty() {
        *text = Cow::Borrowed(part);
    } else if !part.is_empty() {
        text.to_mut().push_str(part);
    }
}

/// Returns `true` if a character may be part of a bare word.
fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.')
}

/// Tells numbers from names: a word is a number if it begins like one and parses as one, else a name (`2024-01-01`,
/// `1.2.3`). `None` for numbers outside of 64 bits.
fn classify(word: &str) -> Option<ArgumentValue<'_>> {
    let unsigned = word.strip_prefix('-').unwrap_or(word);
    let digits = unsigned.strip_prefix('.').unwrap_or(unsigned);
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return Some(ArgumentValue::Name(word));
    }
    if unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        return word.parse().ok().map(|number| ArgumentValue::Integer(number, word));
    }
    match word.parse::<f64>() {
        Ok(number) => number.is_finite().then_some(ArgumentValue::Float(number, word)),
        Err(_) => Some(ArgumentValue::Name(word)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn arguments(source: &str) -> Vec<ArgumentValue<'_>> {
        match parse(source).unwrap().pop() {
            Some(TemplateSegment::Expression(expression)) => {
                expression.arguments.into_iter().map(|it| it.value).collect()
            }
            other => panic!("{source} is {other:?}"),
        }
    }

    #[test]
    fn literals_and_expressions_alternate() {
        let name = Span { start: 4, end: 5 };
        let expression = HelperCall { name: "f", name_span: name, arguments: Vec::new(), span: name };
        let expected = vec![
            TemplateSegment::Literal("a}"),
            TemplateSegment::Expression(expression),
            TemplateSegment::Literal("}b"),
        ];
        assert_eq!(parse("a}{{f}}}b").unwrap(), expected);
        assert_eq!(parse("").unwrap(), []);
    }

    #[test]
    fn braces_are_doubled_to_stand_for_themselves() {
        let cases: [(&str, &[&str]); 3] =
            [("{{{{", &["{{"]), ("a{{{{b}}", &["a", "{{", "b}}"]), ("{{{{{", &["{{", "{"])];
        for (source, literals) in cases {
            let expected: Vec<_> = literals.iter().map(|text| TemplateSegment::Literal(text)).collect();
            assert_eq!(parse(source).unwrap(), expected, "{source}");
        }
    }

    #[test]
    fn arguments_have_the_type_they_look_like() {
        use ArgumentValue::{Float, Integer, Name, Text};
        let cases = [
            ("{{f 12 }}", Integer(12, "12")),
            ("{{f -007}}", Integer(-7, "-007")),
            ("{{f 1.50}}", Float(1.5, "1.50")),
            ("{{f -.5}}", Float(-0.5, "-.5")),
            ("{{f 1e3}}", Float(1000.0, "1e3")),
            ("{{f users.e-mail}}", Name("users.e-mail")),
            ("{{f 2024-01-01}}", Name("2024-01-01")),
            ("{{f 1.2.3}}", Name("1.2.3")),
            ("{{f inf}}", Name("inf")),
            ("{{f -}}", Name("-")),
            ("{{f prénom}}", Name("prénom")),
            ("{{f 'it''s'}}", Text("it".into())),
            ("{{f \"a }} b\"}}", Text("a }} b".into())),
            ("{{f ''}}", Text("".into())),
            (r#"{{f "\"\\\n\'"}}"#, Text("\"\\\n'".into())),
        ];
        for (source, expected) in cases {
            assert_eq!(arguments(source)[0], expected, "{source}");
        }
    }

    #[test]
    fn expressions_nest_and_know_their_place() {
        let source = "{{ a\n(b (c x) 1) }}";
        let Some(TemplateSegment::Expression(a)) = parse(source).unwrap().pop() else { panic!("no expression") };
        let ArgumentValue::Expression(b) = &a.arguments[0].value else { panic!("no inner expression") };
        let text = |span: Span| &source[span.start..span.end];
        assert_eq!((text(a.span), text(a.arguments[0].span)), ("a\n(b (c x) 1)", "(b (c x) 1)"));
        assert_eq!((text(b.span), text(b.arguments[1].span)), ("b (c x) 1", "1"));
    }

    #[test]
    fn errors_are_underlined_closely() {
        let deep = format!("{{{{a {}", "(a ".repeat(MAX_DEPTH + 1));
        let cases = [
            ("never closed", "a {{f 1", "{{", "`{{` is never closed"),
            ("closed by one brace", "{{f}", "}", "expected an argument or `}}`, found `}`"),
            ("nothing in it", "a{{ }}", "{{ }}", "empty `{{}}`"),
            ("three braces", "{{{f}}", "{", "expected the name of a helper, found `{`"),
            ("text for a name", "{{'a'}}", "'", "expected the name of a helper, found `'`"),
            ("no comma wanted", "{{f 1, 2}}", ",", "expected an argument or `}}`, found `,`"),
            ("a control character", "{{f \u{1}}}", "\u{1}", "expected an argument or `}}`, found `\\u{1}`"),
            ("an open text", "{{f 'a}}", "'", "a text that begins with `'` is never closed"),
            ("an unknown escape", r"{{f 'a\ü'}}", r"\ü", r"`\ü` is not an escape"),
            ("an open parenthesis", "{{f (g 1}}", "(", "`(` is never closed"),
            ("open at the end", "{{f (g", "(", "`(` is never closed"),
            ("an empty parenthesis", "{{f ()}}", ")", "expected the name of a helper, found `)`"),
            ("a stray parenthesis", "{{f )}}", ")", "expected an argument or `}}`, found `)`"),
            ("a huge integer", "{{f 9223372036854775808}}", "9223372036854775808", "too large a number"),
            ("a huge decimal", "{{f 1e999}}", "1e999", "`1e999` is too large a number"),
            ("too deep", &deep, "(", "expressions nest deeper than 16 levels"),
        ];
        for (case, source, underlined, message) in cases {
            let error = parse(source).unwrap_err();
            assert_eq!(&source[error.span.start..error.span.end], underlined, "{case}");
            assert!(error.message.contains(message), "{case}: {}", error.message);
        }
    }

    proptest! {
        #[test]
        fn text_without_braces_is_one_literal(text in "[^{]+") {
            prop_assert_eq!(parse(&text).unwrap(), vec![TemplateSegment::Literal(&text)]);
        }

        #[test]
        fn no_text_panics_and_every_span_is_in_it(
            text in prop_oneof![any::<String>(), r#"[{}()'"\\ a1.ü\n-]{0,40}"#, r#"\{\{f [{}()'"\\ a1.ü\n-]{0,40}"#]
        ) {
            if let Err(error) = parse(&text) {
                prop_assert!(text.get(error.span.start..error.span.end).is_some_and(|part| !part.is_empty()));
            }
        }
    }
}
