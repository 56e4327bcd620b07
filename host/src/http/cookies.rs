//! The cookies of one user (RFC 6265). Most users of most tests never get one, so the jar is created with the first.
//!
//! A cookie comes back byte for byte, in whatever encoding it was set. The jar holds text, so its strings have a
//! character for each byte, U+0000 to U+00FF.
//!
//! Expiry is the one thing in a run that does not follow the run's clock: cookie_store compares with the system's time
//! of day by itself.

use std::cell::RefCell;

use cookie_store::{Cookie, CookieStore};
use hyper::header::HeaderValue;
use hyper::http::uri::PathAndQuery;
use url::Url;

use super::cookie_date::with_http_date;
use super::header_section::HeaderSection;
use crate::net::Origin;

/// Maximum number of cookies a user keeps. Further ones are ignored, so that a target that generates names or paths
/// does not fill the memory.
const MAX_COOKIES: usize = 256;

/// The cookies of one user.
#[derive(Default)]
pub struct Cookies {
    jar: RefCell<Option<Box<CookieStore>>>,
    /// Cookies that [`restore`](Self::restore) brings back.
    saved: RefCell<Option<Box<CookieStore>>>,
}

impl Cookies {
    /// Returns the value of an unexpired cookie, whatever its domain and path.
    pub fn value(&self, name: &str) -> Option<String> {
        let jar = self.jar.borrow();
        let name = characters_of(name.as_bytes());
        let cookie = jar.as_ref()?.iter_unexpired().find(|cookie| cookie.name() == name)?;
        Some(String::from_utf8_lossy(&bytes_of(cookie.value())).into_owned())
    }

    /// Saves the cookies for [`restore`](Self::restore).
    pub(super) fn save(&self) {
        self.saved.replace(self.jar.borrow().clone());
    }

    /// Goes back to the saved cookies; to none if none were saved.
    pub(super) fn restore(&self) {
        self.jar.replace(self.saved.borrow().clone());
    }

    /// Returns the cookies that belong to a request, as its `cookie` field. A field of the request's own wins over it.
    pub(super) fn field(&self, origin: &Origin, target: &PathAndQuery) -> Option<HeaderValue> {
        let jar = self.jar.borrow();
        field(jar.as_ref()?, &origin.url(target)?)
    }

    /// Keeps the cookies of a reply.
    pub(super) fn store_from(&self, headers: &HeaderSection, origin: &Origin, target: &PathAndQuery) {
        let mut set = headers.cookies().map(characters_of).peekable();
        if set.peek().is_none() {
            return;
        }
        let Some(url) = origin.url(target) else { return };
        let mut jar = self.jar.borrow_mut();
        let jar = jar.get_or_insert_default();
        for text in set {
            let Ok(cookie) = Cookie::parse(with_http_date(&text), &url) else { continue };
            if replaces_existing(jar, &cookie) || jar.iter_any().count() < MAX_COOKIES {
                // A rejected cookie (of another domain, say) is ignored, as RFC 6265 section 5.3 requires.
                let _ = jar.insert(cookie.into_owned(), &url);
            }
        }
    }
}

