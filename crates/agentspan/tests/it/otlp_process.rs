//! What OpenTelemetry's variables of the process say, beside what the code says.

use agentspan::discovery::Environment;
use agentspan::otel::DropReason;
use agentspan::{Destination, Otlp, Sidecar, SidecarProtocol, configure};
use agentspan_testkit::{Answer, CapturedLogs, Certificates, RecordedRequest, Service};

use crate::grpc_receiver::GrpcReceiver;
use crate::otlp::{in_environment, send, to};
use crate::process::{is_started_by_test, must_pass, said};
use crate::sender::{AtOnce, LONG, Sender};

fn header<'a>(request: &'a RecordedRequest, name: &str) -> Vec<&'a str> {
    request.header_values(name)
}

#[test]
fn headers_of_the_code_go_before_those_of_the_process() {
    if is_started_by_test() {
        // Endpoint, authorities and compression are those of the environment.
        let otlp = Otlp::new().with_header("x-both", "code");
        assert_eq!(send(to(Destination::otlp_http(otlp).unwrap())), (1, 0));
        return;
    }
    let tls = Certificates::generate().unwrap();
    let service = Service::builder().tls(tls).start().unwrap();
    let file = format!("{}/authorities-process.pem", env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(&file, service.root_certificates_pem()).unwrap();
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", service.url()),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", file),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip".to_owned()),
        (
            "OTEL_EXPORTER_OTLP_HEADERS",
            "x-both=environment,x-other=a%20b".to_owned(),
        ),
    ];
    let variables = variables
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    let this = "otlp_process::headers_of_the_code_go_before_those_of_the_process";
    must_pass(this, &variables);
    let requests = service.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].target, "/v1/traces");
    assert_eq!(header(&requests[0], "x-both"), ["code"]);
    assert_eq!(header(&requests[0], "x-other"), ["a b"]);
    assert_eq!(header(&requests[0], "content-encoding"), ["gzip"]);
}

#[test]
fn over_grpc_it_is_the_same() {
    if is_started_by_test() {
        let otlp = Otlp::new().with_header("x-both", "code");
        assert_eq!(send(to(Destination::otlp_grpc(otlp).unwrap())), (1, 0));
        return;
    }
    let receiver = GrpcReceiver::start(None);
    let url = receiver.url("http");
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", url.as_str()),
        ("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "gzip"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-both=not-read"),
        (
            "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
            "x-both=environment,x-other=a%20b",
        ),
    ];
    must_pass("otlp_process::over_grpc_it_is_the_same", &variables);
    assert_eq!(receiver.span_names(), ["over the wire"]);
    assert_eq!(receiver.metadata("x-both"), ["code"]);
    assert_eq!(receiver.metadata("x-other"), ["a b"]);
    assert_eq!(receiver.metadata("grpc-encoding"), ["gzip"]);
}

/// Headers that somebody else's key is in: whatever their names are, a sidecar gets none of them.
const HEADERS_OF_ANOTHER: &str =
    "x-key=secret,authorization=secret,user-agent=secret,content-type=secret";

fn send_to_sidecar(protocol: SidecarProtocol) {
    let sidecar = Sidecar::new().with_protocol(protocol);
    let configuration = configure()
        .with_environment(&Environment::from_process())
        .with_sidecar(sidecar);
    assert_eq!(send(configuration), (1, 0));
}

#[test]
fn a_sidecar_gets_no_headers_of_the_process() {
    if is_started_by_test() {
        return send_to_sidecar(SidecarProtocol::Http);
    }
    let service = Service::start().unwrap();
    let url = service.url();
    let variables = [
        ("SPECTRA_ENDPOINT", url.as_str()),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
        ("OTEL_EXPORTER_OTLP_HEADERS", HEADERS_OF_ANOTHER),
    ];
    let this = "otlp_process::a_sidecar_gets_no_headers_of_the_process";
    must_pass(this, &variables);
    let requests = service.requests();
    assert_eq!(requests.len(), 1);
    let headers = &requests[0].headers;
    assert!(
        headers.iter().all(|(_, value)| value != "secret"),
        "{headers:?}"
    );
    assert_eq!(header(&requests[0], "content-encoding"), ["gzip"]);
    assert_eq!(
        header(&requests[0], "content-type"),
        ["application/x-protobuf"]
    );
}

