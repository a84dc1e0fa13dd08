//! Executions of components: a span with the events of its start and its end, in one expression.

use std::borrow::Cow;
use std::fmt::{self, Display};
use std::future::Future;

use agentspan_model::agentspec::{
    Agent, EventDetails, Flow, Id, JsonObject, ManagerWorkers, Node, Swarm, Tool,
};
use serde::Serialize;

use crate::context::is_observed_here;
use crate::run_future::{self, Started};
use crate::span::{OpenSpan, SpanBuilder, end_after, started};
use crate::{Span, TraceError};

mod fields;
mod generation;
mod kinds;
mod recorded_stream;
mod values;

pub use fields::Fields;
pub use generation::{Generation, LlmGeneration, OpenGeneration};
pub use recorded_stream::RecordedStream;

use self::kinds::{Facts, Kind};
use self::values::{Side, object};

/// Executes an agent. See [`Execution`].
pub type AgentExecution = Execution<Agent>;
/// Executes a flow. See [`Execution`].
pub type FlowExecution = Execution<Flow>;
/// Executes a node of a flow. See [`Execution`].
pub type NodeExecution = Execution<Node>;
/// Executes a tool. See [`Execution`].
pub type ToolExecution = Execution<Tool>;
/// Executes a manager with workers. See [`Execution`].
pub type ManagerWorkersExecution = Execution<ManagerWorkers>;
/// Executes a swarm. See [`Execution`].
pub type SwarmExecution = Execution<Swarm>;

/// A component whose execution has a span. Only the components of Agent Spec implement it.
pub trait Executable: Kind {}

impl<C: Kind> Executable for C {}

/// Runs the code of a component in a span, with the start and end events of Agent Spec.
///
/// The span has the name of the component. Its first event holds the inputs, and its last event
/// holds the outputs: the value that the code returns. An `Err`, a panic or the drop of the future
/// becomes an `ExceptionRaised` event instead, as in [`SpanBuilder::run`]. If no processor observes
/// the trace, nothing is serialised.
///
/// Inputs and outputs can be any values that serialise. The fields of an object are recorded as they are. Any other
/// value is recorded under the name of the component's input or output if it declares exactly one, or else as
/// `input` or `output`; `()` and `None` stand for no value. A value that does not serialise is left out of the event,
/// with a warning in the log. The program gets the value in any case.
///
/// ```
/// use agentspan_model::agentspec::Tool;
/// use agentspan_processor::TraceError;
/// use agentspan_processor::execution::ToolExecution;
///
/// # fn main() -> Result<(), TraceError> {
/// # futures_executor::block_on(async {
/// let forecast = Tool::new("forecast");
/// let weather = ToolExecution::of(&forecast)
///     .with_inputs(&serde_json::json!({ "city": "Zürich" }))
///     .run(|_span| async { Ok::<_, TraceError>("sunny") })
///     .await?;
/// assert_eq!(weather, "sunny");
/// # Ok(())
/// # })
/// # }
/// ```
///
/// The span is a child of the current span. For other parents, names or events, use
/// [`Span::builder`]. For models, see [`LlmGeneration`].
#[must_use = "nothing is executed before `run` or `in_span`"]
pub struct Execution<C> {
    component: C,
    name: Option<Cow<'static, str>>,
    inputs: JsonObject,
    facts: Facts,
}

impl<C: Executable> Execution<C> {
    /// Creates an execution of this component. The component is shared, not copied.
    pub fn of(component: &C) -> Self {
        Self {
            component: component.clone(),
            name: None,
            inputs: JsonObject::new(),
            facts: Facts::default(),
        }
    }

    /// Sets the name of the span. The default is the name of the component.
    pub fn with_name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the inputs. By default, there are none.
    ///
    /// This call reads them, and only if a processor observes the current trace: start the trace first.
    pub fn with_inputs<T: Serialize + ?Sized>(mut self, inputs: &T) -> Self {
        if is_observed_here() {
            self.inputs = object(inputs, self.component.as_component(), Side::Inputs);
        }
        self
    }

