//! Futures that run inside a scope.

use std::fmt::{self, Debug, Display};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, ready};

use agentspan_queue::contain::{self, ThreadBound};
use opentelemetry::trace::{FutureExt as _, WithContext};
use opentelemetry::{Context, ContextGuard};
use pin_project_lite::pin_project;

use super::Scope;
use super::core::{Core, attach};
use super::deferred::Home;
use crate::baggage::RequestBaggage;

pin_project! {
    /// A future that runs inside a scope, see [`Scope::run`] and [`ScopeFutureExt`].
    ///
    /// # Cancel safety
    ///
    /// If it is dropped before it finishes, a cancellation is recorded, and the scope ends.
    #[must_use = "futures do nothing unless polled"]
    pub struct ScopedFuture<F>
    where
        F: Future,
    {
        #[pin]
        future: Option<F>,
        running: Running,
        record: fn(&Core, &F::Output),
    }

    impl<F> PinnedDrop for ScopedFuture<F>
    where
        F: Future,
    {
        // The values that the future holds are dropped inside the scope, as they lived inside it.
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            this.running.begin();
            let active = this.running.attach();
            this.future.set(None);
            drop(active);
        }
    }
}

impl<F: Future> ScopedFuture<F> {
    pub(crate) fn new(
        future: F,
        core: Option<Core>,
        home: Option<Home>,
        record: fn(&Core, &F::Output),
    ) -> Self {
        Self {
            future: Some(future),
            running: Running {
                core,
                given: None,
                home,
                baggage: Vec::new(),
                has_begun: false,
            },
            record,
        }
    }

    /// Runs the scope and the future in `context`: as children of its span, and with its baggage.
    ///
    /// The last call takes effect. If the span of the scope has already started, because a guard or
    /// its ids needed it, the scope keeps its parent, and a warning is logged.
    ///
    /// ```
    /// use agentspan_otel::{BaggageBuilder, InvokeAgentScope, Propagation};
    /// use opentelemetry::Context;
    /// # use agentspan_model::agent365::{AgentDetails, AgentId, InvokeAgentDetails, TenantDetails, TenantId};
    /// # async fn answer() -> Result<String, std::io::Error> { Ok(String::new()) }
    /// # async fn example(details: InvokeAgentDetails, tenant: TenantDetails) -> Result<(), std::io::Error> {
    ///
    /// let headers = [("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")];
    /// let caller = Propagation::new().extract_headers(&Context::new(), headers);
    /// let request = BaggageBuilder::request_context("tenant-1", "agent-1", "request-1");
    /// InvokeAgentScope::start(&details, &tenant)
    ///     .run(|_| answer())
    ///     .with_context(request.to_context(&caller))
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_context(mut self, context: Context) -> Self {
        self.running.warn_if_started();
        self.running.given = Some(context);
        self
    }

    /// Adds `baggage` to the context of the scope. If no context is current when the future is
    /// polled, this is the context in which the method is called.
    ///
    /// As with [`with_context`](Self::with_context), this has no effect on a scope whose span has
    /// started.
    pub fn with_baggage(mut self, baggage: &RequestBaggage) -> Self {
        self.running.warn_if_started();
        self.running.add_baggage(baggage);
        self
    }
}

impl<F: Future> Future for ScopedFuture<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<F::Output> {
        let this = self.project();
        let Some(future) = this.future.as_pin_mut() else {
            // Only a drop takes the future out, and nobody polls after it.
            return Poll::Pending;
        };
        this.running.begin();
        let polled = {
            let _active = this.running.attach();
            let unwinding = EndOnPanic(this.running.core.as_ref());
            let polled = future.poll(task);
            unwinding.disarm();
            polled
        };
        if let Poll::Ready(output) = &polled {
            if let Some(core) = this.running.core.take() {
                (this.record)(&core, output);
                core.end();
            }
        }
        polled
    }
}

impl<F: Future> Debug for ScopedFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopedFuture").finish_non_exhaustive()
    }
}

/// The scope of a future that is not done yet.
struct Running {
    core: Option<Core>,
    /// The context that the future was given.
    given: Option<Context>,
    /// Where a scope without a core was told to be, or else where the future was last told
    /// something of baggage.
    home: Option<Home>,
    /// The baggage that it was given.
    baggage: Vec<RequestBaggage>,
    has_begun: bool,
}

impl Running {
    fn warn_if_started(&self) {
        if self.core.as_ref().is_some_and(Core::has_started) {
            too_late();
        }
    }

    fn add_baggage(&mut self, baggage: &RequestBaggage) {
        let called_in = current();
        if let Some(core) = &self.core {
            core.move_home(&called_in);
        }
        if !self.is_told() {
            self.home = Some(Home::new(called_in));
        }
        self.baggage.push(baggage.clone());
    }

    fn is_told(&self) -> bool {
        self.home.as_ref().is_some_and(Home::is_told)
    }