#[test]
fn a_sidecar_over_grpc_gets_no_headers_of_the_process() {
    if is_started_by_test() {
        return send_to_sidecar(SidecarProtocol::Grpc);
    }
    let receiver = GrpcReceiver::start(None);
    let url = receiver.url("http");
    let variables = [
        ("SPECTRA_ENDPOINT", url.as_str()),
        ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", HEADERS_OF_ANOTHER),
    ];
    let this = "otlp_process::a_sidecar_over_grpc_gets_no_headers_of_the_process";
    must_pass(this, &variables);
    assert_eq!(receiver.span_names(), ["over the wire"]);
    assert_eq!(receiver.metadata("x-key"), [""; 0]);
    assert_eq!(receiver.metadata("authorization"), [""; 0]);
}

/// The variables that name a proxy, in the cases that people use.
const PROXIES: [&str; 6] = [
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
];

#[test]
fn a14_proxies_of_the_process_are_not_used() {
    if is_started_by_test() {
        let key = || Otlp::new().with_header("api-key", "secret");
        assert_eq!(send(to(Destination::otlp_http(key()).unwrap())), (1, 0));
        let grpc = key().with_endpoint(said("OTHER_RECEIVER"));
        assert_eq!(send(to(Destination::otlp_grpc(grpc).unwrap())), (1, 0));
        return;
    }
    let service = Service::start().unwrap();
    let receiver = GrpcReceiver::start(None);
    let proxy = Service::start().unwrap();
    let (proxy_url, url, other) = (proxy.url(), service.url(), receiver.url("http"));
    let mut variables: Vec<_> = PROXIES.map(|name| (name, proxy_url.as_str())).to_vec();
    variables.push(("OTEL_EXPORTER_OTLP_ENDPOINT", &url));
    variables.push(("OTHER_RECEIVER", &other));
    let this = "otlp_process::a14_proxies_of_the_process_are_not_used";
    must_pass(this, &variables);
    assert_eq!(proxy.connections(), 0);
    assert_eq!(service.request_count(), 1);
    assert_eq!(receiver.span_names(), ["over the wire"]);
}

/// Every shape in which the password of a URL may be shown.
const PASSWORD: [&str; 3] = ["hunter-2", "bWU6aHVudGVyLTI", "hunter%2D2"];

#[test]
fn a14_a_password_in_the_url_moves_into_a_header_and_is_shown_nowhere() {
    if is_started_by_test() {
        let logs = CapturedLogs::everywhere();
        let place = said("RECEIVER");
        let url = format!("http://me:hunter%2D2@{place}/v1/traces?key=hunter-3");
        let otlp = Otlp::new()
            .with_endpoint(url)
            .with_header("x-key", "hunter-4")
            .with_retry_timer(AtOnce);
        let shown = format!("{otlp:?}");
        let destination = match said("OVER").as_str() {
            "grpc" => Destination::otlp_grpc(otlp).unwrap(),
            _ => Destination::otlp_http(otlp).unwrap(),
        };
        let sender = Sender::new(destination);
        let sent = sender.send(1);
        let shown = format!("{shown}{sent:?}{:?}{}", sender.report(), logs.text());
        // Everything is captured, and what the libraries say of our connections is not there.
        tracing::trace!("the end");
        assert!(logs.contains("the end") && !logs.contains("hyper_util"));
        for secret in PASSWORD.into_iter().chain(["hunter-3", "hunter-4"]) {
            assert!(!shown.contains(secret), "{secret}: {shown}");
        }
        return;
    }
    let this = "otlp_process::a14_a_password_in_the_url_moves_into_a_header_and_is_shown_nowhere";
    let start = |place: &str, over| must_pass(this, &[("RECEIVER", place), ("OVER", over)]);
    let service = Service::builder()
        .script([Answer::status(503), Answer::reset(), Answer::status(200)])
        .start()
        .unwrap();
    start(&service.addr().to_string(), "http");
    for request in service.requests() {
        let basic = "Basic bWU6aHVudGVyLTI=";
        assert_eq!(request.header("authorization"), Some(basic));
        assert_eq!(request.target, "/v1/traces?key=hunter-3");
    }
    let receiver = GrpcReceiver::start(None);
    start(receiver.url("").trim_start_matches("://"), "grpc");
    assert_eq!(
        receiver.metadata("authorization"),
        ["Basic bWU6aHVudGVyLTI="]
    );
    // Where nobody listens, errors tell of the place.
    start("127.0.0.1:1", "http");
    start("127.0.0.1:1", "grpc");
}

