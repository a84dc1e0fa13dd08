//! Records the messages that an agent sends in a turn, as spans.

use std::fmt::Display;
use std::future::Future;

use agentspan_model::agent365::mapping::BaggageEntry;
use agentspan_model::agent365::{
    AgentDetails, AgentId, Request, Response, TenantDetails, TenantId, UserDetails,
};
use opentelemetry::{Context, Value as Attribute};

use super::hosting::{entries, is_agentic_role};
use super::{ChannelAccount, TurnActivity, TurnContext};
use crate::output_scope::OutputScope;
use crate::propagation::Propagation;
use crate::scope::future::ScopeFutureExt as _;
use crate::tracer::{ScopeTracer, default_tracer};

const MESSAGE: &str = "message";
const TRACEPARENT: &str = "traceparent";

/// Records the messages that an agent sends in a turn, in [`OutputScope`]s.
///
/// It takes the agent, the tenant, the person, the conversation and the channel from the first
/// activity of the turn, as the `OutputLoggingMiddleware` of `microsoft-opentelemetry` 1.5.0 does.
/// The messages are contents, so a destination that masks contents does not show them.
///
/// ```
/// use agentspan_otel::TurnContext;
/// use agentspan_otel::turn_context::{TurnActivity, OutputLog};
///
/// # async fn post(_: &[TurnActivity]) -> Result<(), std::io::Error> { Ok(()) }
/// # async fn example(turn: TurnContext) -> Result<(), std::io::Error> {
/// let answer = [TurnActivity::message("It will rain.")];
/// match OutputLog::of(&turn) {
///     Some(log) => log.run(&answer, post(&answer)).await?,
///     None => post(&answer).await?,
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct OutputLog {
    agent: Option<AgentDetails>,
    /// The entries of an agent without a valid id.
    nameless: Nameless,
    tenant: Option<TenantDetails>,
    user: Option<UserDetails>,
    request: Request,
    channel: Channel,
    parent: Option<String>,
    tracer: Option<ScopeTracer>,
}

/// The entries that are written for an agent or a tenant without a valid id.
type Nameless = Vec<(BaggageEntry, String)>;

type Channel = Vec<(BaggageEntry, Attribute)>;

impl OutputLog {
    /// The log of a turn whose recipient has the role of an agent. `None` for any other turn.
    #[must_use]
    pub fn of(turn: &TurnContext) -> Option<Self> {
        let activity = turn.activity.as_ref()?;
        let recipient = activity.recipient.as_ref()?;
        if !is_agentic_role(recipient.role.as_deref()) {
            return None;
        }
        let mut nameless = Nameless::new();
        let agent = agent(recipient, &mut nameless);
        let tenant = tenant(recipient, &mut nameless);
        let mut request = Request::without_content();
        let conversation = activity.conversation.as_ref();
        request.conversation_id = conversation.and_then(|conversation| said(&conversation.id));
        Some(Self {
            agent,
            nameless,
            tenant,
            user: activity.from.as_ref().map(user),
            request,
            channel: channel(turn),
            parent: None,
            tracer: None,
        })
    }

    /// Sets the parent span of the answers, as a `traceparent`, in place of the current span. An
    /// invalid text changes nothing.
    ///
    /// Use it for answers that are sent after the turn, from other code than the code that
    /// requested them.
    #[must_use]
    pub fn with_parent_header(mut self, traceparent: impl Into<Option<String>>) -> Self {
        self.parent = traceparent.into();
        self
    }

    /// Sets the tracer of the spans, in place of the default.
    #[must_use]
    pub fn with_tracer(mut self, tracer: ScopeTracer) -> Self {
        self.tracer = Some(tracer);
        self
    }

    /// Starts the scope of outgoing activities. `None` if none of them is a message with a text.
    #[must_use = "the scope ends when it is dropped"]
    pub fn start(&self, outgoing: &[TurnActivity]) -> Option<OutputScope> {
        let messages: Vec<String> = outgoing
            .iter()
            .filter_map(TurnActivity::as_message)
            .collect();
        (!messages.is_empty()).then(|| self.start_texts(messages))
    }

    /// Starts the scope of an answer in text form.
    #[must_use = "the scope ends when it is dropped"]
    pub fn start_texts(&self, texts: Vec<String>) -> OutputScope {
        OutputScope::when_enabled(|| self.scope(&Response::from(texts)))
    }

