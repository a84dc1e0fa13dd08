//! Agent 365 through a collector beside the program.

use agentspan::discovery::Environment;
use agentspan::prelude::*;
use agentspan::{
    Agent365Status, Configuration, InstallError, Sidecar, SidecarError, SidecarProtocol, configure,
};

/// What comes of a configuration in an environment: the status and the destinations, or the error.
fn found(
    configuration: Configuration,
    variables: &[(&str, &str)],
) -> Result<(Agent365Status, Vec<String>), String> {
    let environment: Environment = variables.iter().copied().collect();
    let built = configuration
        .with_environment(&environment)
        .into_processor();
    match built {
        Ok(processor) => {
            let queues = processor.queues().iter();
            let names = queues.map(|queue| queue.name().to_owned()).collect();
            assert_eq!(
                processor.delivery().is_some(),
                processor.agent365() == Agent365Status::Delivers
            );
            Ok((processor.agent365(), names))
        }
        Err(InstallError::Sidecar(SidecarError::MissingFeature { feature })) => {
            Err(feature.to_owned())
        }
        Err(InstallError::Sidecar(error)) => Err(format!("Sidecar({error:?})")),
        Err(error) => Err(format!("{error:?}")),
    }
}

/// The sidecar if the feature is there, or else the name of the feature.
fn sidecar_with(feature: &str) -> Result<(Agent365Status, Vec<String>), String> {
    let enabled = [
        ("otlp-grpc", cfg!(feature = "otlp-grpc")),
        ("otlp-http", cfg!(feature = "otlp-http")),
    ];
    if enabled.contains(&(feature, true)) {
        Ok((Agent365Status::ThroughSidecar, vec!["sidecar".to_owned()]))
    } else {
        Err(feature.to_owned())
    }
}

fn with_resolver() -> Configuration {
    configure().with_token_resolver(token_from_fn(|_| Ok(None)))
}

const EXPORTER: (&str, &str) = ("ENABLE_A365_OBSERVABILITY_EXPORTER", "true");
const SIDECAR: (&str, &str) = ("ENABLE_A365_OBSERVABILITY_SIDECAR", "true");

#[test]
fn a_sidecar_goes_before_the_service_whatever_its_switch_says() {
    let both = || with_resolver().with_sidecar(Sidecar::new());
    assert_eq!(found(both(), &[]), sidecar_with("otlp-grpc"));
    assert_eq!(found(both(), &[EXPORTER]), sidecar_with("otlp-grpc"));
    assert_eq!(
        found(with_resolver(), &[EXPORTER, SIDECAR]),
        sidecar_with("otlp-grpc")
    );
    let delivers = Ok((Agent365Status::Delivers, Vec::new()));
    assert_eq!(found(with_resolver(), &[EXPORTER]), delivers);
    // These say where it is, and not that there is one.
    let places = [
        EXPORTER,
        ("SPECTRA_PROTOCOL", "http"),
        ("SPECTRA_ENDPOINT", "http://localhost:1"),
    ];
    assert_eq!(found(with_resolver(), &places), delivers);
}

#[test]
fn code_goes_before_the_environment_and_that_before_the_default() {
    let http = ("SPECTRA_PROTOCOL", " HTTP ");
    let grpc = Sidecar::new().with_protocol(SidecarProtocol::Grpc);
    let in_code = || configure().with_sidecar(grpc.clone());
    assert_eq!(found(in_code(), &[http]), sidecar_with("otlp-grpc"));
    assert_eq!(
        found(configure(), &[SIDECAR, http]),
        sidecar_with("otlp-http")
    );
    let blank = [
        SIDECAR,
        ("SPECTRA_PROTOCOL", " "),
        ("SPECTRA_ENDPOINT", " "),
    ];
    assert_eq!(found(configure(), &blank), sidecar_with("otlp-grpc"));
    let unknown = ("SPECTRA_PROTOCOL", "carrier pigeon");
    assert_eq!(
        found(configure(), &[SIDECAR, unknown]),
        sidecar_with("otlp-grpc")
    );
    let remote = ("SPECTRA_ENDPOINT", "http://collector.example:4317");
    let error = found(configure(), &[SIDECAR, remote]).unwrap_err();
    assert_eq!(error, "Sidecar(NotLoopback)");
    let local = || configure().with_sidecar(Sidecar::new().with_endpoint("http://127.0.0.1:1"));
    assert_eq!(found(local(), &[remote]), sidecar_with("otlp-grpc"));
}

