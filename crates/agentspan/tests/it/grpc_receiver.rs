//! A receiver of OTLP over gRPC, on the loopback.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use agentspan_testkit::Certificates;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use tokio::sync::oneshot;
use tonic::codec::CompressionEncoding;
use tonic::metadata::MetadataMap;
use tonic::service::Routes;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Identity, Server, ServerTlsConfig};
use tonic::{Request, Response, Status};

use crate::raw_answer::{RawAnswer, raw_routes};

/// What the receiver answers.
pub(crate) type GrpcAnswer = Result<ExportTraceServiceResponse, Status>;

type Received = Arc<Mutex<Vec<(MetadataMap, ExportTraceServiceRequest)>>>;

/// Keeps what it gets. Stops when it is dropped.
pub(crate) struct GrpcReceiver {
    address: SocketAddr,
    received: Received,
    requests: Arc<AtomicUsize>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

struct Keeping {
    received: Received,
    requests: Arc<AtomicUsize>,
    /// The answers to come; when there are none, that all is well.
    answers: Mutex<VecDeque<GrpcAnswer>>,
}

#[tonic::async_trait]
impl TraceService for Keeping {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.requests.fetch_add(1, Ordering::SeqCst);
        let (metadata, _, request) = request.into_parts();
        self.received.lock().unwrap().push((metadata, request));
        let answer = self.answers.lock().unwrap().pop_front();
        let answer = answer.unwrap_or_else(|| Ok(ExportTraceServiceResponse::default()));
        answer.map(Response::new)
    }
}

impl GrpcReceiver {
    /// Starts without TLS, or with a certificate for 127.0.0.1.
    pub(crate) fn start(certificates: Option<&Certificates>) -> Self {
        Self::answering(certificates, [])
    }

    /// Starts with these answers to the first requests.
    pub(crate) fn answering(
        certificates: Option<&Certificates>,
        answers: impl IntoIterator<Item = GrpcAnswer>,
    ) -> Self {
        let received = Received::default();
        let requests = Arc::default();
        let service = TraceServiceServer::new(Keeping {
            received: Arc::clone(&received),
            requests: Arc::clone(&requests),
            answers: Mutex::new(answers.into_iter().collect()),
        });
        let service = service.accept_compressed(CompressionEncoding::Gzip);
        Self::serve(certificates, Routes::new(service), received, requests)
    }

    /// Starts with these answers, which may be none of gRPC, to the first requests. Keeps nothing.
    pub(crate) fn raw(answers: impl IntoIterator<Item = RawAnswer>) -> Self {
        let requests = Arc::default();
        let routes = raw_routes(Arc::clone(&requests), answers);
        Self::serve(None, routes, Received::default(), requests)
    }

    fn serve(
        certificates: Option<&Certificates>,
        routes: Routes,
        received: Received,
        requests: Arc<AtomicUsize>,
    ) -> Self {
        let mut server = Server::builder();
        if let Some(certificates) = certificates {
            let (certificate, key) = certificates.identity_pem("127.0.0.1").unwrap();
            let tls = ServerTlsConfig::new().identity(Identity::from_pem(certificate, key));
            server = server.tls_config(tls).unwrap();
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::spawn(move || {
            let mut runtime = tokio::runtime::Builder::new_current_thread();
            let runtime = runtime.enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                let incoming = TcpIncoming::from(listener);
                let served = server.add_routes(routes).serve_with_incoming(incoming);
                // Connections end with the runtime, also those that clients keep.
                tokio::select! {
                    served = served => served.unwrap(),
                    _ = stopped => {}
                }
            });
        });
        Self {
            address,
            received,
            requests,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// Its address, of either kind.
    pub(crate) fn url(&self, scheme: &str) -> String {
        format!("{scheme}://{}", self.address)
    }

    /// How many requests came.
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    /// The names of all spans.
    pub(crate) fn span_names(&self) -> Vec<String> {
        let received = self.received.lock().unwrap();
        let resources = received.iter().flat_map(|(_, it)| &it.resource_spans);
        let scopes = resources.flat_map(|resource| &resource.scope_spans);
        let spans = scopes.flat_map(|scope| &scope.spans);
        spans.map(|span| span.name.clone()).collect()
    }

    /// All that it got, as text.
    pub(crate) fn received(&self) -> String {
        format!("{:?}", self.received.lock().unwrap())
    }

    /// All values of an entry of the first request's metadata.
    pub(crate) fn metadata(&self, name: &str) -> Vec<String> {
        let received = self.received.lock().unwrap();
        let first = received.first().map(|(metadata, _)| metadata);
        let values = first
            .into_iter()
            .flat_map(|metadata| metadata.get_all(name));
        values
            .map(|value| value.to_str().unwrap().to_owned())
            .collect()
    }
}

impl Drop for GrpcReceiver {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
