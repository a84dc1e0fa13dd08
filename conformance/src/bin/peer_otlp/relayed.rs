//! Sends spans to a collector, and compares what it passes on with what we send without it, field by field.
//!
//! Everything is sent over HTTP and gRPC, with and without gzip, in each rendering, masked and in clear.

use std::error::Error;
use std::io::Read as _;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use agentspan::discovery::Environment;
use agentspan::{Destination, Otlp, configure};
use agentspan_model::agent365::Profile;
use agentspan_model::agentspec::Disclosure;
use agentspan_model::mapping::{ContentCapture, Rendering};
use agentspan_otel::{OtelBridge, ScopeTracer};
use agentspan_testkit::{RecordedRequest, Service};
use flate2::read::GzDecoder;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_sdk::trace::SdkTracerProvider;
use prost::Message as _;

use crate::send::Protocol;
use crate::{assistant, conversation, in_trace, others};

const WHILE: Duration = Duration::from_secs(60);

/// How often a port is tried that nobody listens to yet.
const AGAIN: Duration = Duration::from_millis(50);

const RENDERINGS: [Rendering; 6] = [
    Rendering::GenAi,
    Rendering::GenAiV0_1,
    Rendering::OpenInference,
    Rendering::AgentSpec,
    Rendering::Agent365(Profile::V0_1),
    Rendering::Agent365(Profile::V2),
];

/// A span, and what it shares with others.
type Whole = (
    Option<Resource>,
    Option<InstrumentationScope>,
    [String; 2],
    Span,
);

/// How many ways were tried, and what differed.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) spans: usize,
    pub(crate) ways: usize,
    pub(crate) differences: Vec<String>,
}

/// Starts the collector `agent`, which keeps its files in `directory`.
pub(crate) fn run(agent: &Path, directory: &Path) -> Result<Outcome, Box<dyn Error>> {
    let behind = Service::start()?;
    let collector = Collector::start(agent, directory, &behind.url())?;
    let mut outcome = Outcome::default();
    let mut passed = 0;
    for rendering in RENDERINGS {
        for disclosure in [Disclosure::Masked, Disclosure::Clear] {
            for protocol in [Protocol::HttpProtobuf, Protocol::Grpc] {
                for has_gzip in [false, true] {
                    let otlp = collector.otlp(protocol, has_gzip);
                    let mut sent = sent(rendering, disclosure, protocol, otlp)?;
                    let mut arrived = arrived(&behind, &mut passed, sent.len())?;
                    let way = format!("{rendering:?} {disclosure:?} {protocol:?} gzip {has_gzip}");
                    for spans in [&mut sent, &mut arrived] {
                        spans.sort_by(|(.., one), (.., other)| one.span_id.cmp(&other.span_id));
                    }
                    outcome.ways += 1;
                    outcome.spans += sent.len();
                    outcome
                        .differences
                        .extend(difference(&way, &sent, &arrived));
                }
            }
        }
    }
    Ok(outcome)
}

/// Sends all stories to the collector, and returns what a receiver gets without it.
fn sent(
    rendering: Rendering,
    disclosure: Disclosure,
    protocol: Protocol,
    otlp: Otlp,
) -> Result<Vec<Whole>, Box<dyn Error>> {
    let plain = Service::start()?;
    let beside = Otlp::new().with_endpoint(format!("{}/v1/traces", plain.url()));
    let collector = match protocol {
        Protocol::HttpProtobuf => Destination::otlp_http(otlp)?,
        Protocol::Grpc => Destination::otlp_grpc(otlp)?,
    };
    let destinations = [
        Destination::otlp_http(beside)?.with_name("beside"),
        collector.with_name("collector"),
    ];
    let mut configuration = configure()
        .with_environment(&Environment::default())
        .with_switches_on();
    for destination in destinations {
        let destination = destination.with_rendering(rendering);
        configuration = configuration.with_destination(destination.with_disclosure(disclosure));
    }
    let processor = configuration.into_processor()?;
    let queues = processor.queues().to_vec();
    let provider = OtelBridge::prepare(SdkTracerProvider::builder())
        .with_span_processor(processor)
        .build();
    tell(&provider)?;
    for queue in queues {
        queue.flush(WHILE)?;
    }
    let mut spans = Vec::new();
    for request in plain.requests() {
        spans.extend(read(&request)?);
    }
    Ok(spans)
}

