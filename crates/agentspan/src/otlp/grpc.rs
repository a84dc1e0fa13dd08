//! OTLP over gRPC, with and without TLS.

use std::time::Duration;

use opentelemetry_otlp::tonic_types::metadata::MetadataMap;
use opentelemetry_otlp::{SpanExporter as OtlpExporter, WithExportConfig, WithTonicConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use tokio::runtime::{Builder, Runtime};

use super::{NAME, Otlp, OtlpError};
use crate::destination::Destination;

impl Destination {
    /// An OTLP receiver over gRPC, under the name `otlp`. Needs the feature `otlp-grpc`.
    ///
    /// The connection has a single-threaded Tokio runtime of its own, which runs on the destination's
    /// thread while it exports, so that it works in programs with and without one. It starts to connect
    /// with the first export.
    ///
    /// # Errors
    ///
    /// [`OtlpError`] when a setting cannot be used, or there is no runtime.
    pub fn otlp_grpc(otlp: Otlp) -> Result<Self, OtlpError> {
        let runtime = Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()
            .map_err(|error| OtlpError::Client(error.into()))?;
        let entered = runtime.enter();
        let mut exporter = OtlpExporter::builder()
            .with_tonic()
            .with_metadata(metadata(&otlp));
        if let Some(endpoint) = otlp.endpoint {
            exporter = exporter.with_endpoint(endpoint);
        }
        if let Some(timeout) = otlp.timeout {
            exporter = exporter.with_timeout(timeout);
        }
        let exporter = exporter
            .build()
            .map_err(|error| OtlpError::Exporter(error.into()))?;
        drop(entered);
        let runtime = Some(runtime);
        Ok(Self::exporter(NAME, GrpcExporter { exporter, runtime }))
    }
}

fn metadata(otlp: &Otlp) -> MetadataMap {
    let mut map = http::HeaderMap::new();
    for (name, value) in &otlp.headers {
        let name = http::HeaderName::from_bytes(name.as_bytes());
        let value = http::HeaderValue::from_str(value);
        if let (Ok(name), Ok(mut value)) = (name, value) {
            value.set_sensitive(true);
            map.insert(name, value);
        }
    }
    MetadataMap::from_headers(map)
}

/// Exports on the thread that asks for it.
#[derive(Debug)]
struct GrpcExporter {
    exporter: OtlpExporter,
    /// There until the exporter is dropped.
    runtime: Option<Runtime>,
}

impl SpanExporter for GrpcExporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        // Only the thread of a queue, which runs no asynchronous code, gets here.
        match &self.runtime {
            Some(runtime) => runtime.block_on(self.exporter.export(batch)),
            None => Err(OTelSdkError::AlreadyShutdown),
        }
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

impl Drop for GrpcExporter {
    /// Does not wait, and may happen in asynchronous code if the destination was never used.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
