//! What our scopes take when they start, and what can be recorded in them.

use agentspan_model::agent365::Profile;
use serde_json::Value;

use super::Form::{
    self, Any, Attributes, Flag, Id, Integer, List, Map, Number, Object, OneOf, Optional, Port,
    Text, Time, Url, Where,
};
use crate::live_scope::ScopeKind;

const TEXT_OR_NONE: Form = Form::OPTIONAL_TEXT;
const INTEGER_OR_NONE: Form = Optional(&Integer);

/// Whether the arguments of a `start` function have forms in Rust.
pub(crate) fn arguments_fit(profile: Profile, kind: ScopeKind, args: &Value) -> bool {
    let form = match (profile, kind) {
        (Profile::V0_1, ScopeKind::InvokeAgent) => V0_1_INVOKE_AGENT,
        (Profile::V0_1, ScopeKind::ExecuteTool) => V0_1_EXECUTE_TOOL,
        (Profile::V0_1, _) => V0_1_INFERENCE,
        (_, ScopeKind::InvokeAgent) => INVOKE_AGENT,
        (_, ScopeKind::ExecuteTool) => EXECUTE_TOOL,
        (_, ScopeKind::Inference) => INFERENCE,
        (_, ScopeKind::Output) => OUTPUT,
        (_, ScopeKind::ApplyGuardrail) => APPLY_GUARDRAIL,
    };
    form.takes(args)
}

/// Whether the arguments of a method have forms in Rust.
pub(crate) fn method_fits(profile: Profile, kind: ScopeKind, method: &str, args: &[Value]) -> bool {
    let messages = if profile == Profile::V0_1 {
        List(&Text)
    } else {
        MESSAGES
    };
    let forms = match (kind, method) {
        (_, "record_error") => [PYTHON_ERROR, Any],
        (_, "record_attributes") => [Attributes, Any],
        (_, "set_end_time") => [Time, Any],
        (
            _,
            "record_input_tokens"
            | "record_output_tokens"
            | "record_cache_read_input_tokens"
            | "record_cache_write_input_tokens",
        ) => [Integer, Any],
        (_, "record_finish_reasons") => [Optional(&List(&Text)), Any],
        (ScopeKind::ExecuteTool, "record_response") if profile != Profile::V0_1 => {
            [OneOf(&[Text, Map(&Any)]), Any]
        }
        (ScopeKind::Output, "record_output_messages") => [RESPONSE, Any],
        (_, "record_input_messages" | "record_output_messages") => [messages, Any],
        (_, "record_response" | "record_thought_process" | "record_content_output") => [Text, Any],
        (_, "record_decision") => [Text, TEXT_OR_NONE],
        (_, "record_finding") => [FINDING, Any],
        _ => [Any, Any],
    };
    // An argument that is left out is Python's `None`.
    let arg = |at: usize| args.get(at).unwrap_or(&Value::Null);
    let mut forms = forms.iter().enumerate();
    forms.all(|(at, form)| form.takes(arg(at)))
}

const PYTHON_ERROR: Form = Object(&[
    ("type", Text),
    ("message", Text),
    ("module", TEXT_OR_NONE),
    ("class_name", TEXT_OR_NONE),
]);

const V0_1_INVOKE_AGENT: Form = Object(&[
    (
        "invoke_agent_details",
        Object(&[
            ("details", V0_1_AGENT),
            ("endpoint", Optional(&Url)),
            ("session_id", TEXT_OR_NONE),
        ]),
    ),
    ("tenant_details", TENANT),
    ("request", V0_1_REQUEST),
    ("caller_agent_details", Optional(&V0_1_AGENT)),
    (
        "caller_details",
        Optional(&Object(&[
            ("caller_id", TEXT_OR_NONE),
            ("caller_upn", TEXT_OR_NONE),
            ("caller_name", TEXT_OR_NONE),
            ("caller_user_id", TEXT_OR_NONE),
            ("tenant_id", TEXT_OR_NONE),
        ])),
    ),
]);

const V0_1_EXECUTE_TOOL: Form = Object(&[
    (
        "details",
        Object(&[
            ("tool_name", Text),
            ("arguments", TEXT_OR_NONE),
            ("tool_call_id", TEXT_OR_NONE),
            ("description", TEXT_OR_NONE),
            ("tool_type", TEXT_OR_NONE),
            ("endpoint", Optional(&Url)),
        ]),
    ),
    ("agent_details", Optional(&V0_1_AGENT)),
    ("tenant_details", TENANT),
]);

