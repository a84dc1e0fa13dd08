//! Configures and installs the telemetry of a program.

use std::fmt;
use std::time::Duration;

use agentspan_agent365::{Delivery, DeliveryBuilder, TokenResolver};
use agentspan_discovery::{Environment, Switches};
use agentspan_model::agent365::{Identity, Profile};
use agentspan_model::keys;
use agentspan_model::mapping::{ContentCapture, Rendering};
use agentspan_otel::scopes::set_enabled;
use agentspan_otel::{
    AgentMetrics, ConsoleExporter, ExportQueue, OtelBridge, ScopeTracer, has_default_tracer,
    set_default_tracer,
};
use agentspan_processor::{BackgroundQueue, SpanProcessor};
use agentspan_queue::contain::{self, Panicked};
use opentelemetry::metrics::{Meter, MeterProvider};
use opentelemetry::trace::noop::NoopTracerProvider;
use opentelemetry::{KeyValue, global};
use opentelemetry_sdk::trace::{SdkTracerProvider, TracerProviderBuilder};

use self::switches::{EffectiveSwitches, ScopeSwitch, is_sdk_disabled, missing, warn_of};
use crate::agent_spec::AgentSpec;
use crate::agent365_status::Agent365Status;
use crate::batch_variables::BatchVariables;
use crate::counts;
use crate::destination::Destination;
use crate::destination_names::DestinationNames;
use crate::environment::{identity, warn_of_disagreement, warn_of_refused, warn_of_unknown_words};
use crate::environment_destinations::{self, capture};
use crate::install_error::InstallError;
use crate::metrics::{self, MetricsChoice};
use crate::propagators::propagation;
use crate::provider_settings::{resource, with_sampler_and_limits};
use crate::setup_log::Unheard;
use crate::sidecar::Sidecar;
use crate::span_processor::AgentSpanProcessor;
use crate::telemetry::{Pipeline, Telemetry};

mod switches;

/// By default, how long the drop of the guard blocks if there was no shutdown.
const FLUSH_ON_DROP: Duration = Duration::from_secs(2);

type Customise = Box<dyn FnOnce(TracerProviderBuilder) -> TracerProviderBuilder>;

/// Starts to configure the telemetry of this program. Nothing happens before
/// [`install`](Configuration::install).
pub fn configure() -> Configuration {
    Configuration {
        attributes: Vec::new(),
        switches: None,
        environment: None,
        profile: None,
        delivery: None,
        sidecar: None,
        destinations: Vec::new(),
        agent_spec_processors: Vec::new(),
        capture: None,
        rendering: None,
        identity: None,
        remote_identity: RemoteIdentity::Ignored,
        console: ConsoleExporter::new(),
        metrics: MetricsChoice::Off,
        flush_on_drop: FLUSH_ON_DROP,
        customise: None,
    }
}

/// The configuration of a program's telemetry.
///
/// # Decisions to make
///
/// - **Who the program is**: [`with_service_name`](Self::with_service_name) and
///   [`with_service_namespace`](Self::with_service_namespace). The fallbacks are
///   `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES`.
/// - **Whether spans go to Agent 365**: [`with_token_resolver`](Self::with_token_resolver), or
///   [`with_delivery`](Self::with_delivery) to change the defaults, or
///   [`with_sidecar`](Self::with_sidecar).
/// - **Where else they go**: [`with_destination`](Self::with_destination), once per destination,
///   and [`with_agent_spec_processor`](Self::with_agent_spec_processor) for Agent Spec traces. If
///   spans do not go to Agent 365 and there is no destination, the console shows them, also beside
///   such a processor, unless `OTEL_TRACES_EXPORTER=none`.
/// - **Whether it is on**: environment variables decide, or
///   [`with_switches_on`](Self::with_switches_on). `OTEL_SDK_DISABLED=true` switches everything
///   off, and takes precedence over the code.
/// - **Contents** are masked. [`with_content_capture`](Self::with_content_capture) and
///   [`Destination::with_disclosure`] show them.
/// - **Metrics** are off, unless you call [`with_metrics`](Self::with_metrics).
/// - **The end**: a shutdown, or the drop of the guard, which blocks for up to 2 seconds
///   ([`with_flush_on_drop`](Self::with_flush_on_drop)).
///
/// Finish with [`install`](Self::install), or with [`into_processor`](Self::into_processor) for
/// your own provider. If a setting is made twice, the last call takes effect; destinations,
/// processors and attributes add up. `docs/configuration.md` has the table of all settings and
/// variables.
#[must_use = "nothing happens before `install`"]
pub struct Configuration {
    attributes: Vec<KeyValue>,
    switches: Option<EffectiveSwitches>,
    environment: Option<Environment>,
    profile: Option<Profile>,
    delivery: Option<DeliveryBuilder>,
    sidecar: Option<Sidecar>,
    destinations: Vec<Destination>,
    agent_spec_processors: Vec<(String, BackgroundQueue)>,
    capture: Option<ContentCapture>,
    rendering: Option<Rendering>,
    identity: Option<Identity>,
    remote_identity: RemoteIdentity,
    console: ConsoleExporter,
    metrics: MetricsChoice,
    flush_on_drop: Duration,
    customise: Option<Customise>,
}

