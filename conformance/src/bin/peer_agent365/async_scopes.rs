//! Runs a scenario as asynchronous code: the same steps, with an await after each.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use agentspan_otel::{Scope, ScopeFutureExt as _};
use opentelemetry::trace::{FutureExt as _, TraceContextExt as _};
use opentelemetry_sdk::trace::SdkTracer;
use tokio::task::yield_now;

use crate::scopes::{AnyScope, Recorder, Start, Step, ValueError, baggage, record, span};

/// A future that runs on one thread.
type LocalFuture<'a> = Pin<Box<dyn Future<Output = Result<(), ValueError>> + 'a>>;

/// Runs steps inside of `scope`, with `tracer` for the spans that are no scopes.
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
    scope: Option<Rc<dyn Recorder>>,
    tracer: &'a SdkTracer,
) -> LocalFuture<'a> {
    Box::pin(async move {
        for step in steps {
            run_step(step, scope.clone(), tracer).await?;
            yield_now().await;
        }
        Ok(())
    })
}

async fn run_step(
    step: &Step,
    scope: Option<Rc<dyn Recorder>>,
    tracer: &SdkTracer,
) -> Result<(), ValueError> {
    match step {
        Step::Baggage { calls, steps } => {
            let baggage = baggage(calls);
            run(steps, scope, tracer).with_baggage(&baggage).await
        }
        Step::Scope { start, steps } => run_scope(start, steps, tracer).await,
        Step::Span {
            name,
            kind,
            attributes,
            steps,
        } => {
            let context = span(name, kind, attributes, tracer);
            let result = run(steps, scope, tracer)
                .with_context(context.clone())
                .await;
            context.span().end();
            result
        }
        Step::Try { steps } => {
            // What was thrown is of interest to the scopes on its way only, and they have seen it.
            let _ = run(steps, scope, tracer).await;
            Ok(())
        }
        Step::Raise { message } => Err(ValueError(message.clone())),
        Step::Call(_) | Step::Attributes { .. } | Step::RecordError { .. } => {
            scope.iter().for_each(|scope| record(step, scope.as_ref()));
            Ok(())
        }
    }
}

async fn run_scope(start: &Start, steps: &[Step], tracer: &SdkTracer) -> Result<(), ValueError> {
    match start.scope() {
        AnyScope::InvokeAgent(scope) => in_scope(scope, steps, tracer).await,
        AnyScope::ExecuteTool(scope) => in_scope(scope, steps, tracer).await,
        AnyScope::Inference(scope) => in_scope(scope, steps, tracer).await,
    }
}

async fn in_scope<K: 'static>(
    scope: Scope<K>,
    steps: &[Step],
    tracer: &SdkTracer,
) -> Result<(), ValueError>
where
    Scope<K>: Recorder,
{
    scope
        .run(|scope| run(steps, Some(Rc::new(scope)), tracer))
        .await
}
