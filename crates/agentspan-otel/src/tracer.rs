//! The tracers of scopes.

use std::sync::OnceLock;

use agentspan_model::agent365::Profile;
use opentelemetry::global;
use opentelemetry::trace::{SpanBuilder, Tracer, TracerProvider};
use opentelemetry::{Context, InstrumentationScope};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};

use crate::scope::span::StartedSpan;

static DEFAULT: OnceLock<ScopeTracer> = OnceLock::new();
static GLOBAL: ScopeTracer = ScopeTracer {
    profile: Profile::V0_1,
    source: Source::Global,
};

/// Creates the spans of scopes, with the attributes of a [`Profile`].
///
/// A scope uses the tracer of its builder, or else the tracer of [`set_default_tracer`], or else
/// OpenTelemetry's global provider. A tracer is cheap to clone.
///
/// ```
/// use agentspan_otel::ScopeTracer;
/// use opentelemetry_sdk::trace::SdkTracerProvider;
///
/// let provider = SdkTracerProvider::builder().build();
/// let tracer = ScopeTracer::new(&provider);
/// # let _ = tracer;
/// ```
#[derive(Clone, Debug)]
pub struct ScopeTracer {
    profile: Profile,
    source: Source,
}

#[derive(Clone, Debug)]
enum Source {
    Provider(SdkTracer),
    Global,
}

/// A default tracer is already set, and stays.
///
/// Set it once, where the program starts. Code that needs another tracer passes it to its scopes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a default tracer is already set")]
#[non_exhaustive]
pub struct DefaultTracerAlreadySet;

impl ScopeTracer {
    /// A tracer of `provider` for the default profile.
    #[must_use]
    pub fn new(provider: &SdkTracerProvider) -> Self {
        Self::with_profile(provider, Profile::default())
    }

    /// A tracer of `provider` for `profile`.
    #[must_use]
    pub fn with_profile(provider: &SdkTracerProvider, profile: Profile) -> Self {
        Self {
            profile,
            source: Source::Provider(provider.tracer_with_scope(instrumentation_scope(profile))),
        }
    }

    /// A tracer for `profile` that uses the global provider of OpenTelemetry at the start of each
    /// span.
    #[must_use]
    pub fn of_global_provider(profile: Profile) -> Self {
        Self {
            profile,
            source: Source::Global,
        }
    }

    /// The generation of the contract that the scopes follow.
    #[must_use]
    pub fn profile(&self) -> Profile {
        self.profile
    }

    pub(crate) fn start(&self, builder: SpanBuilder, parent: &Context) -> StartedSpan {
        match &self.source {
            Source::Provider(tracer) => {
                StartedSpan::Sdk(tracer.build_with_context(builder, parent))
            }
            Source::Global => {
                let scope = instrumentation_scope(self.profile);
                let tracer = global::tracer_with_scope(scope);
                StartedSpan::Boxed(tracer.build_with_context(builder, parent))
            }
        }
    }
}

/// Sets the tracer of all scopes without a tracer of their own.
///
/// # Errors
///
/// [`DefaultTracerAlreadySet`] if it was called before in this process.
pub fn set_default_tracer(tracer: ScopeTracer) -> Result<(), DefaultTracerAlreadySet> {
    DEFAULT.set(tracer).map_err(|_| DefaultTracerAlreadySet)
}

/// Whether this process has called [`set_default_tracer`].
#[must_use]
pub fn has_default_tracer() -> bool {
    DEFAULT.get().is_some()
}

/// The tracer of scopes without a tracer of their own.
pub(crate) fn default_tracer() -> &'static ScopeTracer {
    DEFAULT.get().unwrap_or(&GLOBAL)
}

fn instrumentation_scope(profile: Profile) -> InstrumentationScope {
    let (name, version) = profile.instrumentation_scope();
    InstrumentationScope::builder(name)
        .with_version(version)
        .build()
}