const V0_1_INFERENCE: Form = Object(&[
    (
        "details",
        Object(&[
            ("operationName", Text),
            ("model", Text),
            ("providerName", Text),
            ("inputTokens", INTEGER_OR_NONE),
            ("outputTokens", INTEGER_OR_NONE),
            ("finishReasons", Optional(&List(&Text))),
            ("responseId", TEXT_OR_NONE),
        ]),
    ),
    ("agent_details", Optional(&V0_1_AGENT)),
    ("tenant_details", TENANT),
    ("request", V0_1_REQUEST),
]);

const TENANT: Form = Optional(&Object(&[("tenant_id", Id)]));

const V0_1_AGENT: Form = Object(&[
    ("agent_id", Id),
    ("agent_name", TEXT_OR_NONE),
    ("agent_description", TEXT_OR_NONE),
    ("agent_auid", TEXT_OR_NONE),
    ("agent_upn", TEXT_OR_NONE),
    ("agent_blueprint_id", TEXT_OR_NONE),
    ("agent_type", TEXT_OR_NONE),
    ("tenant_id", Optional(&Id)),
    ("conversation_id", TEXT_OR_NONE),
    ("icon_uri", TEXT_OR_NONE),
]);

const V0_1_REQUEST: Form = Optional(&Object(&[
    ("content", Text),
    ("execution_type", TEXT_OR_NONE),
    ("session_id", TEXT_OR_NONE),
    (
        "source_metadata",
        Optional(&Object(&[
            ("id", TEXT_OR_NONE),
            ("name", TEXT_OR_NONE),
            ("icon_uri", TEXT_OR_NONE),
            ("description", TEXT_OR_NONE),
        ])),
    ),
    ("payload", TEXT_OR_NONE),
]));

const INVOKE_AGENT: Form = Object(&[
    ("request", REQUEST),
    ("endpoint", ENDPOINT),
    ("agent_details", AGENT),
    (
        "caller_details",
        Optional(&Object(&[
            ("user_details", USER),
            ("caller_agent_details", Optional(&AGENT)),
        ])),
    ),
    ("span_details", SPAN_DETAILS),
]);

const EXECUTE_TOOL: Form = Object(&[
    ("request", REQUEST),
    (
        "details",
        Object(&[
            ("tool_name", Text),
            ("arguments", Optional(&OneOf(&[Text, Map(&Any)]))),
            ("tool_call_id", TEXT_OR_NONE),
            ("description", TEXT_OR_NONE),
            ("tool_type", TEXT_OR_NONE),
            ("endpoint", ENDPOINT),
        ]),
    ),
    ("agent_details", Optional(&AGENT)),
    ("user_details", USER),
    ("span_details", SPAN_DETAILS),
]);

const INFERENCE: Form = Object(&[
    ("request", REQUEST),
    ("details", Where(is_inference)),
    ("agent_details", Optional(&AGENT)),
    ("user_details", USER),
    ("span_details", SPAN_DETAILS),
]);

const OUTPUT: Form = Object(&[
    ("request", REQUEST),
    ("response", RESPONSE),
    ("agent_details", AGENT),
    ("user_details", USER),
    ("span_details", SPAN_DETAILS),
]);

const APPLY_GUARDRAIL: Form = Object(&[
    (
        "details",
        Object(&[
            ("target_type", Text),
            ("decision_type", Text),
            ("guardian_name", TEXT_OR_NONE),
            ("guardian_id", TEXT_OR_NONE),
            ("guardian_provider_name", TEXT_OR_NONE),
            ("guardian_version", TEXT_OR_NONE),
            ("target_id", TEXT_OR_NONE),
            ("decision_reason", TEXT_OR_NONE),
            ("decision_code", TEXT_OR_NONE),
            ("policy_id", TEXT_OR_NONE),
            ("policy_name", TEXT_OR_NONE),
            ("policy_version", TEXT_OR_NONE),
            ("content_input_hash", TEXT_OR_NONE),
            ("content_modified", Optional(&Flag)),
            ("external_event_id", TEXT_OR_NONE),
        ]),
    ),
    ("agent_details", Optional(&AGENT)),
    ("request", REQUEST),
    ("user_details", USER),
    ("span_details", SPAN_DETAILS),
]);

/// The details of an inference, which name a model: the one that is asked, or the one that answers.
fn is_inference(value: &Value) -> bool {
    const FORM: Form = Object(&[
        ("operationName", Text),
        ("model", TEXT_OR_NONE),
        ("providerName", Text),
        ("inputTokens", INTEGER_OR_NONE),
        ("outputTokens", INTEGER_OR_NONE),
        ("finishReasons", Optional(&List(&Text))),
        ("thoughtProcess", TEXT_OR_NONE),
        ("endpoint", ENDPOINT),
        ("responseModel", TEXT_OR_NONE),
        ("cacheReadInputTokens", INTEGER_OR_NONE),
        ("cacheWriteInputTokens", INTEGER_OR_NONE),
    ]);
    let is_blank = |c: char| c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c);
    let names_one = |name: &str| {
        let model = value.get(name).and_then(Value::as_str);
        model.is_some_and(|model| !model.chars().all(is_blank))
    };
    FORM.takes(value) && (names_one("model") || names_one("responseModel"))
}

