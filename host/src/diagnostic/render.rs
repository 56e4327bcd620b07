//! Diagnostics as text, in the form that rustc made familiar. Only this file knows that form.

use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet, normalize_untrusted_str};

use super::literal_secrets;
use super::{Diagnostic, Diagnostics, LabeledSpan, SourceText};

/// Shown for a secret.
const MASK: &str = "***";

/// Renders all errors in the order found, with a blank line between them and a line break at the end. Empty if there
/// are none. `color` adds ANSI escapes; the caller decides whether the reader can take them.
pub fn render(diagnostics: &Diagnostics, color: bool) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    // All errors of a file have one source, which is read once.
    let mut read: Vec<(&SourceText, Vec<Range<usize>>)> = Vec::new();
    let shown = diagnostics.0.iter().map(|diagnostic| {
        let Some(place) = &diagnostic.location else { return diagnostic.clone() };
        let source = &*place.source;
        let known = read.iter().position(|(known, _)| std::ptr::eq(*known, source)).unwrap_or_else(|| {
            read.push((source, literal_secrets::find(&source.text)));
            read.len() - 1
        });
        without_secrets(diagnostic, place, &read[known].1)
    });
    let messages: Vec<String> = shown.map(|diagnostic| message(&renderer, &diagnostic)).collect();
    messages.join("\n")
}

/// Returns an error with `***` for the secrets that its source types out, in the excerpt and in the texts beside it.
/// The column is that of the excerpt: stars as many as the secret has characters would tell its length.
fn without_secrets(diagnostic: &Diagnostic, place: &LabeledSpan, secrets: &[Range<usize>]) -> Diagnostic {
    let text = &place.source.text;
    let literals: Vec<&str> = secrets.iter().map(|range| &text[range.clone()]).filter(|one| one.len() >= 4).collect();
    let hide = |text: &str| literals.iter().fold(text.to_owned(), |text, literal| text.replace(literal, MASK));
    let mut masked = String::with_capacity(text.len());
    let (mut done, mut span) = (0, place.span);
    for secret in secrets {
        masked.push_str(&text[done..secret.start]);
        let at = masked.len();
        masked.push_str(MASK);
        done = secret.end;
        let moved = |place: usize, original: usize, inside: usize| match original {
            _ if original >= secret.end => masked.len() + (original - secret.end),
            _ if original > secret.start => inside,
            _ => place,
        };
        span.start = moved(span.start, place.span.start, at);
        span.end = moved(span.end, place.span.end, masked.len());
    }
    masked.push_str(&text[done..]);
    let source = Arc::new(SourceText { name: place.source.name.clone(), text: masked });
    Diagnostic {
        code: diagnostic.code,
        message: hide(&diagnostic.message),
        location: Some(LabeledSpan { source, span, label: hide(&place.label) }),
        help: diagnostic.help.as_deref().map(hide),
    }
}

/// Renders one error, with a line break at its end.
fn message(renderer: &Renderer, diagnostic: &Diagnostic) -> String {
    let title = Level::ERROR.primary_title(diagnostic.message.as_str()).id(diagnostic.code);
    let header = Group::with_title(title);
    let help = diagnostic.help.as_deref().map(normalize_untrusted_str);
    let Some(place) = &diagnostic.location else {
        // The renderer would draw a stray gutter between header and help.
        let help = help.map(|help| format!("  = help: {help}\n")).unwrap_or_default();
        return format!("{}\n{help}", renderer.render(&[header]));
    };
    let help = help.map(|help| Level::HELP.message(help));
    renderer.render(&[header.element(excerpt(place)).elements(help)]) + "\n"
}

/// Returns the line of an error, with a caret and a label.
fn excerpt(place: &LabeledSpan) -> Snippet<'_, annotate_snippets::Annotation<'_>> {
    let annotation = AnnotationKind::Primary.span(first_line(place)).label(place.label.as_str());
    Snippet::source(place.source.text.as_str()).path(place.source.name.as_str()).annotation(annotation)
}

