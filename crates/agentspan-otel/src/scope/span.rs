//! The span of a scope: what the handles share, and what stands for it in a context.

use std::borrow::Cow;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use agentspan_queue::fork::Origin;
use agentspan_queue::{contain, lock};
use agentspan_record::hand_over_attributes;
use opentelemetry::KeyValue;
use opentelemetry::global::BoxedSpan;
use opentelemetry::trace::{Span, SpanContext, Status};
use opentelemetry_sdk::trace::Span as SdkSpan;

use super::latest::{Latest, Standing};

/// A list of attributes up to this length keeps its order, as in the reference: few spans have a
/// lower limit.
const USUAL: usize = 64;

/// A span as the tracer made it.
// With short pointers, the variants differ by less than the lint minds.
#[cfg_attr(
    target_pointer_width = "64",
    expect(
        clippy::large_enum_variant,
        reason = "the large variant is the usual one, and a box would cost an allocation per scope"
    )
)]
pub(crate) enum StartedSpan {
    Sdk(SdkSpan),
    Boxed(BoxedSpan),
}

macro_rules! each {
    ($self:expr, $span:ident => $body:expr) => {
        match $self {
            StartedSpan::Sdk($span) => $body,
            StartedSpan::Boxed($span) => $body,
        }
    };
}

impl StartedSpan {
    pub(crate) fn is_recording(&self) -> bool {
        each!(self, span => span.is_recording())
    }

    pub(crate) fn span_context(&self) -> &SpanContext {
        each!(self, span => span.span_context())
    }
}

/// A span that keeps its attributes and status until it ends.
///
/// In the reference a key that is set again moves to the end, and the last error is the one that
/// counts. The SDK's span appends every attribute and compares the texts of errors. So this one
/// holds both, and writes them once, when it ends. Where nobody sees the SDK's span but processors
/// of ours, the attributes go past it.
pub(crate) struct SharedSpan {
    span_context: SpanContext,
    live: Mutex<Option<Live>>,
    /// The handles of the scope. Contexts hold the span too, so that the count of the `Arc` says
    /// nothing.
    handles: AtomicUsize,
    panicked: AtomicBool,
    /// Set once `live` is taken, so that who comes later need not lock.
    ended: AtomicBool,
    /// The process in which it started.
    origin: Origin,
}

/// A span that has not ended.
struct Live {
    span: StartedSpan,
    attributes: Latest<KeyValue>,
    status: Status,
    /// How many attributes the span may have, if it need not hold them itself.
    beside: Option<usize>,
    /// When the span ends, if that is not when it is ended.
    end_time: Option<SystemTime>,
}

impl SharedSpan {
    #[inline]
    pub(crate) fn new(
        span: StartedSpan,
        attributes: Latest<KeyValue>,
        beside: Option<usize>,
    ) -> Self {
        Self {
            span_context: span.span_context().clone(),
            live: Mutex::new(Some(Live {
                span,
                attributes,
                status: Status::Unset,
                beside,
                end_time: None,
            })),
            handles: AtomicUsize::new(1),
            panicked: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            origin: Origin::here(),
        }
    }

    pub(crate) fn add_handle(&self) {
        self.handles.fetch_add(1, Ordering::SeqCst);
    }

    /// True for the last handle.
    pub(crate) fn drop_handle(&self) -> bool {
        // Only a handle makes handles, so that nobody changes a count of one but its owner.
        self.handles.load(Ordering::SeqCst) == 1 || self.handles.fetch_sub(1, Ordering::SeqCst) == 1
    }

    /// True for the first time.
    pub(crate) fn panics_first(&self) -> bool {
        !self.panicked.swap(true, Ordering::SeqCst)
    }

    pub(crate) fn span_context(&self) -> &SpanContext {
        &self.span_context
    }

    pub(crate) fn is_recording(&self) -> bool {
        !self.has_ended()
    }

    fn has_ended(&self) -> bool {
        // Relaxed: the lock decides who ends the span and guards what is in it. Whoever does not
        // see the flag yet finds nothing behind the lock.
        self.ended.load(Ordering::Relaxed)
    }

    /// Sets an attribute; a key that is there already moves to the end.
    pub(crate) fn set_attribute(&self, attribute: KeyValue) {
        self.set(attribute, Standing::Own);
    }

    /// Sets an attribute that may have to give way.
    #[inline]
    pub(crate) fn set(&self, attribute: KeyValue, standing: Standing) {
        if let Some(live) = lock(&self.live).as_mut() {
            live.attributes.put(attribute, standing);
        }
    }

    /// Sets an attribute that nothing has set before, if the others are as they should. False if it
    /// did not.
    pub(crate) fn claim(
        &self,
        attribute: KeyValue,
        are_right: impl Fn(&Latest<KeyValue>) -> bool,
    ) -> bool {
        if self.is_of_parent_process() {
            return false;
        }
        let mut live = lock(&self.live);
        let attributes = live.as_mut().map(|live| &mut live.attributes);
        let is_free = |list: &Latest<KeyValue>| list.own().all(|it| it.key != attribute.key);
        match attributes.filter(|attributes| is_free(attributes) && are_right(attributes)) {
            Some(attributes) => {
                attributes.put(attribute, Standing::Own);
                true
            }
            None => false,
        }
    }

    /// Records an exception at once: its attribute, event and status.
    pub(crate) fn add_exception(
        &self,
        error_type: KeyValue,
        name: &'static str,
        event: Vec<KeyValue>,
        status: Status,
    ) {
        if let Some(live) = lock(&self.live).as_mut() {
            live.attributes.put(error_type, Standing::Own);
            each!(&mut live.span, span => span.add_event(name, event));
            live.set_status(status);
        }
    }

