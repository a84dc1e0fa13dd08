//! Sends batches to a receiver: encodes once, retries if a retry can help, and does all of it
//! within one timeout.

use std::fmt;
use std::future::{Future, pending, poll_fn};
use std::io;
use std::io::Write;
use std::marker::PhantomData;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use agentspan_agent365::retry::RetryTimer;
use agentspan_agent365::transport::{
    HttpAnswer, Transport, TransportError, TransportRoute, io_runtime,
};
use agentspan_otel::export_queue::{Receipt, Receipts};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderMap, StatusCode, Uri};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use prost::Message;
use tokio::runtime::Runtime;

use super::secrets::Secrets;
use super::settings::Settings;
use super::verdict::Verdict;
use super::{NAME, OtlpError, cause, log, pause};
use crate::destination::Destination;

/// The number of threads that look up hosts and read certificates. It is limited, so that a hanging
/// look-up does not take a thread for each try.
const MAX_HELPERS: usize = 2;

/// The parts of OTLP that differ between its protocols.
pub(super) trait Wire: fmt::Debug + Send + Sync + 'static {
    /// The length of the prefix before the message, in bytes.
    const PREFIX: usize;

    fn transport(transport: Transport) -> Transport;

    /// Sets the headers that belong to the protocol.
    fn set_headers(headers: &mut HeaderMap, gzip: bool);

    /// Fills the prefix of a body.
    fn seal(body: &mut [u8], gzip: bool);

    fn judge(answer: &HttpAnswer) -> Verdict;

    /// What an answer says that accepts no batch, in our own words.
    fn status(answer: &HttpAnswer) -> String;

    /// The receiver's own reason for refusing a batch; empty if it gives none.
    fn reason(answer: &HttpAnswer) -> String;

    /// What may be wrong with the address, in our own words. Without a status, the answer is not HTTP.
    fn doubt(uri: &Uri, status: Option<StatusCode>) -> Option<&'static str>;
}

/// Whether the receiver may expect the other protocol of OTLP.
pub(super) fn is_other_protocol_likely(status: Option<StatusCode>) -> bool {
    status.is_none_or(|status| matches!(status.as_u16(), 400 | 404 | 405 | 415))
}

/// Exports on the calling thread, which belongs to a queue. Its connections live in a runtime that
/// runs on this thread, and only during an export, so that the exporter never runs on a thread that
/// records telemetry.
pub(super) struct OtlpExporter<W> {
    uri: Uri,
    headers: HeaderMap,
    gzip: bool,
    /// The timeout of a whole export.
    timeout: Duration,
    try_timeout: Duration,
    timer: Arc<dyn RetryTimer>,
    transport: Transport,
    /// `Some` until the exporter is dropped.
    runtime: Option<Runtime>,
    resource: ResourceAttributesWithSchema,
    receipts: Receipts,
    /// The secrets that the receiver must not repeat in the report.
    secrets: Secrets,
    wire: PhantomData<W>,
}

impl<W: Wire> OtlpExporter<W> {
    /// A destination that uses such an exporter.
    pub(super) fn destination(settings: Settings) -> Result<Destination, OtlpError> {
        let Settings {
            endpoint,
            timeout,
            try_timeout,
            timer,
            roots,
            mut headers,
            gzip,
        } = settings;
        W::set_headers(&mut headers, gzip);
        let route = if endpoint.is_https {
            TransportRoute::Https
        } else {
            TransportRoute::Http
        };
        let receipts = Receipts::new();
        let exporter = Self {
            secrets: Secrets::of(&headers, &endpoint.uri),
            uri: endpoint.uri,
            headers,
            gzip,
            timeout,
            try_timeout,
            timer,
            transport: W::transport(Transport::new(route, roots, 1)),
            runtime: None,
            resource: ResourceAttributesWithSchema::default(),
            receipts: receipts.clone(),
            wire: PhantomData,
        };
        let make = move || exporter.another();
        let first = make().map_err(|error| OtlpError::Client(error.into()))?;
        let destination = Destination::exporter_of_each_process(NAME, first, make);
        Ok(destination.with_receipts(receipts))
    }

    /// An exporter with the same settings, and with its own runtime and connections.
    fn another(&self) -> io::Result<Self> {
        Ok(Self {
            uri: self.uri.clone(),
            headers: self.headers.clone(),
            gzip: self.gzip,
            timeout: self.timeout,
            try_timeout: self.try_timeout,
            timer: Arc::clone(&self.timer),
            transport: self.transport.unconnected(),
            runtime: Some(io_runtime(MAX_HELPERS)?),
            resource: ResourceAttributesWithSchema::default(),
            receipts: self.receipts.clone(),
            secrets: self.secrets.clone(),
            wire: PhantomData,
        })
    }

    fn body(&self, batch: Vec<SpanData>) -> io::Result<Bytes> {
        let request = ExportTraceServiceRequest {
            resource_spans: group_spans_by_resource_and_scope(batch, &self.resource),
        };
        let mut body = vec![0; W::PREFIX];
        if self.gzip {
            let mut encoder = GzEncoder::new(body, Compression::default());
            encoder.write_all(&request.encode_to_vec())?;
            body = encoder.finish()?;
        } else {
            body.reserve(request.encoded_len());
            request.encode(&mut body).map_err(io::Error::other)?;
        }
        W::seal(&mut body, self.gzip);
        Ok(body.into())
    }

