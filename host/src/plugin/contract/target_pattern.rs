//! URLs that are rendered in part. What is fixed in such a URL was parsed once, when its step was configured; for a
//! request only the rendered values are looked at, byte by byte. If a value has a byte of which the parser of URLs may
//! make something else than itself, the whole URL is parsed, so the target is always the one that the parser finds.

use std::rc::Rc;

use url::{Url, form_urlencoded};

use super::preview::RENDERED;
use super::request_url::{names_origin, parse_url, resolve};
use super::safe_bytes::RequestPlace;
use crate::net::{Grants, Origin};
use crate::template::{RenderContext, Template};
use crate::user::RequestScratch;

/// A URL of which the rendered values stay in their places, between fixed texts.
pub(super) struct TargetPattern {
    /// The origin, which no value changes.
    origin: Rc<Origin>,
    /// Path and query around the values of the URL, as they go on the wire: one text more than there are values.
    fixed: Box<[Box<str>]>,
    /// Number of values in the path; the others are in the query.
    path_values: usize,
    /// The parameters added to the query up to their values: separator, encoded name, `=`.
    parameters: Box<[Box<str>]>,
}

impl TargetPattern {
    /// Returns the pattern of a URL with these parameters; `None` if it has none, because a value may change more than
    /// its own place, or because the host is not granted.
    pub(super) fn of(
        address: &Template,
        query: &[(String, Template)],
        base: Option<&Url>,
        grants: &Rc<Grants>,
    ) -> Option<Self> {
        let is_constant = address.constant().is_some();
        if !is_constant && !names_origin(address.prefix(), base.is_some()) {
            return None;
        }
        // A value after these could complete an escape sequence.
        let is_open = |text: &str| text.as_bytes().iter().rev().take(2).any(|byte| *byte == b'%');
        if address.literals().any(|text| text.contains(RENDERED) || (!is_constant && is_open(text))) {
            return None;
        }
        let url = parse_url(&address.outline(RENDERED), base).ok()?;
        let target = resolve(&url, grants).ok()?;
        let fixed: Box<[Box<str>]> = target.path.as_str().split(RENDERED).map(Box::from).collect();
        if fixed.len() != address.calls().count() + 1 {
            return None;
        }
        let path_values = target.path.path().matches(RENDERED).count();
        let parameters = query.iter().enumerate().map(|(index, (name, _))| {
            let separator = match target.path.query() {
                None if index == 0 => "?",
                Some("") if index == 0 => "",
                _ => "&",
            };
            let name = form_urlencoded::byte_serialize(name.as_bytes());
            [separator].into_iter().chain(name).chain(["="]).collect::<String>().into()
        });
        Some(Self { origin: target.origin, fixed, path_values, parameters: parameters.collect() })
    }

    /// Returns the origin.
    pub(super) const fn origin(&self) -> &Rc<Origin> {
        &self.origin
    }

    /// Renders path and query without the parameters into the open part of `scratch`. Returns `false` if the parser has
    /// to look at the URL; [`rendered_url`] is its text then.
    pub(super) fn render(
        &self,
        address: &Template,
        values: &mut RenderContext<'_>,
        scratch: &mut RequestScratch,
    ) -> bool {
        let mut fixed = self.fixed.iter();
        let mut is_usual = true;
        scratch.values.clear();
        scratch.text.extend(fixed.next().map(|text| &**text));
        for (index, (call, after)) in address.calls().zip(fixed).enumerate() {
            let start = scratch.text.len();
            call.render(values, &mut scratch.text);
            scratch.values.push(start..scratch.text.len());
            is_usual &= self.is_usual(index, &scratch.text[start..]);
            scratch.text.push_str(after);
        }
        is_usual
    }

    /// Appends the parameters.
    pub(super) fn render_parameters(
        &self,
        query: &[(String, Template)],
        values: &mut RenderContext<'_>,
        scratch: &mut RequestScratch,
    ) {
        for (name, (_, value)) in self.parameters.iter().zip(query) {
            scratch.text.push_str(name);
            render_form_value(value, values, scratch);
        }
    }

    /// Returns `true` if a value of the URL stays as it is, and stays in its place.
    fn is_usual(&self, index: usize, value: &str) -> bool {
        if index < self.path_values {
            // Without a value, what is around it could become one segment such as `..`.
            return !value.is_empty() && RequestPlace::Path.takes(value);
        }
        // Without a value the query might be empty, and then no separator stands before the first parameter.
        RequestPlace::Query.takes(value) && (!value.is_empty() || self.parameters.is_empty())
    }
}

/// Returns the text of a URL whose values were rendered just now.
pub(super) fn rendered_url(address: &Template, scratch: &RequestScratch) -> String {
    let mut values = scratch.values.iter();
    let mut url = String::new();
    address.parts().for_each(|part| match part {
        Some(literal) => url.push_str(literal),
        None => url.extend(values.next().map(|place| &scratch.text[place.clone()])),
    });
    url
}

