//! `/stats`, compared with what the clients received.

use stampede_site::{Route, RouteCounts};

use crate::client::{Client, request, settled, site_with};

const CONNECTIONS: u64 = 8;
const REQUESTS: u64 = 500;

/// Sends requests of every kind repeatedly. Returns the bytes of the bodies received.
async fn hammer(mut client: Client) -> u64 {
    let mut received = 0;
    for number in 0..REQUESTS {
        let request = match number % 5 {
            0 => request("GET", "/api/v1/catalog?page=3", &[], ""),
            1 => request("GET", "/status/404", &[], ""),
            2 => request("POST", "/echo", &[], "0123456789"),
            3 => request("GET", "/chunked/5000", &[], ""),
            _ => request("HEAD", "/bytes/5000", &[], ""),
        };
        received += client.send(request).await.body.len() as u64;
    }
    received
}

#[tokio::test]
async fn counts_are_exact_with_eight_connections_on_two_threads() {
    let site = site_with(2);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..CONNECTIONS {
        tasks.spawn(hammer(Client::connect(site.addr()).await));
    }
    let received: u64 = tasks.join_all().await.into_iter().sum();
    let snapshot = settled(&site).await;
    let each = CONNECTIONS * REQUESTS / 5;
    assert_eq!((snapshot.requests, snapshot.connections), (5 * each, CONNECTIONS));
    assert_eq!((snapshot.body_bytes_sent, snapshot.body_bytes_received), (received, 10 * each));
    assert_eq!(snapshot.statuses.into_iter().collect::<Vec<_>>(), [(200, 4 * each), (404, each)]);
    let chunked = RouteCounts { requests: each, body_bytes_sent: 5000 * each, body_bytes_received: 0 };
    assert_eq!(snapshot.routes[Route::Chunked.pattern()], chunked);
    let bytes = RouteCounts { requests: each, ..RouteCounts::default() };
    assert_eq!(snapshot.routes[Route::Bytes.pattern()], bytes);
    assert_eq!(snapshot.routes.len(), 5);
}

#[tokio::test]
async fn stats_are_served_and_reset_without_counting_themselves() {
    let site = site_with(1);
    let mut client = Client::connect(site.addr()).await;
    client.get("/status/200").await;
    client.get("/nowhere").await;
    let expected = serde_json::json!({
        "requests": 2,
        "in_flight": 0,
        "connections": 1,
        "body_bytes_sent": 2 + 25,
        "body_bytes_received": 0,
        "statuses": {"200": 1, "404": 1},
        "routes": {
            "*": {"requests": 1, "body_bytes_sent": 25, "body_bytes_received": 0},
            "/status/{code}": {"requests": 1, "body_bytes_sent": 2, "body_bytes_received": 0},
        },
    });
    assert_eq!(client.get("/stats").await.json(), expected);
    assert_eq!(client.get("/stats").await.json(), expected);
    assert_eq!(client.send(request("POST", "/stats/reset", &[], "")).await.status, 204);
    let zeroed = client.get("/stats").await.json();
    assert_eq!(
        (&zeroed["requests"], &zeroed["connections"], &zeroed["body_bytes_sent"]),
        (&0.into(), &0.into(), &0.into())
    );
    assert_eq!(client.get("/stats/reset").await.status, 405);
}
