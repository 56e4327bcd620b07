//! The routes of the site. They are a small fixed set, so that counting is an array index and matching needs neither a
//! table walk nor an allocation.

use hyper::Method;

/// A route of the site. The documentation of the crate describes each of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are the paths")]
pub enum Route {
    Auth,
    Catalog,
    StreamStart,
    Master,
    Media,
    Segment,
    LiveMaster,
    LiveMedia,
    LiveInit,
    LiveSegment,
    LowLatencyMaster,
    LowLatencyMedia,
    LowLatencyInit,
    LowLatencySegment,
    LowLatencyPart,
    VodMaster,
    VodMedia,
    VodInit,
    VodSegment,
    VodFile,
    VodKey,
    DashVodManifest,
    DashVodInit,
    DashVodSegment,
    DashVodFile,
    DashLiveManifest,
    DashLiveInit,
    DashLiveSegment,
    DashLowLatencyManifest,
    DashLowLatencyInit,
    DashLowLatencySegment,
    DashTime,
    WebSocket,
    Events,
    Status,
    Delay,
    Bytes,
    Chunked,
    Slow,
    Redirect,
    RedirectTo,
    BigHeader,
    Echo,
    Gzip,
    Deflate,
    CookieSet,
    CookieShow,
    Close,
    Reset,
    Malformed,
    Truncated,
    Endless,
    /// Every other path: 404.
    Unknown,
}

impl Route {
    /// All routes, in the order of their discriminants.
    pub const ALL: [Self; 53] = [
        Self::Auth,
        Self::Catalog,
        Self::StreamStart,
        Self::Master,
        Self::Media,
        Self::Segment,
        Self::LiveMaster,
        Self::LiveMedia,
        Self::LiveInit,
        Self::LiveSegment,
        Self::LowLatencyMaster,
        Self::LowLatencyMedia,
        Self::LowLatencyInit,
        Self::LowLatencySegment,
        Self::LowLatencyPart,
        Self::VodMaster,
        Self::VodMedia,
        Self::VodInit,
        Self::VodSegment,
        Self::VodFile,
        Self::VodKey,
        Self::DashVodManifest,
        Self::DashVodInit,
        Self::DashVodSegment,
        Self::DashVodFile,
        Self::DashLiveManifest,
        Self::DashLiveInit,
        Self::DashLiveSegment,
        Self::DashLowLatencyManifest,
        Self::DashLowLatencyInit,
        Self::DashLowLatencySegment,
        Self::DashTime,
        Self::WebSocket,
        Self::Events,
        Self::Status,
        Self::Delay,
        Self::Bytes,
        Self::Chunked,
        Self::Slow,
        Self::Redirect,
        Self::RedirectTo,
        Self::BigHeader,
        Self::Echo,
        Self::Gzip,
        Self::Deflate,
        Self::CookieSet,
        Self::CookieShow,
        Self::Close,
        Self::Reset,
        Self::Malformed,
        Self::Truncated,
        Self::Endless,
        Self::Unknown,
    ];

