//! Each fault, as it arrives at the client.

use std::io::Read;
use std::time::Duration;

use agentspan_testkit::{Answer, Service};

use crate::client::{End, connect, exchange};

fn serving(answer: Answer) -> Service {
    Service::builder().script([answer]).start().unwrap()
}

/// Plays `answer` to a request and gives what the client received and how it ended.
#[track_caller]
fn check(answer: Answer, limit: usize, end: End) -> String {
    let service = serving(answer);
    let (received, found) = exchange(&service, limit);
    assert_eq!(found, end, "{received:.300}");
    assert_eq!(service.requests()[0].body, "{}");
    received
}

#[test]
fn a_reset_comes_after_the_request() {
    assert_eq!(check(Answer::reset(), usize::MAX, End::Reset), "");
}

#[test]
fn a_close_ends_without_a_byte() {
    assert_eq!(check(Answer::close(), usize::MAX, End::Closed), "");
}

#[test]
fn a_refused_connection_is_reset_and_leaves_no_request() {
    let service = Service::builder()
        .script([Answer::refuse(), Answer::status(204)])
        .start()
        .unwrap();
    let mut stream = connect(service.addr());
    let error = stream.read(&mut [0]).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    assert_eq!(service.request_count(), 0);
    assert_eq!(service.connection_records()[0].wire_bytes, 0);

    let (received, _) = exchange(&service, 20);
    assert!(received.starts_with("HTTP/1.1 204 "), "{received}");
}

#[test]
fn a_reset_within_comes_before_the_request_is_complete() {
    let service = serving(Answer::reset_within(1));
    let (received, end) = exchange(&service, usize::MAX);
    assert_eq!((received.as_str(), end), ("", End::Reset));
    assert_eq!(service.request_count(), 0);
}

#[test]
fn a_black_hole_keeps_the_connection_and_reads_nothing() {
    let service = serving(Answer::black_hole());
    let mut stream = connect(service.addr());
    std::io::Write::write_all(&mut stream, crate::client::REQUEST).unwrap();
    // Another connection is there when the first one is.
    drop(connect(service.addr()));
    assert_open(&mut stream);
    let records = service.connection_records();
    assert!(records.iter().all(|record| record.wire_bytes == 0));
    drop(service);
    assert_ne!(crate::client::read(&mut stream, usize::MAX).1, End::Open);
}

#[test]
fn a_silent_connection_answers_once_and_stays_open() {
    let service = Service::builder()
        .script([Answer::status(204).then_silent(), Answer::status(200)])
        .start()
        .unwrap();
    let mut stream = connect(service.addr());
    std::io::Write::write_all(&mut stream, crate::client::REQUEST).unwrap();
    let mut answer = String::new();
    while !answer.ends_with("\r\n\r\n") {
        answer += &crate::client::read(&mut stream, 1).0;
    }
    std::io::Write::write_all(&mut stream, crate::client::REQUEST).unwrap();
    let (received, _) = exchange(&service, 12);
    assert!(received.starts_with("HTTP/1.1 200"), "{received}");
    assert_open(&mut stream);
    assert_eq!(service.request_count(), 2);
}

#[test]
fn a_trickling_head_comes_byte_by_byte_and_does_not_end() {
    let answer = Answer::status(201).trickling_head();
    let received = check(answer, 40, End::Open);
    assert!(received.starts_with("HTTP/1.1 201 Created\r\n"));
    assert!(!received.contains("\r\n\r\n"));
}

#[test]
fn a_trickling_body_begins_at_once_and_does_not_end() {
    let answer = Answer::status(200).body("begun").trickling();
    let received = check(answer, 150, End::Open);
    assert!(received.contains("begun\r\n1\r\nx\r\n"), "{received}");
}

#[test]
fn chunks_lie_about_their_length() {
    let received = check(Answer::lying_chunk(), usize::MAX, End::Closed);
    assert!(received.ends_with("ffff\r\n{}\r\n0\r\n\r\n"));
    let received = check(Answer::huge_chunk(), usize::MAX, End::Closed);
    assert!(received.ends_with("\r\nfffffffffffffff0\r\n{}"));
}

