//! Runs a scenario of scopes, spans and baggage with our crates.

use std::collections::HashMap;

use agentspan_otel::baggage::RequestBaggage;
use agentspan_otel::{BaggageBuilder, ScopeTracer};
use conformance::live_scope::{ScopeKind, Stop};
use conformance::typed_value::TypedPairs;
use conformance::vector_span::{NoSdkForm, key_values, span_kind};
use conformance::{BaggageCall, LiveScope};
use opentelemetry::trace::{SpanKind, TraceContextExt, Tracer};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::SdkTracer;
use serde::Deserialize;
use serde_json::{Value, json};

/// A scenario of `agent365-scenarios.json` or `agent365-v2-scenarios.json`.
#[derive(Debug, Deserialize)]
pub(crate) struct Scenario {
    pub(crate) name: String,
    pub(crate) steps: Vec<Step>,
}

/// One step; the driver of the reference package knows the same ones.
#[derive(Debug, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub(crate) enum Step {
    Baggage {
        calls: Vec<BaggageCall>,
        steps: Vec<Self>,
    },
    Scope {
        #[serde(flatten)]
        start: Start,
        steps: Vec<Self>,
    },
    Span {
        name: String,
        kind: Kind,
        attributes: Attributes,
        steps: Vec<Self>,
    },
    Call {
        method: String,
        args: Vec<Value>,
    },
    Try {
        steps: Vec<Self>,
    },
    Raise {
        message: String,
    },
}

/// What starts a scope.
#[derive(Debug, Deserialize)]
pub(crate) struct Start {
    scope: ScopeKind,
    args: Value,
    /// Whether its parent is known only by the headers that the enclosing scope writes.
    #[serde(default)]
    from_headers: bool,
}

/// Attributes of the SDK, written as typed pairs.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "TypedPairs")]
pub(crate) struct Attributes(Vec<KeyValue>);

impl TryFrom<TypedPairs> for Attributes {
    type Error = NoSdkForm;

    fn try_from(pairs: TypedPairs) -> Result<Self, NoSdkForm> {
        key_values(&pairs).map(Self)
    }
}

/// A kind of the SDK, written as its name.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Kind(SpanKind);

impl TryFrom<String> for Kind {
    type Error = NoSdkForm;

    fn try_from(name: String) -> Result<Self, NoSdkForm> {
        span_kind(&name).map(Self)
    }
}

/// What a `raise` step throws, named as the exception in Python is. A step that our crates refuse
/// throws it too, so that what arrives differs.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct ValueError(pub(crate) String);

impl From<Stop> for ValueError {
    fn from(stop: Stop) -> Self {
        Self(stop.to_string())
    }
}

/// What makes spans.
#[derive(Clone, Debug)]
pub(crate) struct Tracers {
    pub(crate) scopes: ScopeTracer,
    /// For the spans that are no scopes.
    pub(crate) spans: SdkTracer,
}

impl Tracers {
    /// The baggage that the setters collect.
    pub(crate) fn baggage(&self, calls: &[BaggageCall]) -> Result<RequestBaggage, ValueError> {
        let builder = BaggageBuilder::for_profile(self.scopes.profile());
        let mut calls = calls.iter();
        let builder = calls.try_fold(builder, |builder, call| call.apply(builder))?;
        Ok(builder.build())
    }

    /// The current context with an ordinary span in it.
    pub(crate) fn span(&self, name: &str, kind: &Kind, attributes: &Attributes) -> Context {
        let builder = self.spans.span_builder(name.to_owned());
        let builder = builder.with_kind(kind.0.clone());
        let builder = builder.with_attributes(attributes.0.clone());
        Context::current_with_span(builder.start(&self.spans))
    }

    /// Starts a scope inside of `outer`.
    pub(crate) fn scope(
        &self,
        start: &Start,
        outer: Option<&LiveScope>,
    ) -> Result<LiveScope, ValueError> {
        let mut args = start.args.clone();
        if let Some(outer) = outer.filter(|_| start.from_headers) {
            let mut headers = HashMap::new();
            outer.inject_headers(&mut headers);
            args["span_details"] = json!({ "parent_headers": headers });
            // As in another process, nothing is current there.
            let _nothing = Context::new().attach();
            return Ok(LiveScope::start(start.scope, &args, &self.scopes)?);
        }
        Ok(LiveScope::start(start.scope, &args, &self.scopes)?)
    }
}

/// Runs steps inside of `scope`.
///
/// # Errors
///
/// What a `raise` step threw and no `try` step caught.
pub(crate) fn run(
    steps: &[Step],
    scope: Option<&LiveScope>,
    tracers: &Tracers,
) -> Result<(), ValueError> {
    for step in steps {
        run_step(step, scope, tracers)?;
    }
    Ok(())
}

fn run_step(step: &Step, scope: Option<&LiveScope>, tracers: &Tracers) -> Result<(), ValueError> {
    match step {
        Step::Baggage { calls, steps } => {
            let baggage = tracers.baggage(calls)?;
            return baggage.in_baggage(|| run(steps, scope, tracers));
        }
        Step::Scope { start, steps } => {
            let inner = tracers.scope(start, scope)?;
            return inner.clone().in_scope(|| run(steps, Some(&inner), tracers));
        }
        Step::Span {
            name,
            kind,
            attributes,
            steps,
        } => {
            let context = tracers.span(name, kind, attributes);
            let result = {
                let _current = context.clone().attach();
                run(steps, scope, tracers)
            };
            context.span().end();
            return result;
        }
        Step::Try { steps } => {
            // What was thrown is of interest to the scopes on its way only, and they have seen it.
            let _ = run(steps, scope, tracers);
        }
        Step::Raise { message } => return Err(ValueError(message.clone())),
        Step::Call { method, args } => call(scope, method, args)?,
    }
    Ok(())
}

/// Calls a method of the scope, if there is one.
pub(crate) fn call(
    scope: Option<&LiveScope>,
    method: &str,
    args: &[Value],
) -> Result<(), ValueError> {
    match scope {
        Some(scope) => Ok(scope.call(method, args, false)?),
        None => Ok(()),
    }
}
