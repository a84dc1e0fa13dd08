//! From spans, those of Agent Spec through the bridge, to the receiver.

use std::error::Error;
use std::time::Duration;

use agentspan_model::mapping::{ContentCapture, Mapping};
use agentspan_otel::{OtelBridge, Rendered};
use opentelemetry_http::hyper::HyperClient;
use opentelemetry_otlp::{Protocol as Encoding, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{
    InMemorySpanExporter, SdkTracerProvider, SpanData, SpanExporter as _,
};

use crate::Story;

/// A receiver that starts up answers late.
const TIMEOUT: Duration = Duration::from_secs(60);

/// How spans travel.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Protocol {
    HttpProtobuf,
    Grpc,
}

/// The spans that the bridge makes of a story.
pub(crate) fn record(
    story: Story,
    capture: ContentCapture,
) -> Result<Vec<SpanData>, Box<dyn Error>> {
    let exporter = InMemorySpanExporter::default();
    let provider = OtelBridge::prepare(SdkTracerProvider::builder())
        .with_simple_exporter(exporter.clone())
        .build();
    story(&provider, capture)?;
    provider.force_flush()?;
    Ok(exporter.get_finished_spans()?)
}

/// Sends the spans to the receiver that `OTEL_EXPORTER_OTLP_ENDPOINT` names.
pub(crate) fn send(
    spans: Vec<SpanData>,
    mapping: Mapping,
    protocol: Protocol,
) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let exporter = match protocol {
            Protocol::HttpProtobuf => opentelemetry_otlp::SpanExporter::builder()
                .with_http()
                .with_http_client(HyperClient::with_default_connector(TIMEOUT, None))
                .with_protocol(Encoding::HttpBinary)
                .with_timeout(TIMEOUT)
                .build()?,
            Protocol::Grpc => opentelemetry_otlp::SpanExporter::builder()
                .with_tonic()
                .with_timeout(TIMEOUT)
                .build()?,
        };
        let mut exporter = Rendered::new(exporter, mapping);
        exporter.set_resource(&Resource::builder().build());
        exporter.export(spans).await?;
        Ok(exporter.shutdown()?)
    })
}
