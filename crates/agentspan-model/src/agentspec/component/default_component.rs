//! The component that stands in a place by default.

use super::{Component, ComponentValue, reading::Head};
use crate::agentspec::Json;

/// Class, collection that its caches are in, further members of what is in there.
const CACHES: [(&str, &str, &[&str]); 2] = [
    (
        "ConversationSummarizationTransform",
        "summarized_conversations_cache",
        &["prefix_size"],
    ),
    (
        "MessageSummarizationTransform",
        "summarized_messages_cache",
        &[],
    ),
];

/// Adds the datastore in memory that transforms of messages keep their summaries in, if a document says
/// nothing of one. Its id, which `pyagentspec` makes up, is that of the transform and the member.
pub(super) fn add(head: &Head, members: &mut Vec<(Box<str>, ComponentValue)>) {
    const MEMBER: &str = "datastore";
    let cache = CACHES
        .iter()
        .find(|(class, ..)| *head.component_type == **class);
    let Some((_, collection, counts)) = cache else {
        return;
    };
    if members.iter().any(|(name, _)| **name == *MEMBER) {
        return;
    }
    let texts = ["cache_key", "cache_content"].map(|name| (name, "string"));
    let counts = counts.iter().map(|name| (*name, "integer"));
    let times = ["created_at", "last_used_at"].map(|name| (name, "number"));
    let properties = texts.into_iter().chain(counts).chain(times);
    let properties: serde_json::Map<_, _> = properties
        .map(|(name, json_type)| (name.to_owned(), serde_json::json!({"type": json_type})))
        .collect();
    let schema = serde_json::json!({*collection: {"properties": properties, "type": "object"}});
    let datastore = Component::builder("InMemoryCollectionDatastore", "default-inmemory-datastore")
        .with_id(format!("{}.{MEMBER}", head.id))
        .with_json("datastore_schema", Json::from(schema))
        .build();
    members.push((MEMBER.into(), ComponentValue::Component(datastore)));
}
