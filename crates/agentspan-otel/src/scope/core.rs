//! What every scope shares: starting, recording and ending its span.

use std::fmt::Display;
use std::sync::Arc;
use std::thread;

use agentspan_model::agent365::Profile;
use agentspan_model::agent365::mapping::{
    ApplyGuardrail, ExecuteTool, Inference, InvokeAgent, Output,
};
use agentspan_model::attribute::{AttributeValue, AttributeVisitor};
use agentspan_model::{ErrorClass, keys};
use agentspan_queue::contain::{self, ThreadBound};
use opentelemetry::trace::{SpanContext, SpanKind, Status, TraceContextExt};
use opentelemetry::{Context, ContextGuard, KeyValue};

use super::span::{CurrentSpan, SharedSpan};
use super::start_options::StartOptions;
use super::starting::Starting;
use crate::attribute_value::push_attribute;
use crate::switch::is_enabled;
use crate::tracer::default_tracer;

/// Room for the attributes of a usual span, so that its lists are allocated once. More than this is a
/// large block for common allocators, which they do not keep at hand.
const USUAL_ATTRIBUTES: usize = 18;

/// What a kind of scope knows when it starts.
pub(crate) trait Known {
    const SPAN_KIND: SpanKind;

    fn span_name(&self, profile: Profile) -> String;

    fn visit_attributes(&self, profile: Profile, visitor: &mut impl AttributeVisitor);
}

macro_rules! known {
    ($type:ty, $span_kind:ident, $this:ident, $profile:ident => $span_name:expr) => {
        impl Known for $type {
            const SPAN_KIND: SpanKind = SpanKind::$span_kind;

            fn span_name(&self, $profile: Profile) -> String {
                let $this = self;
                $span_name
            }

            fn visit_attributes(&self, profile: Profile, visitor: &mut impl AttributeVisitor) {
                <$type>::visit_attributes(self, profile, visitor);
            }
        }
    };
}

