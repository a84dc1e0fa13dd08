//! Each variable that is honoured does what `docs/configuration.md` says: a test for each row of its tables.
//!
//! Odd values of each kind are tested where the kind is read, in `agentspan-discovery`.

mod agent365;
mod batches;
mod entra;
mod program;
mod receiver;

use std::collections::BTreeSet;

use agentspan::configure;
use agentspan::discovery::{
    Environment, Support, Variable, agent365_variables, standard_variables,
};
use agentspan_testkit::CapturedLogs;

use self::program::Row;

/// Makes a test of each row, and the list of their variables.
macro_rules! rows {
    ($($test:ident: $name:literal => $check:path;)*) => {
        const ROWS: &[&str] = &[$($name),*];

        $(
            #[test]
            fn $test() {
                $check(&Row {
                    variable: $name,
                    test: concat!("variables::", stringify!($test)),
                });
            }
        )*
    };
}

rows! {
    otel_sdk_disabled: "OTEL_SDK_DISABLED" => program::is_disabled;
    otel_resource_attributes: "OTEL_RESOURCE_ATTRIBUTES" => program::resource_attributes;
    otel_service_name: "OTEL_SERVICE_NAME" => program::service_name;
    otel_propagators: "OTEL_PROPAGATORS" => program::propagators;
    otel_traces_sampler: "OTEL_TRACES_SAMPLER" => program::sampler;
    otel_traces_sampler_arg: "OTEL_TRACES_SAMPLER_ARG" => program::sampler_argument;
    otel_bsp_schedule_delay: "OTEL_BSP_SCHEDULE_DELAY" => batches::schedule_delay;
    otel_bsp_export_timeout: "OTEL_BSP_EXPORT_TIMEOUT" => receiver::timeout;
    otel_bsp_max_queue_size: "OTEL_BSP_MAX_QUEUE_SIZE" => batches::max_queue_size;
    otel_bsp_max_export_batch_size: "OTEL_BSP_MAX_EXPORT_BATCH_SIZE" => batches::max_batch_size;
    otel_attribute_count_limit: "OTEL_ATTRIBUTE_COUNT_LIMIT" => program::attributes_of_all;
    otel_span_attribute_count_limit: "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT" => program::attributes_of_spans;
    otel_span_link_count_limit: "OTEL_SPAN_LINK_COUNT_LIMIT" => program::links;
    otel_event_attribute_count_limit: "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT" => program::attributes_of_events;
    otel_link_attribute_count_limit: "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT" => program::attributes_of_links;
    otel_traces_exporter: "OTEL_TRACES_EXPORTER" => receiver::exporter;
    otel_exporter_otlp_protocol: "OTEL_EXPORTER_OTLP_PROTOCOL" => receiver::protocol;
    otel_exporter_otlp_traces_protocol: "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL" => receiver::protocol;
    otel_exporter_otlp_endpoint: "OTEL_EXPORTER_OTLP_ENDPOINT" => receiver::base_endpoint;
    otel_exporter_otlp_traces_endpoint: "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT" => receiver::whole_endpoint;
    otel_exporter_otlp_insecure: "OTEL_EXPORTER_OTLP_INSECURE" => receiver::insecure;
    otel_exporter_otlp_traces_insecure: "OTEL_EXPORTER_OTLP_TRACES_INSECURE" => receiver::insecure;
    otel_exporter_otlp_certificate: "OTEL_EXPORTER_OTLP_CERTIFICATE" => receiver::certificate;
    otel_exporter_otlp_traces_certificate: "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE" => receiver::certificate;
    otel_exporter_otlp_headers: "OTEL_EXPORTER_OTLP_HEADERS" => receiver::headers;
    otel_exporter_otlp_traces_headers: "OTEL_EXPORTER_OTLP_TRACES_HEADERS" => receiver::headers;
    otel_exporter_otlp_compression: "OTEL_EXPORTER_OTLP_COMPRESSION" => receiver::compression;
    otel_exporter_otlp_traces_compression: "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION" => receiver::compression;
    otel_exporter_otlp_timeout: "OTEL_EXPORTER_OTLP_TIMEOUT" => receiver::timeout;
    otel_exporter_otlp_traces_timeout: "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT" => receiver::timeout;
    otel_instrumentation_genai_capture_message_content: "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT" => program::capture;
    otel_semconv_stability_opt_in: "OTEL_SEMCONV_STABILITY_OPT_IN" => program::conventions;
    enable_observability: "ENABLE_OBSERVABILITY" => agent365::scopes;
    enable_a365_observability: "ENABLE_A365_OBSERVABILITY" => agent365::scopes;
    enable_a365_observability_exporter: "ENABLE_A365_OBSERVABILITY_EXPORTER" => agent365::exporter;
    enable_otlp_exporter: "ENABLE_OTLP_EXPORTER" => receiver::side_channel;
    agentspan_otlp_file: "AGENTSPAN_OTLP_FILE" => receiver::file;
    enable_a365_observability_sidecar: "ENABLE_A365_OBSERVABILITY_SIDECAR" => agent365::sidecar;
    spectra_endpoint: "SPECTRA_ENDPOINT" => agent365::sidecar;
    spectra_protocol: "SPECTRA_PROTOCOL" => agent365::sidecar;
    enable_a365_observability_per_request_export: "ENABLE_A365_OBSERVABILITY_PER_REQUEST_EXPORT" => agent365::per_request;
    a365_per_request_max_traces: "A365_PER_REQUEST_MAX_TRACES" => agent365::per_request;
    a365_per_request_max_spans_per_trace: "A365_PER_REQUEST_MAX_SPANS_PER_TRACE" => agent365::per_request;
    a365_per_request_flush_grace_ms: "A365_PER_REQUEST_FLUSH_GRACE_MS" => agent365::per_request;
    a365_per_request_max_trace_age_ms: "A365_PER_REQUEST_MAX_TRACE_AGE_MS" => agent365::per_request;
    a365_per_request_max_concurrent_exports: "A365_PER_REQUEST_MAX_CONCURRENT_EXPORTS" => agent365::concurrency;
    a365_suppress_invoke_agent_input: "A365_SUPPRESS_INVOKE_AGENT_INPUT" => agent365::without_input;
    a365_observability_domain_override: "A365_OBSERVABILITY_DOMAIN_OVERRIDE" => agent365::domain;
    a365_observability_scope_override: "A365_OBSERVABILITY_SCOPE_OVERRIDE" => agent365::token_scope;
    a365_observability_scopes_override: "A365_OBSERVABILITY_SCOPES_OVERRIDE" => agent365::token_scopes;
    a365_tenant_id: "A365_TENANT_ID" => agent365::identity;
    a365_agent_id: "A365_AGENT_ID" => agent365::identity;
    a365_use_s2s_endpoint: "A365_USE_S2S_ENDPOINT" => agent365::route;
    a365_agent_app_instance_id: "A365_AGENT_APP_INSTANCE_ID" => entra::client;
    a365_agentic_user_id: "A365_AGENTIC_USER_ID" => entra::client;
    connection_client_id: "CONNECTIONS__SERVICE_CONNECTION__SETTINGS__CLIENTID" => entra::client;
    connection_client_secret: "CONNECTIONS__SERVICE_CONNECTION__SETTINGS__CLIENTSECRET" => entra::client;
    connection_tenant_id: "CONNECTIONS__SERVICE_CONNECTION__SETTINGS__TENANTID" => entra::tenant;
    agent365_application_name: "AGENT365_APPLICATION_NAME" => agent365::application_name;
    python_environment: "PYTHON_ENVIRONMENT" => agent365::environment_name;
}

