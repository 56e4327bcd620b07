//! The routes without misbehaviour.

use std::io::Read;
use std::time::Duration;

use flate2::read::{GzDecoder, ZlibDecoder};
use stampede_time::{Clock, nanos};

use crate::client::{Client, request, site};

#[tokio::test]
async fn signing_in_gives_a_token_and_a_cookie_that_open_the_stream() {
    let site = site();
    let mut client = Client::connect(site.addr()).await;
    for method in ["GET", "POST"] {
        let reply = client.send(request(method, "/auth", &[("x-api-token", "demo-1")], "")).await;
        assert_eq!(reply.status, 200);
        let token = reply.json()["token"].as_str().unwrap().to_owned();
        assert!(reply.json()["user"].is_string());
        let cookie = reply.header("set-cookie").split(';').next().unwrap().to_owned();
        assert_eq!(cookie, format!("session={token}"));
        for credentials in
            [("authorization", format!("Bearer {token}")), ("cookie", cookie), ("x-api-token", "demo-1".into())]
        {
            let field = (credentials.0, credentials.1.as_str());
            let start = request("POST", "/api/v1/stream/start", &[field], r#"{"movie_id":"mv-00007"}"#);
            let reply = client.send(start).await;
            assert_eq!(reply.status, 201, "{field:?}");
            assert_eq!(reply.json()["playlist"], "/hls/mv-00007/master.m3u8");
            assert!(reply.json()["session"].is_string());
        }
    }
}

#[tokio::test]
async fn without_the_right_credentials_there_is_neither_token_nor_stream() {
    let site = site();
    let mut client = Client::connect(site.addr()).await;
    for headers in [&[][..], &[("x-api-token", "wrong")], &[("x-api-token", "")]] {
        assert_eq!(client.send(request("POST", "/auth", headers, "")).await.status, 401);
    }
    for field in [("authorization", "Bearer made-up"), ("cookie", "session=made-up"), ("x-api-token", "wrong")] {
        let reply = client.send(request("POST", "/api/v1/stream/start", &[field], r#"{"movie_id":"x"}"#)).await;
        assert_eq!(reply.status, 401, "{field:?}");
        assert_eq!(reply.header("www-authenticate"), "Bearer");
    }
}

#[tokio::test]
async fn a_stream_start_that_names_no_movie_is_422() {
    let site = site();
    let mut client = Client::connect(site.addr()).await;
    for body in ["", "{", "[]", "{}", r#"{"movie_id":7}"#, r#"{"movie_id":""}"#] {
        let reply = client.send(request("POST", "/api/v1/stream/start", &[("x-api-token", "a")], body)).await;
        assert_eq!(reply.status, 422, "{body}");
    }
    let body = r#"{"movie_id":"a/b \"c\""}"#;
    let reply = client.send(request("POST", "/api/v1/stream/start", &[("x-api-token", "a")], body)).await;
    assert_eq!(reply.json()["playlist"], "/hls/a%2Fb%20%22c%22/master.m3u8");
}

#[tokio::test]
async fn the_catalogue_has_a_thousand_pages() {
    let site = site();
    let mut client = Client::connect(site.addr()).await;
    for page in ["1", "20", "1000"] {
        let reply = client.get(&format!("/api/v1/catalog?page={page}")).await;
        assert_eq!((reply.status.as_u16(), reply.json()["page"].to_string()), (200, page.to_owned()));
    }
    for query in ["page=0", "page=1001", "page=", "page=x", "page=-1"] {
        assert_eq!(client.get(&format!("/api/v1/catalog?{query}")).await.status, 400, "{query}");
    }
    assert_eq!(client.get("/api/v1/catalog").await.json()["page"], 1);
}

#[tokio::test]
async fn a_status_is_as_requested() {
    let site = site();
    let mut client = Client::connect(site.addr()).await;
    for code in [200, 201, 204, 205, 304, 404, 418, 503, 599, 999] {
        let reply = client.get(&format!("/status/{code}")).await;
        assert_eq!(reply.status.as_u16(), code);
        assert_eq!(reply.body.is_empty(), [204, 205, 304].contains(&code), "{code}");
    }
    for code in ["100", "199", "1000", "x", ""] {
        assert_eq!(client.get(&format!("/status/{code}")).await.status, 400, "{code}");
    }
    assert_eq!(client.send(request("DELETE", "/status/202", &[], "")).await.status, 202);
}

#[tokio::test]
async fn a_delayed_reply_is_never_early() {
    let site = site();
    let mut client = Client::connect(site.addr()).await;
    let clock = Clock::start();
    for ms in [0, 1, 7, 30] {
        let start = clock.now();
        assert_eq!(client.get(&format!("/delay/{ms}")).await.status, 200);
        assert!(clock.now() - start >= nanos(Duration::from_millis(ms)), "{ms}");
    }
    assert_eq!(client.get("/delay/600001").await.status, 400);
}

#[tokio::test]
async fn sizes_are_exact() {
    let site = site();
    let mut client = Client::connect(site.addr()).await;
    for size in [0, 1, 65_536, 65_537, 1_000_000] {
        let bytes = client.get(&format!("/bytes/{size}")).await;
        assert_eq!((bytes.body.len(), bytes.header("content-length")), (size, size.to_string().as_str()));
        let chunked = client.get(&format!("/chunked/{size}")).await;
        assert_eq!((chunked.body.len(), chunked.header("transfer-encoding")), (size, "chunked"));
    }
    assert_eq!(client.get("/bytes/-1").await.status, 400);
    assert_eq!(client.get("/big-header/5000").await.header("x-big").len(), 5000);
    assert_eq!(client.get("/big-header/1048577").await.status, 400);
}

#[tokio::test]
async fn redirects_lead_step_by_step_to_status_200() {
    let site = site();
    let mut client = Client::connect(site.addr()).await;
    let mut path = "/redirect/3".to_owned();
    for next in ["/redirect/2", "/redirect/1", "/status/200"] {
        let reply = client.get(&path).await;
        assert_eq!((reply.status.as_u16(), reply.header("location")), (302, next));
        path = next.to_owned();
    }
    let reply = client.get("/redirect-to?url=http%3A%2F%2Felsewhere%2Fa%3Fb").await;
    assert_eq!(reply.header("location"), "http://elsewhere/a?b");
    for path in ["/redirect/0", "/redirect/x", "/redirect-to", "/redirect-to?url=a%0Ab"] {
        assert_eq!(client.get(path).await.status, 400, "{path}");
    }
}

#[tokio::test]
async fn an_echo_is_the_whole_request() {
    let site = site();
    let mut client = Client::connect(site.addr()).await;
    let fields = [("x-one", "1"), ("x-two", "a"), ("x-two", "b")];
    let reply = client.send(request("PATCH", "/echo?a=1%202&b=", &fields, "höw?")).await;
    let expected = serde_json::json!({
        "method": "PATCH",
        "path": "/echo",
        "query": "a=1%202&b=",
        "args": {"a": "1 2", "b": ""},
        "headers": {"host": "site", "x-one": "1", "x-two": "a, b", "content-length": "5"},
        "body": "höw?",
    });
    assert_eq!(reply.json(), expected);
    let large = "x".repeat((1 << 20) + 1);
    assert_eq!(client.send(request("POST", "/echo", &[], &large)).await.status, 413);
}

#[tokio::test]
async fn a_coding_is_used_only_if_offered() {
    let site = site();
    let mut client = Client::connect(site.addr()).await;
    let clear = client.get("/gzip").await;
    assert_eq!((clear.header("content-encoding"), clear.header("vary")), ("", "accept-encoding"));
    let accept = [("accept-encoding", "gzip, deflate")];
    let gzip = client.send(request("GET", "/gzip", &accept, "")).await;
    let deflate = client.send(request("GET", "/deflate", &accept, "")).await;
    assert_eq!((gzip.header("content-encoding"), deflate.header("content-encoding")), ("gzip", "deflate"));
    assert!(gzip.body.len() < clear.body.len());
    let (mut first, mut second) = (String::new(), String::new());
    GzDecoder::new(&gzip.body[..]).read_to_string(&mut first).unwrap();
    ZlibDecoder::new(&deflate.body[..]).read_to_string(&mut second).unwrap();
    assert_eq!((first.as_str(), second.as_str()), (clear.text(), clear.text()));
}

#[tokio::test]
async fn cookies_are_set_and_shown() {
    let site = site();
    let mut client = Client::connect(site.addr()).await;
    let reply = client.get("/cookie/set?a=1&b=2").await;
    let set: Vec<_> = reply.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect();
    assert_eq!(set, ["a=1; Path=/", "b=2; Path=/"]);
    let shown = client.send(request("GET", "/cookie/show", &[("cookie", "a=1; b=2")], "")).await;
    assert_eq!(shown.json(), serde_json::json!({"a": "1", "b": "2"}));
}

#[tokio::test]
async fn unknown_paths_are_404_and_wrong_methods_405() {
    let site = site();
    let mut client = Client::connect(site.addr()).await;
    assert_eq!(client.get("/nowhere").await.status, 404);
    for (method, path, allow) in [("PUT", "/auth", "GET, HEAD, POST"), ("GET", "/api/v1/stream/start", "POST")] {
        let reply = client.send(request(method, path, &[], "")).await;
        assert_eq!((reply.status.as_u16(), reply.header("allow")), (405, allow));
    }
    let head = client.send(request("HEAD", "/bytes/1000", &[], "")).await;
    assert_eq!((head.header("content-length"), head.body.len()), ("1000", 0));
}
