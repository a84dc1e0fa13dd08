//! What may be said about the span of every scope, and the builders' methods for it.

use std::time::SystemTime;

use opentelemetry::Context;
use opentelemetry::trace::{Link, SpanKind};

use crate::tracer::ScopeTracer;

/// Where a scope gets its span from, whose child it is, and what else its start may say.
#[derive(Clone, Debug, Default)]
pub(crate) struct StartOptions<'a> {
    pub(crate) tracer: Option<&'a ScopeTracer>,
    pub(crate) parent: Option<&'a Context>,
    pub(crate) kind: Option<SpanKind>,
    pub(crate) start_time: Option<SystemTime>,
    pub(crate) end_time: Option<SystemTime>,
    pub(crate) links: &'a [Link],
}

/// The methods that the builders of all scopes have.
macro_rules! start_options {
    ($kind:ty) => {
        /// The tracer that makes the span, in place of the default.
        pub fn with_tracer(mut self, tracer: &'a $crate::ScopeTracer) -> Self {
            self.options.tracer = Some(tracer);
            self
        }

        /// The context that gives parent and baggage, in place of the current one. That of a request's
        /// headers gives [`Propagation::extract`](crate::Propagation::extract).
        pub fn with_parent(mut self, parent: &'a opentelemetry::Context) -> Self {
            self.options.parent = Some(parent);
            self
        }

        /// When the work began, in place of now.
        pub fn with_start_time(
            mut self,
            start_time: impl Into<Option<std::time::SystemTime>>,
        ) -> Self {
            self.options.start_time = start_time.into();
            self
        }

        /// When the work ended, in place of the moment at which the scope ends. Later there is
        /// [`Scope::set_end_time`](crate::Scope::set_end_time).
        pub fn with_end_time(mut self, end_time: impl Into<Option<std::time::SystemTime>>) -> Self {
            self.options.end_time = end_time.into();
            self
        }

        /// The spans, of any trace, that the work has to do with.
        pub fn with_links(mut self, links: &'a [opentelemetry::trace::Link]) -> Self {
            self.options.links = links;
            self
        }

        /// Starts the scope.
        #[must_use = "the scope ends when it is dropped"]
        pub fn start(self) -> $crate::Scope<$kind> {
            $crate::Scope::from_known(&self.known, self.options)
        }
    };
}

/// The method for the kind of the span, for scopes whose kind may be chosen.
macro_rules! span_kind_option {
    ($usual:literal) => {
        #[doc = concat!("The kind of the span. Default: `", $usual, "`.")]
        pub fn with_span_kind(
            mut self,
            kind: impl Into<Option<opentelemetry::trace::SpanKind>>,
        ) -> Self {
            self.options.kind = kind.into();
            self
        }
    };
}

pub(crate) use {span_kind_option, start_options};
