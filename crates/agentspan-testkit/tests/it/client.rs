//! A client as plain as can be: bytes out, bytes in until the end or a limit.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use agentspan_testkit::Service;

/// A request with a body of two bytes.
pub(crate) const REQUEST: &[u8] =
    b"POST /a?b=c HTTP/1.1\r\nhost: h\r\nx-one: 1\r\nx-one: 2\r\ncontent-length: 2\r\n\r\n{}";

/// How a connection ended for the client.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// FIN.
    Closed,
    /// RST.
    Reset,
    /// Still open when as many bytes had come as were waited for.
    Open,
}

pub(crate) fn connect(addr: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(addr).unwrap();
    // So that a broken service fails a test instead of hanging it.
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    stream
}

/// Reads until `limit` bytes are there or the connection ends.
pub(crate) fn read(stream: &mut TcpStream, limit: usize) -> (String, End) {
    let mut received = Vec::new();
    let mut buffer = [0; 4096];
    while received.len() < limit {
        match stream.read(&mut buffer) {
            Ok(0) => return (text(&received), End::Closed),
            Ok(count) => received.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {
                return (text(&received), End::Reset);
            }
            Err(error) => panic!("after {} bytes: {error}", received.len()),
        }
    }
    (text(&received), End::Open)
}

/// Sends one request and reads what comes.
pub(crate) fn exchange(service: &Service, limit: usize) -> (String, End) {
    let mut stream = connect(service.addr());
    stream.write_all(REQUEST).unwrap();
    read(&mut stream, limit)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