fn all() -> impl Iterator<Item = &'static Variable> {
    standard_variables::ALL
        .iter()
        .chain(agent365_variables::ALL)
}

#[test]
fn each_variable_that_is_honoured_has_a_test() {
    let honoured = all().filter(|variable| variable.support() == Support::Honoured);
    let honoured: Vec<_> = honoured.map(Variable::name).collect();
    let tested: BTreeSet<_> = ROWS.iter().copied().collect();
    assert_eq!(tested.len(), ROWS.len());
    assert_eq!(tested, honoured.into_iter().collect());
}

/// What the log says of a program in an environment.
fn log(environment: &Environment) -> String {
    let (logs, _guard) = CapturedLogs::on_this_thread();
    let configuration = configure().with_environment(environment);
    configuration.with_switches_on().into_processor().unwrap();
    logs.text()
}

#[test]
fn a_variable_that_is_not_honoured_is_named_if_somebody_expects_something_of_it() {
    let nothing = log(&Environment::default());
    for variable in all() {
        let name = variable.name();
        let environment = Environment::from_iter([(name, "a secret")]);
        match variable.support() {
            Support::Honoured => {}
            Support::Refused => {
                let log = log(&environment);
                let lines = log.lines().filter(|line| line.contains("is not supported"));
                let lines: Vec<_> = lines.collect();
                assert!(lines.len() == 1 && lines[0].contains(name), "{name}: {log}");
                assert!(!log.contains("a secret"), "{log}");
                let blank = Environment::from_iter([(name, " ")]);
                assert!(!self::log(&blank).contains("is not supported"), "{name}");
            }
            // It is not even kept.
            _ => {
                assert_eq!(environment, Environment::default(), "{name}");
                assert!(!nothing.contains(name));
            }
        }
    }
}
