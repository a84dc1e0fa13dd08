//! The component classes of Agent Spec 26.3.1: what they derive from and which fields are secret.
//!
//! The table is data of `pyagentspec` 26.3.1, taken from the vector `agentspec_sensitive_fields.json`;
//! the conformance run compares it with that file, field by field.

/// A component class of the reference.
#[derive(Debug)]
pub(crate) struct Class {
    pub(crate) name: &'static str,
    /// All classes that it derives from, the nearest first.
    bases: &'static [&'static str],
    /// The fields that the reference masks.
    sensitive: &'static [&'static str],
}

impl Class {
    /// The class with a name, if the reference has it.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        CLASSES
            .binary_search_by(|class| class.name.cmp(name))
            .ok()
            .and_then(|index| CLASSES.get(index))
    }

    /// Whether the class is, or derives from, the class `name`.
    pub(crate) fn is_a(&self, name: &str) -> bool {
        self.name == name || self.bases.contains(&name)
    }

    fn has_secret(&self, field: &str) -> bool {
        self.sensitive.contains(&field) || ALSO_SECRET.contains(&(self.name, field))
    }
}

/// Whether a field of a component class is a secret that no dump may show.
///
/// A class that the table does not have, such as one of a plugin, has a secret in each field that is one
/// in any known class: better to hide too much of what we do not know than a password.
pub(crate) fn is_secret(component_type: &str, field: &str) -> bool {
    match Class::named(component_type) {
        Some(class) => class.has_secret(field),
        None => CLASSES.iter().any(|class| class.has_secret(field)),
    }
}

/// Fields that the reference declares as sensitive but shows in its dumps, because the mark stands inside
/// of `Optional[…]`, where its check does not look. Here they are secrets.
const ALSO_SECRET: &[(&str, &str)] = &[
    ("OAuthClientConfig", "client_id"),
    ("OAuthClientConfig", "client_secret"),
    ("OAuthClientConfig", "client_id_metadata_url"),
    ("TlsPostgresDatabaseConnectionConfig", "sslkey"),
];

const fn class(
    name: &'static str,
    bases: &'static [&'static str],
    sensitive: &'static [&'static str],
) -> Class {
    Class {
        name,
        bases,
        sensitive,
    }
}

