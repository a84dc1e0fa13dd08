//! Details read and write the reference's JSON.

use std::fmt::Debug;

use agentspan_model::agent365::{
    AgentDetails, CallerDetails, InferenceCallDetails, InvokeAgentDetails, Request, SourceMetadata,
    TenantDetails, ToolCallDetails, ToolType,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

fn check_round_trip<T: Serialize + DeserializeOwned + Debug>(json: &str) -> T {
    let details: T = serde_json::from_str(json).unwrap();
    assert_eq!(serde_json::to_string(&details).unwrap(), json);
    details
}

#[test]
fn every_field_survives() {
    check_round_trip::<AgentDetails>(
        r#"{"agent_id":"a","agent_name":"n","agent_description":"d","agent_auid":"u","agent_upn":"p","agent_blueprint_id":"b","agent_type":"EntraNonEmbodied","tenant_id":"t","conversation_id":"c","icon_uri":"i"}"#,
    );
    check_round_trip::<CallerDetails>(
        r#"{"caller_id":"i","caller_upn":"p","caller_name":"n","caller_user_id":"u","tenant_id":"../kept as it is"}"#,
    );
    check_round_trip::<InvokeAgentDetails>(
        r#"{"details":{"agent_id":"a"},"endpoint":{"host":"a.example","port":8443},"session_id":"s"}"#,
    );
    check_round_trip::<InferenceCallDetails>(
        r#"{"operationName":"TextCompletion","model":"m","providerName":"p","inputTokens":1,"outputTokens":2,"finishReasons":["stop"],"responseId":"r"}"#,
    );
    check_round_trip::<Request>(
        r#"{"content":"c","execution_type":"Agent2Agent","session_id":"s","source_metadata":{"id":"i","name":"n","icon_uri":"u","description":"d"},"payload":"p"}"#,
    );
    check_round_trip::<SourceMetadata>("{}");
    check_round_trip::<TenantDetails>(r#"{"tenant_id":"t"}"#);
}

#[test]
fn a_tool_type_that_nobody_named_is_kept() {
    let call: ToolCallDetails = check_round_trip(r#"{"tool_name":"t","tool_type":"mcp"}"#);
    assert_eq!(call.tool_type, Some(ToolType::Other("mcp".to_owned())));
}

#[test]
fn an_id_that_could_leave_its_path_is_refused_by_name() {
    let error = serde_json::from_str::<TenantDetails>(r#"{"tenant_id":".."}"#).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("tenant id must not be `.` or `..`"),
        "{error}"
    );
}
