//! The English of the repository: comments, string literals and the names of functions, each with its place.

use std::ops::Range;

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{ImplItemFn, ItemFn};

use crate::source::{File, Source, tokens};

/// The places that prose comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// Lines of `///`, `//!` or `/** */` that follow each other.
    Doc,
    /// Lines of other comments that follow each other; a document that is not code is one, too.
    Comment,
    /// A string literal.
    Text,
    /// The name of a function, its words apart.
    Name,
}

/// A piece of prose.
#[derive(Debug)]
pub(crate) struct Prose {
    pub(crate) kind: Kind,
    /// The words of each line, with the line's number, which counts from 1.
    pub(crate) lines: Vec<(usize, String)>,
}

impl Prose {
    /// Returns the whole text in one line.
    pub(crate) fn joined(&self) -> String {
        self.lines.iter().map(|(_, line)| line.as_str()).collect::<Vec<_>>().join(" ")
    }

    /// Returns the number of the line in which a byte of [`Self::joined`] lies.
    pub(crate) fn line(&self, at: usize) -> usize {
        let mut end = 0;
        let line = self.lines.iter().find(|(_, line)| {
            end += line.len() + 1;
            at < end
        });
        line.or(self.lines.last()).map_or(1, |(number, _)| *number)
    }
}

/// Returns the prose of a file: of Rust and WIT, comments; of Rust, literals and names, too; of other kinds, all of it.
pub(crate) fn prose(file: &File) -> Vec<Prose> {
    if file.path.ends_with(".rs") {
        let source = Source::read(file);
        let mut found = comments(&source.text, &gaps(&source));
        let mut reader = Reader { found: &mut found };
        reader.texts(&source.tokens);
        reader.visit_file(&source.tree);
        return found;
    }
    let whole =
        |(at, line): (usize, &str)| Prose { kind: Kind::Comment, lines: vec![(at + 1, line.trim().to_owned())] };
    match file.path.rsplit('.').next() {
        Some("wit") => {
            let begins = file.text.match_indices("//").filter(|(at, _)| !file.text[..*at].ends_with(['/', ':']));
            let end = |at: usize| file.text[at..].find('\n').map_or(file.text.len(), |length| at + length);
            comments(&file.text, &begins.map(|(at, _)| at..end(at)).collect::<Vec<_>>())
        }
        _ => file.text.lines().enumerate().map(whole).collect(),
    }
}

/// Returns the ranges of comments: everything that is neither token nor space, and doc comments, which are tokens.
fn gaps(source: &Source) -> Vec<Range<usize>> {
    let text = &source.text;
    let mut comments = Vec::new();
    let mut end = 0;
    for (range, _) in tokens(&source.tokens) {
        if range.start < end {
            continue;
        }
        comments.push(end..range.start);
        if source.is_comment(&range) {
            comments.push(range.clone());
        }
        end = range.end;
    }
    comments.push(end..text.len());
    let mut lines = Vec::new();
    for range in comments {
        let mut at = range.start;
        for line in text[range].split_inclusive('\n') {
            if !line.trim().is_empty() {
                lines.push(at..at + line.trim_end().len());
            }
            at += line.len();
        }
    }
    lines
}

/// Joins the lines of comments that follow each other and are of one kind.
fn comments(text: &str, ranges: &[Range<usize>]) -> Vec<Prose> {
    let mut found: Vec<Prose> = Vec::new();
    let mut before = "";
    let (mut number, mut counted) = (1, 0);
    for range in ranges {
        number += text[counted..range.start].matches('\n').count();
        counted = range.start;
        let line = text[range.clone()].trim_start();
        let mark = ["///", "//!", "/**", "//", "/*"].into_iter().find(|mark| line.starts_with(mark)).unwrap_or(before);
        let words = line.trim_start_matches(['/', '*', '!']).trim_end_matches(['*', '/']).trim().to_owned();
        let kind = if mark.len() == 3 { Kind::Doc } else { Kind::Comment };
        match found.last_mut() {
            Some(last) if mark == before && last.lines.last().is_some_and(|(line, _)| line + 1 == number) => {
                last.lines.push((number, words));
            }
            _ => found.push(Prose { kind, lines: vec![(number, words)] }),
        }
        before = mark;
    }
    found
}

/// Collects the literals and names of a file.
struct Reader<'f> {
    found: &'f mut Vec<Prose>,
}

impl Reader<'_> {
    fn texts(&mut self, stream: &TokenStream) {
        for token in stream.clone() {
            match token {
                TokenTree::Group(group) => self.texts(&group.stream()),
                TokenTree::Literal(literal) => {
                    let (text, line) = (literal.span().source_text().unwrap_or_default(), literal.span().start().line);
                    if text.trim_start_matches(['b', 'r', 'c', '#']).starts_with('"') {
                        let words = text.split('\n').map(|line| line.replace("\\n", " ").trim_matches(TRIM).to_owned());
                        self.found.push(Prose { kind: Kind::Text, lines: (line..).zip(words).collect() });
                    }
                }
                _ => {}
            }
        }
    }

    fn name(&mut self, ident: &syn::Ident) {
        let words = ident.to_string().replace('_', " ");
        self.found.push(Prose { kind: Kind::Name, lines: vec![(ident.span().start().line, words)] });
    }
}

/// Characters around the words in a line of a literal.
const TRIM: [char; 3] = [' ', '\\', '"'];

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        self.name(&function.sig.ident);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        self.name(&function.sig.ident);
        visit::visit_impl_item_fn(self, function);
    }
}
