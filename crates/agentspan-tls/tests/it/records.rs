//! What was changed on the way is refused, and no answer of a server brings the client down.

use std::io::Write;

use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::cipher_suite as suites;
use rustls::{AlertDescription, Error, SupportedCipherSuite};

use crate::certificates::{Certified, ecdsa};
use crate::connection::{Connection, bytes_of, deliver, read, server_provider};

/// Type, version and length of a record.
const HEADER_LEN: usize = 5;

fn all_suites() -> Vec<SupportedCipherSuite> {
    vec![
        suites::TLS13_AES_256_GCM_SHA384,
        suites::TLS13_AES_128_GCM_SHA256,
        suites::TLS13_CHACHA20_POLY1305_SHA256,
        #[cfg(feature = "tls12")]
        suites::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        #[cfg(feature = "tls12")]
        suites::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    ]
}

fn open(suite: SupportedCipherSuite) -> Connection {
    let provider = CryptoProvider {
        cipher_suites: vec![suite],
        ..server_provider()
    };
    Connection::open(&ecdsa()[0], provider).unwrap()
}

#[test]
fn a_changed_bit_of_any_byte_is_noticed_in_both_directions() {
    for suite in all_suites() {
        let mut sent = 0;
        for byte in 0.. {
            let mut connection = open(suite);
            connection.server.writer().write_all(b"an answer").unwrap();
            let mut record = bytes_of(&mut connection.server);
            sent = record.len();
            let Some(changed) = record.get_mut(HEADER_LEN + byte) else {
                break;
            };
            *changed ^= 1;
            let error = deliver(&record, &mut connection.client).unwrap_err();
            assert_eq!(error, Error::DecryptError, "{suite:?} {byte}");
            assert_eq!(read(&mut connection.client), b"");
        }
        assert!(sent > HEADER_LEN + b"an answer".len() + 16);
        let mut connection = open(suite);
        connection.client.writer().write_all(b"a question").unwrap();
        let mut record = bytes_of(&mut connection.client);
        *record.last_mut().unwrap() ^= 1;
        let error = deliver(&record, &mut connection.server).unwrap_err();
        assert_eq!(error, Error::DecryptError, "{suite:?}");
    }
}

#[test]
fn a_record_that_comes_twice_or_too_early_is_refused() {
    for suite in all_suites() {
        let mut connection = open(suite);
        connection.server.writer().write_all(b"first").unwrap();
        let first = bytes_of(&mut connection.server);
        connection.server.writer().write_all(b"second").unwrap();
        let second = bytes_of(&mut connection.server);
        deliver(&first, &mut connection.client).unwrap();
        let twice = deliver(&first, &mut connection.client).unwrap_err();
        assert_eq!(twice, Error::DecryptError, "{suite:?}");
        let mut connection = open(suite);
        connection.server.writer().write_all(b"first").unwrap();
        bytes_of(&mut connection.server);
        let early = deliver(&second, &mut connection.client).unwrap_err();
        assert_eq!(early, Error::DecryptError, "{suite:?}");
    }
}

#[test]
fn a_record_of_any_length_is_refused_and_nothing_panics() {
    for suite in all_suites() {
        for len in (0..64).chain([16_384, 16_640]) {
            let mut connection = open(suite);
            let mut record = vec![23, 3, 3];
            record.extend(u16::try_from(len).unwrap().to_be_bytes());
            record.resize(HEADER_LEN + len, 0);
            let error = deliver(&record, &mut connection.client).unwrap_err();
            assert_eq!(error, Error::DecryptError, "{suite:?} {len}");
        }
    }
}

/// Where the contents of handshake messages are, in clear or encrypted. Versions in the heads of records
/// mean nothing, and nor do the records that imitate TLS 1.2.
fn places_of_handshake(answer: &[u8]) -> Vec<usize> {
    let mut places = Vec::new();
    let mut start = 0;
    while let Some(&[kind, _, _, high, low]) = answer
        .get(start..start + HEADER_LEN)
        .and_then(|it| it.first_chunk())
    {
        let end = start + HEADER_LEN + usize::from(u16::from_be_bytes([high, low]));
        if matches!(kind, 22 | 23) {
            places.extend(start + HEADER_LEN..end);
        }
        start = end;
    }
    assert_eq!(start, answer.len());
    places
}

/// Whether a handshake is completed although the `n`th of those bytes is changed; `None` if there are
/// fewer.
fn completes(suite: SupportedCipherSuite, server: &Certified, n: usize) -> Option<bool> {
    let provider = CryptoProvider {
        cipher_suites: vec![suite],
        ..server_provider()
    };
    let mut connection = Connection::new(server, provider);
    let hello = bytes_of(&mut connection.client);
    deliver(&hello, &mut connection.server).unwrap();
    let mut answer = bytes_of(&mut connection.server);
    let place = *places_of_handshake(&answer).get(n)?;
    *answer.get_mut(place)? ^= 1;
    let finished = deliver(&answer, &mut connection.client).and_then(|()| {
        let finished = bytes_of(&mut connection.client);
        deliver(&finished, &mut connection.server)?;
        deliver(&bytes_of(&mut connection.server), &mut connection.client)
    });
    Some(finished.is_ok() && !connection.client.is_handshaking())
}

#[test]
fn a_changed_handshake_is_never_completed() {
    let server = &ecdsa()[0];
    for suite in all_suites() {
        // Each third byte is enough. How many there are differs by the length of a signature.
        let changed = (0..).step_by(3);
        let completed: Vec<_> = changed.map_while(|n| completes(suite, server, n)).collect();
        assert!(completed.len() > 150);
        let completed = completed.iter().position(|completed| *completed);
        assert_eq!(completed, None, "{suite:?}");
    }
}

#[test]
fn keys_can_be_updated() {
    for suite in all_suites() {
        let mut connection = open(suite);
        connection.echo(b"before");
        if connection.client.refresh_traffic_keys().is_err() {
            assert_eq!(suite.version().version, rustls::ProtocolVersion::TLSv1_2);
            continue;
        }
        deliver(&bytes_of(&mut connection.client), &mut connection.server).unwrap();
        connection.echo(b"after");
    }
}

#[test]
fn the_end_of_a_connection_is_understood() {
    for suite in all_suites() {
        let mut connection = open(suite);
        connection.server.send_close_notify();
        let last = bytes_of(&mut connection.server);
        let state = {
            deliver(&last, &mut connection.client).unwrap();
            connection.client.process_new_packets().unwrap()
        };
        assert!(state.peer_has_closed());
        // An alert is encrypted, so only the right key tells it from garbage.
        let mut connection = open(suite);
        let mut garbage = bytes_of(&mut connection.server);
        garbage.extend([21, 3, 3, 0, 2, 2, 40]);
        let error = deliver(&garbage, &mut connection.client).unwrap_err();
        assert_ne!(
            error,
            Error::AlertReceived(AlertDescription::HandshakeFailure)
        );
    }
}
