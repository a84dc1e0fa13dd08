//! The turn as scopes.

use agentspan_model::keys;
use agentspan_otel::{ExecuteToolScope, InferenceScope, InvokeAgentScope, ScopeTracer};
use opentelemetry::KeyValue;
use opentelemetry::trace::get_active_span;

use crate::scope_row::data::TurnData;

pub(crate) fn turn_of_scopes(tracer: &ScopeTracer, data: &TurnData) {
    InvokeAgentScope::builder(&data.invocation)
        .tenant(&data.tenant)
        .request(&data.request)
        .caller(&data.caller)
        .tracer(tracer)
        .start()
        .in_scope_infallible(|_| {
            model_call(tracer, data);
            tool_call(tracer, data);
            model_call(tracer, data);
        });
}

fn model_call(tracer: &ScopeTracer, data: &TurnData) {
    InferenceScope::builder(&data.model_call)
        .agent(&data.agent)
        .tenant(&data.tenant)
        .request(&data.model_request)
        .tracer(tracer)
        .start()
        .in_scope_infallible(|scope| {
            if scope.is_recording() {
                model_event("gen_ai.request", data);
                model_event("gen_ai.response", data);
            }
            scope.record_output_messages(&[&data.model_answer]);
        });
}

fn tool_call(tracer: &ScopeTracer, data: &TurnData) {
    ExecuteToolScope::builder(&data.tool_call)
        .agent(&data.agent)
        .tenant(&data.tenant)
        .tracer(tracer)
        .start()
        .in_scope_infallible(|scope| {
            if scope.is_recording() {
                tool_event("tool.request", data);
                tool_event("tool.response", data);
            }
        });
}

/// An event of the current span, with two attributes.
pub(super) fn model_event(name: &'static str, data: &TurnData) {
    let model = KeyValue::new(keys::GEN_AI_REQUEST_MODEL, data.model_call.model.clone());
    let kind = KeyValue::new(keys::GEN_AI_TOKEN_TYPE, name);
    get_active_span(|span| span.add_event(name, vec![model, kind]));
}

/// An event of the current span, with one attribute.
pub(super) fn tool_event(name: &'static str, data: &TurnData) {
    let tool = KeyValue::new(keys::GEN_AI_TOOL_NAME, data.tool_call.tool_name.clone());
    get_active_span(|span| span.add_event(name, vec![tool]));
}