    /// Starts the span, the first time.
    fn begin(&mut self) {
        if self.has_begun {
            return;
        }
        self.has_begun = true;
        let baggage = std::mem::take(&mut self.baggage);
        let with_baggage = |context: Context| {
            let baggage = baggage.iter();
            baggage.fold(context, |context, more| more.to_context(&context))
        };
        if let Some(core) = &self.core {
            let has_context = core.start_for_future(&|home| {
                let given = self.given.clone();
                with_baggage(given.unwrap_or_else(|| home.parent_in(&current())))
            });
            if has_context {
                return;
            }
        }
        // Without a span the future still runs where it was told to.
        if self.given.is_some() || !baggage.is_empty() || self.is_told() {
            let home = self.home.take();
            let home = home.unwrap_or_else(|| Home::new(Context::default()));
            let given = self.given.take();
            let context = given.unwrap_or_else(|| home.parent_in(&current()));
            self.given = Some(with_baggage(context));
        }
    }

    fn attach(&self) -> Option<ThreadBound<ContextGuard>> {
        let of_scope = self.core.as_ref().and_then(Core::context);
        attach(of_scope.or(self.given.as_ref())?)
    }
}

/// The context that is current on this thread. While the thread is torn down there may be none.
fn current() -> Context {
    contain::call(Context::current).unwrap_or_default()
}

#[cold]
fn too_late() {
    contain::log(|| {
        tracing::warn!(
            target: "agentspan::otel::scope",
            "a scope whose span has started keeps its parent and its baggage: give its future the \
             context before anybody enters the scope or asks for its ids"
        );
    });
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(core) = self.core.take() {
            core.record_cancellation(None);
            core.end();
        }
    }
}

/// Dropped while it is armed only when a panic passes through a poll.
struct EndOnPanic<'a>(Option<&'a Core>);

impl EndOnPanic<'_> {
    fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for EndOnPanic<'_> {
    fn drop(&mut self) {
        if let Some(core) = self.0 {
            core.record_panic();
            core.end();
        }
    }
}

pin_project! {
    /// A future that is made when it is first polled, as an `async` block would make it. But that
    /// would add more types around `F`, and the compiler bounds the depth of nested types.
    #[project = LazyProjection]
    pub(super) enum Lazy<M, F> {
        ToMake { make: Option<M> },
        Made { #[pin] future: F },
        Done,
    }
}

impl<M: FnOnce() -> F, F: Future> Lazy<M, F> {
    pub(super) const fn new(make: M) -> Self {
        Self::ToMake { make: Some(make) }
    }
}

impl<M: FnOnce() -> F, F: Future> Future for Lazy<M, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<F::Output> {
        loop {
            match self.as_mut().project() {
                LazyProjection::ToMake { make } => match make.take() {
                    Some(make) => {
                        let future = make();
                        self.set(Self::Made { future });
                    }
                    // Not polled after `make` has panicked.
                    None => return Poll::Pending,
                },
                LazyProjection::Made { future } => {
                    let output = ready!(future.poll(task));
                    self.set(Self::Done);
                    return Poll::Ready(output);
                }
                // Not polled after it was ready.
                LazyProjection::Done => return Poll::Pending,
            }
        }
    }
}

pub(crate) fn record_if_error<T, E: Display + 'static>(core: &Core, output: &Result<T, E>) {
    if let Err(error) = output {
        core.record_error(error, None);
    }
}

pub(crate) fn nothing_to_record<T>(_core: &Core, _output: &T) {}

/// Runs futures inside a scope or with baggage.
///
/// ```
/// # use agentspan_otel::{InferenceScope, ScopeFutureExt as _};
/// # async fn chat() -> Result<String, std::io::Error> { Ok(String::new()) }
/// # async fn example(scope: InferenceScope) -> Result<(), std::io::Error> {
/// let answer = chat().in_scope(scope).await?;
/// # Ok(())
/// # }
/// ```
pub trait ScopeFutureExt: Future + Sized {
    /// Runs the future inside `scope`, records its `Err`, and ends the scope.
    ///
    /// # Cancel safety
    ///
    /// The same as of [`Scope::run`].
    fn in_scope<K, T, E>(self, scope: Scope<K>) -> ScopedFuture<Self>
    where
        Self: Future<Output = Result<T, E>>,
        E: Display + 'static,
    {
        scope.around(self, record_if_error)
    }

    /// Runs the future, which returns no `Result`, inside `scope`, and ends the scope.
    ///
    /// # Cancel safety
    ///
    /// The same as of [`Scope::run`].
    fn in_scope_infallible<K>(self, scope: Scope<K>) -> ScopedFuture<Self> {
        scope.around(self, nothing_to_record)
    }

    /// Runs the future with `baggage`, added to the context in which the method is called.
    ///
    /// If the future runs in a scope, the scope has the baggage, too, in either order of the calls.
    fn with_baggage(self, baggage: &RequestBaggage) -> WithContext<Self> {
        self.with_context(baggage.to_context(&Context::current()))
    }
}

impl<F: Future> ScopeFutureExt for F {}