/// Sorted by name.
const CLASSES: &[Class] = &[
    class(
        "A2AAgent",
        &[
            "RemoteAgent",
            "AgenticComponent",
            "ComponentWithIO",
            "Component",
        ],
        &[],
    ),
    class("A2AConnectionConfig", &["Component"], &[]),
    class(
        "Agent",
        &["AgenticComponent", "ComponentWithIO", "Component"],
        &[],
    ),
    class("AgentNode", &["Node", "ComponentWithIO", "Component"], &[]),
    class(
        "AgentSpecializationParameters",
        &["ComponentWithIO", "Component"],
        &[],
    ),
    class("AgenticComponent", &["ComponentWithIO", "Component"], &[]),
    class(
        "ApiNode",
        &["Node", "ComponentWithIO", "Component"],
        &["sensitive_headers"],
    ),
    class("AuthConfig", &["Component"], &[]),
    class(
        "BranchingNode",
        &["Node", "ComponentWithIO", "Component"],
        &[],
    ),
    class(
        "BuiltinTool",
        &["Tool", "ComponentWithIO", "Component"],
        &[],
    ),
    class(
        "CatchExceptionNode",
        &["Node", "ComponentWithIO", "Component"],
        &[],
    ),
    class("ClientTool", &["Tool", "ComponentWithIO", "Component"], &[]),
    class("ClientTransport", &["Component"], &[]),
    class("Component", &[], &[]),
    class("ComponentWithIO", &["Component"], &[]),
    class("ControlFlowEdge", &["Component"], &[]),
    class(
        "ConversationSummarizationTransform",
        &["MessageTransform", "Component"],
        &[],
    ),
    class("DataFlowEdge", &["Component"], &[]),
    class("Datastore", &["Component"], &[]),
    class(
        "DbmsVectorChainLlmConfig",
        &["LlmConfig", "Component"],
        &["api_key"],
    ),
    class("EndNode", &["Node", "ComponentWithIO", "Component"], &[]),
    class(
        "Flow",
        &["AgenticComponent", "ComponentWithIO", "Component"],
        &[],
    ),
    class("FlowNode", &["Node", "ComponentWithIO", "Component"], &[]),
    class(
        "GeminiAIStudioAuthConfig",
        &["GeminiAuthConfig", "Component"],
        &["api_key"],
    ),
    class("GeminiAuthConfig", &["Component"], &[]),
    class("GeminiConfig", &["LlmConfig", "Component"], &["api_key"]),
    class(
        "GeminiVertexAIAuthConfig",
        &["GeminiAuthConfig", "Component"],
        &["credentials"],
    ),
    class(
        "InMemoryCollectionDatastore",
        &["Datastore", "Component"],
        &[],
    ),
    class(
        "InputMessageNode",
        &["Node", "ComponentWithIO", "Component"],
        &[],
    ),
    class("LlmConfig", &["Component"], &["api_key"]),
    class("LlmNode", &["Node", "ComponentWithIO", "Component"], &[]),
    class("MCPTool", &["Tool", "ComponentWithIO", "Component"], &[]),
    class("MCPToolBox", &["ToolBox", "Component"], &[]),
    class("MCPToolSpec", &["ComponentWithIO", "Component"], &[]),
    class(
        "MTlsOracleDatabaseConnectionConfig",
        &[
            "TlsOracleDatabaseConnectionConfig",
            "OracleDatabaseConnectionConfig",
            "Component",
        ],
        &[
            "user",
            "password",
            "dsn",
            "wallet_location",
            "wallet_password",
        ],
    ),
    class(
        "ManagerWorkers",
        &["AgenticComponent", "ComponentWithIO", "Component"],
        &[],
    ),
    class("MapNode", &["Node", "ComponentWithIO", "Component"], &[]),
    class(
        "MessageSummarizationTransform",
        &["MessageTransform", "Component"],
        &[],
    ),
    class("MessageTransform", &["Component"], &[]),
    class("Node", &["ComponentWithIO", "Component"], &[]),
    class("OAuthClientConfig", &["Component"], &[]),
    class("OAuthConfig", &["AuthConfig", "Component"], &[]),
    class(
        "OciAgent",
        &[
            "RemoteAgent",
            "AgenticComponent",
            "ComponentWithIO",
            "Component",
        ],
        &[],
    ),
    class("OciClientConfig", &["Component"], &[]),
    class(
        "OciClientConfigWithApiKey",
        &["OciClientConfig", "Component"],
        &["auth_file_location"],
    ),
    class(
        "OciClientConfigWithInstancePrincipal",
        &["OciClientConfig", "Component"],
        &[],
    ),
    class(
        "OciClientConfigWithResourcePrincipal",
        &["OciClientConfig", "Component"],
        &[],
    ),
    class(
        "OciClientConfigWithSecurityToken",
        &["OciClientConfig", "Component"],
        &["auth_file_location"],
    ),
    class("OciGenAiConfig", &["LlmConfig", "Component"], &["api_key"]),
    class(
        "OllamaConfig",
        &["OpenAiCompatibleConfig", "LlmConfig", "Component"],
        &["api_key", "key_file", "cert_file", "ca_file"],
    ),
    class(
        "OpenAiAgent",
        &[
            "RemoteAgent",
            "AgenticComponent",
            "ComponentWithIO",
            "Component",
        ],
        &[],
    ),
    class(
        "OpenAiCompatibleConfig",
        &["LlmConfig", "Component"],
        &["api_key", "key_file", "cert_file", "ca_file"],
    ),
    class("OpenAiConfig", &["LlmConfig", "Component"], &["api_key"]),
    class("OracleDatabaseConnectionConfig", &["Component"], &[]),
    class(
        "OracleDatabaseDatastore",
        &["RelationalDatastore", "Datastore", "Component"],
        &[],
    ),
    class(
        "OutputMessageNode",
        &["Node", "ComponentWithIO", "Component"],
        &[],
    ),
    class(
        "ParallelFlowNode",
        &["Node", "ComponentWithIO", "Component"],
        &[],
    ),
    class(
        "ParallelMapNode",
        &["Node", "ComponentWithIO", "Component"],
        &[],
    ),
    class("PostgresDatabaseConnectionConfig", &["Component"], &[]),
    class(
        "PostgresDatabaseDatastore",
        &["RelationalDatastore", "Datastore", "Component"],
        &[],
    ),
    class("RelationalDatastore", &["Datastore", "Component"], &[]),
    class(
        "RemoteAgent",
        &["AgenticComponent", "ComponentWithIO", "Component"],
        &[],
    ),
    class(
        "RemoteTool",
        &["Tool", "ComponentWithIO", "Component"],
        &["sensitive_headers"],
    ),
    class(
        "RemoteTransport",
        &["ClientTransport", "Component"],
        &["sensitive_headers"],
    ),
    class(
        "SSETransport",
        &["RemoteTransport", "ClientTransport", "Component"],
        &["sensitive_headers"],
    ),
    class(
        "SSEmTLSTransport",
        &[
            "SSETransport",
            "RemoteTransport",
            "ClientTransport",
            "Component",
        ],
        &["sensitive_headers", "key_file", "cert_file", "ca_file"],
    ),
    class("ServerTool", &["Tool", "ComponentWithIO", "Component"], &[]),
    class(
        "SpecializedAgent",
        &["AgenticComponent", "ComponentWithIO", "Component"],
        &[],
    ),
    class("StartNode", &["Node", "ComponentWithIO", "Component"], &[]),
    class("StdioTransport", &["ClientTransport", "Component"], &[]),
    class(
        "StreamableHTTPTransport",
        &["RemoteTransport", "ClientTransport", "Component"],
        &["sensitive_headers"],
    ),
    class(
        "StreamableHTTPmTLSTransport",
        &[
            "StreamableHTTPTransport",
            "RemoteTransport",
            "ClientTransport",
            "Component",
        ],
        &["sensitive_headers", "key_file", "cert_file", "ca_file"],
    ),
    class(
        "Swarm",
        &["AgenticComponent", "ComponentWithIO", "Component"],
        &[],
    ),
    class(
        "TlsOracleDatabaseConnectionConfig",
        &["OracleDatabaseConnectionConfig", "Component"],
        &["user", "password", "dsn"],
    ),
    class(
        "TlsPostgresDatabaseConnectionConfig",
        &["PostgresDatabaseConnectionConfig", "Component"],
        &["user", "password"],
    ),
    class("Tool", &["ComponentWithIO", "Component"], &[]),
    class("ToolBox", &["Component"], &[]),
    class("ToolNode", &["Node", "ComponentWithIO", "Component"], &[]),
    class(
        "VllmConfig",
        &["OpenAiCompatibleConfig", "LlmConfig", "Component"],
        &["api_key", "key_file", "cert_file", "ca_file"],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_so_that_every_class_is_found() {
        assert!(CLASSES.is_sorted_by(|one, two| one.name < two.name));
        assert!(Class::named("VllmConfig").is_some_and(|class| class.is_a("LlmConfig")));
    }

    #[test]
    fn what_the_reference_forgets_to_mask_is_secret() {
        assert!(is_secret("OAuthClientConfig", "client_secret"));
        assert!(is_secret("TlsPostgresDatabaseConnectionConfig", "sslkey"));
    }

    #[test]
    fn an_unknown_class_has_the_secrets_of_all_classes() {
        assert!(is_secret("AcmeConfig", "api_key"));
        assert!(!is_secret("AcmeConfig", "model_id"));
        assert!(!is_secret("OAuthConfig", "api_key"));
    }
}
