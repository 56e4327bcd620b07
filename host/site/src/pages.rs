//! The pages of the routes.

use hyper::StatusCode;
use hyper::header::{ALLOW, HeaderValue};

use super::page_outcome::{PageOutcome, error_reply};
use super::page_request::PageRequest;
use super::route::Route;
use super::{auth, catalog, content_coding, cookies, echo, events, exact, hls, misbehave, redirect, stream, websocket};

/// Returns the outcome of a request.
pub(crate) fn answer(ask: &PageRequest<'_>) -> PageOutcome {
    match ask.route {
        route if !route.allows(&ask.parts.method) => wrong_method(route),
        Route::Auth => auth::sign_in(ask),
        Route::Catalog => catalog::page(ask),
        Route::StreamStart => catalog::start_stream(ask),
        Route::Master => hls::master(ask),
        Route::Media => hls::media(ask),
        Route::Segment => hls::segment(ask),
        Route::WebSocket => websocket::handshake(ask),
        Route::Events => events::stream(ask),
        Route::Status => exact::status(ask),
        Route::Delay => exact::delay(ask),
        Route::Bytes => exact::bytes(ask),
        Route::Chunked => exact::chunked(ask),
        Route::Slow => exact::slow(ask),
        Route::BigHeader => exact::big_header(ask),
        Route::Redirect => redirect::chain(ask),
        Route::RedirectTo => redirect::to(ask),
        Route::Echo => echo::request(ask),
        Route::Gzip => content_coding::gzip(ask),
        Route::Deflate => content_coding::deflate(ask),
        Route::CookieSet => cookies::set(ask),
        Route::CookieShow => cookies::show(ask),
        Route::Close | Route::Reset | Route::Malformed | Route::Truncated | Route::Endless => {
            misbehave::misbehave(ask.route)
        }
        Route::LiveMaster | Route::LiveMedia | Route::LiveInit | Route::LiveSegment => stream::answer(ask),
        Route::LowLatencyMaster | Route::LowLatencyMedia | Route::LowLatencyInit => stream::answer(ask),
        Route::LowLatencySegment | Route::LowLatencyPart => stream::answer(ask),
        Route::VodMaster | Route::VodMedia | Route::VodInit | Route::VodSegment => stream::answer(ask),
        Route::VodFile | Route::VodKey => stream::answer(ask),
        Route::DashVodManifest | Route::DashVodInit | Route::DashVodSegment => stream::answer(ask),
        Route::DashLiveManifest | Route::DashLiveInit | Route::DashLiveSegment => stream::answer(ask),
        Route::DashLowLatencyManifest | Route::DashLowLatencyInit => stream::answer(ask),
        Route::DashLowLatencySegment | Route::DashVodFile | Route::DashTime => stream::answer(ask),
        Route::Unknown => error_reply(StatusCode::NOT_FOUND, "no such route").into(),
    }
}

fn wrong_method(route: Route) -> PageOutcome {
    let mut reply = error_reply(StatusCode::METHOD_NOT_ALLOWED, "the route does not accept this method");
    if let Some(allowed) = route.allowed_methods() {
        reply.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    }
    reply.into()
}
