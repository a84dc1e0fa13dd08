//! Agent Spec spans as OpenTelemetry spans.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use agentspan_model::agentspec::{Disclosure, Event, Id};
use agentspan_model::keys;
use agentspan_model::mapping::{
    ContentCapture, Exchange, Mapping, Rendering, SpanInTrace, repeated_span_id_bytes,
    span_id_bytes, trace_id_bytes,
};
use agentspan_processor::{ActiveGuard, HookError, Span, SpanEvent, SpanProcessor, WeakSpan};
use agentspan_queue::PerProcess;
use agentspan_record::{Attributes, span_kind};
use opentelemetry::trace::{
    Span as _, SpanBuilder, SpanContext, SpanId, Status, TraceContextExt, TraceFlags, TraceId,
    TraceState, Tracer, TracerProvider,
};
use opentelemetry::{Context, ContextGuard, InstrumentationScope, KeyValue};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider, TracerProviderBuilder};

use crate::scope::latest::Latest;
use crate::scope::span::{CurrentSpan, SharedSpan, StartedSpan};

mod ids;
mod live;
mod recent;
mod requests;
mod shared_exchange;

pub use ids::{AgentSpecIdGenerator, RandomIds};

use live::{IdInTrace, LastTime, Live, LiveSpans};
use recent::Recent;
use requests::Requests;
use shared_exchange::SharedExchange;

/// A [`SpanProcessor`] of Agent Spec that makes OpenTelemetry spans of what it observes.
///
/// While an Agent Spec span is current, its OpenTelemetry span is too, so that spans of other
/// instrumentation nest in it, and Agent Spec spans nest in theirs. A root span nests in whatever is
/// current, for instance in the remote parent of a request. Baggage flows through both.
///
/// The spans hold what Agent Spec says, under `agentspec`, and nothing else. What they are to say to a
/// backend is decided where they are exported, by [`Rendered`](crate::Rendered), each time for another
/// reader. What is on no span cannot be exported: [`with_capture`](Self::with_capture) says how much
/// of sensitive content gets on them.
///
/// The provider must be prepared with [`OtelBridge::prepare`], or ids are random: then replaying a trace
/// gives other ids.
///
/// ```
/// use agentspan_model::agentspec::SpanDetails;
/// use agentspan_model::mapping::{Mapping, Rendering};
/// use agentspan_otel::{ConsoleExporter, OtelBridge, Rendered};
/// use agentspan_processor::{Span, Trace};
/// use opentelemetry_sdk::trace::SdkTracerProvider;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let exporter = Rendered::new(ConsoleExporter::new(), Mapping::new(Rendering::GenAi));
/// let provider = OtelBridge::prepare(SdkTracerProvider::builder())
///     .with_simple_exporter(exporter)
///     .build();
///
/// let trace = Trace::builder().with_processor(OtelBridge::new(&provider)).start()?;
/// Span::builder(SpanDetails::Plain).with_name("collect").start()?.end()?;
/// trace.end()?;
/// provider.shutdown()?;
/// # Ok(())
/// # }
/// ```
///
/// The bridge keeps a span from its start to its end. What nobody ends is exported all the same, with
/// `agentspec.unfinished` and the last time that is known of it: the spans that a recording leaves open when
/// its [replay](agentspan_processor::Replay) ends, and all others with
/// [`end_open_spans`](Self::end_open_spans) or when the bridge is dropped. An event that is
/// added after the end of its span is shown by the nearest open span around it, with the id of its own in
/// `agentspec.event.span_id`. If there is none, it is lost and [counted](Self::late_events).
///
/// Where a trace has several spans of one Agent Spec id, each has an OpenTelemetry id of its own.
pub struct OtelBridge {
    tracer: SdkTracer,
    mapping: Mapping,
    known: PerProcess<Known>,
    late_events: AtomicU64,
}

/// What the bridge remembers. After a fork a child starts with nothing: the open spans are its parent's,
/// which ends and exports them.
#[derive(Default)]
struct Known {
    live: LiveSpans,
    /// Where the spans that ended last were, for children that start after their end.
    ended: Recent<IdInTrace, Ended>,
    requests: Requests,
}

