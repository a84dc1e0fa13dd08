//! F10: servers that are not who they should be get a greeting and nothing else.

use std::time::Duration;

use agentspan_testkit::{Answer, Certificates};

use crate::Failure;
use crate::defence::Defence::{self, Authority, Tls};
use crate::front::{HTTP_1, WIRE};
use crate::row::Row;
use crate::stage::{Connection, Stage};
use crate::wire::{Expected, Wire, over_tls, without_a_request};

pub(super) fn rows() -> Vec<Row> {
    let untrusted = |certificates, connection| {
        let wire = Wire {
            certificates,
            settings: over_tls(connection),
            ..Wire::new()
        };
        wire.losing("retries_exhausted", "export_failed")
            .checking(without_a_request)
    };
    vec![
        Wire {
            certificates: Some(|| Ok(Certificates::generate()?)),
            settings: over_tls(Connection::Tls),
            ..Wire::new()
        }
        .row("F10", "a certificate that is right", WIRE, &[])
        .because("it shows that the rows below fail for the right reason"),
        untrusted(Some(|| Ok(Certificates::expired()?)), Connection::Tls).row(
            "F10",
            "a certificate that has expired",
            WIRE,
            &[Defence::Certificates],
        ),
        untrusted(
            Some(|| Ok(Certificates::with_wrong_name()?)),
            Connection::Tls,
        )
        .row(
            "F10",
            "a certificate for another name",
            WIRE,
            &[Defence::Certificates],
        ),
        untrusted(Some(|| Ok(Certificates::self_signed()?)), Connection::Tls).row(
            "F10",
            "a certificate that signed itself",
            WIRE,
            &[Defence::Certificates],
        ),
        untrusted(
            Some(|| Ok(Certificates::generate()?)),
            Connection::TlsOfAnother,
        )
        .row(
            "F10",
            "a certificate of another authority",
            WIRE,
            &[Authority],
        ),
        Wire {
            answers: Box::new(|_| vec![Answer::tls_1_1()]),
            for_ever: true,
            ..untrusted(Some(|| Ok(Certificates::generate()?)), Connection::Tls)
        }
        .row("F10", "a server of TLS 1.1", WIRE, &[])
        .because("rustls has no words of that version"),
        untrusted(None, Connection::TlsOfAnother).row(
            "F10",
            "plain text where TLS should be",
            WIRE,
            &[Tls],
        ),
        changing().row(
            "F10",
            "a certificate that changes",
            HTTP_1,
            &[Defence::Certificates],
        ),
    ]
}

/// The first batch is taken, and the connection closed. Then somebody else answers.
fn changing() -> Wire {
    Wire {
        certificates: Some(|| Ok(Certificates::generate()?)),
        settings: over_tls(Connection::Tls),
        drive: change,
        ..Wire::always(|front| front.taken().header("connection", "close"))
    }
    .expecting(|front| match front.is_agent365() {
        true => Expected::LostOf(vec![("retries_exhausted", 30)]),
        false => Expected::LostOf(vec![("export_failed", 30)]),
    })
}

fn change(stage: &mut Stage, spans: usize, patience: Duration) -> Result<(), Failure> {
    stage.hand_over(spans / 2);
    stage.flush(patience);
    if let Some(service) = &stage.service {
        service.change_certificates(Certificates::generate()?);
    }
    stage.hand_over(spans / 2);
    stage.flush(patience);
    stage.shutdown(Duration::from_millis(100));
    Ok(())
}