/// Appends a rendered value in the form of `application/x-www-form-urlencoded`.
pub(super) fn render_form_value(value: &Template, values: &mut RenderContext<'_>, scratch: &mut RequestScratch) {
    let start = scratch.text.len();
    value.render(values, &mut scratch.text);
    if RequestPlace::Form.takes(&scratch.text[start..]) {
        return;
    }
    scratch.plain.clear();
    scratch.plain.push_str(&scratch.text[start..]);
    scratch.text.truncate(start);
    scratch.text.extend(form_urlencoded::byte_serialize(scratch.plain.as_bytes()));
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use hyper::http::uri::PathAndQuery;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::super::request_url::UrlError;
    use super::*;
    use crate::data::DataSets;
    use crate::http::RequestTarget;
    use crate::random::UserRandom;
    use crate::template::{CompileScope, Environment, RenderScratch, RowCursors, VariableNames, Variables};

    /// A URL with parameters, and the values of the variables `a` and `b` in them.
    struct UrlCase<'a> {
        url: &'a str,
        query: &'a [(&'a str, &'a str)],
        base: Option<&'a str>,
        values: [&'a str; 2],
    }

    /// The forms that a URL takes for a request.
    #[derive(Debug, PartialEq, Eq)]
    enum UrlForm {
        /// Values in a pattern.
        Values,
        /// One that the parser has to look at, though there is a pattern.
        Unusual,
        /// One without a pattern.
        Unknown,
    }

    impl UrlCase<'_> {
        /// Checks that a pattern makes the target that the parser makes.
        fn check(&self) -> UrlForm {
            let (data, environment) = (DataSets::default(), Environment::from_process([]));
            let (mut names, mut variables) = (VariableNames::default(), Variables::default());
            for (name, value) in ["a", "b"].into_iter().zip(self.values) {
                variables.set(names.intern(name), value);
            }
            let mut scope = CompileScope { data: &data, variables: &mut names, environment: &environment };
            let mut compile = |text: &str| Template::compile(text, &mut scope).unwrap();
            let address = compile(self.url).trimmed();
            let query: Vec<_> = self.query.iter().map(|(name, value)| ((*name).to_owned(), compile(value))).collect();
            let base = self.base.map(|base| Url::parse(base).unwrap());
            let values = &mut RenderContext {
                user: 0,
                segment: crate::segment::Segment::WHOLE,
                users: 1,
                iteration: 0,
                wall_clock: Duration::ZERO,
                random: &mut UserRandom::new(1, 0),
                variables: &variables,
                rows: &mut RowCursors::default(),
                data: &data,
                scratch: &mut RenderScratch::default(),
            };
            let grants = Rc::new(Grants::unrestricted());
            let mut scratch = RequestScratch::default();
            let Some(pattern) = TargetPattern::of(&address, &query, base.as_ref(), &grants) else {
                return UrlForm::Unknown;
            };
            let mut text = String::new();
            address.render(values, &mut text);
            let expected = parsed(&text, &query, base.as_ref(), values);
            if !pattern.render(&address, values, &mut scratch) {
                assert_eq!(rendered_url(&address, &scratch), text);
                return UrlForm::Unusual;
            }
            pattern.render_parameters(&query, values, &mut scratch);
            match (expected, PathAndQuery::try_from(scratch.open_part())) {
                (Ok(target), Ok(path)) => {
                    assert_eq!((path.as_str(), scratch.open_part()), (target.path.as_str(), target.path.as_str()));
                    assert_eq!(pattern.origin(), &target.origin);
                }
                (Err(UrlError::Length), Err(_)) => {}
                (expected, path) => panic!("{text:?}: expected {expected:?}, got {path:?}"),
            }
            UrlForm::Values
        }
    }

    /// Returns the target that the parser finds.
    fn parsed(
        text: &str,
        query: &[(String, Template)],
        base: Option<&Url>,
        values: &mut RenderContext<'_>,
    ) -> Result<RequestTarget, UrlError> {
        let mut url = parse_url(text, base)?;
        if !query.is_empty() {
            let mut pairs = url.query_pairs_mut();
            for (name, template) in query {
                let mut value = String::new();
                template.render(values, &mut value);
                pairs.append_pair(name, &value);
            }
        }
        resolve(&url, &Rc::new(Grants::unrestricted()))
    }

    #[test]
    fn usual_urls_are_rendered_into_their_pattern() {
        let base = Some("http://site:8080/app/x");
        for (url, query, values, form) in [
            ("/catalog?page={{var a}}", &[][..], ["7", ""], UrlForm::Values),
            ("/movies/{{var a}}/cast?sort={{var b}}", &[], ["heat", "a.b%20/"], UrlForm::Values),
            ("movies/{{var a}}.json", &[], ["heat", ""], UrlForm::Values),
            ("?page={{var a}}#top", &[], ["7", ""], UrlForm::Values),
            ("https://other:444/a/../{{var a}}{{var b}}", &[], ["1", "2"], UrlForm::Values),
            ("/fixed", &[("q", "{{var a}}"), ("n&", "{{var b}}")], ["two words", "ü"], UrlForm::Values),
            ("/?x={{var a}}", &[("q", "{{var b}}")], ["1", ""], UrlForm::Values),
            ("/catalog?page={{var a}}", &[], ["two words", ""], UrlForm::Unusual),
            ("/?{{var a}}", &[("q", "1")], ["", ""], UrlForm::Unusual),
            ("/movies/{{var a}}", &[], ["", ""], UrlForm::Unusual),
            ("/movies/{{var a}}", &[], ["..", ""], UrlForm::Unusual),
            ("/movies/{{var a}}", &[], ["a/b", ""], UrlForm::Unusual),
            ("/movies/{{var a}}/x", &[], ["a?b", ""], UrlForm::Unusual),
            ("{{var a}}/x", &[], ["http://evil", ""], UrlForm::Unknown),
            ("http://site{{var a}}/x", &[], [".evil", ""], UrlForm::Unknown),
            ("/%2{{var a}}", &[], ["e", ""], UrlForm::Unknown),
            ("/{{var a}}/../x", &[], ["a", ""], UrlForm::Unknown),
            ("/x#{{var a}}", &[], ["a", ""], UrlForm::Unknown),
        ] {
            let case = UrlCase { url, query, base, values };
            assert_eq!(case.check(), form, "{url} {query:?} {values:?}");
        }
    }

    /// Texts of URLs, between which values stand.
    const LITERALS: [&str; 30] = [
        "/",
        "/",
        "a",
        "b/c",
        ".",
        "..",
        "/.",
        "/..",
        "%",
        "%2",
        "%2e",
        "%2E.",
        "?",
        "?x=",
        "&y=",
        "#",
        "=",
        ";",
        "\\",
        ":",
        "@",
        " ",
        "ü",
        "//",
        "://",
        "\u{1}",
        "'",
        "\"<>`{|}^",
        RENDERED,
        "stampede",
    ];

    /// Values, most of which mean something in a URL.
    const VALUES: [&str; 34] = [
        "1",
        "20",
        "heat",
        "a-b_c~",
        "",
        ".",
        "..",
        "./",
        "../..",
        "%",
        "%2e",
        "2e",
        "e",
        "%2E%2e",
        "/",
        "//",
        "\\",
        "?",
        "#",
        "&",
        "=",
        "@evil",
        ":80",
        "http://evil/",
        "evil.test",
        "\n",
        "\t",
        "\r\n",
        " ",
        "ü",
        "'",
        "\"",
        "<>`{|}^",
        "\u{0}\u{7f}",
    ];

    fn urls() -> impl Strategy<Value = String> {
        let starts = [
            "http://site/",
            "https://site:8443/x/",
            "http://site",
            "HTTP://Site:80?",
            "http:",
            "/",
            "/a/",
            "//",
            "a/",
            "?",
            "",
        ];
        let call = || select(vec!["{{var a}}", "{{var b}}"]).boxed();
        let literal = || select(LITERALS.to_vec()).boxed();
        let parts = proptest::collection::vec(prop_oneof![literal(), literal(), call()], 0..8);
        (select(starts.to_vec()), parts).prop_map(|(start, parts)| [&[start][..], &parts[..]].concat().concat())
    }

    fn values() -> impl Strategy<Value = String> {
        let known = proptest::collection::vec(select(VALUES.to_vec()), 0..3).prop_map(|parts| parts.concat());
        prop_oneof![select(VALUES.to_vec()).prop_map(str::to_owned), known, any::<String>(), "[ -~]{0,12}"]
    }

    fn queries() -> impl Strategy<Value = Vec<(&'static str, &'static str)>> {
        let name = select(vec!["q", "two words", "n&=ü", ""]);
        let value = select(vec!["1", "{{var a}}", "x {{var b}}&", ""]);
        prop_oneof![Just(Vec::new()), proptest::collection::vec((name, value), 0..3)]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]
        #[test]
        fn a_pattern_makes_the_target_that_the_parser_makes(
            url in urls(),
            query in queries(),
            base in select(vec![None, Some("http://base:8080/app/x"), Some("https://base/a?b#c"), Some("http://base")]),
            first in values(),
            second in values(),
        ) {
            UrlCase { url: &url, query: &query, base, values: [&first, &second] }.check();
        }
    }

    #[test]
    fn a_target_that_is_too_long_is_noticed() {
        let value = "x".repeat(70_000);
        let case = UrlCase { url: "http://site/?a={{var a}}", query: &[], base: None, values: [&value, ""] };
        assert_eq!(case.check(), UrlForm::Values);
    }
}
