//! The page as a file: the one that the build has made, with a log inside. Without npm a build has no page.

use std::io::{self, Write};
use std::path::Path;

use base64::engine::general_purpose::STANDARD;
use base64::write::EncoderWriter;
use flate2::Compression;
use flate2::write::GzEncoder;

include!(concat!(env!("OUT_DIR"), "/page.rs"));

/// The reason why a build without the page cannot show it.
pub(crate) const NO_PAGE: &str = "this build has no page: npm was missing when it was built";

/// The empty element for the log.
const PLACE: &str = "id=\"run\"></script>";

/// Returns the page without a log, which follows a run that is going on; `None` if the build has none.
pub(crate) const fn template() -> Option<&'static str> {
    PAGE
}

/// Returns `true` if a path names a page.
pub(crate) fn is_page(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("html"))
}

/// Returns the content security policy of the page, for its header.
pub(crate) fn policy(page: &str) -> &str {
    let after = page.split_once("Content-Security-Policy\" content=\"").map(|(_, after)| after);
    after.and_then(|after| after.split_once('"')).map_or("default-src 'none'", |(policy, _)| policy)
}

/// Writes the page with a log inside: the lines that `lines` writes.
///
/// # Errors
/// Writing fails, or the build has no page.
pub(crate) fn write_log(out: &mut dyn Write, lines: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let page = template().ok_or_else(|| io::Error::other(NO_PAGE))?;
    let (before, after) = page.split_once(PLACE).ok_or_else(|| io::Error::other("the page has no place for a log"))?;
    out.write_all(before.as_bytes())?;
    // Base64 has no character that could end the element.
    out.write_all(b"id=\"run\">{\"encoding\":\"gzip+base64\",\"data\":\"")?;
    let mut packed = GzEncoder::new(EncoderWriter::new(&mut *out, &STANDARD), Compression::default());
    lines(&mut packed)?;
    packed.finish()?.finish()?;
    out.write_all(b"\"}</script>")?;
    out.write_all(after.as_bytes())
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Read;

    use base64::Engine as _;

    use super::*;

    /// Returns the log in a page.
    pub(in super::super) fn log_of(page: &str) -> String {
        let (_, data) = page.split_once("\"data\":\"").expect("a log");
        let (data, _) = data.split_once('"').expect("its end");
        let mut text = String::new();
        let packed = STANDARD.decode(data).expect("base64");
        flate2::read::GzDecoder::new(packed.as_slice()).read_to_string(&mut text).expect("gzip");
        text
    }

    #[test]
    fn a_log_reads_back_and_ends_no_element() {
        if template().is_none() {
            return;
        }
        let mut page = Vec::new();
        write_log(&mut page, |out| out.write_all(b"</script><script>alert(1)</script>\n")).expect("memory");
        let page = String::from_utf8(page).expect("UTF-8");
        assert_eq!(log_of(&page), "</script><script>alert(1)</script>\n");
        assert!(!page.contains("alert(1)"));
        assert!(policy(&page).starts_with("default-src 'none'; script-src 'sha256-"), "{}", policy(&page));
    }

    #[test]
    fn paths_of_pages() {
        let cases = [("a.html", true), ("A.HTML", true), ("a.json", false), ("html", false)];
        for (path, expected) in cases {
            assert_eq!(is_page(Path::new(path)), expected, "{path}");
        }
    }
}
