//! The options that the builders of all scopes share.

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
        /// Sets the tenant. Its id takes precedence over the tenant id in the agent's details.
        pub fn with_tenant(
            mut self,
            tenant: impl Into<Option<&'a agentspan_model::agent365::TenantDetails>>,
        ) -> Self {
            self.known.tenant = tenant.into();
            self
        }

        /// Sets the tracer of the span, in place of the default.
        pub fn with_tracer(mut self, tracer: &'a $crate::ScopeTracer) -> Self {
            self.options.tracer = Some(tracer);
            self
        }

        /// Sets the context of the parent and the baggage, in place of the current context.
        /// [`Propagation::extract`](crate::Propagation::extract) reads the context from the headers
        /// of a request.
        pub fn with_parent(mut self, parent: &'a opentelemetry::Context) -> Self {
            self.options.parent = Some(parent);
            self
        }

        /// Sets the start time, in place of now.
        pub fn with_start_time(
            mut self,
            start_time: impl Into<Option<std::time::SystemTime>>,
        ) -> Self {
            self.options.start_time = start_time.into();
            self
        }

        /// Sets the end time, in place of the time at which the scope ends. After the start, use
        /// [`Scope::set_end_time`](crate::Scope::set_end_time).
        pub fn with_end_time(mut self, end_time: impl Into<Option<std::time::SystemTime>>) -> Self {
            self.options.end_time = end_time.into();
            self
        }

        /// Sets links to related spans of any trace.
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

/// The method for the agent, for scopes that may inherit it.
macro_rules! agent_option {
    ($sets:literal) => {
        #[doc = $sets]
        ///
        /// The default is the agent of the baggage or of the enclosing scope. This scope then also
        /// inherits the name, the description and the other details of the agent, unless they are
        /// set elsewhere.
        pub fn with_agent(
            mut self,
            agent: impl Into<Option<&'a agentspan_model::agent365::AgentDetails>>,
        ) -> Self {
            self.known.agent = agent.into();
            self
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

pub(crate) use {agent_option, span_kind_option, start_options};
