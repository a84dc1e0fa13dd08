//! What the bridge exports of a replayed run, in each rendering.

use std::collections::HashSet;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use agentspan_model::agent365::{Identity, Profile};
use agentspan_model::mapping::{ContentCapture, Mapping, Rendering};
use agentspan_otel::{OtelBridge, Rendered};
use agentspan_processor::replay::Replay;
use opentelemetry::trace::SpanId;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};

use crate::recorded::RecordedRun;

const RENDERINGS: [(&str, Rendering); 5] = [
    ("Agent Spec", Rendering::AgentSpec),
    ("GenAI", Rendering::GenAi),
    ("OpenInference", Rendering::OpenInference),
    ("Agent 365, 0.1.0", Rendering::Agent365(Profile::V0_1)),
    ("Agent 365, 2.0.0", Rendering::Agent365(Profile::V2)),
];

/// Keeps what is exported.
#[derive(Clone, Debug, Default)]
struct Kept(Arc<Mutex<Vec<SpanData>>>);

impl SpanExporter for Kept {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend(batch);
        Ok(())
    }
}

/// The name of a rendering, and the spans in it.
type InRendering = (&'static str, Vec<SpanData>);

/// The spans of a run in each rendering, with contents.
pub(crate) fn replayed(run: &RecordedRun) -> Result<Vec<InRendering>, Box<dyn Error>> {
    let mut provider = OtelBridge::prepare(SdkTracerProvider::builder());
    let mut all = Vec::new();
    for (name, rendering) in RENDERINGS {
        let mapping = Mapping::new(rendering)
            .with_capture(ContentCapture::SpanAndEvent)
            .with_identity(Identity::parse("tenant-1", "agent-1")?);
        let kept = Kept::default();
        all.push((name, kept.clone()));
        provider = provider.with_simple_exporter(Rendered::new(kept, mapping));
    }
    let provider = provider.build();
    let bridge = OtelBridge::new(&provider).with_capture(ContentCapture::SpanAndEvent);
    let mut replay = Replay::new(bridge);
    for hook in run.hooks() {
        replay.play(hook.clone())?;
    }
    let summary = replay.finish();
    if summary.hook_failures != 0 {
        return Err(format!("{} hooks failed", summary.hook_failures).into());
    }
    provider.shutdown()?;
    let spans =
        |kept: Kept| std::mem::take(&mut *kept.0.lock().unwrap_or_else(PoisonError::into_inner));
    Ok(all
        .into_iter()
        .map(|(name, kept)| (name, spans(kept)))
        .collect())
}

/// What is wrong with the spans of a run.
pub(crate) fn check(run: &RecordedRun, spans: &[SpanData]) -> Vec<String> {
    let mut wrong = Vec::new();
    let ids: HashSet<SpanId> = spans.iter().map(|s| s.span_context.span_id()).collect();
    let mut expect = |what: &str, expected: usize, found: usize| {
        if expected != found {
            wrong.push(format!("{found} {what}, and not {expected}"));
        }
    };
    expect("spans", run.started(), spans.len());
    expect("ids of spans", run.started(), ids.len());
    let events = spans.iter().map(|span| span.events.events.len());
    expect("events", run.events(), events.sum());
    let unfinished = spans.iter().filter(|span| is_unfinished(span));
    expect("unfinished spans", run.open_spans(), unfinished.count());
    let first_and_last = run.times();
    for span in spans {
        let id = span.span_context.span_id();
        if span.parent_span_id == id {
            wrong.push(format!("{} is its own parent", span.name));
        }
        if span.parent_span_id != SpanId::INVALID && !ids.contains(&span.parent_span_id) {
            wrong.push(format!("the parent of {} does not exist", span.name));
        }
        let is_within = first_and_last.is_some_and(|(first, last)| {
            SystemTime::from(first) <= span.start_time && span.end_time <= SystemTime::from(last)
        });
        if !is_within {
            wrong.push(format!("the times of {} are outside of the run", span.name));
        }
    }
    wrong
}

fn is_unfinished(span: &SpanData) -> bool {
    let mut attributes = span.attributes.iter();
    attributes.any(|attribute| attribute.key.as_str() == "agentspec.unfinished")
}
