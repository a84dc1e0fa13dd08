//! The processor that takes Agent Spec spans themselves.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use agentspan_model::agentspec::{self, Disclosure, Event as AgentSpecEvent, Id, Timestamp};
use agentspan_model::keys;
use agentspan_model::mapping::{ContentCapture, trace_id_bytes};
use agentspan_processor::{HookError, Span, SpanEvent, SpanProcessor};
use agentspan_queue::lock;
use agentspan_record::{FinishedSpan, Made, Starting, TrackedSpan, Tracker};
use opentelemetry::trace::{
    Event, Link, SpanContext, SpanKind, Status, TraceContextExt, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{Context, InstrumentationScope, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};

use crate::delivery::Delivery;
use crate::front::Front;

/// A [`SpanProcessor`] of Agent Spec that delivers spans to Agent 365, without an SDK of
/// OpenTelemetry.
///
/// The spans have the same ids, parents, links and contents as with the bridge of `agentspan-otel`. A
/// root span is a child of OpenTelemetry's current span, if there is one. Baggage is not copied:
/// [`with_agent_spec_identity`](crate::DeliveryBuilder::with_agent_spec_identity) sets the identity of
/// the spans.
///
/// Its hooks never wait. The end of a trace does not end the delivery: flush and shut down the
/// [`Delivery`]. Spans that are open when the processor is dropped are delivered as unfinished.
///
/// ```
/// use agentspan_agent365::{Delivery, token_from_fn};
/// use agentspan_model::agent365::Identity;
/// use agentspan_model::agentspec::SpanDetails;
/// use agentspan_processor::{Span, Trace};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let delivery = Delivery::builder(token_from_fn(|_| Ok(None)))
///     .with_agent_spec_identity(Identity::parse("tenant-1", "agent-1")?)
///     .build()?;
/// let trace = Trace::builder()
///     .with_processor(delivery.agent_spec_processor())
///     .start()?;
/// # drop(trace);
/// # Ok(())
/// # }
/// ```
pub struct AgentSpecSpanProcessor {
    front: Front,
    tracker: Tracker<Direct>,
    scope: InstrumentationScope,
}

/// The parts of an open span that are kept.
struct Direct {
    parent: SpanContext,
    events: Mutex<SpanEvents>,
    links: Mutex<SpanLinks>,
}

type Open = TrackedSpan<Direct>;

impl Delivery {
    /// A span processor of Agent Spec over this delivery.
    #[must_use]
    pub fn agent_spec_processor(&self) -> AgentSpecSpanProcessor {
        AgentSpecSpanProcessor {
            front: Front::open(self.clone()),
            tracker: Tracker::new(Disclosure::Masked),
            scope: InstrumentationScope::builder("agentspan")
                .with_version(env!("CARGO_PKG_VERSION"))
                .build(),
        }
    }
}

impl AgentSpecSpanProcessor {
    /// Sets whether sensitive content is delivered. By default, it is not.
    #[must_use]
    pub fn with_capture(mut self, capture: ContentCapture) -> Self {
        self.tracker.set_disclosure(capture.disclosure());
        self
    }

    /// Sets the resource, the facts about the program. The default is an empty one.
    #[must_use]
    pub fn with_resource(mut self, resource: &Resource) -> Self {
        self.front.set_resource(resource);
        self
    }

    /// Sets the maximum memory of open spans with their events, by estimate. The default is 64 MiB.
    /// Beyond it, the oldest open spans are delivered as unfinished, and
    /// [counted](Self::evicted_spans).
    #[must_use]
    pub fn with_max_open_bytes(mut self, bytes: usize) -> Self {
        self.tracker.set_max_bytes(bytes as u64);
        self
    }

    /// The delivery behind this processor.
    #[must_use]
    pub fn delivery(&self) -> &Delivery {
        self.front.delivery()
    }

    /// The number of lost events, which came after the end of their span and of all spans around it.
    #[must_use]
    pub fn late_events(&self) -> u64 {
        self.tracker.late_events()
    }

    /// The number of open spans that were delivered as unfinished, to make room for others.
    #[must_use]
    pub fn evicted_spans(&self) -> u64 {
        self.tracker.evicted_spans()
    }

    /// Ends all open spans as unfinished, and returns their number.
    pub fn end_open_spans(&self) -> usize {
        let open = self.tracker.end_all();
        self.finish_unfinished(&open);
        open.len()
    }

    fn make(&self, starting: &Starting<'_>, parent: SpanContext) -> Made<Direct> {
        let (trace_id, flags) = if parent.is_valid() {
            (parent.trace_id(), parent.trace_flags())
        } else {
            let of_span = || TraceId::from_bytes(trace_id_bytes(&starting.placed.span.id));
            let trace_id = starting.trace_id.unwrap_or_else(of_span);
            (trace_id, TraceFlags::SAMPLED)
        };
        let state = match parent.is_valid() {
            true => parent.trace_state().clone(),
            false => TraceState::NONE,
        };
        let span_context = SpanContext::new(trace_id, starting.span_id, flags, false, state);
        let is_recording = span_context.is_sampled();
        if is_recording {
            let type_name = starting.placed.span.type_name();
            self.front
                .agent_spec_span_starts(&span_context, &parent, type_name);
        }
        Made {
            own: Direct {
                parent,
                events: Mutex::default(),
                links: Mutex::default(),
            },
            span_context,
            is_recording,
        }
    }

    /// Takes an event. False if the span has ended.
    fn add_event(&self, open: &Open, event: &AgentSpecEvent) -> bool {
        self.tracker.add_event(open, event, |_, asked| {
            if let Some(asked) = asked {
                let mut links = lock(&open.own.links);
                links.links.push(Link::new(asked, Vec::new(), 0));
            }
            keep_place(open, event, None);
        })
    }

    fn finish(&self, open: &Open, end: Option<Timestamp>, attributes: Vec<KeyValue>) {
        let Some((placed, end)) = open.finish(end) else {
            return;
        };
        if !open.span_context().is_sampled() {
            return;
        }
        let Direct {
            parent,
            events,
            links,
        } = &open.own;
        let record = &placed.span;
        let end_time = SystemTime::from(end);
        let data = SpanData {
            span_context: open.span_context().clone(),
            parent_span_id: parent.span_id(),
            parent_span_is_remote: parent.is_remote(),
            span_kind: SpanKind::Internal,
            name: "".into(),
            start_time: record.start_time.map_or(end_time, SystemTime::from),
            end_time,
            attributes,
            dropped_attributes_count: 0,
            events: take(events),
            links: take(links),
            status: Status::Unset,
            instrumentation_scope: self.scope.clone(),
        };
        let span = FinishedSpan::of_agent_spec(data, placed);
        self.front.enqueue(span);
    }

    fn finish_unfinished(&self, open: &[Arc<Open>]) {
        for open in open {
            self.finish(open, None, unfinished());
        }
    }
}

fn unfinished() -> Vec<KeyValue> {
    vec![KeyValue::new(keys::AGENTSPEC_UNFINISHED, true)]
}

fn take<T: Default>(place: &Mutex<T>) -> T {
    let mut place = lock(place);
    std::mem::take(&mut *place)
}

/// Keeps the place of an event, which is rendered when the span is delivered.
fn keep_place(open: &Open, event: &AgentSpecEvent, of: Option<&Id>) {
    let of = of.map(|id| KeyValue::new(keys::AGENTSPEC_EVENT_SPAN_ID, id.as_str().to_owned()));
    let timestamp = SystemTime::from(event.timestamp);
    let place = Event::new(
        keys::AGENTSPEC_EVENT,
        timestamp,
        of.into_iter().collect(),
        0,
    );
    let mut events = lock(&open.own.events);
    events.events.push(place);
}

impl Drop for AgentSpecSpanProcessor {
    fn drop(&mut self) {
        self.end_open_spans();
    }
}

/// Hooks do not fail: what cannot be delivered is counted.
impl SpanProcessor for AgentSpecSpanProcessor {
    fn name(&self) -> &'static str {
        "agentspan_agent365::AgentSpecSpanProcessor"
    }

    fn disclosure(&self) -> Disclosure {
        self.tracker.disclosure()
    }

    fn on_start(&self, span: &Span) -> Result<(), HookError> {
        let above = span.parent().and_then(|parent| self.tracker.get(&parent));
        let parent = match (&above, span.parent_id()) {
            (Some(above), _) => above.span_context().clone(),
            (None, Some(parent_id)) => self.tracker.ended_parent(span, parent_id),
            (None, None) => Context::current().span().span_context().clone(),
        };
        let around = above.as_deref().map(TrackedSpan::around);
        let is_root = !parent.is_valid();
        let make = |starting: &Starting<'_>| self.make(starting, parent);
        let (open, others) = self.tracker.start(span, around, is_root, make);
        self.finish_unfinished(&others);
        for event in span.events() {
            self.add_event(&open, &event);
        }
        Ok(())
    }

    fn on_event(&self, event: &SpanEvent<'_>, span: &Span) -> Result<(), HookError> {
        let open = self.tracker.get(span);
        if !open.is_some_and(|open| self.add_event(&open, event)) {
            let show = |open: &Open, _: &agentspec::Span| keep_place(open, event, Some(span.id()));
            self.tracker.add_late_event(event, span, show);
        }
        self.finish_unfinished(&self.tracker.evict());
        Ok(())
    }

    fn on_end(&self, span: &Span) -> Result<(), HookError> {
        if let Some(open) = self.tracker.end(span) {
            let attributes = match span.is_unfinished() {
                true => unfinished(),
                false => Vec::new(),
            };
            self.finish(&open, span.end_time(), attributes);
        }
        Ok(())
    }

    fn activates(&self) -> bool {
        false
    }
}

/// Shows how many spans there are, and nothing of them.
impl fmt::Debug for AgentSpecSpanProcessor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgentSpecSpanProcessor")
            .field("tracker", &self.tracker)
            .finish_non_exhaustive()
    }
}
