//! The bridge that turns Agent Spec spans into OpenTelemetry spans.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use agentspan_model::agentspec::{self, Disclosure, Event, EventDetails, Id, SpanDetails};
use agentspan_model::keys;
use agentspan_model::mapping::{ContentCapture, Mapping, Rendering};
use agentspan_processor::span_processor::ActiveGuard;
use agentspan_processor::{HookError, Span, SpanEvent, SpanProcessor};
use agentspan_record::{
    Around, Attributes, Made, Starting, TrackedSpan, Tracker, hand_over, span_kind,
};
use opentelemetry::trace::{
    Span as _, SpanBuilder, SpanContext, Status, TraceContextExt, Tracer, TracerProvider,
};
use opentelemetry::{Context, ContextGuard, InstrumentationScope, KeyValue};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider, TracerProviderBuilder};

use crate::baggage::{CurrentTrace, request_of, with_news};
use crate::scope::current_tool::{CurrentTool, SaidBy};
use crate::scope::latest::Latest;
use crate::scope::span::{CurrentSpan, SharedSpan, StartedSpan};
use crate::scope::starting::{self, Starts};

mod ids;
mod writes;

pub use ids::{AgentSpecIdGenerator, RandomIds};

use writes::Writes;

/// An Agent Spec [`SpanProcessor`] that turns each observed span into an OpenTelemetry span.
///
/// While an Agent Spec span is current, its OpenTelemetry span is current, too. So spans of other
/// instrumentation nest in Agent Spec spans, and the other way round. The parent of a root span is
/// the current OpenTelemetry span, for instance the remote parent of a request. Baggage applies to
/// both kinds of spans.
///
/// The spans hold only Agent Spec data, under `agentspec`. [`Rendered`](crate::Rendered) translates
/// them for each backend at export. [`with_capture`](Self::with_capture) decides how much sensitive
/// content the spans hold; other content cannot be exported.
///
/// An [`ExportQueue`](crate::ExportQueue), the span processor of Agent 365 and
/// [`AgentMetrics`](crate::AgentMetrics) need no attributes: [`with_records`](Self::with_records)
/// passes them each Agent Spec span directly when it ends, and
/// [`with_records_only`](Self::with_records_only) also skips the attributes.
///
/// Prepare the provider with [`OtelBridge::prepare`]. Otherwise, ids are random, so a replay of a
/// trace has other ids.
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
/// The bridge keeps each span from its start to its end. A span that never ends is still exported,
/// with `agentspec.unfinished` and its last known time: spans of a recording when the
/// [replay](agentspan_processor::replay::Replay) ends, and other spans by
/// [`end_open_spans`](Self::end_open_spans) or when the bridge is dropped. If an event comes after
/// the end of its span, the nearest open span around it shows the event, with the id of the event's
/// span in `agentspec.event.span_id`. If there is no such span, the event is lost and
/// [counted](Self::late_events).
///
/// Open spans hold at most 64 MiB, see [`with_max_open_bytes`](Self::with_max_open_bytes). Beyond
/// this limit, the bridge evicts the oldest open spans: it exports them as unfinished, and
/// [counts](Self::evicted_spans) them.
///
/// Code with access to the OpenTelemetry span, for instance as the current span, can add data to
/// it, but cannot end it. Only the Agent Spec span ends it.
///
/// If several spans of a trace share an Agent Spec id, each has its own OpenTelemetry id.
pub struct OtelBridge {
    tracer: SdkTracer,
    mapping: Mapping,
    writes: Writes,
    tracker: Tracker<Bridged>,
}

/// How many events a span may have. Without a limit, a span of `tracing` that is open as long as its
/// program would keep all warnings.
const MAX_EVENTS: u32 = 16_384;

/// The parts of an open span that the bridge keeps.
struct Bridged {
    shared: Arc<SharedSpan>,
    /// The context in which the span is current.
    context: Context,
    /// The context of the agent span around it when it started: its baggage, identities and token.
    base: Option<Context>,
    /// The context of the span around its trace, as far as it was known when this span started.
    around_trace: SpanContext,
}

