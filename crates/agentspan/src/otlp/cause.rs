//! Why there is no answer, for the report: in our own words, because those of other crates may hold
//! what no report should show.

use std::error::Error;
use std::io::{self, ErrorKind};
use std::time::Duration;

use agentspan_agent365::transport::TransportError;
use agentspan_tls::rustls::{CertificateError, Error as TlsError};

/// Why a try got no answer. `timeout` is that of the try, which the last one may have less of than
/// others.
pub(super) fn of(error: &TransportError, timeout: Duration) -> String {
    match error {
        TransportError::Timeout { .. } => {
            let millis = timeout.as_millis().max(1);
            let timeout = Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX));
            format!("no answer within {timeout:?}")
        }
        _ => match kind(error) {
            Some(kind) => format!("{error} ({kind})"),
            None => error.to_string(),
        },
    }
}

/// What the system or TLS says: the innermost cause that has a name.
fn kind(error: &TransportError) -> Option<&'static str> {
    system_errors(error).filter_map(named).last()
}

fn named(error: &io::Error) -> Option<&'static str> {
    Some(match error.kind() {
        ErrorKind::NotFound => "host not found",
        ErrorKind::ConnectionRefused => "connection refused",
        ErrorKind::ConnectionReset => "connection reset",
        ErrorKind::ConnectionAborted => "connection aborted",
        ErrorKind::BrokenPipe => "broken pipe",
        ErrorKind::UnexpectedEof => "unexpected end",
        ErrorKind::HostUnreachable => "host unreachable",
        ErrorKind::NetworkUnreachable => "network unreachable",
        ErrorKind::TimedOut => "timed out",
        // What `rustls` says over what is not TLS, and over certificates.
        ErrorKind::InvalidData => of_tls(error),
        _ => return None,
    })
}

fn of_tls(error: &io::Error) -> &'static str {
    let error = error.get_ref().and_then(|error| error.downcast_ref());
    match error {
        Some(TlsError::InvalidMessage(_)) => "the receiver does not speak tls",
        Some(TlsError::InvalidCertificate(error)) => of_certificate(error),
        Some(TlsError::AlertReceived(_)) => "the receiver refused tls",
        Some(TlsError::PeerIncompatible(_)) => "no version or cipher of tls in common",
        _ => "tls failed",
    }
}

fn of_certificate(error: &CertificateError) -> &'static str {
    match error {
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "the certificate is for another name"
        }
        CertificateError::UnknownIssuer => "the certificate is of an unknown authority",
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "the certificate has expired"
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the certificate is not valid yet"
        }
        CertificateError::Revoked => "the certificate is revoked",
        _ => "the certificate is not valid",
    }
}

/// The errors of the system on the way to the innermost cause.
fn system_errors(error: &TransportError) -> impl Iterator<Item = &io::Error> {
    let first: Option<&(dyn Error + 'static)> = match error {
        TransportError::Connect(source)
        | TransportError::Exchange(source)
        | TransportError::Tls(source) => Some(&**source),
        _ => None,
    };
    std::iter::successors(first, |error| cause_of(*error)).filter_map(|error| error.downcast_ref())
}

/// The cause of an error. What an error of the system wraps is not its source.
fn cause_of<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>() {
        Some(wrapper) => wrapper.get_ref().map(|wrapped| wrapped as _),
        None => error.source(),
    }
}
