//! The names of events that conventions define.

use crate::keys;

/// Names that no program makes up. All else that is the name of an event may be a message of a log.
const EVENTS: &[&str] = &[
    keys::EXCEPTION_EVENT,
    keys::GEN_AI_CHOICE,
    keys::MICROSOFT_SECURITY_FINDING_EVENT,
    "ai.stream.finish",
    "ai.stream.firstChunk",
    "db.query.embeddings",
    "db.query.result",
    "db.search.embeddings",
    "db.search.result",
    "feature_flag.evaluation",
    "gen_ai.assistant.message",
    "gen_ai.client.inference.operation.details",
    "gen_ai.content.completion",
    "gen_ai.content.prompt",
    "gen_ai.evaluation.result",
    "gen_ai.system.message",
    "gen_ai.tool.message",
    "gen_ai.user.message",
    "llm.content.completion.chunk",
    "session.end",
    "session.start",
];

/// Whether a convention defines an event of this name, so that the name itself says nothing of contents.
#[must_use]
pub fn is_known_event(name: &str) -> bool {
    EVENTS.contains(&name)
}
