//! The embedded sample streaming site: the target of `demo` and of the tests. Healthy servers alone do not test a load
//! runner. So besides an ordinary site (sign-in, catalogue, streams) it offers every kind of misbehaviour on demand,
//! and it counts exactly what it served, so that a report can be checked.
//!
//! It speaks HTTP/1.1 and, with prior knowledge, HTTP/2, in clear text. The path of a request:
//!
//! ```text
//! server (accept) ─▶ connection (one task each) ─▶ route ─▶ pages (pure: PageRequest in, PageOutcome out)
//!                                                             └─▶ body (counted) ─▶ wire
//! ```
//!
//! | route | reply |
//! |---|---|
//! | `/auth` | GET, POST. 200 `{"token","user"}` and a `session` cookie for any `x-api-token` but `wrong`; otherwise 401 |
//! | `/api/v1/catalog?page=N` | GET. Ten movies, about 1 KB, the same for the same page; 400 unless N is 1 to 1000 |
//! | `/api/v1/stream/start` | POST `{"movie_id"}`, signed in. 201 `{"session","playlist"}`; 401; 422 |
//! | `/hls/{movie}/master.m3u8` | GET. Leads to `/hls/{movie}/{rendition}/media.m3u8` and `…/{segment}.ts` (RFC 8216) |
//! | `/live/{channel}/master.m3u8` | GET. A live stream, see below, that leads to `…/{track}/media.m3u8`, `init.mp4` and `{segment}` |
//! | `/ll/{channel}/master.m3u8` | GET. The same as low-latency HLS (RFC 8216bis), with `…/{track}/{segment}.{part}.m4s` |
//! | `/vod/{movie}/master.m3u8` | GET. A movie in HLS, with `…/{track}/whole.mp4` if asked for, and keys in `…/key/{number}` |
//! | `/dash/vod/{movie}/manifest.mpd` | GET. A movie in DASH, with `…/{track}/init.mp4` and `{segment}`, or `{track}/whole.mp4` |
//! | `/dash/live/{channel}/manifest.mpd` | GET. A live stream in DASH, with the same segments as in HLS |
//! | `/dash/ll/{channel}/manifest.mpd` | GET. The same as low-latency DASH: a segment arrives part by part as it is made |
//! | `/dash/time` | GET. The site's clock, for viewers that set theirs |
//! | `/ws` | a WebSocket that echoes text and binary messages; 426 without the handshake |
//! | `/events?count=N&every_ms=M` | GET. N server-sent events (10), one every M ms (100) |
//! | `/status/{code}` | that status, 200 to 999; 400 for others |
//! | `/delay/{ms}` | 200 after that many milliseconds, never earlier, as exact as the machine allows; at most 600000 |
//! | `/bytes/{n}` | n bytes with `content-length` |
//! | `/chunked/{n}` | n bytes of unannounced length, in pieces of at most 4 KiB |
//! | `/slow?ms=M&chunks=N` | the header section at once, then N pieces (5), one every M ms (100) |
//! | `/redirect/{n}` | n redirects (302), the last one to `/status/200` |
//! | `/redirect-to?url=U` | 302 to U |
//! | `/big-header/{n}` | 200 with a field `x-big` whose value is n bytes, at most 1 MiB |
//! | `/echo` | the request as JSON: `method path query args headers body` |
//! | `/gzip` `/deflate` | JSON in that coding if `accept-encoding` offers it, otherwise without a coding |
//! | `/cookie/set?name=value` | sets these cookies |
//! | `/cookie/show` | the request's cookies as JSON |
//! | `/close` | closes without a reply |
//! | `/reset` | resets the TCP connection |
//! | `/malformed` | bytes that are not HTTP, then closes |
//! | `/truncated` | announces 1024 bytes, sends 512, then closes |
//! | `/endless` | a body that never ends |
//! | `/stats` | GET: the counts, see [`SiteCounts`]. POST `/stats/reset` zeroes them. Neither is counted itself |
//!
//! # Streams
//!
//! A live stream is revealed by the site's clock: a segment can be requested once it is complete, and until it has left
//! the window and as much time again has gone by; before and after it is 404. Streams begin at the Unix epoch, so that
//! the window is always full, and segment n of 4 s begins 4 n seconds later. Contents are filler whose size is exactly
//! that of the bit rate. The name of a channel is any text, and may be followed by options, as in
//! `/live/match,ladder=mobile,segment=2s/master.m3u8`:
//!
//! | option | meaning |
//! |---|---|
//! | `ladder=L` | qualities: `hd` (800, 2800, 5000 kb/s; the default), `mobile` (200, 400, 800) or a list such as `300-900` |
//! | `segment=D` | duration of a segment, 100 ms to 60 s (4 s) |
//! | `part=D` | duration of a part of a segment of low-latency streams (500 ms); the last one may be shorter |
//! | `window=D` | duration of what a live playlist lists, at least three segments (ten) |
//! | `audio=apart` | audio of 64 kb/s in playlists and segments of its own; otherwise `muxed`, also `named` by the master playlist without a URI, or of an `unlisted` group |
//! | `container=ts` | MPEG-2 transport streams; otherwise `fmp4`, with an initialization section |
//! | `length=D` | duration of a movie, up to a day (10 m), in whole segments |
//! | `layout=file` | segments of a movie in HLS: byte ranges of one file; otherwise `segments` |
//! | `keys=N` | segments of a movie in HLS have the size of encrypted ones, and a key for every N of them, one for all if 0 |
//! | `index=I` | segments in DASH: `number` (the default unless media are uneven), `padded` (`$Number%012d$`), `timeline` (`$Time$`), or `base`, a file with a `sidx`, for movies |
//! | `update=D` | interval of live manifests in DASH (that of segments, or of parts in low latency with a timeline), or `never` |
//! | `utc=U` | clock of live manifests in DASH: URL `absolute` (the default) or `relative`, `direct`, `none` |
//! | `period=D` | periods of DASH manifests, a multiple of the duration of segments; otherwise there is one |
//! | `location` | a live manifest of DASH names another URL for its next version |
//! | `coding=gzip` | playlists and manifests are compressed if the client accepts it; `hidden-gzip`: always, without saying so |
//! | `start=N` | the stream begins N seconds after the Unix epoch; before that it has no segments |
//! | `discontinuity=N` | a discontinuity in HLS after every N segments; their count is large unless `start` is near, which hls.js cannot bear |
//!
//! In low-latency HLS a playlist lists the parts of the last segments and names the next part, which can be requested
//! before it is complete. `_HLS_msn` and `_HLS_part` wait for a segment or part, `_HLS_skip=YES` leaves out segments
//! older than six target durations. Requests too far ahead of the stream are 400.
//!
//! # Media
//!
//! With [`SiteConfig::media`] streams show real media instead of filler, so that players in browsers can play them. The
//! folder has a folder for each track, named as the track is to be, with an initialization section `init.mp4` and
//! segments `*.m4s` of one or more fragments, the parts of low-latency streams. Video has one codec and its qualities
//! have their segments at the same times; audio is one track. All is kept in memory. A live stream plays the recording
//! over and over, with times that go on; a movie is the recording once, or as often as `length` needs. The options
//! `ladder`, `segment`, `part`, `audio`, `container` and `keys` follow from the media. ffmpeg writes such a folder, if
//! the folders `0`, `1` … exist, by
//!
//! ```text
//! ffmpeg … -f dash -seg_duration 2 -frag_type duration -frag_duration 0.5 \
//!   -init_seg_name '$RepresentationID$/init.mp4' -media_seg_name '$RepresentationID$/$Number$.m4s' manifest.mpd
//! ```
//!
//! # Misbehaviour
//!
//! Streams misbehave by options, which are combined at will:
//!
//! | option | misbehaviour |
//! |---|---|
//! | `frozen` | the stream does not go on and manifests do not change; blocking requests are 503 after three target durations |
//! | `restart` | the stream begins again with segment 0, so that `EXT-X-MEDIA-SEQUENCE` goes back |
//! | `jump=D` | the stream skips D, so that its window passes the viewers; before, it is late by D |
//! | `after=D` | the three above happen that long after the site has started; otherwise at once |
//! | `gap=N` | of every N segments the last is a gap: marked in HLS, and 404 |
//! | `missing=N` `empty=N` `cut=N` | of every N segments the last is 404; has no bytes; announces all its bytes and sends half |
//! | `skew=N` | in `/live`, each quality counts its segments N higher than the one below it |
//! | `late=D` | a segment can be requested that long after it is listed, or should be by a manifest |
//! | `token=D` | the master playlist or manifest hands out a token in the query of URIs, without which, or after D, all else is 403 |
//! | `define` | with `token`, playlists take it from their own URI by `EXT-X-DEFINE` |
//! | `cookies` | the master playlist or manifest sets three cookies for its folder, without which media are 403 |
//! | `redirect=C` | the master playlist or manifest leads with status C to the stream without the option; nothing else is here |
//! | `ranges=ignored` | a request for a part of a file is answered with 200 and the whole |
//! | `unblocked` | low-latency playlists are sent at once and do not wait for what the query asks for |
//!
//! Over HTTP/2 `/close`, `/reset` and `/malformed` reset the stream, and `/truncated` and `cut` end it early.
//! Routes without a method accept any. A request's body is received to its end, and counted, before the reply.

mod abortable_stream;
mod auth;
mod body;
mod catalog;
mod connection;
mod content_coding;
mod contents;
mod cookies;
mod counted_exchange;
mod echo;
mod events;
mod exact;
mod hash;
mod hls;
mod misbehave;
mod page_outcome;
mod page_request;
mod pages;
mod redirect;
mod route;
mod running;
mod server;
mod shared;
mod stats;
mod stream;
mod transport_stream;
mod websocket;

pub use route::Route;
pub use running::RunningSite;
pub use server::{Site, SiteConfig};
pub use stats::{RouteCounts, SiteCounts, SiteStats};

/// The sample script in the long form: sign-in, catalogue, stream start and the walk down the HLS tree. It has no
/// `base_url`, so that it fits any address of the site; give one at run time.
pub const SAMPLE_SCRIPT: &str = include_str!("sample.yml");
