//! Wraps the layer of `tracing-opentelemetry`, and sets the context of each span.

use std::sync::OnceLock;

use opentelemetry::Context;
use opentelemetry::trace::TraceContextExt as _;
use tracing::dispatcher::WeakDispatch;
use tracing::span::{Attributes, Id, Record};
use tracing::{Dispatch, Event, Subscriber};
use tracing_opentelemetry::{OpenTelemetryLayer, get_otel_context};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context as LayerContext;
use tracing_subscriber::registry::LookupSpan;

use crate::ancestor::Ancestor;
use crate::choice::Choice;
use crate::tracer::LayerTracer;

/// Tells the layer of `tracing-opentelemetry` of spans.
pub(crate) struct Capture<S> {
    inner: OpenTelemetryLayer<S, LayerTracer>,
    choice: Choice,
    /// The subscriber that this is part of.
    dispatch: OnceLock<WeakDispatch>,
}

impl<S> Capture<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    pub(crate) fn new(inner: OpenTelemetryLayer<S, LayerTracer>, choice: Choice) -> Self {
        Self {
            inner,
            choice,
            dispatch: OnceLock::new(),
        }
    }

    /// The context of the span that `id` belongs to by the rules of `tracing`, if OpenTelemetry's current context
    /// is not the one.
    fn other_parent(
        &self,
        attributes: &Attributes<'_>,
        id: &Id,
        context: &LayerContext<'_, S>,
    ) -> Option<Context> {
        let follows_current = attributes.is_root()
            || (attributes.is_contextual() && Context::map_current(Context::has_active_span));
        if follows_current {
            return None;
        }
        // Past spans that the filter withholds. Where a task runs in one of those, nothing is current.
        let parent = context.span(id)?.parent()?;
        let dispatch = self.dispatch.get()?.upgrade()?;
        let found = get_otel_context(&parent.id(), &dispatch)?;
        found.has_active_span().then_some(found)
    }
}

impl<S> Layer<S> for Capture<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn on_register_dispatch(&self, dispatch: &Dispatch) {
        // A subscriber that is registered twice is the same one.
        let _ = self.dispatch.set(dispatch.downgrade());
        self.inner.on_register_dispatch(dispatch);
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: LayerContext<'_, S>) {
        let other_parent = self.other_parent(attributes, id, &context);
        let may_be_ancestor = self.choice.may_be_ancestor(attributes.metadata());
        if attributes.is_contextual() && !may_be_ancestor && other_parent.is_none() {
            return self.inner.on_new_span(attributes, id, context);
        }
        let mut parent = other_parent.unwrap_or_else(Context::current);
        if may_be_ancestor {
            parent = Ancestor::add_to(&parent);
        } else {
            // A root by its own words keeps nothing open that is around it, and may start when that is over.
            Ancestor::note_start(&parent);
        }
        // The inner layer takes the current context for spans that are no roots by their own words.
        let _current = parent.attach();
        let contextual = Attributes::new(attributes.metadata(), attributes.values());
        self.inner.on_new_span(&contextual, id, context);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: LayerContext<'_, S>) {
        self.inner.on_record(id, values, context);
    }

    fn on_follows_from(&self, id: &Id, follows: &Id, context: LayerContext<'_, S>) {
        // The inner layer locks both spans, and would wait for itself for ever.
        if id != follows {
            self.inner.on_follows_from(id, follows, context);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: LayerContext<'_, S>) {
        self.inner.on_event(event, context);
    }

    fn on_enter(&self, id: &Id, context: LayerContext<'_, S>) {
        self.inner.on_enter(id, context);
    }

    fn on_exit(&self, id: &Id, context: LayerContext<'_, S>) {
        self.inner.on_exit(id, context);
    }

    fn on_close(&self, id: Id, context: LayerContext<'_, S>) {
        self.inner.on_close(id, context);
    }
}
