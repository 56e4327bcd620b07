//! Finds the resources in a page's HTML that a browser fetches on its own. Tags are parsed by the standard; resources
//! that styles and scripts would fetch are not looked for.

use html5gum::emitters::default::DefaultEmitter;
use html5gum::{StartTag, Token, Tokenizer};
use url::Url;

/// Returns the URLs of the resources of a page that came from `page`, in the order of the page, without fragments.
pub(crate) fn resources(html: &[u8], page: &Url) -> Vec<Url> {
    let mut reading = ResourceScan::default();
    let mut emitter = DefaultEmitter::default();
    // The contents of scripts, styles and the like are text.
    emitter.naively_switch_states(true);
    for Ok(token) in Tokenizer::new_with_emitter(html, emitter) {
        match token {
            Token::StartTag(tag) => reading.begin(&Tag(&tag)),
            Token::EndTag(tag) => reading.end(&tag.name),
            _ => {}
        }
    }
    let base = reading.base.and_then(|base| page.join(&base).ok());
    let base = base.as_ref().unwrap_or(page);
    let urls = reading.found.iter().filter_map(|reference| base.join(reference).ok());
    let mut urls: Vec<_> = urls.filter(|url| matches!(url.scheme(), "http" | "https")).collect();
    urls.iter_mut().for_each(|url| url.set_fragment(None));
    urls
}

/// A start tag.
struct Tag<'a>(&'a StartTag<()>);

impl Tag<'_> {
    fn has(&self, name: &str) -> bool {
        self.0.attributes.contains_key(name.as_bytes())
    }

    fn text(&self, name: &str) -> String {
        let value = self.0.attributes.get(name.as_bytes());
        value.map(|value| String::from_utf8_lossy(value).trim().to_owned()).unwrap_or_default()
    }

    /// Returns the value of an attribute, unless it is empty.
    fn reference(&self, name: &str) -> Option<String> {
        Some(self.text(name)).filter(|value| !value.is_empty())
    }

    /// Returns the first candidate of a `srcset`.
    fn first_candidate(&self) -> Option<String> {
        let set = self.text("srcset");
        let first = set.split_ascii_whitespace().next()?.trim_matches(',');
        Some(first.to_owned()).filter(|first| !first.is_empty())
    }

    fn is_one_of(&self, name: &str, words: &[&str]) -> bool {
        self.text(name).split_ascii_whitespace().any(|word| words.iter().any(|known| word.eq_ignore_ascii_case(known)))
    }

    /// Returns `true` for a script that a browser runs: not data, and not for old browsers only.
    fn is_script(&self) -> bool {
        let kind = self.text("type").to_ascii_lowercase();
        let runs = kind.is_empty() || kind == "module" || kind.contains("javascript") || kind.contains("ecmascript");
        runs && !self.has("nomodule")
    }

    /// Returns `true` for a video or a sound that is fetched before it is played.
    fn is_eager(&self) -> bool {
        self.has("autoplay") || self.has("preload") && matches!(self.text("preload").as_str(), "" | "auto")
    }
}

/// The state of a scan in the middle of a page.
#[derive(Default)]
struct ResourceScan {
    base: Option<String>,
    found: Vec<String>,
    /// The depth of nested elements that are not shown: `noscript`, `template`.
    hidden: u32,
    /// Within a `picture`, `video` or `audio`: `true` once its source is chosen, or if none is wanted.
    chosen: Option<bool>,
}

