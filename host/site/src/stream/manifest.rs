//! Replies with a playlist or manifest.

use std::io::{self, Read};

use flate2::Compression;
use flate2::read::GzEncoder;
use hyper::StatusCode;
use hyper::header::{ACCEPT_ENCODING, CONTENT_ENCODING, DATE, HeaderValue};

use super::access;
use super::choices::ManifestCoding;
use super::request::StreamRequest;
use super::timestamp::HttpDate;
use crate::body::BodySource;
use crate::content_coding::accepts_coding;
use crate::page_outcome::{PageReply, with_media_type};

/// Returns a reply with a playlist or manifest. Its `date` is of the site's clock, which may be virtual: players
/// compare it with the times in manifests.
pub(crate) fn reply(request: &StreamRequest<'_>, media_type: &'static str, text: String) -> PageReply {
    let text = access::with_token(request, text);
    let is_coded = match request.spec.coding {
        ManifestCoding::Clear => false,
        ManifestCoding::Gzip => {
            request.page.header(ACCEPT_ENCODING.as_str()).is_some_and(|field| accepts_coding(field, "gzip"))
        }
        ManifestCoding::HiddenGzip => true,
    };
    let coded = is_coded.then(|| gzip(&text)).and_then(Result::ok);
    let body = coded.map_or_else(|| BodySource::whole(text), BodySource::whole);
    let mut reply = with_media_type(StatusCode::OK, media_type, body);
    if is_coded && request.spec.coding == ManifestCoding::Gzip {
        reply.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    access::add_cookies(request, &mut reply);
    if let Ok(date) = HeaderValue::try_from(HttpDate(request.wall).to_string()) {
        reply.headers_mut().insert(DATE, date);
    }
    reply
}

fn gzip(text: &str) -> io::Result<Vec<u8>> {
    let mut coded = Vec::new();
    GzEncoder::new(text.as_bytes(), Compression::fast()).read_to_end(&mut coded)?;
    Ok(coded)
}
