//! What a program does that is configured with these settings and in this environment.

use agentspan::{Agent365Status, configure};
use agentspan_agent365::{AccessToken, Delivery, token_from_fn};
use agentspan_discovery::Environment;
use agentspan_model::agent365::{Identity, Profile};
use agentspan_model::keys;
use agentspan_otel::scopes::set_enabled;
use agentspan_testkit::Service;
use opentelemetry::KeyValue;
use opentelemetry::trace::{Tracer as _, TracerProvider as _};
use opentelemetry_sdk::trace::SdkTracerProvider;
use serde_json::{Value, json};

use super::sent::{WHILE, attributes_of};
use crate::{Failure, Json, Outcome};

/// Arguments of the package for parts that we do not have.
pub(super) const NOT_OURS: &[&str] = &[
    "max_queue_size",
    "scheduled_delay_ms",
    "exporter_timeout_ms",
    "max_export_batch_size",
    "storage_directory",
];

/// Arguments that have a part in nothing that we compare: a cloud, the queue on disk, and where tokens come from.
const WITHOUT_PART: &[&str] = &[
    "cluster_category",
    "disable_offline_storage",
    "token_resolver",
    "contextual_token_resolver",
];

pub(super) struct Components<'a> {
    pub(super) kwargs: &'a Value,
    pub(super) environment: Environment,
    pub(super) disable_tracing: bool,
}

impl Components<'_> {
    /// Sends a span of an invoked agent, and says what arrives.
    pub(super) fn outcome(self) -> Outcome {
        if let Some(name) = self.unknown_argument() {
            return Err(format!("nobody knows the argument {name}").into());
        }
        let failed = |error: &dyn std::fmt::Display| Failure::from(error.to_string());
        let service = Service::start().map_err(|error| failed(&error))?;
        // A token of a user, for which the route is the package's usual one: `{"scp":"x"}`.
        let resolver = token_from_fn(|_| Ok(Some(AccessToken::new("e30.eyJzY3AiOiJ4In0.")?)));
        let mut delivery = Delivery::builder(resolver).with_loopback_endpoint(service.url());
        if self.is_on("use_s2s_endpoint") {
            delivery = delivery.with_service_to_service();
        }
        if self.is_on("suppress_invoke_agent_input") {
            delivery = delivery.without_invoke_agent_input();
        }
        let identity = Identity::parse("tenant-1", "agent-1").map_err(|error| failed(&error))?;
        let mut configuration = configure()
            .with_environment(&self.environment)
            .with_profile(Profile::V3)
            .with_identity(identity)
            .with_delivery(delivery);
        if self.is_on("enable_observability_exporter") {
            configuration = configuration.with_switches_on();
        }
        let processor = (!self.disable_tracing).then(|| configuration.into_processor());
        set_enabled(true);
        let processor = processor.transpose().map_err(|error| failed(&error))?;
        let sends = processor.filter(|one| one.agent365() == Agent365Status::Delivers);
        let Some(processor) = sends else {
            return Ok(json!({"sends": false}).into());
        };
        let flushing = processor.delivery().cloned();
        let provider = SdkTracerProvider::builder()
            .with_span_processor(processor)
            .build();
        let tracer = provider.tracer("env");
        let attributes = [
            (keys::GEN_AI_OPERATION_NAME, "invoke_agent"),
            (keys::GEN_AI_INPUT_MESSAGES, "[secret]"),
        ];
        let span = tracer
            .span_builder("invoke_agent")
            .with_attributes(attributes.map(|(key, value)| KeyValue::new(key, value)));
        drop(span.start(&tracer));
        if let Some(delivery) = flushing {
            delivery.flush(WHILE).map_err(|error| failed(&error))?;
        }
        let requests = service.requests();
        let request = requests.first().ok_or("nothing was sent")?;
        let input = attributes_of(request)?.into_iter().flatten();
        let mut input = input.filter(|(key, _)| key == keys::GEN_AI_INPUT_MESSAGES);
        let route = request.path().split('/').nth(1).unwrap_or_default();
        Ok(json!({"sends": true, "route": route, "has_input": input.next().is_some()}).into())
    }

    fn is_on(&self, name: &str) -> bool {
        self.kwargs[name] == true
    }

    fn unknown_argument(&self) -> Option<&str> {
        let known = [
            "use_s2s_endpoint",
            "suppress_invoke_agent_input",
            "enable_observability_exporter",
        ];
        let mut names = self.kwargs.as_object().into_iter().flatten();
        let unknown = names.find(|(name, _)| {
            let lists = [&known[..], NOT_OURS, WITHOUT_PART];
            lists.iter().all(|list| !list.contains(&name.as_str()))
        });
        unknown.map(|(name, _)| name.as_str())
    }
}

/// What we compare of the components that the reference made.
pub(super) fn reduce(outcome: &mut Json) {
    let Some(processors) = outcome.member("processors").and_then(Json::as_array) else {
        return;
    };
    let sending = processors
        .iter()
        .find(|one| one.member("exporter").is_some());
    let Some(sending) = sending else {
        *outcome = json!({"sends": false}).into();
        return;
    };
    let is_true = |value: Option<&Json>| value == Some(&Json::Bool(true));
    let exporter = sending.member("exporter");
    let is_s2s = is_true(exporter.and_then(|one| one.member("use_s2s_endpoint")));
    let route = if is_s2s {
        "observabilityService"
    } else {
        "observability"
    };
    let has_input = !is_true(sending.member("suppress_invoke_agent_input"));
    *outcome = json!({"sends": true, "route": route, "has_input": has_input}).into();
}