/// The agent span whose context this is. Contexts made from it inherit the mark, so that a span of other
/// instrumentation in between is found to be in between.
struct InAgentSpan {
    span: WeakSpan,
    last_time: LastTime,
    exchange: Option<Arc<SharedExchange>>,
    /// The id of the nearest component, of the span or of one around it.
    component: Option<Arc<str>>,
}

/// A span that has ended.
#[derive(Clone)]
struct Ended {
    span_context: SpanContext,
    /// How many repetitions of its id there were in its trace.
    repetitions: u32,
}

impl OtelBridge {
    /// A bridge to `provider` that masks sensitive content.
    #[must_use]
    pub fn new(provider: &SdkTracerProvider) -> Self {
        let scope = InstrumentationScope::builder("agentspan")
            .with_version(env!("CARGO_PKG_VERSION"))
            .build();
        Self {
            tracer: provider.tracer_with_scope(scope),
            mapping: Mapping::new(Rendering::AgentSpec),
            known: PerProcess::default(),
            late_events: AtomicU64::new(0),
        }
    }

    /// Sets whether OpenTelemetry spans hold sensitive content. The default is that they do not.
    ///
    /// This is the upper bound for all destinations of the provider. It concerns the spans in memory:
    /// destinations that are not [`Rendered`](crate::Rendered) show all that is on them.
    #[must_use]
    pub fn with_capture(mut self, capture: ContentCapture) -> Self {
        // Content is in events only until it is rendered, and a renderer may want it anywhere.
        let capture = ContentCapture::from(capture.disclosure());
        self.mapping = self.mapping.with_capture(capture);
        self
    }

    /// Prepares a provider for Agent Spec spans: for their ids, with [`AgentSpecIdGenerator`], and
    /// for as many events as they have, where OpenTelemetry keeps 128 by default.
    ///
    /// Changes nothing for spans of other instrumentation, except for the number of events.
    #[must_use]
    pub fn prepare(provider: TracerProviderBuilder) -> TracerProviderBuilder {
        provider
            .with_id_generator(AgentSpecIdGenerator::<RandomIds>::default())
            .with_max_events_per_span(u32::MAX)
    }

    /// How many events came after the end of their span and of all spans around it, and were lost.
    #[must_use]
    pub fn late_events(&self) -> u64 {
        self.late_events.load(Ordering::Relaxed)
    }

    /// How many spans have started and not ended.
    #[must_use]
    pub fn open_spans(&self) -> usize {
        self.known().live.len()
    }

    /// Ends all spans that have started and not ended, with `agentspec.unfinished` and the last time that is
    /// known of each. Children end before their parents. Says how many there were.
    ///
    /// For the end of a program, before its provider is flushed: a span that nobody ends is often the one
    /// that failed. What is added to such a span afterwards is lost, and its end does nothing.
    pub fn end_open_spans(&self) -> usize {
        self.known().live.end_all()
    }

    fn known(&self) -> &Known {
        self.known.get(|_| Known::default())
    }

    /// The context that a span starts in.
    fn parent_context(&self, span: &Span) -> Context {
        let current = Context::current();
        let (Some(parent), Some(parent_id)) = (span.parent(), span.parent_id()) else {
            return current;
        };
        let is_in_parent = current
            .get::<InAgentSpan>()
            .is_some_and(|mark| mark.span.key() == parent.key());
        if is_in_parent {
            return current;
        }
        match self.known().live.get(&parent) {
            Some(parent) => parent.context.clone(),
            None => {
                let ended = self
                    .known()
                    .ended
                    .get(&IdInTrace::of(span.trace(), parent_id));
                let ended = ended.map(|ended| ended.span_context);
                let ended = ended.unwrap_or_else(|| long_ended(span, parent_id));
                current.with_remote_span_context(ended)
            }
        }
    }

