//! Scopes: each is one operation of an agent, recorded as one span.

pub(crate) mod core;
pub(crate) mod current_tool;
mod deferred;
pub(crate) mod future;
pub(crate) mod latest;
pub(crate) mod span;
pub(crate) mod start_options;
pub(crate) mod starting;

use std::fmt::{self, Debug, Display};
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;
use std::thread;
use std::time::SystemTime;

use agentspan_model::ErrorClass;
use agentspan_model::agent365::Profile;
use agentspan_model::agent365::mapping::{BaggageEntry, Recorded};
use agentspan_model::attribute::{AttributeValue, AttributeVisitor};
use agentspan_queue::contain::ThreadBound;
use agentspan_record::{push_attribute, to_value};
use opentelemetry::propagation::Injector;
use opentelemetry::trace::SpanContext;
use opentelemetry::{Context, ContextGuard, Key, KeyValue, Value};

use self::core::{Core, Known, attach};
use self::deferred::Home;
use self::future::{Lazy, ScopedFuture, nothing_to_record, record_if_error};
use self::span::SharedSpan;
use self::start_options::StartOptions;
use crate::propagation::Propagation;
use crate::python_text::is_blank;
use crate::switch::{is_enabled, may_start};

/// One operation of an agent: an invocation, the execution of a tool, a call of a language model.
///
/// Use it through [`InvokeAgentScope`](crate::InvokeAgentScope),
/// [`ExecuteToolScope`](crate::ExecuteToolScope), [`InferenceScope`](crate::InferenceScope),
/// [`OutputScope`](crate::OutputScope) and [`ApplyGuardrailScope`](crate::ApplyGuardrailScope),
/// which start it and add methods of their kind. The span of a scope is a child of the current
/// span. It becomes current, so that later spans become its children, with
///
/// - [`enter`](Self::enter): until a guard is dropped, in synchronous code;
/// - [`in_scope`](Self::in_scope): for one closure, whose `Err` is recorded;
/// - [`run`](Self::run): for one future, across its awaits and on any thread, whose `Err` is
///   recorded. [`ScopeFutureExt`](crate::ScopeFutureExt) has the same as a method of futures.
///
/// The span ends with [`end`](Self::end), when `in_scope` or `run` finish, or when the last handle
/// is dropped. If a panic unwinds through a scope, or its future is dropped before it finishes, an
/// error is recorded.
///
/// Clones are cheap handles of the same span, and may move to other threads. If scopes are
/// [switched off](crate::switch::set_enabled), or the span is not recorded, every method returns
/// almost at once.
///
/// # Whose child it is
///
/// A scope takes its parent and its baggage from the context in which it is started, or from the
/// context in its builder. A future that [runs](Self::run) in the scope often gets its context
/// later. So the span starts when the future is first polled, as a child of the span that is
/// current then, with the start time of the scope:
///
/// ```
/// # use agentspan_model::agent365::{AgentDetails, AgentId, InvokeAgentDetails, TenantDetails, TenantId};
/// # use agentspan_otel::{InvokeAgentScope, Propagation};
/// # use opentelemetry::Context;
/// # async fn answer() -> Result<String, std::io::Error> { Ok(String::new()) }
/// # async fn example(details: &InvokeAgentDetails, tenant: &TenantDetails) -> Result<(), std::io::Error> {
/// # let headers = [("traceparent", "")];
/// let caller = Propagation::new().extract_headers(&Context::new(), headers);
/// // A child of the caller's span, as it would be if `caller` were the builder's parent.
/// InvokeAgentScope::start(details, tenant)
///     .run(|_| answer())
///     .with_context(caller)
///     .await?;
/// # Ok(())
/// # }
/// ```
///
/// If no span is current at the first poll, such as in a spawned task, the parent is the span that
/// was current at the scope's start. If a guard, an error, its ids or its context need the span
/// earlier, it starts earlier, and keeps that parent.
///
/// # Whose telemetry is inside
///
/// Spans of other instrumentation inside a scope inherit its tenant and its agent, unless they or
/// the baggage name others; see [`BaggageSpanProcessor`](crate::BaggageSpanProcessor).
pub struct Scope<K> {
    core: Option<Core>,
    /// Where a scope without a core was told to be: what runs in it still runs there.
    told: Option<Context>,
    kind: PhantomData<fn() -> K>,
}