    /// Returns the name in `/stats`: the path with its variable parts in braces, `*` for [`Route::Unknown`].
    pub const fn pattern(self) -> &'static str {
        match self {
            Self::Auth => "/auth",
            Self::Catalog => "/api/v1/catalog",
            Self::StreamStart => "/api/v1/stream/start",
            Self::Master => "/hls/{movie}/master.m3u8",
            Self::Media => "/hls/{movie}/{rendition}/media.m3u8",
            Self::Segment => "/hls/{movie}/{rendition}/{segment}.ts",
            Self::LiveMaster => "/live/{channel}/master.m3u8",
            Self::LiveMedia => "/live/{channel}/{track}/media.m3u8",
            Self::LiveInit => "/live/{channel}/{track}/init.mp4",
            Self::LiveSegment => "/live/{channel}/{track}/{segment}",
            Self::LowLatencyMaster => "/ll/{channel}/master.m3u8",
            Self::LowLatencyMedia => "/ll/{channel}/{track}/media.m3u8",
            Self::LowLatencyInit => "/ll/{channel}/{track}/init.mp4",
            Self::LowLatencySegment => "/ll/{channel}/{track}/{segment}",
            Self::LowLatencyPart => "/ll/{channel}/{track}/{segment}.{part}.m4s",
            Self::VodMaster => "/vod/{movie}/master.m3u8",
            Self::VodMedia => "/vod/{movie}/{track}/media.m3u8",
            Self::VodInit => "/vod/{movie}/{track}/init.mp4",
            Self::VodSegment => "/vod/{movie}/{track}/{segment}",
            Self::VodFile => "/vod/{movie}/{track}/whole.mp4",
            Self::VodKey => "/vod/{movie}/key/{number}",
            Self::DashVodManifest => "/dash/vod/{movie}/manifest.mpd",
            Self::DashVodInit => "/dash/vod/{movie}/{track}/init.mp4",
            Self::DashVodSegment => "/dash/vod/{movie}/{track}/{segment}",
            Self::DashVodFile => "/dash/vod/{movie}/{track}/whole.mp4",
            Self::DashLiveManifest => "/dash/live/{channel}/manifest.mpd",
            Self::DashLiveInit => "/dash/live/{channel}/{track}/init.mp4",
            Self::DashLiveSegment => "/dash/live/{channel}/{track}/{segment}",
            Self::DashLowLatencyManifest => "/dash/ll/{channel}/manifest.mpd",
            Self::DashLowLatencyInit => "/dash/ll/{channel}/{track}/init.mp4",
            Self::DashLowLatencySegment => "/dash/ll/{channel}/{track}/{segment}",
            Self::DashTime => "/dash/time",
            Self::WebSocket => "/ws",
            Self::Events => "/events",
            Self::Status => "/status/{code}",
            Self::Delay => "/delay/{ms}",
            Self::Bytes => "/bytes/{n}",
            Self::Chunked => "/chunked/{n}",
            Self::Slow => "/slow",
            Self::Redirect => "/redirect/{n}",
            Self::RedirectTo => "/redirect-to",
            Self::BigHeader => "/big-header/{n}",
            Self::Echo => "/echo",
            Self::Gzip => "/gzip",
            Self::Deflate => "/deflate",
            Self::CookieSet => "/cookie/set",
            Self::CookieShow => "/cookie/show",
            Self::Close => "/close",
            Self::Reset => "/reset",
            Self::Malformed => "/malformed",
            Self::Truncated => "/truncated",
            Self::Endless => "/endless",
            Self::Unknown => "*",
        }
    }

    /// Returns the route of a path without its query.
    pub fn of_path(path: &str) -> Self {
        let path = path.strip_prefix('/').unwrap_or_default();
        match path.split_once('/') {
            None => Self::single(path),
            Some(("status", _)) => Self::Status,
            Some(("delay", _)) => Self::Delay,
            Some(("bytes", _)) => Self::Bytes,
            Some(("chunked", _)) => Self::Chunked,
            Some(("redirect", _)) => Self::Redirect,
            Some(("big-header", _)) => Self::BigHeader,
            Some(("hls", rest)) => Self::playlist(rest),
            Some(("live", rest)) => Self::live(rest),
            Some(("dash", rest)) => Self::dash(rest),
            Some(("vod", rest)) => Self::vod(rest),
            Some(("ll", rest)) => Self::low_latency(rest),
            Some(("api", "v1/catalog")) => Self::Catalog,
            Some(("api", "v1/stream/start")) => Self::StreamStart,
            Some(("cookie", "set")) => Self::CookieSet,
            Some(("cookie", "show")) => Self::CookieShow,
            Some(_) => Self::Unknown,
        }
    }

    /// Returns the route of a path of one part.
    fn single(name: &str) -> Self {
        match name {
            "auth" => Self::Auth,
            "ws" => Self::WebSocket,
            "events" => Self::Events,
            "slow" => Self::Slow,
            "redirect-to" => Self::RedirectTo,
            "echo" => Self::Echo,
            "gzip" => Self::Gzip,
            "deflate" => Self::Deflate,
            "close" => Self::Close,
            "reset" => Self::Reset,
            "malformed" => Self::Malformed,
            "truncated" => Self::Truncated,
            "endless" => Self::Endless,
            _ => Self::Unknown,
        }
    }

    /// Returns the route of a path by the part after `/hls/`.
    fn playlist(rest: &str) -> Self {
        let mut parts = rest.split('/');
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(""), ..) => Self::Unknown,
            (Some(_), Some("master.m3u8"), None, None) => Self::Master,
            (Some(_), Some(_), Some("media.m3u8"), None) => Self::Media,
            (Some(_), Some(_), Some(segment), None) if segment.ends_with(".ts") => Self::Segment,
            _ => Self::Unknown,
        }
    }

    /// Returns the route of a path by the part after `/live/`.
    fn live(rest: &str) -> Self {
        match StreamPath::split(rest) {
            Some(StreamPath::Whole("master.m3u8")) => Self::LiveMaster,
            Some(StreamPath::OfTrack(_, "media.m3u8")) => Self::LiveMedia,
            Some(StreamPath::OfTrack(_, "init.mp4")) => Self::LiveInit,
            Some(StreamPath::OfTrack(_, _)) => Self::LiveSegment,
            _ => Self::Unknown,
        }
    }

    /// Returns the route of a path by the part after `/ll/`.
    fn low_latency(rest: &str) -> Self {
        match StreamPath::split(rest) {
            Some(StreamPath::Whole("master.m3u8")) => Self::LowLatencyMaster,
            Some(StreamPath::OfTrack(_, "media.m3u8")) => Self::LowLatencyMedia,
            Some(StreamPath::OfTrack(_, "init.mp4")) => Self::LowLatencyInit,
            Some(StreamPath::OfTrack(_, file)) if file.matches('.').count() == 2 => Self::LowLatencyPart,
            Some(StreamPath::OfTrack(_, _)) => Self::LowLatencySegment,
            _ => Self::Unknown,
        }
    }

    /// Returns the route of a path by the part after `/vod/`.
    fn vod(rest: &str) -> Self {
        match StreamPath::split(rest) {
            Some(StreamPath::Whole("master.m3u8")) => Self::VodMaster,
            Some(StreamPath::OfTrack("key", _)) => Self::VodKey,
            Some(StreamPath::OfTrack(_, "media.m3u8")) => Self::VodMedia,
            Some(StreamPath::OfTrack(_, "init.mp4")) => Self::VodInit,
            Some(StreamPath::OfTrack(_, "whole.mp4")) => Self::VodFile,
            Some(StreamPath::OfTrack(_, _)) => Self::VodSegment,
            _ => Self::Unknown,
        }
    }

    /// Returns the route of a path by the part after `/dash/`.
    fn dash(rest: &str) -> Self {
        let Some((form, rest)) = rest.split_once('/') else {
            return if rest == "time" { Self::DashTime } else { Self::Unknown };
        };
        match (form, StreamPath::split(rest)) {
            ("vod", Some(StreamPath::Whole("manifest.mpd"))) => Self::DashVodManifest,
            ("vod", Some(StreamPath::OfTrack(_, "init.mp4"))) => Self::DashVodInit,
            ("vod", Some(StreamPath::OfTrack(_, "whole.mp4"))) => Self::DashVodFile,
            ("vod", Some(StreamPath::OfTrack(_, _))) => Self::DashVodSegment,
            ("live", Some(StreamPath::Whole("manifest.mpd"))) => Self::DashLiveManifest,
            ("live", Some(StreamPath::OfTrack(_, "init.mp4"))) => Self::DashLiveInit,
            ("live", Some(StreamPath::OfTrack(_, _))) => Self::DashLiveSegment,
            ("ll", Some(StreamPath::Whole("manifest.mpd"))) => Self::DashLowLatencyManifest,
            ("ll", Some(StreamPath::OfTrack(_, "init.mp4"))) => Self::DashLowLatencyInit,
            ("ll", Some(StreamPath::OfTrack(_, _))) => Self::DashLowLatencySegment,
            _ => Self::Unknown,
        }
    }

    /// Returns the part of a path after the fixed beginning of the pattern: `404` of `/status/404`; empty if nothing
    /// varies.
    pub fn variable_part(self, path: &str) -> &str {
        let fixed = self.pattern().find('{').unwrap_or(path.len());
        path.get(fixed..).unwrap_or_default()
    }

    /// Returns the methods that it accepts, as in the `allow` field; `None` if it accepts any.
    pub const fn allowed_methods(self) -> Option<&'static str> {
        match self {
            Self::Auth => Some("GET, HEAD, POST"),
            Self::StreamStart => Some("POST"),
            Self::WebSocket => Some("GET"),
            Self::Catalog | Self::Master | Self::Media | Self::Segment | Self::Events => Some("GET, HEAD"),
            stream if stream.is_stream() => Some("GET, HEAD"),
            _ => None,
        }
    }

    /// Returns `true` if it is a part of the streaming origin.
    pub(crate) const fn is_stream(self) -> bool {
        Self::LiveMaster as usize <= self as usize && self as usize <= Self::DashTime as usize
    }

    /// Returns `true` if its page reads the request's body.
    pub const fn keeps_body(self) -> bool {
        matches!(self, Self::StreamStart | Self::Echo)
    }

    /// Returns `true` if it accepts a method.
    pub fn allows(self, method: &Method) -> bool {
        self.allowed_methods().is_none_or(|allowed| allowed.split(", ").any(|one| one == method.as_str()))
    }
}