    fn start(&self, span: &Span) -> Live {
        let record = span.to_record_without_events();
        let parent = self.parent_context(span);
        let around = parent.get::<InAgentSpan>();
        let of_parent = around.filter(|around| {
            let parent = span.parent();
            parent.is_some_and(|parent| around.span.key() == parent.key())
        });
        // Each span remembers it, so that a deep one need not ask all above it.
        let component_above = match of_parent {
            Some(parent) => parent.component.clone(),
            None => component_of_ancestor(span),
        };
        let attributes = self.attributes(&record, span, component_above.as_deref());
        let builder = SpanBuilder::from_name(self.mapping.span_name(&record).into_owned())
            .with_kind(span_kind(self.mapping.span_kind(&record)))
            .with_attributes(attributes);
        let builder = match record.start_time {
            Some(time) => builder.with_start_time(SystemTime::from(time)),
            None => builder,
        };
        let is_root = !parent.span().span_context().is_valid();
        let trace_id = span.trace().filter(|_| is_root);
        let trace_id = trace_id.map(|trace| TraceId::from_bytes(trace_id_bytes(trace.id())));
        let id = IdInTrace::of(span.trace(), span.id());
        let ended = self.known().ended.get(&id).map(|ended| ended.repetitions);
        let repetition = self.known().live.starts(id, ended);
        let span_id = SpanId::from_bytes(repeated_span_id_bytes(span.id(), repetition));
        let started = ids::with_ids(trace_id, span_id, || {
            self.tracer.build_with_context(builder, &parent)
        });
        let is_recording = started.is_recording();
        if is_recording && started.span_context().span_id() != span_id {
            ids::warn_of_random_ids();
        }
        let shared = Arc::new(SharedSpan::new(StartedSpan::Sdk(started), Latest::none()));
        let start_time = record.start_time.unwrap_or_else(|| span.now());
        let last_time = LastTime::new(start_time);
        let last_time_of_parent = around.map(|around| around.last_time.clone());
        let mut exchange = around.and_then(|around| around.exchange.clone());
        if self.disclosure() == Disclosure::Clear && Exchange::is_shown_by(&record) {
            exchange = Some(Arc::new(SharedExchange::new(span.downgrade(), exchange)));
        }
        let context = parent
            .with_value(InAgentSpan {
                span: span.downgrade(),
                last_time: last_time.clone(),
                exchange: exchange.clone(),
                component: component_id(span).or(component_above),
            })
            .with_span(CurrentSpan(Arc::clone(&shared)));
        let live = Live {
            shared,
            context,
            record,
            is_recording,
            last_time,
            last_time_of_parent,
            exchange,
            span: span.downgrade(),
        };
        live.has_seen(start_time);
        live
    }

    fn attributes(
        &self,
        record: &agentspan_model::agentspec::Span,
        span: &Span,
        component_above: Option<&str>,
    ) -> Vec<KeyValue> {
        let mut in_trace = SpanInTrace::new(record)
            .with_parent_id(span.parent_id())
            .with_parent_component_id(component_above);
        if let Some(trace) = span.trace() {
            in_trace = in_trace.with_trace(trace.id(), Some(trace.name()));
        }
        let mut attributes = Attributes::default();
        self.mapping.visit_span(&in_trace, &mut attributes);
        attributes.0
    }

    fn add_event(&self, live: &Live, event: &Event) {
        live.has_seen(event.timestamp);
        if let Some(exchange) = &live.exchange {
            exchange.hear(event, &live.span);
        }
        let mut span = CurrentSpan(Arc::clone(&live.shared));
        if let Some(asked) = self.known().requests.of(event, span.span_context()) {
            span.add_link(asked, Vec::new());
        }
        if let agentspan_model::agentspec::EventDetails::ExceptionRaised(exception) = &event.details
        {
            let message = exception.exception_message.reveal();
            let description = message.unwrap_or(&exception.exception_type);
            live.shared.set_status(Status::error(description.clone()));
        }
        self.write_event(live, event, None);
    }

