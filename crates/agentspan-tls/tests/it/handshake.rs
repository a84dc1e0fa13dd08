//! The linked provider and `rustls`'s own agree on every suite, group and kind of key.

use rustls::crypto::aws_lc_rs::{cipher_suite as suites, kx_group as groups};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use rustls::{CipherSuite, PeerIncompatible, SupportedCipherSuite};

use crate::certificates::{Certified, ecdsa, ed25519, rsa};
use crate::connection::{Connection, server_provider};

/// Longer and shorter than a record, and as long as the longest.
fn texts() -> [Vec<u8>; 4] {
    let long = (0..60_000_u32).map(|n| n as u8).collect();
    [
        b"a".to_vec(),
        long,
        vec![0; 16_384],
        b"the last one".to_vec(),
    ]
}

/// A server that has this suite only can be spoken to.
#[track_caller]
fn check_suite(suite: SupportedCipherSuite, servers: &[Certified]) {
    for server in servers {
        let provider = CryptoProvider {
            cipher_suites: vec![suite],
            ..server_provider()
        };
        check(server, provider, suite.suite());
    }
}

#[track_caller]
fn check(server: &Certified, provider: CryptoProvider, suite: CipherSuite) {
    let mut connection = Connection::open(server, provider).unwrap();
    for text in texts() {
        connection.echo(&text);
    }
    let negotiated = connection.client.negotiated_cipher_suite().unwrap();
    assert_eq!(negotiated.suite(), suite);
}

#[test]
fn each_suite_of_tls_1_3_works_with_each_kind_of_key() {
    let servers: Vec<_> = ecdsa().into_iter().chain(ed25519()).chain(rsa()).collect();
    check_suite(suites::TLS13_AES_256_GCM_SHA384, &servers);
    check_suite(suites::TLS13_AES_128_GCM_SHA256, &servers);
    check_suite(suites::TLS13_CHACHA20_POLY1305_SHA256, &servers);
}

#[test]
#[cfg(feature = "tls12")]
fn each_suite_of_tls_1_2_works_with_each_kind_of_key() {
    let servers: Vec<_> = ecdsa().into_iter().chain(ed25519()).collect();
    check_suite(suites::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, &servers);
    check_suite(suites::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, &servers);
    let servers = rsa();
    check_suite(suites::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, &servers);
    check_suite(suites::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, &servers);
}

#[test]
#[cfg(not(feature = "tls12"))]
fn tls_1_2_is_not_spoken_without_its_feature() {
    let provider = CryptoProvider {
        cipher_suites: vec![suites::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384],
        ..server_provider()
    };
    let error = Connection::open(&ecdsa()[0], provider).err().unwrap();
    let expected = PeerIncompatible::Tls12NotOfferedOrEnabled;
    assert_eq!(error, rustls::Error::PeerIncompatible(expected));
}

#[test]
fn each_group_works_in_both_versions() {
    let server = &ecdsa()[0];
    let all: [&'static dyn SupportedKxGroup; 3] =
        [groups::X25519, groups::SECP256R1, groups::SECP384R1];
    for group in all {
        let provider = CryptoProvider {
            kx_groups: vec![group],
            ..server_provider()
        };
        let suite = CipherSuite::TLS13_AES_256_GCM_SHA384;
        check(server, provider.clone(), suite);
        if cfg!(feature = "tls12") {
            let suite = suites::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384;
            let provider = CryptoProvider {
                cipher_suites: vec![suite],
                ..provider
            };
            check(server, provider, suite.suite());
        }
    }
}

#[test]
fn a_server_without_a_common_group_is_refused() {
    let provider = CryptoProvider {
        kx_groups: vec![groups::MLKEM768],
        ..server_provider()
    };
    let error = Connection::open(&ecdsa()[0], provider).err().unwrap();
    let expected = PeerIncompatible::NoKxGroupsInCommon;
    assert_eq!(error, rustls::Error::PeerIncompatible(expected));
}
