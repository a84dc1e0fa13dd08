//! The core that every scope shares: starting, recording and ending its span.

use std::fmt::Display;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::SystemTime;

use agentspan_model::agent365::Profile;
use agentspan_model::agent365::mapping::{
    ApplyGuardrail, ExecuteTool, Inference, InvokeAgent, Mcp, Output,
};
use agentspan_model::attribute::{AttributeValue, AttributeVisitor};
use agentspan_model::{ErrorClass, keys};
use agentspan_queue::contain::{self, ThreadBound};
use agentspan_queue::fork::Origin;
use agentspan_record::push_attribute;
use opentelemetry::trace::{SpanContext, SpanKind, Status, TraceContextExt};
use opentelemetry::{Context, ContextGuard, KeyValue};

use super::deferred::{Deferred, Home, NOTHING, Started, TracerOfScope, Waiting};
use super::latest::{Latest, Standing};
use super::span::SharedSpan;
use super::start_options::StartOptions;
use crate::switch::{is_enabled, may_start};
use crate::tracer::default_tracer;

/// The facts that a kind of scope knows when it starts.
pub(crate) trait Known {
    const SPAN_KIND: SpanKind;
    /// Room for the attributes of a usual span, so that their list is allocated once.
    const ATTRIBUTES: usize;

    fn span_name(&self, profile: Profile) -> String;

    fn visit_attributes(&self, profile: Profile, visitor: &mut impl AttributeVisitor);
}