    /// Runs `send`, which sends `outgoing`, in a scope, and records its `Err`. If `outgoing` has no
    /// message, it runs without a scope.
    ///
    /// # Errors
    ///
    /// The error of `send`, unchanged.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it finishes, `send` is dropped, a cancellation is recorded,
    /// and the scope ends.
    pub async fn run<T, E: Display + 'static>(
        &self,
        outgoing: &[TurnActivity],
        send: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        match self.start(outgoing) {
            Some(scope) => send.in_scope(scope).await,
            None => send.await,
        }
    }

    fn scope(&self, response: &Response) -> OutputScope {
        let tracer = self.tracer.as_ref().unwrap_or_else(|| default_tracer());
        let mut parent = Context::current();
        if let Some(traceparent) = self.parent.as_deref() {
            let header = [(TRACEPARENT, traceparent)];
            parent = Propagation::new().extract_headers(&parent, header);
        }
        let scope = OutputScope::builder(response)
            .with_tracer(tracer)
            .with_parent(&parent)
            .with_agent(self.agent.as_ref())
            .with_tenant(self.tenant.as_ref())
            .with_request(&self.request)
            .with_user(self.user.as_ref())
            .start();
        for (entry, text) in &self.nameless {
            scope.set_entry(*entry, || text.clone().into());
        }
        for (entry, value) in &self.channel {
            scope.set_entry(*entry, || value.clone());
        }
        scope
    }
}

impl TurnActivity {
    /// A message with a text.
    pub fn message(text: impl Into<String>) -> Self {
        Self {
            activity_type: Some(MESSAGE.to_owned()),
            text: Some(text.into()),
            ..Self::default()
        }
    }

    /// The text, if it is a message with one.
    fn as_message(&self) -> Option<String> {
        let is_message = self.activity_type.as_deref() == Some(MESSAGE);
        let text = self.text.clone().filter(|text| !text.is_empty());
        text.filter(|_| is_message)
    }
}

fn agent(recipient: &ChannelAccount, nameless: &mut Nameless) -> Option<AgentDetails> {
    let id = recipient.agentic_app_id.as_deref();
    match id.map(AgentId::parse) {
        Some(Ok(id)) => {
            let mut agent = AgentDetails::new(id);
            agent.agent_name.clone_from(&recipient.name);
            agent.agent_description.clone_from(&recipient.role);
            agent.agent_auid = said(&recipient.aad_object_id);
            agent.agentic_user_email = said(&recipient.agentic_user_id);
            Some(agent)
        }
        // An id that cannot be one is written as it is, so that no other agent's takes its place.
        _ => {
            let entries = [
                (BaggageEntry::AgentId, said(&recipient.agentic_app_id)),
                (BaggageEntry::AgentName, recipient.name.clone()),
                (BaggageEntry::AgentDescription, recipient.role.clone()),
                (BaggageEntry::AgentUserId, said(&recipient.aad_object_id)),
                (
                    BaggageEntry::AgentUserEmail,
                    said(&recipient.agentic_user_id),
                ),
            ];
            let entries = entries.into_iter();
            nameless.extend(entries.filter_map(|(entry, text)| Some((entry, text?))));
            None
        }
    }
}

fn tenant(recipient: &ChannelAccount, nameless: &mut Nameless) -> Option<TenantDetails> {
    let text = said(&recipient.tenant_id)?;
    match TenantId::parse(&text) {
        Ok(id) => Some(TenantDetails::new(id)),
        Err(_) => {
            nameless.push((BaggageEntry::TenantId, text));
            None
        }
    }
}

fn user(from: &ChannelAccount) -> UserDetails {
    let mut user = UserDetails::new();
    user.user_id = said(&from.aad_object_id);
    user.user_name.clone_from(&from.name);
    user
}

fn channel(turn: &TurnContext) -> Channel {
    let turn = turn.to_json();
    let entries = entries(&turn).into_iter();
    let of_channel = entries.filter(|(entry, _)| {
        matches!(entry, BaggageEntry::ChannelName | BaggageEntry::ChannelLink)
    });
    of_channel
        .filter_map(|(entry, said)| Some((entry, said.to_attribute()?)))
        .collect()
}

/// A text, unless it is empty: the package refuses an activity with one, but for names.
fn said(text: &Option<String>) -> Option<String> {
    text.clone().filter(|text| !text.is_empty())
}
