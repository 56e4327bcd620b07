//! Finds the resources in a page's HTML that a browser fetches on its own. Tags are parsed by the standard, those
//! within SVG and MathML by its rules for foreign content; resources that styles and scripts would fetch are not looked
//! for.
//!
//! A page is scanned in portions, since the processor time of one call of a plugin is limited.

mod attributes;
mod elements;
mod namespaces;
mod scan;
mod tokens;

use html5gum::Tokenizer;
use url::Url;

use scan::ResourceScan;
use tokens::{PageReader, TagEmitter, TagToken};

/// The bytes of a page that are scanned at once, a millisecond's work; a text without tags may be longer, which the
/// tokenizer skips.
const PORTION: usize = 32 << 10;

/// The references of a page that are resolved at once.
const RESOLVED_AT_ONCE: usize = 500;

/// Calls `each` with the URL of every resource of a page that came from `page`, in the order of the page, without
/// fragments. `pause` is awaited after every portion.
pub(crate) async fn resources(html: &[u8], page: &Url, mut each: impl FnMut(Url), pause: impl AsyncFn()) {
    let mut scan = ResourceScan::default();
    for Ok(token) in Tokenizer::new_with_emitter(PageReader(html), TagEmitter::new(PORTION)) {
        match token {
            TagToken::Start(tag) => scan.begin(&tag),
            TagToken::End(name) => scan.end(&name),
            TagToken::Portion => pause().await,
        }
    }
    let (base, found) = scan.finish();
    let base = base.and_then(|base| page.join(&base).ok());
    let base = base.as_ref().unwrap_or(page);
    for portion in found.chunks(RESOLVED_AT_ONCE) {
        for reference in portion {
            let url = base.join(reference).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
            if let Some(mut url) = url {
                url.set_fragment(None);
                each(url);
            }
        }
        pause().await;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    /// Scans a page at once.
    fn scanned(html: &[u8], page: &Url) -> Vec<Url> {
        let urls = RefCell::new(Vec::new());
        {
            let mut scan = pin!(resources(html, page, |url| urls.borrow_mut().push(url), async || ()));
            let polled = scan.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            assert!(polled.is_ready(), "nothing waits");
        }
        urls.into_inner()
    }

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
            (
                "<input type=IMAGE src=i><input type=text src=no><input src=no><object data=o></object><embed src=e>",
                "d/i d/o d/e",
            ),
            ("<object data=o><object data=no></object><embed src=no><img src=i></object><embed src=e>", "d/o d/i d/e"),
            ("<object><embed src=e></object>", "d/e"),
            ("<frameset><frame src=a><frame src=b></frameset><noframes><img src=no></noframes>", "d/a d/b"),
            ("<frame src=no><iframe src=no srcdoc='<p>'></iframe>", ""),
            (
                "<body background=a><table background=b><tr background=c><td background=d><p background=no>",
                "d/a d/b d/c d/d",
            ),
            ("<link rel=stylesheet href=no disabled><link rel=stylesheet href=a media=print>", "d/a"),
            (
                "<link rel=stylesheet href=no type=text/less><link rel=stylesheet href=a type='text/css; charset=x'>",
                "d/a",
            ),
            ("<image src=a>", "d/a"),
        ] {
            let page = Url::parse("http://site/d/page?q").expect("a URL");
            let urls = scanned(html.as_bytes(), &page);
            let urls: Vec<_> = urls.iter().map(|url| url.as_str().trim_start_matches("http://site/")).collect();
            assert_eq!(urls.join(" "), found, "{html}");
        }
    }

    #[test]
    fn foreign_content_is_read_by_its_own_rules() {
        for (html, found) in [
            ("<svg><style/></svg><img src=a>", "a"),
            ("<svg><script/></svg><svg><title/></svg><svg><textarea/></svg><img src=a>", "a"),
            ("<svg><style></style><path d=x /></svg><style><img src=no></style><img src=a>", "a"),
            ("<math><style/><mi>x</mi></math><img src=a>", "a"),
            ("<svg/><style><img src=no></style><img src=a>", "a"),
            ("<svg><style><img src=a></style></svg>", "a"),
            ("<svg><![CDATA[<img src=no>]]></svg><![CDATA[<p>]]><img src=a>", "a"),
            (
                "<svg><foreignObject><style><img src=no></style><img src=a></foreignObject><style/></svg><img src=b>",
                "a b",
            ),
            ("<svg><desc><title><img src=no></title></desc></svg><img src=a>", "a"),
            ("<svg><g><p><style><img src=no></style><img src=a>", "a"),
            ("<svg><g></p><style><img src=no></style><img src=a>", "a"),
            ("<svg><font color=red><title><img src=no></title><svg><font><title/><img src=a>", "a"),
            ("<math><annotation-xml encoding=text/html><style><img src=no></style></annotation-xml></math>", ""),
            (
                "<math><annotation-xml><svg><style/></svg></annotation-xml><mtext><title><img src=no></title></mtext>",
                "",
            ),
            ("<svg><image href=a /><image xlink:href=b></image><use href='#no'/><use href='c#x'/></svg>", "a b c"),
            ("<svg><script href=a></script><script href=no type=text/plain /></svg><img src=b>", "a b"),
            ("<svg><template><img src=a>", "a"),
            ("<SVG><STYLE/></SVG><svg viewBox='0 0 1 1'><linearGradient/><STYLE /></svg><img src=a>", "a"),
        ] {
            let page = Url::parse("http://site/page").expect("a URL");
            let urls = scanned(html.as_bytes(), &page);
            let urls: Vec<_> = urls.iter().map(|url| url.as_str().trim_start_matches("http://site/")).collect();
            assert_eq!(urls.join(" "), found, "{html}");
        }
    }

    #[test]
    fn pages_are_scanned_in_portions() {
        let page = Url::parse("http://site/").expect("a URL");
        let size = 1 << 20;
        let text = |begin: &str, piece: &str| (begin.to_owned() + &piece.repeat(size / piece.len())).into_bytes();
        // The tokenizer skips text, and values of attributes, in one step.
        for (case, html, in_one_step) in [
            ("images", text("", "<img src='/i.png'>"), false),
            ("text", text("", "lorem ipsum "), true),
            ("a comment", text("<!--", "-"), true),
            ("tags never closed", text("", "<"), false),
            ("attributes", text("<p ", "a=1 "), false),
            ("a long name", text("<", "a"), true),
            ("a long attribute", text("<img src='/", "a"), true),
            ("an attribute that counts for nothing", text("<img alt='/", "a"), true),
            ("a script", text("<script>", "var a = 1 < 2;\n"), false),
            ("references to characters", text("", "&amp;"), false),
            ("elements in elements", text("<svg>", "<g>"), false),
            ("a doctype", text("<!doctype ", "a"), true),
        ] {
            let portions = Cell::new(0);
            let mut scan = pin!(resources(&html, &page, |_| (), async || portions.set(portions.get() + 1)));
            assert!(scan.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready(), "{case}");
            assert!(in_one_step || portions.get() >= size / PORTION - 1, "{case}: {}", portions.get());
        }
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_skipped() {
        let page = Url::parse("http://site/").expect("a URL");
        let urls = scanned(b"\xff\xfe<p \xff=\xff><img src=/a\xff>", &page);
        assert_eq!(urls.len(), 1);
    }
}