#[derive(Clone, Copy, Debug)]
enum RemoteIdentity {
    Ignored,
    Trusted,
}

impl Configuration {
    /// The name of the service, `service.name` of the resource.
    pub fn with_service_name(self, name: impl Into<String>) -> Self {
        self.with_resource_attribute(keys::SERVICE_NAME, name.into())
    }

    /// The namespace of the service, `service.namespace` of the resource.
    pub fn with_service_namespace(self, namespace: impl Into<String>) -> Self {
        self.with_resource_attribute(keys::SERVICE_NAMESPACE, namespace.into())
    }

    /// Adds an attribute of the resource, which describes the program. Every export includes it.
    pub fn with_resource_attribute(
        mut self,
        key: &'static str,
        value: impl Into<opentelemetry::Value>,
    ) -> Self {
        self.attributes.push(KeyValue::new(key, value));
        self
    }

    /// Sets the generation of the Agent 365 contract for scopes and baggage, and for the delivery
    /// or the sidecar, whose own setting it overrides. The default is the profile of the delivery
    /// or the sidecar. If there is neither, the default is [`Profile::V0_1`].
    ///
    /// The profile does not affect other destinations, see [`Destination::with_rendering`].
    ///
    /// ```
    /// use agentspan::Profile;
    ///
    /// // For a new integration; the default, `V0_1`, serves tenants that have views of its words.
    /// let configuration = agentspan::configure().with_profile(Profile::V3);
    /// # drop(configuration);
    /// ```
    pub fn with_profile(mut self, profile: Profile) -> Self {
        self.profile = Some(profile);
        self
    }

    /// Delivers spans to Agent 365, with this token resolver and the defaults of
    /// [`Delivery::builder`].
    pub fn with_token_resolver(self, resolver: impl TokenResolver) -> Self {
        self.with_delivery(Delivery::builder(resolver))
    }

    /// Delivers spans to Agent 365 with the settings of this builder, such as cluster, timeouts,
    /// limits and profile.
    pub fn with_delivery(mut self, delivery: DeliveryBuilder) -> Self {
        self.delivery = Some(delivery);
        self
    }

    /// Delivers spans to Agent 365 through a collector beside the program, instead of directly. The
    /// delivery, the token resolver and the switch `ENABLE_A365_OBSERVABILITY_EXPORTER` are then
    /// ignored, as in the reference 2.0.0.
    ///
    /// If you do not call this, `ENABLE_A365_OBSERVABILITY_SIDECAR` decides.
    pub fn with_sidecar(mut self, sidecar: Sidecar) -> Self {
        self.sidecar = Some(sidecar);
        self
    }

    /// Adds a destination for spans. Destinations, Agent 365 included, are isolated from each
    /// other.
    pub fn with_destination(mut self, destination: Destination) -> Self {
        self.destinations.push(destination);
        self
    }

