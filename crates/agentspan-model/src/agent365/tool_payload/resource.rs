//! The resources that a tool accesses.

use super::payload;

payload! {
    /// An identifier of a resource in another system.
    pub struct ToolCallIdentifier {
        /// The kind of identifier.
        identifier_type: String = "type", with_type;
        /// The identifier.
        value: String = "value", with_value;
    }
}

payload! {
    /// The container of a resource.
    pub struct ToolCallContainer {
        /// The id of the container.
        container_id: String = "id", with_id;
        /// The URI of the container.
        uri: String = "uri", with_uri;
        /// The kind of container.
        container_type: String = "type", with_type;
    }
}

payload! {
    /// A resource in the arguments of a tool.
    pub struct ToolCallResource {
        /// The id of the resource.
        resource_id: String = "id", with_id;
        /// The URI of the resource.
        uri: String = "uri", with_uri;
        /// The name of the resource.
        name: String = "name", with_name;
        /// The kind of resource.
        resource_type: String = "type", with_type;
        /// The system that provides the resource.
        provider: String = "provider", with_provider;
        /// The identifiers of the resource. An empty list is written, too.
        identifiers: Vec<ToolCallIdentifier> = "identifiers", with_identifiers;
        /// The container of the resource.
        container: ToolCallContainer = "container", with_container;
    }
}
