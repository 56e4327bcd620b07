//! `url.template`: the URL of a step as the script has it, with `{}` for what is rendered. Spans with the same template
//! are of one kind, whatever their URLs.

use crate::diagnostic::hide_literal_secrets;
use crate::plan::Plan;

/// Stands for a rendered part in the preview of a request.
const RENDERED: char = '…';

/// A URL with rendered parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct UrlTemplate {
    /// The parts between what is rendered, at least two.
    fixed: Vec<String>,
    /// Path and query with `{}`.
    text: String,
}

/// Returns the templates of a plan, by row; `None` for a URL without a rendered part, and for one of which nothing is
/// known.
pub(super) fn of_plan(plan: &Plan) -> Vec<Option<UrlTemplate>> {
    let mut templates = vec![None; plan.rows.len()];
    for step in plan.login.iter().chain(&plan.steps) {
        let url = step.request.as_ref().and_then(|request| request.url.as_deref());
        let shown = url.map(|url| hide_literal_secrets(&plan.runtime.script_context.secrets.redact(url, &[])));
        templates[usize::from(step.row)] = shown.as_deref().and_then(UrlTemplate::new);
    }
    templates
}

impl UrlTemplate {
    fn new(url: &str) -> Option<Self> {
        let fixed: Vec<_> = url.split(RENDERED).map(str::to_owned).collect();
        let after_scheme = url.find("://").map_or(0, |at| at + 3);
        let path = url[after_scheme..].find('/').map(|at| &url[after_scheme + at..])?;
        (fixed.len() > 1).then(|| Self { fixed, text: path.replace(RENDERED, "{}") })
    }

    /// Returns path and query with `{}` for what is rendered.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Returns `true` if a URL may have been rendered from the template. A step may send other requests too.
    pub(super) fn fits(&self, url: &str) -> bool {
        let [first, middle @ .., last] = self.fixed.as_slice() else { return false };
        let Some(mut rest) = url.strip_prefix(first.as_str()) else { return false };
        for part in middle {
            let Some(at) = rest.find(part.as_str()) else { return false };
            rest = &rest[at + part.len()..];
        }
        rest.ends_with(last.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_fits_the_template_that_it_was_rendered_from() {
        let template = UrlTemplate::new("http://site:80/user/…/cart?page=…").unwrap();
        assert_eq!(template.text(), "/user/{}/cart?page={}");
        for (url, fits) in [
            ("http://site:80/user/7/cart?page=1", true),
            ("http://site:80/user//cart?page=", true),
            ("http://site:80/user/7/cart", false),
            ("http://other/user/7/cart?page=1", false),
        ] {
            assert_eq!(template.fits(url), fits, "{url}");
        }
        let ends = UrlTemplate::new("http://site/…/end").unwrap();
        assert!(ends.fits("http://site/a/end") && !ends.fits("http://site/a/end/more") && !ends.fits("http://site/en"));
        assert_eq!((UrlTemplate::new("http://site/fixed"), UrlTemplate::new("http://…")), (None, None));
    }
}