    /// Adds an Agent Spec processor that observes the traces of [`Telemetry::trace`]. Reports use
    /// the name.
    ///
    /// Its hooks run behind a [`BackgroundQueue`], so they delay neither the program nor other
    /// destinations. The queue calls the asynchronous hooks, whose default calls the synchronous
    /// ones, on a thread [without a runtime](agentspan_processor::HookFuture#without-a-runtime). Its
    /// [`disclosure`](SpanProcessor::disclosure) decides whether it sees contents. To select spans,
    /// wrap it in a [`Filter`](agentspan_processor::Filter).
    pub fn with_agent_spec_processor(
        mut self,
        name: impl Into<String>,
        processor: impl SpanProcessor + 'static,
    ) -> Self {
        let queue = BackgroundQueue::new(processor);
        self.agent_spec_processors.push((name.into(), queue));
        self
    }

    /// Sets whether contents of the traces of [`Telemetry::trace`] become part of OpenTelemetry
    /// spans: prompts, answers, arguments, the prompts and settings of components. The default is
    /// the value of `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT`. If it is unset, contents
    /// are captured only if the single destination is a console
    /// [with contents](ConsoleExporter::with_contents).
    ///
    /// This is the upper limit for all destinations of spans. Except for Agent 365, a destination
    /// shows contents only if [`Destination::with_disclosure`] allows it, too.
    pub fn with_content_capture(mut self, capture: ContentCapture) -> Self {
        self.capture = Some(capture);
        self
    }

    /// Sets the vocabulary of the metrics, and of all destinations without a rendering of their
    /// own. The default is [`Rendering::GenAiV0_1`] if `OTEL_SEMCONV_STABILITY_OPT_IN` has
    /// `gen_ai_latest_experimental` in its list, and otherwise [`Rendering::GenAi`], which
    /// receivers read today.
    pub fn with_default_rendering(mut self, rendering: Rendering) -> Self {
        self.rendering = Some(rendering);
        self
    }

    /// Reads variables from `environment` instead of the environment of the process. Use it in tests,
    /// and in programs that get their settings from elsewhere.
    ///
    /// It does not reach `Destination::otlp_http` and `otlp_grpc`, which have read the environment of
    /// the process by then.
    pub fn with_environment(mut self, environment: &Environment) -> Self {
        self.environment = Some(environment.clone());
        self
    }

    /// Switches scopes and the delivery to Agent 365 on, and takes precedence over
    /// `ENABLE_OBSERVABILITY` and `ENABLE_A365_OBSERVABILITY_EXPORTER`. Traces of
    /// [`Telemetry::trace`] and plain spans need no switch. `OTEL_SDK_DISABLED=true` still switches
    /// everything off.
    pub fn with_switches_on(mut self) -> Self {
        self.switches = Some(EffectiveSwitches {
            scopes: ScopeSwitch::On,
            exporter: true,
        });
        self
    }

    /// Sets the fallback identity: the tenant and the agent of spans that have none, neither of
    /// their own nor from baggage or an enclosing scope. Use it in a program that runs a single
    /// agent, whose framework creates the spans. Scopes do not use it, because they name their own
    /// tenant and agent. The default is `A365_TENANT_ID` and `A365_AGENT_ID`. If one of them is
    /// unset, a span without an identity does not go to Agent 365.
    ///
    /// ```
    /// use agentspan::model::agent365::Identity;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let configuration = agentspan::configure().with_identity(Identity::parse("tenant-1", "agent-1")?);
    /// # drop(configuration);
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_identity(mut self, identity: Identity) -> Self {
        self.identity = Some(identity);
        self
    }

    /// Accepts everything from any baggage, also from the header of a request: the tenant, the
    /// agent, its user, and the people who call. By default, all that says who takes part is
    /// accepted only from baggage that this process set.
    ///
    /// Use this only if untrusted callers cannot reach the service: the sender of a header decides
    /// which tenant and agent get the spans, and with the token of which user of the agent.
    pub fn with_trusted_remote_identity(mut self) -> Self {
        self.remote_identity = RemoteIdentity::Trusted;
        self
    }

    /// Sets the console that is the fallback if spans do not go to Agent 365 and there is no other
    /// destination. An Agent Spec processor is none. The default is [`ConsoleExporter::new`], which
    /// masks contents. To see contents during development, pass a console that shows them:
    ///
    /// ```
    /// use agentspan::otel::ConsoleExporter;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let console = ConsoleExporter::new().with_contents();
    /// let telemetry = agentspan::configure().with_console(console).install()?;
    /// # drop(telemetry);
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_console(mut self, console: ConsoleExporter) -> Self {
        self.console = console;
        self
    }

