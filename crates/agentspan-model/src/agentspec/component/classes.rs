//! The component classes of Agent Spec 26.3.1: what they derive from and which fields are secret.
//!
//! The tables are data of `pyagentspec` 26.3.1, taken from the vector `agentspec_sensitive_fields.json`;
//! the conformance run compares them with that file, field by field.

/// A component class of the reference.
#[derive(Debug)]
pub(crate) struct Class {
    pub(super) name: &'static str,
    /// All classes that it derives from, the nearest first.
    bases: &'static [&'static str],
    /// Its fields that are named like secrets and are none.
    harmless: &'static [&'static str],
}

impl Class {
    /// The class with a name, if the reference has it.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        CLASSES
            .binary_search_by(|class| class.name.cmp(name))
            .ok()
            .and_then(|index| CLASSES.get(index))
    }

    /// The names of the class and of all that it derives from, the farthest first.
    pub(super) fn lineage(&self) -> impl Iterator<Item = &'static str> + use<> {
        let own = std::iter::once(self.name);
        self.bases.iter().rev().copied().chain(own)
    }

    /// Whether the class is, or derives from, the class `name`.
    pub(crate) fn is_a(&self, name: &str) -> bool {
        self.name == name || self.bases.contains(&name)
    }
}

/// Whether a field of a component class is a secret that no dump may show.
///
/// A field that is a secret in one class is one in all classes that do not declare it as harmless, and so
/// also in classes that the table does not have, such as those of plugins: better to hide too much
/// of what we do not know than to show a password.
pub(crate) fn is_secret(component_type: &str, field: &str) -> bool {
    let is_harmless = || {
        let class = Class::named(component_type);
        class.is_some_and(|class| class.harmless.contains(&field))
    };
    is_called_like_one(field) && !is_harmless()
}

/// Whether a field is a secret in some class.
pub(super) fn is_called_like_one(field: &str) -> bool {
    SECRET_NAMES.contains(&field)
}

/// The names of all fields that some class marks as sensitive.
///
/// That includes fields which the reference marks, but shows in its dumps, because the mark stands inside of
/// `Optional[…]`, where its check does not look: the credentials of `OAuthClientConfig` and the
/// `sslkey` of Postgres.
pub(super) const SECRET_NAMES: &[&str] = &[
    "api_key",
    "auth_file_location",
    "ca_file",
    "cert_file",
    "client_id",
    "client_id_metadata_url",
    "client_secret",
    "credentials",
    "dsn",
    "key_file",
    "password",
    "sensitive_headers",
    "sslkey",
    "user",
    "wallet_location",
    "wallet_password",
];

const fn class(
    name: &'static str,
    bases: &'static [&'static str],
    harmless: &'static [&'static str],
) -> Class {
    Class {
        name,
        bases,
        harmless,
    }
}

/// Sorted by name.
pub(super) const CLASSES: &[Class] = &[
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
    class(
        "A2AConnectionConfig",
        &["Component"],
        &["key_file", "cert_file"],
    ),
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
    class("ApiNode", &["Node", "ComponentWithIO", "Component"], &[]),
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
    class("DbmsVectorChainLlmConfig", &["LlmConfig", "Component"], &[]),
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
        &[],
    ),
    class("GeminiAuthConfig", &["Component"], &[]),
    class("GeminiConfig", &["LlmConfig", "Component"], &[]),
    class(
        "GeminiVertexAIAuthConfig",
        &["GeminiAuthConfig", "Component"],
        &[],
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
    class("LlmConfig", &["Component"], &[]),
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
        &[],
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
        &[],
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
        &[],
    ),
    class("OciGenAiConfig", &["LlmConfig", "Component"], &[]),
    class(
        "OllamaConfig",
        &["OpenAiCompatibleConfig", "LlmConfig", "Component"],
        &[],
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
    class("OpenAiCompatibleConfig", &["LlmConfig", "Component"], &[]),
    class("OpenAiConfig", &["LlmConfig", "Component"], &[]),
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
    class("RemoteTool", &["Tool", "ComponentWithIO", "Component"], &[]),
    class("RemoteTransport", &["ClientTransport", "Component"], &[]),
    class(
        "SSETransport",
        &["RemoteTransport", "ClientTransport", "Component"],
        &[],
    ),
    class(
        "SSEmTLSTransport",
        &[
            "SSETransport",
            "RemoteTransport",
            "ClientTransport",
            "Component",
        ],
        &[],
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
        &[],
    ),
    class(
        "StreamableHTTPmTLSTransport",
        &[
            "StreamableHTTPTransport",
            "RemoteTransport",
            "ClientTransport",
            "Component",
        ],
        &[],
    ),
    class(
        "Swarm",
        &["AgenticComponent", "ComponentWithIO", "Component"],
        &[],
    ),
    class(
        "TlsOracleDatabaseConnectionConfig",
        &["OracleDatabaseConnectionConfig", "Component"],
        &[],
    ),
    class(
        "TlsPostgresDatabaseConnectionConfig",
        &["PostgresDatabaseConnectionConfig", "Component"],
        &[],
    ),
    class("Tool", &["ComponentWithIO", "Component"], &[]),
    class("ToolBox", &["Component"], &[]),
    class("ToolNode", &["Node", "ComponentWithIO", "Component"], &[]),
    class(
        "VllmConfig",
        &["OpenAiCompatibleConfig", "LlmConfig", "Component"],
        &[],
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
    fn a_class_may_declare_a_field_as_harmless() {
        assert!(!is_secret("A2AConnectionConfig", "key_file"));
        assert!(is_secret("VllmConfig", "key_file"));
    }

    #[test]
    fn a_secret_is_one_in_classes_that_are_not_known_or_do_not_declare_it() {
        assert!(is_secret("AcmeConfig", "api_key"));
        assert!(is_secret("OAuthConfig", "api_key"));
        assert!(!is_secret("AcmeConfig", "model_id"));
    }
}
