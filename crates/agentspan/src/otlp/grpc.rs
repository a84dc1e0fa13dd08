//! OTLP over gRPC, with and without TLS.

use std::time::Duration;

use agentspan_discovery::Environment;
use http::{HeaderMap, Uri};
use opentelemetry_otlp::tonic_types::metadata::MetadataMap;
use opentelemetry_otlp::tonic_types::transport::{Certificate, ClientTlsConfig};
use opentelemetry_otlp::{SpanExporter as OtlpExporter, WithExportConfig, WithTonicConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use tokio::runtime::{Builder, Runtime};
use tonic::service::Interceptor;
use tonic::{Request, Status};

use super::authorities::certificates;
use super::{NAME, Otlp, OtlpError, Place};
use crate::destination::Destination;

const PLACE: Place = Place {
    endpoint: "http://localhost:4317",
    of_base: str::to_owned,
    is_one: |endpoint| {
        let mut parts = endpoint.splitn(2, "://");
        let has_scheme =
            parts.next().is_some_and(|it| !it.contains(['/', '?', '#'])) && parts.next().is_some();
        // What has no scheme gets one from `opentelemetry-otlp`.
        let url = if has_scheme {
            endpoint.to_owned()
        } else {
            format!("https://{endpoint}")
        };
        let has_host = |url: Uri| url.authority().is_some();
        url.parse().is_ok_and(has_host)
    },
};

const MAX_BLOCKING_THREADS: usize = 2;

impl Destination {
    /// An OTLP receiver over gRPC, under the name `otlp`. Needs the feature `otlp-grpc`.
    ///
    /// The connection has a single-threaded Tokio runtime of its own, which runs on the destination's
    /// thread while it exports, so that it works in programs with and without one. It starts to connect
    /// with the first export. TLS is that of `rustls`, with the authorities that the system trusts, or
    /// those of [`Otlp::with_certificate_authorities`].
    ///
    /// # Errors
    ///
    /// [`OtlpError`] when a setting cannot be used, or there is no runtime.
    pub fn otlp_grpc(otlp: Otlp) -> Result<Self, OtlpError> {
        Self::otlp_grpc_in(otlp, &Environment::from_process())
    }

    pub(crate) fn otlp_grpc_in(otlp: Otlp, environment: &Environment) -> Result<Self, OtlpError> {
        let known = otlp.completed_by(environment, &PLACE)?;
        let runtime = Builder::new_current_thread()
            .enable_io()
            .enable_time()
            // They look up hosts. One that hangs is not to take a thread for each try.
            .max_blocking_threads(MAX_BLOCKING_THREADS)
            .thread_name("agentspan-blocking")
            .build()
            .map_err(|error| OtlpError::Client(error.into()))?;
        let entered = runtime.enter();
        let mut exporter = OtlpExporter::builder()
            .with_tonic()
            .with_tls_config(tls(known.authorities.as_deref())?)
            .with_interceptor(Headers {
                of_code: known.headers,
                is_sidecar: otlp.is_sidecar,
            })
            .with_timeout(known.timeout)
            .with_endpoint(known.endpoint);
        if let Some(compression) = otlp.compression {
            exporter = exporter.with_compression(compression);
        }
        let exporter = exporter
            .build()
            .map_err(|error| OtlpError::Exporter(error.into()))?;
        drop(entered);
        let runtime = Some(runtime);
        Ok(Self::exporter(NAME, GrpcExporter { exporter, runtime }))
    }
}

/// Whom an https endpoint is trusted by; without it, `opentelemetry-otlp` 0.33 trusts nobody.
fn tls(authorities: Option<&[u8]>) -> Result<ClientTlsConfig, OtlpError> {
    let tls = ClientTlsConfig::new();
    let Some(pem) = authorities else {
        return Ok(tls.with_native_roots());
    };
    // What is no certificate is to be found out now, and not with the first export.
    certificates(pem)?;
    Ok(tls.ca_certificate(Certificate::from_pem(pem)))
}

/// Sets the headers of the code last: `opentelemetry-otlp` 0.33 lets those of the environment replace them.
#[derive(Clone, Debug)]
struct Headers {
    of_code: HeaderMap,
    /// Headers of the environment are not for it.
    is_sidecar: bool,
}

impl Interceptor for Headers {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let mut headers = std::mem::take(request.metadata_mut()).into_headers();
        if self.is_sidecar {
            // There is nothing else: what the protocol needs is added later.
            headers.clear();
        }
        for (name, value) in &self.of_code {
            headers.insert(name, value.clone());
        }
        *request.metadata_mut() = MetadataMap::from_headers(headers);
        Ok(request)
    }
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

    fn shutdown(&self) -> OTelSdkResult {
        self.exporter.shutdown()
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
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
