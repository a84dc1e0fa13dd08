//! Where trusted certificates come from, and what the environment has to say.
//!
//! SECURITY.md names the variables. The environment of a process cannot be changed safely while it runs,
//! so a test starts itself once more.

use std::fs;
use std::path::PathBuf;

use agentspan_tls::{TlsError, TrustRoots, client_config};
use rcgen::PKCS_ECDSA_P256_SHA256;
use rustls::{CertificateError, Error};

use crate::certificates::{Certified, certified};
use crate::connection::Connection;
use crate::installed::{is_started_by_test, passes};

/// A file of this run's tests.
fn file(name: &str) -> PathBuf {
    [env!("CARGO_TARGET_TMPDIR"), name].iter().collect()
}

fn server() -> Certified {
    certified(&PKCS_ECDSA_P256_SHA256)
}

#[test]
fn given_roots_are_all_that_is_trusted() {
    let (server, another) = (server(), server());
    let roots = TrustRoots::given([server.authority.clone()]).unwrap();
    Connection::open_trusting(&roots, &server).unwrap();
    let refused = Connection::open_trusting(&roots, &another).err().unwrap();
    assert!(
        matches!(refused, Error::InvalidCertificate(_)),
        "{refused:?}"
    );
}

#[test]
fn what_is_no_certificate_is_not_taken_as_a_root() {
    let roots = TrustRoots::given([b"-----BEGIN CERTIFICATE-----".as_slice().into()]);
    let error = roots.unwrap_err();
    let expected = CertificateError::BadEncoding;
    assert_eq!(error, Error::InvalidCertificate(expected));
}

#[test]
fn a14_ssl_cert_file_replaces_the_roots_of_the_platform_and_no_others() {
    let name = "a14-ssl-cert-file";
    let (certificate, key) = (file("a14.der"), file("a14.key"));
    if is_started_by_test() {
        // The variable names the authority of this server, which no platform knows.
        let known = Certified {
            certificate: fs::read(certificate).unwrap().into(),
            key: fs::read(key).unwrap().try_into().unwrap(),
            ..server()
        };
        Connection::open_trusting(&TrustRoots::Platform, &known).unwrap();
        let another = server();
        let given = TrustRoots::given([another.authority.clone()]).unwrap();
        Connection::open_trusting(&given, &another).unwrap();
        assert!(Connection::open_trusting(&given, &known).is_err());
        return;
    }
    let server = server();
    fs::write(file(name), &server.authority_pem).unwrap();
    fs::write(certificate, &server.certificate).unwrap();
    fs::write(key, server.key.secret_der()).unwrap();
    let path = file(name);
    let this = "roots::a14_ssl_cert_file_replaces_the_roots_of_the_platform_and_no_others";
    assert!(passes(this, &[("SSL_CERT_FILE", path.to_str().unwrap())]));
    let directory = file("a14-ssl-cert-dir");
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join("authority.pem"), &server.authority_pem).unwrap();
    assert!(passes(
        this,
        &[("SSL_CERT_DIR", directory.to_str().unwrap())]
    ));
}

#[test]
fn without_any_certificate_there_is_an_error_that_says_so() {
    if is_started_by_test() {
        let error = client_config(&TrustRoots::Platform).unwrap_err();
        assert!(matches!(error, TlsError::NoRootCertificates), "{error:?}");
        return;
    }
    let empty = file("no-certificates");
    fs::write(&empty, "").unwrap();
    let this = "roots::without_any_certificate_there_is_an_error_that_says_so";
    assert!(passes(this, &[("SSL_CERT_FILE", empty.to_str().unwrap())]));
}

#[test]
fn t21_keys_are_not_written_where_sslkeylogfile_says() {
    if is_started_by_test() {
        let server = server();
        let roots = TrustRoots::given([server.authority.clone()]).unwrap();
        let mut connection = Connection::open_trusting(&roots, &server).unwrap();
        connection.echo(b"a secret");
        return;
    }
    let log = file("key-log");
    let _ = fs::remove_file(&log);
    let this = "roots::t21_keys_are_not_written_where_sslkeylogfile_says";
    assert!(passes(this, &[("SSLKEYLOGFILE", log.to_str().unwrap())]));
    assert!(!log.exists());
}