impl ResourceScan {
    fn begin(&mut self, tag: &Tag<'_>) {
        let name = tag.0.name.as_slice();
        if matches!(name, b"noscript" | b"template") {
            self.hidden += 1;
        }
        if self.hidden > 0 {
            return;
        }
        let found = match name {
            b"base" => {
                self.base = self.base.take().or_else(|| tag.reference("href"));
                None
            }
            b"link" if tag.is_one_of("rel", &["stylesheet", "icon", "preload", "modulepreload"]) => {
                tag.reference("href")
            }
            b"script" if tag.is_script() => tag.reference("src"),
            b"iframe" => tag.reference("src"),
            b"img" if self.chosen == Some(true) => None,
            b"img" => tag.reference("src").or_else(|| tag.first_candidate()),
            b"source" if self.chosen == Some(false) => {
                let source = tag.first_candidate().or_else(|| tag.reference("src"));
                self.chosen = Some(source.is_some());
                source
            }
            b"picture" => {
                self.chosen = Some(false);
                None
            }
            b"video" | b"audio" => {
                let own = tag.reference("src").filter(|_| tag.is_eager());
                self.chosen = Some(own.is_some() || tag.has("src") || !tag.is_eager());
                self.found.extend(tag.reference("poster"));
                own
            }
            _ => None,
        };
        self.found.extend(found);
    }

    fn end(&mut self, name: &[u8]) {
        match name {
            b"noscript" | b"template" => self.hidden = self.hidden.saturating_sub(1),
            b"picture" | b"video" | b"audio" => self.chosen = None,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_fetches_these_and_no_others() {
        for (html, found) in [
            ("<link rel=stylesheet href=a.css><link rel='shortcut ICON' href=/i.ico>", "d/a.css i.ico"),
            ("<link rel=preload href=f.woff as=font><link rel=canonical href=/x><link rel=next href=2>", "d/f.woff"),
            ("<SCRIPT SRC=a.js></SCRIPT><script src=m.js type=module></script>", "d/a.js d/m.js"),
            ("<script src=o.js nomodule></script><script type=text/x-template src=t></script>", ""),
            ("<script>'<img src=no>'</script><style><img src=no></style><title><img src=no></title>", ""),
            ("<!-- <img src=no> --><textarea><img src=no></textarea><img src=yes>", "d/yes"),
            ("<noscript><img src=no></noscript><template><img src=no></template><img src=yes>", "d/yes"),
            ("<img src='a b.png?x=1&amp;y=2#z'>", "d/a%20b.png?x=1&y=2"),
            (
                "<img src=a.png srcset='b.png 2x'><img srcset='c.png 1x, d.png 2x'><img srcset='e.png'>",
                "d/a.png d/c.png d/e.png",
            ),
            (
                "<picture><source srcset='a.webp, b.webp 2x'><source srcset=c><img src=d></picture><img src=e>",
                "d/a.webp d/e",
            ),
            ("<picture><img src=d></picture>", "d/d"),
            ("<video poster=p.jpg src=v.mp4></video><video><source src=v.mp4></video>", "d/p.jpg"),
            (
                "<video autoplay><source src=a.mp4><source src=b.mp4></video><audio preload=auto src=s></audio>",
                "d/a.mp4 d/s",
            ),
            (
                "<iframe src=//other/f></iframe><a href=/x><img src=''><img src='data:,x'><img src='http://['>",
                "http://other/f",
            ),
            ("<base href=/static/><base href=/no/><img src=a><img src=../b><img src=/c>", "static/a b c"),
            ("<img src=a><base href=https://cdn/x/y>", "https://cdn/x/a"),
            ("<img src=\\..\\a><img src=' \n/b\n'><img src=bü>", "a b d/b%C3%BC"),
            ("<img", ""),
        ] {
            let page = Url::parse("http://site/d/page?q").expect("a URL");
            let urls = resources(html.as_bytes(), &page);
            let urls: Vec<_> = urls.iter().map(|url| url.as_str().trim_start_matches("http://site/")).collect();
            assert_eq!(urls.join(" "), found, "{html}");
        }
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_skipped() {
        let page = Url::parse("http://site/").expect("a URL");
        let urls = resources(b"\xff\xfe<p \xff=\xff><img src=/a\xff>", &page);
        assert_eq!(urls.len(), 1);
    }
}
