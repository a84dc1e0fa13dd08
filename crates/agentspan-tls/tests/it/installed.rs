//! Which provider is used, and that none is installed.

use std::process::Command;
use std::sync::Arc;

use agentspan_tls::{TrustRoots, client_config, crypto_provider};
use rustls::NamedGroup;
use rustls::crypto::{CryptoProvider, aws_lc_rs};

use crate::certificates::{certified, ecdsa};

/// Set in a process that a test started.
const STARTED_BY_TEST: &str = "AGENTSPAN_STARTED_BY_TEST";

#[expect(clippy::disallowed_methods, reason = "this is no setting")]
pub(crate) fn is_started_by_test() -> bool {
    std::env::var_os(STARTED_BY_TEST).is_some()
}

/// Whether the test of this name passes in a process of its own with these variables.
pub(crate) fn passes(name: &str, variables: &[(&str, &str)]) -> bool {
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--quiet"])
        .env(STARTED_BY_TEST, "1")
        .env_remove("SSL_CERT_DIR")
        .env_remove("SSL_CERT_FILE")
        .envs(variables.iter().copied())
        .status();
    status.unwrap().success()
}

/// What the process installs lasts, so it happens in a process of its own.
#[test]
fn d1_what_the_process_installed_is_used_whenever_it_did() {
    if !is_started_by_test() {
        let this = "installed::d1_what_the_process_installed_is_used_whenever_it_did";
        assert!(passes(this, &[]));
        return;
    }
    let before = crypto_provider().unwrap();
    assert!(before.kx_groups.len() > 1);
    let installed = CryptoProvider {
        kx_groups: vec![aws_lc_rs::kx_group::SECP384R1],
        ..aws_lc_rs::default_provider()
    };
    installed.install_default().unwrap();
    let groups = |provider: &CryptoProvider| -> Vec<NamedGroup> {
        provider
            .kx_groups
            .iter()
            .map(|group| group.name())
            .collect()
    };
    assert_eq!(groups(&crypto_provider().unwrap()), [NamedGroup::secp384r1]);
    let roots = TrustRoots::given([ecdsa()[0].authority.clone()]).unwrap();
    let config = client_config(&roots).unwrap();
    let of_process = CryptoProvider::get_default().unwrap();
    assert!(Arc::ptr_eq(config.crypto_provider(), of_process));
}

#[test]
fn d1_nothing_is_installed_for_the_process() {
    if !is_started_by_test() {
        let this = "installed::d1_nothing_is_installed_for_the_process";
        assert!(passes(this, &[]));
        return;
    }
    crypto_provider().unwrap();
    let server = certified(&rcgen::PKCS_ECDSA_P256_SHA256);
    let roots = TrustRoots::given([server.authority]).unwrap();
    client_config(&roots).unwrap();
    assert!(CryptoProvider::get_default().is_none());
}

#[test]
fn the_linked_provider_loads_no_keys_but_those_of_rsa() {
    let server = certified(&rcgen::PKCS_ECDSA_P256_SHA256);
    let provider = crypto_provider().unwrap();
    let error = provider.key_provider.load_private_key(server.key);
    assert_eq!(
        error.unwrap_err().to_string(),
        "unexpected error: the private key is no RSA key of 2048 bits or more"
    );
}