    /// Sends a request, with retries, until the receiver accepts it or the timeout is over.
    async fn send(&self, body: Bytes) -> Result<Receipt, OTelSdkError> {
        // Lets connections notice what happened while no runtime ran, for instance that the receiver has gone.
        tokio::task::yield_now().await;
        // With the pauses as they were asked of the timer.
        let mut spent = Duration::ZERO;
        let mut tries = 0;
        // Those since the last flush, if there was one.
        let mut failures = 0;
        let mut before = None;
        let name = self.receipts.queue_name();
        loop {
            tries += 1;
            failures += 1;
            let hurried = self.receipts.hurried();
            self.keep_waiting(tries, before.as_deref());
            let started = Instant::now();
            let remaining = self.timeout.saturating_sub(spent).min(self.try_timeout);
            let headers = self.headers.clone();
            let post = self
                .transport
                .post(&self.uri, headers, body.clone(), remaining);
            let answer = post.await;
            spent = spent.saturating_add(started.elapsed());
            let verdict = answer.as_ref().map(W::judge);
            if let Ok(Verdict::Taken(said)) = verdict {
                let receipt = said.receipt(&self.secrets.withheld());
                log::taken(name, &self.uri, tries, &receipt);
                return Ok(receipt);
            }
            let why = self.keep_failure(&answer, remaining);
            let asked = match verdict {
                Ok(Verdict::Again { asked }) => asked,
                Ok(Verdict::Refused) => {
                    log::given_up(name, &self.uri, tries, &why);
                    return Err(failure("the receiver refused the spans"));
                }
                Ok(Verdict::Taken(_)) | Err(_) => None,
            };
            let pause = pause::after(failures, asked, self.timer.random());
            if spent.saturating_add(pause) >= self.timeout {
                log::given_up(name, &self.uri, tries, &why);
                return Err(match answer {
                    Err(TransportError::Timeout { .. }) => OTelSdkError::Timeout(self.timeout),
                    _ => failure("the receiver did not take the spans"),
                });
            }
            log::again(name, &self.uri, tries, &why, pause);
            before = Some(why);
            let (took, is_whole) = self.pause(pause, asked, hurried).await;
            spent = spent.saturating_add(took);
            if !is_whole {
                failures = 0;
            }
        }
    }

    /// Waits for `pause`, but not much longer once a flush or a shutdown has begun, unless the receiver
    /// asked for it. Returns how long that took, and whether it was the whole pause.
    async fn pause(
        &self,
        pause: Duration,
        asked: Option<Duration>,
        hurried: impl Future<Output = ()>,
    ) -> (Duration, bool) {
        let started = Instant::now();
        let mut whole = pin!(self.timer.pause(pause));
        let mut hurried = pin!(async {
            match asked == Some(pause) {
                true => pending().await,
                false => hurried.await,
            }
        });
        let is_whole = poll_fn(|task| match hurried.as_mut().poll(task) {
            Poll::Ready(()) => Poll::Ready(false),
            Poll::Pending => whole.as_mut().poll(task).map(|()| true),
        });
        if is_whole.await {
            return (pause, true);
        }
        // Not at once: there may be many flushes.
        let waited = started.elapsed();
        let asked = asked.map(|asked| asked.saturating_sub(waited));
        let short = pause::after(1, asked, self.timer.random());
        let short = short.min(pause.saturating_sub(waited));
        self.timer.pause(short).await;
        (waited.saturating_add(short), false)
    }

    /// Puts into the report that a try has begun, for a shutdown that does not wait for its end.
    fn keep_waiting(&self, tries: u32, before: Option<&str>) {
        let waiting = match before {
            Some(before) => format!("{before}; no answer yet to try {tries}"),
            None => "no answer yet".to_owned(),
        };
        self.receipts
            .put(Receipt::unconfirmed().with_failure(&waiting));
    }

    /// Puts into the report why a try failed that had this time, and the receiver's reason for refusing
    /// a batch. Nothing of it stays if the batch is accepted. Gives why.
    fn keep_failure(&self, outcome: &Result<HttpAnswer, TransportError>, time: Duration) -> String {
        let why = match outcome {
            Ok(answer) => W::status(answer),
            Err(error) => cause::of(error, time),
        };
        let doubt = match outcome {
            Ok(answer) => W::doubt(&self.uri, Some(answer.status())),
            Err(TransportError::Exchange(_)) => W::doubt(&self.uri, None),
            Err(_) => None,
        };
        let why = match doubt {
            Some(doubt) => format!("{why}, and {doubt}"),
            None => why,
        };
        let receipt = Receipt::unconfirmed().with_failure(&why);
        self.receipts.put(match outcome {
            Ok(answer) => {
                receipt.with_message_withholding(&W::reason(answer), &self.secrets.withheld())
            }
            Err(_) => receipt,
        });
        why
    }
}

fn failure(text: &str) -> OTelSdkError {
    OTelSdkError::InternalFailure(text.to_owned())
}

impl<W: Wire> SpanExporter for OtlpExporter<W> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let Some(runtime) = &self.runtime else {
            return Err(OTelSdkError::AlreadyShutdown);
        };
        let body = self.body(batch);
        let body = body.map_err(|error| failure(&error.to_string()))?;
        // Only the thread of a queue, which runs no asynchronous code, gets here.
        let receipt = runtime.block_on(self.send(body))?;
        self.receipts.put(receipt);
        Ok(())
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.resource = resource.into();
    }
}

impl<W> fmt::Debug for OtlpExporter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OtlpExporter")
            .field("host", &self.uri.host())
            .field("timeout", &self.timeout)
            .field("try_timeout", &self.try_timeout)
            .finish_non_exhaustive()
    }
}

impl<W> Drop for OtlpExporter<W> {
    /// Does not wait. It may run in asynchronous code if the destination was never used.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
