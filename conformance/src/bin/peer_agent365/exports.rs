//! Does one export with our exporter.

use std::error::Error;
use std::sync::PoisonError;

use agentspan_agent365::{Agent365Exporter, TokenResolver};
use agentspan_discovery::ClusterCategory;
use agentspan_testkit::{Answer, Service};
use conformance::export_input::TokenCalls;
use conformance::{ExportInput, Json, VectorSpan};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

use crate::arrived::{object, text};

/// Why an input is not run.
pub(crate) type LeftOut = String;

/// An input in the forms that both sides take.
pub(crate) struct Prepared {
    pub(crate) answers: Vec<Answer>,
    cluster: ClusterCategory,
    resource: Option<Resource>,
    spans: Vec<SpanData>,
}

/// Prepares an input.
///
/// # Errors
///
/// For what our crates have no form for, and for silence of the service: the reference waits for 30
/// seconds then.
pub(crate) fn prepare(input: &ExportInput) -> Result<Prepared, LeftOut> {
    if input
        .responses
        .iter()
        .any(|response| response.error.as_deref() == Some("ReadTimeout"))
    {
        return Err("a service that does not answer for 30 seconds".to_owned());
    }
    let answers = input.responses.iter().map(|response| response.answer());
    let answers = answers
        .collect::<Result<_, _>>()
        .map_err(|failure| failure.to_string())?;
    let cluster = input.cluster_category.parse();
    let cluster = cluster.map_err(|_| "a cluster category that does not exist".to_owned())?;
    let spans = input
        .spans
        .iter()
        .map(VectorSpan::to_span_data)
        .collect::<Result<_, _>>();
    let resource = input.spans.first().map(VectorSpan::to_resource).transpose();
    let several = input
        .spans
        .windows(2)
        .any(|pair| pair[0].resource != pair[1].resource);
    if several {
        return Err("spans of several providers in one batch".to_owned());
    }
    Ok(Prepared {
        answers,
        cluster,
        resource: resource.map_err(|error| error.to_string())?,
        spans: spans.map_err(|error| error.to_string())?,
    })
}

/// Exports the spans to `service` and returns the result in the form of the vectors.
pub(crate) fn export(
    input: &ExportInput,
    prepared: Prepared,
    service: &Service,
) -> Result<Json, Box<dyn Error>> {
    let calls = TokenCalls::default();
    let resolver = input.resolver(&calls);
    let mut exporter = exporter(resolver, prepared.cluster, input.use_s2s_endpoint, service)?;
    if let Some(resource) = &prepared.resource {
        exporter.set_resource(resource);
    }
    if input.shutdown_before_export {
        exporter.shutdown()?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let result = match runtime.block_on(exporter.export(prepared.spans)) {
        Ok(()) => "SUCCESS",
        Err(_) => "FAILURE",
    };
    // A second shutdown says that there was one already.
    let _ = exporter.shutdown();
    let calls = Json::of(&*calls.lock().unwrap_or_else(PoisonError::into_inner))?;
    Ok(object([
        ("result", text(result)),
        ("token_resolver_calls", calls),
    ]))
}

/// An exporter that takes `service` for every host of the world.
///
/// It sends one request after the other, as the reference does, so that the answers of the service
/// meet the same requests.
pub(crate) fn exporter(
    resolver: impl TokenResolver,
    cluster: ClusterCategory,
    service_to_service: bool,
    service: &Service,
) -> Result<Agent365Exporter, Box<dyn Error>> {
    let builder = Agent365Exporter::builder(resolver)
        .with_cluster_category(cluster)
        .with_connect_to(service.addr())
        .with_root_certificates(service.root_certificates())
        .with_concurrency(1);
    let builder = if service_to_service {
        builder.with_service_to_service()
    } else {
        builder
    };
    Ok(builder.build()?)
}