/// Spans of Agent Spec, of the scopes of Agent 365, and of a framework that knows neither.
fn tell(provider: &SdkTracerProvider) -> Result<(), Box<dyn Error>> {
    in_trace(provider, ContentCapture::SpanAndEvent, || {
        assistant::work()?;
        conversation::work()
    })?;
    others::scopes(&ScopeTracer::with_profile(provider, Profile::V2))?;
    others::framework(provider);
    Ok(())
}

/// The next `count` spans that the collector passes on, or fewer if no more come. `passed` is how many of its requests
/// were read before.
fn arrived(
    behind: &Service,
    passed: &mut usize,
    count: usize,
) -> Result<Vec<Whole>, Box<dyn Error>> {
    let mut spans = Vec::new();
    while spans.len() < count {
        let Ok(requests) = behind.wait_for(*passed + 1, WHILE) else {
            break;
        };
        for request in requests.iter().skip(*passed) {
            spans.extend(read(request)?);
        }
        *passed = requests.len();
    }
    Ok(spans)
}

fn read(request: &RecordedRequest) -> Result<Vec<Whole>, Box<dyn Error>> {
    let mut body = Vec::new();
    match request.header("content-encoding") {
        Some("gzip") => GzDecoder::new(&*request.body).read_to_end(&mut body)?,
        _ => (&*request.body).read_to_end(&mut body)?,
    };
    let message = ExportTraceServiceRequest::decode(&*body)?;
    let mut spans = Vec::new();
    for of_resource in message.resource_spans {
        for of_scope in of_resource.scope_spans {
            for span in of_scope.spans {
                let urls = [&of_resource.schema_url, &of_scope.schema_url];
                spans.push((
                    of_resource.resource.clone(),
                    of_scope.scope.clone(),
                    urls.map(Clone::clone),
                    span,
                ));
            }
        }
    }
    Ok(spans)
}

/// What differs first.
fn difference(way: &str, sent: &[Whole], arrived: &[Whole]) -> Option<String> {
    if sent.is_empty() || sent.len() != arrived.len() {
        let (sent, arrived) = (sent.len(), arrived.len());
        return Some(format!("{way}: {sent} spans were sent, {arrived} arrived"));
    }
    let mut pairs = sent.iter().zip(arrived);
    let (sent, arrived) = pairs.find(|(sent, arrived)| sent != arrived)?;
    Some(format!("{way}:\n  sent    {sent:?}\n  arrived {arrived:?}"))
}

/// A running collector, which ends with this value.
struct Collector {
    process: Child,
    http: u16,
    grpc: u16,
}

impl Collector {
    fn start(agent: &Path, directory: &Path, behind: &str) -> Result<Self, Box<dyn Error>> {
        let (http, grpc) = (free_port()?, free_port()?);
        let process = Command::new(agent)
            .arg("start")
            .args([
                "--pid-file".as_ref(),
                directory.join("rotel.pid").as_os_str(),
            ])
            .args(["--otlp-http-endpoint", &format!("127.0.0.1:{http}")])
            .args(["--otlp-grpc-endpoint", &format!("127.0.0.1:{grpc}")])
            .args(["--exporter", "otlp", "--otlp-exporter-protocol", "http"])
            .args(["--otlp-exporter-endpoint", behind])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()?;
        let mut collector = Self {
            process,
            http,
            grpc,
        };
        for port in [http, grpc] {
            collector.wait_until_it_listens(port)?;
        }
        Ok(collector)
    }

    fn wait_until_it_listens(&mut self, port: u16) -> Result<(), Box<dyn Error>> {
        let begin = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            if let Some(status) = self.process.try_wait()? {
                return Err(format!("the collector ended: {status}").into());
            }
            if begin.elapsed() > WHILE {
                return Err("the collector does not listen".into());
            }
            thread::park_timeout(AGAIN);
        }
        Ok(())
    }

    fn otlp(&self, protocol: Protocol, has_gzip: bool) -> Otlp {
        let url = match protocol {
            Protocol::HttpProtobuf => format!("http://127.0.0.1:{}/v1/traces", self.http),
            Protocol::Grpc => format!("http://127.0.0.1:{}", self.grpc),
        };
        let otlp = Otlp::new().with_endpoint(url);
        match has_gzip {
            true => otlp.with_gzip(),
            false => otlp,
        }
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        // One that has ended needs no end.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn free_port() -> std::io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}
