//! The members of components: in which order Agent Spec has them, and what each may hold.
//!
//! The table is data of `pyagentspec` 26.3.1: the annotations in the vector
//! `agentspec_sensitive_fields.json`, with the nearest common class where there are several.

use super::classes::Class;

/// The kind of value that a member of a component may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Values that Agent Spec defines, without components.
    ///
    /// A reference may stand for the value, and for values inside of it on so many levels of lists
    /// and objects.
    Plain(u8),
    /// Content that others made up: names and values in it mean nothing to Agent Spec, and what looks like
    /// a component there is none. References are followed as in [`Plain`](Self::Plain).
    Free(u8),
    /// Components of a class, at whatever depth of lists.
    Components(&'static str),
    /// A list of components of a class, or text that names some.
    ComponentsOrText(&'static str),
}

impl Shape {
    /// The class of the components that must stand here, unless they need not.
    pub(super) fn class(self) -> Option<&'static str> {
        match self {
            Self::Components(class) | Self::ComponentsOrText(class) => Some(class),
            Self::Plain(_) | Self::Free(_) => None,
        }
    }
}

/// The members of one class, with those that it inherits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields {
    /// The class and its bases, the farthest first. `None` if Agent Spec does not have the class.
    class: Option<&'static Class>,
}

impl Fields {
    pub(super) fn of(component_type: &str) -> Self {
        Self {
            class: Class::named(component_type),
        }
    }

    /// Whether Agent Spec has the class, so that all its members are known.
    pub(super) fn is_known(self) -> bool {
        self.class.is_some()
    }

    /// The kind of value that a member may hold, and its place among the members. `None` if the
    /// class does not have it.
    pub(super) fn find(self, member: &str) -> Option<(usize, Shape)> {
        let mut before = 0;
        for class in self.class.into_iter().flat_map(Class::lineage) {
            let own = own(class);
            if let Some(at) = own.iter().position(|(name, _)| *name == member) {
                return own.get(at).map(|(_, shape)| (before + at, *shape));
            }
            before += own.len();
        }
        // Every class may have these; those of plugins say nothing of them.
        let of_all = ["metadata", "inputs", "outputs"];
        of_all.contains(&member).then_some((before, CONTENTS))
    }
}

/// The members that a class has and its bases do not.
fn own(class: &str) -> &'static [(&'static str, Shape)] {
    let found = FIELDS.binary_search_by(|(owner, _)| (*owner).cmp(class));
    let found = found.ok().and_then(|index| FIELDS.get(index));
    found.map_or(&[], |(_, fields)| fields)
}

const VALUE: Shape = Shape::Plain(0);
const VALUES: Shape = Shape::Plain(1);
/// It has an object of lists of texts.
const RETRY_POLICY: Shape = Shape::Plain(3);
const CONTENT: Shape = Shape::Free(0);
const CONTENTS: Shape = Shape::Free(1);

const fn components(class: &'static str) -> Shape {
    Shape::Components(class)
}

type Own = &'static [(&'static str, Shape)];