macro_rules! known {
    ($type:ty, $span_kind:ident, $attributes:literal, $this:ident, $profile:ident => $span_name:expr) => {
        impl Known for $type {
            const SPAN_KIND: SpanKind = SpanKind::$span_kind;
            const ATTRIBUTES: usize = $attributes;

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

known!(InvokeAgent<'_>, Client, 16, this, _profile => InvokeAgent::span_name(this));
known!(ExecuteTool<'_>, Internal, 8, this, _profile => ExecuteTool::span_name(this));
known!(Inference<'_>, Client, 12, this, profile => Inference::span_name(this, profile));
known!(Output<'_>, Client, 6, this, _profile => Output::span_name(this));
known!(Mcp<'_>, Client, 12, this, _profile => Mcp::span_name(this));
known!(ApplyGuardrail<'_>, Internal, 6, this, _profile => ApplyGuardrail::span_name(this));

/// A handle of a scope's span; the span ends with the last handle.
#[derive(Debug)]
pub(crate) struct Core {
    /// The span, as long as this is its only handle or if it has started.
    own: Deferred,
    /// The span, once it has several handles and had not started before.
    shared: OnceLock<Arc<Deferred>>,
    /// The generation of the contract in whose words things are recorded.
    profile: Profile,
    /// A scope that is started while its thread unwinds did not panic itself.
    started_in_panic: bool,
    /// Whether the span belongs to another scope, which ends it.
    is_joined: bool,
}

impl Core {
    /// Says more of a span that another scope ends, which is current in `context`.
    pub(crate) fn joined(span: Arc<SharedSpan>, context: Context, profile: Profile) -> Self {
        let started = Started {
            context: Some(context),
            span: Some(span),
            has_ids: true,
        };
        Self {
            own: Deferred::of(started),
            shared: OnceLock::new(),
            profile,
            started_in_panic: thread::panicking(),
            is_joined: true,
        }
    }

    /// A span that starts when it is needed. None when scopes are off.
    pub(crate) fn new<K: Known>(known: &K, options: StartOptions<'_>) -> Option<Self> {
        if !may_start() {
            return None;
        }
        let tracer = match options.tracer {
            Some(tracer) => TracerOfScope::Own(tracer.clone()),
            None => TracerOfScope::Default(default_tracer()),
        };
        let profile = tracer.profile();
        let mut at_start = AtStart(Vec::with_capacity(K::ATTRIBUTES));
        known.visit_attributes(profile, &mut at_start);
        let waiting = Waiting {
            name: known.span_name(profile),
            kind: options.kind.unwrap_or(K::SPAN_KIND),
            start_time: options.start_time.unwrap_or_else(SystemTime::now),
            links: options.links.to_vec(),
            attributes: Latest::new(at_start.0),
            end_time: options.end_time,
            home: match options.parent {
                Some(parent) => Home::told(parent.clone()),
                None => Home::new(contain::call(Context::current).ok()?),
            },
            tracer,
            origin: Origin::here(),
        };
        Some(Self {
            own: Deferred::new(waiting),
            shared: OnceLock::new(),
            profile,
            started_in_panic: thread::panicking(),
            is_joined: false,
        })
    }

    /// The started span, which starts now unless it has: in the context of the scope's start.
    fn started(&self) -> &Started {
        self.start(&|home| home.context)
    }

    fn start(&self, choose: &dyn Fn(Home) -> Context) -> &Started {
        let started = match self.shared.get() {
            Some(_) => None,
            // None if another thread moved it in the meantime.
            None => self.own.start(choose),
        };
        started
            .or_else(|| self.shared.get()?.start(choose))
            .unwrap_or(&NOTHING)
    }

    fn deferred(&self) -> &Deferred {
        self.shared.get().map_or(&self.own, |shared| shared)
    }

    /// Starts the span for a future that is polled now, unless it has started, where `choose` says
    /// for the scope's home. False if the scope has no context then.
    pub(crate) fn start_for_future(&self, choose: &dyn Fn(Home) -> Context) -> bool {
        self.start(choose).context.is_some()
    }

    /// Says that the scope is at home in `context`, as far as that has anything to say.
    pub(crate) fn move_home(&self, context: &Context) {
        // Not under the lock: what does not fit of baggage is logged.
        if let Some(home) = self.while_waiting(|waiting| waiting.home.clone()) {
            let moved = home.parent_in(context);
            self.while_waiting(|waiting| waiting.home.context = moved.clone());
        }
    }

    /// Changes what is known of the span before it starts. None if it has started.
    fn while_waiting<T>(&self, mut change: impl FnMut(&mut Waiting) -> T) -> Option<T> {
        if self.has_started() {
            return None;
        }
        let changed = self.own.while_waiting(&mut change);
        changed.or_else(|| self.shared.get()?.while_waiting(&mut change))
    }

    pub(crate) fn has_started(&self) -> bool {
        self.deferred().started().is_some()
    }

    /// The context of the start with the scope's span; without a span, the context that the scope
    /// was told to start in. None if there is neither.
    pub(crate) fn context(&self) -> Option<&Context> {
        self.started().context.as_ref()
    }

    /// The context of the start with the scope's span; none if there is nothing to pass on.
    pub(crate) fn context_with_ids(&self) -> Option<&Context> {
        self.started().context_with_ids()
    }

    pub(crate) fn profile(&self) -> Profile {
        self.profile
    }

    /// Whether it is worth while to make an attribute.
    pub(crate) fn takes_attributes(&self) -> bool {
        is_enabled()
            && self.deferred().started().is_none_or(|started| {
                let span = started.span.as_deref();
                span.is_some_and(SharedSpan::is_recording)
            })
    }

    /// Sets an attribute, which does not need the span to start.
    pub(crate) fn set_attribute(&self, attribute: KeyValue) {
        self.record(attribute, Standing::Own);
    }

    /// Sets a free attribute, see [`Standing::Free`] and [`Standing::Filling`].
    pub(crate) fn set_free_attribute(&self, attribute: KeyValue) {
        let standing = if self.profile.keeps_first_free_attribute() {
            Standing::Filling
        } else {
            Standing::Free
        };
        self.record(attribute, standing);
    }

    #[inline]
    fn record(&self, attribute: KeyValue, standing: Standing) {
        if !is_enabled() {
            return;
        }
        match self.deferred().started() {
            Some(started) => {
                if let Some(span) = &started.span {
                    span.set(attribute, standing);
                }
            }
            None => self.record_before_start(attribute, standing),
        }
    }

    fn record_before_start(&self, attribute: KeyValue, standing: Standing) {
        let put = self.own.put(attribute, standing);
        let put = put.or_else(|attribute| match self.shared.get() {
            Some(shared) => shared.put(attribute, standing),
            None => Err(attribute),
        });
        // It has started in the meantime.
        if let Err(attribute) = put {
            if let Some(span) = self.recording() {
                span.set(attribute, standing);
            }
        }
    }

    /// Says when the span ends, whether or not scopes are on.
    pub(crate) fn set_end_time(&self, end_time: SystemTime) {
        if self.is_joined {
            return;
        }
        let set = self.while_waiting(|waiting| waiting.end_time = Some(end_time));
        if set.is_none() {
            if let Some(span) = &self.started().span {
                span.set_end_time(end_time);
            }
        }
    }

    /// The span, if something may be recorded now.
    pub(crate) fn recording(&self) -> Option<&SharedSpan> {
        if is_enabled() {
            self.started().span.as_deref()
        } else {
            None
        }
    }

    /// The ids of the span, if it has started.
    pub(crate) fn ids(&self) -> Option<SpanContext> {
        let started = self.deferred().started()?;
        Some(started.context_with_ids()?.span().span_context().clone())
    }

    pub(crate) fn span_context(&self) -> SpanContext {
        match self.context_with_ids() {
            Some(context) => context.span().span_context().clone(),
            None => SpanContext::NONE,
        }
    }

    /// Records an error, by its class unless `error_type` names another type.
    pub(crate) fn record_error<E: Display + 'static>(&self, error: &E, error_type: Option<&str>) {
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
            // One name for both: whoever looks for the class finds it under either key.
            let name = class.name();
            self.record_exception(&name, error_type.unwrap_or(&name), message, &report);
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

    /// Records a cancellation, for the reason of the reference unless there is another.
    pub(crate) fn record_cancellation(&self, reason: Option<&str>) {
        if let Some(span) = self.recording() {
            span.set_attribute(KeyValue::new(keys::ERROR_TYPE, "TaskCanceledException"));
            let reason = reason.unwrap_or("Task was cancelled").to_owned();
            span.set_status(Status::error(reason));
        }
    }

    /// Records, once, that the code inside the scope panicked. The message belongs to the panic
    /// hook.
    pub(crate) fn record_panic(&self) {
        let span = self.started().span.as_deref();
        if span.is_some_and(SharedSpan::panics_first) {
            self.record_exception(
                "panic",
                "panic",
                "the code panicked".to_owned(),
                "the code panicked",
            );
        }
    }

    /// Ends the span; does nothing when it has ended, or when that is for another scope to do.
    pub(crate) fn end(&self) {
        if self.is_joined {
            return;
        }
        if let Some(span) = &self.started().span {
            span.end(None);
        }
    }

    fn sharing(&self, own: Deferred, shared: OnceLock<Arc<Deferred>>) -> Self {
        Self {
            own,
            shared,
            profile: self.profile,
            started_in_panic: self.started_in_panic,
            is_joined: self.is_joined,
        }
    }

    /// True for the last handle.
    fn drop_handle(&mut self) -> bool {
        if self.is_joined {
            return false;
        }
        if let Some(shared) = self.shared.take() {
            // Contexts hold the span and not this, so that its handles are all that hold it.
            let Some(last) = Arc::into_inner(shared) else {
                return false;
            };
            self.own = last;
            return true;
        }
        match self.own.started() {
            Some(started) => started.span.as_deref().is_some_and(SharedSpan::drop_handle),
            None => true,
        }
    }
}

impl Clone for Core {
    fn clone(&self) -> Self {
        let shared = self.shared.get();
        let Some(started) = shared.map_or_else(|| self.own.share(&self.shared), |_| None) else {
            return self.sharing(Deferred::moved(), self.shared.clone());
        };
        if let Some(span) = started.span.as_ref().filter(|_| !self.is_joined) {
            span.add_handle();
        }
        self.sharing(Deferred::of(started.clone()), OnceLock::new())
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        if self.drop_handle() {
            if thread::panicking() && !self.started_in_panic {
                self.record_panic();
            }
            self.end();
        }
    }
}

/// Makes `context` current on this thread, until the guard is dropped.
///
/// OpenTelemetry's stack of contexts may be gone where a thread-local of the program is destroyed.
pub(super) fn attach(context: &Context) -> Option<ThreadBound<ContextGuard>> {
    ThreadBound::make(|| context.clone().attach()).ok()
}

/// The attributes of a span that starts.
struct AtStart(Vec<KeyValue>);

impl AttributeVisitor for AtStart {
    fn visit(&mut self, key: &'static str, value: AttributeValue<'_>) {
        push_attribute(&mut self.0, key, value);
    }
}
