//! What hosts do at their start, by the libraries that they use.
//!
//! A build has the feature of one kind of host, and so one or none of these parts.

use rustls::crypto::CryptoProvider;

/// What a host does before anything else.
pub(crate) fn prepare() {
    #[cfg(feature = "installs")]
    rustls::crypto::ring::default_provider()
        .install_default()
        .expect("nothing was installed");
}

/// Calls the constructors, and describes what they return and which provider is installed then.
pub(crate) fn construct() -> String {
    let mut parts: Vec<String> = Vec::new();
    #[cfg(feature = "uses-rustls")]
    parts.extend(with_rustls());
    #[cfg(feature = "uses-reqwest")]
    parts.push(with_reqwest());
    #[cfg(feature = "uses-tonic")]
    parts.push(with_tonic());
    #[cfg(feature = "uses-opentelemetry-otlp")]
    parts.push(with_opentelemetry_otlp());
    let installed = CryptoProvider::get_default().map(|provider| provider.secure_random);
    parts.push(format!("installed: {installed:?}"));
    parts.join("; ")
}

/// The whole configurations, with the provider and the versions of TLS.
#[cfg(feature = "uses-rustls")]
fn with_rustls() -> [String; 2] {
    use rustls::server::ResolvesServerCertUsingSni;
    use rustls::{ClientConfig, RootCertStore, ServerConfig};

    let client = ClientConfig::builder()
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    let resolver = std::sync::Arc::new(ResolvesServerCertUsingSni::new());
    let server = ServerConfig::builder()
        .with_no_client_auth()
        .with_cert_resolver(resolver);
    [format!("{client:?}"), format!("{server:?}")]
}

#[cfg(feature = "uses-reqwest")]
fn with_reqwest() -> String {
    let plain = reqwest::Client::new();
    let built = reqwest::Client::builder().build();
    format!("{plain:?}, {built:?}")
}

#[cfg(feature = "uses-tonic")]
fn with_tonic() -> String {
    use tonic::transport::{ClientTlsConfig, Endpoint};

    let tls = ClientTlsConfig::new().with_enabled_roots();
    let endpoint = Endpoint::from_static("https://collector.example:4317").tls_config(tls);
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().expect("a runtime");
    let _entered = runtime.enter();
    let channel = endpoint.map(|endpoint| endpoint.connect_lazy());
    format!("{channel:?}")
}

#[cfg(feature = "uses-opentelemetry-otlp")]
fn with_opentelemetry_otlp() -> String {
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .build();
    format!("{exporter:?}")
}
