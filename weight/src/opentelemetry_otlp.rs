//! One span, exported over OTLP by the crates of OpenTelemetry.

use std::error::Error;

use opentelemetry::KeyValue;
use opentelemetry::trace::{Span, Tracer, TracerProvider};
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;

fn main() -> Result<(), Box<dyn Error>> {
    let exporter = SpanExporter::builder()
        .with_http()
        .with_endpoint("https://collector.example/v1/traces")
        .build()?;
    let provider = SdkTracerProvider::builder()
        .with_resource(Resource::builder().with_service_name("weight").build())
        .with_batch_exporter(exporter)
        .build();
    let mut span = provider.tracer("weight").start("weigh");
    span.set_attribute(KeyValue::new("gen_ai.operation.name", "execute_tool"));
    span.end();
    provider.shutdown()?;
    Ok(())
}
