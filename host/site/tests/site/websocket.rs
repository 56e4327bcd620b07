//! The WebSocket echo.

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;

use crate::client::{Client, request, settled, site};

#[tokio::test]
async fn messages_are_echoed_until_the_closing_handshake() {
    let site = site();
    let stream = TcpStream::connect(site.addr()).await.unwrap();
    let (mut socket, response) = client_async(format!("ws://{}/ws", site.addr()), stream).await.unwrap();
    assert_eq!(response.status().as_u16(), 101);
    for message in [Message::text("hello"), Message::binary(vec![7; 100_000]), Message::text("")] {
        socket.send(message.clone()).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), message);
    }
    socket.send(Message::Ping("p".into())).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::Pong("p".into()));
    socket.close(None).await.unwrap();
    assert!(socket.next().await.unwrap().unwrap().is_close());
    assert!(socket.next().await.is_none());
    assert_eq!(settled(&site).await.statuses[&101], 1);
}

#[tokio::test]
async fn without_a_handshake_it_is_426() {
    let site = site();
    let mut client = Client::connect(site.addr()).await;
    let reply = client.get("/ws").await;
    assert_eq!((reply.status.as_u16(), reply.header("upgrade")), (426, "websocket"));
    let old = [("connection", "upgrade"), ("upgrade", "websocket"), ("sec-websocket-version", "8")];
    assert_eq!(client.send(request("GET", "/ws", &old, "")).await.status, 426);
}