#[test]
fn a14_the_words_of_a_receiver_are_in_the_report_and_in_no_log() {
    if is_started_by_test() {
        let logs = CapturedLogs::everywhere();
        let sender = Sender::over_http(&said("RECEIVER"), LONG);
        let first = sender.send(2).unwrap_err();
        let second = sender.send(2);
        let report = sender.report();
        assert_eq!(report.receiver_message.as_deref(), Some("no zebras"));
        assert_eq!(report.losses, [(DropReason::Rejected, 1)]);
        let text = format!("{}{first}{second:?}", logs.text());
        assert!(!text.contains("zebra"), "{text}");
        assert_eq!(logs.count("a receiver rejected spans"), 1);
        assert_eq!(logs.count("a receiver gave a reason or a warning"), 1);
        return;
    }
    let partial = |rejected: u32| {
        let partial = serde_json::json!({"rejectedSpans": rejected, "errorMessage": "no zebras"});
        Answer::json(&serde_json::json!({"partialSuccess": partial}))
    };
    let service = Service::builder().script([partial(1), partial(0)]).start();
    let service = service.unwrap();
    let this = "otlp_process::a14_the_words_of_a_receiver_are_in_the_report_and_in_no_log";
    must_pass(this, &[("RECEIVER", &service.url())]);
    assert_eq!(service.request_count(), 2);
}

#[test]
fn a_refused_batch_is_told_of_in_one_line_and_a_retry_with_the_name_of_its_destination() {
    if is_started_by_test() {
        let logs = CapturedLogs::everywhere();
        let otlp = Otlp::new()
            .with_endpoint(format!("{}/v1/traces", said("RECEIVER")))
            .with_retry_timer(AtOnce);
        let destination = Destination::otlp_http(otlp).unwrap().with_name("second");
        let sender = Sender::new(destination);
        sender.send(1).unwrap_err();
        let text = logs.text();
        let lines = text.lines();
        let loud: Vec<_> = lines
            .filter(|line| line.contains("WARN") || line.contains("ERROR"))
            .collect();
        assert_eq!(loud.len(), 2, "{text}");
        assert!(loud[0].contains("export failed, retrying"), "{text}");
        assert!(loud[0].contains("cause=\"status 503\""), "{text}");
        assert!(loud[1].contains("cause=\"status 401"), "{text}");
        assert!(loud[1].contains("the report shows it"), "{text}");
        for line in loud {
            assert!(line.contains("destination=\"second\""), "{text}");
        }
        let message = sender.report().receiver_message;
        assert_eq!(message.as_deref(), Some("no zebras"));
        assert!(!text.contains("zebra"), "{text}");
        return;
    }
    let refusal = Answer::status(401).body("no zebras");
    let service = Service::builder().script([Answer::status(503), refusal]);
    let service = service.start().unwrap();
    let this = "otlp_process::a_refused_batch_is_told_of_in_one_line_and_a_retry_with_the_name_of_its_destination";
    must_pass(this, &[("RECEIVER", &service.url())]);
}

#[test]
fn a_reason_that_only_a_later_refusal_gives_is_told_of_too() {
    if is_started_by_test() {
        let logs = CapturedLogs::everywhere();
        let otlp = Otlp::new().with_endpoint(format!("{}/v1/traces", said("RECEIVER")));
        let sender = Sender::new(Destination::otlp_http(otlp).unwrap());
        for told in [0, 1] {
            sender.send(1).unwrap_err();
            assert_eq!(logs.count("an exporter failed"), 1, "{}", logs.text());
            assert_eq!(logs.count("the report shows"), told, "{}", logs.text());
        }
        return;
    }
    let refusal = Answer::status(401);
    let service = Service::builder().script([refusal.clone(), refusal.body("no zebras")]);
    let service = service.start().unwrap();
    let this = "otlp_process::a_reason_that_only_a_later_refusal_gives_is_told_of_too";
    must_pass(this, &[("RECEIVER", &service.url())]);
}

#[test]
fn an_environment_that_is_given_names_the_receiver_also_by_saying_nothing() {
    if is_started_by_test() {
        for protocol in ["http/protobuf", "grpc"] {
            // Whoever listens at the standard's ports on this machine is not asked for long.
            let configuration = in_environment([
                ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
                ("OTEL_EXPORTER_OTLP_TIMEOUT", "200"),
            ]);
            send(configuration);
        }
        return;
    }
    let service = Service::start().unwrap();
    let url = service.url();
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", url.as_str()),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", url.as_str()),
    ];
    let this =
        "otlp_process::an_environment_that_is_given_names_the_receiver_also_by_saying_nothing";
    must_pass(this, &variables);
    assert_eq!(service.connections(), 0);
}