impl<K> Scope<K> {
    /// Calls `start`, or returns a scope that does nothing while scopes are
    /// [switched off](crate::switch::set_enabled).
    ///
    /// Use it if the details are built for each call. Otherwise, a program without telemetry still
    /// copies names and texts into details that are not used.
    ///
    /// ```
    /// use agentspan_model::agent365::{
    ///     AgentDetails, InferenceCallDetails, InferenceOperationType, TenantDetails,
    /// };
    /// use agentspan_otel::InferenceScope;
    ///
    /// fn chat(model: &str, agent: &AgentDetails, tenant: &TenantDetails) -> InferenceScope {
    ///     InferenceScope::when_enabled(|| {
    ///         let call = InferenceCallDetails::new(InferenceOperationType::Chat, model, "openai");
    ///         InferenceScope::start(&call, agent, tenant)
    ///     })
    /// }
    /// ```
    #[inline]
    #[must_use = "the scope ends when it is dropped"]
    pub fn when_enabled(start: impl FnOnce() -> Self) -> Self {
        if may_start() {
            start()
        } else {
            Self {
                core: None,
                told: None,
                kind: PhantomData,
            }
        }
    }

    pub(crate) fn from_known(known: &impl Known, options: StartOptions<'_>) -> Self {
        let parent = options.parent;
        let core = Core::new(known, options);
        Self {
            told: parent.filter(|_| core.is_none()).cloned(),
            core,
            kind: PhantomData,
        }
    }

    /// A handle of a span that another scope ends, which is current in `context`.
    pub(crate) fn joined(span: Arc<SharedSpan>, context: Context, profile: Profile) -> Self {
        Self {
            core: Some(Core::joined(span, context, profile)),
            told: None,
            kind: PhantomData,
        }
    }

    /// A future that runs in this.
    pub(crate) fn around<F: Future>(
        self,
        future: F,
        record: fn(&Core, &F::Output),
    ) -> ScopedFuture<F> {
        ScopedFuture::new(future, self.core, self.told.map(Home::told), record)
    }

    /// The core, if something may be recorded now.
    fn recording_core(&self) -> Option<(&Core, &SharedSpan)> {
        let core = self.core.as_ref()?;
        Some((core, core.recording()?))
    }

    /// Whether it is worth while to make an attribute.
    pub(crate) fn takes_attributes(&self) -> bool {
        self.core_that_takes_attributes().is_some()
    }

    pub(crate) fn core_that_takes_attributes(&self) -> Option<&Core> {
        self.core.as_ref().filter(|core| core.takes_attributes())
    }

    pub(crate) fn set(&self, key: &'static str, value: impl FnOnce(Profile) -> Value) {
        if let Some(core) = self.core_that_takes_attributes() {
            core.set_attribute(KeyValue::new(key, value(core.profile())));
        }
    }

    /// Sets what baggage can say, too, in a profile that has a key for it.
    pub(crate) fn set_entry(&self, entry: BaggageEntry, value: impl FnOnce() -> Value) {
        if let Some(core) = self.core_that_takes_attributes() {
            if let Some(key) = entry.key(core.profile()) {
                core.set_attribute(KeyValue::new(key, value()));
            }
        }
    }

    /// Records something in the words of the scope's profile.
    pub(crate) fn record(&self, recorded: Recorded<'_>) {
        if let Some(core) = self.core_that_takes_attributes() {
            recorded.visit_attributes(
                core.profile(),
                &mut |key: &'static str, value: AttributeValue<'_>| {
                    if let Some(value) = to_value(key, value) {
                        core.set_attribute(KeyValue::new(key, value));
                    }
                },
            );
        }
    }

    /// Adds an event, in a profile that has a name for it.
    pub(crate) fn record_event(
        &self,
        name: impl FnOnce(Profile) -> Option<&'static str>,
        visit: impl FnOnce(Profile, &mut EventAttributes),
    ) {
        let Some((core, span)) = self.recording_core() else {
            return;
        };
        let profile = core.profile();
        if let Some(name) = name(profile) {
            let mut attributes = EventAttributes::default();
            visit(profile, &mut attributes);
            span.add_event(name, attributes.0);
        }
    }