/// Sorted by class; the members of each in the order of Agent Spec.
const FIELDS: &[(&str, Own)] = &[
    (
        "A2AAgent",
        &[
            ("agent_url", VALUE),
            ("connection_config", components("A2AConnectionConfig")),
            ("session_parameters", VALUES),
        ],
    ),
    (
        "A2AConnectionConfig",
        &[
            ("timeout", VALUE),
            ("headers", CONTENTS),
            ("verify", VALUE),
            ("key_file", VALUE),
            ("cert_file", VALUE),
            ("ssl_ca_cert", VALUE),
            ("retry_policy", RETRY_POLICY),
        ],
    ),
    (
        "Agent",
        &[
            ("llm_config", components("LlmConfig")),
            ("system_prompt", VALUE),
            ("tools", components("Tool")),
            ("toolboxes", components("ToolBox")),
            ("human_in_the_loop", VALUE),
            ("transforms", components("MessageTransform")),
        ],
    ),
    ("AgentNode", &[("agent", components("AgenticComponent"))]),
    (
        "AgentSpecializationParameters",
        &[
            ("additional_instructions", VALUE),
            ("additional_tools", components("Tool")),
            ("human_in_the_loop", VALUE),
        ],
    ),
    (
        "ApiNode",
        &[
            ("url", VALUE),
            ("http_method", VALUE),
            ("api_spec_uri", VALUE),
            ("data", CONTENT),
            ("query_params", CONTENTS),
            ("headers", CONTENTS),
            ("sensitive_headers", VALUES),
            ("url_allow_list", VALUES),
            ("retry_policy", RETRY_POLICY),
        ],
    ),
    ("BranchingNode", &[("mapping", CONTENTS)]),
    (
        "BuiltinTool",
        &[
            ("tool_type", VALUE),
            ("configuration", CONTENTS),
            ("executor_name", VALUES),
            ("tool_version", VALUE),
        ],
    ),
    ("CatchExceptionNode", &[("subflow", components("Flow"))]),
    ("ClientTransport", &[("session_parameters", VALUES)]),
    (
        "Component",
        &[
            ("id", VALUE),
            ("name", VALUE),
            ("description", VALUE),
            ("metadata", CONTENTS),
        ],
    ),
    (
        "ComponentWithIO",
        &[("inputs", CONTENTS), ("outputs", CONTENTS)],
    ),
    (
        "ControlFlowEdge",
        &[
            ("from_node", components("Node")),
            ("from_branch", VALUE),
            ("to_node", components("Node")),
        ],
    ),
    (
        "ConversationSummarizationTransform",
        &[
            ("llm", components("LlmConfig")),
            ("max_num_messages", VALUE),
            ("max_num_characters", VALUE),
            ("min_num_messages", VALUE),
            ("summarization_instructions", VALUE),
            ("summarized_conversation_template", VALUE),
            ("max_cache_size", VALUE),
            ("max_cache_lifetime", VALUE),
            ("cache_collection_name", VALUE),
            ("datastore", components("Datastore")),
        ],
    ),
    (
        "DataFlowEdge",
        &[
            ("source_node", components("Node")),
            ("source_output", VALUE),
            ("destination_node", components("Node")),
            ("destination_input", VALUE),
        ],
    ),
    (
        "DbmsVectorChainLlmConfig",
        &[
            ("host", VALUE),
            ("credential_name", VALUE),
            ("transfer_timeout", VALUE),
            (
                "connection_config",
                components("OracleDatabaseConnectionConfig"),
            ),
        ],
    ),
    ("EndNode", &[("branch_name", VALUE)]),
    (
        "Flow",
        &[
            ("start_node", components("Node")),
            ("nodes", components("Node")),
            ("control_flow_connections", components("ControlFlowEdge")),
            ("data_flow_connections", components("DataFlowEdge")),
        ],
    ),
    ("FlowNode", &[("subflow", components("Flow"))]),
    ("GeminiAIStudioAuthConfig", &[("api_key", VALUE)]),
    ("GeminiConfig", &[("auth", components("GeminiAuthConfig"))]),
    (
        "GeminiVertexAIAuthConfig",
        &[
            ("project_id", VALUE),
            ("location", VALUE),
            ("credentials", VALUES),
        ],
    ),
    (
        "InMemoryCollectionDatastore",
        &[("datastore_schema", CONTENTS)],
    ),
    ("InputMessageNode", &[("message", VALUE)]),
    (
        "LlmConfig",
        &[
            ("model_id", VALUE),
            ("provider", VALUE),
            ("api_provider", VALUE),
            ("api_type", VALUE),
            ("url", VALUE),
            ("api_key", VALUE),
            ("default_generation_parameters", CONTENTS),
            ("retry_policy", RETRY_POLICY),
        ],
    ),
    (
        "LlmNode",
        &[
            ("llm_config", components("LlmConfig")),
            ("prompt_template", VALUE),
        ],
    ),
    (
        "MCPTool",
        &[
            ("client_transport", components("ClientTransport")),
            ("retry_policy", RETRY_POLICY),
        ],
    ),
    (
        "MCPToolBox",
        &[
            ("client_transport", components("ClientTransport")),
            ("retry_policy", RETRY_POLICY),
            ("tool_filter", Shape::ComponentsOrText("MCPToolSpec")),
        ],
    ),
    ("MCPToolSpec", &[("requires_confirmation", VALUE)]),
    (
        "MTlsOracleDatabaseConnectionConfig",
        &[("wallet_location", VALUE), ("wallet_password", VALUE)],
    ),
    (
        "ManagerWorkers",
        &[
            ("group_manager", components("AgenticComponent")),
            ("workers", components("AgenticComponent")),
        ],
    ),
    (
        "MapNode",
        &[("subflow", components("Flow")), ("reducers", CONTENTS)],
    ),
    (
        "MessageSummarizationTransform",
        &[
            ("llm", components("LlmConfig")),
            ("max_message_size", VALUE),
            ("summarization_instructions", VALUE),
            ("summarized_message_template", VALUE),
            ("max_cache_size", VALUE),
            ("max_cache_lifetime", VALUE),
            ("cache_collection_name", VALUE),
            ("datastore", components("Datastore")),
        ],
    ),
    ("Node", &[("branches", VALUES)]),
    (
        "OAuthClientConfig",
        &[
            ("type", VALUE),
            ("client_id", VALUE),
            ("client_secret", VALUE),
            ("token_endpoint_auth_method", VALUE),
            ("client_id_metadata_url", VALUE),
            ("registration_endpoint", VALUE),
        ],
    ),
    (
        "OAuthConfig",
        &[
            ("issuer", VALUE),
            ("endpoints", VALUES),
            ("client", components("OAuthClientConfig")),
            ("redirect_uri", VALUE),
            ("scopes", VALUES),
            ("scope_policy", VALUE),
            ("pkce", VALUES),
            ("resource", VALUE),
        ],
    ),
    (
        "OciAgent",
        &[
            ("agent_endpoint_id", VALUE),
            ("client_config", components("OciClientConfig")),
            ("retry_policy", RETRY_POLICY),
        ],
    ),
    (
        "OciClientConfig",
        &[("service_endpoint", VALUE), ("auth_type", VALUE)],
    ),
    (
        "OciClientConfigWithApiKey",
        &[("auth_profile", VALUE), ("auth_file_location", VALUE)],
    ),
    (
        "OciClientConfigWithSecurityToken",
        &[("auth_profile", VALUE), ("auth_file_location", VALUE)],
    ),
    (
        "OciGenAiConfig",
        &[
            ("compartment_id", VALUE),
            ("serving_mode", VALUE),
            ("client_config", components("OciClientConfig")),
            ("conversation_store_id", VALUE),
        ],
    ),
    (
        "OpenAiAgent",
        &[
            ("llm_config", components("OpenAiConfig")),
            ("remote_agent_id", VALUE),
        ],
    ),
    (
        "OpenAiCompatibleConfig",
        &[
            ("key_file", VALUE),
            ("cert_file", VALUE),
            ("ca_file", VALUE),
        ],
    ),
    (
        "OracleDatabaseDatastore",
        &[(
            "connection_config",
            components("OracleDatabaseConnectionConfig"),
        )],
    ),
    ("OutputMessageNode", &[("message", VALUE)]),
    ("ParallelFlowNode", &[("subflows", components("Flow"))]),
    (
        "ParallelMapNode",
        &[("subflow", components("Flow")), ("reducers", CONTENTS)],
    ),
    (
        "PostgresDatabaseDatastore",
        &[(
            "connection_config",
            components("PostgresDatabaseConnectionConfig"),
        )],
    ),
    ("RelationalDatastore", &[("datastore_schema", CONTENTS)]),
    (
        "RemoteTool",
        &[
            ("url", VALUE),
            ("http_method", VALUE),
            ("api_spec_uri", VALUE),
            ("data", CONTENT),
            ("query_params", CONTENTS),
            ("headers", CONTENTS),
            ("sensitive_headers", VALUES),
            ("url_allow_list", VALUES),
            ("retry_policy", RETRY_POLICY),
        ],
    ),
    (
        "RemoteTransport",
        &[
            ("url", VALUE),
            ("auth", components("AuthConfig")),
            ("headers", CONTENTS),
            ("sensitive_headers", VALUES),
            ("retry_policy", RETRY_POLICY),
        ],
    ),
    (
        "SSEmTLSTransport",
        &[
            ("key_file", VALUE),
            ("cert_file", VALUE),
            ("ca_file", VALUE),
        ],
    ),
    (
        "SpecializedAgent",
        &[
            ("agent", components("Agent")),
            (
                "agent_specialization_parameters",
                components("AgentSpecializationParameters"),
            ),
        ],
    ),
    (
        "StdioTransport",
        &[
            ("command", VALUE),
            ("args", VALUES),
            ("env", CONTENTS),
            ("cwd", VALUE),
        ],
    ),
    (
        "StreamableHTTPmTLSTransport",
        &[
            ("key_file", VALUE),
            ("cert_file", VALUE),
            ("ca_file", VALUE),
        ],
    ),
    (
        "Swarm",
        &[
            ("first_agent", components("AgenticComponent")),
            ("relationships", components("AgenticComponent")),
            ("handoff", VALUE),
        ],
    ),
    (
        "TlsOracleDatabaseConnectionConfig",
        &[
            ("user", VALUE),
            ("password", VALUE),
            ("dsn", VALUE),
            ("config_dir", VALUE),
            ("protocol", VALUE),
        ],
    ),
    (
        "TlsPostgresDatabaseConnectionConfig",
        &[
            ("user", VALUE),
            ("password", VALUE),
            ("url", VALUE),
            ("sslmode", VALUE),
            ("sslcert", VALUE),
            ("sslkey", VALUE),
            ("sslrootcert", VALUE),
            ("sslcrl", VALUE),
        ],
    ),
    ("Tool", &[("requires_confirmation", VALUE)]),
    ("ToolBox", &[("requires_confirmation", VALUE)]),
    ("ToolNode", &[("tool", components("Tool"))]),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(class: &str, member: &str) -> Option<Shape> {
        Fields::of(class).find(member).map(|(_, shape)| shape)
    }

    #[test]
    fn a_member_is_known_in_derived_classes_too() {
        let auth = shape("SSEmTLSTransport", "auth");
        assert_eq!(auth, Some(components("AuthConfig")));
        assert_eq!(shape("Agent", "system_prompt"), Some(VALUE));
        assert_eq!(shape("Agent", "url"), None);
        assert_eq!(shape("AcmeAgent", "llm_config"), None);
    }

    #[test]
    fn content_is_free_in_derived_classes_too_and_not_in_all() {
        let parameters = shape("VllmConfig", "default_generation_parameters");
        assert_eq!(parameters, Some(CONTENTS));
        assert_eq!(shape("SSEmTLSTransport", "headers"), Some(CONTENTS));
        assert_eq!(shape("AcmeAgent", "metadata"), Some(CONTENTS));
        assert_eq!(shape("AcmeAgent", "headers"), None);
    }

    #[test]
    fn members_are_in_the_order_of_agent_spec() {
        let order = ["id", "inputs", "requires_confirmation", "client_transport"];
        let places = order.map(|name| Fields::of("MCPTool").find(name).map(|(place, _)| place));
        assert!(
            places.is_sorted() && places.iter().all(Option::is_some),
            "{places:?}"
        );
    }

    #[test]
    fn all_classes_of_the_table_are_known_and_sorted() {
        assert!(FIELDS.is_sorted_by(|(one, _), (two, _)| one < two));
        for (owner, own) in FIELDS {
            assert!(Class::named(owner).is_some(), "{owner}");
            let mut classes = own.iter().filter_map(|(_, shape)| shape.class());
            assert!(
                classes.all(|class| Class::named(class).is_some()),
                "{owner}"
            );
        }
    }
}
