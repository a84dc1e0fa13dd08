//! Receivers that never come back.

use std::time::Duration;

use agentspan_model::agentspec::{
    Component, LlmConfig, LlmGenerationRequest, LlmGenerationSpan, Message,
};
use agentspan_processor::{BackgroundQueue, HookError, Span, SpanEvent, SpanProcessor};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

use crate::agentspec_row::contenders::open_trace;
use crate::calls::Calls;
use crate::error::BenchError;
use crate::memory_row::at_full_speed;
use crate::metric::Readings;
use crate::site::nap;

/// Longer than any program of the row lives.
const FOREVER: Duration = Duration::from_secs(3600);

/// Hangs in its first batch.
#[derive(Debug)]
pub(super) struct HungExporter;

impl SpanExporter for HungExporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        nap(FOREVER);
        drop(batch);
        Ok(())
    }
}

/// Hangs in its first event.
#[derive(Debug)]
struct HungHook;

impl SpanProcessor for HungHook {
    fn on_event(&self, _: &SpanEvent<'_>, _: &Span) -> Result<(), HookError> {
        nap(FOREVER);
        Ok(())
    }
}

/// Events with prompts of a megabyte, to a hook that hangs.
pub(super) fn background() -> Result<Readings, BenchError> {
    let failed =
        |error: Box<dyn std::error::Error + Send + Sync>| BenchError::set_up("a model")(error);
    let model = Component::builder("OpenAiConfig", "main").with_text("model_id", "gpt-4o");
    let model = LlmConfig::try_from(model.build()).map_err(|error| failed(error.into()))?;
    let queue = BackgroundQueue::new(HungHook);
    let trace = open_trace("the queue", Some(&queue))?;
    let prompt = "x".repeat(1_000_000);
    let _entered = trace.root().enter();
    // The start of the queue and of the root came before.
    let before = queue.stats().accepted;
    let produce = |calls: &mut Calls| {
        let span = calls.time(|| Span::builder(LlmGenerationSpan::new(model.clone())).start());
        if let Ok(span) = span {
            let prompt = vec![Message::new("user", prompt.as_str())];
            let event = LlmGenerationRequest::new(model.clone(), prompt, "request");
            calls.time(|| drop(span.add_event(event)));
            calls.time(|| drop(span));
        }
    };
    let readings = at_full_speed(produce, |made| {
        let stats = queue.stats();
        stats.accepted == before + made
            && stats.accepted == stats.handled + stats.dropped + stats.queued
    });
    // Nobody waits for a queue that hangs: the process ends.
    std::mem::forget(queue);
    Ok(readings)
}