    /// Makes the span current on this thread until the guard is dropped.
    ///
    /// The context is the context of the scope's start, baggage included, with the scope's span.
    /// Guards may be dropped in any order. Dropping the guard does not end the scope.
    ///
    /// ```
    /// # use agentspan_model::agent365::{AgentDetails, AgentId, TenantDetails, TenantId, ToolCallDetails};
    /// # use agentspan_otel::ExecuteToolScope;
    /// # fn main() -> Result<(), agentspan_model::agent365::IdentityError> {
    /// # let agent = AgentDetails::new(AgentId::parse("agent-1")?);
    /// # let tenant = TenantDetails::new(TenantId::parse("tenant-1")?);
    /// let scope = ExecuteToolScope::start(&ToolCallDetails::new("clock"), &agent, &tenant);
    /// let _active = scope.enter();
    /// scope.record_response("12:00");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Do not hold the guard across an `.await`: the span would be current for whatever else the thread polls
    /// meanwhile, also for the work of another tenant. Use [`run`](Self::run) for a future.
    #[must_use = "the span is current until the guard is dropped"]
    pub fn enter(&self) -> ActiveScope<'_> {
        let core = self.core.as_ref();
        ActiveScope {
            context: self.own_context().and_then(attach),
            core,
            entered_in_panic: thread::panicking(),
        }
    }

    /// Runs `work` inside the scope, records its `Err`, and ends the scope.
    ///
    /// # Errors
    ///
    /// The error of `work`, unchanged.
    pub fn in_scope<T, E, F>(self, work: F) -> Result<T, E>
    where
        E: Display + 'static,
        F: FnOnce(&Self) -> Result<T, E>,
    {
        let result = {
            let _active = self.enter();
            work(&self)
        };
        if let Err(error) = &result {
            self.record_error(error);
        }
        self.end();
        result
    }

    /// Runs `work`, which returns no `Result`, inside the scope, and ends the scope.
    pub fn in_scope_infallible<T, F>(self, work: F) -> T
    where
        F: FnOnce(&Self) -> T,
    {
        let output = {
            let _active = self.enter();
            work(&self)
        };
        self.end();
        output
    }

    /// Runs the future of `work` inside the scope, records its `Err`, and ends the scope.
    ///
    /// `work` is called when the future is first polled, and gets a handle for recording. The span
    /// starts at this point, as a child of the current span, and is current whenever the future is
    /// polled, on any thread. [`ScopedFuture::with_context`] and [`ScopedFuture::with_baggage`] set
    /// the parent and the baggage.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it finishes, a cancellation is recorded, and the scope ends.
    ///
    /// ```
    /// # use agentspan_model::agent365::{AgentDetails, AgentId, InferenceCallDetails};
    /// # use agentspan_model::agent365::{InferenceOperationType, TenantDetails, TenantId};
    /// # use agentspan_otel::InferenceScope;
    /// # async fn chat() -> Result<String, std::io::Error> { Ok(String::new()) }
    /// # async fn example(agent: &AgentDetails, tenant: &TenantDetails) -> Result<(), std::io::Error> {
    /// let call = InferenceCallDetails::new(InferenceOperationType::Chat, "gpt-4o", "openai");
    /// let answer = InferenceScope::start(&call, agent, tenant)
    ///     .run(|scope| async move {
    ///         let answer = chat().await?;
    ///         scope.record_output_messages(&[&answer]);
    ///         Ok::<_, std::io::Error>(answer)
    ///     })
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn run<T, E, Fut, F>(self, work: F) -> ScopedFuture<impl Future<Output = Result<T, E>>>
    where
        E: Display + 'static,
        Fut: Future<Output = Result<T, E>>,
        F: FnOnce(Self) -> Fut,
    {
        let handle = self.clone();
        let future = Lazy::new(|| work(handle));
        self.around(future, record_if_error)
    }

    /// Like [`run`](Self::run), for a future that returns no `Result`.
    ///
    /// # Cancel safety
    ///
    /// The same as of [`run`](Self::run).
    pub fn run_infallible<T, Fut, F>(self, work: F) -> ScopedFuture<impl Future<Output = T>>
    where
        Fut: Future<Output = T>,
        F: FnOnce(Self) -> Fut,
    {
        let handle = self.clone();
        let future = Lazy::new(|| work(handle));
        self.around(future, nothing_to_record)
    }

    /// Records an error: attribute `error.type`, an `exception` event, and the status.
    ///
    /// `error.type` is the name of the error's type, see [`ErrorClass`], and the message is its
    /// `Display` text. For a `Box<dyn Error>`, the type is the innermost error of a known type. So
    /// it is for an `anyhow::Error`, with the feature `anyhow` of `agentspan` or `agentspan-model`.
    /// Otherwise, as for a text in a `Box<dyn Error>`, the type is `_OTHER`. A later error replaces the
    /// attribute and the status; every error has its own event.
    pub fn record_error<E: Display + 'static>(&self, error: &E) {
        if let Some(core) = &self.core {
            core.record_error(error, None);
        }
    }

    /// Like [`record_error`](Self::record_error), for an HTTP request that was answered with an
    /// error: `error.type` is the status of the answer, as in `@microsoft/opentelemetry` 1.4.0 for
    /// Node and in OpenTelemetry's conventions. The event still has the class.
    ///
    /// ```
    /// # fn example(scope: &agentspan_otel::ExecuteToolScope, error: &std::io::Error) {
    /// scope.record_error_with_status(error, 429);
    /// # }
    /// ```
    pub fn record_error_with_status<E: Display + 'static>(&self, error: &E, status: u16) {
        if let Some(core) = &self.core {
            core.record_error(error, Some(&status.to_string()));
        }
    }

    /// Records an error by the name of its class and its message, for errors without a Rust type.
    ///
    /// `class` may be qualified (`billing.QuotaExceeded`, `billing::QuotaExceeded`): the event has
    /// the whole name, and `error.type` has the last segment.
    pub fn record_error_as(&self, class: &str, message: &str) {
        if let Some(core) = self.core.as_ref().filter(|core| core.recording().is_some()) {
            let name = ErrorClass::last_segment(class);
            core.record_exception(class, name, message.to_owned(), message);
        }
    }

    /// Records that the work was cancelled: `error.type` is `TaskCanceledException`, and the status is
    /// `Task was cancelled`, as in the reference. A cancelled Agent Spec span has the type `Cancelled`.
    pub fn record_cancellation(&self) {
        if let Some(core) = &self.core {
            core.record_cancellation(None);
        }
    }

    /// Like [`record_cancellation`](Self::record_cancellation), with a reason in place of the
    /// reference's text. A blank reason counts as none. `@microsoft/opentelemetry` 1.4.0 for Node
    /// also accepts a reason.
    pub fn record_cancellation_because(&self, reason: &str) {
        if let Some(core) = &self.core {
            core.record_cancellation(Some(reason).filter(|reason| !is_blank(reason)));
        }
    }

    /// Sets free attributes, given as [`KeyValue`]s or as pairs. Blank keys are left out. A key that an
    /// earlier call has set gets the new value and moves to the end; with
    /// [`Profile::V3`] and [`Profile::Direct`] the first value stays.
    ///
    /// Free attributes never override the identity, the attributes that the scope records itself,
    /// or the baggage of the request. `microsoft-opentelemetry` 1.5.0 protects these keys, too;
    /// 0.1.0 and 2.0.0 overwrite them.
    ///
    /// ```
    /// # fn example(scope: &agentspan_otel::InferenceScope) {
    /// scope.record_attributes([("app.cache.hit", true)]);
    /// # }
    /// ```
    pub fn record_attributes<A: IntoAttribute>(&self, attributes: impl IntoIterator<Item = A>) {
        let Some(core) = self.core_that_takes_attributes() else {
            return;
        };
        for attribute in attributes {
            let attribute = attribute.into_attribute();
            if !is_blank(attribute.key.as_str()) {
                core.set_free_attribute(attribute);
            }
        }
    }

    /// Sets the end time of the span, in place of the time at which the scope ends.
    ///
    /// As in the reference, this also works while scopes are switched off, because a started scope
    /// still ends.
    pub fn set_end_time(&self, end_time: SystemTime) {
        if let Some(core) = &self.core {
            core.set_end_time(end_time);
        }
    }

    /// Writes the ids of the span, and the baggage that [`Propagation::new`] allows, into the
    /// headers of a request, so that its receiver can continue the trace.
    ///
    /// Writes nothing if there is no span. For other baggage, use [`Propagation::inject`] with
    /// [`context`](Self::context).
    ///
    /// ```
    /// # fn example(scope: &agentspan_otel::ExecuteToolScope) {
    /// let mut headers = std::collections::HashMap::new();
    /// scope.inject_headers(&mut headers);
    /// // headers["traceparent"] is `00-{trace id}-{span id}-01`.
    /// # }
    /// ```
    pub fn inject_headers(&self, headers: &mut dyn Injector) {
        if let Some(context) = self.context_to_pass_on() {
            Propagation::new().inject(context, headers);
        }
    }

    /// The context that a message takes along. `None` while scopes are switched off.
    pub(crate) fn context_to_pass_on(&self) -> Option<&Context> {
        let core = self.core.as_ref().filter(|_| is_enabled());
        core.and_then(Core::context_with_ids)
    }

    /// The context of the scope's span, or where the scope was told to be without one.
    fn own_context(&self) -> Option<&Context> {
        let core = self.core.as_ref();
        core.map_or(self.told.as_ref(), Core::context)
    }

    /// Ends the span now. Later recordings are ignored, and so is a second call.
    pub fn end(&self) {
        if let Some(core) = &self.core {
            core.end();
        }
    }

    /// Whether recording has an effect: scopes are on, and the span is sampled and has not ended.
    #[must_use]
    pub fn is_recording(&self) -> bool {
        let span = self.core.as_ref().and_then(Core::recording);
        span.is_some_and(SharedSpan::is_recording)
    }

    /// The ids of the span; invalid ids if there is none.
    #[must_use]
    pub fn span_context(&self) -> SpanContext {
        match &self.core {
            Some(core) => core.span_context(),
            None => SpanContext::NONE,
        }
    }

    /// The context of the scope's start with the scope's span. Use it as the explicit parent of a
    /// child. If there is no span, it is the context that the builder was given as the parent, or
    /// else the current context.
    #[must_use]
    pub fn context(&self) -> Context {
        match self.own_context() {
            Some(context) => context.clone(),
            None => Context::current(),
        }
    }
}