    /// OpenTelemetry has no place for an event of a span that has ended, so the nearest span around it that is
    /// open shows it, and says whose it is. Without one it is lost, and counted.
    fn add_late_event(&self, event: &Event, span: &Span) {
        let around = std::iter::successors(span.parent(), Span::parent);
        let open = around
            .into_iter()
            .find_map(|around| self.known().live.get(&around));
        match open {
            Some(live) if live.is_recording => {
                live.has_seen(event.timestamp);
                self.write_event(&live, event, Some(span.id()));
            }
            Some(_) => {}
            None => {
                self.late_events.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    fn write_event(&self, live: &Live, event: &Event, of: Option<&Id>) {
        let mut attributes = Attributes::default();
        self.mapping
            .visit_event(event, &live.record, &mut attributes);
        let of = of.map(|id| KeyValue::new(keys::AGENTSPEC_EVENT_SPAN_ID, id.as_str().to_owned()));
        attributes.0.extend(of);
        let name = self.mapping.event_name(event).to_owned();
        let mut span = CurrentSpan(Arc::clone(&live.shared));
        span.add_event_with_timestamp(name, SystemTime::from(event.timestamp), attributes.0);
    }
}

/// Hooks do not fail: what cannot be shown is counted.
impl SpanProcessor for OtelBridge {
    fn name(&self) -> &'static str {
        "agentspan_otel::OtelBridge"
    }

    fn disclosure(&self) -> Disclosure {
        self.mapping.capture().disclosure()
    }

    fn on_start(&self, span: &Span) -> Result<(), HookError> {
        let live = self.known().live.insert(self.start(span));
        // Events that the span was built with.
        for event in span.events().filter(|_| live.is_recording) {
            self.add_event(&live, &event);
        }
        Ok(())
    }

    fn on_event(&self, event: &SpanEvent<'_>, span: &Span) -> Result<(), HookError> {
        match self.known().live.get(span) {
            Some(live) if live.is_recording => self.add_event(&live, event),
            Some(_) => {}
            None => self.add_late_event(event, span),
        }
        Ok(())
    }

    fn on_end(&self, span: &Span) -> Result<(), HookError> {
        let id = IdInTrace::of(span.trace(), span.id());
        let Some((live, repetitions)) = self.known().live.remove(span, &id) else {
            return Ok(());
        };
        let ended = Ended {
            span_context: live.shared.span_context().clone(),
            repetitions,
        };
        self.known().ended.put(id, ended);
        match span.end_time() {
            Some(time) if span.is_unfinished() => live.end_unfinished(time),
            time => live.end(time),
        }
        Ok(())
    }

    fn activate(&self, span: &Span) -> Option<Box<dyn ActiveGuard>> {
        let live = self.known().live.get(span)?;
        Some(Box::new(Attached(live.context.clone().attach())))
    }
}

/// Shows what may be shown of spans, and how many there are.
impl fmt::Debug for OtelBridge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OtelBridge")
            .field("capture", &self.mapping.capture())
            .field("open_spans", &self.open_spans())
            .field("late_events", &self.late_events())
            .finish_non_exhaustive()
    }
}

/// Keeps the OpenTelemetry span of an Agent Spec span current.
#[derive(Debug)]
#[expect(dead_code, reason = "the guard is kept for its drop")]
struct Attached(ContextGuard);

impl ActiveGuard for Attached {}

/// Where a parent was that ended too long ago to be remembered, as far as ids tell: whether the trace has
/// a remote parent is not known any more.
fn long_ended(span: &Span, parent_id: &Id) -> SpanContext {
    let trace_id = span
        .trace()
        .map_or_else(|| trace_id_bytes(parent_id), |t| trace_id_bytes(t.id()));
    SpanContext::new(
        TraceId::from_bytes(trace_id),
        SpanId::from_bytes(span_id_bytes(parent_id)),
        TraceFlags::SAMPLED,
        false,
        TraceState::NONE,
    )
}

fn component_id(span: &Span) -> Option<Arc<str>> {
    let component = span.details().component()?;
    Some(Arc::from(component.id()))
}

fn component_of_ancestor(span: &Span) -> Option<Arc<str>> {
    std::iter::successors(span.parent(), Span::parent).find_map(|ancestor| component_id(&ancestor))
}
