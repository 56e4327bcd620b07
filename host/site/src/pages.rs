//! Which page answers which route.

use hyper::StatusCode;
use hyper::header::{ALLOW, HeaderValue};

use super::ask::Ask;
use super::outcome::{Outcome, refuse};
use super::route::Route;
use super::{auth, catalog, coding, cookies, echo, events, hls, misbehave, plain, redirect, websocket};

/// Decides what becomes of a request.
pub fn answer(ask: &Ask<'_>) -> Outcome {
    match ask.route {
        route if !route.takes(&ask.parts.method) => wrong_method(route),
        Route::Auth => auth::sign_in(ask),
        Route::Catalog => catalog::page(ask),
        Route::StreamStart => catalog::start_stream(ask),
        Route::Master => hls::master(ask),
        Route::Media => hls::media(ask),
        Route::Segment => hls::segment(ask),
        Route::WebSocket => websocket::shake_hands(ask),
        Route::Events => events::stream(ask),
        Route::Status => plain::status(ask),
        Route::Delay => plain::delay(ask),
        Route::Bytes => plain::bytes(ask),
        Route::Chunked => plain::chunked(ask),
        Route::Slow => plain::slow(ask),
        Route::BigHeader => plain::big_header(ask),
        Route::Redirect => redirect::chain(ask),
        Route::RedirectTo => redirect::to(ask),
        Route::Echo => echo::request(ask),
        Route::Gzip => coding::gzip(ask),
        Route::Deflate => coding::deflate(ask),
        Route::CookieSet => cookies::set(ask),
        Route::CookieShow => cookies::show(ask),
        Route::Close | Route::Reset | Route::Malformed | Route::Truncated | Route::Endless => misbehave::now(ask.route),
        Route::Unknown => refuse(StatusCode::NOT_FOUND, "no such route").into(),
    }
}

fn wrong_method(route: Route) -> Outcome {
    let mut reply = refuse(StatusCode::METHOD_NOT_ALLOWED, "the route does not take this method");
    if let Some(allowed) = route.allow() {
        reply.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    }
    reply.into()
}