/// For whom an agent span works that was entered, where that is not what it started with.
struct Entered {
    around: Around,
    request: Context,
}

type Open = TrackedSpan<Bridged>;

impl OtelBridge {
    /// Creates a bridge to `provider` that masks sensitive content.
    #[must_use]
    pub fn new(provider: &SdkTracerProvider) -> Self {
        let scope = InstrumentationScope::builder("agentspan")
            .with_version(env!("CARGO_PKG_VERSION"))
            .build();
        let mut tracker = Tracker::new(Disclosure::Masked);
        tracker.keep_events(false);
        Self {
            tracer: provider.tracer_with_scope(scope),
            mapping: Mapping::new(Rendering::AgentSpec),
            writes: Writes::Attributes,
            tracker,
        }
    }

    /// Sets whether OpenTelemetry spans hold sensitive content. By default, they do not.
    ///
    /// This is the upper limit for all destinations of the provider. It applies to the spans in
    /// memory: an exporter that is not [`Rendered`](crate::Rendered) shows all of their content.
    #[must_use]
    pub fn with_capture(mut self, capture: ContentCapture) -> Self {
        let disclosure = capture.disclosure();
        // Content is in events only until it is rendered, and a renderer may want it anywhere.
        let capture = ContentCapture::from(disclosure);
        self.mapping = self.mapping.clone().with_capture(capture);
        self.tracker.set_disclosure(disclosure);
        self
    }

    /// Passes each ended Agent Spec span to span processors that accept records, and writes the
    /// attributes as well. Use it if the provider has an [`ExportQueue`](crate::ExportQueue) or the
    /// span processor of Agent 365 beside other processors. The former then need not rebuild spans
    /// from attributes.
    #[must_use]
    pub fn with_records(self) -> Self {
        self.with_writes(Writes::Both)
    }

    /// Like [`with_records`](Self::with_records), but without the attributes. Use it if all span
    /// processors of the provider accept records: [`ExportQueue`](crate::ExportQueue),
    /// [`AgentMetrics`](crate::AgentMetrics),
    /// [`BaggageSpanProcessor`](crate::BaggageSpanProcessor), and the processor of Agent 365.
    ///
    /// Other processors, samplers, and the filter of an [`ExportQueue`](crate::ExportQueue) only
    /// see a span without a name, with its type (`agentspec.span.type`) and its times, and events
    /// named `agentspec.event`.
    #[must_use]
    pub fn with_records_only(self) -> Self {
        self.with_writes(Writes::Records)
    }

    fn with_writes(mut self, writes: Writes) -> Self {
        self.writes = writes;
        self.tracker.keep_events(writes.records());
        self
    }

    /// Sets how many bytes open spans may hold with their events, by estimate. The default is 64
    /// MiB. Beyond it, the oldest open spans are exported as unfinished, and
    /// [counted](Self::evicted_spans).
    #[must_use]
    pub fn with_max_open_bytes(mut self, bytes: usize) -> Self {
        self.tracker.set_max_bytes(bytes as u64);
        self
    }

    /// Prepares a provider for Agent Spec spans: sets the [`AgentSpecIdGenerator`], and raises the
    /// limit of events per span from OpenTelemetry's 128 to 16,384, as many as
    /// [`SpanLimits`](crate::SpanLimits) pass on by default. The SDK counts further events of a
    /// span, and drops them. [Records](Self::with_records) have all events of Agent Spec spans, up
    /// to the limit of [open bytes](Self::with_max_open_bytes).
    ///
    /// Spans of other instrumentation do not change, except that they may have more events, too.
    #[must_use]
    pub fn prepare(provider: TracerProviderBuilder) -> TracerProviderBuilder {
        provider
            .with_id_generator(AgentSpecIdGenerator::<RandomIds>::default())
            .with_max_events_per_span(MAX_EVENTS)
    }

