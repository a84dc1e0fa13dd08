//! Settings that cannot be used.

use std::time::Duration;

use agentspan_entra::{Credential, Entra, EntraBuilder};

use crate::directory::{BLUEPRINT, SECRET};

fn check_refused(change: impl FnOnce(EntraBuilder) -> EntraBuilder, message: &str) {
    let builder = Entra::builder(BLUEPRINT, Credential::secret(SECRET));
    let error = change(builder).build().unwrap_err();
    assert_eq!(error.to_string(), message);
    // What `main` prints of it.
    assert!(format!("{error:?}").starts_with(message), "{error:?}");
}

#[test]
fn a_setting_that_cannot_be_used_is_named() {
    check_refused(
        |all| all.with_timeout(Duration::ZERO),
        "with_timeout is zero; it must be greater",
    );
    check_refused(
        |all| all.with_deadline(Duration::ZERO),
        "with_deadline is zero; it must be greater",
    );
    let message = "the authority is not https with a host and nothing else";
    check_refused(
        |all| all.with_authority("http://login.example.com"),
        message,
    );
    let message = "cannot use the url of with_loopback_endpoint";
    check_refused(
        |all| all.with_loopback_endpoint("http://example.com"),
        message,
    );
    let message = "with_connect_to is not a loopback address";
    check_refused(
        |all| all.with_connect_to(([192, 0, 2, 1], 443).into()),
        message,
    );
    let message = "with_root_certificates contains an invalid certificate";
    check_refused(|all| all.with_root_certificates([b"no"]), message);
    let both = |all: EntraBuilder| {
        let all = all.with_loopback_endpoint("http://127.0.0.1:1");
        all.with_authority("https://login.example.com")
    };
    check_refused(
        both,
        "with_loopback_endpoint and with_authority exclude each other",
    );
}

#[test]
fn a_blueprint_has_an_id_and_a_secret_is_not_empty() {
    let error = Entra::builder(" ", Credential::secret(SECRET)).build();
    assert_eq!(error.unwrap_err().to_string(), "the blueprint has no id");
    let error = Entra::builder(BLUEPRINT, Credential::secret("")).build();
    let message = "the secret of the blueprint is empty";
    assert_eq!(error.unwrap_err().to_string(), message);
}
