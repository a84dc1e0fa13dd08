//! Which members of components hold components, and of which class, and which hold free content.
//!
//! The tables are data of `pyagentspec` 26.3.1: the annotations in the vector
//! `agentspec_sensitive_fields.json`, with the nearest common class where there are several.

use super::classes::Class;

/// The class of components that a member of a component may hold, at whatever depth of lists.
/// `None` if it need not hold components.
pub(super) fn expected(component_type: &str, member: &str) -> Option<&'static str> {
    let class = Class::named(component_type)?;
    SLOTS
        .iter()
        .find(|(owner, name, _)| *name == member && class.is_a(owner))
        .map(|(_, _, expected)| *expected)
}

/// Whether a member holds content that others made up: names and values in it mean nothing to Agent
/// Spec, and what looks like a component there is none.
pub(super) fn is_free(component_type: &str, member: &str) -> bool {
    const OF_ALL_CLASSES: [&str; 3] = ["metadata", "inputs", "outputs"];
    let of_class = |class: &Class| {
        let mut free = FREE.iter();
        free.any(|(owner, name)| *name == member && class.is_a(owner))
    };
    OF_ALL_CLASSES.contains(&member) || Class::named(component_type).is_some_and(of_class)
}

/// Owner, member that holds free content.
const FREE: &[(&str, &str)] = &[
    ("A2AConnectionConfig", "headers"),
    ("ApiNode", "data"),
    ("ApiNode", "headers"),
    ("ApiNode", "query_params"),
    ("BranchingNode", "mapping"),
    ("BuiltinTool", "configuration"),
    ("InMemoryCollectionDatastore", "datastore_schema"),
    ("LlmConfig", "default_generation_parameters"),
    ("MapNode", "reducers"),
    ("ParallelMapNode", "reducers"),
    ("RelationalDatastore", "datastore_schema"),
    ("RemoteTool", "data"),
    ("RemoteTool", "headers"),
    ("RemoteTool", "query_params"),
    ("RemoteTransport", "headers"),
    ("StdioTransport", "env"),
];

/// Owner, member, class of what it holds.
const SLOTS: &[(&str, &str, &str)] = &[
    ("A2AAgent", "connection_config", "A2AConnectionConfig"),
    ("Agent", "llm_config", "LlmConfig"),
    ("Agent", "tools", "Tool"),
    ("Agent", "toolboxes", "ToolBox"),
    ("Agent", "transforms", "MessageTransform"),
    ("AgentNode", "agent", "AgenticComponent"),
    ("AgentSpecializationParameters", "additional_tools", "Tool"),
    ("CatchExceptionNode", "subflow", "Flow"),
    ("ControlFlowEdge", "from_node", "Node"),
    ("ControlFlowEdge", "to_node", "Node"),
    ("ConversationSummarizationTransform", "llm", "LlmConfig"),
    (
        "ConversationSummarizationTransform",
        "datastore",
        "Datastore",
    ),
    ("DataFlowEdge", "source_node", "Node"),
    ("DataFlowEdge", "destination_node", "Node"),
    (
        "DbmsVectorChainLlmConfig",
        "connection_config",
        "OracleDatabaseConnectionConfig",
    ),
    ("Flow", "start_node", "Node"),
    ("Flow", "nodes", "Node"),
    ("Flow", "control_flow_connections", "ControlFlowEdge"),
    ("Flow", "data_flow_connections", "DataFlowEdge"),
    ("FlowNode", "subflow", "Flow"),
    ("GeminiConfig", "auth", "GeminiAuthConfig"),
    ("LlmNode", "llm_config", "LlmConfig"),
    ("MCPTool", "client_transport", "ClientTransport"),
    ("MCPToolBox", "client_transport", "ClientTransport"),
    ("ManagerWorkers", "group_manager", "AgenticComponent"),
    ("ManagerWorkers", "workers", "AgenticComponent"),
    ("MapNode", "subflow", "Flow"),
    ("MessageSummarizationTransform", "llm", "LlmConfig"),
    ("MessageSummarizationTransform", "datastore", "Datastore"),
    ("OAuthConfig", "client", "OAuthClientConfig"),
    ("OciAgent", "client_config", "OciClientConfig"),
    ("OciGenAiConfig", "client_config", "OciClientConfig"),
    ("OpenAiAgent", "llm_config", "OpenAiConfig"),
    (
        "OracleDatabaseDatastore",
        "connection_config",
        "OracleDatabaseConnectionConfig",
    ),
    ("ParallelFlowNode", "subflows", "Flow"),
    ("ParallelMapNode", "subflow", "Flow"),
    (
        "PostgresDatabaseDatastore",
        "connection_config",
        "PostgresDatabaseConnectionConfig",
    ),
    ("RemoteTransport", "auth", "AuthConfig"),
    ("SpecializedAgent", "agent", "Agent"),
    (
        "SpecializedAgent",
        "agent_specialization_parameters",
        "AgentSpecializationParameters",
    ),
    ("Swarm", "first_agent", "AgenticComponent"),
    ("Swarm", "relationships", "AgenticComponent"),
    ("ToolNode", "tool", "Tool"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_known_in_derived_classes_too() {
        assert_eq!(expected("SSEmTLSTransport", "auth"), Some("AuthConfig"));
        assert_eq!(expected("Agent", "llm_config"), Some("LlmConfig"));
        assert_eq!(expected("Agent", "system_prompt"), None);
        assert_eq!(expected("AcmeAgent", "llm_config"), None);
    }

    #[test]
    fn content_is_free_in_derived_classes_too_and_not_in_all() {
        assert!(is_free("VllmConfig", "default_generation_parameters"));
        assert!(is_free("SSEmTLSTransport", "headers"));
        assert!(is_free("AcmeAgent", "metadata"));
        assert!(!is_free("AcmeAgent", "headers"));
        assert!(!is_free("Agent", "tools"));
    }

    #[test]
    fn all_classes_of_the_tables_are_known() {
        for (owner, _, expected) in SLOTS {
            assert!(Class::named(owner).is_some() && Class::named(expected).is_some());
        }
        for (owner, _) in FREE {
            assert!(Class::named(owner).is_some());
        }
    }
}