    /// The number of events that were lost because they came after the end of their span and of all
    /// spans around it.
    #[must_use]
    pub fn late_events(&self) -> u64 {
        self.tracker.late_events()
    }

    /// The number of open spans that were exported as unfinished to make room for others.
    #[must_use]
    pub fn evicted_spans(&self) -> u64 {
        self.tracker.evicted_spans()
    }

    /// The number of open spans.
    #[must_use]
    pub fn open_spans(&self) -> usize {
        self.tracker.open_spans()
    }

    /// Ends all open spans, with `agentspec.unfinished` and their last known times. Children end
    /// before their parents. Returns the number of spans.
    ///
    /// Call it at the end of a program, before you flush the provider: a span that never ends is
    /// often the span that failed. Data that is added to such a span afterwards is lost, and its
    /// end does nothing.
    pub fn end_open_spans(&self) -> usize {
        let open = self.tracker.end_all();
        self.finish_unfinished(&open);
        open.len()
    }

    /// The context that a span starts in.
    fn parent_context(&self, span: &Span) -> Context {
        let current = Context::current();
        let (Some(parent), Some(parent_id)) = (span.parent(), span.parent_id()) else {
            // Without a parent it is beside the span that is current, and not below it.
            return match self.current_of_trace(span, &current) {
                Some(beside) if beside.own.around_trace.is_valid() => {
                    current.with_remote_span_context(beside.own.around_trace.clone())
                }
                // One that is not valid is a parent to samplers, which sampled nothing.
                Some(_) => request_of(&current),
                None => current,
            };
        };
        let is_in_parent = current
            .get::<Around>()
            .is_some_and(|around| around.is_of(&parent));
        if is_in_parent {
            return current;
        }
        match self.tracker.get(&parent) {
            Some(parent) => parent.own.context.clone(),
            None => current.with_remote_span_context(self.tracker.ended_parent(span, parent_id)),
        }
    }

    /// The agent span that is current in `context` itself, and no span of others in it, if it is in the
    /// trace of `span`.
    fn current_of_trace(&self, span: &Span, context: &Context) -> Option<Arc<Open>> {
        let around = context.get::<Around>()?;
        let open = self.tracker.get_around(around)?;
        let is_current = context.span().span_context() == open.span_context();
        (is_current && around.is_in(span.trace())).then_some(open)
    }

    /// For whom the agent span works that is current in `context`.
    fn request_around(&self, context: &Context) -> Option<Context> {
        let around = context.get::<Around>()?;
        if let Some(entered) = context.get::<Entered>() {
            if entered.around.is_same(around) {
                return Some(entered.request.clone());
            }
        }
        let open = self.tracker.get_around(around)?;
        Some(open.own.context.clone())
    }

    /// The context of a span that is entered while `current` is. None if that has nothing new for
    /// the span.
    ///
    /// An agent span of another trace is no request that was entered around this one: it may be of
    /// another tenant that works on the same thread, or that waits for this span's future.
    fn with_news(&self, open: &Open, current: &Context) -> Option<Context> {
        let Bridged { context, base, .. } = &open.own;
        let around = current.get::<Around>();
        let is_same = around.is_some_and(|around| around.is_in_trace_of(open.around()));
        let trace = match is_same {
            true => CurrentTrace::Same,
            false => CurrentTrace::Other,
        };
        let news = with_news(context, current, base.as_ref(), trace)?;
        if is_same || around.is_none() {
            return Some(news);
        }
        // Nothing is known of one that has ended, and then nothing is new.
        with_news(
            context,
            current,
            Some(&self.request_around(current)?),
            trace,
        )
    }