    /// Adds an event that happens now.
    pub(crate) fn add_event(&self, name: &'static str, attributes: Vec<KeyValue>) {
        if let Some(live) = lock(&self.live).as_mut() {
            each!(&mut live.span, span => span.add_event(name, attributes));
        }
    }

    /// Says when the span ends, in place of the moment at which it is ended.
    pub(crate) fn set_end_time(&self, end_time: SystemTime) {
        if let Some(live) = lock(&self.live).as_mut() {
            live.end_time = Some(end_time);
        }
    }

    pub(crate) fn set_status(&self, status: Status) {
        if let Some(live) = lock(&self.live).as_mut() {
            live.set_status(status);
        }
    }

    /// Ends the span, unless it has ended. Its processors run without the lock: they are other
    /// people's code, which may look at the current span.
    pub(crate) fn end(&self, timestamp: Option<SystemTime>) {
        if self.has_ended() {
            return;
        }
        if self.is_of_parent_process() {
            return self.ended.store(true, Ordering::Relaxed);
        }
        let mut ended = lock(&self.live).take();
        if let Some(live) = &mut ended {
            // Relaxed: see `has_ended`.
            self.ended.store(true, Ordering::Relaxed);
            // The panic is counted; the span is dropped, which is an end, too.
            let _ = contain::call(|| live.end(&self.span_context, timestamp));
            let _ = contain::call(|| ended = None);
        }
    }

    /// Whether it started in a process that this one was forked from, which has it, too, and
    /// exports it.
    fn is_of_parent_process(&self) -> bool {
        !self.origin.is_here()
    }
}

/// Shows the ids and nothing that was recorded.
impl fmt::Debug for SharedSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedSpan")
            .field("span_context", &self.span_context)
            .finish_non_exhaustive()
    }
}

impl Drop for SharedSpan {
    /// Ends the span of a scope that was leaked, so that its attributes are not lost.
    fn drop(&mut self) {
        if self.is_of_parent_process() {
            // The drop of the SDK's span would export it once more.
            let live = self.live.get_mut().unwrap_or_else(PoisonError::into_inner);
            return std::mem::forget(live.take());
        }
        self.end(None);
    }
}

impl Live {
    fn set_status(&mut self, status: Status) {
        if self.status != Status::Ok && status != Status::Unset {
            self.status = status;
        }
    }

    fn end(&mut self, ids: &SpanContext, timestamp: Option<SystemTime>) {
        let timestamp = timestamp.or(self.end_time);
        let timestamp = timestamp.unwrap_or_else(SystemTime::now);
        let attributes = self.attributes.take(USUAL);
        each!(&mut self.span, span => {
            if self.status != Status::Unset {
                span.set_status(std::mem::take(&mut self.status));
            }
            if let Some(most) = self.beside {
                let end = || span.end_with_timestamp(timestamp);
                return hand_over_attributes(ids, attributes, most, end);
            }
            // The list's own loop moves each attribute once, a `for` loop twice.
            attributes
                .into_iter()
                .for_each(|attribute| span.set_attribute(attribute));
            span.end_with_timestamp(timestamp);
        });
    }
}

/// Stands for the span of a scope or of the bridge in a context.
#[derive(Debug)]
pub(crate) struct CurrentSpan {
    shared: Arc<SharedSpan>,
    /// Whether who finds it in a context may end it.
    may_end: bool,
}

impl CurrentSpan {
    /// The span of a scope, which others may end.
    pub(crate) fn of_scope(shared: &Arc<SharedSpan>) -> Self {
        Self {
            shared: Arc::clone(shared),
            may_end: true,
        }
    }

    /// The OpenTelemetry span of an Agent Spec span. Others may add to it, but its Agent Spec span
    /// says when it ends: its record is complete only then.
    pub(crate) fn of_bridge(shared: &Arc<SharedSpan>) -> Self {
        Self {
            shared: Arc::clone(shared),
            may_end: false,
        }
    }

    fn with(&self, act: impl FnOnce(&mut Live)) {
        if let Some(live) = lock(&self.shared.live).as_mut() {
            act(live);
        }
    }
}

impl Span for CurrentSpan {
    fn add_event_with_timestamp<T>(
        &mut self,
        name: T,
        timestamp: SystemTime,
        attributes: Vec<KeyValue>,
    ) where
        T: Into<Cow<'static, str>>,
    {
        let name = name.into();
        self.with(|live| {
            each!(&mut live.span, span => span.add_event_with_timestamp(name, timestamp, attributes));
        });
    }

    fn span_context(&self) -> &SpanContext {
        self.shared.span_context()
    }

    fn is_recording(&self) -> bool {
        self.shared.is_recording()
    }

    fn set_attribute(&mut self, attribute: KeyValue) {
        self.shared.set(attribute, Standing::Other);
    }

    fn set_status(&mut self, status: Status) {
        self.shared.set_status(status);
    }

    fn update_name<T>(&mut self, new_name: T)
    where
        T: Into<Cow<'static, str>>,
    {
        let new_name = new_name.into();
        self.with(|live| each!(&mut live.span, span => span.update_name(new_name)));
    }

    fn add_link(&mut self, span_context: SpanContext, attributes: Vec<KeyValue>) {
        self.with(|live| each!(&mut live.span, span => span.add_link(span_context, attributes)));
    }

    fn end_with_timestamp(&mut self, timestamp: SystemTime) {
        if self.may_end {
            self.shared.end(Some(timestamp));
        }
    }
}