#[test]
fn http_0_9_has_no_head() {
    let received = check(Answer::http_0_9(), usize::MAX, End::Closed);
    assert_eq!(received, "{\"results\": []}\n");
}

#[test]
fn a_gzip_bomb_is_small_on_the_wire() {
    let service = serving(Answer::gzip_bomb());
    let (received, _) = exchange(&service, 300);
    let length = received.split("content-length: ").nth(1).unwrap();
    let length: u32 = length.split("\r\n").next().unwrap().parse().unwrap();
    assert!((1 << 19..1 << 21).contains(&length), "{length}");
    assert!(received.contains("content-encoding: gzip\r\n"));
}

#[test]
fn a_refusal_of_agent_365_names_its_code() {
    let received = check(Answer::refusal(403, "Forbidden"), 170, End::Open);
    assert!(received.starts_with("HTTP/1.1 403 "));
    assert!(received.contains(r#""code":"Forbidden""#), "{received}");
}

#[test]
fn close_after_head_sends_the_head_only() {
    let received = check(Answer::close_after_head(), usize::MAX, End::Closed);
    assert_eq!(received, "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n");
}

#[test]
fn a_truncated_body_is_shorter_than_promised() {
    let answer = Answer::status(500)
        .header("x", "y")
        .body("abc")
        .truncated(5);
    assert_eq!(
        check(answer, usize::MAX, End::Closed),
        "HTTP/1.1 500 Internal Server Error\r\nx: y\r\ncontent-length: 5\r\n\r\nabc"
    );
}

#[test]
fn garbage_is_not_http() {
    let received = check(Answer::garbage(), usize::MAX, End::Closed);
    assert!(!received.contains("HTTP/"));
    assert!(received.ends_with("this is not http\r\n\r\n"));
}

#[test]
fn raw_bytes_arrive_as_they_are() {
    let answer = Answer::raw("HTTP/1.1 200 OK\r\nbad header\r\n\r\n");
    assert_eq!(
        check(answer, usize::MAX, End::Closed),
        "HTTP/1.1 200 OK\r\nbad header\r\n\r\n"
    );
}

#[test]
fn an_endless_body_does_not_end() {
    let received = check(Answer::endless_body(), 1 << 20, End::Open);
    assert!(received.contains("transfer-encoding: chunked"));
}

#[test]
fn endless_headers_do_not_end() {
    let received = check(Answer::endless_head(), 1 << 20, End::Open);
    assert!(!received.contains("\r\n\r\n"));
}

#[test]
fn a_flood_of_informational_answers_has_no_final_one() {
    let received = check(Answer::informational_flood(), 1 << 18, End::Open);
    let others = received
        .split("\r\n\r\n")
        .filter(|head| !"HTTP/1.1 100 Continue\r\n\r".starts_with(head));
    assert_eq!(others.count(), 0);
}

#[test]
fn a_stalled_body_begins_and_then_nothing_comes() {
    let service = serving(Answer::status(200).body("begun").stalled());
    let mut stream = connect(service.addr());
    std::io::Write::write_all(&mut stream, crate::client::REQUEST).unwrap();
    let mut received = String::new();
    while !received.contains("begun") {
        received += &crate::client::read(&mut stream, 1).0;
    }
    assert_open(&mut stream);
    // Only the end of the service ends it.
    drop(service);
    assert_ne!(crate::client::read(&mut stream, usize::MAX).1, End::Open);
}

#[test]
fn a_hanging_answer_never_begins_and_ends_with_the_service() {
    let service = serving(Answer::hang());
    let mut stream = connect(service.addr());
    std::io::Write::write_all(&mut stream, crate::client::REQUEST).unwrap();
    service.wait_for(1, Duration::from_secs(10)).unwrap();
    assert_open(&mut stream);
    drop(service);
    let (received, end) = crate::client::read(&mut stream, usize::MAX);
    assert_eq!(received, "");
    assert_ne!(end, End::Open);
}

/// Nothing to read at the moment, and no end either.
#[track_caller]
fn assert_open(stream: &mut std::net::TcpStream) {
    stream.set_nonblocking(true).unwrap();
    let error = stream.read(&mut [0]).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
    stream.set_nonblocking(false).unwrap();
}
