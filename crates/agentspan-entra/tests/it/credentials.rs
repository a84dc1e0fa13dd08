//! How the blueprint proves who it is without a secret.

use std::error::Error;
use std::fs;

use agentspan_agent365::error::TokenUnavailable;
use agentspan_entra::{
    Certificate, Credential, Entra, EntraError, ManagedIdentity, WorkloadIdentity,
};
use agentspan_testkit::{Answer, Entra as Service, Proof, RecordedRequest, Service as Loopback};
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use serde_json::json;

use crate::directory::{BLUEPRINT, OTHER_AGENT, OTHER_TENANT, TestClock, identity, service};

fn client(service: &Service, credential: Credential) -> Entra {
    let entra = Entra::builder(BLUEPRINT, credential).with_loopback_endpoint(service.url());
    entra.build().unwrap()
}

/// A certificate in DER form, and a text with it and its key.
fn certificate() -> (Vec<u8>, String) {
    let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
    let certificate = CertificateParams::new([])
        .unwrap()
        .self_signed(&key)
        .unwrap();
    let pem = format!("{}{}", key.serialize_pem(), certificate.pem());
    (certificate.der().to_vec(), pem)
}

#[tokio::test]
async fn the_key_of_a_certificate_signs_an_assertion() {
    let service = service();
    let (der, pem) = certificate();
    service.replace_proof(BLUEPRINT, Proof::certificate(&der));
    let credential = Certificate::from_pem(pem.as_bytes()).unwrap();
    let entra = client(&service, Credential::assertion(credential));
    entra.agent_token(&identity()).await.unwrap();
    let asked = service.asked();
    assert_eq!(asked[0].field("client_secret"), None);
    assert_eq!(asked[0].code, Some(0));
    // Another one is not taken.
    let (_, other) = certificate();
    let other = Certificate::from_pem(other.as_bytes()).unwrap();
    let error = client(&service, Credential::assertion(other))
        .agent_token(&identity())
        .await;
    assert_eq!(error.unwrap_err().refusal().unwrap().codes, [700_027]);
}

#[test]
fn a_certificate_that_cannot_sign_is_told() {
    let (_, pem) = certificate();
    let (key, certificate) = pem.split_at(pem.find("-----BEGIN CERTIFICATE").unwrap());
    let elliptic = KeyPair::generate().unwrap().serialize_pem();
    for (pem, expected) in [
        ("", "there is no certificate in pem form"),
        (key, "there is no certificate in pem form"),
        (certificate, "there is no private key in pem form"),
        (
            &format!("{certificate}{elliptic}"),
            "the certificate cannot sign",
        ),
    ] {
        let error = Certificate::from_pem(pem.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

#[tokio::test]
async fn the_token_of_a_workload_is_read_for_each_question() {
    let service = service();
    let path = std::env::temp_dir().join(format!("agentspan-entra-{}", std::process::id()));
    let entra = client(
        &service,
        Credential::assertion(WorkloadIdentity::in_file(&path)),
    );
    let error = entra.agent_token(&identity()).await.unwrap_err();
    assert!(matches!(error, EntraError::Assertion(_)), "{error:?}");
    fs::write(&path, "token-1\n").unwrap();
    service.replace_proof(BLUEPRINT, Proof::assertion("token-1"));
    entra.agent_token(&identity()).await.unwrap();
    fs::write(&path, "token-2").unwrap();
    service.replace_proof(BLUEPRINT, Proof::assertion("token-2"));
    let other = agentspan_model::agent365::Identity::parse(OTHER_TENANT, OTHER_AGENT).unwrap();
    entra.agent_token(&other).await.unwrap();
    fs::remove_file(&path).unwrap();
}

/// A metadata service that gives the assertion `of-the-machine`.
fn machine() -> Loopback {
    let answer = json!({"access_token": "of-the-machine", "expires_in": "86399", "resource": "x"});
    Loopback::builder()
        .script([Answer::json(&answer)])
        .start()
        .unwrap()
}

fn check_asked(request: &RecordedRequest, target: &str, header: (&str, &str)) {
    assert_eq!(
        (request.method.as_str(), request.target.as_str()),
        ("GET", target)
    );
    assert_eq!(request.header(header.0), Some(header.1));
    assert!(request.body.is_empty());
}

#[tokio::test]
async fn a_machine_proves_who_the_blueprint_is() {
    let service = service();
    let machine = machine();
    service.replace_proof(BLUEPRINT, Proof::assertion("of-the-machine"));
    let identity_of_machine = ManagedIdentity::of_machine_at(&machine.url()).unwrap();
    let credential = Credential::assertion(identity_of_machine.with_client_id("a/b"));
    let entra = client(&service, credential);
    entra.agent_token(&identity()).await.unwrap();
    let target = "/metadata/identity/oauth2/token?api-version=2018-02-01\
                  &resource=api%3A%2F%2FAzureADTokenExchange&client_id=a%2Fb";
    check_asked(&machine.requests()[0], target, ("metadata", "true"));
}

#[tokio::test]
async fn an_app_proves_who_the_blueprint_is_once_for_all_agents_of_a_tenant() {
    let service = Service::builder()
        .blueprint(BLUEPRINT, Proof::assertion("of-the-machine"))
        .agent(crate::directory::TENANT, "agent-1", BLUEPRINT)
        .agent(crate::directory::TENANT, "agent-2", BLUEPRINT)
        .start()
        .unwrap();
    let machine = machine();
    let endpoint = format!("{}/msi/token", machine.url());
    let credential = ManagedIdentity::of_app(&endpoint, "s3cret-key").unwrap();
    let entra = client(&service, Credential::assertion(credential));
    for agent in ["agent-1", "agent-2"] {
        let tenant = crate::directory::TENANT;
        let identity = agentspan_model::agent365::Identity::parse(tenant, agent).unwrap();
        entra.agent_token(&identity).await.unwrap();
    }
    let requests = machine.requests();
    assert_eq!(requests.len(), 1);
    let target = "/msi/token?api-version=2019-08-01&resource=api%3A%2F%2FAzureADTokenExchange";
    check_asked(&requests[0], target, ("x-identity-header", "s3cret-key"));
}

#[tokio::test]
async fn a_machine_that_is_busy_is_asked_again_after_its_pause() {
    let service = service();
    let answer = json!({"access_token": "of-the-machine", "expires_in": 60});
    let machine = Loopback::builder()
        .script([
            Answer::status(429).header("retry-after", "5"),
            Answer::json(&answer),
        ])
        .start()
        .unwrap();
    service.replace_proof(BLUEPRINT, Proof::assertion("of-the-machine"));
    let credential = ManagedIdentity::of_machine_at(&machine.url()).unwrap();
    let clock = TestClock::with_random(0.0);
    let entra = Entra::builder(BLUEPRINT, Credential::assertion(credential))
        .with_loopback_endpoint(service.url())
        .with_clock(clock.clone())
        .build()
        .unwrap();
    let error = entra.agent_token(&identity()).await.unwrap_err();
    assert_eq!(error.retry_after().unwrap().as_secs(), 5);
    let cause = error.source().unwrap().source().unwrap();
    let cause: &TokenUnavailable = cause.downcast_ref().unwrap();
    let message = "the identity's endpoint answered 429";
    assert_eq!(cause.source().unwrap().to_string(), message);
    entra.agent_token(&identity()).await.unwrap_err();
    assert_eq!(machine.request_count(), 1);
    clock.turn(5);
    entra.agent_token(&identity()).await.unwrap();
}
