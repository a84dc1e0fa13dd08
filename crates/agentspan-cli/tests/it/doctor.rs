//! `agentspan doctor`, against a server of the program itself.

use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::replay::Serving;

const TENANT: &str = "e3064512-cc6d-4703-be71-a2ecaecaa98a";
const AGENT: &str = "a0000000-0000-0000-0000-00000000000a";
const SIGNATURE: &str = "c2VjcmV0LXNpZ25hdHVyZQ";

/// A token that expires long after us, with these claims changed.
fn token(changes: &Value) -> String {
    let mut claims = json!({"aud": "9b975845-388f-4429-889e-eab1ef63949c", "azp": AGENT, "exp": 4_000_000_000_u64});
    claims
        .as_object_mut()
        .unwrap()
        .extend(changes.as_object().unwrap().clone());
    let payload = URL_SAFE_NO_PAD.encode(claims.to_string());
    format!("eyJhbGciOiJub25lIn0.{payload}.{SIGNATURE}")
}

/// The output, and whether nothing was bad.
fn doctor(endpoint: &str, token: &str, more: &[&str]) -> (String, bool) {
    let ran = Command::new(env!("CARGO_BIN_EXE_agentspan"))
        .args([
            "doctor",
            "--endpoint",
            endpoint,
            "--tenant",
            TENANT,
            "--agent",
            AGENT,
        ])
        .args(["--token-env", "TOKEN_OF_TEST"])
        .args(more)
        .env("TOKEN_OF_TEST", token)
        .env("ENABLE_A365_OBSERVABILITY", "true")
        .env("ENABLE_A365_OBSERVABILITY_EXPORTER", "true")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        .env_remove("OTEL_EXPORTER_OTLP_PROTOCOL")
        .output()
        .unwrap();
    let out = String::from_utf8(ran.stdout).unwrap();
    for text in [&out, &String::from_utf8(ran.stderr).unwrap()] {
        assert!(!text.contains(SIGNATURE), "{text}");
    }
    (out, ran.status.code() == Some(0))
}

#[test]
fn t30_a_whole_way_is_found_fine_the_canary_arrives_and_the_token_is_not_shown() {
    let server = Serving::start(&[]);
    let (out, is_fine) = doctor(
        &format!("http://{}", server.address),
        &token(&json!({})),
        &["--canary"],
    );
    assert!(is_fine, "{out}");
    let looks: Vec<Vec<&str>> = out
        .lines()
        .map(|line| line.split_whitespace().take(2).collect())
        .collect();
    let expected = [
        "switches", "token", "name", "endpoint", "clock", "otlp", "canary",
    ];
    assert_eq!(looks, expected.map(|at| ["ok", at]), "{out}");
    let listed = server.get("/api/traces");
    assert_eq!(
        (&listed["total"], &listed["traces"][0]["agent"]),
        (&1.into(), &"agentspan doctor".into())
    );
}

#[test]
fn what_is_wrong_with_a_token_is_told_with_its_rule() {
    let server = Serving::start(&[]);
    let endpoint = format!("http://{}", server.address);
    for (rule, changes) in [
        (
            "R07",
            json!({"azp": "b0000000-0000-0000-0000-00000000000b"}),
        ),
        ("R36", json!({"aud": "https://graph.microsoft.com"})),
        ("R37", json!({"xms_mirid": "/subscriptions/s"})),
        ("R38", json!({"scp": "User.Read"})),
        ("R40", json!({"exp": 1_765_000_000_u64})),
        ("R59", json!({"aud": "api://AzureADTokenExchange"})),
    ] {
        let (out, is_fine) = doctor(&endpoint, &token(&changes), &[]);
        let is_told = out
            .lines()
            .any(|line| line.starts_with(&format!("BAD      token        {rule} ")));
        assert!(is_told && !is_fine, "{rule}: {out}");
    }
    let (out, _) = doctor(&endpoint, "not a token", &[]);
    assert!(out.contains("BAD      token        R39 "), "{out}");
}