    /// Records metrics with your meter provider. By default, nothing is measured, which costs
    /// nothing.
    ///
    /// [`AgentMetrics`](agentspan_otel::AgentMetrics) records the duration and the tokens of
    /// operations, for scopes and for Agent Spec spans.
    /// [`ExportMetrics`](agentspan_otel::ExportMetrics) shows how many spans each destination
    /// accepted, exported, dropped and holds, as long as the guard or the processor lives.
    ///
    /// At the end, shut down the telemetry, then the meter provider, then drop the guard. In this
    /// order, the last collection includes the outcome of every span.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use opentelemetry_sdk::metrics::SdkMeterProvider;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let meters = SdkMeterProvider::builder().build(); // with a reader of your choice
    /// let telemetry = agentspan::configure().with_metrics(&meters).install()?;
    ///
    /// telemetry.shutdown(Duration::from_secs(5))?;
    /// meters.shutdown()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_metrics(mut self, provider: &impl MeterProvider) -> Self {
        self.metrics = MetricsChoice::of(provider);
        self
    }

    /// Like [`with_metrics`](Self::with_metrics), but with OpenTelemetry's global meter provider.
    /// Set the global provider before you install the telemetry.
    pub fn with_global_metrics(mut self) -> Self {
        self.metrics = MetricsChoice::Global;
        self
    }

    /// Sets how long the drop of the guard blocks to send queued spans, if there was no shutdown
    /// before, for example because the program returns early with `?` or panics. The default is 2
    /// seconds.
    ///
    /// With [`Duration::ZERO`], the drop never blocks. It then starts to send the queued spans,
    /// logs how many there are, and leaves the telemetry running.
    pub fn with_flush_on_drop(mut self, timeout: Duration) -> Self {
        self.flush_on_drop = timeout;
        self
    }

    /// Changes the provider that [`install`](Self::install) builds: its sampler, its limits, more
    /// processors and exporters. Several calls apply in their order. The sampler and the limits
    /// start with the values of the environment. The closure is not called if `OTEL_SDK_DISABLED`
    /// switches the SDK off.
    pub fn with_provider(
        mut self,
        customise: impl FnOnce(TracerProviderBuilder) -> TracerProviderBuilder + 'static,
    ) -> Self {
        self.customise = Some(match self.customise {
            Some(before) => Box::new(move |builder| customise(before(builder))),
            None => Box::new(customise),
        });
        self
    }

    /// Builds a provider, and makes it OpenTelemetry's global provider and the provider of all
    /// scopes.
    ///
    /// Keep the guard: it flushes, shuts down and counts. If a missing switch or token resolver
    /// keeps spans from Agent 365, one warning names it, and so does [`Telemetry::agent365`]. There
    /// is no warning about Agent 365 unless the program configures a delivery or the environment
    /// sets `ENABLE_A365_OBSERVABILITY_EXPORTER`. If scopes are off because neither the code nor the
    /// environment decides about them, the first scope that starts logs one warning.
    ///
    /// With `OTEL_SDK_DISABLED=true` in the environment, nothing is recorded or sent, no
    /// destination is created, and no thread is started. The variable takes precedence over the
    /// code. Calls to scopes, traces and tracers do nothing, and the context of an incoming request
    /// still propagates to outgoing requests. One warning says so.
    ///
    /// # Errors
    ///
    /// [`InstallError::AlreadyInstalled`] at the second call in a process, and if a default tracer
    /// of scopes is already set. [`InstallError::Delivery`] if a setting of the delivery is
    /// invalid. [`InstallError::Thread`] if the system refuses the thread of a destination.
    /// [`InstallError::Environment`] if a destination that the environment asks for cannot be
    /// created. [`InstallError::Sidecar`] if the sidecar cannot be used. [`InstallError::Name`] if
    /// the name of a destination would break a line of a log. [`InstallError::Panicked`] if the code of
    /// the program, such as a processor, panics during the call.
    pub fn install(mut self) -> Result<Telemetry, InstallError> {
        let environment = self.read_environment();
        if is_sdk_disabled(&environment) {
            return self.install_nothing(&environment);
        }
        warn_of_refused(&environment);
        warn_of_unknown_words(&environment);
        warn_of_disagreement(&environment);
        self.identity = self.identity.or_else(|| identity(&environment));
        let customise = self.customise.take();
        let resource = resource(&environment, std::mem::take(&mut self.attributes));
        let mut agent_spec_processors = std::mem::take(&mut self.agent_spec_processors);
        let capture = self.capture.or_else(|| capture(&environment));
        self.sidecar = self.effective_sidecar(&environment);
        let switches = self.effective_switches(&environment);
        let profile = self.profile();
        let flush_on_drop = self.flush_on_drop;
        let meter = std::mem::take(&mut self.metrics);
        let meter = foreign(|| meter.meter())?;
        let processor = || self.processor(switches, &environment, meter.as_ref());
        let (processor, missing) = foreign(processor)??;
        let taken = processor.report().destinations.into_iter();
        let mut names: DestinationNames = taken.map(|destination| destination.name).collect();
        for (name, _) in &mut agent_spec_processors {
            *name = names.take(name)?;
        }
        let agent365 = processor.agent365();
        let default_capture = processor.default_capture();
        let delivery = processor.delivery().cloned();
        let queues = processor.queues().to_vec();
        let done_by_guard = processor.done_by_guard();
        let unheard = processor.unheard().clone();
        let builder = SdkTracerProvider::builder();
        let (builder, max_attributes) = with_sampler_and_limits(builder, &environment);
        let builder = OtelBridge::prepare(builder).with_resource(resource);
        let is_customised = customise.is_some();
        // A customised provider may have more processors, or other limits.
        let processor = match is_customised {
            true => processor,
            false => processor.with_attributes_beside(max_attributes),
        };
        let builder = builder.with_span_processor(processor);
        let customised = || match customise {
            Some(customise) => customise(builder),
            None => builder,
        };
        let provider = foreign(|| customised().build())?;
        let capture = capture.unwrap_or(default_capture);
        let bridge = OtelBridge::new(&provider).with_capture(capture);
        // Processors and filters that look at the span itself need attributes; our destinations
        // need none.
        let bridge = if is_customised || queues.iter().any(ExportQueue::has_filter) {
            bridge.with_records()
        } else {
            bridge.with_records_only()
        };
        let agent_spec = AgentSpec::new(bridge, agent_spec_processors);
        let metrics = foreign(|| {
            let delivery = delivery.as_ref();
            metrics::of_destinations(meter.as_ref(), delivery, &queues, &agent_spec)
        })?;

        set_default_tracer(ScopeTracer::with_profile(&provider, profile))
            .map_err(|_| InstallError::AlreadyInstalled)?;
        switches.scopes.set();
        // It drops the one before, with processors that may be anybody's.
        let _ = contain::call(|| global::set_tracer_provider(provider.clone()));
        warn_of(missing, agent365);
        let pipeline = Pipeline::new(
            (provider, done_by_guard),
            agent365,
            delivery,
            queues,
            agent_spec,
        );
        let pipeline = match is_customised {
            true => pipeline,
            false => pipeline.without_others(),
        };
        let propagation = propagation(&environment);
        unheard.keep();
        let telemetry = Telemetry::new(pipeline, metrics, flush_on_drop).with_unheard(unheard);
        Ok(telemetry.with_propagation(propagation))
    }

    /// Installs a no-op SDK, as the specification of OpenTelemetry calls it. Drops the rest of the
    /// configuration.
    fn install_nothing(mut self, environment: &Environment) -> Result<Telemetry, InstallError> {
        self.sidecar = self.effective_sidecar(environment);
        set_default_tracer(ScopeTracer::of_global_provider(self.profile()))
            .map_err(|_| InstallError::AlreadyInstalled)?;
        set_enabled(false);
        // Its spans have the context of their parent, so that the trace of a caller goes on.
        let _ = contain::call(|| global::set_tracer_provider(NoopTracerProvider::new()));
        let flush_on_drop = self.flush_on_drop;
        // The dropped values may be foreign code.
        let _ = contain::call(move || drop(self));
        let propagation = propagation(environment);
        let unheard = Unheard::default();
        unheard.keep();
        let telemetry = Telemetry::new(Pipeline::disabled(), None, flush_on_drop);
        Ok(telemetry
            .with_propagation(propagation)
            .with_unheard(unheard))
    }

    /// Builds our processor for an application that builds its own provider. The environment
    /// decides whether scopes are on.
    ///
    /// Shut the provider down at the end of the program, because the default tracer of scopes keeps
    /// it alive. The provider decides the resource, the sampler and the limits. It also takes the
    /// processor, so keep clones of its [`delivery`](AgentSpanProcessor::delivery) and its
    /// [`queues`](AgentSpanProcessor::queues) to flush and to count. Agent Spec processors of the
    /// configuration are ignored: pass them to the traces. With `OTEL_SDK_DISABLED=true` in the
    /// environment, the processor does nothing, and scopes are off. Once a
    /// default tracer of scopes is set, the processor can switch scopes on, but not off: those of the
    /// first pipeline go on.
    ///
    /// ```
    /// use agentspan::otel::{ScopeTracer, set_default_tracer};
    /// use opentelemetry_sdk::trace::SdkTracerProvider;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let processor = agentspan::configure().into_processor()?;
    /// let provider = SdkTracerProvider::builder().with_span_processor(processor).build();
    /// set_default_tracer(ScopeTracer::new(&provider))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`InstallError::Delivery`] if a setting of the delivery is invalid. [`InstallError::Thread`]
    /// if the system refuses the thread of a destination. [`InstallError::Environment`] if a
    /// destination that the environment asks for cannot be created. [`InstallError::Sidecar`] if
    /// the sidecar cannot be used. [`InstallError::Name`] if the name of a destination would break a
    /// line of a log. [`InstallError::Panicked`] if the code of the program, such as a processor,
    /// panics during the call.
    pub fn into_processor(mut self) -> Result<AgentSpanProcessor, InstallError> {
        let environment = self.read_environment();
        if is_sdk_disabled(&environment) {
            set_enabled(false);
            let _ = contain::call(move || drop(self));
            return Ok(AgentSpanProcessor::disabled());
        }
        warn_of_refused(&environment);
        warn_of_unknown_words(&environment);
        warn_of_disagreement(&environment);
        self.identity = self.identity.or_else(|| identity(&environment));
        self.sidecar = self.effective_sidecar(&environment);
        let switches = self.effective_switches(&environment);
        let meter = std::mem::take(&mut self.metrics);
        let meter = foreign(|| meter.meter())?;
        let processor = || self.processor(switches, &environment, meter.as_ref());
        let (processor, missing) = foreign(processor)??;
        // Scopes that another pipeline of this process has switched on stay on.
        if switches.scopes == ScopeSwitch::On || !has_default_tracer() {
            switches.scopes.set();
        }
        warn_of(missing, processor.agent365());
        let (delivery, queues) = (processor.delivery(), processor.queues());
        let none = AgentSpec::disabled();
        let metrics =
            foreign(|| metrics::of_destinations(meter.as_ref(), delivery, queues, &none))?;
        processor.unheard().keep();
        Ok(processor.with_metrics(metrics))
    }

    fn read_environment(&mut self) -> Environment {
        let environment = self.environment.take();
        environment.unwrap_or_else(Environment::from_process)
    }

    /// Builds the rest, once the sidecar is known.
    fn effective_switches(&self, environment: &Environment) -> EffectiveSwitches {
        let is_asked_for = self.delivery.is_some() || self.sidecar.is_some();
        self.switches
            .unwrap_or_else(|| EffectiveSwitches::read(environment, self.profile(), is_asked_for))
    }

    fn effective_sidecar(&mut self, environment: &Environment) -> Option<Sidecar> {
        let of_delivery = self.delivery.as_ref().map(DeliveryBuilder::profile);
        let profile = self.profile.or(of_delivery);
        let sidecar = Sidecar::asked_for(self.sidecar.take(), profile, environment)?;
        Some(match self.profile {
            Some(profile) => sidecar.with_profile(profile),
            None => sidecar,
        })
    }

    /// The generation of the contract that the delivery follows, or the default one.
    fn profile(&self) -> Profile {
        match (self.profile, &self.sidecar, &self.delivery) {
            (Some(profile), _, _) => profile,
            (None, Some(sidecar), _) => sidecar.profile(),
            (None, None, Some(delivery)) => delivery.profile(),
            (None, None, None) => Profile::default(),
        }
    }

    /// The processor, and the missing switches and settings that keep spans from Agent 365.
    fn processor(
        self,
        switches: EffectiveSwitches,
        environment: &Environment,
        meter: Option<&Meter>,
    ) -> Result<(AgentSpanProcessor, Option<&'static str>), InstallError> {
        let profile = self.profile();
        let has_delivery = self.delivery.is_some();
        let mut destinations = self.destinations;
        let (agent365, delivery) = match (self.sidecar, switches.exporter, self.delivery) {
            (Some(sidecar), _, _) => {
                destinations.insert(0, sidecar.into_destination(environment)?);
                (Agent365Status::ThroughSidecar, None)
            }
            (None, true, Some(delivery)) => {
                let delivery = delivery.with_profile(profile).with_environment(environment);
                let delivery = delivery.with_rendering().build()?;
                (Agent365Status::Delivers, Some(delivery))
            }
            (None, true, None) => (Agent365Status::WithoutTokenResolver, None),
            (None, false, _) => (Agent365Status::WithoutSwitch, None),
        };
        destinations.extend(environment_destinations::destinations(environment)?);
        // Switches in code are for scopes as well: they do not ask for Agent 365.
        let is_asked_for = Switches::read(environment).exporter_enabled();
        let wants_agent365 = has_delivery || (is_asked_for && destinations.is_empty());
        let is_fallback_wanted = !environment_destinations::are_unwanted(environment);
        if delivery.is_none() && destinations.is_empty() && is_fallback_wanted {
            environment_destinations::warn_of_unused_receiver(environment);
            destinations.push(Destination::console(self.console));
        }
        let captures = match destinations.as_slice() {
            [only] if delivery.is_none() && only.is_console_with_contents() => {
                ContentCapture::SpanAndEvent
            }
            _ => ContentCapture::NoContent,
        };
        let of_agent365 = delivery.iter().map(|_| counts::AGENT365.to_owned());
        let mut names: DestinationNames = of_agent365.collect();
        let batches = BatchVariables::read(environment);
        let queues = destinations.into_iter();
        let rendering = self
            .rendering
            .unwrap_or_else(|| environment_destinations::rendering(environment));
        let queues = queues.map(|destination| {
            let destination = destination.with_default_rendering(rendering);
            start(destination.with_batch_variables(batches), &mut names)
        });
        let queues: Result<Vec<ExportQueue>, InstallError> = queues.collect();
        let metrics = meter.map(|meter| AgentMetrics::in_words_of(rendering, meter));
        let processor = AgentSpanProcessor::new(agent365, delivery, queues?, metrics);
        let processor = processor
            .with_profile(profile)
            .with_default_capture(captures);
        let processor = match &self.identity {
            Some(identity) => processor.with_identity(identity),
            None => processor,
        };
        let processor = match self.remote_identity {
            RemoteIdentity::Ignored => processor,
            RemoteIdentity::Trusted => processor.with_trusted_remote_identity(),
        };
        Ok((processor, missing(agent365, wants_agent365)))
    }
}

/// Calls foreign code, and isolates its panics.
fn foreign<T>(call: impl FnOnce() -> T) -> Result<T, InstallError> {
    contain::call(call).map_err(|Panicked { .. }| InstallError::Panicked)
}

fn start(
    destination: Destination,
    names: &mut DestinationNames,
) -> Result<ExportQueue, InstallError> {
    let name = names.take(destination.name())?;
    let destination = destination.with_name(&name);
    destination
        .start()
        .map_err(|source| InstallError::Thread { name, source })
}

impl fmt::Debug for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Configuration")
            .field("switches", &self.switches)
            .field("delivery", &self.delivery)
            .finish_non_exhaustive()
    }
}
