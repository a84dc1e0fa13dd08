//! HTTP/2 with prior knowledge, as gRPC speaks it, seen as frames.

use std::io::{Read, Write};

use agentspan_testkit::{Answer, Service};

use crate::client::{End, connect, read};

/// The preface of a client, no settings, and a POST to `/` without a body (RFC 9113, 3.4 and 6).
const REQUEST: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\
    \x00\x00\x00\x04\x00\x00\x00\x00\x00\
    \x00\x00\x03\x01\x05\x00\x00\x00\x01\x83\x86\x84";

fn serving(answer: Answer) -> Service {
    let service = Service::builder().http2().script([answer]);
    service.start().unwrap()
}

/// The types of the frames of stream 1, until one ends the stream.
fn frames(service: &Service) -> Vec<u8> {
    let mut stream = connect(service.addr());
    stream.write_all(REQUEST).unwrap();
    let mut types = Vec::new();
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).unwrap();
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length as usize];
        stream.read_exact(&mut payload).unwrap();
        if head[8] == 1 {
            types.push(head[3]);
            if head[4] & 1 == 1 {
                return types;
            }
        }
    }
}

#[test]
fn an_answer_of_grpc_ends_with_trailers() {
    let service = serving(Answer::grpc(14));
    let (headers, data) = (1, 0);
    assert_eq!(frames(&service), [headers, data, headers]);
    let request = &service.requests()[0];
    assert_eq!((request.method.as_str(), request.path()), ("POST", "/"));
    assert_eq!(request.is_taken, Some(false));
}

#[test]
fn a_reset_ends_the_connection() {
    let service = serving(Answer::reset());
    let mut stream = connect(service.addr());
    stream.write_all(REQUEST).unwrap();
    assert_eq!(read(&mut stream, usize::MAX).1, End::Reset);
    assert_eq!(service.requests()[0].is_taken, None);
}
