//! The future that runs the future of a caller in a span.
//!
//! It is written by hand because types of futures nest, and the compiler's `recursion_limit` bounds
//! their depth. An `async` function that awaits a future adds four types to the depth. Each run adds
//! only two: [`RunFuture`] and [`Phase`].

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use crate::context::{Active, Placed};
use crate::{Span, TraceError};

/// A value, or the panic that came instead.
type Caught<T> = Result<T, Box<dyn Any + Send>>;

/// How the future of the caller ended.
pub(crate) type Outcome<T, E> = Caught<Result<T, E>>;

/// A span that has started, its owner, and the input of the next step.
pub(crate) struct Started<O, S> {
    pub(crate) open: O,
    pub(crate) span: Span,
    pub(crate) state: S,
}

/// Makes a future that awaits these futures, one after the other: `start`, and the futures that
/// `before`, `body` and `after` make.
///
/// The span is current from the future of `before` on. A panic of `body` or of its future becomes an
/// [`Outcome`]. `body` borrows the value of `before`, and `after` gets it. If the future is dropped,
/// it drops the owner of the span last.
pub(crate) fn run<Start, P, F, End, O, S, K, T, E>(
    start: Start,
    before: impl FnOnce(S, Span) -> P,
    body: impl FnOnce(&K) -> F,
    after: impl FnOnce(O, Option<K>, Outcome<T, E>) -> End,
) -> impl Future<Output = Result<T, E>>
where
    Start: Future<Output = Result<Started<O, S>, TraceError>>,
    P: Future<Output = Result<K, TraceError>>,
    F: Future<Output = Result<T, E>>,
    End: Future<Output = Result<T, E>>,
    E: From<TraceError>,
{
    RunFuture {
        phase: Phase::Start { start },
        before: Some(before),
        rest: Some(Rest {
            body: Some(body),
            after,
            kept: None,
            open: None,
        }),
        placed: None,
    }
}

pin_project! {
    struct RunFuture<Start, P, F, End, O, K, Before, Body, After> {
        #[pin]
        phase: Phase<Start, P, F, End>,
        before: Option<Before>,
        rest: Option<Rest<O, K, Body, After>>,
        // None until the span has started, and for a span that was never made.
        placed: Option<Placed>,
    }

    /// What the future holds is dropped while the span is current.
    impl<Start, P, F, End, O, K, Before, Body, After> PinnedDrop
        for RunFuture<Start, P, F, End, O, K, Before, Body, After>
    {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let _off = this.placed.as_mut().map(Placed::put_on);
            // A variable, so that this is where it is dropped even if the drop of the phase panics.
            let _rest = this.rest.take();
            this.phase.set(Phase::Done);
        }
    }
}

pin_project! {
    #[project = PhaseProjection]
    enum Phase<Start, P, F, End> {
        Start { #[pin] start: Start },
        Before { #[pin] before: P },
        Body { #[pin] body: F },
        End { #[pin] end: End },
        Done,
    }
}

/// What the later phases need. Dropped in this order: the owner ends the span.
struct Rest<O, K, Body, After> {
    body: Option<Body>,
    after: After,
    kept: Option<K>,
    open: Option<O>,
}

impl<Start, P, F, End, O, S, K, T, E, Before, Body, After> Future
    for RunFuture<Start, P, F, End, O, K, Before, Body, After>
where
    Start: Future<Output = Result<Started<O, S>, TraceError>>,
    P: Future<Output = Result<K, TraceError>>,
    F: Future<Output = Result<T, E>>,
    End: Future<Output = Result<T, E>>,
    Before: FnOnce(S, Span) -> P,
    Body: FnOnce(&K) -> F,
    After: FnOnce(O, Option<K>, Outcome<T, E>) -> End,
    E: From<TraceError>,
{
    type Output = Result<T, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T, E>> {
        let mut this = self.project();
        if let PhaseProjection::Start { start } = this.phase.as_mut().project() {
            let started = ready!(start.poll(cx));
            this.phase.set(Phase::Done);
            let Started { open, span, state } = started?;
            if let (Some(before), Some(rest)) = (this.before.take(), this.rest.as_mut()) {
                rest.open = Some(open);
                if !span.is_absent() {
                    *this.placed = Some(Placed::new(Active::Span(span.clone())));
                }
                let before = before(state, span);
                this.phase.set(Phase::Before { before });
            }
        }
        let off = this.placed.as_mut().map(Placed::put_on);
        let polled = poll_in_span(this.phase, this.rest, cx);
        if let (true, Some(off)) = (polled.is_ready(), off) {
            // As in `InSpan`.
            off.leave_above();
        }
        polled
    }
}

fn poll_in_span<Start, P, F, End, O, K, T, E, Body, After>(
    mut phase: Pin<&mut Phase<Start, P, F, End>>,
    rest: &mut Option<Rest<O, K, Body, After>>,
    cx: &mut Context<'_>,
) -> Poll<Result<T, E>>
where
    P: Future<Output = Result<K, TraceError>>,
    F: Future<Output = Result<T, E>>,
    End: Future<Output = Result<T, E>>,
    Body: FnOnce(&K) -> F,
    After: FnOnce(O, Option<K>, Outcome<T, E>) -> End,
    E: From<TraceError>,
{
    loop {
        let outcome = match phase.as_mut().project() {
            PhaseProjection::Before { before } => match ready!(before.poll(cx)) {
                Ok(kept) => match rest.as_mut().and_then(|rest| rest.make_body(kept)) {
                    Some(Ok(body)) => {
                        phase.set(Phase::Body { body });
                        continue;
                    }
                    Some(Err(payload)) => Err(payload),
                    None => return Poll::Pending,
                },
                Err(error) => Ok(Err(error.into())),
            },
            PhaseProjection::Body { body } => ready!(poll_caught(body, cx)),
            PhaseProjection::End { end } => {
                let result = ready!(end.poll(cx));
                phase.set(Phase::Done);
                return Poll::Ready(result);
            }
            // Not polled after it was ready.
            PhaseProjection::Start { .. } | PhaseProjection::Done => return Poll::Pending,
        };
        // If the drop of the phase panics, the owner is dropped by this panic.
        let rest = rest.take();
        phase.set(Phase::Done);
        if let Some(end) = rest.and_then(|rest| rest.make_end(outcome)) {
            phase.set(Phase::End { end });
        }
    }
}

impl<O, K, Body, After> Rest<O, K, Body, After> {
    /// `None` only if it was called before.
    fn make_body<F>(&mut self, kept: K) -> Option<Caught<F>>
    where
        Body: FnOnce(&K) -> F,
    {
        let body = self.body.take()?;
        let kept = self.kept.insert(kept);
        Some(catch_unwind(AssertUnwindSafe(|| body(kept))))
    }

    /// `None` only if nothing has started.
    fn make_end<T, E, End>(self, outcome: Outcome<T, E>) -> Option<End>
    where
        After: FnOnce(O, Option<K>, Outcome<T, E>) -> End,
    {
        Some((self.after)(self.open?, self.kept, outcome))
    }
}

/// Polls a future, and makes its panic a value.
fn poll_caught<F: Future>(future: Pin<&mut F>, cx: &mut Context<'_>) -> Poll<Caught<F::Output>> {
    match catch_unwind(AssertUnwindSafe(|| future.poll(cx))) {
        Ok(polled) => polled.map(Ok),
        Err(payload) => Poll::Ready(Err(payload)),
    }
}