const REQUEST: Form = Optional(&Object(&[
    ("content", Optional(&MESSAGES)),
    ("session_id", TEXT_OR_NONE),
    (
        "channel",
        Optional(&Object(&[("name", TEXT_OR_NONE), ("link", TEXT_OR_NONE)])),
    ),
    ("conversation_id", TEXT_OR_NONE),
]));

const ENDPOINT: Form = Optional(&Object(&[("hostname", Text), ("port", Optional(&Port))]));

const USER: Form = Optional(&Object(&[
    ("user_id", TEXT_OR_NONE),
    ("user_email", TEXT_OR_NONE),
    ("user_name", TEXT_OR_NONE),
    ("user_client_ip", TEXT_OR_NONE),
]));

const AGENT: Form = Object(&[
    ("agent_id", Id),
    ("agent_name", TEXT_OR_NONE),
    ("agent_description", TEXT_OR_NONE),
    ("agentic_user_id", TEXT_OR_NONE),
    ("agentic_user_email", TEXT_OR_NONE),
    ("agent_blueprint_id", TEXT_OR_NONE),
    ("agent_platform_id", TEXT_OR_NONE),
    ("tenant_id", Optional(&Id)),
    ("icon_uri", TEXT_OR_NONE),
    ("provider_name", TEXT_OR_NONE),
    ("agent_version", TEXT_OR_NONE),
    ("agent_type", Optional(&AGENT_TYPE)),
]);

pub(super) const AGENT_TYPE: Form = OneOf(&[Text, Object(&[("enum", Text)])]);

const SPAN_DETAILS: Form = Optional(&Object(&[
    ("span_kind", TEXT_OR_NONE),
    ("start_time", Optional(&Time)),
    ("end_time", Optional(&Time)),
    ("parent_headers", Optional(&Map(&Text))),
    (
        "span_links",
        Optional(&List(&Object(&[
            ("trace_id", Text),
            ("span_id", Text),
            ("attributes", Optional(&Attributes)),
        ]))),
    ),
]));

const FINDING: Form = Object(&[
    ("risk_category", Text),
    ("risk_severity", Text),
    ("policy_decision_type", TEXT_OR_NONE),
    ("policy_id", TEXT_OR_NONE),
    ("policy_name", TEXT_OR_NONE),
    ("policy_version", TEXT_OR_NONE),
    ("risk_score", Optional(&Number)),
    ("risk_metadata", Optional(&List(&Text))),
]);

const MESSAGES: Form = OneOf(&[
    Text,
    List(&Text),
    Where(|value| {
        let messages = value.get("messages");
        messages.is_some_and(|messages| List(&MESSAGE).takes(messages))
    }),
]);

/// Messages, or the result of a tool.
const RESPONSE: Form = Where(|value| match value.get("dict") {
    Some(dict) => dict.is_object(),
    None => MESSAGES.takes(value),
});

const MESSAGE: Form = Object(&[
    ("role", Text),
    ("parts", List(&Where(is_part))),
    ("name", TEXT_OR_NONE),
    ("finish_reason", Text),
]);

fn is_part(part: &Value) -> bool {
    const MODALITY: Form = OneOf(&[Text, Object(&[("enum", Text)])]);
    let form = match part.get("part").and_then(Value::as_str) {
        Some("text" | "reasoning") => Object(&[("content", Text)]),
        Some("tool_call") => Object(&[("name", Text), ("id", TEXT_OR_NONE)]),
        Some("tool_call_response") => Object(&[("id", TEXT_OR_NONE)]),
        Some("blob") => Object(&[
            ("modality", MODALITY),
            ("content", Text),
            ("mime_type", TEXT_OR_NONE),
        ]),
        Some("file") => Object(&[
            ("modality", MODALITY),
            ("file_id", Text),
            ("mime_type", TEXT_OR_NONE),
        ]),
        Some("uri") => Object(&[
            ("modality", MODALITY),
            ("uri", Text),
            ("mime_type", TEXT_OR_NONE),
        ]),
        Some("server_tool_call") => Object(&[
            ("name", Text),
            ("server_tool_call", Map(&Any)),
            ("id", TEXT_OR_NONE),
        ]),
        Some("server_tool_call_response") => Object(&[
            ("server_tool_call_response", Map(&Any)),
            ("id", TEXT_OR_NONE),
        ]),
        _ => Object(&[("type", Text), ("data", Map(&Any))]),
    };
    form.takes(part)
}
