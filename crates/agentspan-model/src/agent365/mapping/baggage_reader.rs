//! Decides which spans get the baggage of a request as attributes.

use super::{APPLY_GUARDRAIL, EXECUTE_TOOL, INVOKE_AGENT, OUTPUT_MESSAGES};
use crate::agent365::Profile;

/// The part of a request's baggage that a span gets, see [`CopiedBaggage`](super::CopiedBaggage).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BaggageReader {
    /// Nothing, because it is not a span of an agent.
    None,
    /// The keys for every span.
    Any,
    /// Also the keys for invocations of agents.
    Invocation,
}

/// The operations of agents. Those with capital letters are of older packages.
const OPERATIONS: [&str; 10] = [
    INVOKE_AGENT,
    EXECUTE_TOOL,
    OUTPUT_MESSAGES,
    APPLY_GUARDRAIL,
    "chat",
    "Chat",
    "text_completion",
    "TextCompletion",
    "generate_content",
    "GenerateContent",
];

/// First words of names that spans of calls to models have, beside the operations.
const NAMES: [&str; 5] = [
    "chat.completions",
    "chat.streaming_completions",
    "text.completions",
    "text.streaming_completions",
    "text_completions",
];

/// Instrumentation scopes whose spans are of agents, with all below them.
const SCOPES: [&str; 6] = [
    "Agent365Sdk",
    "agent_framework",
    "semantic_kernel",
    "microsoft.opentelemetry._genai",
    "opentelemetry.instrumentation.openai_v2",
    "opentelemetry.instrumentation.openai_agents",
];

impl BaggageReader {
    /// The part for a span with this name in this instrumentation scope.
    ///
    /// `operation` is its `gen_ai.operation.name`: `Some(None)` if the value is not a text. `of_request`
    /// is the operation that the baggage of its request names, if it can be trusted; the package
    /// trusts any. With 0.1.0 and 2.0.0, every span gets baggage. Since `microsoft-opentelemetry`
    /// 1.5.0, only spans of agents do: by their operation, or else by their name, or else by the
    /// operation of the request or the instrumentation scope.
    #[must_use]
    pub fn of(
        profile: Profile,
        name: &str,
        operation: Option<Option<&str>>,
        scope: &str,
        of_request: Option<&str>,
    ) -> Self {
        match profile {
            Profile::V0_1 | Profile::V2 => {
                let is_invocation =
                    name.starts_with(INVOKE_AGENT) || operation == Some(Some(INVOKE_AGENT));
                if is_invocation {
                    Self::Invocation
                } else {
                    Self::Any
                }
            }
            Profile::V3 | Profile::Direct => {
                let named = |operation: &str| OPERATIONS.into_iter().find(|it| *it == operation);
                let of_name = || OPERATIONS.into_iter().find(|word| begins(name, word));
                let known = match operation {
                    Some(operation) => operation.and_then(named),
                    None => of_name().or_else(|| of_request.and_then(named)),
                };
                let is_agents = known.is_some()
                    || (operation.is_none() && NAMES.iter().any(|word| begins(name, word)))
                    || SCOPES.iter().any(|root| is_below(scope, root));
                match known {
                    Some(INVOKE_AGENT) => Self::Invocation,
                    _ if is_agents => Self::Any,
                    _ => Self::None,
                }
            }
        }
    }
}

/// Whether a name is a word, or begins with it and a space.
fn begins(name: &str, word: &str) -> bool {
    let rest = name.strip_prefix(word);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
}

/// Whether a scope is `root`, or below it.
fn is_below(scope: &str, root: &str) -> bool {
    let rest = scope.strip_prefix(root);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}