impl<K> Clone for Scope<K> {
    fn clone(&self) -> Self {
        Self {
            core: self.core.clone(),
            told: self.told.clone(),
            kind: PhantomData,
        }
    }
}

/// Collects the attributes of an event.
#[derive(Default)]
pub(crate) struct EventAttributes(Vec<KeyValue>);

impl EventAttributes {
    pub(crate) fn into_attributes(self) -> Vec<KeyValue> {
        self.0
    }
}

impl AttributeVisitor for EventAttributes {
    fn visit(&mut self, key: &'static str, value: AttributeValue<'_>) {
        push_attribute(&mut self.0, key, value);
    }
}

/// Shows the ids, invalid ones before the span starts, and nothing that was recorded.
impl<K> Debug for Scope<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let span_context = self.core.as_ref().and_then(Core::ids);
        let span_context = span_context.unwrap_or(SpanContext::NONE);
        f.debug_struct("Scope")
            .field("trace_id", &span_context.trace_id())
            .field("span_id", &span_context.span_id())
            .finish_non_exhaustive()
    }
}

/// Keeps the span of a scope current on this thread until it is dropped, see [`Scope::enter`].
#[derive(Debug)]
#[must_use = "the span is current until the guard is dropped"]
pub struct ActiveScope<'a> {
    context: Option<ThreadBound<ContextGuard>>,
    core: Option<&'a Core>,
    entered_in_panic: bool,
}

impl Drop for ActiveScope<'_> {
    fn drop(&mut self) {
        self.context = None;
        if let Some(core) = self.core {
            if thread::panicking() && !self.entered_in_panic {
                core.record_panic();
            }
        }
    }
}

/// An argument of [`Scope::record_attributes`]: a [`KeyValue`] or a pair.
pub trait IntoAttribute {
    /// The attribute.
    fn into_attribute(self) -> KeyValue;
}

impl IntoAttribute for KeyValue {
    fn into_attribute(self) -> KeyValue {
        self
    }
}

impl<K: Into<Key>, V: Into<Value>> IntoAttribute for (K, V) {
    fn into_attribute(self) -> KeyValue {
        KeyValue::new(self.0, self.1)
    }
}