/// The path of a part of a stream, by its file.
enum StreamPath<'a> {
    /// `{channel}/{file}`.
    Whole(&'a str),
    /// `{channel}/{track}/{file}`.
    OfTrack(&'a str, &'a str),
}

impl<'a> StreamPath<'a> {
    /// Splits a path after its fixed part; `None` if a part is empty or there are too many.
    fn split(rest: &'a str) -> Option<Self> {
        let mut parts = rest.split('/');
        let paths = (parts.next()?, parts.next()?, parts.next(), parts.next());
        match paths {
            ("", ..) | (_, "", ..) | (_, _, Some(""), _) | (.., Some(_)) => None,
            (_, file, None, None) => Some(Self::Whole(file)),
            (_, track, Some(file), None) => Some(Self::OfTrack(track, file)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_in_the_order_of_the_discriminants() {
        for (index, route) in Route::ALL.into_iter().enumerate() {
            assert_eq!(route as usize, index, "{route:?}");
        }
    }

    #[test]
    fn every_pattern_with_its_braces_filled_finds_its_route() {
        for route in Route::ALL {
            let path = route.pattern().replace(['{', '}'], "");
            assert_eq!(Route::of_path(&path), route, "{path}");
        }
    }

    #[test]
    fn paths_that_only_resemble_a_route_are_unknown() {
        for path in ["", "/", "/auth/", "/status", "/api/v1/catalog/", "/hls//master.m3u8", "/hls/a/b/c/media.m3u8"] {
            assert_eq!(Route::of_path(path), Route::Unknown, "{path}");
        }
        for path in ["/live", "/live/a", "/live//master.m3u8", "/live/a/b/", "/live/a/b/c/1.m4s", "/live/a/other.m3u8"]
        {
            assert_eq!(Route::of_path(path), Route::Unknown, "{path}");
        }
    }

    #[test]
    fn the_variable_part_follows_the_fixed_beginning() {
        assert_eq!(Route::Status.variable_part("/status/404"), "404");
        assert_eq!(Route::Segment.variable_part("/hls/mv-1/360p/7.ts"), "mv-1/360p/7.ts");
        assert_eq!(Route::Auth.variable_part("/auth"), "");
        assert_eq!(Route::Unknown.variable_part("/nowhere"), "");
    }

    #[test]
    fn methods_are_as_the_allow_field_says() {
        assert!(Route::Auth.allows(&Method::POST) && !Route::Auth.allows(&Method::PUT));
        assert!(!Route::StreamStart.allows(&Method::GET));
        assert!(Route::Status.allows(&Method::DELETE));
    }
}