    /// Starts the span of the SDK.
    fn make(&self, starting: &Starting<'_>, parent: &Context) -> Made<Bridged> {
        let record = &starting.placed.span;
        // In place: its own methods move it each time, and it is large.
        let mut builder = SpanBuilder::from_name("");
        builder.start_time = record.start_time.map(SystemTime::from);
        builder.attributes = Some(if self.writes.attributes() {
            builder.name = self.mapping.span_name(record).into_owned().into();
            builder.span_kind = Some(span_kind(self.mapping.span_kind(record)));
            let mut attributes = Attributes::default();
            self.mapping
                .visit_span(&starting.placed.in_trace(), &mut attributes);
            attributes.0
        } else {
            writes::type_only(&record.details)
        });
        let is_invocation = self.mapping.is_invocation(record);
        // A span that has attributes may have those that baggage gives.
        let given = (!self.writes.attributes())
            .then(|| starting::Starting::begin(Starts::Bridged { is_invocation }));
        let started = ids::with_ids(starting.trace_id, starting.span_id, || {
            self.tracer.build_with_context(builder, parent)
        });
        let given = given.map(starting::Starting::finish).unwrap_or_default();
        let is_recording = started.is_recording();
        if is_recording && started.span_context().span_id() != starting.span_id {
            ids::warn_of_random_ids();
        }
        let beside = given.beside(started.span_context().span_id());
        let around_trace = match parent.get::<Around>() {
            Some(around) if around.is_in_trace_of(starting.around) => {
                let open = self.tracker.get_around(around);
                open.map(|open| open.own.around_trace.clone())
            }
            _ => None,
        };
        let shared = Arc::new(SharedSpan::new(
            StartedSpan::Sdk(started),
            Latest::new(given.attributes),
            beside,
        ));
        let mut context = parent.with_value(starting.around.clone());
        if let SpanDetails::ToolExecutionSpan(execution) = &record.details {
            let said_by = SaidBy::Record(execution.tool.clone());
            context = CurrentTool::add_to(&context, &shared, said_by);
        }
        let context = context.with_span(CurrentSpan::of_bridge(&shared));
        Made {
            span_context: shared.span_context().clone(),
            own: Bridged {
                shared,
                context,
                base: self.request_around(parent),
                around_trace: around_trace.unwrap_or_else(|| parent.span().span_context().clone()),
            },
            is_recording,
        }
    }

    /// Takes an event. False if the span has ended.
    fn add_event(&self, open: &Open, event: &Event) -> bool {
        self.tracker.add_event(open, event, |record, asked| {
            let shared = &open.own.shared;
            if let Some(asked) = asked {
                CurrentSpan::of_bridge(shared).add_link(asked, Vec::new());
            }
            if let EventDetails::ExceptionRaised(exception) = &event.details {
                let message = exception.exception_message.reveal();
                let description = message.unwrap_or(&exception.exception_type);
                shared.set_status(Status::error(description.clone()));
            }
            self.write_event(open, record, event, None);
        })
    }

    fn add_late_event(&self, event: &Event, span: &Span) {
        self.tracker.add_late_event(event, span, |open, record| {
            self.write_event(open, record, event, Some(span.id()));
        });
        self.finish_unfinished(&self.tracker.evict());
    }

    fn write_event(&self, open: &Open, record: &agentspec::Span, event: &Event, of: Option<&Id>) {
        let mut attributes = Vec::new();
        let name = if self.writes.attributes() {
            let mut shown = Attributes::default();
            self.mapping.visit_event(event, record, &mut shown);
            attributes = shown.0;
            self.mapping.event_name(event).to_owned().into()
        } else {
            // Keeps its place among the events of others.
            std::borrow::Cow::Borrowed(keys::AGENTSPEC_EVENT)
        };
        let of = of.map(|id| KeyValue::new(keys::AGENTSPEC_EVENT_SPAN_ID, id.as_str().to_owned()));
        attributes.extend(of);
        let mut span = CurrentSpan::of_bridge(&open.own.shared);
        span.add_event_with_timestamp(name, SystemTime::from(event.timestamp), attributes);
    }

