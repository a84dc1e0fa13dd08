//! Row: 512 finished spans to the bytes of a request's body.

mod by_hand;
pub mod json;

use agentspan_agent365::encode::{BodyEncoder, EncodedResource};
use agentspan_model::agent365::Profile;
use agentspan_testkit::turn;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanData;
use prost::Message;

use crate::encode_row::by_hand::ByHand;
use crate::goal::Goal;
use crate::metric::Metric;
use crate::row::{Contender, Row};

const OURS: &str = "agentspan BodyEncoder";
const BY_HAND: &str = "by hand, blocks of 32 bytes, the same bytes";
const STREAMING: &str = "serde_json streaming, reused buffer";
const TREE: &str = "serde_json::Value, then to_vec";
const PROTOBUF: &str = "opentelemetry-proto + prost";
const RELEASE: &str = "(releasing the spans alone)";

const TURNS: usize = 128;

pub(crate) fn row() -> Row {
    let spans = turn::spans(TURNS, 1);
    let resource = turn::resource();
    let title = "512 finished spans to the bytes of a request's body";
    let goal = |what, metric| Goal::new(what, metric, OURS).of_figure(7);
    Row::turns("encode", title, spans.len())
        .rounds(61)
        .contender(Ours::new(&spans, &resource))
        .contender(Hand {
            encoder: ByHand::new(head(&resource, &spans)),
            spans: spans.clone(),
        })
        .contender(Streaming {
            resource: resource.clone(),
            spans: spans.clone(),
            out: Vec::new(),
        })
        .contender(Tree {
            resource: resource.clone(),
            spans: spans.clone(),
        })
        .contender(Protobuf {
            resource: (&resource).into(),
            spans: spans.clone(),
            given: Vec::new(),
        })
        .contender(Release {
            spans,
            given: Vec::new(),
        })
        // The API of `opentelemetry-proto` takes the spans, so that releasing them is part of its time and
        // not of ours. Without it is the stricter reading, and counts.
        .goal(
            goal("encode, without releasing the spans", Metric::Caller)
                .over_above(PROTOBUF, RELEASE)
                .at_most(0.26),
        )
        .goal(
            goal("encode, beside an encoder by hand", Metric::Caller)
                .over(BY_HAND)
                .at_most(1.05),
        )
        .goal(goal("encode, allocations", Metric::Allocations).at_most(0.0))
}

struct Ours {
    encoder: BodyEncoder,
    resource: EncodedResource,
    spans: Vec<SpanData>,
    out: Vec<u8>,
}

impl Ours {
    fn new(spans: &[SpanData], resource: &Resource) -> Self {
        Self {
            encoder: BodyEncoder::new(Profile::V0_1),
            resource: EncodedResource::from(resource),
            spans: spans.to_vec(),
            out: Vec::new(),
        }
    }
}

impl Contender for Ours {
    fn name(&self) -> &'static str {
        OURS
    }

    fn run(&mut self) {
        self.out.clear();
        self.encoder
            .encode(&self.resource, &self.spans, &mut self.out);
        std::hint::black_box(&self.out);
    }
}

struct Hand {
    encoder: ByHand,
    spans: Vec<SpanData>,
}

impl Contender for Hand {
    fn name(&self) -> &'static str {
        BY_HAND
    }

    fn run(&mut self) {
        std::hint::black_box(self.encoder.encode(&self.spans));
    }
}

/// The body up to its first span, which is the same for all requests.
fn head(resource: &Resource, spans: &[SpanData]) -> Vec<u8> {
    let mut body = Vec::new();
    json::stream(resource, spans.get(..1).unwrap_or_default(), &mut body);
    let begin = b"\"spans\":[";
    let found = body.windows(begin.len()).position(|window| window == begin);
    body.truncate(found.map_or(0, |at| at + begin.len()));
    body
}

struct Streaming {
    resource: Resource,
    spans: Vec<SpanData>,
    out: Vec<u8>,
}

impl Contender for Streaming {
    fn name(&self) -> &'static str {
        STREAMING
    }

    fn run(&mut self) {
        self.out.clear();
        json::stream(&self.resource, &self.spans, &mut self.out);
        std::hint::black_box(&self.out);
    }
}

struct Tree {
    resource: Resource,
    spans: Vec<SpanData>,
}

impl Contender for Tree {
    fn name(&self) -> &'static str {
        TREE
    }

    fn run(&mut self) {
        let body = json::tree(&self.resource, &self.spans);
        drop(std::hint::black_box(serde_json::to_vec(&body)));
    }
}

struct Protobuf {
    resource: ResourceAttributesWithSchema,
    spans: Vec<SpanData>,
    given: Vec<SpanData>,
}

impl Contender for Protobuf {
    fn name(&self) -> &'static str {
        PROTOBUF
    }

    fn prepare(&mut self) {
        self.given = self.spans.clone();
    }

    fn run(&mut self) {
        let spans = std::mem::take(&mut self.given);
        let resource_spans = group_spans_by_resource_and_scope(spans, &self.resource);
        let body = ExportTraceServiceRequest { resource_spans }.encode_to_vec();
        drop(std::hint::black_box(body));
    }
}

struct Release {
    spans: Vec<SpanData>,
    given: Vec<SpanData>,
}

impl Contender for Release {
    fn name(&self) -> &'static str {
        RELEASE
    }

    fn prepare(&mut self) {
        self.given = self.spans.clone();
    }

    fn run(&mut self) {
        drop(std::hint::black_box(std::mem::take(&mut self.given)));
    }
}