/// Returns the part of the span on its first line. Only the beginning of an error in a text of several lines is
/// underlined, since a bracket around all of it would bury the message.
fn first_line(place: &LabeledSpan) -> Range<usize> {
    let Range { start, end } = place.span.start..place.span.end;
    let text = place.source.text.get(start..end).unwrap_or_default();
    let line = text.split('\n').next().unwrap_or_default();
    start..start + line.trim_end().len()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::{SourceText, Span};
    use super::*;

    fn source(text: &str) -> Arc<SourceText> {
        Arc::new(SourceText { name: "checkout.yml".into(), text: text.into() })
    }

    fn text(diagnostic: Diagnostic) -> String {
        render(&diagnostic.into(), false)
    }

    #[test]
    fn a_message_with_a_place_and_a_fix() {
        let source = source("- name: a\n\n\n\n  expect_statuss: 200\n");
        let diagnostic = Diagnostic::new("script::unknown-key", "`expect_statuss` is not a parameter of action `http`")
            .at(&source, Span { start: 15, end: 29 }, "unknown key")
            .help("did you mean `expect_status`?");
        assert_eq!(
            text(diagnostic),
            "\
error[script::unknown-key]: `expect_statuss` is not a parameter of action `http`
 --> checkout.yml:5:3
  |
5 |   expect_statuss: 200
  |   ^^^^^^^^^^^^^^ unknown key
  |
  = help: did you mean `expect_status`?
"
        );
    }

    #[test]
    fn secrets_that_a_script_types_out_are_not_shown() {
        let typed = "headers: {x-a: s3cret-1, x-b: s3cret-2, typo 1: x}\n";
        let (start, end) = (typed.find("typo").unwrap(), typed.find(": x}").unwrap());
        let diagnostic = Diagnostic::new("script::x", "not a name beside `s3cret-1`")
            .at(&source(typed), Span { start, end }, "not s3cret-2")
            .help("not s3cret-1");
        assert_eq!(
            text(diagnostic),
            "\
error[script::x]: not a name beside `***`
 --> checkout.yml:1:31
  |
1 | headers: {x-a: ***, x-b: ***, typo 1: ***}
  |                               ^^^^^^ not ***
  |
  = help: not ***
"
        );
        let start = typed.find("s3cret-2").unwrap();
        let diagnostic = Diagnostic::new("script::x", "m").at(&source(typed), Span { start, end: start + 8 }, "here");
        assert!(text(diagnostic).contains("\n  |                          ^^^ here\n"));
    }

    #[test]
    fn a_message_without_a_place_is_a_header_and_a_fix() {
        let diagnostic =
            Diagnostic::new("usage::no-script", "nothing to run").help("give a script with `--script FILE`");
        assert_eq!(
            text(diagnostic),
            "\
error[usage::no-script]: nothing to run
  = help: give a script with `--script FILE`
"
        );
        assert_eq!(text(Diagnostic::new("usage::x", "alone")), "error[usage::x]: alone\n");
    }

    #[test]
    fn columns_count_characters_and_carets_follow_their_width() {
        let source = source("name: ☃☃ x\r\nnext: 1\r\n");
        let diagnostic = Diagnostic::new("script::x", "m").at(&source, Span { start: 13, end: 14 }, "here");
        assert_eq!(
            text(diagnostic),
            "\
error[script::x]: m
 --> checkout.yml:1:10
  |
1 | name: ☃☃ x
  |          ^ here
"
        );
    }

    #[test]
    fn a_span_of_several_lines_shows_its_first() {
        let source = source("a: |\n  b\n  c\n");
        let diagnostic = Diagnostic::new("script::x", "m").at(&source, Span { start: 3, end: 12 }, "here");
        assert_eq!(
            text(diagnostic),
            "\
error[script::x]: m
 --> checkout.yml:1:4
  |
1 | a: |
  |    ^ here
"
        );
    }

    #[test]
    fn an_empty_source_has_a_place() {
        let diagnostic = Diagnostic::new("script::x", "m").at(&source(""), Span::default(), "here");
        assert_eq!(
            text(diagnostic),
            "\
error[script::x]: m
 --> checkout.yml:1:1
  |
1 |
  | ^ here
"
        );
    }

    #[test]
    fn escapes_in_input_do_not_reach_the_terminal() {
        let diagnostic = Diagnostic::new("script::x", "\u{1b}[31mred").help("\u{1b}[31mred");
        assert!(!text(diagnostic).contains('\u{1b}'));
    }

    #[test]
    fn color_adds_escapes_and_nothing_else_changes() {
        let all = Diagnostics(vec![Diagnostic::new("script::x", "m"), Diagnostic::new("script::y", "n")]);
        assert_eq!(render(&all, false), "error[script::x]: m\n\nerror[script::y]: n\n");
        assert!(render(&all, true).contains("\u{1b}["));
    }
}
