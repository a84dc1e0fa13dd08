//! The sampler, the limits and the resource of the provider, from the environment.
//!
//! The SDK reads some of these variables itself, but case-sensitively, without percent-decoding,
//! and always from the process. So this file sets all of them.

use std::env;

use agentspan_discovery::{Environment, standard_variables as names, values};
use agentspan_model::keys;
use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::TelemetryResourceDetector;
use opentelemetry_sdk::trace::{Sampler, TracerProviderBuilder};

use crate::environment::{INTEGER, first, ignored_unseen, understood};

/// How many attributes a span, an event and a link may have, and how many links a span: as many as
/// [`SpanLimits`](agentspan_otel::SpanLimits) pass on by default. The specification has 128.
const ATTRIBUTES: u32 = 1_024;
const LINKS: u32 = 1_024;

/// Sets the sampler and the limits, and returns the limit of attributes per span. The bridge sets
/// the limit of events, because Agent Spec spans are rendered from their events.
pub(crate) fn with_sampler_and_limits(
    builder: TracerProviderBuilder,
    environment: &Environment,
) -> (TracerProviderBuilder, u32) {
    let limit = |name| limit(environment, [name]);
    let attributes = limit(names::OTEL_ATTRIBUTE_COUNT_LIMIT).unwrap_or(ATTRIBUTES);
    let attributes_of = |name| limit(name).unwrap_or(attributes);
    let of_span = attributes_of(names::OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT);
    let builder = builder
        .with_sampler(sampler(environment))
        .with_max_attributes_per_span(of_span)
        .with_max_attributes_per_event(attributes_of(names::OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT))
        .with_max_attributes_per_link(attributes_of(names::OTEL_LINK_ATTRIBUTE_COUNT_LIMIT))
        .with_max_links_per_span(limit(names::OTEL_SPAN_LINK_COUNT_LIMIT).unwrap_or(LINKS));
    (builder, of_span)
}

