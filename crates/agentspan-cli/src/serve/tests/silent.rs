//! Connections over which nothing comes.

use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Running, serve_while};

const HOUR: Duration = Duration::from_secs(3_600);

/// Whether the server closes a connection over which this came, before an hour is over.
async fn is_closed(server: &Running, sent: &[u8]) -> bool {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(sent).await.unwrap();
    let mut answer = Vec::new();
    let read = tokio::time::timeout(HOUR, stream.read_to_end(&mut answer));
    read.await.is_ok()
}

#[tokio::test(start_paused = true)]
async fn clients_that_keep_silent_do_not_keep_their_places() {
    serve_while(None, async |server| {
        let preface = &b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..];
        let of_http2 = [preface, &[0, 0, 0, 4, 0, 0, 0, 0, 0]].concat();
        let asked = "GET /api/traces HTTP/1.1\r\nhost: localhost\r\n\r\n".as_bytes();
        let next = [asked, b"GET /"].concat();
        for sent in [
            &b""[..],
            b"P",
            &preface[..20],
            b"GET / HT",
            preface,
            &of_http2,
            asked,
            &next,
        ] {
            assert!(is_closed(&server, sent).await, "{}", sent.escape_ascii());
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_client_of_http2_that_only_answers_pings_is_told_to_go_and_events_go_on() {
    serve_while(None, async |server| {
        for (path, is_open) in [("/api/traces", false), ("/api/events", true)] {
            let stream = TcpStream::connect(server.address).await.unwrap();
            let (mut sender, connection) =
                hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
                    .await
                    .unwrap();
            let mut driver = tokio::task::JoinSet::new();
            driver.spawn(async move { drop(connection.await) });
            let url = format!("http://{}{path}", server.address);
            let request = hyper::Request::get(&url).body(Empty::<bytes::Bytes>::new());
            let mut body = sender
                .send_request(request.unwrap())
                .await
                .unwrap()
                .into_body();
            let read = async { while body.frame().await.is_some() {} };
            assert_eq!(
                tokio::time::timeout(HOUR, read).await.is_err(),
                is_open,
                "{path}"
            );
            let ended = tokio::time::timeout(HOUR, driver.join_next()).await;
            assert_eq!(ended.is_err(), is_open, "{path}");
        }
    })
    .await;
}
