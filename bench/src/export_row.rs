//! Rows: finished spans to the service's answer, by the number of identities.

use std::future::Future;

use agentspan_agent365::{
    AccessToken, Agent365Exporter, TokenResolver, token_from_async_fn, token_from_fn,
};
use agentspan_testkit::turn;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

use crate::error::BenchError;
use crate::gauge::Clock;
use crate::goal::Goal;
use crate::metric::Metric;
use crate::peers::sdk::otlp;
use crate::row::{Contender, Row};

const OURS: &str = "agentspan Agent365Exporter";
const OURS_BLOCKING: &str = "agentspan, token from a closure that may block";
const OTLP: &str = "opentelemetry-otlp http-proto, blocking";

const TURNS: usize = 128;

pub(crate) fn row(name: &'static str, identities: usize, sink: &str) -> Result<Row, BenchError> {
    let spans = turn::spans(TURNS, identities);
    let title = "512 finished spans to the service's answers, over loopback";
    let (what, cpu) = match identities {
        1 => ("finished to acknowledged, 1 identity, CPU", 0.40),
        10 => ("finished to acknowledged, 10 identities, CPU", 0.35),
        _ => ("finished to acknowledged, 100 identities, CPU", 0.18),
    };
    let goal = Goal::new(what, Metric::Process, OURS);
    let row = Row::turns(name, title, spans.len())
        .rounds(31)
        .measured(|turns| (turns.runs, turns.clock) = (4, Clock::Process))
        .contender(Ours::new(
            OURS,
            // As cheap as the peer's header, which never changes.
            token_from_async_fn(|_| async { Ok(Some(AccessToken::new("token")?)) }),
            &spans,
            sink,
        )?)
        .contender(Ours::new(
            OURS_BLOCKING,
            token_from_fn(|_| Ok(Some(AccessToken::new("token")?))),
            &spans,
            sink,
        )?)
        .contender(Otlp::new(&spans, identities, sink)?)
        .goal(goal.over(OTLP).at_most(cpu).of_figure(8));
    let pace = Goal::new("spans a second at 100 identities", Metric::PerSecond, OURS);
    Ok(match identities {
        100 => row.goal(pace.over(OTLP).at_least(6.0).of_figure(8)),
        _ => row,
    })
}

/// Sorts the batch by identity itself, and asks its resolver for a token.
struct Ours {
    name: &'static str,
    exporter: Agent365Exporter,
    spans: Vec<SpanData>,
    given: Vec<SpanData>,
}

impl Ours {
    fn new(
        name: &'static str,
        resolver: impl TokenResolver,
        spans: &[SpanData],
        sink: &str,
    ) -> Result<Self, BenchError> {
        let mut exporter = Agent365Exporter::builder(resolver)
            .with_loopback_endpoint(sink)
            .build()
            .map_err(|error| BenchError::set_up(name)(error.into()))?;
        exporter.set_resource(&turn::resource());
        Ok(Self {
            name,
            exporter,
            spans: spans.to_vec(),
            given: Vec::new(),
        })
    }
}

impl Contender for Ours {
    fn name(&self) -> &'static str {
        self.name
    }

    fn prepare(&mut self) {
        self.given = self.spans.clone();
    }

    fn run(&mut self) {
        deliver(self.exporter.export(std::mem::take(&mut self.given)));
    }
}

/// The peer knows no identities. It is given one batch for each of them, which is the least that
/// routing built on top of it would cost: the sorting is not measured.
struct Otlp {
    exporter: opentelemetry_otlp::SpanExporter,
    groups: Vec<Vec<SpanData>>,
    given: Vec<Vec<SpanData>>,
}

impl Otlp {
    fn new(spans: &[SpanData], identities: usize, sink: &str) -> Result<Self, BenchError> {
        let mut exporter = otlp(sink)?;
        exporter.set_resource(&turn::resource());
        let mut groups = vec![Vec::new(); identities];
        for (number, turn) in spans.chunks(turn::SPANS).enumerate() {
            if let Some(group) = groups.get_mut(number % identities) {
                group.extend_from_slice(turn);
            }
        }
        Ok(Self {
            exporter,
            groups,
            given: Vec::new(),
        })
    }
}

impl Contender for Otlp {
    fn name(&self) -> &'static str {
        OTLP
    }

    fn prepare(&mut self) {
        self.given = self.groups.clone();
    }

    fn run(&mut self) {
        for group in std::mem::take(&mut self.given) {
            deliver(self.exporter.export(group));
        }
    }
}

/// A span that is not acknowledged makes every number meaningless.
#[expect(clippy::panic, reason = "a benchmark of nothing must not look fast")]
fn deliver(export: impl Future<Output = opentelemetry_sdk::error::OTelSdkResult>) {
    if let Err(error) = futures_executor::block_on(export) {
        panic!("the sink did not acknowledge the spans: {error}");
    }
}