fn limit(environment: &Environment, names: [&'static str; 1]) -> Option<u32> {
    let number = understood(environment, names, INTEGER, values::integer)?;
    Some(u32::try_from(number).unwrap_or(u32::MAX))
}

/// The decision of a sampler of `OTEL_TRACES_SAMPLER` about traces that begin in this process.
#[derive(Clone, Copy)]
enum Root {
    AlwaysOn,
    AlwaysOff,
    Ratio,
}

/// Whether a sampler follows the parent of a span, if there is one.
#[derive(Clone, Copy)]
enum Parent {
    Followed,
    Ignored,
}

/// Remote samplers of the specification are not supported.
const SAMPLERS: [(&str, (Parent, Root)); 6] = [
    ("always_on", (Parent::Ignored, Root::AlwaysOn)),
    ("always_off", (Parent::Ignored, Root::AlwaysOff)),
    ("traceidratio", (Parent::Ignored, Root::Ratio)),
    ("parentbased_always_on", (Parent::Followed, Root::AlwaysOn)),
    (
        "parentbased_always_off",
        (Parent::Followed, Root::AlwaysOff),
    ),
    ("parentbased_traceidratio", (Parent::Followed, Root::Ratio)),
];

const EXPECTED_SAMPLER: &str =
    "always_on, always_off or traceidratio, or one of these after parentbased_";

fn sampler(environment: &Environment) -> Sampler {
    let known = |text: &str| values::word(text, &SAMPLERS);
    let sampler = understood(
        environment,
        [names::OTEL_TRACES_SAMPLER],
        EXPECTED_SAMPLER,
        known,
    );
    let (parent, root) = sampler.unwrap_or((Parent::Followed, Root::AlwaysOn));
    let root = match root {
        Root::AlwaysOn => Sampler::AlwaysOn,
        Root::AlwaysOff => Sampler::AlwaysOff,
        Root::Ratio => {
            let ratio = understood(
                environment,
                [names::OTEL_TRACES_SAMPLER_ARG],
                "a number from 0 to 1",
                values::ratio,
            );
            Sampler::TraceIdRatioBased(ratio.unwrap_or(1.0))
        }
    };
    match parent {
        Parent::Followed => Sampler::ParentBased(Box::new(root)),
        Parent::Ignored => root,
    }
}

/// The resource: values in code override values of the environment.
pub(crate) fn resource(environment: &Environment, in_code: Vec<KeyValue>) -> Resource {
    let mut attributes = vec![KeyValue::new(keys::SERVICE_NAME, unknown_service())];
    if let Some((name, text)) = first(environment, [names::OTEL_RESOURCE_ATTRIBUTES]) {
        match values::resource_attributes(text) {
            Some(found) => {
                attributes.extend(
                    found
                        .into_iter()
                        .map(|(key, value)| KeyValue::new(key, value)),
                );
            }
            None => ignored_unseen(name, "name=value, separated by commas, percent-encoded"),
        }
    }
    if let Some((_, name)) = first(environment, [names::OTEL_SERVICE_NAME]) {
        attributes.push(KeyValue::new(keys::SERVICE_NAME, name.to_owned()));
    }
    attributes.extend(in_code);
    Resource::builder_empty()
        .with_detector(Box::new(TelemetryResourceDetector))
        .with_attributes(attributes)
        .build()
}

/// The [specification]'s name for a program without a name.
///
/// [specification]: https://opentelemetry.io/docs/specs/semconv/resource/#service
fn unknown_service() -> String {
    let program = env::current_exe().ok();
    let program = program
        .as_deref()
        .and_then(|path| path.file_name()?.to_str());
    program.map_or_else(
        || "unknown_service".to_owned(),
        |name| format!("unknown_service:{name}"),
    )
}

#[cfg(test)]
mod tests {
    use agentspan_otel::SpanLimits;
    use agentspan_testkit::CapturedLogs;
    use opentelemetry::Key;
    use opentelemetry::trace::{Span as _, Tracer, TracerProvider};
    use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};

    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        variables.iter().copied().collect()
    }

    #[test]
    fn code_takes_precedence_over_the_name_and_that_over_the_attributes_and_nothing_is_shown() {
        let (logs, _guard) = CapturedLogs::on_this_thread();
        let variables = [
            (
                "OTEL_RESOURCE_ATTRIBUTES",
                "service.name=a,b=environment,c=environment",
            ),
            ("OTEL_SERVICE_NAME", "name"),
        ];
        let in_code = vec![KeyValue::new("b", "code")];
        let found = resource(&environment(&variables), in_code);
        let value = |key| found.get(&Key::new(key)).map(|value| value.to_string());
        assert_eq!(value("service.name").as_deref(), Some("name"));
        assert_eq!(value("b").as_deref(), Some("code"));
        assert_eq!(value("c").as_deref(), Some("environment"));
        assert_eq!(logs.text(), "");
        let broken = environment(&[("OTEL_RESOURCE_ATTRIBUTES", "key=hunter2%,a=b")]);
        let found = resource(&broken, Vec::new());
        assert_eq!(found.get(&Key::new("a")), None);
        assert!(logs.contains("OTEL_RESOURCE_ATTRIBUTES") && !logs.contains("hunter2"));
    }

    #[test]
    fn a_span_may_have_as_many_attributes_as_destinations_pass_on() {
        let builder = SdkTracerProvider::builder();
        let (builder, most) = with_sampler_and_limits(builder, &environment(&[]));
        let exporter = InMemorySpanExporter::default();
        let provider = builder.with_simple_exporter(exporter.clone()).build();
        let mut span = provider.tracer("t").start("s");
        span.set_attributes((0..2_000).map(|n| KeyValue::new(format!("app.{n}"), n)));
        drop(span);
        let span = exporter.get_finished_spans().unwrap().remove(0);
        let kept = span.attributes.len();
        assert_eq!((kept, span.dropped_attributes_count), (1_024, 976));
        assert_eq!(most, 1_024);
        assert_eq!(SpanLimits::default().apply(&mut span.clone()), None);
    }

    #[test]
    fn samplers_that_are_not_known_are_told_and_the_parent_decides() {
        let (logs, _guard) = CapturedLogs::on_this_thread();
        for (value, argument, expected) in [
            ("", "0.5", "ParentBased(AlwaysOn)"),
            ("TraceIdRatio", "0.5", "TraceIdRatioBased(0.5)"),
            (
                "parentbased_traceidratio",
                "",
                "ParentBased(TraceIdRatioBased(1.0))",
            ),
        ] {
            let variables = [
                ("OTEL_TRACES_SAMPLER", value),
                ("OTEL_TRACES_SAMPLER_ARG", argument),
            ];
            assert_eq!(format!("{:?}", sampler(&environment(&variables))), expected);
        }
        assert_eq!(logs.text(), "");
        for (value, argument) in [
            ("xray\nFORGED", "0"),
            ("traceidratio", "1.5"),
            ("traceidratio", "∞"),
        ] {
            let variables = [
                ("OTEL_TRACES_SAMPLER", value),
                ("OTEL_TRACES_SAMPLER_ARG", argument),
            ];
            sampler(&environment(&variables));
        }
        assert_eq!(logs.text().lines().count(), 3, "{}", logs.text());
    }
}