known!(InvokeAgent<'_>, Client, this, _profile => InvokeAgent::span_name(this));
known!(ExecuteTool<'_>, Internal, this, _profile => ExecuteTool::span_name(this));
known!(Inference<'_>, Client, this, profile => Inference::span_name(this, profile));
known!(Output<'_>, Client, this, _profile => Output::span_name(this));
known!(ApplyGuardrail<'_>, Internal, this, _profile => ApplyGuardrail::span_name(this));

/// A handle of a scope's span; the span ends with the last handle.
#[derive(Debug)]
pub(crate) struct Core {
    /// The context of the start, with the scope's span in it.
    context: Context,
    /// None when the span is not recorded, and the context only passes its ids on.
    span: Option<Arc<SharedSpan>>,
    /// The generation of the contract in whose words things are recorded.
    profile: Profile,
    /// A scope that is started while its thread unwinds did not panic itself.
    started_in_panic: bool,
}

impl Core {
    /// Starts a span. None when there is nothing to record and nothing to pass on.
    pub(crate) fn start<K: Known>(known: &K, options: StartOptions<'_>) -> Option<Self> {
        if !is_enabled() {
            return None;
        }
        match options.parent {
            Some(parent) => start_span(known, &options, parent),
            None => {
                let current = contain::call(Context::current).ok()?;
                start_span(known, &options, &current)
            }
        }
    }

    pub(crate) fn context(&self) -> &Context {
        &self.context
    }

    /// Makes the span current on this thread, until the guard is dropped.
    ///
    /// OpenTelemetry's stack of contexts may be gone where a thread-local of the program is destroyed.
    pub(crate) fn attach(&self) -> Option<ThreadBound<ContextGuard>> {
        ThreadBound::make(|| self.context.clone().attach()).ok()
    }

    pub(crate) fn profile(&self) -> Profile {
        self.profile
    }

    /// The span, if there is one, whether or not scopes are on.
    pub(crate) fn span(&self) -> Option<&SharedSpan> {
        self.span.as_deref()
    }

    /// The span, if something may be recorded now.
    pub(crate) fn recording(&self) -> Option<&SharedSpan> {
        self.span.as_deref().filter(|_| is_enabled())
    }

    pub(crate) fn span_context(&self) -> SpanContext {
        self.context.span().span_context().clone()
    }

    pub(crate) fn record_error<E: Display + 'static>(&self, error: &E) {
        if self.recording().is_some() {
            // The alternate form of error reports such as `anyhow::Error` names the causes too.
            let texts = contain::call(|| (error.to_string(), format!("{error:#}")));
            let (message, report) = texts.unwrap_or_else(|_| {
                let text = "an error whose text panics".to_owned();
                (text.clone(), text)
            });
            // It asks the error for its sources.
            let class = contain::call(|| ErrorClass::of(error));
            let class = class.unwrap_or_else(|_| ErrorClass::of_type::<E>());
            self.record_exception(class.path(), &class.name(), message, &report);
        }
    }

    /// Records an error in the way of the reference: attribute, event and status.
    ///
    /// `exception.stacktrace` is what Python writes for an exception without frames, `type: message`.
    pub(crate) fn record_exception(&self, path: &str, name: &str, message: String, report: &str) {
        let Some(span) = self.recording() else {
            return;
        };
        let event = vec![
            KeyValue::new(keys::EXCEPTION_TYPE, path.to_owned()),
            KeyValue::new(keys::EXCEPTION_MESSAGE, message.clone()),
            KeyValue::new(keys::EXCEPTION_STACKTRACE, format!("{path}: {report}\n")),
            KeyValue::new(keys::EXCEPTION_ESCAPED, "False"),
        ];
        let error_type = KeyValue::new(keys::ERROR_TYPE, name.to_owned());
        span.add_exception(
            error_type,
            keys::EXCEPTION_EVENT,
            event,
            Status::error(message),
        );
    }

    pub(crate) fn record_cancellation(&self) {
        if let Some(span) = self.recording() {
            span.set_attribute(KeyValue::new(keys::ERROR_TYPE, "TaskCanceledException"));
            span.set_status(Status::error("Task was cancelled"));
        }
    }

    /// Records, once, that the code inside the scope panicked. The message belongs to the panic hook.
    pub(crate) fn record_panic(&self) {
        if self.span.as_deref().is_some_and(SharedSpan::panics_first) {
            self.record_exception(
                "panic",
                "panic",
                "the code panicked".to_owned(),
                "the code panicked",
            );
        }
    }

    /// Ends the span; does nothing when it has ended.
    pub(crate) fn end(&self) {
        if let Some(span) = &self.span {
            span.end(None);
        }
    }
}

impl Clone for Core {
    fn clone(&self) -> Self {
        if let Some(span) = &self.span {
            span.add_handle();
        }
        Self {
            context: self.context.clone(),
            span: self.span.clone(),
            profile: self.profile,
            started_in_panic: self.started_in_panic,
        }
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        if self.span.as_deref().is_some_and(SharedSpan::drop_handle) {
            if thread::panicking() && !self.started_in_panic {
                self.record_panic();
            }
            self.end();
        }
    }
}

fn start_span<K: Known>(known: &K, options: &StartOptions<'_>, parent: &Context) -> Option<Core> {
    let tracer = options.tracer.unwrap_or_else(|| default_tracer());
    let profile = tracer.profile();
    let starting = Starting::begin();
    // Samplers and span processors are foreign code: without a span goes on who has one that panics.
    let started = contain::call(|| {
        let apply = |builder| options.apply_to(builder, K::SPAN_KIND, USUAL_ATTRIBUTES);
        tracer.start(known.span_name(profile), apply, parent)
    });
    let span = started.ok()?;
    let from_baggage = starting.finish();
    let (context, span) = if span.is_recording() {
        let attributes = attributes_at_start(known, profile, from_baggage);
        let span = Arc::new(SharedSpan::new(span, attributes));
        if let Some(end_time) = options.end_time {
            span.set_end_time(end_time);
        }
        (parent.with_span(CurrentSpan(Arc::clone(&span))), Some(span))
    } else {
        // A span that a sampler dropped still decides for its children; any other has no say.
        let span_context = span.span_context();
        if !span_context.is_valid() || span_context == parent.span().span_context() {
            return None;
        }
        (parent.with_remote_span_context(span_context.clone()), None)
    };
    Some(Core {
        context,
        span,
        profile,
        started_in_panic: thread::panicking(),
    })
}

/// What baggage gave, without the keys that the scope sets itself, and then those.
fn attributes_at_start(
    known: &impl Known,
    profile: Profile,
    from_baggage: Vec<KeyValue>,
) -> Vec<KeyValue> {
    let mut at_start = AtStart {
        baggage_len: from_baggage.len(),
        attributes: from_baggage,
    };
    at_start.attributes.reserve(USUAL_ATTRIBUTES);
    known.visit_attributes(profile, &mut at_start);
    at_start.attributes
}

/// The attributes of a span that starts.
struct AtStart {
    attributes: Vec<KeyValue>,
    /// How many of them, at the beginning, are from baggage.
    baggage_len: usize,
}

impl AtStart {
    /// A mapping shows no key twice, so that only the baggage can hold it already.
    fn remove_from_baggage(&mut self, key: &str) {
        let mut copied = self.attributes.iter().take(self.baggage_len);
        if let Some(at) = copied.position(|a| a.key.as_str() == key) {
            self.attributes.remove(at);
            self.baggage_len -= 1;
        }
    }
}

impl AttributeVisitor for AtStart {
    fn visit(&mut self, key: &'static str, value: AttributeValue<'_>) {
        if self.baggage_len > 0 {
            self.remove_from_baggage(key);
        }
        push_attribute(&mut self.attributes, key, value);
    }
}
