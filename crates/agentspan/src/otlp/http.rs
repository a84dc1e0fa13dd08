//! OTLP as protobuf over HTTP, with and without TLS.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use opentelemetry_otlp::{
    OTEL_EXPORTER_OTLP_TIMEOUT_DEFAULT, Protocol, SpanExporter, WithExportConfig, WithHttpConfig,
};
use rustls::{ClientConfig, RootCertStore};

use super::{NAME, Otlp, OtlpError};
use crate::destination::Destination;

impl Destination {
    /// An OTLP receiver over HTTP, under the name `otlp`. Needs the feature `otlp-http`.
    ///
    /// TLS is that of `rustls`, with the certificates that the system trusts.
    ///
    /// ```no_run
    /// use agentspan::{Destination, Otlp};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let collector = Otlp::new().with_endpoint("http://127.0.0.1:4318/v1/traces");
    /// let telemetry = agentspan::configure()
    ///     .with_destination(Destination::otlp_http(collector)?)
    ///     .install()?;
    /// # drop(telemetry);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`OtlpError`] when a setting cannot be used, or there is no HTTP client.
    pub fn otlp_http(otlp: Otlp) -> Result<Self, OtlpError> {
        let timeout = otlp.timeout.unwrap_or(OTEL_EXPORTER_OTLP_TIMEOUT_DEFAULT);
        let mut exporter = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_http_client(client(timeout, otlp.is_direct)?)
            .with_headers(otlp.headers);
        if let Some(endpoint) = otlp.endpoint {
            exporter = exporter.with_endpoint(endpoint);
        }
        if let Some(timeout) = otlp.timeout {
            exporter = exporter.with_timeout(timeout);
        }
        let exporter = exporter
            .build()
            .map_err(|error| OtlpError::Exporter(error.into()))?;
        Ok(Self::exporter(NAME, exporter))
    }
}

/// The client is given, since otherwise a feature that anybody enables would choose another one.
fn client(timeout: Duration, is_direct: bool) -> Result<reqwest::blocking::Client, OtlpError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| OtlpError::Client(error.into()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let build = move || {
        let mut builder = reqwest::blocking::Client::builder();
        if is_direct {
            builder = builder.no_proxy();
        }
        builder
            .tls_backend_preconfigured(tls)
            .redirect(reqwest::redirect::Policy::none())
            .timeout(timeout)
            .build()
    };
    // It must not be built on a thread that runs asynchronous code; nobody knows whether this one does.
    let thread = thread::Builder::new().name("agentspan-client".to_owned());
    let built = thread
        .spawn(build)
        .map_err(|error| OtlpError::Client(error.into()))?;
    match built.join() {
        Ok(client) => client.map_err(|error| OtlpError::Client(error.into())),
        Err(_) => Err(OtlpError::Client("the client panicked".into())),
    }
}