#[test]
fn a_token_without_its_signature_is_told_as_such() {
    let server = Serving::start(&[]);
    let endpoint = format!("http://{}", server.address);
    let whole = token(&json!({}));
    let (cut, _) = whole.rsplit_once('.').unwrap();
    for token in [format!("{cut}."), cut.to_owned()] {
        let (out, is_fine) = doctor(&endpoint, &token, &[]);
        let told = "R39 The signature of the token, its third part, is missing.";
        assert!(out.contains(told) && !is_fine, "{out}");
    }
}

#[test]
fn a_canary_without_an_identity_or_a_token_is_no_valid_command() {
    for (given, missing) in [
        (&["--agent", AGENT][..], &["--tenant", "--token-env"][..]),
        (&["--tenant", TENANT, "--agent", AGENT], &["--token-env"]),
        (&[], &["--tenant", "--agent", "--token-env"]),
    ] {
        let ran = Command::new(env!("CARGO_BIN_EXE_agentspan"))
            .args(["doctor", "--canary"])
            .args(given)
            .output()
            .unwrap();
        let errors = String::from_utf8(ran.stderr).unwrap();
        assert_eq!(ran.status.code(), Some(2), "{errors}");
        let is_named = |option: &&str| errors.contains(&format!("  {option} <"));
        assert!(missing.iter().all(is_named), "{errors}");
        assert!(!given.iter().any(is_named), "{errors}");
    }
}

#[test]
fn a_service_that_is_not_there_or_refuses_is_told() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let (out, is_fine) = doctor(&format!("http://{gone}"), &token(&json!({})), &["--canary"]);
    for at in ["endpoint", "otlp", "canary"] {
        assert!(out.contains(&format!("BAD      {at:12} ")), "{at}: {out}");
    }
    assert!(!is_fine);
    let server = Serving::start(&["--fault", "403"]);
    let (out, is_fine) = doctor(
        &format!("http://{}", server.address),
        &token(&json!({})),
        &["--canary"],
    );
    assert!(
        out.contains("canary       refused with 403") && !is_fine,
        "{out}"
    );
    let (out, is_fine) = doctor("http://192.0.2.1", &token(&json!({})), &[]);
    assert!(out.is_empty() && !is_fine, "{out}");
}

#[test]
fn an_environment_that_lets_nothing_arrive_is_told() {
    let doctor = |name: &str, value: &str| {
        let ran = Command::new(env!("CARGO_BIN_EXE_agentspan"))
            .args(["doctor", "--endpoint", "http://127.0.0.1:99999"])
            .env_remove("OTEL_EXPORTER_OTLP_ENDPOINT")
            .env("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
            .env(name, value)
            .output()
            .unwrap();
        assert_eq!(ran.status.code(), Some(1));
        String::from_utf8(ran.stdout).unwrap()
    };
    let out = doctor("OTEL_SDK_DISABLED", " True ");
    assert!(
        out.contains("BAD      switches     OTEL_SDK_DISABLED is true"),
        "{out}"
    );
    assert!(
        out.contains("BAD      endpoint     cannot connect: the url has a port that is no number"),
        "{out}"
    );
    let out = doctor("OTEL_SDK_DISABLED", "no");
    assert!(!out.contains("OTEL_SDK_DISABLED"), "{out}");
    let out = doctor("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.9:99999");
    assert!(
        out.contains("BAD      otlp         the endpoint is not a URL"),
        "{out}"
    );
    let out = doctor("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json");
    assert!(!out.contains("http/json"), "no endpoint is set: {out}");
}

#[test]
fn a_protocol_that_is_not_understood_is_told() {
    let server = Serving::start(&[]);
    let endpoint = format!("http://{}", server.address);
    let ran = Command::new(env!("CARGO_BIN_EXE_agentspan"))
        .args(["doctor", "--endpoint", &endpoint])
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)
        .env("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json")
        .env("OTEL_EXPORTER_OTLP_PROTOCOL", "HTTP/protobuf")
        .output()
        .unwrap();
    let out = String::from_utf8(ran.stdout).unwrap();
    let told = "warning  otlp         OTEL_EXPORTER_OTLP_TRACES_PROTOCOL is";
    assert!(out.contains(told) && out.contains("http/json"), "{out}");
    assert!(
        out.contains("ok       otlp         127.0.0.1 answered 200"),
        "{out}"
    );
    assert!(out.contains("127.0.0.1 has 1 address, in"), "{out}");
}