/// Returns a text with a character for each byte.
fn characters_of(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// Returns the bytes of such a text.
fn bytes_of(characters: &str) -> Vec<u8> {
    characters.chars().map(|character| u8::try_from(character).unwrap_or(b'?')).collect()
}

/// Returns `true` if the cookie replaces another with its domain, path and name (RFC 6265 section 5.3).
fn replaces_existing(jar: &CookieStore, cookie: &Cookie<'_>) -> bool {
    jar.contains_any(&String::from(&cookie.domain), &cookie.path, cookie.name())
}

/// Returns the `cookie` field of a request to `url`: longer paths first, then by name, so that it does not depend on
/// the order in a hash table.
fn field(jar: &CookieStore, url: &Url) -> Option<HeaderValue> {
    let mut cookies = jar.matches(url);
    cookies.sort_by_key(|cookie| (usize::MAX - cookie.path.len(), cookie.name().to_owned()));
    let pairs: Vec<_> = cookies.iter().map(|cookie| format!("{}={}", cookie.name(), cookie.value())).collect();
    if pairs.is_empty() { None } else { HeaderValue::from_bytes(&bytes_of(&pairs.join("; "))).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the `cookie` field of a request to `to`, after a reply from `from` set these cookies.
    fn sent(from: &str, set: &[&str], to: &str) -> String {
        let cookies = Cookies::default();
        let headers = set.iter().map(|text| ("set-cookie", text.as_bytes())).collect();
        let (from, to) = (Url::parse(from).unwrap(), Url::parse(to).unwrap());
        let parts = |url: &Url| (Origin::of(url).unwrap(), crate::net::target(url).unwrap());
        let (origin, target) = parts(&from);
        cookies.store_from(&headers, &origin, &target);
        let (origin, target) = parts(&to);
        let field = cookies.field(&origin, &target);
        field.map_or_else(String::new, |value| value.to_str().unwrap().to_owned())
    }

    #[test]
    fn cookies_go_where_they_belong() {
        for (case, set, to, field) in [
            ("the same site", &["a=1"][..], "http://site.test/", "a=1"),
            ("several, by name", &["b=2", "a=1"], "http://site.test/", "a=1; b=2"),
            ("longer paths first", &["a=1; Path=/", "b=2; Path=/deep"], "http://site.test/deep/x", "b=2; a=1"),
            ("another path", &["a=1; Path=/deep"], "http://site.test/", ""),
            ("a subdomain, not asked for", &["a=1"], "http://www.site.test/", ""),
            ("a subdomain, asked for", &["a=1; Domain=site.test"], "http://www.site.test/", "a=1"),
            ("another domain cannot be set", &["a=1; Domain=other.test"], "http://other.test/", ""),
            ("ports do not matter", &["a=1"], "http://site.test:8080/", "a=1"),
            ("secure, over http", &["a=1; Secure"], "http://site.test/", ""),
            ("replaced", &["a=1", "a=2"], "http://site.test/", "a=2"),
            ("taken back", &["a=1", "a=; Max-Age=0"], "http://site.test/", ""),
            ("taken back by a date", &["a=1", "a=; Expires=Thu, 1 Jan 1970 00:00:01 UTC"], "http://site.test/", ""),
            ("taken back by asctime", &["a=1", "a=; Expires=Thu Jan  1 00:00:01 1970"], "http://site.test/", ""),
            ("no date", &["a=1; Expires=never"], "http://site.test/", "a=1"),
            ("malformed", &["; nothing"], "http://site.test/", ""),
        ] {
            assert_eq!(sent("http://site.test/", set, to), field, "{case}");
        }
    }

    #[test]
    fn values_come_back_byte_for_byte() {
        let url = Url::parse("http://site.test/").unwrap();
        let (origin, target) = (Origin::of(&url).unwrap(), crate::net::target(&url).unwrap());
        let cookies = Cookies::default();
        let set: [(&str, &[u8]); 3] =
            [("set-cookie", b"a=caf\xe9"), ("set-cookie", "b=ü✓".as_bytes()), ("set-cookie", b"c=\"x y\"")];
        cookies.store_from(&set.into_iter().collect(), &origin, &target);
        let sent = cookies.field(&origin, &target).unwrap();
        assert_eq!(sent.as_bytes(), [b"a=caf\xe9; b=", "ü✓".as_bytes(), b"; c=\"x y\""].concat());
        assert_eq!(cookies.value("b").as_deref(), Some("ü✓"));
        assert_eq!(cookies.value("a").as_deref(), Some("caf\u{fffd}"));
    }

    #[test]
    fn a_cookie_has_a_value() {
        let url = Url::parse("http://site.test/").unwrap();
        let (origin, target) = (Origin::of(&url).unwrap(), crate::net::target(&url).unwrap());
        let cookies = Cookies::default();
        cookies.store_from(&[("set-cookie", &b"a=1"[..])].into_iter().collect(), &origin, &target);
        assert_eq!(cookies.value("a").as_deref(), Some("1"));
        assert_eq!(cookies.value("b"), None);
    }

    #[test]
    fn restore_brings_back_the_saved_cookies() {
        let url = Url::parse("http://site.test/").unwrap();
        let (origin, target) = (Origin::of(&url).unwrap(), crate::net::target(&url).unwrap());
        let cookies = Cookies::default();
        let learn =
            |text: &str| cookies.store_from(&[("set-cookie", text.as_bytes())].into_iter().collect(), &origin, &target);
        let sent = || cookies.field(&origin, &target).map(|value| value.to_str().unwrap().to_owned());
        learn("early=1");
        cookies.restore();
        assert_eq!(sent(), None, "nothing was saved");
        learn("session=1");
        cookies.save();
        for basket in ["basket=1", "basket=2; Path=/", "session=2"] {
            learn(basket);
            assert_ne!(sent().as_deref(), Some("session=1"));
            cookies.restore();
            assert_eq!(sent().as_deref(), Some("session=1"));
        }
    }

    #[test]
    fn generated_names_do_not_fill_the_memory() {
        let many: Vec<_> = (0..2 * MAX_COOKIES).map(|number| format!("name{number}=1")).collect();
        let many: Vec<_> = many.iter().map(String::as_str).collect();
        assert_eq!(sent("http://site.test/", &many, "http://site.test/").split("; ").count(), MAX_COOKIES);
    }

    #[test]
    fn generated_paths_do_not_fill_the_memory_and_updates_still_count() {
        let mut many = vec!["a=1; Path=/".to_owned()];
        many.extend((0..2 * MAX_COOKIES).map(|number| format!("a=1; Path=/{number}")));
        many.push("a=2; Path=/".to_owned());
        let url = Url::parse("http://site.test/").unwrap();
        let (origin, target) = (Origin::of(&url).unwrap(), crate::net::target(&url).unwrap());
        let cookies = Cookies::default();
        let headers = many.iter().map(|text| ("set-cookie", text.as_bytes())).collect();
        cookies.store_from(&headers, &origin, &target);
        assert_eq!(cookies.jar.borrow().as_ref().unwrap().iter_any().count(), MAX_COOKIES);
        assert_eq!(cookies.field(&origin, &target).unwrap(), "a=2");
    }
}