#[cfg(all(feature = "otlp-http", feature = "otlp-grpc"))]
#[test]
fn the_environment_that_is_given_names_the_authorities_of_a_sidecar() {
    let authorities = ("OTEL_EXPORTER_OTLP_CERTIFICATE", "no/such/file");
    for protocol in [SidecarProtocol::Http, SidecarProtocol::Grpc] {
        let sidecar = Sidecar::new()
            .with_protocol(protocol)
            .with_endpoint("https://127.0.0.1:1");
        let error = found(configure().with_sidecar(sidecar), &[authorities]).unwrap_err();
        assert!(
            error.starts_with("Sidecar(Exporter(cannot read the certificates in "),
            "{error}"
        );
    }
}

#[test]
fn debug_shows_nothing_of_an_endpoint_that_may_hold_a_password() {
    let sidecar = Sidecar::new().with_endpoint("https://user:secret@localhost/?key=secret");
    let text = format!("{sidecar:?}");
    assert!(!text.contains("secret"), "{text}");
    let error = found(configure().with_sidecar(sidecar), &[]).unwrap_err();
    assert_eq!(error, "Sidecar(MoreThanAPlace)");
}

#[test]
fn a_missing_feature_is_named() {
    let error = SidecarError::MissingFeature {
        feature: "otlp-grpc",
    };
    let error = InstallError::from(error);
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(
        format!("{error}: {cause}"),
        "cannot use the sidecar: the sidecar's protocol needs the feature otlp-grpc of agentspan, \
         which is not enabled"
    );
}

#[cfg(feature = "otlp-http")]
#[test]
fn the_sidecar_gets_spans_in_the_words_of_agent_365_with_their_contents() {
    use std::time::Duration;

    use agentspan::agent365::Enrichment;
    use agentspan::model::keys;
    use agentspan_testkit::{Answer, Service};
    use opentelemetry::KeyValue;
    use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};
    use opentelemetry_sdk::trace::SdkTracerProvider;

    let service = Service::builder()
        .script([Answer::status(200)])
        .start()
        .unwrap();
    let sidecar = Sidecar::new()
        .with_protocol(SidecarProtocol::Http)
        .with_endpoint(service.url())
        .with_profile(Profile::V2)
        .with_span_enricher(|span| {
            Enrichment::none().with_attribute(KeyValue::new("enriched", span.name.to_string()))
        })
        .without_invoke_agent_input();
    let processor = configure()
        .with_environment(&Environment::default())
        .with_sidecar(sidecar)
        .into_processor()
        .unwrap();
    let queues = processor.queues().to_vec();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(processor)
        .build();
    let tracer = provider.tracer("t");
    let request = BaggageBuilder::for_profile(Profile::V2)
        .with_tenant_id("tenant-1")
        .build();
    request.in_baggage(|| {
        for (operation, prompt) in [("chat", "the prompt"), ("invoke_agent", "said twice")] {
            tracer
                .span_builder(operation)
                .with_attributes([
                    KeyValue::new(keys::GEN_AI_OPERATION_NAME, operation),
                    KeyValue::new(keys::GEN_AI_INPUT_MESSAGES, prompt),
                ])
                .start(&tracer)
                .end();
        }
    });
    queues[0].flush(Duration::from_secs(30)).unwrap();
    let requests = service.requests();
    assert_eq!(requests[0].target, "/v1/traces");
    assert_eq!(requests[0].header("authorization"), None);
    let body = String::from_utf8_lossy(&requests[0].body);
    assert!(body.contains("the prompt"), "{body}");
    assert!(body.contains(keys::MICROSOFT_TENANT_ID), "{body}");
    assert!(body.contains("enriched"), "{body}");
    assert!(!body.contains("said twice"), "{body}");
}
