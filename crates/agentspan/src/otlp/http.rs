//! OTLP as protobuf over HTTP, with and without TLS.

use std::thread;
use std::time::Duration;

use agentspan_discovery::Environment;
use agentspan_tls::crypto_provider;
use async_trait::async_trait;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use rustls::{ClientConfig, RootCertStore};

use super::authorities::certificates;
use super::{NAME, Otlp, OtlpError, Place};
use crate::destination::Destination;

const PLACE: Place = Place {
    endpoint: "http://localhost:4318/v1/traces",
    // Only the variable of one signal is taken as it is.
    of_base: |base| format!("{}/v1/traces", base.trim_end_matches('/')),
    is_one: |endpoint| {
        let url = endpoint.parse::<Uri>().ok();
        let place = url.as_ref().and_then(|it| it.scheme_str().zip(it.host()));
        place.is_some_and(|(scheme, _)| matches!(scheme, "http" | "https"))
    },
};

impl Destination {
    /// An OTLP receiver over HTTP, under the name `otlp`. Needs the feature `otlp-http`.
    ///
    /// TLS is that of `rustls`, with the authorities that the system trusts, or those of
    /// [`Otlp::with_certificate_authorities`]. Redirects are not followed.
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
        Self::otlp_http_in(otlp, &Environment::from_process())
    }

    pub(crate) fn otlp_http_in(otlp: Otlp, environment: &Environment) -> Result<Self, OtlpError> {
        let known = otlp.completed_by(environment, &PLACE)?;
        let authorities = known.authorities.as_deref();
        let client = Client {
            client: client(known.timeout, authorities, otlp.is_sidecar)?,
            headers: known.headers,
            is_sidecar: otlp.is_sidecar,
        };
        let mut exporter = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_http_client(client)
            .with_timeout(known.timeout)
            .with_endpoint(known.endpoint);
        if let Some(compression) = otlp.compression {
            exporter = exporter.with_compression(compression);
        }
        let exporter = exporter
            .build()
            .map_err(|error| OtlpError::Exporter(error.into()))?;
        Ok(Self::exporter(NAME, exporter))
    }
}

/// Sets the headers of the code last: `opentelemetry-otlp` 0.33 lets those of the environment replace them.
#[derive(Debug)]
struct Client {
    client: reqwest::blocking::Client,
    headers: HeaderMap,
    /// Headers of the environment are not for it. They cannot be told apart, so that only those are left
    /// which `opentelemetry-otlp` sets itself.
    is_sidecar: bool,
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, mut request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        if self.is_sidecar {
            let headers = std::mem::take(request.headers_mut());
            let own = headers.iter().filter(|it| is_of_exporter(it.0, it.1));
            let own = own.map(|(name, value)| (name.clone(), value.clone()));
            request.headers_mut().extend(own);
            let content_type = HeaderValue::from_static("application/x-protobuf");
            request.headers_mut().insert(CONTENT_TYPE, content_type);
        }
        for (name, value) in &self.headers {
            request.headers_mut().insert(name, value.clone());
        }
        self.client.send_bytes(request).await
    }
}

/// Whether this header with this value is one that `opentelemetry-otlp` sets by itself.
fn is_of_exporter(name: &HeaderName, value: &HeaderValue) -> bool {
    let value = value.as_bytes();
    match *name {
        CONTENT_ENCODING => value == b"gzip" || value == b"zstd",
        USER_AGENT => value.starts_with(b"OTel-OTLP-Exporter-Rust/"),
        _ => false,
    }
}

/// The client is given, since otherwise a feature that anybody enables would choose another one.
fn client(
    timeout: Duration,
    authorities: Option<&[u8]>,
    is_sidecar: bool,
) -> Result<reqwest::blocking::Client, OtlpError> {
    let mut roots = RootCertStore::empty();
    match authorities {
        None => {
            let of_the_system = rustls_native_certs::load_native_certs().certs;
            roots.add_parsable_certificates(of_the_system);
        }
        Some(pem) => {
            for certificate in certificates(pem)? {
                let added = roots.add(certificate);
                added.map_err(|error| OtlpError::Certificates(error.into()))?;
            }
        }
    }
    let provider = crypto_provider().map_err(|error| OtlpError::Client(error.into()))?;
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| OtlpError::Client(error.into()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let build = move || {
        let mut builder = reqwest::blocking::Client::builder();
        if is_sidecar {
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