    /// Ends the span of the SDK, and hands the record over meanwhile.
    fn finish(&self, open: &Open, end: Option<agentspec::Timestamp>) {
        let Some((placed, end)) = open.finish(end) else {
            return;
        };
        let shared = &open.own.shared;
        if self.writes.attributes() {
            let texts = [
                (keys::AGENTSPEC_FIRST_INPUT, &placed.first_input),
                (keys::AGENTSPEC_LAST_OUTPUT, &placed.last_output),
            ];
            for (key, text) in texts {
                if let Some(text) = text {
                    shared.set_attribute(KeyValue::new(key, text.clone()));
                }
            }
        }
        let end = || shared.end(Some(SystemTime::from(end)));
        if self.writes.records() {
            hand_over(shared.span_context(), placed, end);
        } else {
            end();
        }
    }

    /// Ends spans in place of somebody who never did.
    fn finish_unfinished(&self, open: &[Arc<Open>]) {
        for open in open {
            let unfinished = KeyValue::new(keys::AGENTSPEC_UNFINISHED, true);
            open.own.shared.set_attribute(unfinished);
            self.finish(open, None);
        }
    }
}

/// Ends the open spans, so that they are exported.
impl Drop for OtelBridge {
    fn drop(&mut self) {
        self.end_open_spans();
    }
}

/// Hooks do not fail: what cannot be shown is counted.
impl SpanProcessor for OtelBridge {
    fn name(&self) -> &'static str {
        "agentspan_otel::OtelBridge"
    }

    fn disclosure(&self) -> Disclosure {
        self.tracker.disclosure()
    }

    fn on_start(&self, span: &Span) -> Result<(), HookError> {
        let parent = self.parent_context(span);
        let is_root = !parent.span().span_context().is_valid();
        let around = parent.get::<Around>();
        let is_beside = |around: &&Around| span.parent_id().is_none() && around.is_in(span.trace());
        let around = around.filter(|around| !is_beside(around));
        let make = |starting: &Starting<'_>| self.make(starting, &parent);
        let (open, others) = self.tracker.start(span, around, is_root, make);
        self.finish_unfinished(&others);
        // Events that the span was built with.
        for event in span.events() {
            self.add_event(&open, &event);
        }
        Ok(())
    }

    fn on_event(&self, event: &SpanEvent<'_>, span: &Span) -> Result<(), HookError> {
        let open = self.tracker.get(span);
        if !open.is_some_and(|open| self.add_event(&open, event)) {
            self.add_late_event(event, span);
        }
        self.finish_unfinished(&self.tracker.evict());
        Ok(())
    }

    fn on_end(&self, span: &Span) -> Result<(), HookError> {
        if let Some(open) = self.tracker.end(span) {
            if span.is_unfinished() {
                let unfinished = KeyValue::new(keys::AGENTSPEC_UNFINISHED, true);
                open.own.shared.set_attribute(unfinished);
            }
            self.finish(&open, span.end_time());
        }
        Ok(())
    }

    fn activate(&self, span: &Span) -> Option<Box<dyn ActiveGuard>> {
        let open = self.tracker.get(span)?;
        let context = match self.with_news(&open, &Context::current()) {
            Some(context) => {
                let request = request_of(&context);
                let around = open.around().clone();
                context.with_value(Entered { around, request })
            }
            None => open.own.context.clone(),
        };
        Some(Box::new(Attached(context.attach())))
    }
}

/// Shows what may be shown of spans, and how many there are.
impl fmt::Debug for OtelBridge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OtelBridge")
            .field("capture", &self.mapping.capture())
            .field("open_spans", &self.open_spans())
            .field("late_events", &self.late_events())
            .field("evicted_spans", &self.evicted_spans())
            .finish_non_exhaustive()
    }
}

/// Keeps a context of OpenTelemetry current.
#[derive(Debug)]
#[expect(dead_code, reason = "the guard is kept for its drop")]
pub(crate) struct Attached(pub(crate) ContextGuard);

impl ActiveGuard for Attached {}