    /// Runs a closure that returns a `Result`, and records its value as the outputs.
    ///
    /// # Errors
    ///
    /// The same as of [`SpanBuilder::in_span`].
    pub fn in_span<T, E>(self, body: impl FnOnce(&Span) -> Result<T, E>) -> Result<T, E>
    where
        T: Serialize,
        E: Display + From<TraceError> + 'static,
    {
        let span = Span::when_observed(|| self.builder());
        span.in_span(|span| {
            span.add_event_with(|| self.component.started(self.inputs.clone(), &self.facts))?;
            let outputs = body(span)?;
            span.add_event_with(|| self.ended(&outputs))?;
            Ok(outputs)
        })
    }

    /// Runs a future that returns a `Result`, and records its value as the outputs.
    ///
    /// # Errors
    ///
    /// The same as of [`SpanBuilder::run`].
    ///
    /// # Cancel safety
    ///
    /// The same as of [`SpanBuilder::run`].
    pub fn run<T, E, F>(self, body: impl FnOnce(Span) -> F) -> impl Future<Output = Result<T, E>>
    where
        T: Serialize,
        E: Display + From<TraceError> + 'static,
        F: Future<Output = Result<T, E>>,
    {
        run_future::run(
            self.start_async(),
            Self::tell_start,
            |(_, span): &(Self, Span)| body(span.clone()),
            |open, kept, outcome| {
                let last =
                    |(execution, span): (Self, Span), outputs| execution.tell_end(span, outputs);
                end_after(open, kept, outcome, last)
            },
        )
    }

    async fn start_async(self) -> Result<Started<OpenSpan, Self>, TraceError> {
        let open = Span::when_observed(|| self.builder()).start_async().await?;
        Ok(started(open, self))
    }

    async fn tell_start(self, span: Span) -> Result<(Self, Span), TraceError> {
        if span.is_observed() {
            let started = self.component.started(self.inputs.clone(), &self.facts);
            span.add_event_async(started).await?;
        }
        Ok((self, span))
    }

    async fn tell_end<T, E>(self, span: Span, outputs: T) -> Result<T, E>
    where
        T: Serialize,
        E: From<TraceError>,
    {
        if span.is_observed() {
            span.add_event_async(self.ended(&outputs)).await?;
        }
        Ok(outputs)
    }

    fn builder(&self) -> SpanBuilder {
        let name = match &self.name {
            Some(name) => name.clone(),
            None => self.component.as_component().name().to_owned().into(),
        };
        Span::builder(self.component.details()).with_name(name)
    }

    fn ended<T: Serialize>(&self, outputs: &T) -> EventDetails {
        let outputs = object(outputs, self.component.as_component(), Side::Outputs);
        self.component.ended(outputs, &self.facts)
    }
}

impl ToolExecution {
    /// Sets the id that links the request and the response, for instance the id of the model's tool
    /// call. The default is a random UUID.
    pub fn with_request_id(mut self, request_id: impl Into<Id>) -> Self {
        self.facts.set_request_id(request_id.into());
        self
    }
}

impl FlowExecution {
    /// Sets the branch that the flow ends with. The default is `next`.
    pub fn with_branch(mut self, branch: impl Into<String>) -> Self {
        self.facts.set_branch(branch.into());
        self
    }
}

impl NodeExecution {
    /// Sets the branch that the flow takes after the node. The default is `next`.
    ///
    /// If the node's code decides the branch, add the events to a span of [`Span::builder`].
    pub fn with_branch(mut self, branch: impl Into<String>) -> Self {
        self.facts.set_branch(branch.into());
        self
    }
}

/// Shows no inputs.
impl<C: Executable> fmt::Debug for Execution<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Execution")
            .field("component", self.component.as_component())
            .finish_non_exhaustive()
    }
}
