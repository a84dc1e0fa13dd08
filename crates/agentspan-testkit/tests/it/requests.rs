//! What is recorded, and which answer comes next.

use std::io::Write;
use std::time::Duration;

use agentspan_testkit::{Answer, Recording, Service};

use crate::client::{REQUEST, connect, exchange, read};

fn status(service: &Service) -> String {
    exchange(service, 12).0[9..12].to_owned()
}

#[test]
fn a_request_is_recorded_as_it_was_sent() {
    let service = Service::start().unwrap();
    assert_eq!(status(&service), "200");
    let request = &service.wait_for(1, Duration::from_secs(10)).unwrap()[0];
    assert_eq!(request.method, "POST");
    assert_eq!(request.target, "/a?b=c");
    assert_eq!((request.path(), request.query()), ("/a", Some("b=c")));
    assert_eq!(request.host(), Some("h"));
    assert_eq!(request.header_values("X-One"), ["1", "2"]);
    assert_eq!(request.body, "{}");
    assert_eq!(request.tls_server_name, None);
    let names: Vec<_> = request
        .headers
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(names, ["host", "x-one", "x-one", "content-length"]);
}

#[test]
fn connections_are_kept_alive_and_numbered() {
    let service = Service::start().unwrap();
    let mut first = connect(service.addr());
    for _ in 0..2 {
        first.write_all(REQUEST).unwrap();
        read(&mut first, 12);
    }
    exchange(&service, 12);
    let requests = service.wait_for(3, Duration::from_secs(10)).unwrap();
    let found: Vec<_> = requests
        .iter()
        .map(|one| (one.order, one.connection))
        .collect();
    assert_eq!(found, [(0, 0), (1, 0), (2, 1)]);
    assert_eq!(service.connections(), 2);
    assert_eq!(service.connection_records()[0].requests, 2);
}

#[test]
fn the_last_answer_of_a_script_repeats() {
    let service = Service::builder()
        .script([Answer::status(503), Answer::status(429)])
        .start()
        .unwrap();
    assert_eq!([(); 3].map(|()| status(&service)), ["503", "429", "429"]);
}

#[test]
fn another_answer_can_be_repeated_after_the_script() {
    let service = Service::builder()
        .script([Answer::status(503)])
        .then_repeat(Answer::status(202))
        .start()
        .unwrap();
    assert_eq!([(); 3].map(|()| status(&service)), ["503", "202", "202"]);
    service.play([Answer::status(404)]);
    assert_eq!(status(&service), "404");
}

#[test]
fn routes_come_before_the_closure() {
    let service = Service::builder()
        .route("/a", [Answer::status(201)])
        .answer_with(|request| Answer::json(&serde_json::json!({"path": request.path()})))
        .start()
        .unwrap();
    assert_eq!(status(&service), "201");
    let mut stream = connect(service.addr());
    stream
        .write_all(b"GET /b HTTP/1.1\r\nconnection: close\r\n\r\n")
        .unwrap();
    let (received, _) = read(&mut stream, usize::MAX);
    assert!(
        received.contains("content-type: application/json\r\n"),
        "{received}"
    );
    assert!(received.ends_with("{\"path\":\"/b\"}"), "{received}");
}

#[test]
fn counts_are_kept_when_bodies_are_not() {
    let service = Service::builder()
        .recording(Recording::CountsOnly)
        .start()
        .unwrap();
    assert_eq!(status(&service), "200");
    assert_eq!(
        service.wait_for(1, Duration::from_secs(10)).unwrap().len(),
        0
    );
    assert_eq!((service.request_count(), service.body_bytes()), (1, 2));
}

#[test]
fn waiting_in_vain_says_what_was_missing() {
    let service = Service::start().unwrap();
    let error = service.wait_for(2, Duration::ZERO).unwrap_err();
    assert_eq!(error.to_string(), "0 of 2 requests after 0ns");
    let error = service.wait_for_ended(1, Duration::ZERO).unwrap_err();
    assert_eq!(error.to_string(), "0 of 1 ended connections after 0ns");
}

#[test]
fn what_never_became_a_request_is_kept() {
    let service = Service::start().unwrap();
    let mut stream = connect(service.addr());
    stream.write_all(b"no http\r\n\r\n").unwrap();
    read(&mut stream, usize::MAX);
    let connection = &service.connection_records()[0];
    assert_eq!(connection.unserved, b"no http\r\n\r\n");
    assert_eq!((connection.wire_bytes, connection.http_bytes), (11, 11));
    assert_eq!(connection.requests, 0);
}
