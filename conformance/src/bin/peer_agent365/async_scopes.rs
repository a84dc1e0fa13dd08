//! Runs a scenario as asynchronous code: the same steps, with an await after each.

use std::future::Future;
use std::pin::Pin;

use agentspan_otel::ScopeFutureExt as _;
use conformance::LiveScope;
use opentelemetry::trace::{FutureExt as _, TraceContextExt as _};
use tokio::task::yield_now;

use crate::scopes::{Step, Tracers, ValueError, call};

/// A future that runs on one thread.
type LocalFuture<'a> = Pin<Box<dyn Future<Output = Result<(), ValueError>> + 'a>>;

/// Runs steps inside of `scope`.
///
/// # Errors
///
/// What a `raise` step threw and no `try` step caught.
///
/// # Cancel safety
///
/// Scopes that are open record a cancellation.
pub(crate) fn run<'a>(
    steps: &'a [Step],
    scope: Option<LiveScope>,
    tracers: &'a Tracers,
) -> LocalFuture<'a> {
    Box::pin(async move {
        for step in steps {
            run_step(step, scope.clone(), tracers).await?;
            yield_now().await;
        }
        Ok(())
    })
}

async fn run_step(
    step: &Step,
    scope: Option<LiveScope>,
    tracers: &Tracers,
) -> Result<(), ValueError> {
    match step {
        Step::Baggage { calls, steps } => {
            let baggage = tracers.baggage(calls)?;
            run(steps, scope, tracers).with_baggage(&baggage).await
        }
        Step::Scope { start, steps } => {
            let inner = tracers.scope(start, scope.as_ref())?;
            let work = run(steps, Some(inner.clone()), tracers);
            inner.run(work).await
        }
        Step::Span {
            name,
            kind,
            attributes,
            steps,
        } => {
            let context = tracers.span(name, kind, attributes);
            let result = run(steps, scope, tracers)
                .with_context(context.clone())
                .await;
            context.span().end();
            result
        }
        Step::Try { steps } => {
            // What was thrown is of interest to the scopes on its way only, and they have seen it.
            let _ = run(steps, scope, tracers).await;
            Ok(())
        }
        Step::Raise { message } => Err(ValueError(message.clone())),
        Step::Call { method, args } => call(scope.as_ref(), method, args),
    }
}
